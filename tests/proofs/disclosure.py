"""How much disclosure control changes, and what a reader can work out

For invented authorities of 60, 120 and 240 schools, through the package's own intake. Run from the
root of the repository, it writes docs/proofs/disclosure.md:

    python -m tests.proofs.disclosure [--quick] [--processes N] [--output FILE]
"""

import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

import numpy as np
import pandas as pd
from scipy.stats import beta, norm

from tests.proofs import _run
from tests.proofs._page import options, table
from tests.proofs._run import CHILDREN, COHORT, COMPARISON, HEADCOUNT, PEERS, RULE, TOTAL, Run
from vsh_eval import metrics, names
from vsh_eval.panel import Comparison
from vsh_eval.release.disclosure import protected, release_table

LIMITS = {60: (1.5, 24.0), 120: (0.8, 12.0), 240: (0.5, 5.0)}
"""The largest mean error in points and the largest part hidden, in %, by number of schools."""
MEANS = ("overall_absence", "ks4_attainment8")
RARE = "permanent_exclusion"
"""Left out of the headlines: in most years fewer than ten of the cohort were excluded."""
UNCLEAR = "not clear"
YEAR, BEFORE = 202425, 202324
BASELINE = COMPARISON.baseline or 0


@dataclass(frozen=True)
class Size:
    """What is measured of authorities of one number of schools."""

    schools: int
    authorities: int
    accuracy: pd.DataFrame
    flips: pd.DataFrame
    coverage: pd.DataFrame
    attack: pd.DataFrame
    releases: tuple[int, int]


def main(arguments: list[str] | None = None) -> int:
    """Measure, and write the page."""
    asked, write = options(__file__, __doc__, arguments, quick=False, processes=2)
    if asked.quick:
        found = [measured(20, seeds=(1,), redraws=1, draws=4, sweeps=30)]
    else:
        work = partial(measured, redraws=2, draws=20, sweeps=200)
        # The largest first; each in a process of its own.
        sizes = {240: (1, 2), 120: (1, 2, 3), 60: (1, 2, 3, 4)}
        with ProcessPoolExecutor(asked.processes, mp_context=get_context("spawn")) as pool:
            runs = [pool.submit(work, schools, seeds) for schools, seeds in sizes.items()]
            found = sorted((run.result() for run in runs), key=lambda size: size.schools)
    write(body(found))
    return 0


def measured(schools: int, seeds: Sequence[int], *, redraws: int, draws: int, sweeps: int) -> Size:
    """Measure authorities of one size; the attack is on the first of them."""
    rng = np.random.default_rng(schools)
    runs = [_run.invented(schools, seed) for seed in seeds]
    drawn = [
        _run.with_new_keys(run.panel, multiplier)
        for run in runs
        for multiplier in _run.multipliers(rng, redraws)
    ]
    exact = [run.panel for run in runs for _ in range(redraws)]
    return Size(
        schools,
        len(runs),
        pd.concat([accuracy(*pair) for pair in zip(exact, drawn, strict=True)]),
        pd.concat([flips(*pair) for pair in zip(exact, drawn, strict=True)]),
        coverage(runs[0].panel, rng, draws),
        attack(runs[0], rng, sweeps=sweeps),
        two_releases(runs[0]),
    )


# --- How far shown numbers are from the exact ones.


def accuracy(exact: pd.DataFrame, drawn: pd.DataFrame) -> pd.DataFrame:
    """Return exact and shown levels of the cohort, phase by phase and year by year."""
    given = {"groups": [COHORT], "metrics": [*CHILDREN, *MEANS]}
    first = metrics.levels(exact, **given)
    shown = release_table(metrics.levels, protected(drawn, RULE), rule=RULE, **given).frame
    both = first.assign(shown=shown["level_value"])[first["level_value"].notna()]
    error = (both["shown"] - both["level_value"]).abs()
    return both.assign(error=error, relative=error / both["std_error"])


def flips(exact: pd.DataFrame, drawn: pd.DataFrame) -> pd.DataFrame:
    """Return the verdicts on the change of each gap, exact and shown, where both have one.

    ``expected`` is the chance that the noise changes the verdict, read off the two widths: the
    shown interval is wider by the variance of the noise, which moves the change by as much.
    """
    comparison = Comparison(COHORT, PEERS, baseline=BASELINE)
    first = metrics.changes(exact, comparison)
    shown = release_table(metrics.changes, protected(drawn, RULE), comparison, rule=RULE).frame
    width, wider = ((of["change_upper"] - of["change_lower"]) / 2 for of in (first, shown))
    noise = np.sqrt((wider**2 - width**2).clip(lower=0)) / (width / first["change_std_error"])
    outside = norm.sf((wider - first["change"]) / noise) + norm.cdf(
        (-wider - first["change"]) / noise
    )
    clear = first["direction"].ne(UNCLEAR)
    both = first.assign(shown=shown["direction"], expected=np.where(clear, 1 - outside, outside))
    return both[both["direction"].ne("") & both["shown"].ne("") & both["time_period"].ne(BASELINE)]


# --- Whether intervals hold.

RATES = {
    "persistent_absence": (0.35, 0.15),
    "severe_absence": (0.12, 0.03),
    "ks2_rwm_expected": (0.35, 0.60),
}
"""The known rate of the cohort and of its peers."""
RISE = 0.05
"""By how much the cohort's rate rises in the later year."""
LIKENESS = 0.03
"""How alike children of one school are: the intraclass correlation."""


def coverage(panel: pd.DataFrame, rng: np.random.Generator, draws: int) -> pd.DataFrame:
    """Draw children's outcomes around known rates of schools, and see what intervals hold.

    A school's rate is beta about the known one; 70 % of its place in the distribution is the same
    for both groups and years. Keys are new in each draw.
    """
    base = panel[panel["metric"].isin(RATES) & panel["time_period"].isin((BEFORE, YEAR))]
    base = base[base["group"].isin(("cin", "cpp", "peers"))].reset_index(drop=True)
    later, cohort = base["time_period"].eq(YEAR), base["group"].ne(PEERS)
    rate = np.select(
        [
            base["metric"].eq(name).to_numpy() & of.to_numpy()
            for name in RATES
            for of in (cohort, ~cohort)
        ],
        [value for pair in RATES.values() for value in pair],
    )
    rate = rate + RISE * (later & cohort)
    school, _ = pd.factorize(base["unit_id"])
    side, _ = pd.factorize(base["unit_id"] + cohort.astype(str) + base["time_period"].astype(str))
    truth = {"rate": rate, "size": 1 / LIKENESS - 1}
    n = base["pupils"].to_numpy(np.int64)
    found = []
    for _ in range(draws):
        place = np.sqrt(0.7) * rng.normal(size=school.max() + 1)[school]
        place += np.sqrt(0.3) * rng.normal(size=side.max() + 1)[side]
        own = beta.ppf(
            norm.cdf(place), truth["rate"] * truth["size"], (1 - truth["rate"]) * truth["size"]
        )
        y = rng.binomial(n, own).astype(float)
        keys = dict.fromkeys(names.RECORD_KEYS) | {
            name: rng.integers(0, 2**46, len(base)) for name in names.RECORD_KEYS
        }
        sums = {"numerator": y, "denominator": n, "sum_yy": y, "sum_xy": y, "sum_xx": n}
        found += [*_covered(base.assign(**sums, **keys))]
    return pd.concat(found)


def _covered(panel: pd.DataFrame) -> list[pd.DataFrame]:
    """Return, for each interval that is shown, whether it and the exact one hold the truth."""
    comparison = Comparison(COHORT, PEERS, baseline=BEFORE)
    safe, found = protected(panel, RULE), []
    for function, columns in (
        (metrics.gaps, {"level": "group_level", "gap": "gap"}),
        (metrics.changes, {"change": "change"}),
    ):
        exact = function(panel, comparison)
        shown = release_table(function, safe, comparison, rule=RULE).frame
        rates = exact["metric"].map(RATES)
        later = exact["time_period"].eq(YEAR) * RISE
        truths = {
            "level": rates.str[0] + later,
            "gap": rates.str[0] - rates.str[1] + later,
            "change": later,
        }
        for what, column in columns.items():
            kept = shown[f"{column}_lower"].notna()
            if what == "change":
                kept &= exact["time_period"].eq(YEAR)
            inside = {
                name: (table[f"{column}_lower"] <= 100 * truths[what] + 1e-9)
                & (table[f"{column}_upper"] >= 100 * truths[what] - 1e-9)
                for name, table in (("exact", exact), ("shown", shown))
            }
            wide = shown[f"{column}_upper"] - shown[f"{column}_lower"]
            narrow = exact[f"{column}_upper"] - exact[f"{column}_lower"]
            found.append(
                exact[["metric", "phase"]].assign(of=what, **inside, wider=wide / narrow)[kept]
            )
    return found


# --- What a reader can work out.

ONE_RULE, TWO_RULES = "every table of a run", "the same, and the cohort under a second rule"


def attack(run: Run, rng: np.random.Generator, *, sweeps: int) -> pd.DataFrame:
    """Attack every true number 1 to 9 of the last year."""
    cells = _run.cells_of_panel(run.panel)
    cells = cells[cells["time_period"] == YEAR]
    other = _run.cells_of_panel(run.other_rule, (COHORT,))
    other = other[other["time_period"] == YEAR]
    found = []
    for same in _run.populations(cells):
        population = _run.read_cells(cells, same)
        _run.read_characteristics(population, run, YEAR, same)
        if HEADCOUNT in same:
            _run.read_barriers(population, run, YEAR)
            _run.read_reach(population, run, YEAR, cells)
        found.append(_attacked(population, rng, sweeps=sweeps).assign(of=ONE_RULE))
        if set(same) <= set(other["metric"]):
            _run.read_other_rule(population, other, same)
            again = _attacked(population, rng, sweeps=sweeps)
            found.append(again.assign(of=TWO_RULES))
    return pd.concat(found)


def _attacked(
    population: _run.Population, rng: np.random.Generator, *, sweeps: int
) -> pd.DataFrame:
    reader = population.reader
    true = {cell: reader.truth(reader.cells[cell]) for _, cell in population.targets}
    small = [(label, cell) for label, cell in population.targets if 1 <= true[cell] <= 9]
    if not small:
        return pd.DataFrame({"label": [], "true": [], "likely": [], "left": []})
    chances = reader.likelihoods([cell for _, cell in small], rng, sweeps=sweeps)
    numbers = np.array([true[cell] for _, cell in small])
    table = pd.DataFrame(
        {
            "label": [label for label, _ in small],
            "cell": [cell for _, cell in small],
            "true": numbers,
            "likely": chances[np.arange(len(small)), numbers],
            "surest": chances.max(axis=1),
        }
    ).sort_values("likely", ascending=False)
    values = []
    for row in table.itertuples():
        low, high = reader.bounds(row.cell)
        assert low <= row.true <= high, row.label
        values.append(high - low + 1)
    return table.assign(left=values)


def two_releases(run: Run) -> tuple[int, int]:
    """Return how many numbers of old years a second yearly release shows, and how many moved."""
    earlier = run.panel[run.panel["time_period"] < YEAR]
    groups = [COHORT, PEERS, *names.LEAF_GROUPS[:-1], names.ALL]
    given = {"groups": groups, "metrics": list(CHILDREN)}
    counted = moved = 0
    for function, rest, keywords in (
        (metrics.levels, (), given),
        (metrics.gaps, (COMPARISON,), {}),
        (metrics.changes, (COMPARISON,), {}),
    ):
        first, second = (
            release_table(function, protected(table, RULE), *rest, rule=RULE, **keywords)
            .frame.query("time_period < @YEAR")
            .select_dtypes("number")
            .to_numpy(float, na_value=np.nan)
            for table in (earlier, run.panel)
        )
        counted += int((~np.isnan(second)).sum())
        moved += int((first != second)[~(np.isnan(first) & np.isnan(second))].sum())
    return counted, moved


# --- The page.


Row = dict[str, object]


def body(found: Sequence[Size]) -> str:
    """Return what the page says."""
    return f"""
{INTRODUCTION}

## How far shown numbers are from the exact ones

{table(_accuracy_row(size) for size in found)}

{ACCURACY}

## Whether verdicts change

{table(_flips_row(size) for size in found)}

{VERDICTS}

## Whether intervals hold

{table(row for size in found for row in _coverage_rows(size))}

{COVERAGE}

## What a reader can work out

{table(row for size in found for row in _attack_rows(size))}

{ATTACK}

Where the true number is likelier than one half:

{table(row for size in found for row in _likeliest(size))}

## Two yearly releases

{table(_releases_row(size) for size in found)}

{RELEASES}
"""


def _accuracy_row(size: Size) -> Row:
    rows = size.accuracy[size.accuracy["metric"].ne(RARE)]
    headline = rows[rows["metric"].isin(CHILDREN) & rows["phase"].eq(TOTAL)]
    within = rows[rows["metric"].isin(CHILDREN) & rows["phase"].ne(TOTAL)]
    of_all = rows[rows["phase"].eq(TOTAL)]
    ks2 = headline[headline["metric"].str.startswith("ks2")]
    means = [of_all.loc[of_all["metric"].eq(name), "error"].mean() for name in MEANS]
    error, part = LIMITS.get(size.schools, ("", ""))
    return {
        "schools": size.schools,
        "mean error, points": headline["error"].mean(),
        "its limit": str(error),
        "hidden, %": f"{100 * headline['shown'].isna().mean():.1f}",
        "limit of hidden": str(part),
        "error / SE": headline["relative"].mean(),
        "KS2": ks2["error"].mean(),
        **dict(zip(("overall absence", "Attainment 8"), means, strict=True)),
        "error within phases": within["error"].mean(),
        "hidden within phases, %": f"{100 * within['shown'].isna().mean():.0f}",
    }


def _flips_row(size: Size) -> Row:
    rows = size.flips
    changed = rows["direction"] != rows["shown"]
    clear, shown_clear = (rows[name].ne(UNCLEAR) for name in ("direction", "shown"))
    totals = rows["phase"].eq(TOTAL)
    shares = {
        "changed, %": changed,
        "expected, %": rows["expected"],
        "changed of phases' totals, %": changed[totals],
        "clear to not clear, %": changed & ~shown_clear,
        "not clear to clear, %": changed & ~clear,
    }
    return {
        "schools": size.schools,
        "authorities": size.authorities,
        "verdicts": len(rows),
        "of phases' totals": int(totals.sum()),
        **{name: f"{100 * share.mean():.1f}" for name, share in shares.items()},
        "reversed": int((changed & clear & shown_clear).sum()),
    }


def _coverage_rows(size: Size) -> list[Row]:
    return [
        {
            "schools": size.schools,
            "interval of": what,
            "intervals": len(rows),
            "exact holds, %": f"{100 * rows['exact'].mean():.1f}",
            "shown holds, %": f"{100 * rows['shown'].mean():.1f}",
            "wider by": f"{100 * (rows['wider'].median() - 1):.0f} %",
        }
        for what, rows in size.coverage.groupby("of", sort=False)
    ]


def _attack_rows(size: Size) -> list[Row]:
    return [
        {
            "schools": size.schools,
            "tables": of,
            "true numbers 1 to 9": len(rows),
            "fewest values": f"{rows['left'].min():.0f}",
            "under 5": int((rows["left"] < 5).sum()),
            "likeliest, median": rows["likely"].median(),
            "likeliest": rows["likely"].max(),
            "over one half": int((rows["likely"] > 0.5).sum()),
        }
        for of, rows in size.attack.groupby("of", sort=False)
    ]


def _likeliest(size: Size) -> list[Row]:
    named = {"of": "tables", "label": "number", "true": "true", "likely": "how likely"}
    known = size.attack[size.attack["likely"] > 0.5]
    rows = known[list(named)].rename(columns=named)
    return (
        rows.assign(values=known["left"].map("{:.0f}".format))
        .assign(schools=size.schools)[["schools", *named.values(), "values"]]
        .to_dict("records")
    )


def _releases_row(size: Size) -> Row:
    said = "numbers of old years shown again", "of these changed"
    return {"schools": size.schools, **dict(zip(said, size.releases, strict=True))}


INTRODUCTION = """\
Invented authorities of 60, 120 and 240 schools, counted by the package's own intake, nine years,
every metric that counts children. Record keys are drawn again by multiplying every child's key by
the same odd number: sums stay sums, so all tables of a draw agree. Rule, V = 1 and D = 5 as in
ADR 14."""
ACCURACY = """\
Headlines: the cohort (`cwsw`), all phases together, every year in which the metric has data,
every metric that counts children but permanent exclusions, which are nearly always hidden. Error:
shown less exact level, where shown; error / SE: against the exact clustered standard error. KS2,
overall absence and Attainment 8: mean error in points. The last two columns are single phases."""
VERDICTS = """\
Narrowed, widened or not clear, since 2018/19, of the gap between the cohort and its peers: every
metric, phase and year in which both tables have a verdict. Asked for: at most 2 % changed and
none reversed (one says narrowed and the other widened). Expected: what noise of the size that the
shown intervals allow for would change, worked out from the exact intervals; where that is above
2 %, no protection that states its noise keeps to 2 %. Most changes are to "not clear", because a
shown interval is wider than the exact one by the noise."""
COVERAGE = """\
What is measured: the schools of the authority keep their numbers of children; children's outcomes
are drawn around known rates (persistent absence 35 and 15 %, severe 12 and 3 %, key stage 2 35
and 60 %; the cohort's rises by five points in the later year; intraclass correlation 0.03, most
of it shared by both groups and years), keys are drawn, and intervals of 95 % count as holding
where the known rate, gap or change is inside. Only intervals that are shown count, and the exact
column is about the same cells. A cell is shown only where ten children count and ten do not: near
the threshold that alone shifts levels, in both columns. Wider by: median width, shown over exact.
Asked for: 93 to 97 %."""
ATTACK = """\
The reader sees 2024/25 in every table that holds children: levels of all groups and their sums by
phase, gaps by sex, SEN, free meals and key stage, barriers by phase, reach by programme, tier and
audience, and knows V, D, the rules, that one metric's children are part of another's, and which
number of a hidden cell was too small. Attacked is every true number 1 to 9: N, Y and N - Y of
every cell, those reached and not, and what lies between nested metrics, or between two cohort
rules. Gaps, changes, trends, parts and sizes are worked out from the same levels and add no
number of children; errors, standard deviations and correlations, which are rounded, and the noisy
statistics of strata are not in the program, nor are the gaps of trained and of untrained schools:
where one of the two is hidden, so is the other.

Values: from the least to the largest by integer programming (HiGHS), for every one of these
numbers. How likely: the chance that the reader gives the true number, from the table of chances
with all else equally likely beforehand, by Gibbs sampling (good to about 0.03). A reader may also
be sure of a wrong number, most often nought where many small numbers share a small sum; that is no
knowledge and is not counted. Asked for: five values or more for every number, and none likelier
than one half. The numbers that are likelier are just under the threshold of ten, where a reader
sees that they are hidden and what they are a part of, or very small in a kind of school of which
there are few."""
RELEASES = """\
Levels, gaps and changes of a release up to 2023/24 and of one a year later, old years closed: the
same children have the same keys, so nothing moves and the second release adds one year and
nothing else. This does not hold where an old year is counted again after corrections: every
restated cell draws again."""


if __name__ == "__main__":
    sys.exit(main())
