"""The one door: `protect`, and what it keeps.

- `door` decides by the kind of table; `safe` is what comes out, `rules` what it is judged by.
- Leaves: `leaves`, `cube`, `breakdown_cube` are rounded once (`rounding`, `part_rounding`,
  `descent`, `nested`, `ledger`) and hidden where too small (`hiding`, `complement`, `sides`).
- Kinds: `leaf_tables` (levels, gaps), `change_tables`, `trend_tables`, `part_tables`,
  `breakdown_tables`, `decomposition_tables`, `barrier_tables`, `beside_tables`, `between_schools`,
  `reach`, `bands`, `offer`, `counts` (design, findings), `estimates_gate`.
"""

from vsh_eval.release.disclosure.door import KINDS, PEOPLE, SCHOOLS, protect

__all__ = ["KINDS", "PEOPLE", "SCHOOLS", "protect"]
