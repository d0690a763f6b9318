"""The few numbers that the first page of a report shows large."""

from collections.abc import Sequence

from vsh_eval import registry
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.pages.report import KeyFigure
from vsh_eval.release.rows import is_shown, last_year, one_row
from vsh_eval.release.text.findings import compared
from vsh_eval.release.text.fixed import phrase
from vsh_eval.release.text.phrases import amount, limits


def gap_figures(safe: SafeTable, *, metrics: Sequence[str], phase: str) -> tuple[KeyFigure, ...]:
    """Return each metric's last gap, with both levels below it.

    Parameters
    ----------
    safe : SafeTable
        A ``gaps`` table of one area.
    metrics : sequence of str
        In the order of the page.
    phase : str
        Usually ``total``.

    Returns
    -------
    tuple of KeyFigure
        One a metric whose last gap is shown; a metric that is hidden or has no data is left out.
    """
    figures = []
    for name in metrics:
        year = last_year(safe, metric=name, phase=phase)
        row = one_row(safe, metric=name, phase=phase, time_period=year)
        if is_shown(row, "gap", "group_level", "reference_level"):
            entry = registry.metric(name)
            levels = (
                f"{amount(float(row['group_level']), entry.unit)} against "
                f"{amount(float(row['reference_level']), entry.unit)}"
            )
            figures.append(
                KeyFigure(
                    phrase("gap_in", measure=name, year=year),
                    compared(row, "gap", entry.gap_unit),
                    levels,
                )
            )
    return tuple(figures)


def effect_figure(safe: SafeTable, *, metric: str) -> tuple[KeyFigure, ...]:
    """Return the primary estimate with its interval; nothing where it is not shown.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table.
    metric : str
        The primary outcome.
    """
    row = one_row(safe, metric=metric, role="primary", aggregation="simple")
    if not is_shown(row, "estimate", "ci_lower", "ci_upper"):
        return ()
    unit = registry.metric(metric).gap_unit
    value, lower, upper = (float(row[column]) for column in ("estimate", "ci_lower", "ci_upper"))
    among_authorities = str(row.get("estimator", "")).startswith("synthetic")
    return (
        KeyFigure(
            phrase("effect_of_offer" if among_authorities else "effect_of_training"),
            amount(value, unit, signed=True),
            f"95% interval {limits(lower, upper)}",
        ),
    )
