"""The metrics: what each one counts, over what, and in which years it means the same.

This is the one place to add a metric. Every room reads it; none repeats it.

- `attendance` and `attainment` hold the entries, `breaks` the years that mean something else.
- `metric`, `of_topic`, `METRICS`: what is known; `register` adds one for a session.
- `returned_measures`: what the attainment return may name.
- `breaks_of`, `comparable_years`, `years_without_data`: which years may be compared.
"""

from vsh_eval.registry.breaks import BREAKS, Break, breaks_of, comparable_years, years_without_data
from vsh_eval.registry.entry import Counts, Metric, Origin, Topic
from vsh_eval.registry.known import METRICS, metric, of_topic, register
from vsh_eval.registry.measures import Measure, returned_measures
