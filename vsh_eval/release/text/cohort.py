"""Sentences on how many children a group has, and how that changed."""

from vsh_eval import names
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.rows import is_shown, one_row
from vsh_eval.release.text.labels import group_in_text, year_label
from vsh_eval.release.text.phrases import amount, number


def size_sentence(
    safe: SafeTable,
    *,
    metric: str,
    first: int,
    last: int,
    group: str | None = None,
    area: str | None = None,
) -> str:
    """Say how many children a group had in the last year, and how many more or fewer than before.

    Parameters
    ----------
    safe : SafeTable
        A ``levels`` table.
    metric : str
        The measure whose children are counted.
    first, last : int
        The two academic years, for example 201819 and 202425.
    group, area : str, optional
        Needed where the table holds more than one.

    Returns
    -------
    str
        One sentence; where a number is hidden, it says so.

    Raises
    ------
    ContractError
        If no row, or more than one, fits.
    """
    where = {"metric": metric, "phase": names.TOTAL, "group": group, "unit_id": area}
    before, now = (one_row(safe, **where, time_period=year) for year in (first, last))
    who = group_in_text(str(now["group"]))
    if not is_shown(now, "pupils"):
        return f"The number of {who} in {year_label(last)} is not shown."
    count = float(now["pupils"])
    said = f"In {year_label(last)} there were {number(count, decimals=0)} {who} in schools"
    if first == last:
        return f"{said}."
    if not is_shown(before, "pupils") or float(before["pupils"]) == 0:
        return f"{said}; the number of {year_label(first)} is not shown."
    past = float(before["pupils"])
    share = round(100 * (count - past) / past)
    if share == 0:
        return f"{said}, about as many as in {year_label(first)} ({number(past, decimals=0)})."
    compared = "more" if share > 0 else "fewer"
    return (
        f"{said}, {amount(abs(share), '%', decimals=0)} {compared} than the "
        f"{number(past, decimals=0)} of {year_label(first)}."
    )
