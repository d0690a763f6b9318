"""The children in need census, 2017 to 2026: XML, or the CSV tables that are made from it.

A return covers 1 April to 31 March and lists every child referred in the year or open in it. The
CSV tables are those of Data to Insight's tools (one a module of the census) and of LIIA (one row an
event, with ``YEAR`` and ``LA``): they are known by their columns, never by their name.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from vsh_eval.contracts import ContractError, Message
from vsh_eval.returns.formats import coded
from vsh_eval.returns.formats.identity import identify
from vsh_eval.returns.formats.reading import Options, Reading, counted, note
from vsh_eval.returns.formats.rows import Sheet, compute, key, renamed
from vsh_eval.returns.formats.social_care import spells as spells_of
from vsh_eval.returns.formats.social_care import xml
from vsh_eval.returns.formats.social_care.spells import Return

LAYOUT: Mapping[int, tuple[str, str]] = {
    2017: (
        "Message Header CollectionDetails Collection Year ReferenceDate Source SourceLevel LEA "
        "SoftwareCode Release SerialNo DateTime Children Child ChildIdentifiers LAchildID UPN "
        "FormerUPN UPNunknown PersonBirthDate ExpectedPersonBirthDate GenderCurrent "
        "PersonDeathDate ChildCharacteristics Ethnicity Disabilities Disability CINdetails "
        "CINreferralDate ReferralSource PrimaryNeedCode CINclosureDate ReasonForClosure "
        "DateOfInitialCPC ReferralNFA Assessments AssessmentActualStartDate "
        "AssessmentInternalReviewDate AssessmentAuthorisationDate AssessmentFactors "
        "FactorsIdentifiedAtAssessment Section47 S47ActualStartDate InitialCPCtarget "
        "ICPCnotRequired ChildProtectionPlans CPPstartDate CPPendDate InitialCategoryOfAbuse "
        "LatestCategoryOfAbuse NumberOfPreviousCPP Reviews CPPreviewDate",
        "",
    ),
    2022: ("CINPlanDates CINPlanStartDate CINPlanEndDate", ""),
    2025: ("Sex", "GenderCurrent"),
    2026: (
        "PreProceedingsandFGDM PPStartDate LBPSentDate FGDMMeetingOffer FGDMMeetingFac "
        "InitialPPMeetingDate ReviewMeetingsCount StepDecisionDate PPOutcome CourtAppDate "
        "LetterInitCPDate",
        "",
    ),
}
"""What a census year added to the elements of the year before, and what it took out."""

KINDS: Mapping[str, tuple[str, str, str, str]] = {
    "CINdetails": ("CINreferralDate", "CINclosureDate", "CIN", "episode"),
    "CINPlanDates": ("CINPlanStartDate", "CINPlanEndDate", "CIN", "plan"),
    "ChildProtectionPlans": ("CPPstartDate", "CPPendDate", "CPP", "episode"),
}
"""Each element that is a spell: its beginning, its end, its status and its basis."""

_IDENTIFIERS = (
    "UPN",
    "FormerUPN",
    "UPNunknown",
    "PersonBirthDate",
    "ExpectedPersonBirthDate",
    "PersonDeathDate",
)
_NFA = "ReferralNFA"
_SPELL = ("child_id", "status", "basis", "start", "end", "nfa")
_YES = ("true", "1", "yes", "y")
_NAME = re.compile(r"\w{1,40}")


def read(paths: Sequence[Path], *, options: Options) -> Reading:
    """Read censuses of any number of years.

    Parameters
    ----------
    paths : sequence of Path
        XML files, or CSV tables: those of one folder are one return.
    options : Options
        Nothing of it is needed.

    Returns
    -------
    Reading
        ``episodes``: ``CIN`` with basis ``episode`` (referral to closure) and, from the census of
        2022, with basis ``plan``; ``CPP`` by protection plan. A referral with no further action
        begins no episode of need and is left out. Every spell is as the latest census tells it;
        one that later censuses no longer list ended with the last that does; a death ends it. A
        child without a UPN in any of the censuses is left out and counted.

    Raises
    ------
    ContractError
        In one sentence, if a file cannot be read, is another collection, names no year, or one
        census is given as XML and as CSV.

    Notes
    -----
    Elements and columns: DfE, children in need census, technical specifications 2016-17 to
    2025-26, as LIIA's schemas and Data to Insight's validator hold them.
    """
    del options
    returns = spells_of.read(paths, of_xml=_of_xml, of_tables=_of_tables)
    for one in returns:
        one.year = _year(one)
    spells_of.refuse_both_forms(returns, what="children in need census", family="cin_census")
    notes = [message for one in returns for message in _about(one)]
    # Spells come first: of all that is made here, they need the most room.
    spells, unread = spells_of.typed(spells_of.framed(returns, "spells", _SPELL))
    spells = spells_of.latest(spells)
    referrals = (spells["basis"] == "episode") & (spells["status"] == "CIN")
    idle = referrals & spells.pop("nfa").str.lower().isin(_YES)
    nothing_done = counted(of_rows=referrals.sum(), referrals_without_action=idle.sum())
    spells = spells[~idle]
    spells, ended = spells_of.ended(spells, max((one.year for one in returns), default=0))
    records = spells_of.framed(returns, "records", ("child_id", *_IDENTIFIERS))
    children = identify(
        records.rename(columns={"UPN": "upn", "FormerUPN": "former_upn", "PersonBirthDate": "born"})
    )
    notes += (*_about_all(returns), *_without_upn(records), *children.notes)
    return Reading(
        {"episodes": spells_of.episodes(_until_death(spells, _died(records)), children)},
        (*notes, *nothing_done, *unread, *ended),
        {"former_upns": children.former_upns},
    )


def layout_of(year: int) -> frozenset[str]:
    """Return the elements of a census year; a later one has those of the last that is known.

    Examples
    --------
    >>> "Sex" in layout_of(2025), "GenderCurrent" in layout_of(2025), "Sex" in layout_of(2024)
    (True, False, False)
    """
    known: set[str] = set()
    for since, (added, removed) in LAYOUT.items():
        if since <= max(year, min(LAYOUT)):
            known = (known | set(added.split())) - set(removed.split())
    return frozenset(known)


def _of_xml(path: Path) -> Return:
    space = xml.namespace_of(xml.root_of(path))
    names = dict.fromkeys(
        ("LAchildID", *_IDENTIFIERS, *KINDS, *(n for of in KINDS.values() for n in of[:2]), _NFA)
    )
    read = xml.read(path, f"{space}Child", [space + name for name in names])
    census = Return(path.name, "XML")
    header = read.root.find(f"{space}Header")
    if header is not None:
        census.header = {e.tag.removeprefix(space): (e.text or "").strip() for e in header.iter()}
    census.elements = {tag.removeprefix(space) for tag in read.tags}
    collection = census.header.get("Collection", "")
    if "Message" not in census.elements or collection.upper() not in ("", "CIN"):
        raise ContractError(
            f"{path.name} is not a children in need census, must be one; take it out of "
            "source.files.cin_census."
        )
    _take(read, space, census)
    return census


def _take(read: xml.Elements, space: str, census: Return) -> None:
    """Take children's identifiers and spells of a census."""
    child = f"{space}Child"
    about = {name: read.text(child, space + name) for name in ("LAchildID", *_IDENTIFIERS)}
    ids = compute.coalesce(about.pop("LAchildID"), about["UPN"])
    records = pa.table({"child_id": ids, **about})
    census.records.append(records)
    for name in ("UPN", "FormerUPN"):
        # The schema has one of each, returns have sometimes several.
        of, more = read.further(child, space + name)
        rows = records.take(of).drop_columns(["UPN", "FormerUPN"])
        rows = rows.append_column("UPN", pa.nulls(len(of), pa.string()))
        census.records.append(rows.append_column("FormerUPN", more).select(records.column_names))
    for element, (begin, end, *kind) in KINDS.items():
        spell = space + element
        of = read.before(read.at(spell), child)
        texts = [read.text(spell, space + name) for name in (begin, end, _NFA)]
        constants = [pa.repeat(word, len(of)) for word in kind]
        columns = (ids.take(pa.array(of)), *constants, *texts)
        census.spells.append(pa.table(dict(zip(_SPELL, columns, strict=True))))


def _of_tables(paths: Sequence[Path]) -> Iterable[Return]:
    """Read the CSV tables of each return."""
    returns: dict[str, Return] = {}
    for name, year, sheet, rows in spells_of.parts(paths, ("LAchildID", "ReferenceDate")):
        census = returns.setdefault(
            name, Return(name, "CSV", header={"Year": year} if year else {})
        )
        if "lachildid" in rows:
            _rows_of_table(sheet, rows, census)
        else:
            written = {key(name): name for name in sheet.header}
            first = rows.head(1).fillna("").to_dict("records")[0]
            census.header = {written[str(name)]: str(value) for name, value in first.items()}
    for census in returns.values():
        if not census.header:
            census.header = {"Year": str(spells_of.year_of_dates(census.spells) or "")}
    return [census for census in returns.values() if census.records or census.spells]


def _rows_of_table(sheet: Sheet, rows: pd.DataFrame, census: Return) -> None:
    child = {"child_id": ("LAchildID",)}
    if sheet.held(("upn", "upnunknown", "personbirthdate")):
        layout = child | {name: (name,) for name in _IDENTIFIERS}
        census.records.append(spells_of.table(renamed(sheet, rows, layout).drop_duplicates()))
    for begin, end, status, basis in KINDS.values():
        if not sheet.held((key(begin),)):
            continue
        layout = child | {"start": (begin,), "end": (end,), "nfa": ("ReferralNFA",)}
        spells = renamed(sheet, rows, layout).dropna(subset=["start", "end"], how="all")
        spells = spells.drop_duplicates().assign(status=status, basis=basis)
        census.spells.append(spells_of.table(spells[list(_SPELL)]))


def _year(census: Return) -> int:
    """Return the year in which a census ends: its reference date's, else the one it names."""
    year, last = census.header.get("Year", ""), census.header.get("ReferenceDate", "")
    date = coded.column(coded.day, pd.Series([last], dtype="str"))[0]
    named = int(year[-4:]) if re.fullmatch(r"(\d{4}[-/])?\d{4}", year) else 0
    if not pd.isna(date) and (date.month, date.day) == (3, 31):
        return date.year
    if 2009 <= named <= 2100:
        return named
    if not pd.isna(date):
        return date.year
    raise ContractError(
        f"{census.file} names neither a year nor a reference date, must name one; correct its "
        "header."
    )


def _about(census: Return) -> Iterator[Message]:
    """Note what is unusual about one return."""
    year = census.year
    named, last = census.header.get("Year", ""), census.header.get("ReferenceDate", "")
    if (named and named[-4:] != str(year)) or (last and not last.startswith(f"{year}-03-31")):
        yield note("census_header_differs", file=census.file, year=year)
    if year > max(LAYOUT):
        yield note("census_year_later_than_known", file=census.file, year=year, last=max(LAYOUT))
    ever = frozenset().union(*(layout_of(since) for since in LAYOUT))
    unknown = {name for name in census.elements - ever if _NAME.fullmatch(name)}
    other = census.elements & ever - layout_of(year)
    if unknown:
        names = spells_of.listed(unknown)
        yield note("unknown_elements", file=census.file, names=names)
    if other:
        names = spells_of.listed(other)
        yield note("elements_of_another_year", file=census.file, year=year, names=names)


def _about_all(returns: Sequence[Return]) -> Iterator[Message]:
    """Note what is unusual about the returns together."""
    authorities = {one.header["LEA"] for one in returns if one.header.get("LEA")}
    if len(authorities) > 1:
        yield note("several_authorities", names=spells_of.listed(authorities))
    years = sorted(one.year for one in returns)
    twice = sorted({year for year in years if years.count(year) > 1})
    if twice:
        yield note("returns_of_one_year", names=tuple(twice))
    lacking = sorted(set(range(years[0], years[-1])) - set(years)) if years else []
    if lacking:
        yield note("returns_lack_years", names=tuple(lacking))


def _died(records: pd.DataFrame) -> pd.Series:
    """Return the day on which each child died who did."""
    died = records.dropna(subset="PersonDeathDate")
    if died.empty:
        return pd.Series(dtype="datetime64[s]")
    days = coded.column(coded.day, died["PersonDeathDate"])
    return days.groupby(died["child_id"]).max().dropna()


def _until_death(spells: pd.DataFrame, died: pd.Series) -> pd.DataFrame:
    if died.empty:
        return spells
    last = pd.Series(died.reindex(spells["child_id"]).array, index=spells.index)
    open_still = spells["end_date"].isna() & last.notna() & (last >= spells["start_date"])
    return spells.assign(end_date=spells["end_date"].mask(open_still, last))


def _without_upn(records: pd.DataFrame) -> tuple[Message, ...]:
    """Note children of whom no UPN is expected, so that the others can be judged."""
    has = records["UPN"].notna() | records["FormerUPN"].notna()
    without = records[~has.groupby(records["child_id"], dropna=False).transform("any")]
    without = without.sort_values("year", kind="stable").drop_duplicates("child_id", keep="last")
    unborn = without["PersonBirthDate"].isna() & without["ExpectedPersonBirthDate"].notna()
    young = ~unborn & (without["UPNunknown"] == "UN1")
    children = records["child_id"].nunique(dropna=False)
    return counted(
        of_rows=children, children_unborn=unborn.sum(), children_not_of_school_age=young.sum()
    )
