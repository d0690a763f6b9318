"""Does the published route find effects where there are none?

    python -m tests.proofs.placebo_authorities [--runs N] [--seed S] [--data FOLDER] [--output FILE]

Real data: in DfE's published tables an authority, an outcome and a year are drawn at random, as
many small authorities as middling and large ones and none twice, an offer is pretended to have
started there, and `fit_synthetic` asks for its effect, as it would be asked in earnest. Whatever is
found is found by chance, or because the inference is wrong. Beside it stand three inferences that
are not offered, and the share of effects of the smallest detectable size that are found when they
are planted. From the root of the repository; needs DfE's files (``vsh-eval fetch-published``).
"""

import argparse
import os
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from vsh_eval import academic_year, metrics, names
from vsh_eval.effects.published.authority import POOLS, authority_panel, donor_pools
from vsh_eval.effects.published.synthetic_did import Synthetic, fit_synthetic
from vsh_eval.numerics.inference import placebos
from vsh_eval.panel import Comparison
from vsh_eval.returns.published import read_published

RUNS = 520
SEED = 20260901
ALPHA = 0.05
OUTCOMES = ("overall_absence", "persistent_absence", "severe_absence")
STARTS = (202122, 202223, 202324, 202425)
THIRDS = ("small", "middle", "large")
ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "proofs" / "placebo_authorities.md"
DATA = Path(os.environ.get("VSH_EVAL_SHARED", ROOT.parent / "shared" / "data"))

Draw = tuple[str, int, str]


def complete(panel: pd.DataFrame) -> pd.Series:
    """Return the mean number of children of each authority with every year, by authority."""
    known = panel.dropna(subset=["outcome"])
    years = known["time"].nunique()
    counted = known.groupby("unit")["time"].nunique()
    return known.groupby("unit")["pupils"].mean()[counted.eq(years)]


def draws(panels: dict[str, pd.DataFrame], *, runs: int, seed: int) -> list[Draw]:
    """Draw outcome, pretended start and authority, none twice, as many from each third by size."""
    rng = np.random.default_rng(seed)
    sizes = {outcome: complete(panel) for outcome, panel in panels.items()}
    every = pd.concat(
        [
            pd.DataFrame(
                {"outcome": outcome, "start": start, "unit": of.index, "third": _third(of)}
            )
            for (outcome, of), start in product(sizes.items(), STARTS)
        ],
        ignore_index=True,
    )
    mixed = every.iloc[rng.permutation(len(every))]
    # The first of each third, then the second: a smaller number of runs is the start of a larger.
    turn = mixed.groupby("third").cumcount()
    asked = mixed.iloc[np.lexsort([mixed["third"], turn])].head(runs)
    return [
        (str(row.outcome), int(str(row.start)), str(row.unit))
        for row in asked.itertuples(index=False)
    ]


def _third(sizes: pd.Series) -> npt.NDArray[np.intp]:
    """Return 0, 1 or 2 for the smallest, the middle and the largest third."""
    limits = [-np.inf, *sizes.quantile([1 / 3, 2 / 3]), np.inf]
    return np.asarray(pd.cut(sizes, limits).cat.codes, dtype=np.intp)


def plain_p_value(found: Synthetic) -> float:
    """Return what least squares would say that takes years for independent: not offered."""
    path = found.path
    before, after = (path.loc[path["before"].eq(side), "effect"] for side in (True, False))
    df = len(path) - 2
    squares = ((before - before.mean()) ** 2).sum() + ((after - after.mean()) ** 2).sum()
    error = float(np.sqrt(squares / df * (1 / len(before) + 1 / len(after)))) if df else 0.0
    ratio = float(after.mean() - before.mean()) / error if error > 0 else np.inf
    return float(2 * stats.t.sf(abs(ratio), max(df, 1)))


def judged(found: Synthetic, *, size: float) -> dict[str, float]:
    """Return the p value offered, three that are not, and whether a planted effect is found."""
    simple = found.rows.iloc[0]
    plain = found.placebos["estimate"].to_numpy(float)
    scaled = plain * found.placebos["scale"].to_numpy(float)
    near = scaled[found.placebos["compared"].to_numpy(bool)]
    value = float(simple["estimate"])
    planted = [placebos.rank_p_value(value + sign * found.mde, near) <= ALPHA for sign in (-1, 1)]
    outside = not simple["ci_lower"] <= 0 <= simple["ci_upper"]
    return {
        "p": float(simple["p_value"]),
        "p_every_size": placebos.rank_p_value(value, scaled),
        "p_unscaled": placebos.rank_p_value(value, plain),
        "p_plain": plain_p_value(found),
        "agrees": float(outside == (simple["p_value"] <= ALPHA + 1e-12)),
        "found": float(np.mean(planted)),
        "mde": found.mde,
        "mde_every_size": placebos.detectable(scaled, alpha=ALPHA),
        "pupils": size,
    }


def simulate(
    panels: dict[str, pd.DataFrame], pools: dict[str, dict[str, tuple[str, ...]]], asked: list[Draw]
) -> pd.DataFrame:
    """Ask for every drawn effect with every pool; one row each."""
    sizes = {outcome: complete(panel) for outcome, panel in panels.items()}
    thirds = {o: pd.Series(_third(known), index=known.index) for o, known in sizes.items()}
    rows = []
    for (outcome, start, place), pool in product(asked, pools):
        found = fit_synthetic(panels[outcome], pools[pool], unit=place, start=start)
        row = {"outcome": outcome, "start": start, "pool": pool}
        row |= {"unit": place, "third": THIRDS[int(thirds[outcome][place])]}
        rows.append(row | judged(found, size=float(sizes[outcome][place])))
    return pd.DataFrame(rows)


def census(
    panels: dict[str, pd.DataFrame],
    pools: dict[str, dict[str, tuple[str, ...]]],
    *,
    pairs: int = len(OUTCOMES) * len(STARTS),
) -> pd.DataFrame:
    """Judge every authority, at every outcome and start, by all the others' placebos.

    One comparison makes the placebos of all but one authority; they are taken for each other's,
    so an authority that is pretended to be treated stays a donor of the others. No draw, no noise
    of drawing; `pairs` of outcome and start are taken, all by default.
    """
    tables = []
    for outcome, start in list(product(panels, STARTS))[:pairs]:
        sizes = complete(panels[outcome])
        first = str(sizes.index[0])
        for pool, donors in pools.items():
            found = fit_synthetic(panels[outcome], donors, unit=first, start=start)
            estimates = found.placebos.set_index("unit")["estimate"]
            estimates[first] = found.rows.loc[0, "estimate"]
            known = sizes[estimates.index]
            third = np.array(THIRDS)[pd.Series(_third(sizes), sizes.index)[known.index]]
            judged_rows = _each_by_the_others(estimates.to_numpy(float), known.to_numpy(float))
            tables.append(
                judged_rows.assign(
                    outcome=outcome,
                    start=start,
                    pool=pool,
                    third=third,
                    unit=known.index,
                )
            )
    return pd.concat(tables, ignore_index=True)


def _each_by_the_others(
    estimates: npt.NDArray[np.float64], sizes: npt.NDArray[np.float64]
) -> pd.DataFrame:
    rows = []
    for place, (value, size) in enumerate(zip(estimates, sizes, strict=True)):
        others, at = np.delete(estimates, place), np.delete(sizes, place)
        spread = placebos.size_spread(others, at, np.append(at, size))
        scaled = others * spread[-1] / spread[:-1]
        near = scaled[placebos.nearest_sizes(at, size, alpha=ALPHA)]
        rows.append(
            {
                "p": placebos.rank_p_value(value, near),
                "mde": placebos.detectable(near, alpha=ALPHA),
                "p_every_size": placebos.rank_p_value(value, scaled),
                "mde_every_size": placebos.detectable(scaled, alpha=ALPHA),
            }
        )
    return pd.DataFrame(rows)


def _share(values: pd.Series, level: float = ALPHA) -> str:
    return f"{100 * (values <= level + 1e-12).mean():.1f}"


def _by_third(table: pd.DataFrame, column: str) -> str:
    return " | ".join(_share(table.loc[table["third"].eq(third), column]) for third in THIRDS)


def _error_of_a_third(every: pd.DataFrame) -> float:
    """Return the standard error of a third's share, per cent: years of an authority hang together.

    Summed by authority; the middle over the thirds of all pools.
    """
    errors = []
    for _, part in every.groupby(["pool", "third"]):
        hit = (part["p"] <= ALPHA + 1e-12).astype(float)
        sums = (hit - hit.mean()).groupby(part["unit"]).sum()
        errors.append(100 * float(np.sqrt((sums**2).sum())) / len(part))
    return float(np.median(errors))


def _middle(table: pd.DataFrame, column: str) -> str:
    middles = [table.loc[table["third"].eq(third), column].median() for third in THIRDS]
    return " / ".join(f"{value:.1f}" for value in middles)


def page(
    table: pd.DataFrame, every: pd.DataFrame, *, runs: int, seed: int, authorities: dict[str, int]
) -> str:
    """Write the tables as a page."""
    left = 1 - runs / (len(STARTS) * sum(authorities.values()))
    noise, in_third = (
        100 * np.sqrt(max(left, 0) * ALPHA * (1 - ALPHA) / count) for count in (runs, runs / 3)
    )
    counted = ", ".join(f"{count} for {o.replace('_', ' ')}" for o, count in authorities.items())
    lines = [
        "# Does the published route find effects where there are none?",
        "",
        f"    python -m tests.proofs.placebo_authorities --runs {runs} --seed {seed}",
        "",
        "Pretended offers in DfE's published tables (outcomes of children in need, 2018/19 to "
        "2024/25, no absence in 2019/20): authority, outcome and first year "
        f"({', '.join(map(academic_year.label, STARTS))}), among authorities with every year "
        f"({counted}). Gap of children with a social worker (CINO and CPPO at 31 March) to all "
        "pupils, percentage points. The inference offered ranks the estimate among placebos on the "
        f"{placebos.NEAREST} other authorities nearest in size, each against its own pool, made "
        "comparable by the number of children (Ferman and Pinto 2019; docs/adr/0011). Share "
        "with p of 5 % or less, over all and in each third by number of children; aim: 3 to 7.",
        "",
        *of_everyone(every),
        "",
        f"{runs} of these offers put to `fit_synthetic` itself, drawn at random, none twice, as "
        "many from each third: the donors are made anew without the pretended authority. Monte "
        f"Carlo error {noise:.1f}, in a third {in_third:.1f}. A planted effect has the size that "
        "the run itself calls detectable with 80 % power, with either sign. Last: in how many runs "
        "the verdict at 5 % is the one above.",
        "",
        "| donors | p <= 5 % | p <= 10 % | smallest third | middle | largest | "
        "planted, found % | same verdict % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    keys = ["outcome", "start", "pool", "unit"]
    both = table.merge(every[[*keys, "p"]], on=keys, suffixes=("", "_above"))
    for pool, part in both.groupby("pool", sort=False):
        same = (part["p"] <= ALPHA + 1e-12) == (part["p_above"] <= ALPHA + 1e-12)
        lines.append(
            f"| {pool} | {_share(part['p'])} | {_share(part['p'], 0.1)} "
            f"| {_by_third(part, 'p')} | {100 * part['found'].mean():.1f} "
            f"| {100 * same.mean():.1f} |"
        )
    lines += ["", *not_offered(table), "", *by_outcome(table)]
    return "\n".join([*lines, "", *reading(table, every), ""])


def of_everyone(every: pd.DataFrame) -> list[str]:
    """Set the thirds of all authorities beside those of placebos of every size."""
    lines = [
        f"Every one of them ({len(every) // len(POOLS):,}), each judged by the "
        "others, where a pretended authority stays a donor of the others: no noise of drawing. "
        "Outcomes and starts of one authority hang together, so a third's share has a "
        f"standard error of about {_error_of_a_third(every):.1f}. MDE is the middle of the "
        "smallest detectable effects in the smallest / middle / largest third, percentage points; "
        "the outcomes are joined. Until now every other "
        "authority was a placebo, whatever its size.",
        "",
        "| donors | p <= 5 % | smallest third | middle | largest | MDE "
        "| until now: smallest third | middle | largest | MDE |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for pool, part in every.groupby("pool", sort=False):
        lines.append(
            f"| {pool} | {_share(part['p'])} | {_by_third(part, 'p')} "
            f"| {_middle(part, 'mde')} | {_by_third(part, 'p_every_size')} "
            f"| {_middle(part, 'mde_every_size')} |"
        )
    lines += [
        "",
        "The same by outcome, pools joined:",
        "",
        "| outcome | p <= 5 % | smallest third | middle | largest | MDE | until now: MDE |",
        "|---|---|---|---|---|---|---|",
    ]
    for outcome, part in every.groupby("outcome", sort=False):
        lines.append(
            f"| {str(outcome).replace('_', ' ')} | {_share(part['p'])} "
            f"| {_by_third(part, 'p')} | {_middle(part, 'mde')} "
            f"| {_middle(part, 'mde_every_size')} |"
        )
    return lines


def not_offered(table: pd.DataFrame) -> list[str]:
    """Set beside what is offered three inferences that are not."""
    lines = [
        "Inferences that are not offered, on the drawn runs (synthetic DiD):",
        "",
        "| donors | inference | p <= 5 % | smallest third | middle | largest |",
        "|---|---|---|---|---|---|",
    ]
    for pool, part in table.groupby("pool", sort=False):
        for name, column in (
            ("placebos of every size, scaled", "p_every_size"),
            ("placebos, sizes ignored", "p_unscaled"),
            ("least squares, years as if independent", "p_plain"),
        ):
            lines.append(
                f"| {pool} | {name} | {_share(part[column])} | {_by_third(part, column)} |"
            )
    return lines


def by_outcome(table: pd.DataFrame) -> list[str]:
    """Take the default apart by outcome and by start."""
    default = table[table["pool"].eq(POOLS[0])]
    lines = [
        "The default (synthetic DiD, statistical neighbours), taken apart:",
        "",
        "| outcome or start | runs | p <= 5 % | MDE, middle of runs |",
        "|---|---|---|---|",
    ]
    labels = {o: o.replace("_", " ") for o in OUTCOMES} | {
        str(s): academic_year.label(s) for s in STARTS
    }
    for column in ("outcome", "start"):
        for value, part in default.groupby(column):
            lines.append(
                f"| {labels[str(value)]} | {len(part)} | {_share(part['p'])} "
                f"| {part['mde'].median():.1f} |"
            )
    return lines


def _outside(table: pd.DataFrame, keys: list[str]) -> list[str]:
    """Name where the share of false alarms leaves 3 to 7 %."""
    shares = 100 * table.assign(hit=table["p"] <= ALPHA + 1e-12).groupby(keys)["hit"].mean()
    return [
        f"{', '.join(map(str, key if isinstance(key, tuple) else (key,)))} ({share:.1f} %)"
        for key, share in shares.items()
        if not 3 <= round(float(share), 1) <= 7
    ]


def reading(table: pd.DataFrame, every: pd.DataFrame) -> list[str]:
    """Say whether the aim is met."""
    keys = ["pool"]
    out = [*_outside(every, keys), *_outside(table, keys)]
    verdict = (
        "Every pool finds an effect in 3 to 7 % of all, and of the drawn."
        if not out
        else f"Outside 3 to 7 %: {'; '.join(out)}."
    )
    known = _outside(every, [*keys, "third"])
    by_metric = _outside(every, ["outcome", "third"])
    cells = len(POOLS) * len(THIRDS)
    thirds = f"Of {cells} thirds of pools {cells - len(known)} lie in 3 to 7 %"
    error = _error_of_a_third(every)
    thirds += f", not {'; '.join(known)}; the standard error is {error:.1f}." if known else "."
    thirds += (
        " Each third of each outcome does."
        if not by_metric
        else f" By outcome, outside: {'; '.join(by_metric)}."
    )
    drawn = _outside(table, [*keys, "third"])
    if drawn:
        thirds += (
            f" Among the drawn runs, outside: {'; '.join(drawn)}; the verdicts being the same as "
            "above, that is which offers were drawn."
        )
    plain = 100 * (table["p_plain"] <= ALPHA).mean()
    agree = 100 * table["agrees"].mean()
    ratio = every["mde"].median() / every["mde_every_size"].median()
    return [
        f"{verdict} {thirds} The interval excludes nought exactly where p is 5 % or less in "
        f"{agree:.0f} % of the runs.",
        "",
        "A rank among placebos is right over all authorities together almost by construction, so "
        "the thirds are the harder test. Placebos that ignore size find small authorities twice as "
        "often as they should and large ones hardly ever; scaling all of them by one variance "
        "model evens that out only in part; ranking among authorities of about the same size does "
        f"the rest, and the smallest detectable effect is {ratio:.2f} times what it was. Least "
        f"squares on the same courses would find an effect in {plain:.0f} %: the years of an "
        "authority hang together.",
        "",
        "A third is still a wide class: for an authority smaller than all others with every year "
        "the nearest are larger ones, and its noise is extrapolated by the variance model.",
    ]


def main(arguments: list[str] | None = None) -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of DfE's files")
    parser.add_argument("--output", type=Path, default=PAGE)
    asked = parser.parse_args(arguments)
    release = read_published(asked.data)
    panel = release.panel[release.panel["metric"].isin(OUTCOMES)]
    gaps = metrics.gaps(panel, Comparison(names.CWSW, names.ALL))
    panels = {outcome: authority_panel(gaps, metric=outcome) for outcome in OUTCOMES}
    pools = {pool: donor_pools(release.areas, release.neighbours, donors=pool) for pool in POOLS}
    table = simulate(panels, pools, draws(panels, runs=asked.runs, seed=asked.seed))
    # A few runs, to see that it works, need no whole census.
    every = census(panels, pools, pairs=max(1, asked.runs // 3))
    counts = {outcome: len(complete(panel)) for outcome, panel in panels.items()}
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    drawn = len(table) // len(POOLS)
    written = page(table, every, runs=drawn, seed=asked.seed, authorities=counts)
    asked.output.write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
