"""The few numbers that the first page of a report shows large."""

from collections.abc import Sequence

from vsh_eval import registry
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.pages.report import KeyFigure
from vsh_eval.release.rows import is_shown, last_year, one_row, records
from vsh_eval.release.text.findings.finding import Finding, compared, movement_of_gap
from vsh_eval.release.text.phrases.fixed import phrase
from vsh_eval.release.text.phrases.numbers import amount, measure_decimals, number, usual_decimals

NOT_CLEAR = "no_clear_change"


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
            entry, places = registry.metric(name), measure_decimals(row, "gap")
            own, other = (
                amount(float(row[f"{side}_level"]), entry.unit, decimals=places)
                for side in ("group", "reference")
            )
            label = phrase("gap_in", measure=name, year=year)
            gap = compared(row, "gap", entry.gap_unit, least=places)
            figures.append(KeyFigure(label, gap, f"{own} against {other}"))
    return tuple(figures)


def change_figure(safe: SafeTable, *, metric: str, phase: str) -> tuple[KeyFigure, ...]:
    """Return how much wider or narrower a gap has become since the baseline.

    Parameters
    ----------
    safe : SafeTable
        A ``changes`` table of one area.
    metric, phase : str
        Whose change.

    Returns
    -------
    tuple of KeyFigure
        Nothing where the last change is not shown or is that of the baseline to itself.
    """
    year = last_year(safe, metric=metric, phase=phase)
    row = one_row(safe, metric=metric, phase=phase, time_period=year)
    if not is_shown(row, "change") or int(row["baseline"]) == year:
        return ()
    places = usual_decimals(metric)
    change = Finding.of(row, "change", registry.metric(metric).gap_unit, least=places)
    words = movement_of_gap(metric)
    label = phrase("change_since", measure=metric, year=int(row["baseline"]))
    if change.is_unclear:
        return (KeyFigure(label, phrase(NOT_CLEAR), change.either_way(words)),)
    value = f"{change.size()} {change.compared(words.more, words.less)}"
    return (KeyFigure(label, value, change.brackets(of_size=True).strip(" ()")),)


def reach_figure(safe: SafeTable, *, year: int) -> tuple[KeyFigure, ...]:
    """Return the share of schools trained, and how many; nothing where it is not shown.

    Parameters
    ----------
    safe : SafeTable
        A ``reach`` table.
    year : int
        The academic year.
    """
    row = one_row(safe, time_period=year, programme="any", tier="any", phase="total")
    if not is_shown(row, "share_schools", "schools_trained", "schools"):
        return ()
    some, every = (number(float(row[name]), decimals=0) for name in ("schools_trained", "schools"))
    share = amount(float(row["share_schools"]), "%", decimals=0)
    return (KeyFigure(phrase("schools_trained_by", year=year), share, f"{some} of {every}"),)


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
    finding = Finding.of_estimate(row)
    synthetic = str(row.get("estimator", "")).startswith("synthetic")
    label = phrase("effect_of_offer" if synthetic else "effect_of_training")
    return (KeyFigure(label, finding.written(signed=True), finding.brackets().strip(" ()")),)


def power_figure(safe: SafeTable, *, metric: str) -> tuple[KeyFigure, ...]:
    """Return the smallest effect that the design would detect; nothing where it is not known.

    Parameters
    ----------
    safe : SafeTable
        A ``power`` table of one row: mde.
    metric : str
        The primary outcome.
    """
    row = records(safe)[0]
    if not is_shown(row, "mde"):
        return ()
    least = amount(float(row["mde"]), registry.metric(metric).gap_unit)
    return (KeyFigure(phrase("smallest_detectable"), least, phrase("power_80")),)
