"""Do pools of authorities cover, and detect what they say?

    python -m tests.proofs.pools [--draws N] [--judged N] [--real N] [--seed S] [--output FILE]

Authorities are drawn at the level of what they release: 30 to 150 schools, a standard error as such
an authority has (an error that is itself estimated), both rounded as the door rounds them, true
effects that are the same or differ. Below it, what leaving authorities out of a pool does, from
school gaps that are judged by the rules of the evidence statement; and pools of whole invented
authorities: returns of every child, cohort, school gaps and both estimators, pooled by the same
function.
"""

import sys
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from tests.proofs._page import options, table
from tests.proofs._school_gaps import whole_authority
from tests.proofs.worlds import WORLDS, asked_of, draws_of, moved
from vsh_eval import effects
from vsh_eval.effects import pooling
from vsh_eval.numerics.inference.significance import minimum_detectable, t_critical
from vsh_eval.numerics.rounding import decimals, to_decimals
from vsh_eval.synthetic import Plan

ERROR, SCHOOLS = 1.44, 60
"""Standard error of an ordinary authority: its detectable effect is 4.1 points."""
SIZES = (2, 3, 4, 8, 12)
SPREADS = (0.0, 0.5, 1.0)
EFFECT = -1.5
AT_ONCE = (2, 4, 8)
RATIOS = {2: 0.70, 4: 0.47, 8: 0.32}
"""What was found for schools of 2, 4 and 8 authorities in one estimate (statistical design)."""
CHILDREN, SESOI = 6.4, 1.5
"""Of the authorities that are judged, as in worlds.md: children a school, effect of interest."""
TRUE_EFFECTS = (0.0, -1.5, -3.0)
NOT_SAID = WORLDS[1]
"""Trained by lot, which the protocol does not say: there is no drift, and the rule is asked."""
NORMAL = float(stats.norm.ppf(0.975))


class Pool(NamedTuple):
    """One pool, and what was true in it; `factor` is the root of Hartung and Knapp's, not held."""

    found: pooling.Combined
    mean: float
    further: float
    common: tuple[float, float]
    factor: float

    def misses_by(self) -> float:
        """Return how far the pool's mean is from the true one."""
        return abs(self.found.estimate - self.mean)

    def reaches(self) -> tuple[float, float, float]:
        """Return the reach of the interval: held, not held, and at least the normal one."""
        held = self.found.ci_upper - self.found.estimate
        plain = self.factor * held
        return held, plain, max(plain, NORMAL * self.found.std_error)


def draw(k: int, tau: float, effect: float, rng: np.random.Generator, *, alike: bool) -> Pool:
    """Draw what k authorities release, and pool it."""
    schools = np.full(k, SCHOOLS) if alike else rng.integers(30, 151, k)
    error = ERROR * np.sqrt(SCHOOLS / schools)
    true = effect + tau * rng.normal(size=k + 1)
    given = error * np.sqrt(rng.chisquare(schools - 1) / (schools - 1))
    estimate = rng.normal(true[:k], error)
    places = decimals(given)
    rounded = to_decimals(estimate, places), to_decimals(given, places)
    found, weights = pooling.combine(*rounded), rounded[1] ** -2.0
    common = float(weights @ rounded[0] / weights.sum()), float(weights.sum() ** -0.5)
    between = 1 / (rounded[1] ** 2 + found.tau_squared)
    factor = float(between @ (rounded[0] - found.estimate) ** 2 / (k - 1))
    return Pool(found, effect, float(true[k]), common, min(1.0, factor) ** 0.5)


def coverage(draws: int, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Count how often the mean and the effect of one more authority lie in their intervals.

    The second table is of the mean in three intervals, over all pools and over those whose
    estimates differ by no more than chance.
    """
    rows, others = [], []
    for tau in SPREADS:
        for k in SIZES:
            pools = [draw(k, tau, EFFECT, rng, alike=False) for _ in range(draws)]
            common = [abs(p.common[0] - p.mean) <= NORMAL * p.common[1] for p in pools]
            inside = np.array([[p.misses_by() <= reach for reach in p.reaches()] for p in pools])
            row = {"tau": tau, "authorities": k, "coverage %": 100 * inside[:, 0].mean()}
            row["common effect %"] = 100 * np.mean(common)
            further = [p.found.next_lower <= p.further <= p.found.next_upper for p in pools]
            row["one more authority %"] = 100 * np.mean(further) if k > 2 else np.nan
            row["width"] = np.median([p.found.ci_upper - p.found.ci_lower for p in pools])
            rows.append(row)
            zero = np.array([p.found.tau_squared == 0 for p in pools])
            other = {"tau": tau, "authorities": k, "tau estimated as 0 %": 100 * zero.mean()}
            for at, name in enumerate(("held", "not held", "at least normal")):
                other[f"{name} %"] = 100 * inside[:, at].mean()
                other[f"{name}, there %"] = 100 * inside[zero, at].mean()
            others.append(other)
    return pd.DataFrame(rows), pd.DataFrame(others)


def judged(authorities: int, seed: int) -> pd.DataFrame:
    """Estimate authorities without an effect; judge each of them under every effect."""
    rows = []
    for drawn in draws_of(WORLDS[0], SCHOOLS, CHILDREN, draws=authorities, seed=seed):
        asked = asked_of(drawn, SESOI, moves=())
        checks = effects.evidence.Checks(**asked.checks, chosen_by=NOT_SAID.chosen_by)
        first = asked.rows.iloc[0]
        row = {"estimate": float(first["estimate"]), "std_error": float(first["std_error"])}
        for effect in TRUE_EFFECTS:
            found = effects.evidence.judge(
                moved(asked.rows, effect), sesoi=SESOI, lower_is_better=True, checks=checks
            )
            row[f"out {effect:g}"] = found.statement in pooling.NOT_POOLED
            row[f"drift {effect:g}"] = found.decided_by == "drift"
        rows.append(row)
    return pd.DataFrame(rows)


def left_out(rows: pd.DataFrame, draws: int, rng: np.random.Generator) -> pd.DataFrame:
    """Pool authorities with and without those whose result is not put down to training."""
    found = []
    for effect in TRUE_EFFECTS:
        values, errors = rows["estimate"].to_numpy() + effect, rows["std_error"].to_numpy()
        out = rows[f"out {effect:g}"].to_numpy(bool)
        for k in AT_ONCE[1:]:
            row = {"effect": effect, "authorities": k, "left out %": 100 * out.mean()}
            row["by drift %"] = 100 * rows[f"drift {effect:g}"].mean()
            pools: dict[str, list[pooling.Combined]] = {"those left": [], "all": []}
            for _ in range(draws):
                drawn = rng.choice(len(rows), k, replace=False)
                for name, used in (("those left", drawn[~out[drawn]]), ("all", drawn)):
                    if len(used) >= pooling.LEAST:
                        pools[name].append(pooling.combine(values[used], errors[used]))
            for name, made in pools.items():
                inside = [one.ci_lower <= effect <= one.ci_upper for one in made]
                row[f"{name}: mean"] = np.mean([one.estimate for one in made])
                row[f"{name}: covers %"] = 100 * np.mean(inside)
                row[f"{name}: clear %"] = 100 * np.mean([one.p_value < 0.05 for one in made])
            found.append(row)
    return pd.DataFrame(found)


def detected(draws: int, rng: np.random.Generator) -> pd.DataFrame:
    """Compare what pools of like authorities detect with what one of them does."""
    alone = minimum_detectable(ERROR, SCHOOLS - 1)
    rows = []
    for k in AT_ONCE:
        pools = [draw(k, 0.0, 0.0, rng, alike=True) for _ in range(draws)]
        found = float(np.median([pooling.detectable(pool.found) for pool in pools]))
        one = minimum_detectable(ERROR / np.sqrt(k), k * (SCHOOLS - 1))
        size = np.mean([pool.found.p_value < 0.05 for pool in pools])
        seen = [draw(k, 0.0, -found, rng, alike=True).found.p_value < 0.05 for _ in range(draws)]
        rows.append(
            {
                "authorities": k,
                "aim": RATIOS[k],
                "one effect in all": one / alone,
                "as analysed": found / alone,
                "power there %": 100 * np.mean(seen),
                "false alarms %": 100 * size,
            }
        )
    return pd.DataFrame(rows)


def whole(pools: int, seed: int) -> pd.DataFrame:
    """Pool whole invented authorities by both estimators."""
    rows = []
    for pool in range(pools):
        k = 4
        drawn = [
            whole_authority(Plan(schools=SCHOOLS, effect=-2.5, seed=seed + 10 * pool + number))
            for number in range(k)
        ]
        truth = float(np.mean([one.truth for one in drawn]))
        samples = [
            effects.sample.select_sample(
                one.gaps, one.gaps[["unit_id", "adopted"]].drop_duplicates()
            ).data
            for one in drawn
        ]
        for name in ("impute", "same_past"):
            estimator = getattr(effects.estimators, name)
            simple = [estimator(data).query("aggregation == 'simple'").iloc[0] for data in samples]
            values, errors = ([float(row[n]) for row in simple] for n in ("estimate", "std_error"))
            found = pooling.combine(values, errors)
            reach = [t_critical(float(row["df"])) * row["std_error"] for row in simple]
            rows.append(
                {
                    "pool": pool + 1,
                    "estimator": "imputation" if name == "impute" else name,
                    "truth": truth,
                    "estimate": found.estimate,
                    "lower": found.ci_lower,
                    "upper": found.ci_upper,
                    "tau": found.tau_squared**0.5,
                    "width, one": 2 * float(np.mean(reach)),
                    "width, pool": found.ci_upper - found.ci_lower,
                }
            )
    return pd.DataFrame(rows)


def written(
    tables: tuple[pd.DataFrame, pd.DataFrame],
    left: pd.DataFrame,
    seen: pd.DataFrame,
    real: pd.DataFrame,
    numbers: tuple[int, int],
) -> str:
    """Return what the page says."""
    (covered, others), (draws, count) = tables, numbers
    missed = covered[~covered["coverage %"].between(93, 97)]
    misses = "; ".join(
        f"tau {row['tau']:g}, {row['authorities']} authorities: {row['coverage %']:.1f} %"
        for row in missed.to_dict("records")
    )
    said = f"Outside 93 to 97 %: {misses}." if misses else "All within 93 to 97 %."
    eight = left[left["authorities"].eq(AT_ONCE[-1])].set_index("effect")
    apart = eight["those left: mean"] - eight["all: mean"]
    pulls = ", ".join(f"{apart[effect]:.1f} at {effect:g}" for effect in TRUE_EFFECTS[1:])
    here = eight["all: mean"][0.0]
    inside = int((real["lower"].le(real["truth"]) & real["truth"].le(real["upper"])).sum())
    shares = {name: ".1f" for of in (*tables, left, seen) for name in of if "%" in name}
    shares |= {"tau": ".1f", "effect": ".1f"}
    return f"""
{draws:,} pools a row. Authorities have 30 to 150 schools and a standard error of {ERROR} points at
{SCHOOLS} schools (its detectable effect alone is {minimum_detectable(ERROR, SCHOOLS - 1):.1f}); its
error is estimated with schools less one degrees of freedom, and estimate and error are rounded to
two figures of the error, as they are released. True effects are normal around {EFFECT} with the
standard deviation tau. The interval is Paule and Mandel's with Hartung and Knapp's factor, never
under 1, and Student's t. Monte Carlo error of a coverage: {100 * np.sqrt(0.05 * 0.95 / draws):.1f};
aim: 93 to 97.

## Coverage

{table(covered, shares)}

{said}
Where true effects are the same or nearly so, the factor that is held at 1 makes the interval too
wide, most with few authorities; the next table says why it is held. The common-effect interval,
which takes all true effects for the same, fails as soon as they differ. The interval for one more
authority is rough: it covers less than it says where true effects differ, because their variance is
often estimated as 0 (Partlett and Riley 2017, *Statistics in Medicine* 36, 301-317).

## Why the factor is held at 1

Paule and Mandel's variance makes the factor 1 wherever it is above 0, which is where Cochran's Q is
above its degrees of freedom; the factor is held only where it is 0. There it would be below 1 by
luck, and 0 for two authorities whose rounded estimates are equal. "There": pools in which the
variance is estimated as 0, of which a report says that its authorities differ by no more than
chance. "At least normal": not held, but no narrower than 1.96 errors (van Aert and Jackson 2019,
*Research Synthesis Methods* 10, 515-527).

{table(others, shares)}

Not held, the interval covers as it should over all pools, and less than it says in those that show
no difference between authorities, by more the more they truly differ. At least normal, it is nearer
to 95 % over all pools, and has the same fault with more than a few authorities that differ. A
reader sees one pool, and an interval that says 95 % must not be the worse for showing little
difference; so the factor is held, as Röver, Knapp and Friede (2015) recommend where there are few
estimates and their errors vary.

## What leaving authorities out does

An authority whose own result cannot be put down to training is left out, and the rule on drift is
asked only of a clear estimate. {count} authorities of {SCHOOLS} schools with {CHILDREN} children
each, trained by lot, which the protocol does not say; true effects are the same. "Left out" and
"by drift": of all authorities. "Clear": the interval excludes zero.

{table(left, shares)}

Without an effect these authorities average {here:+.2f}, so the two means are to be compared with
each other. Leaving out what is clear pulls the pool of {AT_ONCE[-1]} towards zero (in points:
{pulls}) and shows an effect in fewer pools. The page of a pool says so, and
shows all authorities beside it. The rule is kept for gaps that were closing anyway, where an
estimate is clear because of the drift ([worlds.md](worlds.md)).

## What is detected

The detectable effect of authorities of {SCHOOLS} schools, divided by that of one of them. "One
effect in all" is one estimate from all schools, which is what the aims were found for; "as
analysed" allows for effects that differ, which costs most with few authorities: two have one
degree of freedom.

{table(seen, shares)}

## Whole invented authorities

Pools of 4 authorities of {SCHOOLS} schools, an effect of -2.5 points planted in each. {inside} of
{len(real)} intervals hold the truth.

{table(real)}
"""


def main(arguments: list[str] | None = None) -> int:
    """Draw, pool, write the page; return 1 where 12 authorities that differ are not covered."""
    asked, write = options(
        __file__,
        __doc__,
        arguments,
        draws=500,
        judged={"type": int, "default": 400, "help": "authorities that are judged"},
        real={"type": int, "default": 3, "help": "pools of whole authorities"},
        seed=20261129,
    )
    rng = np.random.default_rng(asked.seed)
    tables, seen = coverage(asked.draws, rng), detected(asked.draws, rng)
    left = left_out(judged(asked.judged, asked.seed), asked.draws, rng)
    real = whole(asked.real, asked.seed)
    page = written(tables, left, seen, real, (asked.draws, asked.judged))
    write(page, "draws", "judged", "real")
    covered = tables[0]
    large = covered[covered["authorities"].eq(12) & covered["tau"].gt(0)]
    return 0 if large["coverage %"].between(93, 97).all() else 1


if __name__ == "__main__":
    sys.exit(main())
