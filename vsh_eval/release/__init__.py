"""Room 5: the one door out. Anything -> SafeTable -> figures, tables, sentences, files, pages.

Make safe       protect, round_leaves, rule_named, SafeTable, check_egress
Draw            draw_levels, draw_gap, draw_context, draw_reach, draw_event_study, draw_forest
Say             level_sentence, gap_sentence, change_sentence, reach_sentence, estimate_sentence,
                mde_sentence
Show            show_figure, show_table, show_text, show_statement   (in a notebook)
Write           write_table, read_table, write_workbook, write_results
Page            render_page, render_index

Everything after the first line takes a `SafeTable` and nothing else.
"""

from vsh_eval.release.cube import RoundedCube, round_leaves
from vsh_eval.release.disclosure import protect
from vsh_eval.release.egress import check as check_egress
from vsh_eval.release.evidence_sentences import evidence_sentence, pretrend_sentence
from vsh_eval.release.figures import (
    Figure,
    draw_context,
    draw_event_study,
    draw_forest,
    draw_gap,
    draw_levels,
    draw_reach,
)
from vsh_eval.release.impact_sentences import estimate_sentence, mde_sentence
from vsh_eval.release.key_figures import effect_figure, gap_figures
from vsh_eval.release.labels import year_label
from vsh_eval.release.open_data import Area, read_table, write_table
from vsh_eval.release.report import Card, KeyFigure, Summary, render_index, render_page
from vsh_eval.release.results import write_results
from vsh_eval.release.rows import last_year
from vsh_eval.release.rules import INTERNAL_STAMP, Rule, rule_named
from vsh_eval.release.safe import SafeTable, require_safe
from vsh_eval.release.sentences import (
    change_sentence,
    gap_sentence,
    level_sentence,
    reach_sentence,
)
from vsh_eval.release.show import show_figure, show_statement, show_table, show_text
from vsh_eval.release.workbook import write_workbook

__all__ = [
    "INTERNAL_STAMP",
    "Area",
    "Card",
    "Figure",
    "KeyFigure",
    "RoundedCube",
    "Rule",
    "SafeTable",
    "Summary",
    "change_sentence",
    "check_egress",
    "draw_context",
    "draw_event_study",
    "draw_forest",
    "draw_gap",
    "draw_levels",
    "draw_reach",
    "effect_figure",
    "estimate_sentence",
    "evidence_sentence",
    "gap_figures",
    "gap_sentence",
    "last_year",
    "level_sentence",
    "mde_sentence",
    "pretrend_sentence",
    "protect",
    "reach_sentence",
    "read_table",
    "render_index",
    "render_page",
    "require_safe",
    "round_leaves",
    "rule_named",
    "show_figure",
    "show_statement",
    "show_table",
    "show_text",
    "write_results",
    "write_table",
    "write_workbook",
    "year_label",
]
