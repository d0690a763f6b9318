"""Which year effects should an authority with a few special schools use?

    python -m tests.proofs.phase_pooling [--draws N] [--seed S] [--output FILE]

Year effects by phase need 20 schools in every phase, which hardly any authority has: a few special
schools, alternative provision and all-through schools put every authority on common year effects.
Here school gaps are drawn by `vsh_eval.synthetic.draw_school_gaps`, a tenth of the schools is
turned into three small phases with levels and yearly drifts of their own, and the primary
estimator is made with year effects that are common, by phase with small phases joined to the large
one most like them, by phase with small phases joined to each other, and by phase as it stands.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from vsh_eval.effects.strata import STRATUM_SCHOOLS
from vsh_eval.numerics import imputation
from vsh_eval.synthetic import GapDraw, Plan, draw_school_gaps

OUTPUT = Path(__file__).resolve().parents[2] / "docs" / "proofs" / "phase_pooling.md"
YEARS = {"first": 201718, "last": 202425}
SMALL = {"special": (0.06, 2.0), "alternative_provision": (0.02, 10.0), "all_through": (0.02, 1.0)}
"""Share of the schools and level above the school's own, in percentage points."""
DRIFTS = {"no drift": 0.0, "like secondaries": 1.0, "against the others": -1.0}
"""Percentage points a year by which the gap of small phases drifts."""
RULES = ("common", "joined to the most alike", "joined to each other", "every phase its own")


def drawn(plan: Plan, rng: np.random.Generator, drift: float) -> GapDraw:
    """Draw school gaps and turn a tenth of the schools into small phases that drift."""
    draw = draw_school_gaps(plan, rng)
    gaps = draw.gaps.copy()
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
    return draw._replace(gaps=gaps.assign(phase=phase))


def joined(cells: pd.DataFrame, rule: str) -> pd.Series:
    """Return the stratum of every school-year under a rule."""
    phase = cells["phase"]
    if rule == "common":
        return pd.Series("", index=cells.index)
    if rule == "every phase its own":
        return phase
    sizes = cells.groupby("phase")["unit_id"].nunique()
    large = sizes.index[sizes >= STRATUM_SCHOOLS]
    if len(large) < 2 and rule == "joined to the most alike":
        return pd.Series("", index=cells.index)
    small = ~phase.isin(large)
    if rule == "joined to each other":
        return phase.mask(small, "other")
    before = cells[cells["time_period"] < 202122]
    level = (before["outcome"] * before["weight"]).groupby(before["phase"]).sum()
    level = level / before.groupby("phase")["weight"].sum()
    nearest = {name: (level[large] - level.get(name, 0.0)).abs().idxmin() for name in sizes.index}
    return phase.mask(small, phase.map(nearest))


def estimated(draw: GapDraw, rule: str) -> tuple[float, float, float]:
    """Return error of the estimate, standard error and degrees of freedom."""
    gaps = draw.gaps
    units, school = np.unique(gaps["unit_id"].to_numpy(str), return_inverse=True)
    years, year = np.unique(gaps["time_period"].to_numpy(), return_inverse=True)
    shape = (len(units), len(years))
    outcome, weight = np.zeros(shape), np.zeros(shape)
    outcome[school, year], weight[school, year] = gaps["outcome"], gaps["weight"]
    adopted, stratum = np.zeros(len(units), dtype=np.int64), np.zeros(len(units), dtype=np.int64)
    adopted[school] = gaps["adopted"]
    stratum[school] = np.unique(joined(gaps, rule).to_numpy(str), return_inverse=True)[1]
    onset = np.where(adopted > 0, np.searchsorted(years, adopted), len(years))
    treated = np.arange(len(years)) >= onset[:, None]
    fitted = imputation.fit(outcome, weight, treated, stratum)
    target = np.where(treated & imputation.imputable(fitted), weight, 0.0)
    made = imputation.estimate(fitted, target[None])
    return (
        float(made.estimate[0]) - draw.truth,
        float(np.sqrt((made.deviations() ** 2).sum())),
        float(made.schools[0] - 1),
    )


def scenario(schools: int, drift: str, draws: int, seed: int) -> list[dict[str, float | str]]:
    """Repeat one scenario under every rule, on the same draws."""
    rng = np.random.default_rng([seed, schools, list(DRIFTS).index(drift)])
    plan = Plan(schools=schools, effect=0.0, **YEARS)
    found: dict[str, list[tuple[float, float, float]]] = {rule: [] for rule in RULES}
    for _ in range(draws):
        draw = drawn(plan, rng, DRIFTS[drift])
        for rule in RULES:
            found[rule].append(estimated(draw, rule))
    rows: list[dict[str, float | str]] = []
    for rule, results in found.items():
        error, std_error, df = np.array(results).T
        rows.append(
            {
                "schools": schools,
                "small phases": drift,
                "year effects": rule,
                "bias": error.mean(),
                "MC se": error.std(ddof=1) / np.sqrt(draws),
                "SD": error.std(ddof=1),
                "mean SE": std_error.mean(),
                "coverage %": 100 * (np.abs(error) <= stats.t.ppf(0.975, df) * std_error).mean(),
            }
        )
    return rows


def written(rows: pd.DataFrame, command: str, draws: int) -> str:
    """Return the committed page."""
    formats = {"schools": ".0f", "small phases": "", "year effects": "", "bias": "+.3f"}
    formats |= {"MC se": ".3f", "SD": ".2f", "mean SE": ".2f", "coverage %": ".1f"}
    lines = ["| " + " | ".join(formats) + " |", "|" + "---|" * len(formats)]
    lines += [
        "| " + " | ".join(format(row[name], how) for name, how in formats.items()) + " |"
        for row in rows.to_dict("records")
    ]
    mean = rows.groupby("year effects")[["SD", "mean SE"]].mean()
    ratio = mean / mean.loc["common"]
    reading = [
        f"- {rule}: standard deviation {ratio.loc[rule, 'SD']:.2f} and standard error "
        f"{ratio.loc[rule, 'mean SE']:.2f} times those of common year effects; coverage "
        f"{part['coverage %'].min():.1f} to {part['coverage %'].max():.1f} %; largest bias "
        f"{part['bias'].abs().max():.3f}."
        for rule, part in rows.groupby("year effects", sort=False)
    ]
    return f"""# Which year effects should an authority with a few special schools use?

    {command}

School gaps as in `primary_coverage`, without effect, {draws} draws a scenario, the same for every
rule. A tenth of the schools is special, alternative provision or all-through, with levels of 2, 10
and 1 percentage points above their own and, by scenario, a drift that the other phases do not have.
Percentage points; Monte Carlo error of a coverage {100 * np.sqrt(0.05 * 0.95 / draws):.1f}.

{chr(10).join(lines)}

## Reading

{chr(10).join(reading)}
"""


def main(arguments: list[str] | None = None) -> int:
    """Run every scenario and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=600)
    parser.add_argument("--seed", type=int, default=20260901)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    asked = parser.parse_args(arguments)
    rows = pd.DataFrame(
        [
            row
            for schools in (120, 240)
            for drift in DRIFTS
            for row in scenario(schools, drift, asked.draws, asked.seed)
        ]
    )
    command = f"python -m tests.proofs.phase_pooling --draws {asked.draws} --seed {asked.seed}"
    asked.output.write_text(written(rows, command, asked.draws), encoding="utf-8")
    sys.stdout.write(written(rows, command, asked.draws))
    return 0


if __name__ == "__main__":
    sys.exit(main())
