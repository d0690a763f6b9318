"""What the page on the cohort says: how many children, how high a level, which barriers.

Keywords as in `vsh_eval.release.text.gaps`.
"""

from typing import Any

from vsh_eval import names, registry
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import Row, is_shown, one_row, part_of, records
from vsh_eval.release.text.findings import indicative, not_shown
from vsh_eval.release.text.labels import (
    group_in_text,
    metric_in_text,
    upper_first,
    where_in_text,
    year_label,
)
from vsh_eval.release.text.phrases import amount, in_brackets, listed, number, usual_decimals
from vsh_eval.release.text.safe_text import sentence

BARRIERS = {
    "sen_support": "SEN support",
    "ehc_plan": "an education, health and care plan",
    "fsm6": "free school meals in the last six years",
}


@sentence
def size_sentence(safe: SafeTable, *, metric: str, first: int, last: int, **where: Any) -> str:
    """Say how many children a group had in the last year, and how many more or fewer than before.

    ``first`` and ``last`` are academic years; ``metric`` is the measure whose children are counted,
    in a table of levels.
    """
    about = {"metric": metric, "phase": names.TOTAL, **where}
    before, now = (one_row(safe, **about, time_period=year) for year in (first, last))
    who = group_in_text(str(now["group"]))
    if not is_shown(now, "pupils"):
        return f"The number of {who} in {year_label(last)} is not shown."
    count = float(now["pupils"])
    text = f"In {year_label(last)} there were {number(count, decimals=0)} {who} in schools"
    if first == last:
        return f"{text}."
    if not is_shown(before, "pupils") or float(before["pupils"]) == 0:
        return f"{text}; the number of {year_label(first)} is not shown."
    past = float(before["pupils"])
    share = round(100 * (count - past) / past)
    if share == 0:
        return f"{text}, about as many as in {year_label(first)} ({number(past, decimals=0)})."
    compared = "more" if share > 0 else "fewer"
    return (
        f"{text}, {amount(abs(share), '%', decimals=0)} {compared} than the "
        f"{number(past, decimals=0)} of {year_label(first)}."
    )


@sentence
def level_sentence(
    safe: SafeTable,
    *,
    metric: str,
    year: int,
    group: str = names.CWSW,
    phase: str = names.TOTAL,
    **where: Any,
) -> str:
    """Say how high a measure was, from a table of levels."""
    row = one_row(safe, metric=metric, time_period=year, group=group, phase=phase, **where)
    about = f"{metric_in_text(metric)} among {group_in_text(group)}{where_in_text(phase)}"
    if not is_shown(row, "level_value"):
        return not_shown(about, row)
    places = usual_decimals(metric)
    level = amount(row["level_value"], registry.metric(metric).unit, decimals=places)
    ends = (float(row["lower"]), float(row["upper"])) if is_shown(row, "lower", "upper") else None
    text = f"{upper_first(about)} was {level} in {year_label(year)}"
    return f"{text}{in_brackets(ends, decimals=places)}.{indicative(row.get('pupils'))}"


@sentence
def barriers_sentence(safe: SafeTable, *, year: int, **where: Any) -> str:
    """Say how many of the group have SEN or free school meals, against the reference (barriers).

    The barriers that are shown, the widest gap first; a second sentence names those that are not.
    """
    rows = records(part_of(safe, time_period=year, phase=names.TOTAL, **where))
    shown = [row for row in rows if is_shown(row, "group_level", "reference_level")]
    hidden = [BARRIERS[row["barrier"]] for row in rows if row not in shown]
    missing = f" The share with {listed(hidden)} is not shown." if hidden else ""
    if not shown:
        return missing.strip()
    first, *others = sorted(shown, key=lambda row: -float(row["gap"]))
    who, whom = (group_in_text(first[side]) for side in ("group", "reference"))
    own, theirs = _levels(first)
    clauses = [f"{own} of {who} had {BARRIERS[first['barrier']]}, against {theirs} of {whom}"]
    clauses += [
        f"{' against '.join(_levels(row))} had {BARRIERS[row['barrier']]}" for row in others
    ]
    text = f"In {year_label(year)} {'; '.join(clauses)}."
    return f"{text}{missing}{indicative(first.get('group_pupils'))}"


def _levels(row: Row) -> tuple[str, str]:
    return amount(float(row["group_level"]), "%"), amount(float(row["reference_level"]), "%")
