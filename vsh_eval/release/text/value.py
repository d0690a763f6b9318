"""What the training cost for what it changed, in words."""

from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.rows import Row, is_shown, records, value_of
from vsh_eval.release.text.phrases import listed

_PER = {
    "cost_per_school": "a trained school",
    "cost_per_pupil_year": "a child of the cohort and year in trained schools",
}


def value_sentence(safe: SafeTable) -> str:
    """Say what the training cost, and what for, to two significant figures.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table of costs: measure, unit, estimate, ci_lower, ci_upper, reason.

    Returns
    -------
    str
        The cost for each school and child, then for each unit regained; where that cannot be
        estimated, why.
    """
    costs, said = [], []
    for row in records(safe):
        if str(row["measure"]) in _PER and is_shown(row, "estimate"):
            costs.append(f"{_pounds(row)} {_PER[str(row['measure'])]}")
        elif str(row["measure"]) not in _PER:
            said.append(_regained(row))
    if costs:
        said.insert(0, f"The training cost {listed(costs)}.")
    return " ".join(said)


def _regained(row: Row) -> str:
    unit = str(row["unit"]).removeprefix("GBP per ")
    if not is_shown(row, "estimate"):
        reason = str(row.get("reason") or "").removeprefix("cannot be estimated: ")
        why = f": {reason}" if reason else ""
        return f"What it cost for each {unit} cannot be estimated{why}."
    return (
        f"For each {unit} it cost {_pounds(row)}. That is the cost of what was given, not what "
        "would be saved."
    )


def _pounds(row: Row) -> str:
    text = _money(value_of(row, "estimate"))
    if not is_shown(row, "ci_lower", "ci_upper"):
        return text
    lower, upper = _money(value_of(row, "ci_lower")), value_of(row, "ci_upper")
    end = "no upper limit" if upper == float("inf") else _money(upper)
    return f"{text} (95% interval {lower} to {end})"


def _money(value: float) -> str:
    return f"£{value:,.0f}" if value >= 10 else f"£{value:,.2f}"
