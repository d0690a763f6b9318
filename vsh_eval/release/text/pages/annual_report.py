"""What the annual report alone says: next year's priorities, and a paragraph for a committee."""

from collections.abc import Iterable, Iterator

from vsh_eval import names
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import is_shown, records
from vsh_eval.release.text.findings.finding import Finding, movement_of_gap
from vsh_eval.release.text.pages.answer import LEAST_DIFFERENCE
from vsh_eval.release.text.phrases.labels import metric_in_text, schools_of
from vsh_eval.release.text.phrases.numbers import amount, listed, usual_decimals
from vsh_eval.release.text.safe_text import sentence, sentences


@sentences
def priority_sentences(
    changes: SafeTable, reach: SafeTable | None, *, year: int
) -> tuple[str, ...]:
    """Say what comes first next year: gaps that widened, and schools that are reached least.

    Parameters
    ----------
    changes : SafeTable
        The last change since the baseline of each measure of the report, all phases together.
    reach : SafeTable or None
        A ``reach`` table, by phase.
    year : int
        The last academic year of training.

    Returns
    -------
    tuple of str
        One sentence or more.
    """
    priorities = [*_widened(changes), *([] if reach is None else _least_reached(reach, year))]
    if priorities:
        return tuple(priorities)
    least = "" if reach is None else ", and no phase that can be shown is reached much less"
    unknown = [
        metric_in_text(str(row["metric"]))
        for row in records(changes)
        if not is_shown(row, "change", "change_lower", "change_upper")
    ]
    more = f" For {listed(unknown)} no interval can be given." if unknown else ""
    return (f"None of these gaps clearly widened{least}.{more}",)


def _widened(changes: SafeTable) -> Iterator[str]:
    worse = []
    for row in records(changes):
        metric = str(row["metric"])
        if not is_shown(row, "change", "change_lower", "change_upper"):
            continue
        change = Finding.of(row, "change", least=usual_decimals(metric))
        wider = abs(float(row["gap"])) > abs(float(row["baseline_gap"]))
        moved = change.compared(*movement_of_gap(metric)[:2])
        if wider and not change.is_unclear and moved == "widened":
            worse.append(metric_in_text(metric))
    if worse:
        yield f"The gap widened in {listed(worse)} in all schools together: ask why."


def _least_reached(reach: SafeTable, year: int) -> Iterator[str]:
    """Name the phase whose children are reached least, where it is far below all schools."""
    rows = [
        row
        for row in records(reach.where(time_period=year, programme="any", tier="any"))
        if is_shown(row, "share_pupils")
    ]
    whole = [row for row in rows if row["phase"] == names.TOTAL]
    parts = [row for row in rows if row["phase"] != names.TOTAL]
    if not (whole and parts):
        return
    least = min(parts, key=lambda row: float(row["share_pupils"]))
    if float(whole[0]["share_pupils"]) - float(least["share_pupils"]) >= LEAST_DIFFERENCE:
        yield (
            f"Of the children in {schools_of(str(least['phase']))}, "
            f"{amount(float(least['share_pupils']), '%', decimals=0)} are in a trained school, "
            f"fewer than of all ({amount(float(whole[0]['share_pupils']), '%', decimals=0)}): "
            "reach these schools next."
        )


@sentence
def committee_paragraph(
    *,
    authority: str,
    gap: str,
    reach: str,
    answer: Iterable[str],
    confidence: str,
    by_lot: bool = False,
) -> str:
    """Put the answer into one paragraph for a committee paper.

    Parameters
    ----------
    authority : str
        The name of the authority whose schools are compared, '' where authorities are.
    gap, reach, confidence : SafeText
        The sentences of the report that say these things; '' where there is none.
    answer : iterable of SafeText
        What is known of the training's part in it.
    by_lot : bool
        Whether lots decided which schools were trained.
    """
    start = ""
    limit = (
        "The evaluation compares authorities and no schools or children. It cannot rule out other "
        "causes that came to this authority at the same time."
    )
    if authority:
        start = (
            f"The virtual school of {authority} offers training to schools to support children "
            "with a social worker."
        )
        limit = "The evaluation compares groups of schools and years and follows no child. " + (
            "The schools to train were chosen at random, so that another cause is unlikely to have "
            "come to them alone."
            if by_lot
            else "It cannot rule out other causes that came to the same schools at the same time."
        )
    return " ".join(part for part in (start, reach, gap, *answer, confidence, limit) if part)
