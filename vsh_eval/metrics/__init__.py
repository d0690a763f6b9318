"""Room 3: from the panel's sums to levels, gaps, changes and the reach of the training offer.

Every number is arithmetic on counts that add up; nothing here sees a pupil. Each function takes
exact sums, or the same sums behind a shield, and then gives what may be released.

- `levels`: how high is a metric in each group, phase and year?
- `gaps`, `gap_table`: how wide is the gap, in points and as a ratio, with both levels?
- `changes`: has it changed since the baseline, and which of the two groups moved?
- `trend`: how fast has the gap moved over all comparable years, and each of the two groups?
- `parts`: what adds up to the gap, and to its change?
- `effect_sizes`: how large is a gap in attainment, in standard deviations, months, gap index?
- `sessions_and_days`: how large is a gap in absence, in sessions and days a pupil a year?
- `heterogeneity`: how much does the gap differ between schools? Never which.
- `characteristics`: the gap by who the children are, decomposed, and barriers to learning.
- `training`: whom the offer has reached, how much, and whether it goes where need is greatest.
"""

from vsh_eval.metrics import characteristics, training
from vsh_eval.metrics.changes import changes
from vsh_eval.metrics.effect_sizes import effect_sizes, sessions_and_days
from vsh_eval.metrics.gaps import gap_table, gaps, levels
from vsh_eval.metrics.heterogeneity import heterogeneity
from vsh_eval.metrics.parts import parts
from vsh_eval.metrics.trend import trend
from vsh_eval.panel import Comparison
