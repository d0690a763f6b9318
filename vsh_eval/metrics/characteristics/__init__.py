"""The gap by who the children are, how much goes with that, and what else they are met by.

- `gaps_by`: the gap among girls and boys, by free school meals, SEN and key stage.
- `differences_by`: by how much such gaps differ, from the same schools.
- `decompose`: how much of the gap goes with who the children are, and how much does not?
- `matched_gap`: the gap against pupils of the same phase, free school meals and SEN.
- `standardised_gap`: how would the gap have moved had the composition of pupils stayed?
- `barriers`: how often do children of each group have SEN, free meals, suspensions?
- `Moments`: how far schools differ, for the errors of all of these.
"""

from vsh_eval.metrics.characteristics.barriers import barriers
from vsh_eval.metrics.characteristics.breakdowns import differences_by, gaps_by
from vsh_eval.metrics.characteristics.clusters import Moments
from vsh_eval.metrics.characteristics.decomposition import decompose, matched_gap, standardised_gap
