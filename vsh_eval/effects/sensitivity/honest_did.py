"""Does the effect survive if trends were not parallel? Rambachan and Roth's sensitivity."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from vsh_eval.contracts import DesignError, InfeasibleError, require_columns, require_one_of
from vsh_eval.effects.estimators.imputation import MOST_LEADS
from vsh_eval.effects.estimators.long_differences import (
    REFERENCE,
    LongDifferences,
    long_differences,
)
from vsh_eval.effects.grid import CELL_COLUMNS, Floats
from vsh_eval.effects.rows import SAMPLE_COLUMNS
from vsh_eval.numerics.inference.honest import RelativeMagnitudes
from vsh_eval.numerics.inference.significance import t_critical
from vsh_eval.numerics.inference.smoothness import Smoothness

Method = Literal["relative_magnitudes", "smoothness"]

STEPS = 10
"""Steps a unit in which the breakdown is looked for (unit: M-bar of 1; a standard error)."""
_SINGULAR = 1e-10
"""Smallest eigenvalue of the correlations that is not zero."""
MOST = 5.0
"""Largest bound looked at for the breakdown (smoothness: in standard errors)."""
HONEST_COLUMNS = (
    *("method", "bound", "target", "estimate", "std_error", "lower", "upper", "excludes_zero"),
    *("breakdown", "capped", "years_before", "years_after", *SAMPLE_COLUMNS),
)


@dataclass(frozen=True, slots=True)
class EventPath:
    """Event-study estimates against the last year before training, ready to be questioned.

    Attributes
    ----------
    index : tuple of int
        Event times in order, without gaps but for the reference, which is left out.
    estimate : array (K,)
        The estimates.
    covariance : array (K, K)
        Their covariance.
    weights : array (P,)
        Weights of the event times from 0 on in the mean asked about; sum 1.
    target : str
        ``average`` or the event time.
    sample : mapping
        Schools and children behind the mean asked about (`rows.SAMPLE_COLUMNS`).
    """

    index: tuple[int, ...]
    estimate: Floats
    covariance: Floats
    weights: Floats
    target: str
    sample: Mapping[str, float]

    @property
    def before(self) -> int:
        """Number of event times before the reference."""
        return len(self.index) - len(self.weights)

    @property
    def mean(self) -> tuple[float, float]:
        """The weighted mean of the effects and its standard error."""
        late = self.covariance[self.before :, self.before :]
        return (
            float(self.weights @ self.estimate[self.before :]),
            float(np.sqrt(self.weights @ late @ self.weights)),
        )


def honest(
    data: pd.DataFrame,
    *,
    bounds: Sequence[float],
    method: Method = "relative_magnitudes",
    target: Literal["average"] | int = "average",
    seed: int = 0,
) -> pd.DataFrame:
    """Give the effect's interval for ever larger breaks of parallel trends.

    Parameters
    ----------
    data : DataFrame
        School-years as for `impute`; the event study is `long_differences`.
    bounds : sequence of float
        Values of M-bar, or of M.
    method : {"relative_magnitudes", "smoothness"}
        ``relative_magnitudes``: no change of the trend difference from one year to the next after
        training is more than `bound` (M-bar) times the largest before it. ``smoothness``: its
        slope changes by at most `bound` (M, in the outcome's unit a year) from year to year.
    target : "average" or int
        Mean over the years from training on, weighted by the trained school-years' weight (so that
        it means what the simple estimate means), or one event time (0 = the first).
    seed : int
        Of the draws behind the first stage's critical value.

    Returns
    -------
    DataFrame
        One row a bound: method, bound, target, estimate and std_error (of the mean, parallel trends
        taken for granted), lower, upper, excludes_zero, breakdown (the largest bound up to which
        the interval excludes zero, in steps of 0.1 (SE); 0 where not even parallel trends give
        that), capped (zero is still
        excluded at 5, or 5 SE, where the search ends), years_before, years_after (event times
        used, the reference not counted), and the schools and children behind the mean asked
        about. Limits are NaN where the data refute the restriction.

    Raises
    ------
    ContractError
        If a column is missing or a name is not known.
    DesignError
        If there is no year before the reference or after training, or the covariance is singular.

    Notes
    -----
    `numerics.inference.honest` (conditional test with a least favourable first stage, C-LF) and
    `numerics.inference.smoothness` (fixed-length interval). From school-years the covariance is
    scaled by the square of t over normal critical value, as the theory knows no degrees of
    freedom. Leads of `impute` would not do: they and the effects rest on different years
    (docs/adr/0007).
    Rambachan and Roth (2023), Review of Economic Studies 90(5).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> table = pd.DataFrame({
    ...     "unit": np.repeat(np.arange(30), 6), "time": np.tile(np.arange(1, 7), 30),
    ...     "cohort": np.repeat([0, 4, 5], 60), "outcome": rng.normal(size=180), "weight": 1.0})
    >>> honest(table, bounds=(0.0, 1.0))[["bound", "excludes_zero"]].values.tolist()
    [[0.0, False], [1.0, False]]
    """
    require_one_of(method, ("relative_magnitudes", "smoothness"), name="method")
    require_columns(data, CELL_COLUMNS, name="the table of school-years")
    path = path_of(long_differences(data), target=target)
    return of_path(path, method=method, bounds=bounds, seed=seed)


def of_path(
    path: EventPath,
    *,
    bounds: Sequence[float],
    method: Method = "relative_magnitudes",
    seed: int = 0,
) -> pd.DataFrame:
    """Question an event path that is there already; parameters and rows as for `honest`.

    Examples
    --------
    >>> sample = dict.fromkeys(SAMPLE_COLUMNS, 12)
    >>> path = EventPath((-2, 0), np.array([0.1, -2.0]), 0.04 * np.eye(2), np.ones(1), "0", sample)
    >>> of_path(path, method="smoothness", bounds=[0.0])["excludes_zero"].tolist()
    [True]
    """
    estimate, error = path.mean
    relative = method == "relative_magnitudes"
    options = {"before": path.before, "weights": path.weights}
    sets = (
        RelativeMagnitudes(path.estimate, path.covariance, seed=seed, **options)
        if relative
        else Smoothness(path.estimate, path.covariance, **options)
    )
    unit = 1.0 if relative else error
    if not bounds or min(bounds) < 0:
        raise DesignError(
            f"bounds are {list(bounds)}, must be one number or more, none below 0; "
            "0 means parallel trends (or one straight line)."
        )
    breakdown, capped = _breakdown(sets, unit)
    rows = pd.DataFrame(
        [(method, bound, path.target, estimate, error, *sets.interval(bound)) for bound in bounds],
        columns=list(HONEST_COLUMNS[:7]),
    )
    rows["excludes_zero"] = [
        _excludes(low, high) for low, high in zip(rows["lower"], rows["upper"], strict=True)
    ]
    return rows.assign(
        breakdown=breakdown,
        capped=capped,
        years_before=path.before,
        years_after=len(path.weights),
        **path.sample,
    )


def path_of(effects: LongDifferences, *, target: Literal["average"] | int = "average") -> EventPath:
    """Take from long differences the years that enough schools carry.

    Before the reference: up to three, without gaps, each carried by three quarters of the schools
    that carry the first year of training; from training on: all without gaps.
    """
    rows = effects.rows[effects.rows["status"].eq("")].set_index("index")
    schools = rows["schools_treated"]
    first = int(schools.get(0, 0))
    early: list[int] = []
    while len(early) < MOST_LEADS and 4 * int(
        schools.get(REFERENCE - 1 - len(early), 0)
    ) >= 3 * max(first, 1):
        early.insert(0, REFERENCE - 1 - len(early))
    late: list[int] = []
    while len(late) in schools.index:
        late.append(len(late))
    index = [*early, *late]
    if not early or not late:
        raise InfeasibleError("no_year_before_reference", events=tuple(index))
    if target != "average" and target not in late:
        raise DesignError(
            f"target is {target}, must be 'average' or one of {', '.join(map(str, late))}."
        )
    weights = effects.target.loc[late].to_numpy(float)
    if target != "average":
        weights = np.array([float(event == target) for event in late])
    scale = float(t_critical(rows["df"].min()) / t_critical(np.inf))
    matrix = (effects.covariance * scale**2).loc[index, index].to_numpy(float)
    refuse_singular(matrix, name="event times")
    about = [event for event, weight in zip(late, weights, strict=True) if weight]
    return EventPath(
        tuple(index),
        rows.loc[index, "estimate"].to_numpy(float),
        matrix,
        weights / weights.sum(),
        str(target),
        effects.sample(index, about),
    )


def _excludes(lower: float, upper: float) -> bool:
    return bool(lower > 0 or upper < 0)


def _breakdown(sets: RelativeMagnitudes | Smoothness, unit: float) -> tuple[float, bool]:
    """Return the largest bound up to which zero is excluded, and whether the search ended.

    Intervals grow with the bound, so halving finds it.
    """
    excluded, included = -1, round(MOST * STEPS) + 1
    while included - excluded > 1:
        middle = (excluded + included) // 2
        if _excludes(*sets.interval(middle / STEPS * unit)):
            excluded = middle
        else:
            included = middle
    return max(excluded, 0) / STEPS * unit, included > round(MOST * STEPS)


def refuse_singular(matrix: Floats, *, name: str) -> None:
    """Refuse a covariance with a missing number or without full rank.

    Parameters
    ----------
    matrix : array (K, K)
        The covariance.
    name : str
        Of what, in the plural.

    Raises
    ------
    DesignError
        If a number is missing or the covariance is singular.
    """
    if not np.isfinite(matrix).all():
        raise DesignError(
            f"a covariance of the {len(matrix)} {name} is missing, must be given for all; "
            "leave out what has no error."
        )
    error = np.sqrt(np.clip(np.diag(matrix), 0.0, None))
    scale = np.where(error > 0, error, 1.0)
    lowest = float(np.linalg.eigvalsh((matrix + matrix.T) / 2 / np.outer(scale, scale)).min())
    if (error <= 0).any() or lowest < _SINGULAR:
        raise InfeasibleError("singular_covariance", of=name, size=len(matrix))
