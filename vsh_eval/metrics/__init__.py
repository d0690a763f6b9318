"""Room 3: from the panel's sums to levels, gaps, changes and the reach of the training offer.

Every number is arithmetic on counts that add up; nothing here sees a pupil.

- `levels`: how high is a metric in each group, phase and year?
- `gaps`: how wide is the gap, in points and as a ratio, with both levels?
- `changes`: has it changed since the baseline, and which of the two groups moved?
- `school_gaps`: the gap within each school, which effects are estimated on (internal).
- `training_reach`, `trained_by_year`, `programme_overlap`, `years_to_second_programme`: whom the
  offer has reached, when, and in what combination.
"""

from vsh_eval.metrics.changes import CHANGE_COLUMNS, changes
from vsh_eval.metrics.gaps import GAP_COLUMNS, gaps
from vsh_eval.metrics.levels import LEVEL_COLUMNS, levels
from vsh_eval.metrics.school_gaps import SCHOOL_GAP_COLUMNS, school_gaps
from vsh_eval.metrics.training_offer import (
    programme_overlap,
    trained_by_year,
    years_to_second_programme,
)
from vsh_eval.metrics.training_reach import REACH_COLUMNS, training_reach

__all__ = [
    "CHANGE_COLUMNS",
    "GAP_COLUMNS",
    "LEVEL_COLUMNS",
    "REACH_COLUMNS",
    "SCHOOL_GAP_COLUMNS",
    "changes",
    "gaps",
    "levels",
    "programme_overlap",
    "school_gaps",
    "trained_by_year",
    "training_reach",
    "years_to_second_programme",
]
