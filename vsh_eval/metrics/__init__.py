"""Room 3: from the panel's sums to levels, gaps, changes and the reach of the training offer.

Every number is arithmetic on counts that add up; nothing here sees a pupil.

- `levels`: how high is a metric in each group, phase and year?
- `gaps`: how wide is the gap, in points and as a ratio, with both levels?
- `changes`: has it changed since the baseline, and which of the two groups moved?
- `gap_table`: the gaps of several groups against several references, in one table.
- `trend`: how fast has the gap moved over all comparable years, and each of the two groups?
- `parts`: what adds up to the gap, and to its change?
- `effect_sizes`: how large is a gap in attainment, in standard deviations, months, gap index?
- `sessions_and_days`: how large is a gap in absence, in sessions and days a pupil a year?
- `barriers`: how often do children of each group have SEN, free meals, suspensions?
- `heterogeneity`: how much does the gap differ between schools? Never which: `school_funnel`, for
  the analyst's own eyes, is never released.
- `gaps_by`: the gap among girls and boys, by free school meals, SEN and key stage.
- `matched_gap`: the gap against peers of the same phase, free school meals and SEN.
- `decompose`: how much of the gap goes with who the children are, and how much does not?
- `standardised_gap`: how would the gap have moved had the mix of children stayed?
- `Moments`: how far schools differ, for the errors of the four above and of `barriers`.
- `school_gaps`: the gap within each school, which effects are estimated on (internal).
- `training_reach`, `audience_reach`, `trained_by_year`, `programme_overlap`,
  `years_to_second_programme`, `training_records`: whom the offer has reached, when, in what
  combination, and what its log records.
- `deprivation_bands`, `baseline_gap_bands`, `area_bands`: schools by need (internal).
- `reach_by_band`, `equity`: does the training go where need is greatest?
- `measure_offer`: all of these of one offer.
"""

from vsh_eval.metrics.barriers import BARRIER_COLUMNS, barriers
from vsh_eval.metrics.breakdowns import BREAKDOWN_COLUMNS, gaps_by
from vsh_eval.metrics.changes import CHANGE_COLUMNS, changes
from vsh_eval.metrics.clusters import Moments
from vsh_eval.metrics.decomposition import DECOMPOSITION_COLUMNS, decompose
from vsh_eval.metrics.effect_sizes import EFFECT_SIZE_COLUMNS, effect_sizes
from vsh_eval.metrics.equity import EQUITY_COLUMNS, equity
from vsh_eval.metrics.gap_table import gap_table
from vsh_eval.metrics.gaps import GAP_COLUMNS, gaps
from vsh_eval.metrics.heterogeneity import HETEROGENEITY_COLUMNS, heterogeneity
from vsh_eval.metrics.levels import LEVEL_COLUMNS, levels
from vsh_eval.metrics.matched import MATCHED_COLUMNS, matched_gap
from vsh_eval.metrics.need import Bands, area_bands, baseline_gap_bands, deprivation_bands
from vsh_eval.metrics.offer import Offer, measure_offer
from vsh_eval.metrics.parts import PART_COLUMNS, parts
from vsh_eval.metrics.reach_by_band import BAND_REACH_COLUMNS, reach_by_band
from vsh_eval.metrics.school_funnel import FUNNEL_COLUMNS, school_funnel
from vsh_eval.metrics.school_gaps import SCHOOL_GAP_COLUMNS, school_gaps
from vsh_eval.metrics.sessions_and_days import SESSION_COLUMNS, sessions_and_days
from vsh_eval.metrics.standardised import STANDARDISED_COLUMNS, standardised_gap
from vsh_eval.metrics.training_offer import (
    programme_overlap,
    trained_by_year,
    training_records,
    years_to_second_programme,
)
from vsh_eval.metrics.training_reach import (
    AUDIENCE_REACH_COLUMNS,
    REACH_COLUMNS,
    audience_reach,
    training_reach,
)
from vsh_eval.metrics.trend import TREND_COLUMNS, trend

__all__ = [
    "AUDIENCE_REACH_COLUMNS",
    "BAND_REACH_COLUMNS",
    "BARRIER_COLUMNS",
    "BREAKDOWN_COLUMNS",
    "CHANGE_COLUMNS",
    "DECOMPOSITION_COLUMNS",
    "EFFECT_SIZE_COLUMNS",
    "EQUITY_COLUMNS",
    "FUNNEL_COLUMNS",
    "GAP_COLUMNS",
    "HETEROGENEITY_COLUMNS",
    "LEVEL_COLUMNS",
    "MATCHED_COLUMNS",
    "PART_COLUMNS",
    "REACH_COLUMNS",
    "SCHOOL_GAP_COLUMNS",
    "SESSION_COLUMNS",
    "STANDARDISED_COLUMNS",
    "TREND_COLUMNS",
    "Bands",
    "Moments",
    "Offer",
    "area_bands",
    "audience_reach",
    "barriers",
    "baseline_gap_bands",
    "changes",
    "decompose",
    "deprivation_bands",
    "effect_sizes",
    "equity",
    "gap_table",
    "gaps",
    "gaps_by",
    "heterogeneity",
    "levels",
    "matched_gap",
    "measure_offer",
    "parts",
    "programme_overlap",
    "reach_by_band",
    "school_funnel",
    "school_gaps",
    "sessions_and_days",
    "standardised_gap",
    "trained_by_year",
    "training_reach",
    "training_records",
    "trend",
    "years_to_second_programme",
]
