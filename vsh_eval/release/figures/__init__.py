"""Charts of safe tables, each with the text for a reader who cannot see it.

draw_levels      both levels over the years       draw_event_study  effects by time since training
draw_gap         the signed gap over the years    draw_forest       estimates side by side
draw_context     an authority among others        draw_reach        how far the training has come
"""

from vsh_eval.release.figures.base import Figure
from vsh_eval.release.figures.context import draw_context
from vsh_eval.release.figures.effects import draw_event_study, draw_forest
from vsh_eval.release.figures.over_years import draw_gap, draw_levels
from vsh_eval.release.figures.reach import draw_reach

__all__ = [
    "Figure",
    "draw_context",
    "draw_event_study",
    "draw_forest",
    "draw_gap",
    "draw_levels",
    "draw_reach",
]
