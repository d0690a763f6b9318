"""Rates without counts, from DfE's Local Authority Interactive Tool (LAIT), by area.

All pupils' rates of absence and suspension count enrolments and sort schools differently from the
tables of children in need (the report says so to readers). DfE calls comparing
them by school type not appropriate: absence by school type is read all the same, as an indication;
suspensions by school type are not, because no group of children in need is published beside them.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from vsh_eval import academic_year, names
from vsh_eval.contracts import ContractError, require_columns
from vsh_eval.returns.published.areas import LONDON_PARTS
from vsh_eval.returns.published.cino import panel_of
from vsh_eval.returns.published.reading import read_text, refuse_repeats
from vsh_eval.returns.published.symbols import numbers_and_symbols

COLUMNS = ("Short Desc", "Years", "LA and Regions", "Values", "LA Number")

MEASURES: Mapping[str, tuple[str, str]] = {
    "TotAbs": ("overall_absence", names.TOTAL),
    "PriTotAbs": ("overall_absence", "primary"),
    "SecTotAbs": ("overall_absence", "secondary"),
    "total_absence_special": ("overall_absence", "special"),
    "TotAuthAbs": ("authorised_absence", names.TOTAL),
    "PriAuth": ("authorised_absence", "primary"),
    "SecAuth": ("authorised_absence", "secondary"),
    "authorised_absence_special": ("authorised_absence", "special"),
    "TotUnAuthAbs": ("unauthorised_absence", names.TOTAL),
    "PriUnauth": ("unauthorised_absence", "primary"),
    "SecUnauth": ("unauthorised_absence", "secondary"),
    "unauthorised_absence_special": ("unauthorised_absence", "special"),
    "TotPerAbNew": ("persistent_absence", names.TOTAL),
    "SFPriPerAbNew": ("persistent_absence", "primary"),
    "SFSecPerAbNew": ("persistent_absence", "secondary"),
    "SpecPerAbNew": ("persistent_absence", "special"),
    "TotSevPerAbNew": ("severe_absence", names.TOTAL),
    "SFPriSevPerAbNew": ("severe_absence", "primary"),
    "SFSecSevPerAbNew": ("severe_absence", "secondary"),
    "SpecSevPerAbNew": ("severe_absence", "special"),
    # Suspensions, and permanent exclusions, per 100 pupils on roll in January.
    "TotFixedEx": ("suspension_rate", names.TOTAL),
    "Total_ Pup_FixedEx": ("pupils_suspended", names.TOTAL),
    "TotPermEx": ("permanent_exclusion", names.TOTAL),
    "FSP_NEW_GOODDEV": ("eyfsp_gld", names.TOTAL),
    "KS1P_all": ("phonics_expected", names.TOTAL),
    "KS2RWM_Expected_STD": ("ks2_rwm_expected", names.TOTAL),
    "KS2R_Expected_STD": ("ks2_reading_expected", names.TOTAL),
    "KS2W_Teacher_Assess": ("ks2_writing_expected", names.TOTAL),
    "KS2M_Expected_STD": ("ks2_maths_expected", names.TOTAL),
    "KS2R_Prog_VA": ("ks2_reading_progress", names.TOTAL),
    "KS2W_Prog_VA": ("ks2_writing_progress", names.TOTAL),
    "KS2M_Prog_VA": ("ks2_maths_progress", names.TOTAL),
    "AVG_Attain8_Score": ("ks4_attainment8", names.TOTAL),
    "AVG_Prog8_Score": ("ks4_progress8", names.TOTAL),
    "EngMaths9-4": ("ks4_basics_94", names.TOTAL),
    "EngMaths9-5": ("ks4_basics_95", names.TOTAL),
}
"""All pupils: the tool's short descriptions and the metric and phase of each, by its dictionary."""

SOCIAL_CARE: Mapping[str, tuple[str, str]] = {
    "CIN_Good _Develop": ("eyfsp_gld", names.CIN),
    "CPP_Good_Develop": ("eyfsp_gld", names.CPP),
    "LAC_Good_Develop": ("eyfsp_gld", names.CLA),
    "CINFixedExclusion": ("pupils_suspended", names.CIN),
    "LAC_Fixed_ Ex": ("pupils_suspended", names.CLA),
    "CINPermExclusion": ("permanent_exclusion", names.CIN),
}
"""Groups of children in need whose counts are in none of the release's files, and their metric.

The tool says "children in need" and cites the outcomes of children in need for all of these. Where
that release's own files give the same measure (absence, key stages 2 and 4), the tool's figure is
CINO's, CPPO's or CLA's in every authority and year (15,761 cells of 20 measures compared), so these
are taken for CINO, CPPO and CLA of twelve months too. Its years before the release's first come
from earlier releases and are left out. The tool has no suspensions of children on a child
protection plan and no phonics of any group."""

_NEVER_PUBLISHED = "0"
"""The tool's year of a place holder without numbers."""
_NOT_SHOWN = (("-", names.UNAVAILABLE),)
_FLOAT_DUST = 6
_YEAR = re.compile(r"^(?P<year>\d{4}(?:/\d{2})?)(?: \((?:Rev|Final|prov)\))?$")


def read_comparators(path: Path) -> pd.DataFrame:
    """Read the measures of ``MEASURES`` and ``SOCIAL_CARE`` from the tool's long table, as text.

    Parameters
    ----------
    path : Path
        The table as Parquet or CSV.

    Returns
    -------
    DataFrame
        ``COLUMNS`` and ``time_period``; rows of other measures are left out.

    Raises
    ------
    ContractError
        If a column is missing, no measure is there, a year cannot be read or a row stands twice.
    """
    wanted = [*MEASURES, *SOCIAL_CARE]
    if path.suffix == ".parquet":
        # A row filter keeps a table of 640,000 rows from being read for a tenth of them.
        table = pd.read_parquet(path, filters=[("Short Desc", "in", wanted)])
    else:
        table = read_text(path)
    require_columns(table, COLUMNS, name=path.name)
    table = table.loc[table["Short Desc"].isin(wanted), list(COLUMNS)]
    empty = table["Years"].eq(_NEVER_PUBLISHED) & table["Values"].isin([s for s, _ in _NOT_SHOWN])
    table = table.loc[~empty]
    if not table["Short Desc"].isin(list(MEASURES)).any():
        raise ContractError(
            f"{path.name}: Short Desc holds no all-pupil measure, must hold some of "
            f"{', '.join(MEASURES)}; download the tool's whole table."
        )
    years = {year: _time_period(year, origin=path.name) for year in table["Years"].unique()}
    table = table.assign(time_period=table["Years"].map(years).astype("int64"))
    keys = ["Short Desc", "time_period", "LA and Regions"]
    refuse_repeats(table, keys, "a measure, year and area", origin=path.name)
    return table


def latest_year(table: pd.DataFrame) -> int:
    """Return the last year of absence with a number, which is the release the table goes with.

    Attainment is updated before absence, so its later years do not make a newer release.
    Without absence, the last year of any measure.
    """
    overall = table["Short Desc"].eq("TotAbs")
    shown = pd.to_numeric(table["Values"], errors="coerce").notna()
    years = table.loc[overall & shown, "time_period"]
    return int((table["time_period"] if years.empty else years).max())


def comparator_rows(
    table: pd.DataFrame, *, areas: pd.DataFrame, vintage: str, origin: str, first_year: int
) -> pd.DataFrame:
    """Turn the tool's rates into rows of the panel: group ``all``, and groups of children in need.

    Parameters
    ----------
    table : DataFrame
        From `read_comparators`.
    areas : DataFrame
        Areas of the release: ONS codes by former code (authorities) and by name (others).
    vintage : str
        The release that every row carries.
    origin : str
        The file's name, used in errors.
    first_year : int
        The release's first academic year; earlier rates of ``SOCIAL_CARE`` are left out.

    Returns
    -------
    DataFrame
        The panel's columns, with ``rate`` only: counts and sums are missing. A rate that is not
        shown (``-``) has status ``x``. Areas that the release does not know are left out.

    Raises
    ------
    ContractError
        If a value is blank or neither a number nor a symbol.
    """
    placed = table.assign(unit_id=_unit_ids(table, areas=areas))
    earlier = placed["Short Desc"].isin(list(SOCIAL_CARE)) & placed["time_period"].lt(first_year)
    selected = placed["unit_id"].notna() & ~placed["unit_id"].isin(LONDON_PARTS) & ~earlier
    placed = placed.loc[selected]
    rates, symbols = numbers_and_symbols(placed["Values"], origin=origin, also=_NOT_SHOWN)
    level = areas.set_index("unit_id")["level"]
    metric = {short: metric for short, (metric, _) in {**MEASURES, **SOCIAL_CARE}.items()}
    phase = {short: phase for short, (_, phase) in MEASURES.items()}
    group = {short: group for short, (_, group) in SOCIAL_CARE.items()}
    rows = pd.DataFrame(
        {
            "vintage": vintage,
            "level": placed["unit_id"].map(level),
            "unit_id": placed["unit_id"],
            "time_period": placed["time_period"],
            "phase": placed["Short Desc"].map(phase).fillna(names.TOTAL),
            "group": placed["Short Desc"].map(group).fillna(names.ALL),
            "metric": placed["Short Desc"].map(metric),
            # The tool stores 4.65 as 4.6500000000000004.
            "rate": rates.round(_FLOAT_DUST),
            "status": symbols,
        }
    )
    return panel_of(rows).reset_index(drop=True)


def _unit_ids(table: pd.DataFrame, *, areas: pd.DataFrame) -> pd.Series:
    """Find ONS codes: an authority by its former code, England and regions by name."""
    local = areas.loc[areas["level"].eq(names.LA)]
    others = areas.loc[areas["level"].ne(names.LA)]
    by_code = dict(zip(local["old_la_code"], local["unit_id"], strict=True))
    by_name = dict(zip(others["name"].str.casefold(), others["unit_id"], strict=True))
    by_name |= {
        f"london ({part})": by_name[f"{part} london"]
        for part in ("inner", "outer")
        if f"{part} london" in by_name
    }
    number = pd.to_numeric(table["LA Number"], errors="coerce").astype("Int64").astype("str")
    named = table["LA and Regions"].str.strip().str.casefold().map(by_name)
    return number.map(by_code).fillna(named)


def _time_period(written: str, *, origin: str) -> int:
    """Read 2025 as the academic year that ends in it, 2024/25 as itself."""
    match = _YEAR.match(str(written).strip())
    if match is None:
        raise ContractError(
            f"{origin}: Years is {written!r}, must be an academic year such as 2025 or 2024/25."
        )
    year = match["year"]
    return academic_year.parse(year) if "/" in year else academic_year.from_start(int(year) - 1)
