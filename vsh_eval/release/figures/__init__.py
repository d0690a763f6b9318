"""Charts of safe tables, each with the text for a reader who cannot see it.

draw_levels      both levels over the years       draw_event_study  effects by time since training
draw_gap         the signed gap over the years    draw_forest       estimates side by side
draw_context     an authority among others        draw_reach        how far the training has come
draw_reach_heat  the same as shaded cells         draw_concentration  does it go where need is?
draw_synthetic   an authority and a mixture of others
draw_breakdown   gaps by sex, free meals, SEN ...  draw_decomposition  what a gap goes with
draw_standardised  the gap had the mix of children stayed
draw_power       what would be found        draw_honest       if the paths had differed
draw_robustness  the question asked otherwise  draw_specifications  under all choices
draw_sizes       how many children each group has
draw_slopes      both levels in a first and a last year, a panel a measure or group
"""

from vsh_eval.release.figures.base import Figure
from vsh_eval.release.figures.breakdown import draw_breakdown
from vsh_eval.release.figures.context import draw_context
from vsh_eval.release.figures.decomposition import draw_decomposition, draw_standardised
from vsh_eval.release.figures.effects import draw_event_study, draw_forest
from vsh_eval.release.figures.equity import draw_concentration
from vsh_eval.release.figures.heat import draw_reach_heat
from vsh_eval.release.figures.honest import draw_honest
from vsh_eval.release.figures.over_years import draw_gap, draw_levels
from vsh_eval.release.figures.power import draw_power
from vsh_eval.release.figures.reach import draw_reach
from vsh_eval.release.figures.robustness import draw_robustness
from vsh_eval.release.figures.sizes import draw_sizes
from vsh_eval.release.figures.slopes import draw_slopes
from vsh_eval.release.figures.specifications import draw_specifications
from vsh_eval.release.figures.synthetic import draw_synthetic

__all__ = [
    "Figure",
    "draw_breakdown",
    "draw_concentration",
    "draw_context",
    "draw_decomposition",
    "draw_event_study",
    "draw_forest",
    "draw_gap",
    "draw_honest",
    "draw_levels",
    "draw_power",
    "draw_reach",
    "draw_reach_heat",
    "draw_robustness",
    "draw_sizes",
    "draw_slopes",
    "draw_specifications",
    "draw_standardised",
    "draw_synthetic",
]
