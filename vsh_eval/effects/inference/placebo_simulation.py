"""Before effects are looked at: what the method says where the answer is known.

The user's own schools, children and noise are kept; only the years of training are reassigned at
random. Then nothing happened in the "trained" schools (the placebo simulation, an A/A run), or
exactly the effect that was injected.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vsh_eval.contracts import DesignError, InfeasibleError, produces
from vsh_eval.effects.grid import Floats
from vsh_eval.effects.inference.randomisation import reassignments
from vsh_eval.numerics.inference import permutation
from vsh_eval.numerics.inference.significance import ALPHA, t_critical
from vsh_eval.numerics.levels.proportions import wilson

FEWEST_RUNS = 50
PLACEBO_COLUMNS = ("runs", "found", "share", "lower", "upper", "alpha", "error_ratio", "verdict")
CURVE_COLUMNS = ("effect", "found", "runs", "power", "lower", "upper")
AS_IT_SHOULD, TOO_MANY, TOO_FEW = "as_it_should_be", "too_many", "too_few"
"""Verdicts on the share of false alarms."""


@dataclass(frozen=True, slots=True)
class _Runs:
    """Estimates and half-widths of their intervals, a run each."""

    estimate: Floats
    error: Floats
    width: Floats


@produces("placebo_simulation", PLACEBO_COLUMNS, gate="facts")
def placebo_simulation(data: pd.DataFrame, *, runs: int = 500, seed: int = 0) -> pd.DataFrame:
    """Count false alarms: the method on real data with years of training reassigned at random.

    Parameters
    ----------
    data : DataFrame
        School-years as for `impute`.
    runs : int
        Assignments drawn, at least 50.
    seed : int
        Of the draws.

    Returns
    -------
    DataFrame
        One row: runs (with a p value), found (p below alpha), share, lower, upper (Wilson's 95 %
        interval of the share), alpha, error_ratio (mean standard error over the estimates'
        standard deviation; near 1), verdict (`AS_IT_SHOULD` where the interval holds alpha,
        else `TOO_MANY` or `TOO_FEW`).

    Raises
    ------
    ContractError, DesignError
        As `randomise`; also if `runs` is below 50 or no run gives a p value.

    Notes
    -----
    Each run is the primary estimator with the p value that the report prints: delete-one-school
    jackknife, t with schools less one degrees of freedom. If training did change something, that
    stays in the data as further noise.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> table = pd.DataFrame({
    ...     "unit": np.repeat(np.arange(30), 6), "time": np.tile(np.arange(1, 7), 30),
    ...     "cohort": np.repeat([0, 4, 5], 60), "outcome": rng.normal(size=180), "weight": 1.0})
    >>> placebo_simulation(table, runs=200)[["runs", "verdict"]].values.tolist()
    [[200, 'as_it_should_be']]
    """
    simulated = _runs(data, runs=runs, seed=seed)
    number = len(simulated.estimate)
    detected = int((np.abs(simulated.estimate) > simulated.width).sum())
    lower, upper = _wilson(detected, number)
    verdict = AS_IT_SHOULD
    if not lower <= ALPHA <= upper:
        verdict = TOO_MANY if lower > ALPHA else TOO_FEW
    return pd.DataFrame(
        {
            "runs": [number],
            "found": [detected],
            "share": [detected / number],
            "lower": [lower],
            "upper": [upper],
            "alpha": [ALPHA],
            "error_ratio": [float(simulated.error.mean() / simulated.estimate.std(ddof=1))],
            "verdict": [verdict],
        }
    )


def injected_effect_power(
    data: pd.DataFrame, *, effects: Sequence[float], runs: int = 500, seed: int = 0
) -> pd.DataFrame:
    """Inject effects of known size into the user's own panel and count how often they are found.

    Parameters
    ----------
    data : DataFrame
        School-years as for `impute`.
    effects : sequence of float
        Effects to inject, in the outcome's unit, both signs counted together.
    runs, seed
        As for `placebo_simulation`.

    Returns
    -------
    DataFrame
        `CURVE_COLUMNS`, by size of effect: effect, found (runs), runs, power (share found), lower,
        upper (Wilson's interval of the share). Every point is made from the same assignments, so
        the curve never falls by chance.

    Raises
    ------
    ContractError, DesignError
        As `placebo_simulation`.

    Notes
    -----
    A constant effect injected into all trained school-years moves the estimate by just that much
    and leaves its standard error alone, so one set of assignments serves every effect. Positive and
    negative effects are averaged: the curve is ``P(|T + e/se| > t)`` and ``P(|T - e/se| > t)`` in
    equal parts.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> table = pd.DataFrame({
    ...     "unit": np.repeat(np.arange(30), 6), "time": np.tile(np.arange(1, 7), 30),
    ...     "cohort": np.repeat([0, 4, 5], 60), "outcome": rng.normal(size=180), "weight": 1.0})
    >>> injected_effect_power(table, effects=(0.0, 3.0), runs=200)["power"].iloc[-1]
    np.float64(1.0)
    """
    simulated = _runs(data, runs=runs, seed=seed)
    number = len(simulated.estimate)
    rows = []
    for effect in sorted(effects, key=abs):
        share = _share_detected(simulated, effect)
        rows.append((effect, share * number, number, share, *_wilson(share * number, number)))
    return pd.DataFrame(rows, columns=list(CURVE_COLUMNS))


def _wilson(count: float, number: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share."""
    lower, upper = wilson(np.array([count]), np.array([float(number)]))
    return lower.item(), upper.item()


def _runs(data: pd.DataFrame, *, runs: int, seed: int) -> _Runs:
    if runs < FEWEST_RUNS:
        raise DesignError(f"runs is {runs}, must be at least {FEWEST_RUNS}; use 500.")
    design = reassignments(data)
    estimates = permutation.batch(design.terms, design.draw(runs, seed=seed), jackknife=True)
    size = float(np.abs(design.cells.outcome).max())
    usable = np.isfinite(estimates.estimate) & (
        estimates.jackknife_error > 1e-12 * max(size, 1e-12)
    )
    usable &= estimates.schools >= 3
    if usable.sum() < 2:
        raise InfeasibleError("no_assignment_with_error")
    error = estimates.jackknife_error[usable]
    critical = t_critical(estimates.schools[usable].astype(np.float64) - 1)
    return _Runs(estimate=estimates.estimate[usable], error=error, width=critical * error)


def _share_detected(simulated: _Runs, effect: float) -> float:
    """Return the share of runs that find an effect of this size, averaged over both signs."""
    either = [np.abs(simulated.estimate + sign * effect) > simulated.width for sign in (-1.0, 1.0)]
    return float(np.mean(either))
