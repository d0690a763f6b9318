"""The SSDA903 return of children looked after: its CSV tables, or its XML.

A return covers 1 April to 31 March and lists every episode of care that was open in it. Tables are
known by their columns; those that hold no episodes (UASC, OC2, reviews, missing) are passed over.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from xml.etree.ElementTree import Element

import pandas as pd

from vsh_eval.contracts import ContractError, Message
from vsh_eval.returns.formats import spells as spells_of
from vsh_eval.returns.formats import tabular, xml
from vsh_eval.returns.formats.identity import identify
from vsh_eval.returns.formats.reading import Options, Reading, note

HEADER: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"child_id": ("CHILD", "CHILDID"), "upn": ("UPN",), "born": ("DOB",)}
)
EPISODE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "child_id": ("CHILD", "CHILDID"),
        "start": ("DECOM",),
        "end": ("DEC",),
        "legal_status": ("LS",),
    }
)
"""What we call a column, and its names in the tables and in XML; all years have the same."""

RESPITE = ("V3", "V4")
"""Legal statuses of short breaks, which DfE leaves out of its counts of children looked after."""


@dataclass(slots=True)
class _Return:
    """One return as a file or a set of CSV tables tells it."""

    file: str
    form: str
    year: str = ""
    records: list[tuple] = field(default_factory=list)
    spells: list[tuple] = field(default_factory=list)


def read(paths: Sequence[Path], *, options: Options) -> Reading:
    """Read returns of any number of years.

    Parameters
    ----------
    paths : sequence of Path
        CSV tables (those of one folder and year are one return) or XML files.
    options : Options
        Nothing of it is needed.

    Returns
    -------
    Reading
        ``episodes`` with status ``CLA``, one row a period of care: episodes of care that overlap or
        follow each other within a day are one period; one without an end that another follows ended
        when that began; one that later returns no longer list ended with the last that does. Short
        breaks (V3, V4) are left out.

    Raises
    ------
    ContractError
        In one sentence, if a file cannot be read, there are no episodes or no header, or one return
        is given as XML and as CSV.

    Notes
    -----
    Columns: DfE, children looked-after by local authorities in England, guide to the SSDA903
    collection, as Data to Insight's validator holds them.
    """
    del options
    xmls = [path for path in paths if path.suffix.lower() == ".xml"]
    tables = [path for path in paths if path.suffix.lower() != ".xml"]
    returns = [*map(_of_xml, xmls), *_of_tables(tables)]
    _refuse_half_a_return(returns)
    _refuse_both_forms(returns)
    children = identify(_framed(returns, "records", tuple(HEADER)))
    spells = _framed(returns, "spells", tuple(EPISODE)).assign(status="CLA", basis="episode")
    typed, unread = spells_of.typed(spells)
    last = spells_of.latest(typed)
    short = last["legal_status"].str.upper().isin(RESPITE)
    notes = [note("short_breaks", rows=int(short.sum()), of_rows=len(last))] if short.any() else []
    care, unclosed = _closed_by_the_next(last[~short])
    care, gone = spells_of.ended(care, max(map(_year, returns), default=0))
    periods = spells_of.union(care).assign(basis="episode")
    return Reading(
        {"episodes": spells_of.episodes(periods, children)},
        (*notes, *children.notes, *unread, *unclosed, *gone),
        {"former_upns": children.former_upns},
    )


def _of_xml(path: Path) -> _Return:
    root = xml.root_of(path)
    space = xml.namespace_of(root)
    if "903" not in root:
        raise ContractError(
            f"{path.name} is not an SSDA903 return, must be one; take it out of "
            "source.files.ssda903."
        )
    found = _Return(path.name, "XML", tabular.year_in(path))
    xml.read(path, f"{space}CHILD", lambda child: _child(child, len(space), found))
    return found


def _child(element: Element, at: int, found: _Return) -> None:
    header: dict[str, str | None] = {}
    episodes: list[dict[str, str | None]] = []
    for part in element:
        values = {one.tag[at:]: one.text for one in part}
        if part.tag[at:] == "HEADER":
            header = values
        elif part.tag[at:] == "EPISODE":
            episodes.append(values)
    child_id = header.get("CHILDID") or header.get("CHILD")
    found.records.append((child_id, header.get("UPN"), header.get("DOB")))
    found.spells += [
        (child_id, one.get("DECOM"), one.get("DEC"), one.get("LS")) for one in episodes
    ]


def _of_tables(paths: Sequence[Path]) -> Iterator[_Return]:
    for (name, year), files in tabular.by_return(paths).items():
        by_year: dict[str, _Return] = {}
        for path in files:
            table = tabular.read(path, known=("CHILD", "DOB", "UPN", "DECOM"))
            for at, rows in tabular.by_year(table):
                of_year = at or year
                one = by_year.setdefault(of_year, _Return(f"{name} {of_year}", "CSV", of_year))
                _rows_of_table(rows, path, one)
        yield from by_year.values()


def _rows_of_table(table: pd.DataFrame, path: Path, found: _Return) -> None:
    names = {tabular.key(name) for name in table}
    if not {"child", "childid"} & names:
        raise ContractError(
            f"{path.name} has no column CHILD, must be a table of the SSDA903 return; take it out "
            "of source.files.ssda903."
        )
    for layout, needed, rows in (
        (HEADER, {"upn"}, found.records),
        (EPISODE, {"decom", "ls"}, found.spells),
    ):
        if needed <= names:
            ours = tabular.renamed(table, tuple(layout.items()), file=path.name)
            rows += list(ours.itertuples(index=False, name=None))


def _year(found: _Return) -> int:
    """Return the year in which a return ends: the one that names it, else that of its episodes."""
    if found.year[-4:].isdigit():
        return int(found.year[-4:])
    return tabular.collection_year(pd.Series([spell[1] for spell in found.spells], dtype="str"))


def _refuse_half_a_return(returns: Sequence[_Return]) -> None:
    if not any(one.spells for one in returns):
        raise ContractError(
            "source.files.ssda903 holds no episodes (columns CHILD, DECOM, LS), must hold them; "
            "add the table of episodes."
        )
    if not any(one.records for one in returns):
        raise ContractError(
            "source.files.ssda903 holds no header (columns CHILD, UPN), must hold it, as episodes "
            "have no UPN; add the table of the header."
        )


def _refuse_both_forms(returns: Sequence[_Return]) -> None:
    forms: dict[int, str] = {}
    for one in returns:
        if forms.setdefault(_year(one), one.form) != one.form:
            raise ContractError(
                f"the SSDA903 return of {_year(one)} is given as XML and as CSV, must be given "
                "once; name one of them in source.files.ssda903."
            )


def _framed(returns: Sequence[_Return], what: str, columns: Sequence[str]) -> pd.DataFrame:
    return spells_of.framed(
        [(getattr(one, what), _year(one), "") for one in returns], columns=columns
    )


def _closed_by_the_next(spells: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Message, ...]]:
    """End an episode without an end where the child's next one begins."""
    rows = spells.sort_values(["child_id", "start_date", "end_date"], kind="stable")
    following = rows.groupby("child_id")["start_date"].shift(-1)
    unclosed = rows["end_date"].isna() & following.notna()
    many = int(unclosed.sum())
    notes = (note("unclosed_episodes", rows=many, of_rows=len(rows)),) if many else ()
    return rows.assign(end_date=rows["end_date"].mask(unclosed, following)), notes
