"""Which year effects should an authority with few schools of a phase use?

    python -m tests.proofs.phase_pooling [--draws N] [--seed S] [--output FILE]

Hardly any authority has many schools of every phase: a few special schools, alternative provision
and all-through schools, and in small authorities a dozen secondaries. Here school gaps are drawn by
`tests.proofs._school_gaps`, a tenth of the schools is turned into three small phases with
levels and yearly drifts of their own, and the primary estimator is made with common year effects,
with every phase its own, and by the package's rule (`vsh_eval.effects.sample.year_effects`: large
phases have their own, small ones those of the large phase most like them) under several limits for
what is large. Schools are trained as `draw_school_gaps` does it, in equal shares of every phase, or
by lot, or by lot with more secondary schools than primary ones.
"""

import argparse
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from tests.proofs._school_gaps import draw_school_gaps
from tests.proofs.primary_coverage import BIAS, SIZE
from vsh_eval.effects.sample.year_effects import (
    COMMON,
    STRATUM_COMPARISON,
    STRATUM_SCHOOLS,
    year_effects,
)
from vsh_eval.numerics.estimators import imputation
from vsh_eval.synthetic import Plan

OUTPUT = Path(__file__).resolve().parents[2] / "docs" / "proofs" / "phase_pooling.md"
YEARS = {"first": 201718, "last": 202425}
ADOPTION = (202122, 202223, 202324)
SMALL = {"special": (0.06, 2.0), "alternative_provision": (0.02, 10.0), "all_through": (0.02, 1.0)}
"""Share of the schools and level above the school's own, in percentage points."""
NONE = "none"
DRIFTS = {"no drift": 0.0, "like secondaries": 1.0, "against the others": -1.0}
"""Percentage points a year by which the gap of small phases drifts."""
APART, TOGETHER = "apart", "together"
ALIKE = "in equal shares"
LOTS = {"by lot": (0.6, 0.6), "by lot, more secondary": (0.5, 0.8)}
"""Chance of being trained: secondary schools have the second, all others the first."""
OWN = "every phase its own"
LIMITS = ((20, 5), (12, 4), (8, 4), (STRATUM_SCHOOLS, STRATUM_COMPARISON))
RULES = (COMMON, *LIMITS, OWN)
CHOSEN = LIMITS[-1]
Rule = str | tuple[int, int]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of authority."""

    schools: int
    small: str = NONE
    paths: str = APART
    training: str = ALIKE


SCENARIOS = (
    *(Scenario(*asked) for asked in product((60, 120), (NONE, *DRIFTS), (APART, TOGETHER))),
    *(Scenario(240, small) for small in (NONE, *DRIFTS)),
    *(
        Scenario(schools, small, APART, training)
        for schools, small, training in product((60, 120), (NONE, "no drift"), LOTS)
    ),
)


def drawn(asked: Scenario, rng: np.random.Generator) -> pd.DataFrame:
    """Draw school gaps without effect; a tenth of the schools may be of small phases."""
    plan = Plan(schools=asked.schools, effect=0.0, **YEARS)
    gaps = draw_school_gaps(plan, rng, phase_trends=asked.paths == APART).gaps.copy()
    if asked.small != NONE:
        gaps = _with_small_phases(gaps, DRIFTS[asked.small], rng)
    if asked.training != ALIKE:
        gaps = _by_lot(gaps, LOTS[asked.training], rng)
    return gaps


def _with_small_phases(gaps: pd.DataFrame, drift: float, rng: np.random.Generator) -> pd.DataFrame:
    units = rng.permutation(gaps["unit_id"].unique())
    phase = gaps["phase"].astype(str)
    start = 0
    for name, (share, level) in SMALL.items():
        number = max(round(share * len(units)), 2)
        own = gaps["unit_id"].isin(units[start : start + number])
        start += number
        years = gaps["time_period"].rank(method="dense") - 1
        noise = rng.normal(0, 0.5, gaps["time_period"].nunique())
        shock = noise[years.astype(int)]
        gaps.loc[own, "outcome"] += (level + drift * years + shock)[own]
        phase = phase.mask(own, name)
    return gaps.assign(phase=phase)


def _by_lot(
    gaps: pd.DataFrame, chances: tuple[float, float], rng: np.random.Generator
) -> pd.DataFrame:
    secondary = gaps.groupby("unit_id")["phase"].first().eq("secondary")
    trained = rng.random(len(secondary)) < np.where(secondary, chances[1], chances[0])
    adopted = np.where(trained, rng.choice(ADOPTION, len(secondary)), 0)
    return gaps.assign(adopted=gaps["unit_id"].map(pd.Series(adopted, index=secondary.index)))


def strata_of(cells: pd.DataFrame, rule: Rule) -> np.ndarray:
    """Return the stratum of every school-year under a rule, as numbers."""
    if rule == COMMON:
        return np.zeros(len(cells), dtype=np.int64)
    if isinstance(rule, str):
        stratum = cells["phase"]
    else:
        stratum = year_effects(cells, least_schools=rule[0], least_untrained=rule[1]).stratum
    return np.unique(stratum.to_numpy(str), return_inverse=True)[1]


def estimated(gaps: pd.DataFrame) -> dict[Rule, tuple[float, float, float, bool]]:
    """Return estimate, standard error, degrees of freedom and whether by phase, by rule."""
    units, school = np.unique(gaps["unit_id"].to_numpy(str), return_inverse=True)
    years, year = np.unique(gaps["time_period"].to_numpy(), return_inverse=True)
    shape = (len(units), len(years))
    outcome, weight = np.zeros(shape), np.zeros(shape)
    outcome[school, year], weight[school, year] = gaps["outcome"], gaps["weight"]
    adopted = np.zeros(len(units), dtype=np.int64)
    adopted[school] = gaps["adopted"]
    onset = np.where(adopted > 0, np.searchsorted(years, adopted), len(years))
    treated = np.arange(len(years)) >= onset[:, None]
    anchored = ((weight > 0) & ~treated).any(axis=1)[school]
    cells = gaps.assign(unit=school, time=year, cohort=np.where(adopted > 0, onset, 0)[school])
    cells = cells[anchored]
    made: dict[bytes, tuple[float, float, float, bool]] = {}
    found = {}
    for rule in RULES:
        stratum = np.zeros(len(units), dtype=np.int64)
        stratum[school[anchored]] = strata_of(cells, rule)
        key = stratum.tobytes()
        if key not in made:
            made[key] = _fitted(outcome, weight, treated, stratum)
        found[rule] = made[key]
    return found


def _fitted(
    outcome: np.ndarray, weight: np.ndarray, treated: np.ndarray, stratum: np.ndarray
) -> tuple[float, float, float, bool]:
    fitted = imputation.fit(outcome, weight, treated, stratum)
    target = np.where(treated & imputation.imputable(fitted), weight, 0.0)
    made = imputation.estimate(fitted, target[None])
    error = float(np.sqrt((made.deviations() ** 2).sum()))
    return float(made.estimate[0]), error, float(made.schools[0] - 1), bool(stratum.any())


def repeated(asked: Scenario, draws: int, seed: int) -> list[dict[str, float | str]]:
    """Repeat one scenario under every rule, on the same draws."""
    rng = np.random.default_rng([seed, SCENARIOS.index(asked)])
    found: dict[Rule, list[tuple[float, float, float, bool]]] = {rule: [] for rule in RULES}
    for _ in range(draws):
        for rule, one in estimated(drawn(asked, rng)).items():
            found[rule].append(one)
    return [_row(asked, rule, results) for rule, results in found.items()]


def _row(
    asked: Scenario, rule: Rule, results: list[tuple[float, float, float, bool]]
) -> dict[str, float | str]:
    error, std_error, df, apart = np.array(results, dtype=float).T
    return {
        "schools": asked.schools,
        "small phases": asked.small,
        "phases go": asked.paths,
        "trained": asked.training,
        "year effects": called(rule),
        "by phase %": 100 * apart.mean(),
        "bias": error.mean(),
        "MC se": error.std(ddof=1) / np.sqrt(len(error)),
        "SD": error.std(ddof=1),
        "mean SE": std_error.mean(),
        "coverage %": 100 * (np.abs(error) <= stats.t.ppf(0.975, df) * std_error).mean(),
    }


def called(rule: Rule) -> str:
    """Name a rule in the table.

    A pair of limits is the schools a phase must have, and those of them not yet trained in every
    year.
    """
    return rule if isinstance(rule, str) else f"own from {rule[0]} schools, {rule[1]} untrained"


def misses(rows: pd.DataFrame, draws: int) -> pd.Series:
    """Tell which rows miss a limit, allowing for two Monte Carlo errors."""
    noise = 200 * np.sqrt(0.95 * 0.05 / draws)
    size = 100 - rows["coverage %"]
    covers = size.between(SIZE[0] - noise, SIZE[1] + noise)
    level = rows["bias"].abs() <= np.maximum(BIAS * rows["SD"], 2 * rows["MC se"])
    return ~(covers & level)


FORMATS = {"schools": ".0f", "small phases": "", "phases go": "", "trained": ""}
FORMATS |= {"year effects": "", "by phase %": ".0f", "bias": "+.3f", "MC se": ".3f", "SD": ".2f"}
FORMATS |= {"mean SE": ".2f", "coverage %": ".1f"}


def _read(rows: pd.DataFrame, rule: Rule, missed: pd.Series) -> str:
    """Sum a rule up over the scenarios."""
    keys = ["schools", "small phases", "phases go", "trained"]
    own = rows["year effects"].eq(called(rule))
    part = rows[own].set_index(keys)
    ratio = (
        part[["SD", "mean SE"]]
        / rows[rows["year effects"].eq(COMMON)].set_index(keys)[["SD", "mean SE"]]
    )
    alike = part[part.index.get_level_values("trained") == ALIKE]
    lots = part.drop(index=alike.index)
    return (
        f"- {called(rule)}: misses a limit in {int(missed[own].sum())} of {len(part)} scenarios; "
        f"standard deviation {ratio['SD'].mean():.2f} and standard error "
        f"{ratio['mean SE'].mean():.2f} times those of common year effects; trained in equal "
        f"shares: coverage {_span(alike['coverage %'])} %, largest bias "
        f"{(alike['bias'] / alike['SD']).abs().max():.2f} SD; by lot: coverage "
        f"{_span(lots['coverage %'])} %, largest bias "
        f"{(lots['bias'] / lots['SD']).abs().max():.2f} SD."
    )


def _span(values: pd.Series) -> str:
    return f"{values.min():.1f} to {values.max():.1f}"


def written(rows: pd.DataFrame, command: str, draws: int) -> str:
    """Return the committed page."""
    lines = ["| " + " | ".join(FORMATS) + " |", "|" + "---|" * len(FORMATS)]
    lines += [
        "| " + " | ".join(format(row[name], how) for name, how in FORMATS.items()) + " |"
        for row in rows.to_dict("records")
    ]
    missed = misses(rows, draws)
    reading = [_read(rows, rule, missed) for rule in RULES]
    still = rows[missed & rows["year effects"].eq(called(CHOSEN))]
    left = [
        f"- {row['schools']:.0f} schools, small phases: {row['small phases']}, phases go "
        f"{row['phases go']}, trained {row['trained']}: coverage {row['coverage %']:.1f} %, bias "
        f"{row['bias'] / row['SD']:+.2f} SD."
        for row in still.to_dict("records")
    ] or ["- Nothing."]
    return f"""# Which year effects should an authority with few schools of a phase use?

    {command}

School gaps as in `primary_coverage`, without effect, {draws} draws a scenario, the same for every
rule. A fifth of the schools is secondary. Small phases: a tenth of the schools is special,
alternative provision or all-through, with levels of 2, 10 and 1 percentage points above their own
and, by scenario, a drift that the other phases do not have. "phases go": whether the levels of
primary and secondary schools grow apart as the published ones do. "trained": in equal shares of
every phase, by lot (60 %), or by lot with 80 % of secondary and 50 % of other schools. "own from":
a phase with so many schools, and so many not yet trained ones in every year, has year effects of
its own, a smaller one those of the large phase most like it before training; common where fewer
than two phases are large. "by phase %": draws in which year effects are not common. Percentage
points; Monte Carlo error of a coverage {100 * np.sqrt(0.05 * 0.95 / draws):.1f}. Limits: size 4 to
6 %, so coverage 94 to 96 %, and bias under 0.05 SD, each with two Monte Carlo errors allowed.

{chr(10).join(lines)}

## Reading

{chr(10).join(reading)}

The package uses "{called(CHOSEN)}". A higher limit for the untrained sends
authorities to common year effects just where a phase was trained more than the others, and there
common year effects take the difference between the phases for an effect. It still misses:

{chr(10).join(left)}

Where nearly all secondary schools were trained and phases grow apart, too few are left to learn
secondary years from, under any rule: read the estimate of primary schools alone beside it.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run every scenario and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=20260901)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    asked = parser.parse_args(arguments)
    rows = []
    for scenario in SCENARIOS:
        rows += repeated(scenario, asked.draws, asked.seed)
        sys.stdout.write(f"{scenario}: coverage {rows[-2]['coverage %']:.1f} %\n")
        sys.stdout.flush()
    command = f"python -m tests.proofs.phase_pooling --draws {asked.draws} --seed {asked.seed}"
    page = written(pd.DataFrame(rows), command, asked.draws)
    asked.output.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
