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
        "pupils_without_upn": "Rows without a UPN cannot be anybody's and are left out; ask "
        "whether the export can hold the UPN.",
        "rows_of_another_length": "Rows with more or fewer values than the header has names are "
        "left out, the first at row {first_row}; a value may hold the separator: export again.",
        "rows_unread": "Rows whose year or sessions cannot be read are left out; export again.",
        "schools_not_found": "Schools that GIAS does not lead to a URN stay as they are written; "
        "add the GIAS extract to source.files, or correct the school.",
        # Schools
        "establishments_no_school": "Establishments of the authority that send no school census, "
        "such as independent schools, are no schools here.",
        "links_of_other_types": "Links that are no succession, such as those of a sixth form "
        "centre, are left out.",
        "links_to_itself": "Links of a school to itself are left out.",
        "links_in_a_circle": "Links that lead back to the school they start from are left out; "
        "name the right ones in a table school_links.",
        # Sessions
        "attendance_codes_unknown": "Marks that the list of their day lacks ({codes}) do not count "
        "as sessions; ask the schools what they mean.",
        "attendance_codes_of_no_list": "Sessions of codes that the list of their term lacks count "
        "as no absence; ask the schools what they mean.",
        "sessions_not_marked": "Sessions that nobody marked do not count; ask the schools to "
        "complete their registers.",
        "sessions_undated": "Marks whose day cannot be read are left out, and so are weeks that "
        "have neither 10 nor 14 marks; export them again.",
        "sessions_marked_twice": "Sessions marked more than once count once.",
        "sessions_marked_differently": "Sessions with two marks that mean different things do not "
        "count; correct them in the register.",
        "sessions_not_adding_up": "Rows whose sessions present and absent are not the possible "
        "ones are read as they are; ask DfE's help desk, if many.",
        "sessions_taken_back": "Terms whose sessions to date are fewer than those of the term "
        "before are left out; the registers were changed since: download both files again.",
        "sessions_without_codes": "Sessions without any code are left out, as nothing says whether "
        "they were missed; export the session details of that census again.",
        "totals_differ_from_codes": "Totals of absence that differ from the sum of their codes are "
        "used, as DfE does; a large share means that the export is not whole.",
        # School census
        "pupils_twice_in_a_census": "Pupils that a census holds twice at one school count once.",
        "sen_blank": "A blank for SEN provision is that of another census of the year, or else no "
        "SEN.",
        "exclusions_undated": "Exclusions without a first day are left out.",
        "no_free_meals": "Enrolments need free school meals in the last six years; add the table "
        "fsmperiod of every census of the last six years.",
        "free_meals_since": "Free school meals in the last six years are those of the censuses "
        "given, the first of {year}, and of periods they name; they are complete from {complete}.",
        # Get information about pupils
        "download_not_needed": "A download of another kind than key stages 2 and 4, phonics, EYFSP "
        "and census is not used.",
        "results_no_value": "Results that are no value of their measure, such as a score for a "
        "pupil who was absent, are left out.",
        "results_of_a_pupil_differ": "Pupils with several results of one measure and year that "
        "differ are left out of it; ask which one counts.",
        "autumn_census_passed_over": "Rows of autumn census downloads are not used, as the service "
        "fills their free school meals in the last six years with those of today; download spring.",
        # Training log
        "attendance_not_recorded": "The log does not say who attended, so every booking counts as "
        "training; name its column as attended, if there is one.",
        "bookings_not_attended": "Bookings that were not attended are no training.",
        "programmes_without_synonym": "Courses that no synonym makes a programme are left out; add "
        "those that belong to the offer to source.files.training.synonyms.",
        "tier_unknown": "Rows whose tier cannot be read are left out; add a synonym.",
        "start_unread": "Rows whose first day cannot be read are left out; write the day as "
        "dd/mm/yyyy.",
        "dates_month_first": "Days that only make sense with the month first are not read, and "
        "others of the file may be read with day and month exchanged; correct the column.",
        "start_may_be_completion": "The column of the first day is named as if it were that of the "
        "end; name the column of the start.",
        "schools_of_log_not_found": "Rows of a school that is not found are left out; write its "
        "URN, or add its name to synonyms under urn.",
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
    """Word a note for the analyst alone: also its family, file, counts, and which rows it is of.

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
    which = f": {details['which']}" if details.get("which") else ""
    said = _sentence(message).removesuffix(".")
    return f"{FAMILIES[str(details['family'])]}{file}: {said}{counts}{which}."


def _sentence(message: Message) -> str:
    shown = {name: _shown(value) for name, value in message.details.items()}
    return NOTES[message.code].format(**shown)


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
