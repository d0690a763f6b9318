"""An invented authority with a planted effect: for the demonstration, the docs and the proofs.

- `Plan`: what the authority is to be like, checked when it is made.
- `invent`: every table of the returns in memory, and the truth planted in them (`Authority`).
- `synthesise`: the same as a folder of Parquet or CSV files, marked as synthetic.

The modules behind them, in the order in which an authority comes about: `plan`, `calibration`
(published figures), `schools`, `training`, `pupils`, `social_care`, `pupil_years`, `attendance` and
`absence_rates`, `attainment`, `authority`, `as_returns`, `social_care_returns`, `faults`.
"""

from vsh_eval.synthetic.authority import MARKER, Authority, Layout, invent, synthesise
from vsh_eval.synthetic.plan import Plan
