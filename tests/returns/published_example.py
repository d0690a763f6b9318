"""An invented release of DfE's published files, a few lines each: for documentation and tests.

Every number is made up. The tables have the layout of the release of 2026, as text.
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

YEARS = ("201920", "202324", "202425")
GROUPS = {
    "CINO at 31 March": (100, 40, 12),
    "CPPO at 31 March": (50, 25, 8),
    "CLA 12 months at 31 March": (40, 10, 3),
}
"""Pupils, persistent absentees and severe absentees of each group."""

_ENGLAND = {"geographic_level": "National", "country_code": "E92000001", "country_name": "England",
            "region_code": "", "region_name": "", "old_la_code": "", "la_name": "",
            "new_la_code": ""}  # fmt: skip


def _region(code: str, name: str) -> dict[str, str]:
    return _ENGLAND | {"geographic_level": "Regional", "region_code": code, "region_name": name}


def _authority(region: Mapping[str, str], code: str, old: str, name: str) -> dict[str, str]:
    return {
        **region,
        "geographic_level": "Local authority",
        "new_la_code": code,
        "old_la_code": old,
        "la_name": name,
    }


_NORTH_WEST = _region("E12000002", "North West")
_LONDON = _region("E12000007", "London")
_INNER = _region("E13000001", "Inner London")

AREAS = (
    _ENGLAND,
    _NORTH_WEST,
    _LONDON,
    _INNER,
    _authority(_NORTH_WEST, "E06000049", "895", "Cheshire East"),
    _authority(_NORTH_WEST, "E06000050", "896", "Cheshire West and Chester"),
    _authority(_INNER, "E09000007", "202", "Camden"),
)
"""England, two regions, a part of London, and three authorities."""


def _rows() -> list[dict[str, str]]:
    return [
        {"time_period": year, **area, "social_care_group": group}
        for year in YEARS
        for area in AREAS
        for group in GROUPS
    ]


def absence() -> pd.DataFrame:
    """Return an absence file: 10 possible sessions a pupil, none in 2019/20."""
    rows = []
    for row in _rows():
        pupils, persistent, severe = GROUPS[row["social_care_group"]]
        counts = {
            "t_pupils": f"{pupils}",
            "t_sess_possible": f"{pupils * 10}",
            "t_sess_overall": "174",
            "pt_overall": f"{17400 / (pupils * 10):.1f}",
            "t_sess_authorised": "92",
            "pt_sess_authorised": f"{9200 / (pupils * 10):.1f}",
            "t_sess_unauthorised": "82",
            "pt_sess_unauthorised": f"{8200 / (pupils * 10):.1f}",
            "t_pupils_pa_10_exact": f"{persistent}",
            "pt_pupils_pa_10_exact": f"{100 * persistent / pupils:.1f}",
            "t_pupils_pa_50_exact": f"{severe}",
            "pt_pupils_pa_50_exact": f"{100 * severe / pupils:.1f}",
        }
        if row["time_period"] == "201920":
            counts = dict.fromkeys(counts, "x")
        types = ("Total", "State-funded primary", "State-funded alternative provision school")
        rows += [
            {**row, "absence_terms": "six half terms", "phase_type_grouping": school, **counts}
            for school in types
        ]
    return pd.DataFrame(rows, dtype="str")


def absence_of_an_earlier_release() -> pd.DataFrame:
    """Return the same absence in the layout of 2024, without its last year."""
    table = absence().query("time_period != '202425'").assign(absence_terms="Six half terms")
    earlier = {"State-funded alternative provision school": "State-funded AP school"}
    return table.replace({"phase_type_grouping": earlier}).rename(
        columns={"absence_terms": "year_breakdown", "phase_type_grouping": "school_type"}
    )


def key_stage_2() -> pd.DataFrame:
    """Return a key stage 2 file: 30 eligible pupils, 9 at the expected standard."""
    counts = {
        "t_rwm_eligible_pupils": "30",
        "t_rwm_met_expected_standard": "9",
        "pt_rwm_met_expected_standard": "30",
    }
    return pd.DataFrame([{**row, "version": "Final", **counts} for row in _rows()], dtype="str")


def key_stage_4() -> pd.DataFrame:
    """Return a key stage 4 file: 20 pupils with 345.5 points in all."""
    counts = {"t_pupils": "20", "t_att8": "345.5", "avg_att8": "17.3"}
    return pd.DataFrame([{**row, "version": "Final", **counts} for row in _rows()], dtype="str")


def comparators() -> pd.DataFrame:
    """Return all pupils' absence in the long layout of the Local Authority Interactive Tool."""
    areas = {"England": "970", "North West": "981", "London": "986", "London (Inner)": "987",
             "Cheshire East": "895", "Cumberland": "942"}  # fmt: skip
    values = {("TotAbs", "2020"): "-", ("TotAbs", "2025"): "6.7800000000000002",
              ("SecTotAbs", "2025"): "8.44", ("AVG_Attain8_Score", "2025"): "46",
              ("InfMort", "2025"): "4.1"}  # fmt: skip
    return pd.DataFrame(
        [
            {"Short Desc": measure, "Data item": "NA", "Years": year, "LA and Regions": area,
             "Values": value, "LA Number": number, "Region": "NA"}
            for (measure, year), value in values.items()
            for area, number in areas.items()
        ],
        dtype="str",
    )  # fmt: skip


def neighbours() -> pd.DataFrame:
    """Return the neighbours of one authority: the nine last are not in the release."""
    ranks = {"SN_1": "896", "SN_1P": "Very close"}
    for rank in range(2, 11):
        ranks |= {f"SN_{rank}": f"{900 + rank}", f"SN_{rank}P": "Close "}
    area = {"old_la_code": "895", "la_name": "Cheshire East", "region_name": "North West"}
    return pd.DataFrame([{**area, **ranks}], dtype="str")


def write(folder: Path, **replaced: pd.DataFrame | None) -> Path:
    """Write the release into a folder, a CSV file a table.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    **replaced : DataFrame or None
        Tables to write in place of this module's (``absence``, ``key_stage_2``, ``key_stage_4``,
        ``comparators``, ``neighbours``), or under a further name; None writes none.

    Returns
    -------
    Path
        The folder.
    """
    tables: dict[str, pd.DataFrame | None] = {
        "absence": absence(),
        "key_stage_2": key_stage_2(),
        "key_stage_4": key_stage_4(),
        "comparators": comparators(),
        "neighbours": neighbours(),
        **replaced,
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        if table is not None:
            # DfE's files begin with a byte order mark more often than not.
            table.to_csv(folder / f"{name}.csv", index=False, encoding="utf-8-sig")
    return folder
