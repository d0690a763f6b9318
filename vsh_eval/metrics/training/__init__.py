"""The training offer: whom it has reached, when, in what combination, at what cost, how evenly.

- `training_reach`, `audience_reach`, `reach_by_band`: schools and pupils reached.
- `deprivation_bands`, `baseline_gap_bands`, `area_bands`: schools by need (internal).
- `gaps_by_arm`: the pooled gap of schools trained within the data, and of the others.
- `equity`: does the training go where need is greatest?
- `programme_overlap`, `years_to_second_programme`, `training_records`: what the log records.
"""

from vsh_eval.metrics.training.arms import gaps_by_arm
from vsh_eval.metrics.training.equity import equity
from vsh_eval.metrics.training.log import (
    programme_overlap,
    training_records,
    years_to_second_programme,
)
from vsh_eval.metrics.training.need import Bands, area_bands, baseline_gap_bands, deprivation_bands
from vsh_eval.metrics.training.reach import audience_reach, reach_by_band, training_reach
