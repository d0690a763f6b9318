"""What the readers of an authority's files say: one sentence a note, with its remedy."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import pandas as pd

from vsh_eval.contracts import Message, produces

FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        "folder": "Tables that are ready",
        "identity": "All files together",
        "gias": "GIAS extract",
        "gias_links": "GIAS links",
        "database": "Database",
        "school_census": "School census",
        "ytd_attendance": "Year-to-date attendance file",
        "session_marks": "Session marks",
        "gip": "Get information about pupils",
        "extracts": "Own extracts",
        "cin_census": "CIN census",
        "ssda903": "SSDA903",
        "annex_a": "Annex A",
        "training": "Training log",
    }
)
"""What readers call each family of files."""

NOTES: Mapping[str, str] = MappingProxyType(
    {
        # Every family
        "ready_table_first": "The folder of tables that are ready holds {table}, so that of the "
        "files was not used; remove one of the two.",
        # Who is who
        "children_without_upn": "Children without a UPN cannot be found in school data and are "
        "left out; ask the team that keeps the return for their UPNs.",
        "upn_check_letter": "UPNs whose check letter does not fit are used as they are; if many, "
        "ask whether the UPNs were typed or replaced.",
        "upn_of_two_children": "Children who share a UPN with a child born in another month are "
        "left out; ask the team that keeps the return whose UPN it is.",
        "former_upn_followed": "Rows under a former UPN are read as the child's rows of today.",
        "child_id_of_two_children": "Children whose id one return gives to two children are left "
        "out; ask the team that keeps the return who they are.",
        "rows_without_upn": "Rows of {name} without a UPN are left out; ask who keeps the data for "
        "the UPNs.",
        "former_upn_of_two_children": "Former UPNs that lead to two children, or in a circle, were "
        "not followed; ask the schools which UPN is right.",
        # Children's social care
        "children_unborn": "Children not yet born at the time of the return have no UPN; nothing "
        "needs to be done.",
        "children_not_of_school_age": "Children whom the return calls not of school age have no "
        "UPN; nothing needs to be done.",
        "referrals_without_action": "Referrals with no further action begin no episode of need and "
        "are left out, as in DfE's counts of children in need.",
        "spells_without_start": "Spells of help without a first day are left out; ask the team "
        "that keeps the return for the day.",
        "dates_not_read": "Spells of help with a date that cannot be read are left out; ask the "
        "team that keeps the return for the day.",
        "spells_end_before_start": "Spells of help that end before they begin are left out; ask "
        "the team that keeps the return for the days.",
        "ended_with_last_return": "Open spells that later returns no longer list are ended with "
        "the last return that lists them; ask the team that keeps the return when they ended.",
        "unclosed_episodes": "Episodes of care without an end that another follows are ended when "
        "that begins.",
        "short_breaks": "Episodes of short breaks (V3, V4) are left out, as in DfE's counts of "
        "children looked after.",
        "snapshots_only": "Annex A lists what is open and what ended not long before, so that "
        "earlier years are not whole; give the CIN census and the SSDA903 return for them.",
        "census_header_differs": "The header's year and reference date are not both of the census "
        "that ends on 31 March {year}, as which it is read; correct the header.",
        "census_year_later_than_known": "The census of {year} is later than {last}, the last whose "
        "layout is known; what is new in it is not read.",
        "unknown_elements": "These parts are not in the layout and are not read: {names}.",
        "elements_of_another_year": "These parts belong to the layout of another year than {year} "
        "and are read by their name: {names}.",
        "several_authorities": "The returns name several authorities: {names}; leave out those of "
        "others.",
        "returns_of_one_year": "Several returns are of one year ({names}); where they differ, the "
        "one written last is believed.",
        "returns_lack_years": "No return is of {names}; give it, as spells that began and ended in "
        "that year are lacking.",
    }
)
"""The sentence of every note; a number of rows is never among the words."""


@produces("notes_of_files", ("table", "message", "rows", "of_rows"), gate="sample")
def notes(found: Iterable[Message]) -> pd.DataFrame:
    """Word the notes of the readers, to be released.

    Parameters
    ----------
    found : iterable of Message
        From `vsh_eval.returns.Returns`.

    Returns
    -------
    DataFrame
        One row a note: ``table`` (the family as readers call it), ``message``, ``rows`` and
        ``of_rows`` (how many it concerns, out of how many; 0 where nothing is counted). Notes that
        differ in their file alone are one row. No file is named.

    Raises
    ------
    KeyError
        If a note has no words.

    Examples
    --------
    >>> note = Message("former_upn_followed", family="identity", file="", rows=2, of_rows=9)
    >>> notes([note]).values.tolist()[0][2:]
    [2, 9]
    """
    rows = [
        (
            FAMILIES[str(message.details["family"])],
            _sentence(message),
            message.details["rows"],
            message.details["of_rows"],
        )
        for message in found
    ]
    columns = ["table", "message", "rows", "of_rows"]
    table = pd.DataFrame(rows, columns=columns).astype({"rows": "int64", "of_rows": "int64"})
    return table.groupby(["table", "message"], as_index=False, sort=False).sum()


def for_analyst(message: Message) -> str:
    """Word a note for the analyst alone, with its family, file and counts.

    Examples
    --------
    >>> for_analyst(Message("former_upn_followed", family="identity", file="", rows=2, of_rows=9))
    "All files together: Rows under a former UPN are read as the child's rows of today (2 of 9)."
    """
    details = message.details
    file = f", {details['file']}" if details["file"] else ""
    counts = ""
    if details["rows"]:
        counts = f"{details['rows']:,}"
        counts = f" ({counts} of {details['of_rows']:,})" if details["of_rows"] else f" ({counts})"
    said = _sentence(message).removesuffix(".")
    return f"{FAMILIES[str(details['family'])]}{file}: {said}{counts}."


def _sentence(message: Message) -> str:
    shown = {name: _shown(value) for name, value in message.details.items()}
    return NOTES[message.code].format(**shown)


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
