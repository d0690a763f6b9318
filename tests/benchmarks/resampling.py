"""Time randomisation and bootstrap against the naive loop and the library's own.

    python -m tests.benchmarks.resampling [--schools N] [--draws N]

CPU seconds of one core for a panel of eight years. The loops are timed on a few draws and scaled
up: the naive one refits with the package's estimator for each draw; the library's is diff-diff's
imputation estimator, fitted anew for each draw, as its own permutation test knows two groups and
two periods only.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd

from vsh_eval import effects
from vsh_eval.effects.inference.randomisation import Reassignments, reassignments
from vsh_eval.numerics.inference.bootstrap import resampled_sums

YEARS = 8
FEW = 5
LIMITS = {"randomisation, 999 draws": 3.0, "school bootstrap, 9,999 draws": 0.5}


def panel(schools: int, seed: int = 1) -> pd.DataFrame:
    """Draw school-years: a fifth trained in each of three years, cohort cells of 1 to 11."""
    rng = np.random.default_rng(seed)
    cohort = rng.choice([0, 5, 6, 7], schools, p=[0.4, 0.2, 0.2, 0.2])
    return pd.DataFrame(
        {
            "unit": np.repeat(np.arange(schools), YEARS),
            "time": np.tile(np.arange(1, YEARS + 1), schools),
            "cohort": np.repeat(cohort, YEARS),
            "outcome": rng.normal(size=schools * YEARS),
            "weight": 350.0 * rng.integers(1, 12, schools * YEARS),
            "phase": np.repeat(rng.choice(["primary", "secondary"], schools, p=[0.8, 0.2]), YEARS),
        }
    )


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds of the faster of two runs."""
    taken = []
    for _ in range(2):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def refitted(table: pd.DataFrame, design: Reassignments) -> None:
    """Refit by the package's estimator for a few draws."""
    for cohort in _cohorts(table, design):
        effects.estimators.impute(table.assign(cohort=cohort), leads=0, draws=1)


def library(table: pd.DataFrame, design: Reassignments) -> None:
    """Refit by diff-diff for a few draws; it takes no weights that change within a school."""
    from diff_diff import ImputationDiD

    for cohort in _cohorts(table, design):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ImputationDiD().fit(
                table.assign(cohort=cohort),
                outcome="outcome",
                unit="unit",
                time="time",
                first_treat="cohort",
            )


def _cohorts(table: pd.DataFrame, design: Reassignments) -> list[pd.Series]:
    onsets = design.terms.onsets
    drawn = onsets[design.draw(FEW, seed=1)]
    years = [pd.Series(np.where(o < YEARS, o + 1, 0), index=design.cells.units) for o in drawn]
    return [table["unit"].astype(str).map(year) for year in years]


def main(arguments: list[str] | None = None) -> int:
    """Print the table, and return 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--schools", type=int, default=400)
    parser.add_argument("--draws", type=int, default=999)
    asked = parser.parse_args(arguments)
    table = panel(asked.schools)
    design = reassignments(table, within="phase")
    parts = np.random.default_rng(1).normal(size=(asked.schools, 5))
    own = seconds(lambda: effects.inference.randomise(table, draws=asked.draws))
    boot = seconds(lambda: resampled_sums(parts))
    scale = asked.draws / FEW
    rows = [
        (f"randomisation, {asked.draws} draws", own, own),
        ("  the package's fit in a loop", scale * seconds(lambda: refitted(table, design)), own),
        ("  diff-diff's fit in a loop", scale * seconds(lambda: library(table, design)), own),
        ("school bootstrap, 9,999 draws", boot, boot),
        ("  one draw after another", _one_by_one(parts), boot),
    ]
    for name, taken, base in rows:
        sys.stdout.write(f"{name:34}{taken:10.3f} s{taken / base:8.0f} times\n")
    return int(any(taken > LIMITS.get(name, taken) for name, taken, _ in rows))


def _one_by_one(parts: np.ndarray) -> float:
    rng = np.random.default_rng(1)
    few = 200

    def work() -> None:
        for _ in range(few):
            parts[rng.integers(0, len(parts), len(parts))].sum(axis=0)

    return 9_999 / few * seconds(work)


if __name__ == "__main__":
    sys.exit(main())
