"""What a reader opens: the notebook's output, the report's pages, their tables and key figures."""

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
