"""Room 5: the one door out. Anything -> SafeTable -> figures, tables, sentences, files, pages.

Make safe       protect, round_leaves, round_breakdowns, rule_named, SafeTable, check_egress
Draw            draw_levels, draw_gap, draw_context, draw_reach, draw_event_study, draw_forest,
                draw_reach_heat, draw_concentration, draw_slopes, draw_sizes
Say             level_sentence, gap_sentence, change_sentence, reach_sentence, estimate_sentence,
                mde_sentence, offer_sentences, passed_by_sentence, equity_sentence, depth_sentence,
                overlap_sentence, cost_sentence, days_sentence, months_sentence, trend_sentence,
                schools_differ_sentence, whose_change_sentence, absence_parts_sentence,
                barriers_sentence, size_sentence, context_sentence, counting_sentence,
                gap_in_short, widest_sentence
Show            show_figure, show_table, show_text, show_statement, folded, side_by_side
Write           write_table, read_table, write_workbook, write_results
Page            render_page, render_index

Everything after the first line takes a `SafeTable` and nothing else.
"""

from vsh_eval.release.disclosure.barrier_tables import BARRIERS
from vsh_eval.release.disclosure.breakdown_cube import RoundedBreakdowns, round_breakdowns
from vsh_eval.release.disclosure.cube import RoundedCube, round_leaves
from vsh_eval.release.disclosure.door import protect
from vsh_eval.release.disclosure.rules import INTERNAL_STAMP, Rule, rule_named
from vsh_eval.release.disclosure.safe import SafeTable, require_safe
from vsh_eval.release.figures import (
    Figure,
    draw_breakdown,
    draw_concentration,
    draw_context,
    draw_decomposition,
    draw_event_study,
    draw_forest,
    draw_gap,
    draw_honest,
    draw_levels,
    draw_power,
    draw_reach,
    draw_reach_heat,
    draw_robustness,
    draw_sizes,
    draw_slopes,
    draw_specifications,
    draw_standardised,
    draw_synthetic,
)
from vsh_eval.release.files.egress import check as check_egress
from vsh_eval.release.files.open_data import Area, read_table, write_table
from vsh_eval.release.files.results import write_results
from vsh_eval.release.files.workbook import write_workbook
from vsh_eval.release.pages.key_figures import effect_figure, gap_figures
from vsh_eval.release.pages.report import Card, KeyFigure, Summary, render_index, render_page
from vsh_eval.release.pages.show import (
    folded,
    show_figure,
    show_statement,
    show_table,
    show_text,
    side_by_side,
)
from vsh_eval.release.rows import last_year
from vsh_eval.release.text.authority import authority_sentence, suppressed_sentence
from vsh_eval.release.text.beside import (
    days_sentence,
    months_sentence,
    schools_differ_sentence,
    trend_sentence,
)
from vsh_eval.release.text.cohort import size_sentence
from vsh_eval.release.text.composition import (
    breakdown_sentence,
    composition_caveat,
    decomposition_sentence,
    matched_sentence,
    standardised_sentence,
)
from vsh_eval.release.text.context import context_sentence, counting_sentence
from vsh_eval.release.text.design import (
    ILLUSTRATIVE,
    balance_sentence,
    false_alarm_sentence,
    offer_least_sentence,
    planted_sentence,
    protocol_sentences,
)
from vsh_eval.release.text.evidence import evidence_sentence, pretrend_sentence
from vsh_eval.release.text.gaps import (
    change_sentence,
    gap_sentence,
    level_sentence,
    reach_sentence,
)
from vsh_eval.release.text.impact import estimate_sentence, mde_sentence
from vsh_eval.release.text.in_short import gap_in_short, widest_sentence
from vsh_eval.release.text.labels import year_label
from vsh_eval.release.text.part import (
    absence_parts_sentence,
    barriers_sentence,
    whose_change_sentence,
)
from vsh_eval.release.text.reach import (
    cost_sentence,
    depth_sentence,
    equity_sentence,
    offer_sentences,
    overlap_sentence,
    passed_by_sentence,
)
from vsh_eval.release.text.robustness import (
    drift_sentence,
    honest_sentence,
    mind_headline,
    mind_sentences,
    two_way_sentence,
)
from vsh_eval.release.text.value import value_sentence

__all__ = [
    "BARRIERS",
    "ILLUSTRATIVE",
    "INTERNAL_STAMP",
    "Area",
    "Card",
    "Figure",
    "KeyFigure",
    "RoundedBreakdowns",
    "RoundedCube",
    "Rule",
    "SafeTable",
    "Summary",
    "absence_parts_sentence",
    "authority_sentence",
    "balance_sentence",
    "barriers_sentence",
    "breakdown_sentence",
    "change_sentence",
    "check_egress",
    "composition_caveat",
    "context_sentence",
    "cost_sentence",
    "counting_sentence",
    "days_sentence",
    "decomposition_sentence",
    "depth_sentence",
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
    "drift_sentence",
    "effect_figure",
    "equity_sentence",
    "estimate_sentence",
    "evidence_sentence",
    "false_alarm_sentence",
    "folded",
    "gap_figures",
    "gap_in_short",
    "gap_sentence",
    "honest_sentence",
    "last_year",
    "level_sentence",
    "matched_sentence",
    "mde_sentence",
    "mind_headline",
    "mind_sentences",
    "months_sentence",
    "offer_least_sentence",
    "offer_sentences",
    "overlap_sentence",
    "passed_by_sentence",
    "planted_sentence",
    "pretrend_sentence",
    "protect",
    "protocol_sentences",
    "reach_sentence",
    "read_table",
    "render_index",
    "render_page",
    "require_safe",
    "round_breakdowns",
    "round_leaves",
    "rule_named",
    "schools_differ_sentence",
    "show_figure",
    "show_statement",
    "show_table",
    "show_text",
    "side_by_side",
    "size_sentence",
    "standardised_sentence",
    "suppressed_sentence",
    "trend_sentence",
    "two_way_sentence",
    "value_sentence",
    "whose_change_sentence",
    "widest_sentence",
    "write_results",
    "write_table",
    "write_workbook",
    "year_label",
]
