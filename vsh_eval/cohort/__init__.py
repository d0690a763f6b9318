"""The second room: checked tables in, panel out; pupils end here.

What it gives, in the order it is used:

- `build_cohort`: everything below at once, as `CohortTables`.
- `stable_schools`: one school through academisation and merger (`identity`).
- `record_keys`: in place of each pupil's identifier a number drawn by lot, and the number that
  makes a child's part of the noise.
- `training_log`, `build_exposure`: who was trained, and from which year that counts (`exposure`).
- `build_panel`, `build_composition`: the sums of every cell (`panel`).
- `build_moments`, `build_spread`: how far schools differ, and how many there are (`moments`).
- `build_new_entrants`: who is newly counted, and how they attended the year before
  (`new_entrants`).
- `build_flow`: what membership and matching kept and dropped (`flow`).
- `Engine`, `DuckDbEngine`, `SparkEngine`, `sql_text`: one portable SQL text, run by DuckDB, by
  Spark or by whatever else runs SQL (`engines`; the text itself lies beside it in ``sql/``).
"""

from vsh_eval.cohort.build import CohortTables, build_cohort
from vsh_eval.cohort.engines import DuckDbEngine, Engine, SparkEngine, open_engine, sql_text
from vsh_eval.cohort.exposure import build_exposure, training_log
from vsh_eval.cohort.flow import build_flow
from vsh_eval.cohort.identity import StableSchools, stable_schools
from vsh_eval.cohort.moments import build_moments, build_spread
from vsh_eval.cohort.new_entrants import NEW_ENTRANT_COLUMNS, build_new_entrants
from vsh_eval.cohort.panel import build_composition, build_panel
