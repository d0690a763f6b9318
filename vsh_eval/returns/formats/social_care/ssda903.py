"""The SSDA903 return of children looked after: its CSV tables, or its XML.

A return covers 1 April to 31 March and lists every episode of care that was open in it. Tables are
known by their columns; those that hold no episodes (UASC, OC2, reviews, missing) are passed over.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from vsh_eval.contracts import ContractError, Message
from vsh_eval.returns.formats.identity import identify
from vsh_eval.returns.formats.reading import Options, Reading, counted
from vsh_eval.returns.formats.rows import renamed
from vsh_eval.returns.formats.social_care import spells as spells_of
from vsh_eval.returns.formats.social_care import xml
from vsh_eval.returns.formats.social_care.spells import Return

HEADER: Mapping[str, tuple[str, ...]] = {
    "child_id": ("CHILD", "CHILDID"),
    "upn": ("UPN",),
    "born": ("DOB",),
}
EPISODE: Mapping[str, tuple[str, ...]] = {
    "child_id": ("CHILD", "CHILDID"),
    "start": ("DECOM",),
    "end": ("DEC",),
    "legal_status": ("LS",),
}
"""What we call a column, and its names, of which the last is that of the XML."""

RESPITE = ("V3", "V4")
"""Legal statuses of short breaks, which DfE leaves out of its counts of children looked after."""


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
    returns = spells_of.read(paths, of_xml=_of_xml, of_tables=_of_tables)
    for one in returns:
        one.year = one.year or spells_of.year_of_dates(one.spells)
    _refuse_half_a_return(returns)
    spells_of.refuse_both_forms(returns, what="SSDA903 return", family="ssda903")
    children = identify(spells_of.framed(returns, "records", tuple(HEADER)))
    spells = spells_of.framed(returns, "spells", tuple(EPISODE))
    spells = spells.assign(status="CLA", basis="episode")
    typed, unread = spells_of.typed(spells)
    last = spells_of.latest(typed)
    short = last["legal_status"].str.upper().isin(RESPITE)
    notes = counted(of_rows=len(last), short_breaks=short.sum())
    care, unclosed = _closed_by_the_next(last[~short])
    care, unended = spells_of.ended(care, max((one.year for one in returns), default=0))
    periods = spells_of.union(care).assign(basis="episode")
    return Reading(
        {"episodes": spells_of.episodes(periods, children)},
        (*notes, *children.notes, *unread, *unclosed, *unended),
        {"former_upns": children.former_upns},
    )


def _of_xml(path: Path) -> Return:
    root = xml.root_of(path)
    space = xml.namespace_of(root)
    if "903" not in root:
        raise ContractError(
            f"{path.name} is not an SSDA903 return, must be one; take it out of "
            "source.files.ssda903."
        )
    child, episode = f"{space}CHILD", f"{space}EPISODE"
    names = dict.fromkeys(of[-1] for of in (*HEADER.values(), *EPISODE.values()))
    read = xml.read(path, child, [episode, *(space + name for name in names)])
    if not {child, episode} <= read.tags:
        raise ContractError(
            f"{path.name} holds no CHILD with an EPISODE, must hold them in capitals as DfE's "
            "schema has them; export the return again."
        )
    records = {ours: read.text(child, space + of[-1]) for ours, of in HEADER.items()}
    spells = {ours: read.text(episode, space + of[-1]) for ours, of in EPISODE.items()}
    spells["child_id"] = records["child_id"].take(pa.array(read.before(read.at(episode), child)))
    submission = Return(path.name, "XML", int(spells_of.year_in(path) or 0))
    submission.records.append(pa.table(records))
    submission.spells.append(pa.table(spells))
    return submission


def _of_tables(paths: Sequence[Path]) -> Iterable[Return]:
    returns: dict[str, Return] = {}
    for name, year, sheet, rows in spells_of.parts(paths, HEADER["child_id"]):
        submission = returns.setdefault(name, Return(name, "CSV", int(year[-4:] or 0)))
        for layout, needed, tables in (
            (HEADER, "upn", submission.records),
            (EPISODE, "ls", submission.spells),
        ):
            if needed in rows:
                tables.append(spells_of.table(renamed(sheet, rows, layout)))
    return returns.values()


def _refuse_half_a_return(returns: Sequence[Return]) -> None:
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


def _closed_by_the_next(spells: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Message, ...]]:
    """End an episode without an end where the child's next one begins."""
    rows = spells.sort_values(["child_id", "start_date", "end_date"], kind="stable")
    following = rows.groupby("child_id")["start_date"].shift(-1)
    unclosed = rows["end_date"].isna() & following.notna()
    notes = counted(of_rows=len(rows), unclosed_episodes=unclosed.sum())
    return rows.assign(end_date=rows["end_date"].mask(unclosed, following)), notes
