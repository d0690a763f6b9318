"""DfE's outcomes of children in need: absence, key stage 2 and key stage 4, by area.

Source: DfE, *Outcomes for children in need, including children looked after by local authorities in
England*. CINO is children in need without those on a child protection plan or looked after, CPPO
is children on a child protection plan without those looked after, both on 31 March; CLA is children
looked after for twelve months on 31 March. National and regional counts are rounded to 10.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import ContractError, require_columns
from vsh_eval.returns.published.areas import LONDON_PARTS, with_units
from vsh_eval.returns.published.reading import read_text, refuse_repeats, years_written
from vsh_eval.returns.published.symbols import numbers_and_symbols, strongest

GROUPS = {
    "cino at 31 march": names.CIN,
    "cppo at 31 march": names.CPP,
    "cla 12 months at 31 march": names.CLA,
}
"""DfE's groups and ours; other groups of a file overlap these and are left out."""

PHASES = {
    "total": names.TOTAL,
    "state-funded primary": "primary",
    "state-funded secondary": "secondary",
    "special": "special",
    "state-funded alternative provision school": "alternative_provision",
    "state-funded ap school": "alternative_provision",
    "pupil referral unit": "alternative_provision",
}
"""DfE's school types, in every release's words, and our phases."""

RENAMED = {"school_type": "phase_type_grouping", "year_breakdown": "absence_terms"}
"""Columns of earlier releases, and what the same column is called since."""

_AREA = (
    "time_period",
    "geographic_level",
    "country_code",
    "country_name",
    "region_code",
    "region_name",
    "old_la_code",
    "la_name",
    "new_la_code",
    "social_care_group",
)
_WHOLE_YEAR = "six half terms"


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric as one file publishes it: the columns of its counts and of its rounded rate."""

    metric: str
    pupils: str
    numerator: str
    denominator: str
    rate: str
    required: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        """The file's columns it needs, each once."""
        return tuple(dict.fromkeys((self.pupils, self.numerator, self.denominator, self.rate)))


def _sessions(kind: str, missed: str, rate: str) -> Measure:
    return Measure(f"{kind}_absence", "t_pupils", missed, "t_sess_possible", rate)


def _absentees(kind: str, percent: int, *, required: bool) -> Measure:
    missed = f"t_pupils_pa_{percent}_exact"
    return Measure(f"{kind}_absence", "t_pupils", missed, "t_pupils", f"p{missed}", required)


def _expected(subject: str, word: str, *, required: bool = False) -> Measure:
    eligible, met = f"t_{word}_eligible_pupils", f"t_{word}_met_expected_standard"
    return Measure(f"ks2_{subject}_expected", eligible, met, eligible, f"p{met}", required)


def _progress(metric: str, pupils: str, score: str, mean: str) -> Measure:
    return Measure(metric, pupils, score, pupils, mean, required=False)


def _ks2_progress(subject: str, word: str) -> Measure:
    pupils, score = f"t_{word}_progress_eligible_pupils", f"{word}_progress_score"
    return _progress(f"ks2_{subject}_progress", pupils, f"t_{score}", f"avg_{score}")


def _basics(grade: int) -> Measure:
    metric, passed = f"ks4_basics_9{grade}", f"t_l2basics_9{grade}"
    return Measure(metric, "t_pupils", passed, "t_pupils", f"p{passed}", required=False)


MEASURES = {
    "absence": (
        _sessions("overall", "t_sess_overall", "pt_overall"),
        _sessions("authorised", "t_sess_authorised", "pt_sess_authorised"),
        _sessions("unauthorised", "t_sess_unauthorised", "pt_sess_unauthorised"),
        _absentees("persistent", 10, required=True),
        # Severe absence is published from the release of 2024 on.
        _absentees("severe", 50, required=False),
    ),
    "ks2": (
        _expected("rwm", "rwm", required=True),
        _expected("reading", "read"),
        _expected("writing", "writta"),
        _expected("maths", "mat"),
        _ks2_progress("reading", "read"),
        _ks2_progress("writing", "writta"),
        _ks2_progress("maths", "mat"),
    ),
    "ks4": (
        Measure("ks4_attainment8", "t_pupils", "t_att8", "t_pupils", "avg_att8"),
        _progress("ks4_progress8", "t_inp8calc", "t_p8score", "avg_p8score"),
        _basics(4),
        _basics(5),
    ),
}
"""What each file of the release counts, by the file's role. What is not required may be absent."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """One file of the release: its rows as text, with level, unit, year, phase and group."""

    role: str
    origin: str
    table: pd.DataFrame

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The measures whose columns the file has."""
        return tuple(
            measure
            for measure in MEASURES[self.role]
            if set(measure.columns) <= set(self.table.columns)
        )


def read_outcomes(path: Path, *, role: str) -> Outcomes:
    """Read one file of the release, of this or of an earlier layout, to one layout.

    Parameters
    ----------
    path : Path
        A CSV file with or without a byte order mark.
    role : {"absence", "ks2", "ks4"}
        What the file holds.

    Returns
    -------
    Outcomes
        Rows of the three groups and, for absence, of the whole year.

    Raises
    ------
    ContractError
        If a column is missing, a group or the whole year has no row, a school type or level is
        unknown, or a row stands twice.
    """
    written = read_text(path)
    table = written.rename(columns=dict(RENAMED))
    optional = {column for m in MEASURES[role] if not m.required for column in m.columns}
    needed = [column for m in MEASURES[role] if m.required for column in m.columns]
    described = (*_AREA, *(("absence_terms", "phase_type_grouping") if role == "absence" else ()))
    wanted = list(dict.fromkeys((*described, *needed)))
    require_columns(table, wanted, name=path.name)
    wanted += [column for column in table.columns if column in optional and column not in wanted]
    table = _of_groups(table[wanted], origin=path.name)
    if role == "absence":
        table = _of_whole_year(table, origin=path.name)
    table = with_units(table.assign(phase=_phase(table, path.name)), origin=path.name)
    years = years_written(table["time_period"], origin=path.name)
    table = table.assign(time_period=table["time_period"].map(years).astype("int64"))
    keys = ["unit_id", "time_period", "phase", "group"]
    refuse_repeats(table, keys, "an area, year, school type and group", origin=path.name)
    return Outcomes(role, path.name, table)


def panel_rows(outcomes: Outcomes, *, vintage: str) -> pd.DataFrame:
    """Turn one file's counts into rows of the panel.

    Parameters
    ----------
    outcomes : Outcomes
        The file.
    vintage : str
        The release that every row carries.

    Returns
    -------
    DataFrame
        The panel's columns, one row for each area, year, phase, group and metric. ``pupils``,
        ``numerator`` and ``denominator`` are DfE's counts, ``rate`` its rounded rate. A number that
        is not shown is missing and ``status`` says why, the strongest symbol of the row's
        cells; the row's other numbers stay as published. An area without pupils in the group
        has 0 pupils and status ``z``.

    Raises
    ------
    ContractError
        If a cell is blank or holds an unknown symbol.
    """
    table = outcomes.table
    # London stands for its parts, which would count it twice.
    table = table.loc[~table["unit_id"].isin(LONDON_PARTS)]
    columns = dict.fromkeys(column for m in outcomes.measures for column in m.columns)
    cells = {
        column: numbers_and_symbols(table[column], origin=outcomes.origin) for column in columns
    }
    keys = table[["level", "unit_id", "time_period", "phase", "group"]].assign(vintage=vintage)
    rows = [_rows_of(measure, keys=keys, cells=cells) for measure in outcomes.measures]
    return pd.concat(rows, ignore_index=True)


def _rows_of(
    measure: Measure, *, keys: pd.DataFrame, cells: dict[str, tuple[pd.Series, pd.Series]]
) -> pd.DataFrame:
    numbers = {column: cells[column][0] for column in measure.columns}
    return panel_of(
        keys.assign(
            metric=measure.metric,
            pupils=numbers[measure.pupils],
            numerator=numbers[measure.numerator],
            denominator=numbers[measure.denominator],
            rate=numbers[measure.rate],
            status=strongest(*(cells[column][1] for column in measure.columns)),
        )
    )


def panel_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Give published rows the panel's columns; counts and sums that are not there are missing."""
    counts = ("pupils", "denominator", *names.RECORD_KEYS)
    known = {"source": "published", "cohort_rule": "at_31_march"}
    table = rows.assign(**known).reindex(columns=list(names.PANEL_COLUMNS))
    return table.astype(dict.fromkeys(counts, "Int64"))


def _of_groups(table: pd.DataFrame, *, origin: str) -> pd.DataFrame:
    group = table["social_care_group"].str.strip().str.casefold()
    absent = [written for written in GROUPS if not group.eq(written).any()]
    if absent:
        raise ContractError(
            f"{origin}: social_care_group is nowhere {absent[0]!r}, must hold "
            f"{', '.join(GROUPS)}; it holds {', '.join(sorted(group.unique()))}."
        )
    selected = group.isin(list(GROUPS))
    return table.loc[selected].assign(group=group[selected].replace(dict(GROUPS)))


def _of_whole_year(table: pd.DataFrame, *, origin: str) -> pd.DataFrame:
    whole = table["absence_terms"].str.strip().str.casefold().eq(_WHOLE_YEAR)
    if not whole.any():
        raise ContractError(
            f"{origin}: absence_terms is nowhere {_WHOLE_YEAR!r}, must hold the whole year's "
            "absence; take the six half term file of the release."
        )
    return table.loc[whole]


def _phase(table: pd.DataFrame, origin: str) -> pd.Series:
    """Read the school type; attainment is published for all schools together."""
    if "phase_type_grouping" not in table:
        return pd.Series(names.TOTAL, index=table.index, dtype="str")
    written = table["phase_type_grouping"].str.strip().str.casefold()
    strange = sorted(set(written) - set(PHASES))
    if strange:
        raise ContractError(
            f"{origin}: phase_type_grouping is {strange[0]!r}, must be one of "
            f"{', '.join(PHASES)}; use the file as DfE publishes it."
        )
    return written.replace(dict(PHASES))
