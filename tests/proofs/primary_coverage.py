"""Does the primary estimator's interval cover?

    python -m tests.proofs.primary_coverage [--draws N] [--whole N] [--events N] [--seed S]
        [--only NAME] [--output FILE]

Each case is a row of `CASES`: the schools of `tests.proofs._school_gaps`, plain or bent in what the
estimator must bear. What no estimator bears is in `tests.proofs.worlds`. The estimate is the
package's own arithmetic; the first draws of every case are checked against the front door,
`vsh_eval.effects.estimators`.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
from scipy import stats

from tests.proofs._page import options, table
from tests.proofs._school_gaps import (
    ADOPTION,
    YEARS,
    GapDraw,
    gridded,
    plain,
    primary,
    whole_authority,
)
from vsh_eval import effects
from vsh_eval.effects.sensitivity import pretrend_of
from vsh_eval.numerics.inference.significance import minimum_detectable
from vsh_eval.synthetic import Plan

CHECKED = 2
COVERAGE, SIZE, BIAS = (93.0, 97.0), (4.0, 6.0), 0.05
PUPIL_SD, SCHOOL_SD, RESIDUAL_SD = 19.0, 3.4, 2.9
"""Spread of Attainment 8 between children, schools' gaps and their years, in points."""
SMALL = {"special": (0.06, 2.0), "alternative_provision": (0.02, 10.0), "all_through": (0.02, 1.0)}
"""Share of the schools and level above the school's own, in percentage points."""
CHANCES = {"primary": 0.5, "secondary": 0.8}
"""Chance of being trained where it is drawn by phase; a small phase has that of primaries."""

Draw = Callable[[int, np.random.Generator], GapDraw]


@dataclass(frozen=True, slots=True)
class Case:
    """One way in which the simulated world is; `strata` in place of the rule for year effects."""

    name: str
    draw: Draw
    sizes: tuple[int, ...] = (60, 120, 400)
    strata: Callable[[pd.DataFrame], pd.Series] | None = None
    whole: bool = False


def growing(schools: int, rng: np.random.Generator) -> GapDraw:
    """Let the effect grow by 0.75 points with every year since training."""
    drawn = plain(schools, rng)
    return _added(drawn, -0.75 * (_since(drawn) + 1))


def by_programme(schools: int, rng: np.random.Generator) -> GapDraw:
    """Let one programme work and the other hardly; every trained school has one of them."""
    drawn = plain(schools, rng)
    units, school = np.unique(drawn.gaps["unit_id"], return_inverse=True)
    return _added(drawn, np.where(rng.random(len(units)) < 0.5, -2.4, -0.4)[school])


def by_phase(schools: int, rng: np.random.Generator) -> GapDraw:
    """Let training work in primary schools and hardly in secondary ones."""
    drawn = plain(schools, rng)
    return _added(drawn, np.where(drawn.gaps["phase"].eq("primary"), -2.4, -0.4))


def _since(drawn: GapDraw) -> np.ndarray:
    return (drawn.gaps["time_period"] // 100 - drawn.gaps["adopted"] // 100).to_numpy()


def _added(drawn: GapDraw, effect: np.ndarray) -> GapDraw:
    """Add an effect to trained rows; the truth is its weighted mean over them."""
    treated = drawn.gaps["adopted"].gt(0).to_numpy() & (_since(drawn) >= 0)
    gaps = drawn.gaps.assign(outcome=drawn.gaps["outcome"] + np.where(treated, effect, 0.0))
    weight = drawn.gaps["weight"].to_numpy()
    return GapDraw(gaps, float(np.average(effect[treated], weights=weight[treated])))


def attainment8(schools: int, rng: np.random.Generator, *, effect: float = 0.0) -> GapDraw:
    """Draw Attainment 8 in secondary schools: three children a school and year, no 2020 or 2021."""
    years = np.array([201718, 201819, 202122, 202223, 202324, 202425])
    adopted = rng.permutation(np.repeat([*ADOPTION, 0, 0], -(-schools // 5))[:schools])
    mean = 3 * rng.gamma(2.5, 1 / 2.5, schools)
    pupils = rng.poisson(np.repeat(mean[:, None], years.size, axis=1))
    gap = -27 + rng.normal(0, SCHOOL_SD, (schools, 1)) + rng.normal(0, RESIDUAL_SD, pupils.shape)
    noise = rng.standard_normal(pupils.shape) * PUPIL_SD / np.sqrt(np.maximum(pupils, 1))
    noise += rng.standard_normal(pupils.shape) * PUPIL_SD / np.sqrt(150)
    treated = (adopted[:, None] > 0) & (years >= adopted[:, None])
    unit, year = np.nonzero(pupils)
    gaps = {
        "unit_id": (900_001 + unit).astype(str),
        "phase": "secondary",
        "time_period": years[year],
        "metric": "ks4_attainment8",
        "outcome": (gap + noise + np.where(treated, effect, 0.0))[unit, year],
        "weight": pupils[unit, year].astype(float),
        "pupils": pupils[unit, year],
        "reference_pupils": 150,
        "adopted": adopted[unit],
    }
    return GapDraw(pd.DataFrame(gaps), effect)


def with_small_phases(
    schools: int, rng: np.random.Generator, *, drift: float = 0.0, unequal: bool = False
) -> GapDraw:
    """Turn a tenth of the schools into three small phases whose gap drifts, points a year.

    `unequal`: by lot with the chances of `CHANCES`, else in equal shares of every phase.
    """
    gaps = plain(schools, rng).gaps
    units = rng.permutation(gaps["unit_id"].unique())
    years = gaps["time_period"].rank(method="dense").astype(int) - 1
    start = 0
    for name, (share, level) in SMALL.items():
        number = max(round(share * len(units)), 2)
        own = gaps["unit_id"].isin(units[start : start + number])
        start += number
        shock = rng.normal(0, 0.5, years.max() + 1)[years]
        gaps = gaps.assign(
            outcome=gaps["outcome"] + np.where(own, level + drift * years + shock, 0.0),
            phase=gaps["phase"].astype(str).mask(own, name),
        )
    if unequal:
        chance = gaps.groupby("unit_id")["phase"].first().map(CHANCES).fillna(CHANCES["primary"])
        trained = rng.random(len(chance)) < chance
        adopted = pd.Series(np.where(trained, rng.choice(ADOPTION, len(chance)), 0), chance.index)
        gaps = gaps.assign(adopted=gaps["unit_id"].map(adopted))
    return GapDraw(gaps, 0.0)


def whole(schools: int, rng: np.random.Generator, *, effect: float) -> GapDraw:
    """Invent the returns of every child and count them as a run does."""
    seed = int(rng.integers(2**31))
    return whole_authority(Plan(schools=schools, effect=effect, seed=seed, **YEARS))


def common(cells: pd.DataFrame) -> pd.Series:
    """Let all schools share year effects."""
    return pd.Series("", index=cells.index)


RULES = {"": None, ", common": common, ", every phase its own": lambda cells: cells["phase"]}
DRIFTS = {"without a drift": 0.0, "that open by 1 a year": 1.0, "that close by 1 a year": -1.0}
PERSISTENT = {"metric": "persistent_absence"}
CASES = (
    Case("no effect", plain),
    Case("constant effect, -1.5", partial(plain, effect=-1.5)),
    Case("25 children a school, no effect", partial(plain, cohort_per_school=25), (60, 120)),
    Case(
        "25 children a school, -1.5", partial(plain, cohort_per_school=25, effect=-1.5), (60, 120)
    ),
    Case("effect grows with the years", growing),
    Case("one programme works, one hardly", by_programme),
    Case("works in primary schools only", by_phase),
    Case("cohorts grow after training", partial(plain, growth_after_training=1.0)),
    Case(
        "3 children a school: many empty years", partial(plain, cohort_per_school=3.0), (120, 400)
    ),
    Case("3 to 6 schools an adoption year", partial(plain, share_trained=0.15), (60, 120)),
    Case("one adoption year", partial(plain, adoption=(202223,))),
    Case("persistent absence, no effect", partial(plain, **PERSISTENT)),
    Case("persistent absence, with an effect", partial(plain, **PERSISTENT, effect=-1.5)),
    Case("Attainment 8, no effect", attainment8, (30, 60)),
    Case("Attainment 8, +2 points", partial(attainment8, effect=2.0), (30, 60)),
    *(
        Case(
            f"small phases {said}{', trained unequally' if unequal else ''}{rule}",
            partial(with_small_phases, drift=drift, unequal=unequal),
            (60, 120),
            strata,
        )
        for (said, drift), unequal, (rule, strata) in product(
            DRIFTS.items(), (False, True), RULES.items()
        )
    ),
    Case("whole authorities, no effect", partial(whole, effect=0.0), (60,), whole=True),
    Case("whole authorities, -1.5", partial(whole, effect=-1.5), (60,), whole=True),
)


def repeated(case: Case, schools: int, *, draws: int, seed: int) -> pd.DataFrame:
    """Estimate one case again and again; its own seed, so that a case can be run alone."""
    rng = np.random.default_rng([seed, schools, *case.name.encode()])
    rows = []
    for number in range(draws):
        drawn = case.draw(schools, rng)
        cells = gridded(drawn.gaps, case.strata)
        found = primary(cells)
        if number < CHECKED and case.strata is None:
            simple = effects.estimators.impute(_sample(drawn), leads=0, draws=1).iloc[0]
            theirs = [float(simple[name]) for name in ("estimate", "std_error", "df")]
            if not np.allclose(theirs, found, rtol=1e-9):
                sys.exit(f"{case.name}, draw {number}: the front door gives another number")
        rows.append({**found._asdict(), "truth": drawn.truth})
    return pd.DataFrame(rows)


def _sample(drawn: GapDraw) -> pd.DataFrame:
    exposure = drawn.gaps[["unit_id", "adopted"]].drop_duplicates()
    return effects.sample.select_sample(drawn.gaps, exposure, min_schools=1).data


def summary(case: Case, schools: int, results: pd.DataFrame) -> dict[str, object]:
    """Sum up one case."""
    error = results["estimate"] - results["truth"]
    reach = stats.t.ppf(0.975, results["df"]) * results["std_error"]
    return {
        "case": case.name,
        "schools": schools,
        "draws": len(results),
        "truth": float(results["truth"].mean()),
        "bias": float(error.mean()),
        "MC se": float(error.std()) / np.sqrt(len(results)),
        "SD": float(error.std()),
        "mean SE": float(results["std_error"].mean()),
        "coverage %": 100 * (error.abs() <= reach).mean(),
        "rejects 0 %": 100 * (results["estimate"].abs() > reach).mean(),
    }


def misses(row: dict[str, float]) -> Iterator[str]:
    """Say which limits a case misses, each with two Monte Carlo errors allowed."""
    noise = 200 * np.sqrt(0.95 * 0.05 / row["draws"])
    if not COVERAGE[0] - noise <= row["coverage %"] <= COVERAGE[1] + noise:
        yield f"coverage {row['coverage %']:.1f} %"
    if row["truth"] == 0 and not SIZE[0] - noise <= row["rejects 0 %"] <= SIZE[1] + noise:
        yield f"size {row['rejects 0 %']:.1f} %"
    if abs(row["bias"]) > max(BIAS * row["SD"], 2 * row["MC se"]):
        yield f"bias {row['bias']:+.2f} ({row['bias'] / row['SD']:+.2f} SD)"


def event_study(schools: int, draws: int, seed: int) -> dict[str, float]:
    """Count what the pre-trend test and the bands say where there is no effect."""
    rng = np.random.default_rng([seed, schools])
    rows = []
    for number in range(draws):
        fitted = effects.estimators.fit_imputation(_sample(plain(schools, rng)), seed=number)
        events = fitted.rows[fitted.rows["aggregation"].eq("event") & fitted.rows["status"].eq("")]
        band = events["band_lower"].le(0) & events["band_upper"].ge(0)
        point = events["ci_lower"].le(0) & events["ci_upper"].ge(0)
        rows.append(
            {
                "pre-trend rejects %": pretrend_of(fitted).test.p_value < 0.05,
                "band covers %": band.all(),
                "band covers, lags only %": band[events["index"].ge(0)].all(),
                "all pointwise cover %": point.all(),
            }
        )
    return {"schools": schools, "draws": draws, **(100 * pd.DataFrame(rows).mean())}


FORMATS = {
    "truth": "+.2f",
    "bias": "+.3f",
    "MC se": ".3f",
    "coverage %": ".1f",
    "rejects 0 %": ".1f",
}


def body(rows: list[dict[str, object]], events: list[dict[str, float]]) -> str:
    """Return what the page says."""
    missed = [
        f"- {row['case']}, {row['schools']} schools: {', '.join(said)}."
        for row in rows
        if (said := list(misses(row)))
    ]
    plainly = [row for row in rows if row["case"] == CASES[0].name]
    sizes = [(minimum_detectable(r["mean SE"], r["schools"] - 1), r["schools"]) for r in plainly]
    detected = ", ".join(f"{size:.1f} with {schools} schools" for size, schools in sizes)
    return f"""
Imputation on the school-year gap, weighted by the cohort's possible sessions, year effects by the
package's rule, delete-one-school jackknife, t with schools less one degrees of freedom. Percentage
points; points of Attainment 8. Schools have 6.4 children with a social worker on average, unless
the case says otherwise; a fifth are secondary, the levels of the phases grow apart, and a fifth of
the schools is trained in each of three years. "truth": the mean effect on the treated.
"MC se": Monte Carlo standard error of the bias. Attainment 8 is drawn in
secondary schools only, about three children of the cohort a school and year. Small phases: a tenth
of the schools is special, alternative provision or all-through, with levels of 2, 10 and 1
percentage points above their own; trained unequally: by lot, 80 % of secondary and 50 % of other
schools. There the package's rule stands beside year effects that are common, and that every phase
has for itself. Whole authorities: the returns of every child are invented, and counted and
estimated by the package's own functions from end to end.

{table(rows, FORMATS)}

An effect is found with 80 % power if it is {detected or "not asked"}: from the mean standard errors
of the first case.

Limits: coverage 93 to 97 %, size 4 to 6 % (each plus or minus two Monte Carlo standard errors),
bias under 0.05 SD (or two Monte Carlo standard errors). Missed in:

{chr(10).join(missed) or "- Nothing."}

Where nearly all secondary schools were trained and phases grow apart, too few are left to learn
secondary years from, under any rule: read the estimate of primary schools alone beside it.

## Pre-trend test and simultaneous band

No effect, so every lead and lag is zero in truth. The test should reject in 5 % of the draws and
the band should hold every lead and lag in 95 %. "lags only" leaves the leads out of the same band;
"all pointwise" is how often every pointwise interval would hold.

{table(events, ".1f")}
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the cases and write the page; 1 where the package's own rule misses a limit."""
    asked, write = options(
        __file__,
        __doc__,
        arguments,
        draws=2000,
        whole=100,
        events=1000,
        seed=20260901,
        only={"default": "", "help": "only cases whose name holds this"},
    )
    rows = []
    for case in (case for case in CASES if asked.only in case.name):
        for schools in case.sizes:
            draws = min(asked.whole, asked.draws) if case.whole else asked.draws
            results = repeated(case, schools, draws=draws, seed=asked.seed)
            rows.append(summary(case, schools, results))
            sys.stdout.write(f"{case.name}, {schools}: {rows[-1]['coverage %']:.1f} %\n")
            sys.stdout.flush()
    events = [event_study(schools, asked.events, asked.seed) for schools in (60, 120)]
    write(body(rows, events), "draws", "whole", "events", "seed")
    ruled = {case.name for case in CASES if case.strata is None}
    return int(any(row["case"] in ruled and any(misses(row)) for row in rows))


if __name__ == "__main__":
    sys.exit(main())
