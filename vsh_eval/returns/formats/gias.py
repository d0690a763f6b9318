"""Get Information about Schools (GIAS): the extract of establishments, and their links.

Sources: the headers of 2017, 2021 and 2024 (120, 139 and 140 columns) and GIAS's glossary of
establishment types, phases and link types.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from vsh_eval.contracts import ContractError, Message
from vsh_eval.returns.formats import coded
from vsh_eval.returns.formats.reading import Options, Reading, counted
from vsh_eval.returns.formats.rows import Sheet, connect, load, select, sheets
from vsh_eval.returns.reorganised import predecessors, same_area

_ESTABLISHMENTS = ("urn", "lacode", "establishmentname", "establishmentnumber")
_LINKS = ("urn", "linkurn", "linktype")
_GROUPS = ("groupuid", "groupid")
_KNOWN = (*_ESTABLISHMENTS, *_LINKS, *_GROUPS)

_PHASES: Mapping[str, str] = {
    "nursery": "early_years",
    "primary": "primary",
    "middle deemed primary": "primary",
    "secondary": "secondary",
    "middle deemed secondary": "secondary",
    "all-through": "all_through",
    "16 plus": "sixteen_plus",
}
"""The phase of a mainstream school by GIAS's phase of education."""

_TYPES: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "community special school",
            "foundation special school",
            "non-maintained special school",
            "other independent special school",
            "academy special converter",
            "academy special sponsor led",
            "free schools special",
        ),
        "special",
    ),
    **dict.fromkeys(
        (
            "pupil referral unit",
            "free schools alternative provision",
            "academy alternative provision converter",
            "academy alternative provision sponsor led",
        ),
        "alternative_provision",
    ),
}
"""The phase of a school that its type decides, whatever its phase of education."""

_NO_STATE_SCHOOL = ("independent schools", "welsh schools", "universities", "online provider")
"""Groups of types that send no school census."""

_SUCCESSION = ("predecessor", "successor")


def read(paths: Sequence[Path], *, options: Options) -> Reading:
    r"""Read GIAS extracts of establishments, or of their links.

    Parameters
    ----------
    paths : sequence of Path
        CSV files or zip archives as GIAS gives them, or as a spreadsheet has saved them again.
        What each is, its columns say. A URN in several extracts has the row of the last file.
    options : Options
        ``authority``: only its schools become ``schools``, and those of the authorities of which
        it was formed; all where it is ''. ``references``: ``establishments``, where links are read.

    Returns
    -------
    Reading
        From extracts: ``schools`` (state-funded schools that are or were open, with ``pct_fsm``
        where GIAS has PercentageFSM) and the reference ``establishments`` (every
        establishment: ``urn``, ``laestab``, ``name``, ``la_code``, ``phase``, ``opened``,
        ``closed``). From links: ``school_links``, from predecessor to successor,
        whichever way it is written. Its date is that of the link; else the day the successor
        opened; else the day after its predecessor closed; else NaT.

    Raises
    ------
    ContractError
        If a file is neither, or is GIAS's file of groups, whose links are of trusts.

    Notes
    -----
    A school belongs to the authority whose ONS code stands in ``GSSLACode (name)``; a row without
    one, to the authority that most rows of its three-digit code name. Links of other types, of a
    school to itself and in a circle are left out and counted. So are rows of another layout under
    the header.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "links.csv")
    ...     _ = path.write_text("URN,LinkURN,LinkType,LinkEstablishedDate\n"
    ...                         "141930,121669,Predecessor,01-04-2015\n")
    ...     links = read([path], options=Options()).tables["school_links"]
    >>> links[["urn", "successor_urn"]].values.tolist(), str(links["date"][0].date())
    ([['121669', '141930']], '2015-04-01')
    """
    notes: list[Message] = []
    held: set[str] = set()
    with connect() as connection:
        for sheet in (sheet for path in paths for sheet in sheets(path, known=_KNOWN)):
            table = "links" if set(_LINKS) <= set(sheet.keys) else "extracts"
            held.add(table)
            sql = _link_sql(sheet) if table == "links" else _sql(sheet)
            notes += load(connection, table, sheet, sql)
        frames = {table: connection.execute(f"FROM {table}").df() for table in held}
    read_links = _school_links(frames["links"], options) if "links" in held else Reading({})
    read_schools = _schools(frames["extracts"], options) if "extracts" in held else Reading({})
    return Reading(
        {**read_schools.tables, **read_links.tables},
        (*notes, *read_schools.notes, *read_links.notes),
        read_schools.references,
    )


def _require_extract(sheet: Sheet) -> None:
    if set(_GROUPS) & set(sheet.keys):
        raise ContractError(
            f"{sheet.name} holds groups of schools, must hold establishments or their links; "
            "fetch 'Establishment fields' and 'Establishment links' from GIAS."
        )
    missing = [name for name in _ESTABLISHMENTS if name not in sheet.keys]
    if missing:
        raise ContractError(
            f"{sheet.name} lacks {', '.join(missing)} (spaces and brackets apart), must have them; "
            "fetch 'Establishment fields' from GIAS with all columns."
        )


def _sql(sheet: Sheet) -> str:
    _require_extract(sheet)
    column = {
        "urn": _whole(sheet.text("urn")),
        "la": f"lpad({_whole(sheet.text('lacode'))}, 3, '0')",
        "number": _whole(sheet.text("establishmentnumber")),
        "name": sheet.text("establishmentname"),
        "type": f"lower({sheet.text('typeofestablishmentname')})",
        "type_group": f"lower({sheet.text('establishmenttypegroupname')})",
        "status": f"lower({sheet.text('establishmentstatusname')})",
        "education": f"lower({sheet.text('phaseofeducationname')})",
        "la_code": f"nullif(regexp_extract({sheet.text('gsslacodename')}, '^[EW]\\d{{8}}$'), '')",
        "opened": coded.day(sheet.text("opendate")),
        "closed": coded.day(sheet.text("closedate")),
        "pct_fsm": f"TRY_CAST({sheet.text('percentagefsm')} AS DOUBLE)",
    }
    return select(column)


def _whole(text: str) -> str:
    """Write the SQL of a number's digits, without the ``.0`` and zeros of a spreadsheet."""
    return f"CAST(TRY_CAST({text} AS BIGINT) AS VARCHAR)"


def _schools(extract: pd.DataFrame, options: Options) -> Reading:
    known = extract.dropna(subset=["urn"]).drop_duplicates("urn", keep="last")
    # Text that is blank in every row is no text to pandas.
    known = known.astype({name: "str" for name in known if known[name].dtype == "object"})
    known = known.assign(
        name=known["name"].map(_unmangled),
        phase=known["type"].map(_TYPES).fillna(known["education"].map(_PHASES)),
        la_code=known["la_code"].fillna(known["la"].map(_usual_code(known)).astype("str")),
        laestab=known["la"] + known["number"].str.zfill(4),
    )
    school = known["phase"].notna() & ~known["type_group"].isin(_NO_STATE_SCHOOL)
    school &= known["la_code"].notna() & ~known["status"].eq("proposed to open")
    codes = (*same_area(options.authority), *predecessors(options.authority))
    own = known["la_code"].isin(codes) if options.authority else True
    columns = ["urn", "name", "phase", "la_code", "opened", "closed"]
    covariates = ["pct_fsm"] if known.loc[school & own, "pct_fsm"].notna().any() else []
    schools = known.loc[school & own, [*columns, *covariates]]
    if schools.empty:
        raise ContractError(
            f"the GIAS extract holds no school of authority {options.authority!r}, must hold the "
            "evaluated authority's; correct authority.code, or fetch all establishments."
        )
    left_out = (known["la_code"].isin(codes) & ~school).sum()
    establishments = known[[*columns, "laestab"]]
    return Reading(
        {"schools": schools.sort_values("urn", ignore_index=True)},
        counted(of_rows=left_out + len(schools), establishments_no_school=left_out),
        {"establishments": establishments.sort_values("urn", ignore_index=True)},
    )


def _usual_code(known: pd.DataFrame) -> Mapping[str, str]:
    """Return the ONS code that most rows of each three-digit authority have."""
    named = known.dropna(subset=["la_code", "la"])
    counted = named.groupby(["la", "la_code"]).size().sort_values(kind="stable")
    return dict(counted.index)


def _unmangled(name: object) -> object:
    """Mend Windows-1252 signs that were written as if they were Latin-1."""
    if not isinstance(name, str) or not any("\x80" <= sign <= "\x9f" for sign in name):
        return name
    return "".join(_windows(sign) for sign in name)


def _windows(sign: str) -> str:
    if not "\x80" <= sign <= "\x9f":
        return sign
    return sign.encode("latin-1").decode("cp1252", errors="ignore")


def _link_sql(sheet: Sheet) -> str:
    kind = f"lower(trim(split_part({sheet.text('linktype')}, '-', 1)))"
    return select(
        {
            "urn": _whole(sheet.text("urn")),
            "link": _whole(sheet.text("linkurn")),
            "kind": kind,
            "date": coded.day(sheet.text("linkestablisheddate")),
        }
    )


def _school_links(links: pd.DataFrame, options: Options) -> Reading:
    links = links.dropna(subset=["urn", "link"])
    others = ~links["kind"].isin(_SUCCESSION)
    links = links[~others]
    backwards = links["kind"].eq("predecessor")
    pairs = pd.DataFrame(
        {
            "urn": links["link"].where(backwards, links["urn"]),
            "successor_urn": links["urn"].where(backwards, links["link"]),
            "date": links["date"],
        }
    )
    selves = pairs["urn"] == pairs["successor_urn"]
    # The same link is often there from both ends; the earlier date is that of the change.
    pairs = pairs[~selves].sort_values("date").drop_duplicates(["urn", "successor_urn"])
    circle = _in_a_circle(pairs)
    pairs = _dated(pairs[~circle], options.references.get("establishments"))
    table = pairs.sort_values(["urn", "successor_urn"], ignore_index=True)
    notes = counted(
        of_rows=len(others),
        links_of_other_types=others.sum(),
        links_to_itself=selves.sum(),
        links_in_a_circle=circle.sum(),
    )
    return Reading({"school_links": table}, notes)


def _in_a_circle(pairs: pd.DataFrame) -> pd.Series:
    """Say of each link whether following links from it leads back to where it starts."""
    onward = {urn: set(ends) for urn, ends in pairs.groupby("urn")["successor_urn"]}
    reached = {urn: {*ends} for urn, ends in onward.items()}
    for ends in reached.values():
        while more := {next_ for end in ends for next_ in onward.get(end, ())} - ends:
            ends.update(more)
    ends = zip(pairs["urn"], pairs["successor_urn"], strict=True)
    back = [urn in reached.get(end, ()) for urn, end in ends]
    return pd.Series(back, index=pairs.index, dtype="bool")


def _dated(pairs: pd.DataFrame, establishments: pd.DataFrame | None) -> pd.DataFrame:
    """Fill a link's date with the day its successor opened, else the day after the closing."""
    if establishments is None:
        return pairs
    known = establishments.set_index("urn")
    opened = pairs["successor_urn"].map(known["opened"])
    closed = pairs["urn"].map(known["closed"]) + pd.Timedelta(days=1)
    return pairs.assign(date=pairs["date"].fillna(opened).fillna(closed))
