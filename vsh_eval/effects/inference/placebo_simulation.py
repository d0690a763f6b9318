"""Before effects are looked at: what the method says where the answer is known.

The user's own schools, children and noise are kept; only the years of training are reassigned at
random. Then nothing happened in the "trained" schools (the placebo simulation, an A/A run), or
exactly the effect that was injected.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from vsh_eval.contracts import DesignError, InfeasibleError, produces
from vsh_eval.effects.grid import Floats
from vsh_eval.effects.inference.randomisation import reassignments
from vsh_eval.effects.sample.power import design_mde
from vsh_eval.effects.sample.selection import AnalysisSample
from vsh_eval.numerics import permutation
from vsh_eval.numerics.inference import t_critical

FEWEST_RUNS = 50
PLACEBO_COLUMNS = ("runs", "found", "share", "lower", "upper", "alpha", "error_ratio", "verdict")
CURVE_COLUMNS = ("effect", "found", "runs", "power", "lower", "upper")
AS_IT_SHOULD, TOO_MANY, TOO_FEW = "as_it_should_be", "too_many", "too_few"
"""Verdicts on the share of false alarms."""


@dataclass(frozen=True, slots=True)
class InjectedEffectPower:
    """How often effects of known size would be found.

    Attributes
    ----------
    curve : DataFrame
        effect (in the outcome's unit), found (runs), runs, power (share found), lower, upper
        (Wilson's interval of the share), by size of effect.
    detectable : float
        Effect, without its sign, that `power` of the runs find (mean of both signs); NaN where
        none is.
    mde : float
        The minimum detectable effect by formula, from the design as it is.
    power, alpha : float
        The power asked for and the size of the test.
    """

    curve: pd.DataFrame
    detectable: float
    mde: float
    power: float
    alpha: float


@dataclass(frozen=True, slots=True)
class _Runs:
    """Estimates and half-widths of their intervals, a run each."""

    estimate: Floats
    error: Floats
    width: Floats


@produces("placebo_simulation", PLACEBO_COLUMNS, gate="facts")
def placebo_simulation(
    data: AnalysisSample | pd.DataFrame,
    *,
    runs: int = 500,
    within: str | None = "phase",
    alpha: float = 0.05,
    seed: int = 0,
) -> pd.DataFrame:
    """Count false alarms: the method on real data with years of training reassigned at random.

    Parameters
    ----------
    data : AnalysisSample or DataFrame
        From `select_sample`, or a table as for `impute`.
    runs : int
        Assignments drawn, at least 50.
    within : str or None
        As for `randomise`.
    alpha : float
        Size of the test; `share` should be near it.
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
    made = _runs(data, runs=runs, within=within, alpha=alpha, seed=seed)
    number = len(made.estimate)
    found = int((np.abs(made.estimate) > made.width).sum())
    lower, upper = _wilson(found, number)
    verdict = AS_IT_SHOULD
    if not lower <= alpha <= upper:
        verdict = TOO_MANY if lower > alpha else TOO_FEW
    return pd.DataFrame(
        {
            "runs": [number],
            "found": [found],
            "share": [found / number],
            "lower": [lower],
            "upper": [upper],
            "alpha": [alpha],
            "error_ratio": [float(made.error.mean() / made.estimate.std(ddof=1))],
            "verdict": [verdict],
        }
    )


def injected_effect_power(
    data: AnalysisSample | pd.DataFrame,
    *,
    effects: tuple[float, ...] | None = None,
    runs: int = 500,
    within: str | None = "phase",
    alpha: float = 0.05,
    power: float = 0.80,
    seed: int = 0,
) -> InjectedEffectPower:
    """Inject effects of known size into the user's own panel and count how often they are found.

    Parameters
    ----------
    data : AnalysisSample or DataFrame
        From `select_sample`, or a table as for `impute`.
    effects : tuple of float, optional
        Effects to inject, in the outcome's unit; by default 0 to twice the minimum detectable
        effect, both signs counted together.
    runs, within, alpha, seed
        As for `placebo_simulation`.
    power : float
        The power that `detectable` is for.

    Returns
    -------
    InjectedEffectPower
        Every point of the curve is made from the same assignments, so it never falls by chance.

    Raises
    ------
    ContractError, DesignError
        As `placebo_simulation` and `design_mde`.

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
    >>> found = injected_effect_power(table, effects=(0.0, 3.0), runs=200)
    >>> bool(0.5 < found.detectable / found.mde < 1.5), found.curve["power"].iloc[-1]
    (True, np.float64(1.0))
    """
    formula = design_mde(data, alpha=alpha, power=power)
    if effects is None:
        if not np.isfinite(formula.mde):
            raise InfeasibleError("no_standard_error")
        effects = tuple(float(step) for step in formula.mde * np.linspace(0, 2, 9))
    made = _runs(data, runs=runs, within=within, alpha=alpha, seed=seed)
    number = len(made.estimate)
    rows = []
    for effect in sorted(effects, key=abs):
        share = _found(made, effect)
        rows.append((effect, share * number, number, share, *_wilson(share * number, number)))
    return InjectedEffectPower(
        curve=pd.DataFrame(rows, columns=list(CURVE_COLUMNS)),
        detectable=_detectable(made, power),
        mde=formula.mde,
        power=power,
        alpha=alpha,
    )


def _wilson(found: float, number: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share."""
    from statsmodels.stats.proportion import proportion_confint

    ends = np.asarray(proportion_confint(found, number, alpha=0.05, method="wilson"), dtype=float)
    return float(ends[0]), float(ends[1])


def _runs(
    data: AnalysisSample | pd.DataFrame, *, runs: int, within: str | None, alpha: float, seed: int
) -> _Runs:
    if runs < FEWEST_RUNS:
        raise DesignError(f"runs is {runs}, must be at least {FEWEST_RUNS}; use 500.")
    design = reassignments(data, within=within)
    made = permutation.batch(design.terms, design.draw(runs, seed=seed), jackknife=True)
    size = float(np.abs(design.cells.outcome).max())
    usable = np.isfinite(made.estimate) & (made.jackknife_error > 1e-12 * max(size, 1e-12))
    usable &= made.schools >= 3
    if usable.sum() < 2:
        raise InfeasibleError("no_assignment_with_error")
    error = made.jackknife_error[usable]
    critical = t_critical(made.schools[usable].astype(np.float64) - 1, alpha=alpha)
    return _Runs(estimate=made.estimate[usable], error=error, width=critical * error)


def _found(made: _Runs, effect: float) -> float:
    """Return the share of runs that find an effect of this size, averaged over both signs."""
    either = [np.abs(made.estimate + sign * effect) > made.width for sign in (-1.0, 1.0)]
    return float(np.mean(either))


def _detectable(made: _Runs, power: float) -> float:
    """Return the smallest effect that this share of the runs finds."""
    most = 2 * float((np.abs(made.estimate) + made.width).max())
    if _found(made, 0.0) >= power:
        return 0.0

    def missing(effect: float) -> float:
        return _found(made, effect) - power

    return float(brentq(missing, 0.0, most, xtol=1e-6 * most))
