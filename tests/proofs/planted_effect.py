"""Is a planted effect found in whole invented authorities as the simulated school gaps say?

    python -m tests.proofs.planted_effect [--draws N] [--schools S] [--effect E] [--seed S]
        [--panel N] [--output FILE]

`primary_coverage` draws school gaps alone. Here every draw is a whole authority: `invent` makes the
returns of every child, they stand in DuckDB typed as `open_returns` types them, and `build_cohort`,
`school_gaps`, `prepare` and `impute` make the estimate, which is held against the effect that the
truth table says was planted. The first authority also goes through a folder of files and
`open_returns`, and must give the same sums. Attainment and suspensions are left empty, as they
touch no absence. Half as many draws have no effect. Beside it: the pre-trend test's size and the
coverage of the simultaneous band of the event study, on simulated school gaps without effect.
"""

import argparse
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd

from tests.proofs._school_gaps import GapDraw, draw_school_gaps
from tests.proofs.primary_coverage import YEARS, Found, found, summary
from vsh_eval import academic_year, effects
from vsh_eval.cohort import CohortTables, build_cohort
from vsh_eval.contracts import RETURNS
from vsh_eval.effects.sensitivity import pretrend_of
from vsh_eval.panel import within_school_gaps
from vsh_eval.returns import open_returns
from vsh_eval.returns.columns import SQL_TYPES
from vsh_eval.synthetic import Plan, invent, synthesise

OUTPUT = Path(__file__).resolve().parents[2] / "docs" / "proofs" / "planted_effect.md"
METRIC = "overall_absence"
LEFT_EMPTY = ("attainment", "suspensions")
SECRET = bytes(16)
SECRET = bytes(16)
USED = tuple(academic_year.span(YEARS["first"], YEARS["last"]))
FIRST_SEED = 1_000_000
NULL_SEEDS = 100_000
"""How far from the others the seeds of authorities without effect begin: they are other ones."""
DIFFERENT = 0.15
SIZES = (60, 120)
CELLS = (("primary", 5, 8), ("secondary", 9, 16))
"""Cells of one size, whose spread is compared: phase, fewest and most cohort pupils."""
WHOLE, PANEL, COMMON = "whole authority", "panel level", "panel level, common year effects"
ALIKE = "whole authority, two phases by year"


class Spread(NamedTuple):
    """What the school-years of one draw are like."""

    share_secondary: float
    squares: tuple[float, ...]
    counts: tuple[int, ...]


def typed(tables: dict[str, pd.DataFrame]) -> duckdb.DuckDBPyConnection:
    """Put returns into DuckDB, every column of the type that `open_returns` gives it."""
    connection = duckdb.connect(":memory:")
    for name, rows in tables.items():
        kinds = {column.name: SQL_TYPES[column.kind] for column in RETURNS[name].columns}
        typed_columns = ", ".join(
            f"CAST({column} AS {kinds.get(column, 'DOUBLE')}) AS {column}"
            for column in rows.columns
        )
        connection.from_df(rows).project(typed_columns).create(name)
    return connection


def built(plan: Plan) -> tuple[CohortTables, float]:
    """Invent an authority and count its cohort; the effect planted in overall absence beside it."""
    authority = invent(plan)
    tables = {
        name: rows.iloc[:0] if name in LEFT_EMPTY else rows
        for name, rows in authority.tables.items()
    }
    with closing(typed(tables)) as connection:
        cohort = build_cohort(connection, years=USED, secret=SECRET)
    truth = authority.truth.set_index(["metric", "aggregation"])["effect"]
    return cohort, float(truth.loc[(METRIC, "simple")])


def whole_authority(plan: Plan) -> GapDraw:
    """Draw the school gaps of one whole authority, and the truth."""
    cohort, truth = built(plan)
    gaps = within_school_gaps(cohort.panel, metric=METRIC, group="cwsw", reference="peers")
    counted = cohort.exposure.query("programme == 'any' and tier == 'any'")
    return GapDraw(gaps.merge(counted[["unit_id", "adopted"]], on="unit_id"), truth)


def same_through_files(plan: Plan) -> bool:
    """Tell whether files, opened, give the sums that the tables in memory give."""
    with tempfile.TemporaryDirectory() as parent:
        folder = synthesise(Path(parent) / "returns", plan)
        with open_returns(folder, years=USED) as returns:
            read = build_cohort(returns.connection, years=USED, secret=SECRET)
    direct, _ = built(plan)
    panels = [
        tables.panel[tables.panel["metric"].eq(METRIC)].reset_index(drop=True)
        for tables in (read, direct)
    ]
    return panels[0].equals(panels[1]) and read.exposure.equals(direct.exposure)


def estimated(drawn: GapDraw) -> Found:
    """Estimate one draw through the rooms' own functions, as notebook 06 does."""
    return _estimated(_prepared(drawn), drawn.truth)


def estimated_alike(drawn: GapDraw) -> Found:
    """Estimate from primaries and secondaries alone, by phase and year: what the panel level is."""
    two = drawn._replace(gaps=drawn.gaps[drawn.gaps["phase"].isin(["primary", "secondary"])])
    return _estimated(_prepared(two).with_year_effects("by_phase"), drawn.truth)


def _prepared(drawn: GapDraw) -> effects.sample.AnalysisSample:
    exposure = drawn.gaps[["unit_id", "adopted"]].drop_duplicates()
    return effects.sample.select_sample(drawn.gaps, exposure)


def _estimated(prepared: effects.sample.AnalysisSample, truth: float) -> Found:
    simple = effects.estimators.impute(prepared.data, leads=0, draws=1).iloc[0]
    return Found(
        estimate=float(simple["estimate"]),
        std_error=float(simple["std_error"]),
        df=float(simple["df"]),
        truth=truth,
        stratified=prepared.year_effects != "common",
    )


def spread(drawn: GapDraw) -> Spread:
    """Measure a draw: where the cohort is, and how noisy cells of one size are.

    The noise is what is left of the gap, from 2020/21 on, once phase-year and school means are
    taken out.
    """
    gaps = drawn.gaps
    sessions = gaps.groupby("phase")["weight"].sum()
    late = gaps[gaps["time_period"].ge(202021)]
    left = late["outcome"] - late.groupby(["phase", "time_period"])["outcome"].transform("mean")
    squares = (left - left.groupby(late["unit_id"]).transform("mean")) ** 2
    cells = [late["phase"].eq(p) & late["pupils"].between(low, high) for p, low, high in CELLS]
    return Spread(
        share_secondary=float(sessions.get("secondary", 0.0) / sessions.sum()),
        squares=tuple(float(squares[chosen].sum()) for chosen in cells),
        counts=tuple(int(chosen.sum()) for chosen in cells),
    )


def scenario(
    schools: int, effect: float, *, draws: int, panel: int, seed: int
) -> tuple[pd.DataFrame, dict[str, list[Spread]]]:
    """Repeat one scenario as whole authorities and as school gaps alone."""
    plan = Plan(schools=schools, effect=effect, **YEARS)
    results: dict[str, list[Found]] = {WHOLE: [], ALIKE: [], PANEL: [], COMMON: []}
    spreads: dict[str, list[Spread]] = {WHOLE: [], PANEL: []}
    for number in range(draws):
        drawn = whole_authority(Plan(schools=schools, effect=effect, seed=seed + number, **YEARS))
        results[WHOLE].append(estimated(drawn))
        results[ALIKE].append(estimated_alike(drawn))
        spreads[WHOLE].append(spread(drawn))
    generator = np.random.default_rng([seed, schools, round(-100 * effect)])
    for number in range(panel):
        drawn = draw_school_gaps(plan, generator)
        results[PANEL].append(found(drawn))
        one_phase = drawn._replace(gaps=drawn.gaps.assign(phase="primary"))
        results[COMMON].append(found(one_phase))
        if number < draws:
            spreads[PANEL].append(spread(drawn))
    rows = [
        {"drawn as": name} | summary(pd.DataFrame(parts), schools, effect)
        for name, parts in results.items()
    ]
    return pd.DataFrame(rows), spreads


def event_study(schools: int, draws: int, seed: int) -> dict[str, float]:
    """Count what the pre-trend test and the bands say where there is no effect."""
    plan = Plan(schools=schools, effect=0.0, **YEARS)
    generator = np.random.default_rng([seed, schools])
    rejected, band, pointwise, late_band = [], [], [], []
    for number in range(draws):
        drawn = draw_school_gaps(plan, generator)
        fitted = effects.estimators.fit_imputation(_prepared(drawn).data, seed=seed + number)
        p_value = pretrend_of(fitted).test.p_value
        if np.isfinite(p_value):
            rejected.append(p_value < 0.05)
        events = fitted.rows[fitted.rows["aggregation"].eq("event") & fitted.rows["status"].eq("")]
        inside = events["band_lower"].le(0) & events["band_upper"].ge(0)
        band.append(inside.all())
        late_band.append(inside[events["index"].ge(0)].all())
        pointwise.append((events["ci_lower"].le(0) & events["ci_upper"].ge(0)).all())
    return {
        "schools": schools,
        "draws": draws,
        "tested": len(rejected),
        "pre-trend rejects %": 100 * float(np.mean(rejected)) if rejected else float("nan"),
        "band covers %": 100 * float(np.mean(band)),
        "band covers, lags only %": 100 * float(np.mean(late_band)),
        "all pointwise cover %": 100 * float(np.mean(pointwise)),
    }


def with_errors(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the Monte Carlo errors, and each standard deviation over the panel level's."""
    rows = rows.copy()
    count = rows["draws"]
    rows["SD se"] = rows["SD"] / np.sqrt(2 * (count - 1))
    for name in ("coverage", "rejects 0"):
        share = rows[f"{name} %"] / 100
        rows[f"{name} se"] = 100 * np.sqrt(share * (1 - share) / count)
    relative = (rows["SD se"] / rows["SD"]) ** 2
    panel = rows["drawn as"].eq(PANEL)
    for column, values in (("SD", rows["SD"]), ("SE", rows["mean SE"])):
        base = rows["effect"].map(dict(zip(rows.loc[panel, "effect"], values[panel], strict=True)))
        rows[f"{column} ratio"] = values / base
    own = rows["effect"].map(dict(zip(rows.loc[panel, "effect"], relative[panel], strict=True)))
    rows["ratio se"] = np.where(panel, 0.0, rows["SD ratio"] * np.sqrt(relative + own))
    return rows


def pooled_ratio(rows: pd.DataFrame, name: str, beside: str) -> tuple[float, float]:
    """Return one ratio of standard deviations over all effects, and its Monte Carlo error."""
    variance, degrees = {}, {}
    for key in (name, beside):
        mine = rows[rows["drawn as"].eq(key)]
        degrees[key] = (mine["draws"] - 1).sum()
        variance[key] = ((mine["draws"] - 1) * mine["SD"] ** 2).sum() / degrees[key]
    ratio = float(np.sqrt(variance[name] / variance[beside]))
    return ratio, ratio * float(np.sqrt(sum(1 / (2 * number) for number in degrees.values())))


def compared(spreads: dict[str, list[Spread]]) -> pd.DataFrame:
    """Average what school-years are like over the draws."""
    rows = []
    for name, parts in spreads.items():
        row: dict[str, str | float] = {
            "drawn as": name,
            "cohort in secondaries %": 100
            * float(np.mean([part.share_secondary for part in parts])),
        }
        for place, (phase, low, high) in enumerate(CELLS):
            squares = sum(part.squares[place] for part in parts)
            count = sum(part.counts[place] for part in parts)
            row[f"SD of a {phase} gap, {low} to {high} pupils"] = float(
                np.sqrt(squares / count) if count else np.nan
            )
        rows.append(row)
    return pd.DataFrame(rows)


def markdown(rows: pd.DataFrame, formats: dict[str, str]) -> str:
    """Write some columns as a table."""
    lines = ["| " + " | ".join(formats) + " |", "|" + "---|" * len(formats)]
    lines += [
        "| " + " | ".join(format(row[name], how) for name, how in formats.items()) + " |"
        for row in rows.to_dict("records")
    ]
    return "\n".join(lines)


def verdicts(rows: pd.DataFrame, studies: pd.DataFrame) -> list[str]:
    """Say what differs by more than its limit and two Monte Carlo errors."""
    missed = []
    for row in rows[rows["drawn as"].eq(WHOLE)].to_dict("records"):
        name = f"Whole authorities, effect {row['effect']:g}"
        noise = 200 * np.sqrt(0.95 * 0.05 / row["draws"])
        if not 93 - noise <= row["coverage %"] <= 97 + noise:
            missed.append(f"{name}: coverage is {row['coverage %']:.1f} %.")
        if abs(row["bias"]) > max(0.05 * row["SD"], 2 * row["MC se"]):
            missed.append(f"{name}: bias is {row['bias']:+.3f}.")
    for row in studies.to_dict("records"):
        noise = 200 * np.sqrt(0.95 * 0.05 / row["draws"])
        for column, target in (("pre-trend rejects %", 5), ("band covers %", 95)):
            if abs(row[column] - target) > 1 + noise:
                missed.append(f"{row['schools']:.0f} schools: {column[:-2]} {row[column]:.1f} %.")
    return missed


def reading(rows: pd.DataFrame, studies: pd.DataFrame) -> list[str]:
    """Say what the tables mean."""
    ratio, error = pooled_ratio(rows, WHOLE, PANEL)
    alike, alike_error = pooled_ratio(rows, ALIKE, PANEL)
    errors = rows.groupby("drawn as")["mean SE"].mean()
    apart = abs(ratio - 1) > DIFFERENT
    return [
        f"- Over all draws the standard deviation of whole authorities is {ratio:.2f} (Monte Carlo "
        f"error {error:.2f}) times the panel level's, {'more' if apart else 'not more'} than "
        f"{DIFFERENT:.0%} apart; their mean standard error, which draws hardly move, is "
        f"{errors[WHOLE] / errors[PANEL]:.2f} times. So whole authorities find a little less than "
        "the panel level promises, and their standard errors say so.",
        "- Primaries and secondaries alone, by phase and year as at panel level, come to "
        f"{alike:.2f} ({alike_error:.2f}) times the panel level's standard deviation and "
        f"{errors[ALIKE] / errors[PANEL]:.2f} times its standard error. What the whole has beyond "
        "that is its special, all-through and alternative schools, whose year effects are those "
        "of the phase most like them. Common year effects would make the panel level's own "
        f"standard error {errors[COMMON] / errors[PANEL]:.2f} times as large.",
        "- The rest offsets in part. A whole authority's school-years are noisier: children's "
        "rates spread a little wider, and fewer children are counted in the same school again the "
        "year after, since episodes end and pupils move, so that less of a child's own absence "
        "goes out with the school's effect. Against that, less of its cohort is in secondaries, "
        "where gaps vary most.",
        *(f"- {entry}" for entry in verdicts(rows, studies)),
    ]


def written(rows: pd.DataFrame, cells: pd.DataFrame, studies: pd.DataFrame, command: str) -> str:
    """Return the committed page."""
    main = {"drawn as": "", "effect": "g", "draws": ".0f", "by phase %": ".0f"}
    main |= {"bias": "+.3f", "MC se": ".3f", "SD": ".2f", "SD se": ".2f", "mean SE": ".2f"}
    main |= {"coverage %": ".1f", "coverage se": ".1f", "rejects 0 %": ".1f", "rejects 0 se": ".1f"}
    ratios = {"drawn as": "", "effect": "g", "SD ratio": ".2f", "ratio se": ".2f"}
    ratios |= {"SE ratio": ".2f"}
    like = {name: "" if name == "drawn as" else ".1f" for name in cells.columns}
    study = dict.fromkeys(("schools", "draws", "tested"), ".0f")
    study |= {name: ".1f" for name in studies.columns if name.endswith("%")}
    return f"""# Is a planted effect found in whole authorities as the simulation says?

    {command}

{rows["schools"].iloc[0]:.0f} schools, percentage points. "whole authority": every child's returns
are invented, put into typed tables, counted and estimated by the package's own functions from end
to end; the truth is the effect that the truth table says the cohort's sessions carry. "panel
level": `tests.proofs._school_gaps`, as in `primary_coverage`. Beside each the same draws
estimated as the rule estimates the other: whole authorities' primaries and secondaries alone with
phase-by-year effects, and the panel level with year effects that all phases share. "by phase %":
draws with phase-by-year effects. "se": Monte Carlo errors.

{markdown(rows, main)}

Each line's standard deviation, and mean standard error, over that of the panel level:

{markdown(rows[rows["drawn as"].ne(PANEL)], ratios)}

What the school-years are like: sessions of the cohort that are in secondaries, and the standard
deviation within a school of gaps with one number of cohort pupils, from 2020/21 on:

{markdown(cells, like)}

## Pre-trend test and simultaneous band

School gaps at panel level, no effect, so every lead and lag is nought in truth. The test should
reject in 5 % of the draws and the band should hold every lead and lag in 95 % (Monte Carlo error
of either: {100 * np.sqrt(0.95 * 0.05 / studies["draws"].max()):.1f}). "lags only" leaves the leads
out of the same band; "all pointwise" is how often every pointwise interval would hold.

{markdown(studies, study)}

## Reading

{chr(10).join(reading(rows, studies))}
"""


def main(arguments: list[str] | None = None) -> int:
    """Run both parts, write the page, and return 1 where something differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=200, help="whole authorities with the effect")
    parser.add_argument("--schools", type=int, default=120)
    parser.add_argument("--effect", type=float, default=-1.5)
    parser.add_argument("--panel", type=int, default=1000, help="draws of school gaps alone")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="of the first authority")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    asked = parser.parse_args(arguments)
    half = max(asked.draws // 2, 2)
    if not same_through_files(
        Plan(schools=asked.schools, effect=asked.effect, seed=asked.seed, **YEARS)
    ):
        sys.exit("the first authority: files and tables in memory give different sums")
    plans = [(asked.effect, asked.draws, 0), (0.0, half, NULL_SEEDS)]
    done = [
        scenario(asked.schools, effect, draws=draws, panel=asked.panel, seed=asked.seed + further)
        for effect, draws, further in plans
    ]
    rows = with_errors(pd.concat([table for table, _ in done], ignore_index=True))
    cells = compared(
        {name: [s for _, spreads in done for s in spreads[name]] for name in (WHOLE, PANEL)}
    )
    studies = pd.DataFrame([event_study(size, asked.panel, asked.seed) for size in SIZES])
    command = (
        f"python -m tests.proofs.planted_effect --draws {asked.draws} --schools {asked.schools} "
        f"--effect {asked.effect:g} --panel {asked.panel} --seed {asked.seed}"
    )
    page = written(rows, cells, studies, command)
    asked.output.write_text(page, encoding="utf-8")
    sys.stdout.write(page)
    return 1 if verdicts(rows, studies) else 0


if __name__ == "__main__":
    sys.exit(main())
