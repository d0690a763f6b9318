"""Do the intervals of what stands beside a gap cover as often as they say?

    python -m tests.proofs.composition_coverage [--draws N] [--schools S] [--output FILE]

Trend, Hedges' g, Cox's index and the differences between schools of an invented authority with six
to seven cohort pupils a school, measured by the public functions. The truth is what the same
functions measure in an authority of very many schools, and for the differences between schools what
was put in.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from vsh_eval import metrics
from vsh_eval.panel import Comparison

OUTPUT = Path(__file__).resolve().parents[2] / "docs" / "proofs" / "composition_coverage.md"
YEARS = (201819, 202122, 202223, 202324)
COHORT, SHAPE, PEERS = 6.4, 1.5, 150
LEVEL, GAP, DRIFT = 46.0, -27.0, -0.5
PUPIL_SD, SCHOOL_SD, GAP_SD = 19.0, 5.0, 3.4
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
    own = rng.normal(GAP, GAP_SD, schools)
    mean = COHORT * rng.gamma(SHAPE, 1 / SHAPE, schools)
    parts = []
    for number, year in enumerate(YEARS):
        for group, size, centre in (
            ("cin", rng.poisson(mean), level + own + DRIFT * number),
            ("peers", np.full(schools, PEERS), level),
        ):
            school = np.repeat(np.arange(schools), size)
            score = np.clip(rng.normal(centre[school], PUPIL_SD), -60, 150)
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
        "spread of the schools' gaps (tau)": GAP_SD,
    }


def _slope() -> float:
    """Return the slope through equal steps at the years as they lie."""
    return float(np.polyfit([year // 100 for year in YEARS], DRIFT * np.arange(len(YEARS)), 1)[0])


def summary(drawn: list[dict[str, np.ndarray]], real: dict[str, float]) -> pd.DataFrame:
    """Count how often the truth is inside."""
    rows = []
    for name, truth in real.items():
        value, lower, upper = np.array([one[name] for one in drawn]).T
        given = np.isfinite(lower) & np.isfinite(upper)
        inside = (lower <= truth) & (truth <= upper)
        rows.append(
            {
                "quantity": name,
                "truth": truth,
                "bias / SD": (np.nanmean(value) - truth) / np.nanstd(value, ddof=1),
                "coverage %": 100 * inside[given].mean(),
                "given %": 100 * given.mean(),
            }
        )
    return pd.DataFrame(rows)


def written(rows: pd.DataFrame, command: str, *, draws: int, schools: int) -> str:
    """Return the committed page."""
    lines = ["| " + " | ".join(rows.columns) + " |", "|" + "---|" * len(rows.columns)]
    lines += [
        f"| {r['quantity']} | {r['truth']:.2f} | {r['bias / SD']:+.2f} | {r['coverage %']:.1f} "
        f"| {r['given %']:.0f} |"
        for r in rows.to_dict("records")
    ]
    missed = rows.loc[~rows["coverage %"].between(93, 97), "quantity"].tolist()
    said = f"Outside 93 to 97 %: {', '.join(missed)}." if missed else "All within 93 to 97 %."
    return f"""# Do the intervals of what stands beside a gap cover?

    {command}

{draws:,} draws of {schools} schools with {COHORT} cohort pupils and {PEERS} peers each (the cohort
Gamma-Poisson), {len(YEARS)} years of new pupils, pupil SD {PUPIL_SD:g}, schools' levels SD
{SCHOOL_SD:g}, schools' own gaps SD {GAP_SD:g} for good. Scores, and the share above a fixed one.
Monte Carlo error of a coverage: {100 * np.sqrt(0.05 * 0.95 / draws):.1f}; aim: 93 to 97.

{chr(10).join(lines)}

{said}
"""


def main(arguments: list[str] | None = None) -> int:
    """Draw, measure, write the page; return 1 where a coverage is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--schools", type=int, default=60)
    parser.add_argument("--long-run", type=int, default=20_000, help="schools of the truth")
    parser.add_argument("--seed", type=int, default=20260901)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    asked = parser.parse_args(arguments)
    rng = np.random.default_rng(asked.seed)
    real = truths(rng, asked.long_run)
    drawn = [measure(draw_panel(asked.schools, rng)) for _ in range(asked.draws)]
    rows = summary(drawn, real)
    module = "tests.proofs.composition_coverage"
    command = f"python -m {module} --draws {asked.draws} --schools {asked.schools}"
    page = written(rows, command, draws=asked.draws, schools=asked.schools)
    asked.output.write_text(page, encoding="utf-8")
    sys.stdout.write(page)
    return 0 if rows["coverage %"].between(93, 97).all() else 1


if __name__ == "__main__":
    sys.exit(main())
