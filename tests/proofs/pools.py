"""Do pools of authorities cover, and detect what they say?

    python -m tests.proofs.pools [--draws N] [--judged N] [--stated N] [--real N] [--seed S]
        [--output FILE]

Authorities are drawn at the level of what they release: 30 to 150 schools, a standard error as such
an authority has (an error that is itself estimated), both rounded as the door rounds them, true
effects that are the same or differ. Below it, what is stated of pools whose authorities are
estimated from school gaps, in worlds with and without an effect; and pools of whole invented
authorities: returns of every child, cohort, school gaps and both estimators, pooled by the same
function.
"""

import sys
from dataclasses import asdict
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from tests.proofs._page import options, share, table
from tests.proofs._school_gaps import GapDraw, gridded, whole_authority
from tests.proofs.worlds import ALPHA, MOST_FALSE, WORLDS, World, asked_of, draws_of, moved
from vsh_eval import effects
from vsh_eval.effects import evidence, pooling
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
ALWAYS = 100.0
"""An effect under which both estimators are asked for."""
POOLED_WORLDS = (
    "trained by lot",
    "chosen by mean gap over the baseline years, r = 0.5",
    "chosen each year by the gap so far, r = 0.5",
    "volunteers with lastingly narrow gaps, r = -0.5",
    "gap closing anyway, 0.3 a year",
    "gap closing anyway, 0.5 a year",
    "gap opening anyway, 0.3 a year",
    "more children newly counted",
    "more children newly counted, and milder",
    "milder children newly counted, in equal numbers, and as mild the year before",
    "milder children newly counted, in equal numbers",
)
UNSEEN = POOLED_WORLDS[-1:]
"""Leave no trace that any rule could ask for (worlds.md)."""
_RESULT = ("estimate", "p_value")
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


class Authority(NamedTuple):
    """What one authority would give, and under each effect its statement and failed rules."""

    estimates: pd.DataFrame
    judged: dict[float, tuple[str, dict[str, str]]]


def authority(world: World, drawn: GapDraw) -> Authority:
    """Estimate an authority without an effect; judge it under every effect."""
    asked = asked_of(drawn, SESOI, moves=(ALWAYS,))
    leads = effects.sensitivity.imputed_leads(gridded(drawn.gaps))
    slope, counted = leads.slope(), asked.checks["composition"]
    before = pd.DataFrame(
        {"estimate": leads.estimate, "std_error": np.sqrt(np.diag(leads.covariance))}
    )
    parts = [
        asked.rows.assign(target=pooling.GAP),
        before.assign(target=pooling.GAP, role="primary", aggregation="event")
        .assign(index=-1 - np.arange(len(before))),
        pd.DataFrame([asdict(slope)]).rename(columns={"slope": "estimate"})
        .assign(target=pooling.DRIFT),
        pd.DataFrame([asked.peers]).assign(target=pooling.REFERENCE_LEVEL),
        counted.assign(target=counted["metric"]),
    ]  # fmt: skip
    rows = pd.concat(parts, ignore_index=True).assign(metric="overall_absence")
    blank = {"role": "robustness", "estimator": "imputation", "aggregation": "simple", "index": 0}
    rows = rows.fillna(blank).reindex(columns=list(pooling.GIVEN_COLUMNS))
    checks = evidence.Checks(**asked.checks, chosen_by=chosen_by(world))
    judged = {}
    for effect in TRUE_EFFECTS:
        found = evidence.judge(
            moved(asked.rows, effect), sesoi=SESOI, lower_is_better=True, checks=checks
        )
        verdicts = found.rules.set_index("rule")["verdict"].to_dict()
        judged[effect] = (found.statement, verdicts)
    return Authority(rows, judged)


def chosen_by(world: World) -> str:
    """Return what the protocol says of the schools: never a lot, or drift is not asked about."""
    return "unknown" if world.chosen_by == "lot" else world.chosen_by


def pool_of(
    authorities: list[Authority], effect: float, chosen: str, *, leave_out_clear: bool
) -> tuple[str, str, bool, float, int]:
    """Pool authorities, and judge the pool.

    `leave_out_clear`: also those are left out whose own clear estimate fails a rule that is asked
    of clear estimates alone, as an authority's own page judges it.

    Returns
    -------
    tuple
        Statement, the rule that decided, whether the estimate is clear, it, authorities pooled.
    """
    parts, included = [], set()
    for number, one in enumerate(authorities):
        name = f"a{number}"
        statement, verdicts = one.judged[effect]
        overall = one.estimates["target"].eq(pooling.GAP)
        overall &= one.estimates["aggregation"].eq("simple")
        moved_by = one.estimates["estimate"] + effect * overall
        parts.append(one.estimates.assign(name=name, estimate=moved_by))
        own = leave_out_clear and statement == evidence.NOT_ATTRIBUTABLE
        if not (own or pooling.left_out_by(statement, verdicts)):
            included.add(name)
    table = pooling.pooled(pd.concat(parts, ignore_index=True), included)
    found = pooling.judge(
        table, sesoi=SESOI, lower_is_better=True, chosen_by={chosen}, registered=[True]
    )
    first = table[table["variant"].eq(pooling.INCLUDED) & table["target"].eq(pooling.GAP)]
    first = first[first["role"].eq("primary") & first["aggregation"].eq("simple")]
    estimate, p_value = (float(first[n].iloc[0]) if len(first) else np.nan for n in _RESULT)
    return found.statement, found.decided_by, p_value < ALPHA, estimate, len(included)


def stated(authorities: int, draws: int, seed: int, rng: np.random.Generator) -> pd.DataFrame:
    """Say what the report would say of pools of eight authorities in worlds of `WORLDS`."""
    rows = []
    for world in (one for one in WORLDS if one.name in POOLED_WORLDS):
        drawn = draws_of(world, SCHOOLS, CHILDREN, draws=authorities, seed=seed)
        known = [authority(world, one) for one in drawn]
        for effect in TRUE_EFFECTS:
            of = {rule: [] for rule in ("pool", "if clear ones are left out")}
            for _ in range(draws):
                chosen = [known[i] for i in rng.choice(len(known), AT_ONCE[-1], replace=False)]
                for at, name in enumerate(of):
                    of[name].append(
                        pool_of(chosen, effect, chosen_by(world), leave_out_clear=bool(at))
                    )
            row = {"world": world.name, "effect": effect}
            for name, pools in of.items():
                statement, decided, clear, estimate, included = zip(*pools, strict=True)
                row[f"{name}: pooled"] = np.mean(included)
                row[f"{name}: mean"] = np.nanmean(estimate)
                row[f"{name}: clear %"] = 100 * np.mean(clear)
                row[f"{name}: stated %"] = share(
                    sum(one in evidence.ESTABLISHED for one in statement), draws
                )
                if name == "pool":
                    refused = np.equal(statement, evidence.NOT_ATTRIBUTABLE)
                    because = pd.Series(decided)[refused].value_counts()
                    row["because of"] = ", ".join(f"{rule} {n}" for rule, n in because.items())
            rows.append(row)
            sys.stdout.write(f"{world.name}, {effect:g}\n")
            sys.stdout.flush()
    return pd.DataFrame(rows)


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
    numbers: tuple[int, tuple[int, int]],
) -> str:
    """Return what the page says."""
    (covered, others), (draws, count) = tables, numbers
    missed = covered[~covered["coverage %"].between(93, 97)]
    misses = "; ".join(
        f"tau {row['tau']:g}, {row['authorities']} authorities: {row['coverage %']:.1f} %"
        for row in missed.to_dict("records")
    )
    said = f"Outside 93 to 97 %: {misses}." if misses else "All within 93 to 97 %."
    false = left[left["effect"].eq(0) & ~left["world"].isin(UNSEEN)]
    wrong = [
        f"{row['world']}: {row['pool: stated %']} %"
        for row in false.to_dict("records")
        if float(row["pool: stated %"].split("(")[1].split(" ")[0]) > MOST_FALSE
    ]
    law = "\n".join(f"- {line}" for line in wrong or ["Nowhere."])
    inside = int((real["lower"].le(real["truth"]) & real["truth"].le(real["upper"])).sum())
    shares = {name: ".1f" for of in (*tables, left, seen) for name in of if "%" in name}
    shares |= {name: ".1f" for name in left if name.endswith("pooled")}
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

## What is stated of a pool

{count[1]} pools a row, each of {AT_ONCE[-1]} of {count[0]} authorities of {SCHOOLS} schools with
{CHILDREN} children each, in worlds of [worlds.md](worlds.md); no protocol says that a lot was
drawn, so that drift is asked about. "Pooled": authorities that make the pool on average; one is
left out that fails its own rule on the years before training or on who is counted. "Clear": the
interval excludes zero. "Stated": the report says that training narrowed or widened the gap.
"Because of": pools of which it says that the result cannot be put down to training, by rule. "If
clear ones are left out": an authority is also left out that fails its rule on drift or on
entrants, which are asked of clear estimates alone.

{table(left, shares)}

Leaving out what is clear pulls the pool towards zero and shows true effects less often; the pool's
own rules on drift and on who is counted, which have all authorities to go by, find what an
authority's cannot. At most {MOST_FALSE:g} % may be stated in a world without an effect in which a
rule could see the artefact. Stated in more, beyond chance:

{law}

Milder children who were no milder in the year before leave no trace that any rule could ask for;
a pool shows that artefact more often than one authority does, as it shows a true effect.

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
        judged={"type": int, "default": 160, "help": "authorities of a world"},
        stated={"type": int, "default": 100, "help": "pools of them that are judged"},
        real={"type": int, "default": 3, "help": "pools of whole authorities"},
        seed=20261129,
    )
    rng = np.random.default_rng(asked.seed)
    tables, seen = coverage(asked.draws, rng), detected(asked.draws, rng)
    left = stated(asked.judged, asked.stated, asked.seed, rng)
    real = whole(asked.real, asked.seed)
    page = written(tables, left, seen, real, (asked.draws, (asked.judged, asked.stated)))
    write(page, "draws", "judged", "stated", "real")
    covered = tables[0]
    large = covered[covered["authorities"].eq(12) & covered["tau"].gt(0)]
    return 0 if large["coverage %"].between(93, 97).all() else 1


if __name__ == "__main__":
    sys.exit(main())
