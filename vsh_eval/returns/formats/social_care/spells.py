"""Spells of help as several returns tell them, put together into the table of episodes."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from vsh_eval.contracts import ContractError, Message
from vsh_eval.returns.formats import coded
from vsh_eval.returns.formats import rows as rows_of
from vsh_eval.returns.formats.identity import Children
from vsh_eval.returns.formats.reading import counted
from vsh_eval.returns.formats.rows import Sheet


@dataclass(slots=True)
class Return:
    """One return as a file, or the tables of a folder, tell it.

    Attributes
    ----------
    file, form : str
        What messages call it, and ``XML`` or ``CSV``.
    year : int
        The year in whose March it ends.
    records, spells : list of Table
        Text about children and about spells of help, in the columns that their family names.
    header : dict of str to str
        What it says about itself, by the names of its family.
    elements : set of str
        The names of all its elements (XML).
    """

    file: str
    form: str
    year: int = 0
    records: list[pa.Table] = field(default_factory=list)
    spells: list[pa.Table] = field(default_factory=list)
    header: dict[str, str] = field(default_factory=dict)
    elements: set[str] = field(default_factory=set)


def parts(paths: Iterable[Path], known: Collection[str]) -> Iterator[tuple[str, str, Sheet, Any]]:
    """Yield the tables of returns: whose they are, their year if it is named, and their rows.

    Tables of one folder belong together, but for a year that the name of a file or its column
    ``YEAR`` holds.
    """
    for path in sorted(paths, key=lambda path: (year_in(path), path)):
        for sheet in rows_of.sheets(path, known=[*known]):
            table = rows_of.frame(sheet)
            years = table["year"].fillna("") if "YEAR" in sheet.header else year_in(path)
            for year, rows in table.groupby(pd.Series(years, index=table.index), sort=True):
                yield f"{path.parent.name} {year}".strip(), str(year), sheet, rows


def year_in(path: Path) -> str:
    """Return the last year that the name of a file, or else of its folder, holds; '' without one.

    Examples
    --------
    >>> year_in(Path("2023/CIN_20240331.xml")), year_in(Path("2023-24/903_2024.csv"))
    ('2023', '2024')
    """
    names = (re.findall(r"(?<!\d)(20\d\d)(?!\d)", name) for name in (path.stem, path.parent.name))
    return next((years[-1] for years in names if years), "")


def year_of_dates(tables: Sequence[pa.Table]) -> int:
    """Return the year in which the return ends that has the latest beginning, 0 without one.

    A return of children's social care ends on 31 March.

    Examples
    --------
    >>> [year_of_dates([pa.table({"start": [day]})]) for day in ("2023-03-31", "01/04/2023")]
    [2023, 2024]
    """
    starts = [pd.Series(table["start"].to_pandas(), dtype="str") for table in tables]
    last = coded.column(coded.day, pd.concat([pd.Series(dtype="str"), *starts])).max()
    return 0 if pd.isna(last) else int(last.year + (last.month > 3))


def table(rows: pd.DataFrame) -> pa.Table:
    """Return rows of text of a table as another one of its kind."""
    return pa.Table.from_pandas(rows, schema=_schema(map(str, rows)), preserve_index=False)


def _schema(columns: Iterable[str]) -> pa.Schema:
    return pa.schema([(name, pa.string()) for name in columns])


def read(
    paths: Iterable[Path],
    *,
    of_xml: Callable[[Path], Return],
    of_tables: Callable[[Sequence[Path]], Iterable[Return]],
) -> list[Return]:
    """Read every return, be it an XML file or tables of a folder."""
    files = sorted(paths, key=lambda path: path.suffix.lower() != ".xml")
    xmls = [path for path in files if path.suffix.lower() == ".xml"]
    return [*map(of_xml, xmls), *of_tables(files[len(xmls) :])]


def refuse_both_forms(returns: Sequence[Return], *, what: str, family: str) -> None:
    """Refuse a return that is given as XML and as CSV."""
    forms: dict[int, str] = {}
    for one in returns:
        if forms.setdefault(one.year, one.form) != one.form:
            raise ContractError(
                f"the {what} of {one.year} is given as XML and as CSV, must be given once; name "
                f"one of them in source.files.{family}."
            )


def framed(returns: Sequence[Return], what: str, columns: Sequence[str]) -> pd.DataFrame:
    """Put the records or the spells of several returns into one table.

    Returns
    -------
    DataFrame
        The columns as str without blanks around them, NA where blank, and ``year``, ``written``
        (when the return was made, '' where unknown) and ``reference`` (31 March of the year).
    """
    tables = [getattr(one, what) for one in returns]
    rows = [sum(map(len, given)) for given in tables]
    every = pa.concat_tables([_schema(columns).empty_table(), *chain.from_iterable(tables)])
    text = dict(zip(every.column_names, every.columns, strict=True))
    del every  # each column is forgotten once it is read
    for given in tables:
        given.clear()
    years = np.repeat(np.array([one.year for one in returns], dtype="int64"), rows)
    written = pd.Series([one.header.get("DateTime", "") for one in returns], dtype="str")
    return pd.DataFrame({name: rows_of.text(text.pop(name)) for name in columns}).assign(
        year=years,
        written=written.repeat(rows).array,
        reference=np.array(
            [f"{max(one.year, 1):04}-03-31" for one in returns], "datetime64[s]"
        ).repeat(rows),
    )


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
    start, end = (coded.column(coded.day, spells[name]) for name in ("start", "end"))
    # An end that cannot be read is no open spell: nobody knows when it ended.
    wrong = {
        "spells_without_start": spells["start"].isna(),
        "dates_not_read": (spells["start"].notna() & start.isna())
        | (spells["end"].notna() & end.isna()),
        "spells_end_before_start": end < start,
    }
    valid = ~pd.concat(wrong, axis=1).any(axis=1)
    rows = spells.drop(columns=["start", "end"])[valid].assign(start_date=start, end_date=end)
    counts: dict[str, Any] = {code: which.sum() for code, which in wrong.items()}
    return rows, counted(of_rows=len(spells), **counts)


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
    rows = spells[spells.duplicated(key, keep=False)]
    rows = rows.sort_values(order, na_position="first", kind="stable")
    return spells[~spells.index.isin(rows.index[rows.duplicated(key, keep="last")])]


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
    unended = spells["end_date"].isna() & (spells["year"] < last_year)
    begin, reference = spells["start_date"], spells["reference"]
    end_date = spells["end_date"].mask(unended, reference.where(reference >= begin, begin))
    notes = counted(of_rows=len(spells), ended_with_last_return=unended.sum())
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
    columns = ["pupil_id", "status", "start_date", "end_date", "basis"]
    rows = spells.assign(pupil_id=children.upn_of(spells["child_id"]))[columns]
    rows = rows.dropna(subset="pupil_id").drop_duplicates()
    return rows.sort_values(columns, ignore_index=True)


def listed(names: Iterable[str]) -> tuple[str, ...]:
    """Return names in order, the first twelve where there are more."""
    return tuple(sorted(names)[:12])
