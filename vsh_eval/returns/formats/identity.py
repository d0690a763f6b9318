"""Who is who: the UPN of every child, former UPNs, and UPNs that two children share."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from vsh_eval.contracts import ContractError, Message
from vsh_eval.numerics.check_letters import ALPHABET, check_letters
from vsh_eval.returns.formats import coded
from vsh_eval.returns.formats.reading import Reading, counted
from vsh_eval.returns.formats.rows import compute, frame, key, renamed, sheets
from vsh_eval.settings import ChildLookup

_PLACES = np.zeros(128, dtype="int64")
"""What each sign counts in the sum: a digit itself, a letter its place in the alphabet."""
for _signs in ("0123456789", ALPHABET):
    _PLACES[[ord(sign) for sign in _signs]] = range(len(_signs))
_SHAPE = r"[A-Z]\d{11}[0-9A-HJ-NP-RT-Z]"


def check_letter_fits(upns: pd.Series) -> pd.Series:
    """Say whether the check letter of a UPN is the one that its digits give.

    Parameters
    ----------
    upns : Series of str
        As `coded.upn` writes them.

    Returns
    -------
    Series of bool
        False where the shape is another one; NA is True, as there is nothing to check.

    Examples
    --------
    >>> check_letter_fits(pd.Series(["H801200001001", "X00180001701A", "R247962919251"])).tolist()
    [True, True, False]
    """
    shaped = upns[upns.str.fullmatch(_SHAPE).fillna(value=False).astype("bool")]
    signs = shaped.to_numpy("U13").view("U1").reshape(-1, 13)
    digits = _PLACES[signs[:, 1:].view("uint32")]
    fits = pd.Series(upns.isna().to_numpy(), index=upns.index)
    fits[shaped.index] = check_letters(digits) == signs[:, 0]
    return fits


def upns_of(lookup: ChildLookup) -> pd.Series:
    """Return the UPN of every child id of a lookup table; a child id with two UPNs has none.

    Raises
    ------
    ContractError
        In one sentence, if the table is not there or lacks a column.
    """
    layout = {"child_id": (lookup.child_id,), "upn": (lookup.upn,)}
    (sheet,) = sheets(Path(lookup.file), known=(lookup.child_id, lookup.upn))[:1]
    for (name,) in layout.values():
        if not sheet.held((key(name),)):
            raise ContractError(
                f"{sheet.name} has no column {name}, must have it; name its columns in the lookup "
                "of source.files."
            )
    rows = renamed(sheet, frame(sheet), layout).dropna().drop_duplicates()
    return rows[~rows["child_id"].duplicated(keep=False)].set_index("child_id")["upn"]


@dataclass(frozen=True, slots=True)
class Children:
    """The children of a family of returns.

    Attributes
    ----------
    upns : Series of str
        The UPN of each child id (its index) that has one and whose UPN nobody else has.
    former_upns : DataFrame
        ``former_upn`` and ``upn``.
    notes : tuple of Message
        How many have none, whose check letter does not fit, and how many share one.
    """

    upns: pd.Series
    former_upns: pd.DataFrame
    notes: tuple[Message, ...]

    def upn_of(self, child_ids: pd.Series) -> pd.Series:
        """Return the UPN of each child id, NA where it has none."""
        return _looked_up(child_ids, self.upns)


def identify(records: pd.DataFrame) -> Children:
    """Find the one UPN of every child of several returns.

    Parameters
    ----------
    records : DataFrame
        One row a child and return: ``child_id`` (the authority's own), ``year`` (of the return),
        ``upn`` (as written, or NA), ``born`` (text of the birth date, or NA), and optionally
        ``former_upn`` and ``without`` (why there is no UPN: UN1 to UN7).

    Returns
    -------
    Children
        A child's UPN is that of its latest return that gives one; every other one is a former
        UPN. A child without any has its former one. Where one UPN is given to two child ids whose
        months of birth differ, they are two children and neither is used; nor is a child id that
        one return gives to two. A birth date that differs in the day alone is no difference, as
        copies of returns keep the month only.

    Examples
    --------
    >>> records = pd.DataFrame(
    ...     {"child_id": ["1", "1", "2"], "year": [2023, 2024, 2024],
    ...      "upn": ["h801200001001", "A950000178301", None], "born": "2012-05-01"})
    >>> children = identify(records)
    >>> children.upns.to_dict(), children.former_upns.values.tolist()
    ({'1': 'A950000178301'}, [['H801200001001', 'A950000178301']])
    """
    upn = coded.column(coded.upn, records["upn"])
    born = coded.column(coded.day, records["born"]).dt
    month = born.year * 12 + born.month
    needed = [name for name in ("child_id", "year", "former_upn") if name in records]
    rows = records[needed].assign(upn=upn, month=month)
    rows = rows.sort_values("year", kind="stable")
    if "former_upn" in rows:
        former = coded.column(coded.upn, rows["former_upn"])
        never = rows.groupby("child_id", dropna=False)["upn"].transform("count").eq(0)
        rows = rows.assign(former_upn=former, upn=rows["upn"].mask(never, former))
    known = rows.dropna(subset=["upn", "child_id"])
    latest = known.drop_duplicates("child_id", keep="last").set_index("child_id")["upn"]
    shared = _shared(known.assign(upn=_looked_up(known["child_id"], latest)))
    reused = latest.index.isin(_reused(known))
    upns = latest[~latest.isin(shared) & ~reused]
    children = rows["child_id"].nunique()
    notes = counted(
        of_rows=children,
        children_without_upn=children - len(latest),
        upn_check_letter=(~check_letter_fits(latest)).sum(),
        upn_of_two_children=latest.isin(shared).sum(),
        child_id_of_two_children=reused.sum(),
    )
    return Children(upns, _former(rows, upns), notes)


def _looked_up(keys: pd.Series, values: pd.Series) -> pd.Series:
    """Return the text of each key, NA without one; pandas would make an object of every key."""
    at = compute.index_in(pa.array(keys.astype("str")), pa.array(values.index.astype("str")))
    texts = pa.array(values.astype("str")).take(at)
    return pd.Series(texts, index=keys.index, dtype="str")


def _shared(known: pd.DataFrame) -> set[str]:
    """Return the UPNs that two child ids with different months of birth have."""
    several = known[known.duplicated("upn", keep=False)].dropna(subset="month")
    born = several.groupby("upn")[["child_id", "month"]].nunique()
    return set(born.index[(born > 1).all(axis=1)])


def _reused(known: pd.DataFrame) -> set[str]:
    """Return the child ids that one return gives to two UPNs with different months of birth."""
    several = known[known.duplicated(["child_id", "year"], keep=False)].dropna(subset="month")
    born = several.groupby(["child_id", "year"])[["upn", "month"]].nunique()
    return set(born.index[(born > 1).all(axis=1)].get_level_values("child_id"))


def _former(rows: pd.DataFrame, upns: pd.Series) -> pd.DataFrame:
    earlier = rows[["child_id", "upn"]].set_axis(["child_id", "former_upn"], axis=1)
    written = earlier
    if "former_upn" in rows:
        written = pd.concat([earlier, rows[["child_id", "former_upn"]]])
    pairs = written.assign(upn=_looked_up(written["child_id"], upns)).dropna()
    pairs = pairs.loc[pairs["former_upn"] != pairs["upn"], ["former_upn", "upn"]]
    return pairs.drop_duplicates().sort_values(["former_upn", "upn"], ignore_index=True)


def one_upn_a_child(
    tables: Mapping[str, pd.DataFrame], former_upns: pd.DataFrame | None
) -> Reading:
    """Write every child's latest UPN wherever a former one stands.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Tables with or without ``pupil_id``.
    former_upns : DataFrame or None
        ``former_upn`` and ``upn`` of every family.

    Returns
    -------
    Reading
        The tables and how many rows were written anew. A former UPN that leads to two children is
        left as it is.

    Examples
    --------
    >>> tables = {"episodes": pd.DataFrame({"pupil_id": ["A", "B"]})}
    >>> changed = one_upn_a_child(tables, pd.DataFrame({"former_upn": ["A"], "upn": ["C"]}))
    >>> changed.tables["episodes"]["pupil_id"].tolist(), changed.notes[0].details["rows"]
    (['C', 'B'], 1)
    """
    if former_upns is None or former_upns.empty:
        return Reading(tables)
    today, ambiguous = _followed(former_upns)
    changed, rows, of_rows = {}, 0, 0
    for name, table in tables.items():
        if "pupil_id" not in table:
            changed[name] = table
            continue
        latest = table["pupil_id"].map(today).astype("str")
        rows, of_rows = rows + int(latest.notna().sum()), of_rows + len(table)
        written = table.assign(pupil_id=latest.fillna(table["pupil_id"]))
        changed[name] = written.drop_duplicates(ignore_index=True)
    followed = counted(of_rows=of_rows, family="identity", former_upn_followed=rows)
    left = counted(family="identity", former_upn_of_two_children=ambiguous)
    return Reading(changed, (*followed, *left))


def _followed(former_upns: pd.DataFrame) -> tuple[dict[str, str], int]:
    """Follow former UPNs to the last one, and count those that lead to several or in a circle."""
    pairs = former_upns.drop_duplicates()
    next_of: dict[str, list[str]] = {}
    for former, upn in pairs[["former_upn", "upn"]].itertuples(index=False, name=None):
        next_of.setdefault(former, []).append(upn)
    today: dict[str, str] = {}
    ambiguous = 0
    for start in next_of:
        seen, at = {start}, start
        while at in next_of and len(next_of[at]) == 1 and next_of[at][0] not in seen:
            at = next_of[at][0]
            seen.add(at)
        if at in next_of:
            ambiguous += 1
        else:
            today[start] = at
    return today, ambiguous
