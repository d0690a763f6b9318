"""The one door: `release_table`, and what stands before it.

- `cell_keys`: the same children, the same small change. `protected_cells`: what may be shown of
  exact cells. `rules`: their numbers.
- `gates`: tables that are not made of cells; `estimates`: those of effects.
- `safe_table`: what comes out, and the only thing that anything else takes.
"""

from vsh_eval.release.disclosure.door import protected, release_table
from vsh_eval.release.disclosure.rules import INTERNAL_STAMP, Rule, rule_named
from vsh_eval.release.disclosure.safe_table import SafeTable, join, require_safe
