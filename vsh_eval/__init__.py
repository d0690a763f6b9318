"""Did a virtual school narrow the gaps of children with a social worker, and how sure are we.

The rooms, in the order of the corridor; none of them imports another:

- `vsh_eval.returns`: files an authority holds, or DfE publishes, become checked tables
- `vsh_eval.cohort`: tables become a panel of sums; pupils end here
- `vsh_eval.metrics`: the panel becomes levels, gaps, changes and the reach of the offer
- `vsh_eval.effects`: gaps become estimates of what training did, with their doubts
- `vsh_eval.release`: the one door; everything a reader sees

Beside them: `vsh_eval.synthetic` invents an authority, `vsh_eval.pipeline` runs the notebooks.
Below them: `names`, `registry`, `contracts`, `academic_year`, `settings`, `numerics`.

Nothing is imported here, so that a notebook loads what it asks for and no more:

>>> from vsh_eval import registry
>>> registry.metric("overall_absence").label
'Overall absence'
"""

import sys

# jsonschema asks for this slow module only for a check that no notebook schema uses.
sys.modules.setdefault("rfc3987_syntax", None)  # pyrefly: ignore[no-matching-overload]
