"""An invented authority's episodes as the returns that authorities send: CIN census and SSDA903."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

import pandas as pd

CIN_CENSUS, SSDA903 = "cin_census", "ssda903"
"""The folders of the two returns."""
_PLANS = {
    "CIN plan": ("CINPlanDates", "CINPlanStartDate", "CINPlanEndDate"),
    "CPP episode": ("ChildProtectionPlans", "CPPstartDate", "CPPendDate"),
}
_FIRST_OF_SEX = 2025  # until then the census asked for the gender


def write_social_care(folder: Path, episodes: pd.DataFrame) -> dict[str, str]:
    """Write every year's CIN census (XML) and SSDA903 return (CSV).

    Parameters
    ----------
    folder : Path
        Gets ``cin_census/cin_2022.xml`` and the like, and ``ssda903/2022_header.csv`` and
        ``ssda903/2022_episodes.csv``.
    episodes : DataFrame
        The table of the returns, ``basis`` included. ``pupil_id`` is the UPN; the child id is
        another one. A plan lies within a referral of its child.

    Returns
    -------
    dict
        The two families of ``source.files`` and the pattern of their files, relative to the folder.

    Notes
    -----
    A return covers 1 April to 31 March: it lists what was open in the year, and an end only where
    it lies in it. A beginning is in the return of its own year and of every one until it ended.
    """
    days = pd.concat([episodes["start_date"], episodes["end_date"]]).dropna()
    years = range(*(_ends(day) + more for day, more in ((days.min(), 0), (days.max(), 1))))
    for name in (CIN_CENSUS, SSDA903):
        (folder / name).mkdir()
    rows = episodes.assign(child_id="C" + episodes["pupil_id"].str.removeprefix("P"))
    care = rows["status"] == "CLA"
    for year in years:
        census = _census(_of_year(rows[~care], year), year)
        path = folder / CIN_CENSUS / f"cin_{year}.xml"
        census.write(path, encoding="utf-8", xml_declaration=True)
        for table, of in _ssda903(_of_year(rows[care], year)):
            of.to_csv(folder / SSDA903 / f"{year}_{table}.csv", index=False)
    return {CIN_CENSUS: f"{CIN_CENSUS}/*.xml", SSDA903: f"{SSDA903}/*.csv"}


def _ends(day: pd.Timestamp) -> int:
    """Return the year in which the return ends that covers a day."""
    return day.year + (day.month > 3)


def _of_year(rows: pd.DataFrame, year: int) -> pd.DataFrame:
    first, last = pd.Timestamp(year - 1, 4, 1), pd.Timestamp(year, 3, 31)
    start, end = rows["start_date"], rows["end_date"]
    listed = (start <= last) & (end.isna() | (end >= first))
    return rows.assign(end_date=end.mask(end > last))[listed]


def _census(rows: pd.DataFrame, year: int) -> ElementTree:
    message = Element("Message")
    header = SubElement(message, "Header")
    collection = SubElement(header, "CollectionDetails")
    _add(collection, Collection="CIN", Year=str(year), ReferenceDate=f"{year}-03-31")
    source = SubElement(header, "Source")
    _add(source, SourceLevel="L", LEA="999", DateTime=f"{year}-05-01T12:00:00")
    children = SubElement(message, "Children")
    order = rows.assign(start=_days(rows["start_date"]), end=_days(rows["end_date"]))
    order = order.sort_values(["child_id", "pupil_id", "start"], kind="stable")
    spells = order[["child_id", "pupil_id", "status", "basis", "start", "end"]]
    each = spells.itertuples(index=False, name=None)
    for (child_id, upn), own in groupby(each, key=itemgetter(0, 1)):
        child = SubElement(children, "Child")
        sex = {"Sex": "U"} if year >= _FIRST_OF_SEX else {"GenderCurrent": "0"}
        identifiers = SubElement(child, "ChildIdentifiers")
        _add(identifiers, LAchildID=str(child_id), UPN=str(upn), **sex)
        _referrals(child, [(f"{row[2]} {row[3]}", row[4], row[5]) for row in own])
    indent(message)
    return ElementTree(message)


def _referrals(child: Element, own: Sequence[tuple[str, str, str]]) -> None:
    """Add a child's referrals, each with the plans that began in it; all are in order of time."""
    referrals = [(start, end) for kind, start, end in own if kind == "CIN episode"]
    begun = [start for start, _ in referrals]
    for at, (start, end) in enumerate(referrals):
        details = SubElement(child, "CINdetails")
        _add(details, CINreferralDate=start, ReferralSource="1A")
        _add(details, PrimaryNeedCode="N1", CINclosureDate=end)
        for kind, (name, begin, until) in _PLANS.items():
            if kind == "CPP episode":
                _add(details, ReferralNFA="0")
            for this, first, last in own:
                if this == kind and bisect_right(begun, first) - 1 == at:
                    _add(SubElement(details, name), **{begin: first, until: last})


def _ssda903(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    dates = {name: rows[name].dt.strftime("%d/%m/%Y") for name in ("start_date", "end_date")}
    header = pd.DataFrame({"CHILD": rows["child_id"], "UPN": rows["pupil_id"]})
    yield "header", header.drop_duplicates()
    episodes = {"CHILD": rows["child_id"], "DECOM": dates["start_date"], "RNE": "S", "LS": "C2"}
    yield "episodes", pd.DataFrame({**episodes, "DEC": dates["end_date"]})


def _add(parent: Element, **texts: str) -> None:
    for name, text in texts.items():
        if text:
            SubElement(parent, name).text = text


def _days(dates: pd.Series) -> pd.Series:
    return dates.dt.strftime("%Y-%m-%d").fillna("")
