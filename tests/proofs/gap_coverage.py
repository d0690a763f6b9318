"""Do the intervals of levels, gaps and changes cover the truth as often as they say?

An invented authority of 60 schools with six to seven cohort children each is drawn again and again,
measured by what `levels`, `gaps` and `changes` tabulate, and the table counts how often the truth
is inside. Run from the root of the repository, it writes docs/proofs/gap_coverage.md:

    python -m tests.proofs.gap_coverage [--draws N] [--children N] [--output FILE]
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from vsh_eval import names, registry
from vsh_eval.cells.exact import ExactCells
from vsh_eval.cells.level import Level, change, difference, log_ratio
from vsh_eval.numerics.levels.ratios import t_interval

DRAWS = 10_000
CHILDREN = 4_000_000
SCHOOLS = 60
SEED = 20260901
ALPHA = 0.05
METRICS = ("overall_absence", "persistent_absence", "severe_absence")
PHASES = ("total", "primary")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "proofs" / "gap_coverage.md"

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


def coverage(
    real: pd.Series, rng: np.random.Generator, *, fixed: bool, draws: int = DRAWS
) -> pd.DataFrame:
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


def page(tables: dict[str, pd.DataFrame], *, draws: int) -> str:
    """Write the tables as a page."""
    noise = 100 * np.sqrt(ALPHA * (1 - ALPHA) / draws)
    mean_size = np.average(COHORT_SIZE, weights=[1 - SHARE_SECONDARY, SHARE_SECONDARY])
    lines = [
        "# Coverage of the 95% intervals of levels, gaps and changes",
        "",
        "Regenerate with `python -m tests.proofs.gap_coverage`. Invented authorities only.",
        "",
        f"{draws:,} draws of {SCHOOLS} schools (seed {SEED}). Cohort children a school "
        f"Gamma-Poisson, mean {COHORT_SIZE[0]:g} primary and {COHORT_SIZE[1]:g} secondary (overall "
        f"{mean_size:.1f}), peers {PEERS[0]} and {PEERS[1]}; {STAYS_AND_KEEPS_ITS_RATE:.0%} of "
        "children are in both years with the same rate; schools differ for good, by year, and in a "
        "shock that cohort and peers share. Quantities as `levels`, `gaps` and `changes` tabulate "
        "them, cwsw against peers, clustered by school.",
        "",
        "Truth in % or percentage points (the ratio's logarithm as it is). Bias is in standard "
        "deviations of the estimates; error / SD is the mean standard error over that deviation; "
        "coverage is of the intervals given; plain t is what value -/+ t x error would cover "
        "instead, where there is an error (none where no child counts); the last column is how "
        "often there was an interval. The "
        f"Monte Carlo error of a coverage is {noise:.1f}; aim: 93 to 97.",
    ]
    for title, table in tables.items():
        lines += [
            "",
            f"## {title}",
            "",
            "| phase | metric | quantity | truth | bias | error / SD | coverage, % | plain t, % "
            "| given, % |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        for (phase, metric, quantity), row in table.iterrows():
            scale = 1 if "log" in quantity else 100
            lines.append(
                f"| {phase} | {metric} | {quantity} | {scale * row['truth']:.2f} "
                f"| {row['bias']:+.2f} | {row['error_ratio']:.2f} | {100 * row['coverage']:.1f} "
                f"| {100 * row['plain']:.1f} | {100 * row['given']:.1f} |"
            )
    return "\n".join([*lines, "", "## Reading", "", *reading(tables), ""])


def reading(tables: dict[str, pd.DataFrame]) -> list[str]:
    """Say where the intervals keep their word, and where not."""
    lines = []
    severe = ("primary", "severe_absence", "level")
    plain = " and ".join(f"{100 * table.loc[severe, 'plain']:.1f}%" for table in tables.values())
    for title, table in tables.items():
        covered = 100 * table["coverage"]
        under = [" ".join(map(str, key)) for key in table.index[covered < 93]]
        over = [" ".join(map(str, key)) for key in table.index[covered > 97]]
        lines.append(
            f"- {title}: coverage {covered.min():.1f} to {covered.max():.1f}; under 93: "
            f"{', '.join(under) or 'none'}; over 97: {', '.join(over) or 'none'}."
        )
    return [
        *lines,
        "- The total of phases is too wide where the numbers of primaries and secondaries are the "
        "same in every draw: the variance takes the phases' difference as chance. Within a phase, "
        "and for changes, it does not matter. Where schools are drawn too, twelve secondaries give "
        "or take three hold most of the children, and the total of overall absence is a little "
        "too narrow. The two err to different sides, so the plain variance clustered by school is "
        "kept: it is what a bootstrap of schools gives (interval_check.md), and too wide is the "
        "lesser evil for an authority whose schools are what they are.",
        "- Severe absence in primaries is about three children of 216: shares of children have "
        "their limits made on the logit scale and joined by MOVER for that reason (plain t limits "
        f"cover {plain}). Its ratio has an interval only where a child and a peer are counted.",
    ]


def main(arguments: list[str] | None = None) -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--children", type=int, default=CHILDREN, help="drawn for the truth")
    parser.add_argument("--output", type=Path, default=PAGE)
    asked = parser.parse_args(arguments)
    rng = np.random.default_rng(SEED)
    real = truth(rng, asked.children)
    tables = {
        f"The authority's own schools: {SHARE_SECONDARY:.0%} are secondary in every draw": coverage(
            real, rng, fixed=True, draws=asked.draws
        ),
        f"Schools drawn too: each is secondary with a chance of {SHARE_SECONDARY:.0%}": coverage(
            real, rng, fixed=False, draws=asked.draws
        ),
    }
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    asked.output.write_text(page(tables, draws=asked.draws), encoding="utf-8")


if __name__ == "__main__":
    main()
