"""Do the intervals of gaps, and of what stands beside them, cover as often as they say?

    python -m tests.proofs.gap_coverage [--draws N] [--beside N] [--parts N] [--children N]
        [--output FILE]

An invented authority of 60 schools with six to seven cohort children each is drawn again and again,
measured by what `levels`, `gaps` and `changes` tabulate, and the table counts how often the truth
is inside. So are trends, sizes and differences between schools, and the parts of a gap by who the
children are, by the public functions.
"""

import sys
from collections.abc import Iterator

import numpy as np
import pandas as pd

from tests.metrics.children import children as invented_children
from tests.metrics.children import composition_of, moments_of
from tests.proofs._page import options, table
from vsh_eval import metrics, names, registry
from vsh_eval.cells.exact import ExactCells
from vsh_eval.cells.level import Level, change, difference, log_ratio
from vsh_eval.metrics import characteristics
from vsh_eval.numerics.levels.ratios import t_interval
from vsh_eval.panel import Comparison

CHILDREN = 4_000_000
SCHOOLS = 60
SEED = 20260901
ALPHA = 0.05
METRICS = ("overall_absence", "persistent_absence", "severe_absence")
PHASES = ("total", "primary")

# --- Levels, gaps and changes

# In each pair: primary, secondary. Rates near DfE's published ones of 2021/22 and after.
COHORT_SIZE = np.array([4.5, 14.0])
COHORT_SHAPE = np.array([1.5, 2.5])
PEERS = np.array([200, 900])
RATE = {"cin": np.array([0.107, 0.257]), "peers": np.array([0.055, 0.090])}
PUPIL_SD = {"cin": np.array([0.121, 0.220]), "peers": np.array([0.085, 0.130])}
YEAR_EFFECT = {"cin": (0.0, 0.005), "peers": (0.0, -0.005)}
SHARE_SECONDARY = 0.2
GAP_SD = {"cin": 0.018, "peers": 0.0}
SCHOOL_YEAR_SD = {"cin": 0.010, "peers": 0.0}
SHARED_SD = 0.006
STAYS_AND_KEEPS_ITS_RATE = 0.42

Sums = dict[tuple[int, str, str], tuple[np.ndarray, np.ndarray, np.ndarray]]


def draw_phases(rng: np.random.Generator, *, fixed: bool) -> np.ndarray:
    """Return 1 for a secondary school, 0 for a primary: as many each time, or drawn."""
    if fixed:
        return (np.arange(SCHOOLS) < SHARE_SECONDARY * SCHOOLS).astype(int)
    return (rng.random(SCHOOLS) < SHARE_SECONDARY).astype(int)


def draw_authority(rng: np.random.Generator, phase: np.ndarray) -> Sums:
    """Draw two years of an authority: schools' sums y and x, and pupils, by year, group, metric."""
    mean, shape = COHORT_SIZE[phase], COHORT_SHAPE[phase]
    sizes = {"cin": rng.poisson(rng.gamma(shape, mean / shape)), "peers": PEERS[phase]}
    shared = rng.normal(0, SHARED_SD, (2, SCHOOLS))
    found: Sums = {}
    for group, size in sizes.items():
        own = rng.normal(0, GAP_SD[group], SCHOOLS) + shared
        own = own + rng.normal(0, SCHOOL_YEAR_SD[group], (2, SCHOOLS))
        school = np.repeat(np.arange(SCHOOLS), size)
        for year, rate in enumerate(draw_rates(rng, group, phase[school])):
            shock = own[year][school] + YEAR_EFFECT[group][year]
            sessions = draw_sessions(rng, rate + shock)
            for metric in METRICS:
                y, x = (
                    np.bincount(school, weights=part, minlength=SCHOOLS)
                    for part in per_child(*sessions, metric)
                )
                found[year, group, metric] = y, x, size.astype(float)
    return found


def draw_rates(
    rng: np.random.Generator, group: str, phase: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draw each child's rate of absence in two years; some stay and keep theirs."""
    centre, spread = RATE[group][phase], PUPIL_SD[group][phase]
    size = centre * (1 - centre) / spread**2 - 1
    first, other = rng.beta(centre * size, (1 - centre) * size, (2, len(phase)))
    return first, np.where(rng.random(len(phase)) < STAYS_AND_KEEPS_ITS_RATE, first, other)


def draw_sessions(rng: np.random.Generator, rate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw sessions missed and possible."""
    possible = rng.integers(330, 372, len(rate))
    return np.rint(np.clip(rate, 0, 1) * possible).astype(int), possible


def per_child(
    missed: np.ndarray, possible: np.ndarray, metric: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return each child's part of numerator and denominator."""
    if metric == "overall_absence":
        return missed, possible
    times = 10 if metric == "persistent_absence" else 2
    return (times * missed >= possible).astype(int), np.ones_like(possible)


def truth(rng: np.random.Generator, children: int = CHILDREN) -> pd.Series:
    """Work out what the process gives in the long run: rates by phase and year, then ratios.

    A phase's rate is drawn with very many children; phases join by their expected numbers.
    """
    level: dict[tuple[str, str, str, int], float] = {}
    for group, size in (("cin", COHORT_SIZE), ("peers", PEERS)):
        share = np.array([1 - SHARE_SECONDARY, SHARE_SECONDARY]) * size
        spread = np.sqrt(GAP_SD[group] ** 2 + SCHOOL_YEAR_SD[group] ** 2 + SHARED_SD**2)
        for year in (0, 1):
            rates = []
            for phase in (0, 1):
                rate, _ = draw_rates(rng, group, np.full(children, phase))
                rate = rate + rng.normal(0, spread, children) + YEAR_EFFECT[group][year]
                sessions = draw_sessions(rng, rate)
                pairs = [per_child(*sessions, metric) for metric in METRICS]
                rates.append([y.sum() / x.sum() for y, x in pairs])
            both = np.average(rates, axis=0, weights=share)
            for metric, primary, total in zip(METRICS, rates[0], both, strict=True):
                level["primary", metric, group, year] = primary
                level["total", metric, group, year] = total
    found = {}
    for phase in PHASES:
        for metric in METRICS:
            before, now = (level[phase, metric, "cin", year] for year in (0, 1))
            before_peers, now_peers = (level[phase, metric, "peers", year] for year in (0, 1))
            found[phase, metric, "level"] = now
            found[phase, metric, "gap"] = now - now_peers
            found[phase, metric, "ratio (log)"] = np.log(now / now_peers)
            found[phase, metric, "change of gap"] = now - now_peers - before + before_peers
            found[phase, metric, "change of level"] = now - before
    return pd.Series(found)


def measured(authorities: list[Sums], keep: np.ndarray, metric: str) -> dict[str, list[Level]]:
    """Measure both groups in both years, one cell a draw; schools to keep are given by draw."""
    found: dict[str, list[Level]] = {"cwsw": [], "peers": []}
    for year in (0, 1):
        arrays = np.zeros((3, SCHOOLS, len(authorities), len(names.LEAF_GROUPS)))
        for group in ("cin", "peers"):
            sums = np.array([drawn[year, group, metric] for drawn in authorities])
            arrays[..., names.LEAF_GROUPS.index(group)] = np.moveaxis(sums, 0, -1) * keep.T
        cells = ExactCells(
            metric=registry.metric(metric),
            phase="primary",
            years=tuple(range(len(authorities))),
            unit_id="",
            y=arrays[0],
            x=arrays[1],
            pupils=arrays[2],
            products=(arrays[0].sum(axis=0),) * 3,
            record_keys=(np.zeros(arrays[0].shape[1:], dtype=np.int64),) * 2,
            available=np.ones(len(authorities), dtype=bool),
        )
        for group, measures in found.items():
            measures.append(cells.measure(group))
    return found


def estimates(found: dict[str, list[Level]], metric: str) -> dict[str, np.ndarray]:
    """Return value, limits, standard error and df of each quantity, a column a draw."""
    entry = registry.metric(metric)
    (before, now), (before_peers, now_peers) = found["cwsw"], found["peers"]
    gap = difference(now, now_peers, metric=entry, same_pupils=True)
    earlier = difference(before, before_peers, metric=entry, same_pupils=True)
    ratio = log_ratio(now, now_peers)
    own = difference(now, before, metric=entry, same_pupils=False)
    moved = change(gap, earlier, metric=entry)
    contrasts = {
        "gap": gap,
        "ratio (log)": ratio,
        "change of gap": moved,
        "change of level": own,
    }
    level = np.array([now.level, now.lower, now.upper, now.std_error, now.df])
    return {"level": level} | {
        name: np.array([part.value, part.lower, part.upper, part.std_error, part.df])
        for name, part in contrasts.items()
    }


def coverage(real: pd.Series, rng: np.random.Generator, *, fixed: bool, draws: int) -> pd.DataFrame:
    """Draw, measure and count.

    Returns
    -------
    DataFrame
        By phase, metric and quantity: truth, bias in standard deviations of the estimates, mean
        standard error over that deviation, the share of intervals with the truth inside, the same
        for plain t limits, and how often there was an interval.
    """
    phases = np.array([draw_phases(rng, fixed=fixed) for _ in range(draws)])
    authorities = [draw_authority(rng, phase) for phase in phases]
    rows = {}
    for phase, keep in (("total", np.ones_like(phases)), ("primary", 1 - phases)):
        for metric in METRICS:
            found = estimates(measured(authorities, keep, metric), metric)
            for quantity, (value, lower, upper, error, df) in found.items():
                target = real[phase, metric, quantity]
                spread = np.nanstd(value, ddof=1)
                given = ~np.isnan(lower)
                inside = (lower <= target) & (target <= upper)
                plain = np.array(t_interval(value, error, df))
                rows[phase, metric, quantity] = {
                    "truth": target,
                    "bias": (np.nanmean(value) - target) / spread,
                    "error_ratio": np.nanmean(error) / spread,
                    "coverage": inside.sum() / given.sum(),
                    "plain": np.sum((plain[0] <= target) & (target <= plain[1]))
                    / np.sum(~np.isnan(error)),
                    "given": given.mean(),
                }
    return pd.DataFrame(rows).T


# --- What stands beside a gap

YEARS = (201819, 202122, 202223, 202324)
COHORT, SHAPE, REFERENCE = 6.4, 1.5, 150
LEVEL, GAP, DRIFT = 46.0, -27.0, -0.5
SCORE_SD, SCHOOL_SD, OWN_SD = 19.0, 5.0, 3.4
PASS = 40.0
"""Points of Attainment 8 that the invented standard asks for."""
SCORE, SHARE = "ks4_attainment8", "ks4_basics_94"
QUANTITIES = {
    "trend of the gap, points a year": ("trend", SCORE, "trend", "trend_lower", "trend_upper"),
    "trend of the gap, percentage points a year": (
        "trend",
        SHARE,
        "trend",
        "trend_lower",
        "trend_upper",
    ),
    "Hedges' g": (
        "size",
        SCORE,
        "effect_size",
        "effect_size_lower",
        "effect_size_upper",
    ),
    "Cox's index": ("size", SHARE, "effect_size", "effect_size_lower", "effect_size_upper"),
    "mean of the schools' gaps": ("between", SCORE, "mean_gap", "mean_gap_lower", "mean_gap_upper"),
    "spread of the schools' gaps (tau)": ("between", SCORE, "tau", "tau_lower", "tau_upper"),
}


def draw_panel(schools: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw one authority: scores of new pupils each year, in schools that keep their own level."""
    level = rng.normal(LEVEL, SCHOOL_SD, schools)
    own = rng.normal(GAP, OWN_SD, schools)
    mean = COHORT * rng.gamma(SHAPE, 1 / SHAPE, schools)
    parts = []
    for number, year in enumerate(YEARS):
        for group, size, centre in (
            ("cin", rng.poisson(mean), level + own + DRIFT * number),
            ("peers", np.full(schools, REFERENCE), level),
        ):
            school = np.repeat(np.arange(schools), size)
            score = np.clip(rng.normal(centre[school], SCORE_SD), -60, 150)
            parts.append(_sums(school, score, SCORE, group, year))
            parts.append(_sums(school, (score >= PASS).astype(float), SHARE, group, year))
    return pd.concat(parts, ignore_index=True).assign(
        source="returns",
        vintage="v",
        cohort_rule="any_time_in_year",
        level="school",
        phase="secondary",
        rate=np.nan,
        status="",
    )


def _sums(school, value, metric, group, year) -> pd.DataFrame:
    seen = np.flatnonzero(np.bincount(school))
    count, total, squares = (
        np.bincount(school, weights=part)[seen] for part in (np.ones_like(value), value, value**2)
    )
    return pd.DataFrame(
        {
            "unit_id": seen.astype(str),
            "time_period": year,
            "group": group,
            "metric": metric,
            "pupils": count.astype(int),
            "numerator": total,
            "denominator": count.astype(int),
            "sum_yy": squares,
            "sum_xy": total,
            "sum_xx": count,
        }
    )


def measure(panel: pd.DataFrame, *, between: bool = True) -> dict[str, np.ndarray]:
    """Return value, lower and upper of each quantity by the public functions."""
    comparison = Comparison("cwsw", "peers")
    tables = {
        "trend": metrics.trend(panel, comparison),
        "size": metrics.effect_sizes(panel, comparison),
    }
    if between:
        one = Comparison("cwsw", "peers", metrics=(SCORE,))
        tables["between"] = metrics.heterogeneity(panel, one)
    found = {}
    for name, (of, metric, *columns) in QUANTITIES.items():
        if of in tables:
            rows = tables[of]
            rows = rows[rows["metric"].eq(metric) & rows["phase"].eq("total")]
            found[name] = rows.loc[rows["time_period"].idxmax(), columns].to_numpy(float)
    return found


def truths(rng: np.random.Generator, schools: int) -> dict[str, float]:
    """Return what the quantities are in the long run."""
    large = {name: row[0] for name, row in measure(draw_panel(schools, rng), between=False).items()}
    last = GAP + DRIFT * (len(YEARS) - 1)
    return large | {
        "trend of the gap, points a year": _slope(),
        "mean of the schools' gaps": last,
        "spread of the schools' gaps (tau)": OWN_SD,
    }


def _slope() -> float:
    """Return the slope through equal steps at the years as they lie."""
    return float(np.polyfit([year // 100 for year in YEARS], DRIFT * np.arange(len(YEARS)), 1)[0])


def beside(draws: int, long_run: int) -> pd.DataFrame:
    """Count how often the truth is inside the intervals of what stands beside a gap."""
    rng = np.random.default_rng(SEED)
    real = truths(rng, long_run)
    return counted([measure(draw_panel(SCHOOLS, rng)) for _ in range(draws)], real)


# --- Parts of a gap by who the children are

POPULATION = 3000
"""Schools from which an authority's are drawn, each with as many children as an authority has."""
PAIR = Comparison("cwsw", "peers")
SAID = {
    "matched_gap": "gap to peers who are alike",
    "composition": "composition",
    "rates": "rates",
    **{f"composition_{name}": f"composition: {name}" for name in ("phase", "sen", "fsm6", "sex")},
    "gap": "gap of children with free school meals",
}


def parts(draws: int, population: int = POPULATION) -> pd.DataFrame:
    """Count the same of decomposed and matched gaps; the truth is that of all schools."""
    size = {"cohort": round(COHORT * population), "peers": 60 * population}
    everyone = invented_children(1, **size, schools=population)
    real = {name: float(row[0]) for name, row in parted(everyone).items()}
    by_school = dict(iter(everyone.groupby("school")))
    rng = np.random.default_rng(SEED)
    drawn = []
    for _ in range(draws):
        chosen = enumerate(rng.integers(population, size=SCHOOLS))
        drawn.append(parted(pd.concat([by_school[of].assign(school=at) for at, of in chosen])))
    return counted(drawn, real)


def parted(children: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return value, lower and upper of each part by the public functions."""
    given = composition_of(children), moments_of(children), PAIR
    tables = (
        characteristics.matched_gap(*given),
        characteristics.decompose(*given).drop(columns="gap"),
        characteristics.gaps_by(*given, by="fsm6").query("value == 'fsm6'"),
    )
    return {
        f"{metric.replace('_', ' ')}: {said}": row[[name, f"{name}_lower", f"{name}_upper"]]
        .to_numpy(float)
        .ravel()
        for rows in tables
        for metric, row in rows[rows["phase"].eq("total")].groupby("metric")
        for name, said in SAID.items()
        if {name, f"{name}_lower"} <= set(row)
    }


def counted(drawn: list[dict[str, np.ndarray]], real: dict[str, float]) -> pd.DataFrame:
    """Count how often the truth is inside."""
    rows = []
    for name, truth_of in real.items():
        value, lower, upper = np.array([one[name] for one in drawn]).T
        given = np.isfinite(lower) & np.isfinite(upper)
        inside = (lower <= truth_of) & (truth_of <= upper)
        rows.append(
            {
                "quantity": name,
                "truth": truth_of,
                "bias / SD": (np.nanmean(value) - truth_of) / np.nanstd(value, ddof=1),
                "coverage %": 100 * inside[given].mean(),
                "given %": 100 * given.mean(),
            }
        )
    return pd.DataFrame(rows)


# --- The page

OWN, DRAWN = (
    f"The authority's own schools: {SHARE_SECONDARY:.0%} are secondary in every draw",
    f"Schools drawn too: each is secondary with a chance of {SHARE_SECONDARY:.0%}",
)


def as_shown(found: pd.DataFrame) -> pd.DataFrame:
    """Return a table of coverage with shares in per cent, and no scale on logarithms."""
    rows = found.rename_axis(["phase", "metric", "quantity"]).reset_index()
    logs = rows["quantity"].str.contains("log")
    rows["truth"] *= np.where(logs, 1, 100)
    said = {"error_ratio": "error / SD"}
    said |= {name: f"{name} %" for name in ("coverage", "plain", "given")}
    return rows.assign(**{name: 100 * rows[name] for name in list(said)[1:]}).rename(columns=said)


FORMATS = {"bias": "+.2f", "bias / SD": "+.2f"}
FORMATS |= {f"{name} %": ".1f" for name in ("coverage", "plain", "given")}


def body(
    found: dict[str, pd.DataFrame], second: pd.DataFrame, third: pd.DataFrame, draws: list[int]
) -> str:
    """Return what the page says."""
    noise = [100 * np.sqrt(ALPHA * (1 - ALPHA) / many) for many in draws]
    size = np.average(COHORT_SIZE, weights=[1 - SHARE_SECONDARY, SHARE_SECONDARY])
    severe = ("primary", "severe_absence", "level")
    plain = " and ".join(f"{100 * of.loc[severe, 'plain']:.1f} %" for of in found.values())
    tables = "\n\n".join(
        f"### {title}\n\n{table(as_shown(of), FORMATS)}" for title, of in found.items()
    )
    return f"""
Invented authorities only; aim: 93 to 97 %. Coverage is of the intervals given; the last column is
how often there was an interval.

## Levels, gaps and changes

{draws[0]:,} draws of {SCHOOLS} schools (seed {SEED}; Monte Carlo error of a coverage
{noise[0]:.1f}). Cohort children a school Gamma-Poisson, mean {COHORT_SIZE[0]:g} primary and
{COHORT_SIZE[1]:g} secondary (overall {size:.1f}), peers {PEERS[0]} and {PEERS[1]};
{STAYS_AND_KEEPS_ITS_RATE:.0%} of children are in both years with the same rate; schools differ for
good, by year, and in a shock that cohort and peers share. Quantities as `levels`, `gaps` and
`changes` tabulate them, cwsw against peers, clustered by school. Truth in % or percentage points
(the ratio's logarithm as it is). Bias is in standard deviations of the estimates; error / SD is the
mean standard error over that deviation; plain is what value -/+ t x error would cover instead.

{tables}

{chr(10).join(outside(found))}
- The total of phases is too wide where the numbers of primaries and secondaries are the same in
  every draw: the variance takes the phases' difference as chance. Within a phase, and for changes,
  it does not matter. Where schools are drawn too, twelve secondaries give or take three hold most
  of the children, and the total of overall absence is a little too narrow. The two err to different
  sides, so the plain variance clustered by school is kept: it is what weighted least squares and a
  bootstrap of schools give (`tests/core/test_ratios.py`), and too wide is the lesser evil for an
  authority whose schools are what they are.
- Severe absence in primaries is about three children of 216: shares of children have their limits
  made on the logit scale and joined by MOVER for that reason (plain t limits cover {plain}).
  Its ratio has an interval only where a child and a peer are counted.

## Trends, sizes and differences between schools

{draws[1]:,} draws of {SCHOOLS} schools with {COHORT} cohort pupils and {REFERENCE} peers each (the
cohort Gamma-Poisson), {len(YEARS)} years of new pupils, pupil SD {SCORE_SD:g}, schools' levels SD
{SCHOOL_SD:g}, schools' own gaps SD {OWN_SD:g} for good. Scores, and the share above a fixed one.
Monte Carlo error of a coverage: {noise[1]:.1f}.

{table(second, FORMATS)}

## Parts of a gap by who the children are

{draws[2]:,} draws of {SCHOOLS} schools from {POPULATION:,}, each with {COHORT} cohort children and
60 peers on average; the truth is what the same functions give for all of them. SEN and free school
meals go with absence and with the cohort; phase and sex hardly do. Monte Carlo error of a coverage:
{noise[2]:.1f}.

{table(third, FORMATS)}

The parts of phase and sex are products of two differences that are both near zero, so that they
have next to no slope and the error is of second order: too wide, if anything. The limits stay.
"""


def outside(found: dict[str, pd.DataFrame]) -> Iterator[str]:
    """Say where coverage leaves the aim."""
    for title, of in found.items():
        covered = 100 * of["coverage"]
        said = [
            f"{way} {aim}: {', '.join(' '.join(key) for key in of.index[off]) or 'none'}"
            for way, aim, off in (("under", 93, covered < 93), ("over", 97, covered > 97))
        ]
        yield f"- {title}: {covered.min():.1f} to {covered.max():.1f}; {'; '.join(said)}."


def main(arguments: list[str] | None = None) -> int:
    """Draw, measure and write the page."""
    asked, write = options(
        __file__,
        __doc__,
        arguments,
        draws=10_000,
        beside={"type": int, "default": 2000, "help": "draws for what stands beside a gap"},
        parts={"type": int, "default": 400, "help": "draws of the parts of a gap"},
        children={"type": int, "default": CHILDREN, "help": "drawn for the truth"},
        long_run={"type": int, "default": 20_000, "help": "schools of the truth beside a gap"},
    )
    rng = np.random.default_rng(SEED)
    real = truth(rng, asked.children)
    found = {
        title: coverage(real, rng, fixed=fixed, draws=asked.draws)
        for title, fixed in ((OWN, True), (DRAWN, False))
    }
    draws = [asked.draws, asked.beside, asked.parts]
    second = beside(asked.beside, asked.long_run)
    third = parts(asked.parts, min(POPULATION, asked.long_run))
    write(body(found, second, third, draws), "draws", "beside", "parts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
