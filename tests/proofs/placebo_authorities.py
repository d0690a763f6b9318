"""Does the published route find effects where there are none?

    python -m tests.proofs.placebo_authorities [--runs N] [--seed S] [--data FOLDER] [--output FILE]

Real data: in DfE's published tables an authority, an outcome and a year are drawn at random, an
offer is pretended to have started there, and `fit_authority` asks for its effect, as it would be
asked in earnest. Whatever is found is found by chance, or because the inference is wrong. Beside it
stand two inferences that are not offered, and the share of effects of the smallest detectable size
that are found when they are planted. From the root of the repository; needs DfE's files
(``vsh-eval fetch-published``).
"""

import argparse
import os
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from vsh_eval import academic_year, metrics, names
from vsh_eval.effects.authorities import POOLS, authority_panel, donor_pools, fit_authority
from vsh_eval.effects.synthetic_did import METHODS, Synthetic
from vsh_eval.numerics import placebos
from vsh_eval.returns.published import read_published

RUNS = 600
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
    """Draw outcome, pretended start and authority, each as likely as any other."""
    rng = np.random.default_rng(seed)
    authorities = {outcome: complete(panel).index.to_numpy() for outcome, panel in panels.items()}
    found = []
    for _ in range(runs):
        outcome = str(rng.choice(list(panels)))
        place = str(rng.choice(authorities[outcome]))
        found.append((outcome, int(rng.choice(STARTS)), place))
    return found


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
    """Return the p value offered, two that are not, and whether a planted effect is found."""
    simple = found.rows.iloc[0]
    plain = found.placebos["estimate"].to_numpy(float)
    scaled = plain * found.placebos["scale"].to_numpy(float)
    planted = [
        placebos.rank_p_value(simple["estimate"] + sign * found.mde, scaled) <= ALPHA
        for sign in (-1, 1)
    ]
    return {
        "p": float(simple["p_value"]),
        "p_unscaled": placebos.rank_p_value(float(simple["estimate"]), plain),
        "p_plain": plain_p_value(found),
        "found": float(np.mean(planted)),
        "mde": found.mde,
        "pupils": size,
    }


def simulate(
    panels: dict[str, pd.DataFrame], pools: dict[str, dict[str, tuple[str, ...]]], asked: list[Draw]
) -> pd.DataFrame:
    """Ask for every drawn effect by every estimator and pool; one row each."""
    sizes = {outcome: complete(panel) for outcome, panel in panels.items()}
    rows = []
    for (outcome, start, place), pool, method in product(asked, pools, METHODS):
        found = fit_authority(
            panels[outcome], pools[pool], authority=place, offer_start=start, method=method
        )
        row = {"outcome": outcome, "start": start, "pool": pool, "method": method}
        rows.append(row | judged(found, size=float(sizes[outcome][place])))
    table = pd.DataFrame(rows)
    third = [
        pd.cut(table["pupils"], [-np.inf, *sizes[o].quantile([1 / 3, 2 / 3]), np.inf]).cat.codes
        for o in OUTCOMES
    ]
    codes = np.select([table["outcome"].eq(o) for o in OUTCOMES], third)
    return table.assign(third=np.array(THIRDS)[codes])


def _share(values: pd.Series, level: float = ALPHA) -> str:
    return f"{100 * (values <= level + 1e-12).mean():.1f}"


def page(table: pd.DataFrame, *, runs: int, seed: int, authorities: dict[str, int]) -> str:
    """Write the tables as a page."""
    noise = 100 * np.sqrt(ALPHA * (1 - ALPHA) / runs)
    counted = ", ".join(f"{count} for {o.replace('_', ' ')}" for o, count in authorities.items())
    lines = [
        "# Does the published route find effects where there are none?",
        "",
        f"    python -m tests.proofs.placebo_authorities --runs {runs} --seed {seed}",
        "",
        f"{runs} pretended offers in DfE's published tables (outcomes of children in need, "
        "2018/19 to 2024/25, no absence in 2019/20): authority, outcome and first year "
        f"({', '.join(map(academic_year.label, STARTS))}) drawn at random among authorities with "
        f"every year ({counted}). Gap of children with a social worker (CINO and CPPO at 31 March) "
        "to all pupils, percentage points. The inference offered ranks the estimate among "
        "placebos on every other authority, each against its own pool, made comparable by the "
        "number of children (Ferman and Pinto 2019). Share of runs with p of 5 % or less; its "
        f"Monte Carlo error is {noise:.1f}; aim: 3 to 7. A planted effect has the size that "
        "the run itself calls detectable with 80 % power, with either sign.",
        "",
        "| estimator | donors | p <= 5 % | p <= 10 % | smallest third | middle | largest | "
        "planted, found % | MDE, middle of runs |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for (method, pool), part in table.groupby(["method", "pool"], sort=False):
        thirds = " | ".join(_share(part.loc[part["third"].eq(third), "p"]) for third in THIRDS)
        lines.append(
            f"| {method} | {pool} | {_share(part['p'])} | {_share(part['p'], 0.1)} | {thirds} "
            f"| {100 * part['found'].mean():.1f} | {part['mde'].median():.1f} |"
        )
    lines += ["", *not_offered(table), "", *by_outcome(table), "", *reading(table)]
    return "\n".join([*lines, ""])


def not_offered(table: pd.DataFrame) -> list[str]:
    """Set beside what is offered two inferences that are not."""
    lines = [
        "Inferences that are not offered, same runs (synthetic DiD):",
        "",
        "| donors | inference | p <= 5 % | smallest third | middle | largest |",
        "|---|---|---|---|---|---|",
    ]
    rows = table[table["method"].eq(METHODS[0])]
    for pool, part in rows.groupby("pool", sort=False):
        for name, column in (
            ("placebos, sizes ignored", "p_unscaled"),
            ("least squares, years as if independent", "p_plain"),
        ):
            thirds = " | ".join(
                _share(part.loc[part["third"].eq(third), column]) for third in THIRDS
            )
            lines.append(f"| {pool} | {name} | {_share(part[column])} | {thirds} |")
    return lines


def by_outcome(table: pd.DataFrame) -> list[str]:
    """Take the default apart by outcome and by start."""
    default = table[table["method"].eq(METHODS[0]) & table["pool"].eq(POOLS[0])]
    lines = [
        "The default (synthetic DiD, statistical neighbours), taken apart:",
        "",
        "| outcome or start | runs | p <= 5 % | MDE, middle of runs |",
        "|---|---|---|---|",
    ]
    labels = {o: o.replace("_", " ") for o in OUTCOMES} | {
        s: academic_year.label(s) for s in STARTS
    }
    for column in ("outcome", "start"):
        for value, part in default.groupby(column):
            lines.append(
                f"| {labels[value]} | {len(part)} | {_share(part['p'])} "
                f"| {part['mde'].median():.1f} |"
            )
    return lines


def reading(table: pd.DataFrame) -> list[str]:
    """Say whether the aim is met."""
    shares = (
        100
        * table.assign(hit=table["p"] <= ALPHA + 1e-12).groupby(["method", "pool"])["hit"].mean()
    )
    out = [f"{method}, {pool}" for (method, pool), s in shares.items() if not 3 <= s <= 7]
    verdict = (
        "Every estimator and pool finds an effect in 3 to 7 % of the runs."
        if not out
        else f"Outside 3 to 7 %: {'; '.join(out)}."
    )
    plain = 100 * (table["p_plain"] <= ALPHA).mean()
    default = table[table["method"].eq(METHODS[0]) & table["pool"].eq(POOLS[0])]
    thirds = [_share(default.loc[default["third"].eq(third), "p"]) for third in THIRDS]
    return [
        f"{verdict} Least squares on the same courses would find one in {plain:.0f} %: the years "
        "of an authority hang together. Placebos that ignore size are right on average and wrong "
        "for each authority: small ones are found too often, large ones hardly ever.",
        "",
        "A rank among placebos is right over all authorities together almost by construction, so "
        "the thirds are the harder test. Scaling by the number of children evens them out in part: "
        f"with the default, {', '.join(thirds)} %. For a small authority a p value just under 5 % "
        "is weaker evidence than it looks.",
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
    gaps = metrics.gaps(panel, group=names.CWSW, reference=names.ALL)
    panels = {outcome: authority_panel(gaps, metric=outcome) for outcome in OUTCOMES}
    pools = {pool: donor_pools(release.areas, release.neighbours, donors=pool) for pool in POOLS}
    table = simulate(panels, pools, draws(panels, runs=asked.runs, seed=asked.seed))
    counts = {outcome: len(complete(panel)) for outcome, panel in panels.items()}
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    asked.output.write_text(
        page(table, runs=asked.runs, seed=asked.seed, authorities=counts), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
