"""From DfE's published tables: one authority's offer against other authorities' offers.

`authority_estimates` puts an authority's offer into the estimates contract; `fit_synthetic`
compares one unit with its donors, `authority_trajectory` shows its path and theirs.
"""

from vsh_eval.effects.published.authority import (
    EXTRA_COLUMNS,
    TRAJECTORY_COLUMNS,
    authority_estimates,
    authority_panel,
    authority_trajectory,
    donor_pools,
)
from vsh_eval.effects.published.synthetic_did import Synthetic, fit_synthetic
