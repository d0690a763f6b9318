"""The few numbers that the first page of a report shows large."""

from collections.abc import Sequence

from vsh_eval import registry
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.pages.report import KeyFigure
from vsh_eval.release.rows import is_shown, last_year, one_row
from vsh_eval.release.text.labels import metric_in_text, year_label
from vsh_eval.release.text.phrases import amount, limits

_AMONG_SCHOOLS = "Change of the gap in trained schools beyond what was to be expected"
_AMONG_AUTHORITIES = (
    "Distance of the authority's gap from a mixture of other authorities, since its offer is "
    "taken to begin"
)


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
                    f"Gap in {metric_in_text(name)}, {year_label(year)}",
                    amount(float(row["gap"]), entry.gap_unit, signed=True),
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
            _AMONG_AUTHORITIES if among_authorities else _AMONG_SCHOOLS,
            amount(value, unit, signed=True),
            f"95% interval {limits(lower, upper)}",
        ),
    )
