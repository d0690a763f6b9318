"""From DfE's published tables: one authority's offer against other authorities' offers.

`authority_estimates` puts an authority's offer into the estimates contract; `fit_authority` and
`authority_trajectory` show what it is made of. `synthetic_did` is for any long table
(`fit_synthetic` keeps donor weights, trajectories and placebos).
"""

from vsh_eval.effects.published.authority import (
    EXTRA_COLUMNS,
    TRAJECTORY_COLUMNS,
    authority_estimates,
    authority_panel,
    authority_trajectory,
    donor_pools,
    fit_authority,
)
from vsh_eval.effects.published.synthetic_did import Synthetic, fit_synthetic, synthetic_did
