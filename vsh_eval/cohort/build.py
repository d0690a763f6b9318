"""From checked tables to the panel, one academic year at a time; pupils end here."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd

from vsh_eval import academic_year, names
from vsh_eval.cohort.characteristics import (
    COMPOSITION_CELLS,
    OTHER_CELLS,
    OWN_CELLS,
    give_characteristics,
    with_codes,
)
from vsh_eval.cohort.engines import Engine, Temporary, open_engine, sql_file, sql_text
from vsh_eval.cohort.exposure import build_exposure, training_log
from vsh_eval.cohort.flow import (
    CLOSED_YEAR,
    COUNTED,
    OUTSIDE_YEARS,
    build_flow,
    schools_flow,
    training_flow,
)
from vsh_eval.cohort.identity import StableSchools, stable_schools
from vsh_eval.cohort.membership import (
    OTHER,
    OTHER_RULE,
    OWN,
    keep_membership,
    keep_spans,
    metrics_counted,
    metrics_known,
    years_without,
)
from vsh_eval.cohort.moments import build_moments, build_spread, count_moments
from vsh_eval.cohort.new_entrants import YEAR_BEFORE, build_new_entrants, keep_no_year_before
from vsh_eval.cohort.panel import build_composition, build_panel
from vsh_eval.cohort.record_keys import keep_keys
from vsh_eval.contracts import RETURNS, ContractError
from vsh_eval.settings import Cohort, Exposure

_NEEDED = ("schools", "enrolments", "attendance", "attainment", "episodes", "training")
_COHORT = Cohort()
_EXPOSURE = Exposure()
_PLACE = ("unit_id", "phase")
_PUPILS = (
    *("enrolments", "pupils", "attendance", "suspensions", "registrations", "moves"),
    "attainment",
)
"""The tables of a year's pupils, one made of another."""
_SUMMED = ("attended", "ranks", "sessions", "registered", "results", "outcomes")
"""The tables that a year is added up in, one after the other."""


@dataclass(frozen=True, slots=True)
class CohortTables:
    """What the cohort room hands on; no row is about a pupil.

    Attributes
    ----------
    panel : pandas.DataFrame
        Sums by school, year, group and metric (``names.PANEL_COLUMNS``).
    composition : pandas.DataFrame
        Sums by authority, phase, year, group, stratum and metric (``names.COMPOSITION_COLUMNS``).
    moments : pandas.DataFrame
        Sums over schools of products of their strata's sums (``names.MOMENT_COLUMNS``): how far
        schools differ, for the errors of everything made of the composition.
    spread : pandas.DataFrame
        In how many schools the pupils of a group and a value are, and how many of them are in the
        largest (``names.SPREAD_COLUMNS``).
    new_entrants : pandas.DataFrame
        Who is newly counted, and how the counted attended the year before, by school, year and
        group (`build_new_entrants`).
    other_rule_panel : pandas.DataFrame
        As ``panel``: the metrics asked for, under the cohort rule that stands beside the run's.
    schools : pandas.DataFrame
        One row per stable school.
    exposure : pandas.DataFrame
        From which year each school counts as trained.
    training : pandas.DataFrame
        The training of every stable school.
    flow : pandas.DataFrame
        What membership and matching kept and dropped: table, step, rows, pupils.
    urns : pandas.DataFrame
        Which stable school each URN is of: urn, unit_id.
    """

    panel: pd.DataFrame
    composition: pd.DataFrame
    moments: pd.DataFrame
    spread: pd.DataFrame
    new_entrants: pd.DataFrame
    other_rule_panel: pd.DataFrame
    schools: pd.DataFrame
    exposure: pd.DataFrame
    training: pd.DataFrame
    flow: pd.DataFrame
    urns: pd.DataFrame


def build_cohort(
    connection: duckdb.DuckDBPyConnection | Engine,
    *,
    years: Sequence[int],
    secret: bytes,
    cohort: Cohort = _COHORT,
    exposure: Exposure = _EXPOSURE,
    other_rule_metrics: Collection[str] = (),
    closed: Collection[int] = (),
) -> CohortTables:
    """Turn an authority's checked returns into the panel and the tables beside it.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection or Engine
        Holding the tables of ``contracts.RETURNS``, typed; ``school_links`` and
        ``suspensions`` may be absent or empty. Its own tables are only read.
    years : sequence of int
        The academic years of the run, such as 202324; rows of other years are not counted.
    secret : bytes
        At least 16 bytes; with a pupil's identifier it makes the record key
        (`record_keys.keep_keys`), and so nothing but ``key_n`` and ``key_y`` depends on it.
    cohort : vsh_eval.settings.Cohort
        Rule, basis and look-back of membership.
    exposure : vsh_eval.settings.Exposure
        When a school counts as trained.
    other_rule_metrics : collection of str
        The metrics that ``other_rule_panel`` holds.
    closed : collection of int
        Years of the run whose counts are already published: they have rows in no table but
        ``other_rule_panel``, and tell the year after who was in the cohort before.

    Returns
    -------
    CohortTables
        Panel, composition, moments, spread, new entrants, the other rule's panel, schools,
        exposure, training and flow.
        Denominator of every metric: the sum of x over pupil-enrolments (pupil x stable school x
        year) of the metric's year groups with x > 0; a pupil without an enrolment that year is not
        counted. Groups: looked after over protection plan over in need over previous over peers. A
        school, group or year without such pupils has no row. A year whose attendance lacks a term
        that another year of the run has is left out for absence and suspensions: part of a year is
        never compared with whole ones. Suspensions have no rows either in a year of which the
        return holds nothing, nor have moves in a year in which no pupil has two schools.

    Raises
    ------
    ContractError
        If a table is missing, there is no year, a school's links go in a circle, a value of a
        metric that counts children is neither 0 nor 1, a pupil has two results in one measure,
        or the secret is too short.

    Notes
    -----
    Overall absence: y = sessions missed, x = possible sessions. Persistent (severe) absence:
    x = 1, y = 1 where missed / possible is 10 % (50 %) or more, exactly, in whole numbers.
    Suspensions: x = 1 per enrolment, y = the suspensions, or 1 where there is one; a pupil whom
    the return does not name has none. Moves: the same enrolments, y = 1 where the pupil has
    another stable school that year. Attainment: x = 1, y = the value to the nearest hundredth.
    Ranks: x = 1, y = 100 (midrank - 0.5) / N among all N pupils counted with a value that year.

    References
    ----------
    DfE, Pupil absence in schools in England: methodology; DfE, Outcomes for children in need,
    including children looked after by local authorities in England: methodology.

    Examples
    --------
    >>> day, open_ = pd.Timestamp("2023-10-02"), pd.NaT
    >>> rows = {
    ...     "schools": [("1", "Hill", "primary", "E1", open_, open_)],
    ...     "enrolments": [(p, 202324, "1", 4, "F", 0, "N") for p in "ab"],
    ...     "attendance": [("a", 202324, "autumn", "1", 200, 30, 10),
    ...                    ("b", 202324, "autumn", "1", 200, 8, 0)],
    ...     "attainment": [("a", 202324, "1", "ks2_rwm_expected", 1.0)],
    ...     "episodes": [("a", "CIN", day, open_, "episode")],
    ...     "training": [("1", "elsa", "targeted", day, 2, 6.0, "teacher", 90.0)],
    ... }
    >>> connection = duckdb.connect()
    >>> for name, table in rows.items():
    ...     _ = connection.register(
    ...         name, pd.DataFrame(table, columns=RETURNS[name].column_names))
    >>> tables = build_cohort(connection, years=(202324,), secret=bytes(32))
    >>> absence = tables.panel.query("metric == 'overall_absence'")
    >>> absence[["group", "pupils", "numerator", "denominator"]].values.tolist()
    [['cin', 1, 40.0, 200], ['peers', 1, 8.0, 200]]
    """
    periods = _in_order(years)
    runner = open_engine(connection)
    _require_returns(runner)
    listed, training = runner.run("SELECT * FROM schools"), runner.run("SELECT * FROM training")
    stable = stable_schools(listed, _links(runner))
    log = training_log(training, stable.urns)
    other = cohort.model_copy(update={"rule": OTHER_RULE[cohort.rule]})
    rules = {OWN: cohort, OTHER: other}
    with Temporary(runner) as temporary:
        _give_schools(temporary, stable)
        _give_pupils(temporary, periods, rules, secret)
        counted = metrics_counted(periods, without=years_without(temporary, periods))
        own = counted[~counted["time_period"].isin(closed)].assign(rule=OWN)
        other = counted[counted["metric"].isin(other_rule_metrics)].assign(rule=OTHER)
        temporary.give("cohort_counted", pd.concat([own, other]))
        units = stable.schools[["unit_id", "phase", "la_code"]]
        flows = [
            schools_flow(listed, stable.urns),
            training_flow(training, log),
            _outside_flow(temporary),
            _by_reason(temporary, "episodes", plan=int(cohort.basis == "plan")),
        ]
        parts = [
            _count_year(temporary, period, rules, units, closed=period in closed)
            for period in periods
        ]
    cells = {
        name: pd.concat([part.pop(name) for part in parts], ignore_index=True)
        for name in tuple(parts[0])
    }
    attended = set(counted.loc[counted["origin"] == "attendance", "time_period"])
    return CohortTables(
        panel=build_panel(cells.pop("panel"), cohort_rule=cohort.rule),
        composition=build_composition(cells.pop("composition"), cohort_rule=cohort.rule),
        moments=build_moments(cells.pop("moments"), cohort_rule=cohort.rule),
        spread=build_spread(cells.pop("spread"), cohort_rule=cohort.rule),
        new_entrants=build_new_entrants(cells["new_entrants"], years=periods, attended=attended),
        other_rule_panel=build_panel(cells["other_rule_panel"], cohort_rule=rules[OTHER].rule),
        schools=stable.schools,
        exposure=build_exposure(
            log,
            units=list(stable.schools["unit_id"]),
            rule=exposure.rule,
            programmes=exposure.programmes,
            tier=exposure.tier,
        ),
        training=log,
        flow=build_flow(pd.concat((*flows, cells["flow"]), ignore_index=True)),
        urns=stable.urns,
    )


def _in_order(years: Sequence[int]) -> tuple[int, ...]:
    periods = tuple(sorted({academic_year.parse(year) for year in years}))
    if not periods:
        raise ContractError("years is empty, must name an academic year; write one as 202324.")
    return periods


def _require_returns(engine: Engine) -> None:
    """Refuse a connection without the tables, or with a table without its columns."""
    for name in _NEEDED:
        has = engine.columns(name)
        missing = [column for column in RETURNS[name].column_names if column not in has]
        if missing:
            raise ContractError(
                f"the connection's table {name} lacks {', '.join(missing)}, must hold every "
                "column of the contract; read the folder with vsh_eval.returns first."
            )


def _links(engine: Engine) -> pd.DataFrame:
    if engine.columns("school_links"):
        return engine.run("SELECT * FROM school_links")
    return pd.DataFrame({"urn": [], "successor_urn": []}, dtype="str")


def _give_schools(engine: Engine, stable: StableSchools) -> None:
    """Make schools, metrics and characteristics known: what no pupil is needed for."""
    units = stable.schools[["unit_id", "phase", "la_code"]]
    areas = _areas(units)
    areas = areas.assign(area=np.arange(len(areas), dtype=np.int32))
    units = units.assign(unit_number=np.arange(len(units), dtype=np.int32)).merge(areas)
    engine.give("cohort_urns", stable.urns.merge(units[["unit_id", "unit_number"]], on="unit_id"))
    engine.give("cohort_units", units)
    engine.give("cohort_metrics", metrics_known())
    give_characteristics(engine)


def _areas(units: pd.DataFrame) -> pd.DataFrame:
    """Return authorities and phases in the order of their numbers."""
    return units[["la_code", "phase"]].drop_duplicates(ignore_index=True)


def _give_pupils(
    engine: Engine, periods: Sequence[int], rules: Mapping[int, Cohort], secret: bytes
) -> None:
    """Make known of all pupils what every year is counted with: keys and years of membership."""
    engine.give("cohort_years", pd.DataFrame({"time_period": periods}))
    _keep_suspensions(engine)
    keep_keys(engine, secret=secret)
    for rule, cohort in rules.items():
        keep_spans(engine, cohort, rule)
    keep_no_year_before(engine)


def _keep_suspensions(engine: Engine) -> None:
    """Keep the suspensions, or an empty table where the return is missing."""
    if engine.columns("suspensions"):
        engine.keep("cohort_suspended", "SELECT * FROM suspensions")
        return
    kinds = {c.name: "str" if c.kind == "text" else "int64" for c in RETURNS["suspensions"].columns}
    engine.give("cohort_suspended", pd.DataFrame(columns=list(kinds)).astype(kinds))


def _outside_flow(engine: Engine) -> pd.DataFrame:
    """Count the rows of years that are not of the run."""
    counts = engine.run(sql_text("flow_outside")).assign(reason=OUTSIDE_YEARS)
    return counts.rename(columns={"origin": "table", "rows_read": "rows"})


def _by_reason(engine: Engine, table: str, **integers: int) -> pd.DataFrame:
    """Count a table's rows and pupils by why they are counted or not, and by group."""
    with Temporary(engine) as temporary:
        temporary.keep("cohort_reasons", sql_text(f"reasons_{table}", **integers))
        counts = temporary.run(sql_text("flow_counted"))
    return counts.assign(table=table).rename(columns={"rows_read": "rows"})


def _count_year(
    engine: Engine,
    period: int,
    rules: Mapping[int, Cohort],
    units: pd.DataFrame,
    *,
    closed: bool,
) -> dict[str, pd.DataFrame]:
    """Return the year's cells of every table, and its flow; a closed year's tables are empty."""
    areas = _areas(units).rename(columns={"la_code": "unit_id"})
    with Temporary(engine) as year:
        keep_membership(year, period, rules)
        _keep_tables(year, _PUPILS, period, prefix="intake_")
        if not closed:
            _refuse_parts_of_children(year, period)
            _refuse_second_results(year, period)
        _keep_tables(year, _SUMMED, period)
        moments, spread = count_moments(year, units, period)
        cells = {
            "panel": _cells(year, period, OWN_CELLS, units),
            "other_rule_panel": _cells(year, period, OTHER_CELLS, units),
            "composition": with_codes(_cells(year, period, COMPOSITION_CELLS, areas)),
            "moments": moments,
            "spread": spread,
            "new_entrants": year.run(sql_text("new_entrants", period=period)).assign(
                time_period=period
            ),
            "flow": _year_flow(year, period, closed=closed),
        }
        engine.keep(YEAR_BEFORE, sql_text("year_before"))
    return cells


def _keep_tables(engine: Engine, tables: Sequence[str], period: int, *, prefix: str = "") -> None:
    """Keep tables, one made of another, each of the SQL of its name, which may ask for the year."""
    for name in tables:
        text = f"{prefix}{name}"
        given = {"period": period} if "{period}" in sql_file(text) else {}
        engine.keep(f"cohort_{name}", sql_text(text, **given))


def _cells(engine: Engine, period: int, cells: int, places: pd.DataFrame) -> pd.DataFrame:
    """Return the sums of places in a year, with names in place of numbers."""
    sums = engine.run(sql_text("panel", cells=cells))
    named = {name: pd.Categorical(places[name]).take(sums["place"].to_numpy()) for name in _PLACE}
    metric = pd.Categorical(metrics_known()["metric"]).take(sums["code"].to_numpy() - 1)
    return sums.drop(columns=["place", "code"]).assign(time_period=period, metric=metric, **named)


def _refuse_parts_of_children(engine: Engine, period: int) -> None:
    wrong = engine.run(sql_text("not_whole_children"))
    if len(wrong):
        first = wrong.sort_values("measure").iloc[0]
        raise ContractError(
            f"attainment measure {first['measure']} has {first['wrong']} values in "
            f"{academic_year.label(period)} that are neither 0 nor 1, must have none because it "
            "counts children; write 1 for a child who reached the standard and 0 for one who "
            "did not."
        )


def _refuse_second_results(engine: Engine, period: int) -> None:
    """Refuse two results of a pupil: attainment is measured once, wherever the pupil went."""
    wrong = engine.run(sql_text("measured_twice"))
    if len(wrong):
        first = wrong.sort_values("measure").iloc[0]
        raise ContractError(
            f"attainment measure {first['measure']} has two results or more of {first['wrong']} "
            f"pupils in {academic_year.label(period)}, must have one of each; keep the result of "
            "the school where the pupil was assessed."
        )


def _year_flow(engine: Engine, period: int, *, closed: bool) -> pd.DataFrame:
    """Return why the rows of a year are counted or not; of a closed year none is."""
    attendance = _by_reason(engine, "attendance")
    others = [_by_reason(engine, name, period=period) for name in ("suspensions", "attainment")]
    parts = [attendance, *others]
    if closed:
        return pd.concat([part.assign(reason=CLOSED_YEAR) for part in parts])
    counted = attendance[attendance["reason"] == COUNTED]
    group = counted["group_code"].map(dict(enumerate(names.LEAF_GROUPS, start=1)))
    parts.append(counted.assign(table="membership", reason=group))
    return pd.concat([part.astype({"reason": "object"}) for part in parts])
