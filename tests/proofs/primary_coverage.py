"""Does the primary estimator's interval cover? Simulated schools with cells of realistic size.

    python -m tests.proofs.primary_coverage [--draws N] [--seed S] [--output FILE]

Each draw is `tests.proofs._school_gaps`, which follows the simulation that chose the
estimator: seven years with data (2019/20 has none), a fifth of the schools trained in each of three
years and two fifths never, 6.4 children with a social worker a school on average, primary and
secondary levels that grow apart as the published ones do. The estimate is the package's own
(`vsh_eval.numerics.estimators.imputation` with the phase-by-year rule of `vsh_eval.effects`); the
first draws of every scenario are checked against the front door, `vsh_eval.effects.estimators`.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from tests.proofs._school_gaps import GapDraw, draw_school_gaps
from vsh_eval import effects
from vsh_eval.effects.sample.year_effects import COMMON, year_effects
from vsh_eval.numerics.estimators import imputation
from vsh_eval.numerics.inference.significance import minimum_detectable
from vsh_eval.synthetic import Plan

OUTPUT = Path(__file__).resolve().parents[2] / "docs" / "proofs" / "primary_coverage.md"
YEARS = {"first": 201718, "last": 202425}
CHECKED = 5
COVERAGE, SIZE, BIAS = (93.0, 97.0), (4.0, 6.0), 0.05


@dataclass(frozen=True, slots=True)
class Found:
    """What one draw gave."""

    estimate: float
    std_error: float
    df: float
    truth: float
    stratified: bool


@dataclass(frozen=True, slots=True)
class LaidOut:
    """One draw as schools by years, without school-years that no estimator uses."""

    outcome: np.ndarray
    sessions: np.ndarray
    pupils: np.ndarray
    treated: np.ndarray
    stratum: np.ndarray
    phase: np.ndarray
    years: np.ndarray
    stratified: bool


def laid_out(drawn: GapDraw) -> LaidOut:
    """Lay one draw out as arrays, with the year effects of the package's rule."""
    units, school = np.unique(drawn.gaps["unit_id"].to_numpy(str), return_inverse=True)
    years, year = np.unique(drawn.gaps["time_period"].to_numpy(), return_inverse=True)
    shape = (len(units), len(years))
    outcome, sessions, pupils = (np.zeros(shape) for _ in range(3))
    outcome[school, year] = drawn.gaps["outcome"]
    sessions[school, year] = drawn.gaps["weight"]
    pupils[school, year] = drawn.gaps["pupils"]
    phase = np.zeros(len(units), dtype=np.int64)
    phase[school] = drawn.gaps["phase"].eq("secondary")
    adopted = np.zeros(len(units), dtype=np.int64)
    adopted[school] = drawn.gaps["adopted"]
    onset = np.where(adopted > 0, np.searchsorted(years, adopted), len(years))
    treated = np.arange(len(years)) >= onset[:, None]
    anchored = ((sessions > 0) & ~treated).any(axis=1)
    used = anchored[school]
    years_by = year_effects(
        pd.DataFrame(
            {
                "unit": school,
                "phase": drawn.gaps["phase"],
                "time": year,
                "cohort": np.where(adopted > 0, onset, 0)[school],
                "outcome": drawn.gaps["outcome"],
                "weight": drawn.gaps["weight"],
            }
        )[used]
    )
    stratum = np.zeros(len(units), dtype=np.int64)
    stratum[school[used]] = np.unique(years_by.stratum.to_numpy(str), return_inverse=True)[1]
    return LaidOut(
        outcome=outcome,
        sessions=sessions,
        pupils=pupils,
        treated=treated,
        stratum=stratum,
        phase=phase,
        years=years // 100,
        stratified=years_by.kind != COMMON,
    )


def averaged(panel: LaidOut, fitted: imputation.Fit) -> tuple[float, float, float]:
    """Return the estimate over all treated school-years, its error and degrees of freedom."""
    target = np.where(panel.treated & imputation.imputable(fitted), panel.sessions, 0.0)
    made = imputation.estimate(fitted, target[None])
    error = float(np.sqrt((made.deviations() ** 2).sum()))
    return float(made.estimate[0]), error, float(made.schools[0] - 1)


def primary_fit(panel: LaidOut) -> imputation.Fit:
    """Fit the primary estimator."""
    return imputation.fit(panel.outcome, panel.sessions, panel.treated, panel.stratum)


def found(drawn: GapDraw) -> Found:
    """Estimate one draw by the package's arithmetic."""
    panel = laid_out(drawn)
    return Found(*averaged(panel, primary_fit(panel)), drawn.truth, panel.stratified)


def front_door(drawn: GapDraw) -> tuple[float, float]:
    """Estimate one draw through the rooms' own functions."""
    exposure = drawn.gaps[["unit_id", "adopted"]].drop_duplicates()
    prepared = effects.sample.select_sample(drawn.gaps, exposure, min_schools=1)
    simple = effects.estimators.impute(prepared.data, leads=0, draws=1).iloc[0]
    return float(simple["estimate"]), float(simple["std_error"])


def scenario(schools: int, effect: float, draws: int, seed: int) -> dict[str, float]:
    """Repeat one scenario and sum it up."""
    generator = np.random.default_rng([seed, schools, round(-100 * effect)])
    plan = Plan(schools=schools, effect=effect, **YEARS)
    results = []
    for number in range(draws):
        drawn = draw_school_gaps(plan, generator)
        one = found(drawn)
        if number < CHECKED:
            same = np.allclose(front_door(drawn), (one.estimate, one.std_error), rtol=1e-9)
            if not same:
                sys.exit(f"{schools} schools, draw {number}: the front door gives another number")
        results.append(one)
    return summary(pd.DataFrame(results), schools, effect)


def summary(results: pd.DataFrame, schools: int, effect: float) -> dict[str, float]:
    error = results["estimate"] - results["truth"]
    critical = stats.t.ppf(0.975, results["df"])
    sd, mean_error = float(error.std()), float(results["std_error"].mean())
    df = float(results["df"].mean())
    shift = abs(float(results["truth"].mean())) / sd
    limit = stats.t.ppf(0.975, df)
    return {
        "schools": schools,
        "effect": effect,
        "draws": len(results),
        "by phase %": 100 * results["stratified"].mean(),
        "bias": float(error.mean()),
        "MC se": sd / np.sqrt(len(results)),
        "bias / SD": float(error.mean()) / sd,
        "SD": sd,
        "mean SE": mean_error,
        "coverage %": 100 * (error.abs() <= critical * results["std_error"]).mean(),
        "rejects 0 %": 100 * (results["estimate"].abs() > critical * results["std_error"]).mean(),
        "expected %": 100
        * float(stats.nct.sf(limit, df, shift) + stats.nct.cdf(-limit, df, shift)),
        "MDE": minimum_detectable(mean_error, df),
    }


def verdicts(rows: pd.DataFrame) -> list[str]:
    """Say which limit each scenario misses, allowing for the simulation's own error (2 se)."""
    missed = []
    for row in rows.to_dict("records"):
        name = f"{row['schools']:.0f} schools, effect {row['effect']:g}"
        noise = 200 * np.sqrt(0.95 * 0.05 / row["draws"])
        if not COVERAGE[0] <= row["coverage %"] <= COVERAGE[1]:
            missed.append(f"{name}: coverage {row['coverage %']:.1f} % is outside 93 to 97 %")
        if row["effect"] == 0 and not SIZE[0] - noise <= row["rejects 0 %"] <= SIZE[1] + noise:
            missed.append(f"{name}: size {row['rejects 0 %']:.1f} % is outside 4 to 6 %")
        if abs(row["bias"]) > max(BIAS * row["SD"], 2 * row["MC se"]):
            missed.append(f"{name}: bias {row['bias']:+.3f} is above 0.05 SD and 2 se")
    return missed


def written(rows: pd.DataFrame, command: str) -> str:
    """Return the committed page."""
    formats = {"schools": ".0f", "effect": "g", "draws": ".0f", "by phase %": ".0f"}
    formats |= {"bias": "+.3f", "MC se": ".3f", "bias / SD": "+.3f", "SD": ".2f", "mean SE": ".2f"}
    formats |= {"coverage %": ".1f", "rejects 0 %": ".1f", "expected %": ".1f", "MDE": ".1f"}
    lines = ["| " + " | ".join(rows.columns) + " |", "|" + "---|" * len(rows.columns)]
    lines += [
        "| " + " | ".join(format(row[name], formats[name]) for name in rows.columns) + " |"
        for row in rows.to_dict("records")
    ]
    missed = verdicts(rows)
    outcome = "\n".join(f"- {entry}" for entry in missed) or (
        "Every scenario keeps the limits: coverage 93 to 97 %, size 4 to 6 % (plus or minus two "
        "Monte Carlo standard errors), bias under 0.05 SD (or two Monte Carlo standard errors)."
    )
    return f"""# Does the primary estimator's interval cover?

    {command}

Imputation on the school-year gap, weighted by the cohort's possible sessions, phase-by-year effects
where the rule allows them, delete-one-school jackknife, t with schools less one degrees of freedom.
Percentage points. Simulated schools with 6.4 children with a social worker on average, a fifth of
them secondary, levels of the phases growing apart: `tests.proofs._school_gaps`. "by phase
%": draws in which the rule gave phase-by-year effects. "expected %": rejections that a t test with
this SD makes (5 where there is no effect, the power otherwise). "MDE": smallest effect found with
80 % power, from the mean standard error.

{chr(10).join(lines)}

{outcome}
"""


def main(arguments: list[str] | None = None) -> int:
    """Run every scenario, write the page, and return 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=2000, help="draws for 60 and 120 schools")
    parser.add_argument("--seed", type=int, default=20260901)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    asked = parser.parse_args(arguments)
    plan = [(60, asked.draws), (120, asked.draws), (400, max(asked.draws // 4, 2))]
    rows = pd.DataFrame(
        [
            scenario(schools, effect, draws, asked.seed)
            for schools, draws in plan
            for effect in (0.0, -1.5)
        ]
    )
    command = f"python -m tests.proofs.primary_coverage --draws {asked.draws} --seed {asked.seed}"
    asked.output.write_text(written(rows, command), encoding="utf-8")
    sys.stdout.write(written(rows, command))
    return 1 if verdicts(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
