"""Does the published route find effects where there are none?

    python -m tests.proofs.placebo_authorities [--runs N] [--seed S] [--data FOLDER] [--output FILE]

Real data: in DfE's published tables an authority, an outcome and a year are drawn at random, as
many small authorities as middling and large ones and none twice, an offer is pretended to have
started there, and `fit_synthetic` asks for its effect, as it would be asked in earnest. Whatever is
found is found by chance, or because the inference is wrong. Beside it stand three inferences that
are not offered, and the share of effects of the smallest detectable size that are found when they
are planted. From the root of the repository; needs DfE's files (``vsh-eval fetch-published``).
"""

import sys
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from tests.proofs._page import DATA, options, table
from vsh_eval import academic_year, metrics, names
from vsh_eval.effects.published.authority import POOLS, authority_panel, donor_pools
from vsh_eval.effects.published.synthetic_did import Synthetic, fit_synthetic
from vsh_eval.numerics.inference import placebos
from vsh_eval.panel import Comparison
from vsh_eval.returns.published import read_published

ALPHA = 0.05
OUTCOMES = ("overall_absence", "persistent_absence", "severe_absence")
STARTS = (202122, 202223, 202324, 202425)
THIRDS = ("small", "middle", "large")

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
        "mde_every_size": placebos.detectable(scaled),
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
        near = scaled[placebos.nearest_sizes(at, size)]
        rows.append(
            {
                "p": placebos.rank_p_value(value, near),
                "mde": placebos.detectable(near),
                "p_every_size": placebos.rank_p_value(value, scaled),
                "mde_every_size": placebos.detectable(scaled),
            }
        )
    return pd.DataFrame(rows)


def _share(values: pd.Series, level: float = ALPHA) -> str:
    return f"{100 * (values <= level + 1e-12).mean():.1f}"


def _by_third(rows: pd.DataFrame, column: str, said: str = "") -> dict[str, str]:
    names_of = dict(zip(THIRDS, ("smallest third", "middle", "largest"), strict=True))
    return {
        said + name: _share(rows.loc[rows["third"].eq(third), column])
        for third, name in names_of.items()
    }


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


def _middle(rows: pd.DataFrame, column: str) -> str:
    middles = [rows.loc[rows["third"].eq(third), column].median() for third in THIRDS]
    return " / ".join(f"{value:.1f}" for value in middles)


def of_everyone(every: pd.DataFrame, by: str) -> str:
    """Set the thirds of all authorities beside those of placebos of every size."""
    return table(
        {
            by: str(value).replace("_", " "),
            "p <= 5 %": _share(part["p"]),
            **_by_third(part, "p"),
            "MDE": _middle(part, "mde"),
            **_by_third(part, "p_every_size", "of every size: "),
            "of every size: MDE": _middle(part, "mde_every_size"),
        }
        for value, part in every.groupby(by, sort=False)
    )


def of_the_drawn(drawn: pd.DataFrame, every: pd.DataFrame) -> str:
    """Set the drawn runs beside all."""
    keys = ["outcome", "start", "pool", "unit"]
    both = drawn.merge(every[[*keys, "p"]], on=keys, suffixes=("", "_above"))
    same = (both["p"] <= ALPHA + 1e-12) == (both["p_above"] <= ALPHA + 1e-12)
    return table(
        (
            {
                "donors": pool,
                "p <= 5 %": _share(part["p"]),
                "p <= 10 %": _share(part["p"], 0.1),
                **_by_third(part, "p"),
                "planted, found %": 100 * part["found"].mean(),
                "same verdict %": 100 * part["same"].mean(),
            }
            for pool, part in both.assign(same=same).groupby("pool", sort=False)
        ),
        ".1f",
    )


NOT_OFFERED = {
    "placebos of every size, scaled": "p_every_size",
    "placebos, sizes ignored": "p_unscaled",
    "least squares, years as if independent": "p_plain",
}


def not_offered(drawn: pd.DataFrame) -> str:
    """Set beside what is offered three inferences that are not."""
    parts = product(drawn.groupby("pool", sort=False), NOT_OFFERED.items())
    return table(
        {
            "donors": pool,
            "inference": said,
            "p <= 5 %": _share(part[column]),
            **_by_third(part, column),
        }
        for (pool, part), (said, column) in parts
    )


def taken_apart(drawn: pd.DataFrame) -> str:
    """Take the default apart by outcome and by start."""
    default = drawn[drawn["pool"].eq(POOLS[0])]
    labels = {o: o.replace("_", " ") for o in OUTCOMES} | {
        s: academic_year.label(s) for s in STARTS
    }
    return table(
        (
            {
                "outcome or start": labels[value],
                "runs": len(part),
                "p <= 5 %": _share(part["p"]),
                "MDE, middle of runs": part["mde"].median(),
            }
            for column in ("outcome", "start")
            for value, part in default.groupby(column)
        ),
        ".1f",
    )


def _outside(rows: pd.DataFrame, keys: list[str]) -> str:
    """Name where the share of false alarms leaves 3 to 7 %."""
    shares = 100 * rows.assign(hit=rows["p"] <= ALPHA + 1e-12).groupby(keys)["hit"].mean()
    found = [
        f"{', '.join(map(str, key if isinstance(key, tuple) else (key,)))} ({share:.1f} %)"
        for key, share in shares.items()
        if not 3 <= round(float(share), 1) <= 7
    ]
    return "; ".join(found) or "nothing"


def body(drawn: pd.DataFrame, every: pd.DataFrame, authorities: dict[str, int]) -> str:
    """Return what the page says."""
    runs = len(drawn) // len(POOLS)
    left = max(1 - runs / (len(STARTS) * sum(authorities.values())), 0)
    noise, in_third = (
        100 * np.sqrt(left * ALPHA * (1 - ALPHA) / count) for count in (runs, runs / 3)
    )
    counted = ", ".join(f"{count} for {o.replace('_', ' ')}" for o, count in authorities.items())
    ratio = every["mde"].median() / every["mde_every_size"].median()
    return f"""
Pretended offers in DfE's published tables (outcomes of children in need, 2018/19 to 2024/25, no
absence in 2019/20): authority, outcome and first year
({", ".join(map(academic_year.label, STARTS))}), among authorities with every year ({counted}).
Gap of children with a social worker (CINO and CPPO at 31 March) to all pupils, percentage points.
The inference offered ranks the estimate among placebos on the {placebos.NEAREST} other authorities
nearest in size, each against its own pool, made comparable by the number of children (Ferman and
Pinto 2019; docs/adr/0011). Share with p of 5 % or less, over all and in each third by number of
children; aim: 3 to 7.

Every one of them ({len(every) // len(POOLS):,}), each judged by the others, where a pretended
authority stays a donor of the others: no noise of drawing. Outcomes and starts of one authority
hang together, so a third's share has a standard error of about {_error_of_a_third(every):.1f}. MDE
is the middle of the smallest detectable effects in the smallest / middle / largest third,
percentage points; the outcomes are joined. "of every size": every other authority is a placebo,
whatever its size, as it was before ADR 11.

{of_everyone(every, "pool")}

The same by outcome, pools joined:

{of_everyone(every, "outcome")}

{runs} of these offers put to `fit_synthetic` itself, drawn at random, none twice, as many from each
third: the donors are made anew without the pretended authority. Monte Carlo error {noise:.1f}, in a
third {in_third:.1f}. A planted effect has the size that the run itself calls detectable with 80 %
power, with either sign. Last: in how many runs the verdict at 5 % is the one above.

{of_the_drawn(drawn, every)}

Inferences that are not offered, on the drawn runs (synthetic DiD):

{not_offered(drawn)}

The default (synthetic DiD, statistical neighbours), taken apart:

{taken_apart(drawn)}

Outside 3 to 7 %: of all, {_outside(every, ["pool"])}; of the drawn, {_outside(drawn, ["pool"])};
thirds of all, {_outside(every, ["pool", "third"])}; thirds by outcome,
{_outside(every, ["outcome", "third"])}; thirds of the drawn, {_outside(drawn, ["pool", "third"])}.
The interval excludes zero exactly where p is 5 % or less in {100 * drawn["agrees"].mean():.0f} % of
the runs.

A rank among placebos is right over all authorities together almost by construction, so the thirds
are the harder test. Placebos that ignore size find small authorities twice as often as they should
and large ones hardly ever; scaling all of them by one variance model evens that out only in part;
ranking among authorities of about the same size does the rest, and the smallest detectable effect
is {ratio:.2f} times that with every size. Least squares on the same courses would find an effect in
{100 * (drawn["p_plain"] <= ALPHA).mean():.0f} %: the years of an authority hang together.

A third is still a wide class: for an authority smaller than all others with every year the nearest
are larger ones, and its noise is extrapolated by the variance model.
"""


def main(arguments: list[str] | None = None) -> int:
    """Write the page."""
    data = {"type": Path, "default": DATA, "help": "the folder of DfE's files"}
    asked, write = options(__file__, __doc__, arguments, runs=520, seed=20260901, data=data)
    release = read_published(asked.data)
    panel = release.panel[release.panel["metric"].isin(OUTCOMES)]
    gaps = metrics.gaps(panel, Comparison(names.CWSW, names.ALL))
    panels = {outcome: authority_panel(gaps, metric=outcome) for outcome in OUTCOMES}
    pools = {pool: donor_pools(release.areas, release.neighbours, donors=pool) for pool in POOLS}
    drawn = simulate(panels, pools, draws(panels, runs=asked.runs, seed=asked.seed))
    # A few runs, to see that it works, need no whole census.
    every = census(panels, pools, pairs=max(1, asked.runs // 3))
    write(body(drawn, every, {o: len(complete(of)) for o, of in panels.items()}), "runs", "seed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
