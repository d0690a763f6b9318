"""An invented authority as the files that one would hold: GIAS, COLLECT, results, training log.

`social_care_returns` writes the census of children in need and SSDA903.
"""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from vsh_eval import academic_year, names
from vsh_eval.contracts import ContractError
from vsh_eval.numerics.check_letters import check_letters
from vsh_eval.synthetic.authority import Authority

_LA = "999"
_FIRST_NUMBER = 2001
_HALF_6 = 0.4
"""The part of the summer term's sessions that is in its second half."""
_LAST_TOTALS = 2024
_EDUCATION = {
    "primary": "Primary",
    "secondary": "Secondary",
    "all_through": "All-through",
    "early_years": "Nursery",
    "sixteen_plus": "16 plus",
}
_TYPES = {"special": "Community special school", "alternative_provision": "Pupil referral unit"}
_ID = {"on": "pupilonrolltableid", "off": "pupilnolongeronrolltableid"}
_CODED = [name for name in names.COMPOSITION_STRATA if name not in ("fsm6", "year_group")]
_HEADINGS = {"sen": "senprovision"}
"""What the census calls a characteristic, where it is not our name."""
_RESULTS = {
    "ks2_rwm_expected": "RWMEXP",
    "ks2_reading_expected": "READEXP",
    "ks2_writing_expected": "WRITTAEXP",
    "ks2_maths_expected": "MATEXP",
    "ks2_reading_score": "READSCORE",
    "ks2_maths_score": "MATSCORE",
    "ks2_reading_progress": "READPROGSCORE_EM_ADJUSTED",
    "ks2_writing_progress": "WRITPROGSCORE_EM_ADJUSTED",
    "ks2_maths_progress": "MATPROGSCORE_EM_ADJUSTED",
    "ks4_attainment8": "KS4_ATT8",
    "ks4_progress8": "KS4_P8SCORE",
    "ks4_basics_94": "KS4_L2BASICS_94",
    "ks4_basics_95": "KS4_L2BASICS_95",
    "phonics_expected": "Phonics_PHONICS_OUTCOME",
    "eyfsp_gld": "FSP_GLD",
}
_PREFIXES = {"ks2": "", "ks4": "KS4_", "phonics": "Phonics_", "eyfsp": "FSP_"}


def upns_of(pupil_ids: pd.Series) -> pd.Series:
    """Return an invented UPN for each invented pupil: of no real authority, its check letter right.

    Examples
    --------
    >>> upns_of(pd.Series(["P0000001"])).tolist()
    ['N990000000001']
    """
    digits = "99" + pupil_ids.astype("str").str[1:].str.zfill(10)
    signs = digits.to_numpy("U12").view("U1").reshape(-1, 12).astype("int64")
    return pd.Series(check_letters(signs), index=digits.index, dtype="str") + digits


def write_files(folder: Path, authority: Authority) -> dict[str, object]:
    """Write an invented authority's tables as files of schools' data.

    Parameters
    ----------
    folder : Path
        Where to; must exist.
    authority : Authority
        From `vsh_eval.synthetic.invent`. Pupils have the UPNs of `upns_of`.

    Returns
    -------
    dict
        The section ``source.files`` of params that read them, relative to the folder.

    Raises
    ------
    ContractError
        If there are more schools than establishment numbers.
    """
    tables = {
        name: table.assign(upn=upns_of(table["pupil_id"])) if "pupil_id" in table else table
        for name, table in authority.tables.items()
    }
    laestab = _laestabs(tables["schools"], tables["school_links"])
    _gias(folder, tables, laestab)
    for name, table in _collect(tables, laestab):
        table.to_csv(folder / f"{name}.csv", index=False)
    for name, table in _downloads(tables["attainment"]):
        table.to_csv(folder / f"{name}.csv", index=False)
    write_log(folder / "training_log.xlsx", _log(tables["training"]))
    return {
        "gias": "edubasealldata.csv",
        "gias_links": "links_edubasealldata.csv",
        "school_census": "*_la_*.csv",
        "gip": "*_results.csv",
        "training": "training_log.xlsx",
    }


def _laestabs(schools: pd.DataFrame, links: pd.DataFrame) -> pd.Series:
    """Return each URN's LAESTAB; a converter keeps that of its predecessor."""
    if len(schools) > 9999 - _FIRST_NUMBER:
        raise ContractError(
            f"schools is {len(schools)}, must be at most {9999 - _FIRST_NUMBER} to have "
            "establishment numbers; invent fewer, or write tables."
        )
    numbers = [f"{_LA}{_FIRST_NUMBER + at}" for at in range(len(schools))]
    laestab = pd.Series(numbers, index=schools["urn"].astype("str"))
    for urn, successor in links[["urn", "successor_urn"]].astype("str").to_numpy():
        laestab[successor] = laestab[urn]
    return laestab


def _gias(folder: Path, tables: dict[str, pd.DataFrame], laestab: pd.Series) -> None:
    schools, links = tables["schools"], tables["school_links"]
    extract = pd.DataFrame(
        {
            "URN": schools["urn"],
            "LA (code)": _LA,
            "EstablishmentNumber": schools["urn"].map(laestab).str[3:],
            "EstablishmentName": schools["name"],
            "TypeOfEstablishment (name)": schools["phase"].map(_TYPES).fillna("Community school"),
            "EstablishmentStatus (name)": schools["closed"]
            .isna()
            .map({True: "Open", False: "Closed"}),
            "OpenDate": schools["opened"].dt.strftime("%d-%m-%Y"),
            "CloseDate": schools["closed"].dt.strftime("%d-%m-%Y"),
            "PhaseOfEducation (name)": schools["phase"].map(_EDUCATION).fillna("Not applicable"),
            "PercentageFSM": schools["pct_fsm"],
            "GSSLACode (name)": schools["la_code"],
        }
    )
    extract.to_csv(folder / "edubasealldata.csv", index=False, encoding="cp1252")
    both_ways = pd.DataFrame(
        {
            "URN": [*links["urn"], *links["successor_urn"]],
            "LinkURN": [*links["successor_urn"], *links["urn"]],
            "LinkName": "",
            "LinkType": ["Successor"] * len(links) + ["Predecessor"] * len(links),
            "LinkEstablishedDate": [*links["date"].dt.strftime("%d-%m-%Y")] * 2,
        }
    )
    both_ways.to_csv(folder / "links_edubasealldata.csv", index=False)


def _collect(
    tables: dict[str, pd.DataFrame], laestab: pd.Series
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield every table of every census that the years touch."""
    enrolled = tables["enrolments"].assign(start=tables["enrolments"]["academic_year"] // 100)
    sessions = tables["attendance"].assign(start=tables["attendance"]["academic_year"] // 100)
    born = enrolled.drop_duplicates("upn").set_index("upn")
    born = (born["start"] - born["year_group"] - 4).astype("str") + "-Mar-15 00:00:00"
    people = born.rename("dob").reset_index()
    for start in sorted(set(enrolled["start"]) | {s + 1 for s in enrolled["start"]}):
        for census, term in (("autumn", "summer"), ("spring", "autumn"), ("summer", "spring")):
            year = start + (census != "autumn")
            of_term = sessions["start"].eq(year - 1) & sessions["term"].eq(term)
            on_roll = enrolled[enrolled["start"].eq(start)]
            everyone = on_roll.merge(
                sessions[of_term].drop(columns=["academic_year", "start", "pupil_id", "term"]),
                on=["upn", "urn"],
                how="outer",
                indicator="roll",
            ).merge(people, on="upn")
            if everyone.empty:
                continue
            everyone["roll"] = everyone["roll"].eq("right_only").map({True: "off", False: "on"})
            everyone["id"] = range(len(everyone))
            everyone["NativeId"] = everyone["urn"].map(laestab)
            yield from _census(f"{year}_{census}_la", year, census, everyone)
            if census == "spring":
                yield from _spring(f"{year}_spring_la", start, everyone, tables)


def _census(
    name: str, year: int, census: str, everyone: pd.DataFrame
) -> Iterator[tuple[str, pd.DataFrame]]:
    sums = {
        column: everyone[f"sess_{column}"].fillna(0).astype("int64")
        for column in ("possible", "authorised", "unauthorised")
    }
    # DfE leaves out the second half of the summer of pupils who were 15 when the year began.
    late = everyone["dob"].str[:4].astype("int64").gt(year - 16) & (census == "autumn")
    second = {column: (n * _HALF_6).astype("int64").where(late, 0) for column, n in sums.items()}
    first = {column: sums[column] - second[column] for column in sums}
    with_totals = year <= _LAST_TOTALS
    for roll, table in (("on", "pupilonroll"), ("off", "pupilnolongeronroll")):
        here = everyone["roll"].eq(roll)
        if not here.any():
            continue
        columns = {
            _ID[roll]: everyone["id"],
            "NativeId": everyone["NativeId"],
            "dob": everyone["dob"],
            "upn": everyone["upn"],
            **{_HEADINGS.get(name, name): everyone[name] for name in _CODED},
            "ncyearactual": everyone["year_group"].map(_year_group),
        }
        for half, prefix in ((first, "termly"), (second, "summerhalfterm2")):
            shown = [*half] if with_totals else ["possible"]
            if prefix == "termly" or census == "autumn":
                columns |= {f"{prefix}sessions{column}": half[column] for column in shown}
        yield f"{name}_{table}", pd.DataFrame(columns)[here]
        for half, of in (
            (first, "termlysessiondetails"),
            (second, "summerhalfterm2sessiondetails"),
        ):
            if not with_totals and (half is first or census == "autumn"):
                yield f"{name}_{of}{roll}roll", _codes(everyone[here], half, roll)


def _year_group(number: float) -> str:
    if pd.isna(number):
        return ""
    return {-2: "N1", -1: "N2", 0: "R"}.get(int(number), str(int(number)))


def _codes(here: pd.DataFrame, half: dict[str, pd.Series], roll: str) -> pd.DataFrame:
    present = half["possible"] - half["authorised"] - half["unauthorised"]
    by_code = {"/": present, "I": half["authorised"], "O": half["unauthorised"]}
    parts = [
        pd.DataFrame(
            {
                _ID[roll]: here["id"],
                "NativeId": here["NativeId"],
                "sessions": sessions[here.index],
                "attendancereason": code,
            }
        )
        for code, sessions in by_code.items()
    ]
    every = pd.concat(parts)
    return every[every["sessions"] > 0]


def _spring(
    name: str, start: int, everyone: pd.DataFrame, tables: dict[str, pd.DataFrame]
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield free school meals and exclusions, by the pupils of the spring census."""
    eligible = everyone[everyone["fsm6"].eq(1) & everyone["roll"].eq("on")]
    yield (
        f"{name}_fsmperiod",
        pd.DataFrame(
            {
                _ID["on"]: eligible["id"],
                "NativeId": eligible["NativeId"],
                "fsmstartdate": f"{start}-Sep-01 00:00:00",
                "fsmenddate": "",
            }
        ),
    )
    excluded = tables["suspensions"]
    excluded = excluded[excluded["academic_year"].eq(academic_year.from_start(start))]
    known = excluded.merge(everyone[["upn", "urn", "id", "NativeId", "roll"]], on=["upn", "urn"])
    for roll, of in known.groupby("roll"):
        parts = [
            of.loc[of.index.repeat(of[column])].assign(category=category)
            for column, category in (("suspensions", "SUSP"), ("permanent_exclusions", "PERM"))
        ]
        rows = pd.concat(parts)
        day = pd.Timestamp(start, 9, 10) + pd.to_timedelta(rows.groupby("upn").cumcount(), unit="D")
        yield (
            f"{name}_termlyexclusions{roll}roll",
            pd.DataFrame(
                {
                    _ID[str(roll)]: rows["id"],
                    "NativeId": rows["NativeId"],
                    "startdate": day.dt.strftime("%Y-%b-%d 00:00:00"),
                    "category": rows["category"],
                }
            ),
        )


def _downloads(attainment: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    stage = attainment["measure"].str.split("_").str[0]
    for name, prefix in _PREFIXES.items():
        rows = attainment[stage.eq(name)]
        if rows.empty:
            continue
        keys = ["academic_year", "upn", "urn"]
        wide = rows.pivot_table(index=keys, columns="measure", values="value").reset_index()
        start = wide["academic_year"] // 100
        download = pd.DataFrame(
            {
                f"{prefix}ACADYR": start.astype("str") + "/" + (start + 1).astype("str"),
                f"{prefix}UPN": wide["upn"],
                f"{prefix}URN": wide["urn"],
            }
        )
        for measure in (m for m in _RESULTS if m in wide):
            value = wide[measure]
            download[_RESULTS[measure]] = (
                value.map({1.0: "Wa", 0.0: "Wt"}) if name == "phonics" else value
            )
        yield f"{name}_results", download


def _log(training: pd.DataFrame) -> pd.DataFrame:
    columns = {
        "urn": "School URN",
        "programme": "Course",
        "tier": "Tier",
        "start_date": "Course start",
        "staff_trained": "Staff",
        "hours": "Hours",
        "audience": "Audience",
        "cost": "Cost",
    }
    rows = training.assign(
        programme=training["programme"].str.replace("_", " ").str.title(), Status="Attended"
    )
    return rows.rename(columns=columns)


def write_log(path: Path, rows: pd.DataFrame) -> None:
    """Write a log as a workbook with a title above it."""
    with pd.ExcelWriter(path, engine="xlsxwriter") as book:
        rows.to_excel(book, sheet_name="Log", startrow=2, index=False)
        book.sheets["Log"].write(0, 0, "Training log of the virtual school (invented)")
