"""What the page on the cohort says: how many children, how high a level, which barriers.

Keywords as in `vsh_eval.release.text.pages.gaps`.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from vsh_eval import names, registry
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import Row, is_shown, one_row, part_of, records
from vsh_eval.release.text.findings.finding import indicative, not_shown
from vsh_eval.release.text.phrases.labels import (
    group_in_text,
    metric_in_text,
    upper_first,
    year_label,
)
from vsh_eval.release.text.phrases.numbers import (
    amount,
    in_brackets,
    listed,
    number,
    rounded,
    usual_decimals,
)
from vsh_eval.release.text.safe_text import sentence
from vsh_eval.release.text.words import words

BARRIERS = words("sentences", "barrier")

_LEAST_MOVE = 0.10
"""Share by which a cohort grows or shrinks in a year when a trend must name it."""


class Move(NamedTuple):
    """A year in which a group is much larger or smaller than the last time it was counted.

    Attributes
    ----------
    before, year : int
        The two academic years, such as 202324 and 202425.
    past, now : float
        The children counted in each.
    """

    before: int
    year: int
    past: float
    now: float

    @property
    def share(self) -> float:
        """Per cent more, below zero fewer."""
        return 100 * (self.now / self.past - 1)


def moves_of(counts: Sequence[tuple[int, float]]) -> list[Move]:
    """Return the years in which a group moved by 10 % or more a year.

    Parameters
    ----------
    counts : sequence of (academic year, children)
        The years in which the number of children is shown, in order. Over a year without one the
        change is taken a year: n_2 / n_1 to the power of 1 / years. A group of zero has no change.

    Examples
    --------
    >>> found = moves_of([(202223, 590.0), (202324, 597.0), (202425, 760.0)])
    >>> [(move.year, round(move.share)) for move in found]
    [(202425, 27)]
    """
    moves = [Move(a, b, past, now) for (a, past), (b, now) in pairwise(counts) if past > 0]

    def a_year(move: Move) -> float:
        years = move.year // 100 - move.before // 100
        return float((move.now / move.past) ** (1 / years)) - 1

    return [move for move in moves if abs(a_year(move)) >= _LEAST_MOVE]


def written_move(move: Move) -> str:
    """Write by how much a group moved, such as +27%."""
    return amount(move.share, "%", decimals=0, signed=True)


@sentence
def moves_sentence(safe: SafeTable, *, metric: str, group: str = names.CWSW, **where: Any) -> str:
    """Say in which years the cohort grew or shrank by 10 % or more; '' where in none.

    To stand beside every trend: another number of children is another set of children.

    Parameters
    ----------
    safe : SafeTable
        A table of levels (pupils) or of gaps (group_pupils), a row a year.
    metric, group : str
        The measure whose children are counted, and whose they are.

    Raises
    ------
    ContractError
        If no row fits.
    """
    rows = records(part_of(safe, metric=metric, group=group, phase=names.TOTAL, **where))
    column = "pupils" if "pupils" in rows[0] else "group_pupils"
    counts = {int(r["time_period"]): float(r[column]) for r in rows if is_shown(r, column)}
    moves = moves_of(sorted(counts.items()))
    if not moves:
        return ""
    clauses = [
        f"from {number(move.past, decimals=0)} in {year_label(move.before)} to "
        f"{number(move.now, decimals=0)} in {year_label(move.year)} ({written_move(move)})"
        for move in moves
    ]
    return (
        f"The number of {group_in_text(group)} changed by 10% or more in a year: "
        f"{listed(clauses)}. Different children are counted before and after, so part of any "
        "change may be a change in who is counted."
    )


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
    share = rounded(100 * (count - past) / past)
    if share == 0:
        return f"{text}, about as many as in {year_label(first)} ({number(past, decimals=0)})."
    compared = "more" if share > 0 else "fewer"
    return (
        f"{text}, {amount(abs(share), '%', decimals=0)} {compared} than the "
        f"{number(past, decimals=0)} of {year_label(first)}."
    )


@sentence
def level_sentence(safe: SafeTable, *, metric: str, year: int, group: str = names.CWSW) -> str:
    """Say how high a measure was, from a table of levels."""
    row = one_row(safe, metric=metric, time_period=year, group=group, phase=names.TOTAL)
    about = f"{metric_in_text(metric)} among {group_in_text(group)}"
    if not is_shown(row, "level_value"):
        return not_shown(about, row)
    places = usual_decimals(metric, row.get("source"))
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
    own, reference = _levels(first)
    clauses = [f"{own} of {who} had {BARRIERS[first['barrier']]}, against {reference} of {whom}"]
    clauses += [
        f"{' against '.join(_levels(row))} had {BARRIERS[row['barrier']]}" for row in others
    ]
    text = f"In {year_label(year)} {'; '.join(clauses)}."
    return f"{text}{missing}{indicative(first.get('group_pupils'))}"


def _levels(row: Row) -> tuple[str, str]:
    return amount(float(row["group_level"]), "%"), amount(float(row["reference_level"]), "%")
