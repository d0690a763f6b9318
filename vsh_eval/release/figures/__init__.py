"""Charts of safe tables, each with the text for a reader who cannot see it.

A module a form; seaborn draws, in the one theme of `palette`:

- `lines`: draw_levels, draw_gap, draw_trained_and_untrained, draw_sizes and draw_synthetic, lines
  over the years
- `curves`: draw_power, a line over a quantity
- `intervals`: draw_forest, draw_pool, draw_robustness, draw_event_study, draw_honest and
  draw_specifications
- `bars`: draw_rollout, draw_reach_by_need, draw_standing, draw_decomposition and draw_breakdown,
  bars and dots in rows
- `heat`: draw_reach_heat, shaded cells
"""

from vsh_eval.release.figures.bars import (
    draw_breakdown,
    draw_decomposition,
    draw_reach_by_need,
    draw_rollout,
    draw_standing,
)
from vsh_eval.release.figures.base import Figure
from vsh_eval.release.figures.curves import draw_power
from vsh_eval.release.figures.heat import draw_reach_heat
from vsh_eval.release.figures.intervals import (
    draw_event_study,
    draw_forest,
    draw_honest,
    draw_pool,
    draw_robustness,
    draw_specifications,
)
from vsh_eval.release.figures.lines import (
    draw_gap,
    draw_levels,
    draw_sizes,
    draw_synthetic,
    draw_trained_and_untrained,
)
