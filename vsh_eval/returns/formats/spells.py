"""Spells of help as several returns tell them, put together into the table of episodes."""

from collections.abc import Iterable, Sequence

import pandas as pd
import pyarrow as pa

from vsh_eval.contracts import Message
from vsh_eval.returns.formats.identity import Children
from vsh_eval.returns.formats.reading import note
from vsh_eval.returns.formats.tabular import dates


def framed(
    returns: Iterable[tuple[list[tuple], int, str]], *, columns: Sequence[str]
) -> pd.DataFrame:
    """Put the rows of several returns into one table of text.

    Parameters
    ----------
    returns : iterable of (list of tuple, int, str)
        A return's rows, the year in which it ends, and when it was written ('' where unknown).
    columns : sequence of str
        The names of the rows' values.

    Returns
    -------
    DataFrame
        The columns as str without blanks around them, NA where blank, and ``year``, ``written`` and
        ``reference`` (31 March of the year).
    """
    tables = [
        pd.DataFrame(_text_columns(rows, columns)).assign(
            year=year, written=written, reference=pd.Timestamp(max(year, 1), 3, 31).as_unit("s")
        )
        for rows, year, written in returns
    ]
    return pd.concat(tables, ignore_index=True)


def _text_columns(rows: list[tuple], columns: Sequence[str]) -> dict[str, pd.Series]:
    values = zip(*rows, strict=True) if rows else [[]] * len(columns)
    texts = {}
    for name, column in zip(columns, values, strict=True):
        text = pd.Series(pa.array(column, pa.large_string(), from_pandas=True)).astype("str")
        text = text.str.strip()
        texts[name] = text.mask(text == "")
    return texts


def typed(spells: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Message, ...]]:
    """Read the dates of spells; leave out and count those that nobody can place in time.

    Parameters
    ----------
    spells : DataFrame
        ``start`` and ``end`` as written, and other columns.

    Returns
    -------
    spells : DataFrame
        ``start_date`` and ``end_date`` in their place.
    notes : tuple of Message
        How many have no beginning, dates that cannot be read, or an end before their beginning.
    """
    start, end = dates(spells["start"]), dates(spells["end"])
    rows = spells.drop(columns=["start", "end"]).assign(start_date=start, end_date=end)
    # An end that cannot be read is no open spell: nobody knows when it ended.
    wrong = {
        "spells_without_start": spells["start"].isna(),
        "dates_not_read": (spells["start"].notna() & start.isna())
        | (spells["end"].notna() & end.isna()),
        "spells_end_before_start": end < start,
    }
    kept = rows[~pd.concat(wrong, axis=1).any(axis=1)]
    counted = {code: int(which.sum()) for code, which in wrong.items()}
    return kept, tuple(note(c, rows=n, of_rows=len(spells)) for c, n in counted.items() if n)


def latest(spells: pd.DataFrame) -> pd.DataFrame:
    """Take every spell as the latest return tells it that lists it.

    Parameters
    ----------
    spells : DataFrame
        From `typed`, with ``child_id``, ``status``, ``basis``, ``year`` and ``written`` (text; the
        later one goes first within a year).

    Returns
    -------
    DataFrame
        One row a child, status, basis and beginning.
    """
    key = ["child_id", "status", "basis", "start_date"]
    order = [*key, "year", "written", "end_date"]
    rows = spells.sort_values(order, na_position="first", kind="stable")
    return rows.drop_duplicates(key, keep="last")


def ended(spells: pd.DataFrame, last_year: int) -> tuple[pd.DataFrame, tuple[Message, ...]]:
    """End the open spells that later returns no longer list.

    Parameters
    ----------
    spells : DataFrame
        From `latest`, with ``reference``: the last day of the return that lists the spell.
    last_year : int
        The year of the last return.

    Returns
    -------
    spells : DataFrame
        Every return lists what was open in its year, so such a spell ended, at the latest, with
        the last return that lists it: its ``end_date`` is that return's last day.
    notes : tuple of Message
        How many were ended so.
    """
    gone = spells["end_date"].isna() & (spells["year"] < last_year)
    begin, reference = spells["start_date"], spells["reference"]
    end_date = spells["end_date"].mask(gone, reference.where(reference >= begin, begin))
    many = int(gone.sum())
    notes = (note("ended_with_last_return", rows=many, of_rows=len(spells)),) if many else ()
    return spells.assign(end_date=end_date), notes


def union(spells: pd.DataFrame, *, apart: int = 1) -> pd.DataFrame:
    """Join the spells of a child and status that overlap or follow each other.

    Parameters
    ----------
    spells : DataFrame
        ``child_id``, ``status``, ``start_date`` and ``end_date`` (NaT: open).
    apart : int
        Days from one spell's last day to the next one's first that still make one spell.

    Returns
    -------
    DataFrame
        The same columns, sorted; the spells of a child and status are more than ``apart`` apart.

    Examples
    --------
    >>> day = pd.to_datetime
    >>> spells = pd.DataFrame({
    ...     "child_id": "1", "status": "CLA",
    ...     "start_date": day(["2020-01-01", "2020-03-02", "2021-01-01"]),
    ...     "end_date": day(["2020-03-01", "2020-06-01", None])})
    >>> union(spells)[["start_date", "end_date"]].astype(str).values.tolist()
    [['2020-01-01', '2020-06-01'], ['2021-01-01', nan]]
    """
    keys, seconds = ["child_id", "status"], "datetime64[s]"
    never = pd.Timestamp("9999-12-31").as_unit("s")
    rows = spells[[*keys, "start_date", "end_date"]]
    rows = rows.astype({"start_date": seconds, "end_date": seconds})
    rows = rows.sort_values([*keys, "start_date", "end_date"])
    closed = rows["end_date"].fillna(never)
    reach = closed.astype("int64").groupby([rows[k] for k in keys]).cummax()
    before = reach.groupby([rows[k] for k in keys]).shift()
    begins = rows["start_date"].astype("int64")
    new = before.isna() | (begins > before.fillna(0) + apart * _DAY)
    joined = rows.assign(end_date=closed, spell=new.cumsum()).groupby("spell", sort=True)
    out = joined.agg({**dict.fromkeys(keys, "first"), "start_date": "min", "end_date": "max"})
    out["end_date"] = out["end_date"].mask(out["end_date"] == never)
    return out.reset_index(drop=True)


_DAY = 86_400


def episodes(spells: pd.DataFrame, children: Children) -> pd.DataFrame:
    """Make the table of episodes of spells whose child has a UPN.

    Returns
    -------
    DataFrame
        ``pupil_id``, ``status``, ``start_date``, ``end_date`` and ``basis``, sorted.
    """
    rows = spells.assign(pupil_id=children.upn_of(spells["child_id"]))
    rows = rows.dropna(subset="pupil_id")
    columns = ["pupil_id", "status", "start_date", "end_date", "basis"]
    return rows[columns].drop_duplicates().sort_values(columns, ignore_index=True)


def listed(names: Iterable[str], most: int = 12) -> tuple[str, ...]:
    """Return names in order, the first of them where there are many."""
    return tuple(sorted(names)[:most])
