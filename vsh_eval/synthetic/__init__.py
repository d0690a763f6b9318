"""An invented authority with a planted effect: for the demonstration, the docs and the proofs.

- `Plan`: what the authority is to be like, checked when it is made.
- `invent`: every table of the returns in memory, and the truth planted in them (`Authority`).
- `synthesise`: the same as a folder of Parquet or CSV files, marked as synthetic.
- `draw_school_gaps`: school gaps alone, in milliseconds, for thousands of draws (`GapDraw`).

The rooms behind them, in the order in which an authority comes about: `calibration` and
`yearly_figures` (published figures), `schools`, `training`, `pupils`, `episodes`, `pupil_years`,
`attendance` and `absence_rates`, `registers`, `attainment` and `key_stages`, `suspensions`,
`authority`, `folder`.
"""

from vsh_eval.synthetic.authority import Authority, invent
from vsh_eval.synthetic.folder import MARKER, synthesise
from vsh_eval.synthetic.plan import Plan
from vsh_eval.synthetic.school_gaps import GapDraw, draw_school_gaps

__all__ = ["MARKER", "Authority", "GapDraw", "Plan", "draw_school_gaps", "invent", "synthesise"]
