"""The training log as people keep it: a workbook or CSV, a map of its columns, and synonyms."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import RETURNS, ContractError, Message
from vsh_eval.returns.formats import coded, places
from vsh_eval.returns.formats.reading import Options, Reading, note
from vsh_eval.returns.formats.rows import frame, key, ragged_note, renamed, sheets

_USUAL: Mapping[str, tuple[str, ...]] = {
    "urn": ("urn", "school urn", "laestab", "school", "school name", "establishment", "setting"),
    "programme": ("programme", "course", "course title", "training", "event"),
    "tier": ("tier", "level"),
    "start_date": ("start date", "course start", "first session", "date attended", "date"),
    "staff_trained": ("staff trained", "staff", "number of staff", "delegates"),
    "hours": ("hours", "duration hours"),
    "audience": ("audience", "role"),
    "cost": ("cost", "price"),
    "attended": ("attended", "attendance", "status"),
    "delegate": ("delegate", "delegate name"),
}
"""What columns of logs are often called; a map in the params goes before it."""

_ATTENDED = frozenset({"attended", "yes", "y", "true", "1", "present", "completed", "x", "✓"})
_NUMBERS: Mapping[str, str] = {
    "staff_trained": r"^$",
    "hours": r"(?i)\s*h((ou)?rs?)?\.?$",
    "cost": r"^£\s*",
}
"""The columns of numbers, and the unit that may be written with each."""
_IN_THOUSANDS = r"-?[1-9]\d{0,2}(,\d{3})+(\.\d+)?"
_KEYS = ["urn", "programme", "tier", "start_date", "audience"]
_SHOWN = 8
"""How many rows or names a note lists for the analyst."""


def read(paths: Sequence[Path], *, options: Options) -> Reading:
    r"""Read training logs.

    Parameters
    ----------
    paths : sequence of Path
        Workbooks (every sheet that has the columns) or CSV files.
    options : Options
        ``section.columns``: which column of the log is ``urn`` (a URN, LAESTAB or the school's
        name), ``programme``, ``start_date``, and optionally ``tier``, ``staff_trained``, ``hours``,
        ``audience``, ``cost``, ``attended`` (whether the booking was taken up) and ``delegate``
        (a person a row: staff are counted by it, and it is not kept). ``section.synonyms``: what
        the log writes and what it means, by column; ``tier`` may be keyed by programme.
        ``references``: ``establishments``. ``programmes``: codes that the log may write, too.

    Returns
    -------
    Reading
        ``training``: one row a school, programme, tier, day and audience, with the staff and cost
        of its rows added up and their most hours. Left out, counted and listed with their rows
        for the analyst: bookings that were not attended, rows without a readable day (free text is
        none), of a course that is no programme, and of a school that is not found; near names are
        proposed and never used. Staff, hours and costs may have thousands commas, hours ``hrs`` and
        costs ``£``; what is still no number is missing, and is counted and listed too.

    Raises
    ------
    ContractError
        If a needed column is missing, or nothing says a programme's tier.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from vsh_eval.settings import TrainingLog
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "log.csv")
    ...     _ = path.write_text("School,Course,Date,Status\n"
    ...                         "100000,ELSA course,03/10/2022,Attended\n"
    ...                         "100001,ELSA course,03/10/2022,Booked\n")
    ...     section = TrainingLog(files=(str(path),), synonyms={
    ...         "programme": {"ELSA course": "elsa"}, "tier": {"elsa": "targeted"}})
    ...     log = read([path], options=Options(section)).tables["training"]
    >>> log[["urn", "programme", "tier"]].values.tolist()
    [['100000', 'elsa', 'targeted']]
    """
    section = options.section
    synonyms = {
        column: {_plain(written): meant for written, meant in of.items()}
        for column, of in getattr(section, "synonyms", {}).items()
    }
    parts: list[pd.DataFrame] = []
    notes: list[Message] = []
    for path in paths:
        for rows in _logs(path, getattr(section, "columns", {})):
            trainings, notes_of_rows = _understood(rows, path.name, synonyms, options)
            parts.append(trainings)
            notes += notes_of_rows
    log = pd.concat(parts, ignore_index=True)
    return Reading({"training": _summed(log)}, tuple(notes))


def _plain(written: object) -> str:
    return re.sub(r"[\W_]+", " ", str(written).casefold()).strip()


def _logs(path: Path, declared: Mapping[str, str]) -> Iterator[pd.DataFrame]:
    """Yield the log of each sheet that has one, in our columns; the index is the row."""
    unknown = sorted(set(declared) - set(_USUAL))
    if unknown:
        raise ContractError(
            f"source.files.training.columns names {unknown[0]}, must name one of "
            f"{', '.join(_USUAL)}; correct it."
        )
    layout = {**_USUAL, **{ours: (theirs,) for ours, theirs in declared.items()}}
    logs, missing = [], []
    for sheet in sheets(path, known=[name for names_of in layout.values() for name in names_of]):
        held = {ours: of for ours, of in layout.items() if sheet.held(map(key, of))}
        missing = [name for name in ("urn", "programme", "start_date") if name not in held]
        if not missing:
            logs.append(renamed(sheet, frame(sheet), held))
            logs[-1].attrs |= {
                "start": sheet.header[sheet.keys.index(sheet.held(map(key, held["start_date"])))],
                "notes": ragged_note(sheet),
            }
    if not logs:
        raise ContractError(
            f"{path.name} has no column for {', '.join(missing)}, must have it; name the columns "
            "of the school, the course and its first day in source.files.training.columns."
        )
    yield from logs


def _understood(
    rows: pd.DataFrame, file: str, synonyms: Mapping[str, Mapping[str, str]], options: Options
) -> tuple[pd.DataFrame, list[Message]]:
    """Return the rows that are trainings, in the contract's codes, and what was left out."""
    total, notes = len(rows), [*rows.attrs["notes"]]

    def leave_out(code: str, which: pd.Series, listed: str) -> None:
        nonlocal rows
        if which.any():
            notes.append(note(code, file=file, rows=int(which.sum()), of_rows=total, which=listed))
            rows = rows[~which]

    if re.search(r"complet|finish|\bend|certif", rows.attrs["start"].casefold()):
        notes.append(note("start_may_be_completion", file=file, which=rows.attrs["start"]))
    if "attended" in rows:
        attended = rows["attended"].map(_plain).fillna("")
        taken_up = attended.map(lambda text: _attended(str(text), synonyms)).astype("bool")
        leave_out("bookings_not_attended", ~taken_up, _rows_of(~taken_up))
    else:
        notes.append(note("attendance_not_recorded", file=file, rows=total, of_rows=total))
    programmes = (*names.PROGRAMMES, *options.programmes)
    meant = _coded(rows["programme"], synonyms.get("programme", {}), programmes)
    rows = rows.assign(written=rows["programme"], programme=meant)
    unknown = rows["programme"].isna()
    names_left_out = _first(sorted(set(rows["written"][unknown].dropna())))
    leave_out("programmes_without_synonym", unknown, names_left_out)
    rows = rows.assign(tier=_tier(rows, synonyms.get("tier", {}), file))
    leave_out("tier_unknown", rows["tier"].isna(), _rows_of(rows["tier"].isna()))
    days = coded.column(coded.day, rows["start_date"])
    month_first = days.isna() & rows["start_date"].str.fullmatch(
        r"\d{1,2}/(1[3-9]|2\d|3[01])/\d{4}"
    )
    if month_first.any():
        listed = _rows_of(month_first)
        notes.append(
            note("dates_month_first", file=file, rows=int(month_first.sum()), which=listed)
        )
    rows = rows.assign(start_date=days)
    leave_out("start_unread", days.isna(), _rows_of(days.isna()))
    urns = _schools(rows, synonyms.get("urn", {}), options)
    leave_out(
        "schools_of_log_not_found", urns.isna(), _proposals(rows["urn"][urns.isna()], options)
    )
    rows = rows.assign(urn=urns.reindex(rows.index))
    for column in rows.columns.intersection(list(_NUMBERS)):
        written, number = rows[column], _number(rows[column], _NUMBERS[column])
        if (unread := written.notna() & number.isna()).any():
            listed, count = _rows_of(unread), int(unread.sum())
            more = {"rows": count, "of_rows": total, "which": listed, "column": column}
            notes.append(note("numbers_unread", file=file, **more))
        rows = rows.assign(**{column: number})
    return _log_columns(rows, synonyms.get("audience", {})), notes


def _attended(written: str, synonyms: Mapping[str, Mapping[str, str]]) -> bool:
    return synonyms.get("attended", {}).get(written, written) in _ATTENDED


def _coded(written: pd.Series, meant: Mapping[str, str], codes: Sequence[str]) -> pd.Series:
    """Return the code that a text means: its synonym, or the code itself in any writing."""
    known = {**{_plain(code): code for code in codes}, **meant}
    return written.map(lambda text: known.get(_plain(text)), na_action="ignore").astype("str")


def _tier(rows: pd.DataFrame, meant: Mapping[str, str], file: str) -> pd.Series:
    if "tier" in rows:
        return _coded(rows["tier"], meant, names.TIERS)
    if not meant:
        raise ContractError(
            f"{file} has no column for tier, and no synonym says it; add the tier of each "
            "programme to source.files.training.synonyms, for example tier: {elsa: targeted}."
        )
    return _coded(rows["programme"], meant, names.TIERS)


def _schools(rows: pd.DataFrame, meant: Mapping[str, str], options: Options) -> pd.Series:
    written = rows["urn"].map(lambda text: meant.get(_plain(text), text), na_action="ignore")
    return places.find(written.fillna("").astype("str"), rows["start_date"], options)


def _number(written: pd.Series, unit: str) -> pd.Series:
    """Return the numbers that texts mean without their unit, NA where they mean none."""
    bare = written.str.replace(unit, "", regex=True)
    whole = bare.str.replace(",", "").where(bare.str.fullmatch(_IN_THOUSANDS), bare)
    return pd.to_numeric(whole, errors="coerce").astype("float64")


def _log_columns(rows: pd.DataFrame, audiences: Mapping[str, str]) -> pd.DataFrame:
    blank = pd.Series(pd.NA, index=rows.index, dtype="str")
    numbers = {name: rows.get(name, blank.astype("float64")) for name in _NUMBERS}
    audience = _coded(rows.get("audience", blank), audiences, names.AUDIENCES)
    delegate = rows.get("delegate", blank).map(_plain, na_action="ignore")
    return rows[_KEYS[:4]].assign(audience=audience, delegate=delegate, **numbers)


def _summed(log: pd.DataFrame) -> pd.DataFrame:
    """Return one row a school, programme, tier, day and audience."""
    once = log.drop_duplicates()
    grouped = once.groupby(_KEYS, dropna=False, sort=True)
    table = grouped.agg(
        staff_trained=("staff_trained", lambda n: n.sum(min_count=1)),
        people=("delegate", "nunique"),
        hours=("hours", "max"),
        cost=("cost", lambda n: n.sum(min_count=1)),
    ).reset_index()
    counted = table["people"].where(table["people"] > 0)
    staff = table["staff_trained"].fillna(counted).round().astype("Int64")
    return table.assign(staff_trained=staff)[list(RETURNS["training"].column_names)]


def _rows_of(which: pd.Series) -> str:
    listed = [str(row) for row in which.index[which.to_numpy()]]
    return f"rows {_first(listed)}"


def _first(listed: Sequence[str]) -> str:
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more


def _proposals(written: pd.Series, options: Options) -> str:
    """List the schools that were not found, by row, each with the nearest name there is."""
    listed = []
    for row, name in written.items():
        near = places.propose(str(name), options)
        listed.append(f"row {row}: {name}" + (f" (perhaps {near})" if near else ""))
    return _first(listed)
