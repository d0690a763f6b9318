"""DfE's year-to-date attendance file of pupils (Monitor your school attendance).

Its sums run from the start of the academic year to the day of the download. Source of the columns:
NCER's description of the file; their order is not fixed, and DfE may add some.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from vsh_eval.contracts import TERMS, ContractError, Message
from vsh_eval.returns.columns import quoted
from vsh_eval.returns.formats import coded
from vsh_eval.returns.formats.reading import Options, Reading, counted
from vsh_eval.returns.formats.rows import Sheet, connect, load, select, sheets

_PUPIL, _YEAR, _URN = "upn", "academicterm", "uniquereferencenumber"
_SUMS = {
    "sess_possible": "possiblesessions",
    "sess_authorised": "authorisedabsentsessions",
    "sess_unauthorised": "unauthorisedabsentsessions",
}
_OTHERS = ("presentsessions", "approvededucationalactivitysessions")
_NEEDED = (_PUPIL, _YEAR, _URN, *_SUMS.values())
_WHOLE_YEAR = 300
"""Possible sessions that a pupil of a whole year exceeds: a year has about 380."""
_KEYS = ["pupil_id", "academic_year", "urn"]


def read(paths: Sequence[Path], *, options: Options) -> Reading:
    r"""Read year-to-date files.

    Parameters
    ----------
    paths : sequence of Path
        CSV files (or Parquet, workbooks, zip archives). A file whose name holds ``autumn``,
        ``spring`` or ``summer`` was made at the end of that term; any other must be of a whole
        year.
    options : Options
        Not used.

    Returns
    -------
    Reading
        ``attendance``. Of several files of a year, each term is the difference to the file of the
        term before. A year of which there is only one file made in the summer, or without a term
        in its name, has rows with term ``year``. Rows without a UPN, and differences below zero
        (a term's register was changed later), are left out and counted.

    Raises
    ------
    ContractError
        If a column is missing, an academic year cannot be read, a file of spring has no file of
        autumn to be compared with, or a file without a term in its name is of part of a year.

    Notes
    -----
    What the file says about social care is the school's knowledge and is not read.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "pupils.csv")
    ...     _ = path.write_text("UPN,academic_term,unique_reference_number,possible_sessions,"
    ...         "authorised_absent_sessions,unauthorised_absent_sessions\n"
    ...         "H801200001001,2024/2025,100000,380,12,3\n")
    ...     read([path], options=Options()).tables["attendance"].values.tolist()
    [['H801200001001', 202425, 'year', '100000', 380, 12, 3]]
    """
    del options
    notes: list[Message] = []
    with connect() as connection:
        for sheet in (sheet for path in paths for sheet in sheets(path, known=_NEEDED)):
            notes += load(connection, "ytd", sheet, _sql(sheet))
        rows = connection.execute("FROM ytd").df()
    unread = rows["academic_year"].isna() | rows[list(_SUMS)].isna().any(axis=1)
    notes += counted(
        of_rows=len(rows),
        pupils_without_upn=rows["pupil_id"].isna().sum(),
        rows_unread=unread.sum(),
        sessions_not_adding_up=rows["differs"].fillna(value=False).sum(),
    )
    rows = rows[~unread & rows["pupil_id"].notna()]
    # A pupil who left a school and came back has two rows; the same row twice is one.
    rows = rows.drop_duplicates().astype({"academic_year": "int64"})
    rows = rows.groupby([*_KEYS, "upto"], as_index=False)[list(_SUMS)].sum()
    parts = [_terms(year, of_year) for year, of_year in rows.groupby("academic_year")]
    table = pd.concat(parts, ignore_index=True) if parts else rows.assign(term="")
    back = (table[list(_SUMS)] < 0).any(axis=1)
    notes += counted(of_rows=len(table), sessions_taken_back=back.sum())
    columns = ["pupil_id", "academic_year", "term", "urn", *_SUMS]
    table = table.loc[~back, columns].astype(dict.fromkeys(_SUMS, "int64"))
    return Reading({"attendance": table.sort_values(columns[:4], ignore_index=True)}, tuple(notes))


def _sql(sheet: Sheet) -> str:
    missing = [name for name in _NEEDED if name not in sheet.keys]
    if missing:
        raise ContractError(
            f"{sheet.name} lacks {', '.join(missing)} (underscores apart), must have them; "
            "download the pupil file again, as DfE names its columns."
        )
    number = {ours: coded.whole(sheet.text(theirs)) for ours, theirs in _SUMS.items()}
    apart = " + ".join(
        f"coalesce(TRY_CAST({quoted(name)} AS BIGINT), 0)" for name in _OTHERS if name in sheet.keys
    )
    present = set(_OTHERS) <= set(sheet.keys)
    differs = f"{apart} + {number['sess_authorised']} + {number['sess_unauthorised']}"
    return select(
        {
            "pupil_id": coded.upn(sheet.text(_PUPIL)),
            "academic_year": coded.academic_year(sheet.text(_YEAR)),
            "urn": sheet.text(_URN),
            **number,
            "upto": f"'{_upto(sheet.name)}'",
            "differs": f"{differs} <> {number['sess_possible']}" if present else "false",
        }
    )


def _upto(name: str) -> str:
    term = re.search("|".join(TERMS), name.casefold())
    return term[0] if term else "year"


def _terms(year: object, rows: pd.DataFrame) -> pd.DataFrame:
    """Return each term of a year as the difference between two sums to date."""
    held = set(rows["upto"])
    label = f"{str(year)[:4]}/{str(year)[4:]}"
    mixed = "year" in held and len(held) > 1
    if mixed or held in ({"spring"}, {"spring", "summer"}, {"autumn", "summer"}):
        raise ContractError(
            f"ytd_attendance of {label} cannot be parted into terms; give a file of the end of "
            "autumn (with autumn in its name) beside that of spring, or one of the "
            "whole year alone."
        )
    if held == {"year"} and rows["sess_possible"].quantile(0.75) < _WHOLE_YEAR:
        raise ContractError(
            f"ytd_attendance of {label} holds fewer sessions than a whole year has, and no term in "
            "its name; add autumn, spring or summer to the name of the file."
        )
    if held in ({"year"}, {"summer"}):
        return rows.assign(term="year")
    wide = rows.set_index([*_KEYS, "upto"])[list(_SUMS)].unstack("upto", fill_value=0)  # noqa: PD010
    before = None
    parts = []
    for term in (term for term in TERMS if term in held):
        sums = pd.DataFrame({name: wide[name, term] for name in _SUMS})
        was_there = wide["sess_possible", term] > 0
        this = sums if before is None else sums - before
        parts.append(this[was_there & (this["sess_possible"] != 0)].reset_index().assign(term=term))
        before = sums.where(was_there, 0 if before is None else before)
    return pd.concat(parts)
