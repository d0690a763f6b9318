"""Does the effect survive if trends were not parallel? Rambachan and Roth's sensitivity."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd

from vsh_eval.contracts import DesignError, InfeasibleError, require_columns, require_one_of
from vsh_eval.effects.estimators.imputation import MOST_LEADS
from vsh_eval.effects.estimators.long_differences import (
    REFERENCE,
    LongDifferences,
    fit_long_differences,
)
from vsh_eval.effects.grid import CELL_COLUMNS, Floats
from vsh_eval.effects.rows import SAMPLE_COLUMNS
from vsh_eval.numerics.honest import RelativeMagnitudes
from vsh_eval.numerics.inference import t_critical
from vsh_eval.numerics.smoothness import Smoothness

Method = Literal["relative_magnitudes", "smoothness"]

RELATIVE_BOUNDS = (0.0, 0.5, 1.0, 1.5, 2.0)
SMOOTH_SHARES = (0.0, 0.1, 0.25, 0.5, 1.0)
"""Default bounds of the slope's change, in standard errors of the mean asked about."""
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
        Schools and children behind the mean asked about (`rows.SAMPLE_COLUMNS`), where known.
    """

    index: tuple[int, ...]
    estimate: Floats
    covariance: Floats
    weights: Floats
    target: str
    sample: Mapping[str, float] = field(default_factory=dict)

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
    covariance: pd.DataFrame | Floats | None = None,
    *,
    method: Method = "relative_magnitudes",
    bounds: Sequence[float] | None = None,
    target: Literal["average"] | int = "average",
    weights: Sequence[float] | None = None,
    alpha: float = 0.05,
    seed: int = 0,
) -> pd.DataFrame:
    """Give the effect's interval for ever larger breaks of parallel trends.

    Parameters
    ----------
    data : DataFrame
        School-years as for `impute`; the event study is then `long_differences`. Or, with
        `covariance`, an event study of your own: index (years since training, without gaps; -1 is
        the reference: absent or 0), estimate, and optionally aggregation (rows ``event`` are used).
    covariance : DataFrame or array, optional
        Of the estimates: by event time, or in the order of the rows.
    method : {"relative_magnitudes", "smoothness"}
        ``relative_magnitudes``: no change of the trend difference from one year to the next after
        training is more than `bound` (M-bar) times the largest before it. ``smoothness``: its
        slope changes by at most `bound` (M, in the outcome's unit a year) from year to year.
    bounds : sequence of float, optional
        M-bar 0, 0.5, 1, 1.5, 2 by default; M 0, 0.1, 0.25, 0.5 and 1 standard errors.
    target : "average" or int
        Mean over the years from training on, or one event time (0 = the first).
    weights : sequence of float, optional
        Of the event times from 0 on, for the average; by default the trained school-years' weight
        (so the average means what the simple estimate means), equal where that is not known.
    alpha : float
        One minus the coverage.
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
        used, the reference not counted), and the schools and children behind the mean asked about
        (NaN for an event study of your own). Bounds are NaN where the data refute the restriction.

    Raises
    ------
    ContractError
        If a column is missing or a name is not known.
    DesignError
        If there is no year before the reference or after training, the estimates are not
        against the reference, or their covariance is singular.

    Notes
    -----
    `numerics.honest` (conditional test with a least favourable first stage, C-LF) and
    `numerics.smoothness` (fixed-length interval). From school-years the covariance is scaled by the
    square of t over normal critical value, as the theory knows no degrees of freedom. Leads of
    `impute` are refused: they and the effects rest on different years (docs/adr/0007).
    Rambachan and Roth (2023), Review of Economic Studies 90(5).

    Examples
    --------
    >>> study = pd.DataFrame({"index": [-3, -2, 0, 1], "estimate": [0.1, -0.1, -2.0, -2.2]})
    >>> found = honest(study, 0.04 * np.eye(4))
    >>> found[["bound", "upper", "excludes_zero", "breakdown"]].round(2).values.tolist()[:3]
    [[0.0, -1.82, True, 2.0], [0.5, -1.52, True, 2.0], [1.0, -1.06, True, 2.0]]
    """
    require_one_of(method, ("relative_magnitudes", "smoothness"), name="method")
    if covariance is None:
        require_columns(data, CELL_COLUMNS, name="the table of school-years")
        path = path_of(fit_long_differences(data), target=target, alpha=alpha, weights=weights)
    else:
        path = _given(data, covariance, target=target, weights=weights)
    return of_path(path, method=method, bounds=bounds, alpha=alpha, seed=seed)


def of_path(
    path: EventPath,
    *,
    method: Method = "relative_magnitudes",
    bounds: Sequence[float] | None = None,
    alpha: float = 0.05,
    seed: int = 0,
) -> pd.DataFrame:
    """Question an event path that is there already; parameters and rows as for `honest`.

    Examples
    --------
    >>> path = EventPath((-2, 0), np.array([0.1, -2.0]), 0.04 * np.eye(2), np.ones(1), "0")
    >>> of_path(path, method="smoothness", bounds=[0.0])["excludes_zero"].tolist()
    [True]
    """
    estimate, error = path.mean
    relative = method == "relative_magnitudes"
    options = {"before": path.before, "weights": path.weights, "alpha": alpha}
    sets = (
        RelativeMagnitudes(path.estimate, path.covariance, seed=seed, **options)
        if relative
        else Smoothness(path.estimate, path.covariance, **options)
    )
    unit = 1.0 if relative else error
    asked = RELATIVE_BOUNDS if relative else tuple(share * error for share in SMOOTH_SHARES)
    asked = tuple(asked if bounds is None else bounds)
    if not asked or min(asked) < 0:
        raise DesignError(
            f"bounds are {list(asked)}, must be one number or more, none below 0; "
            "0 means parallel trends (or one straight line)."
        )
    breakdown, capped = _breakdown(sets, unit)
    rows = pd.DataFrame(
        [(method, bound, path.target, estimate, error, *sets.interval(bound)) for bound in asked],
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
        **{name: path.sample.get(name, np.nan) for name in SAMPLE_COLUMNS},
    )


def path_of(
    found: LongDifferences,
    *,
    target: Literal["average"] | int = "average",
    alpha: float = 0.05,
    weights: Sequence[float] | None = None,
) -> EventPath:
    """Take from long differences the years that enough schools carry.

    Before the reference: up to three, without gaps, each carried by three quarters of the schools
    that carry the first year of training; from training on: all without gaps.
    """
    rows = found.rows[found.rows["status"].eq("")].set_index("index")
    schools = rows["schools_treated"]
    first = int(schools.get(0, 0))
    early: list[int] = []
    while len(early) < MOST_LEADS and 4 * int(
        schools.get(REFERENCE - 1 - len(early), 0)
    ) >= 3 * max(first, 1):
        early.insert(0, REFERENCE - 1 - len(early))
    index = (*early, *_run(schools.index, 0))
    scale = float(t_critical(rows["df"].min(), alpha=alpha) / t_critical(np.inf, alpha=alpha))
    late = index[len(early) :]
    known = weights if weights is not None else found.target.reindex(list(late))
    path = _path(
        index,
        rows["estimate"],
        found.covariance * scale**2,
        target=target,
        weights=np.asarray(known, dtype=float),
    )
    about = [event for event, weight in zip(late, path.weights, strict=True) if weight]
    return replace(path, sample=found.sample(index, about))


def _given(
    data: pd.DataFrame,
    covariance: pd.DataFrame | Floats,
    *,
    target: Literal["average"] | int,
    weights: Sequence[float] | None,
) -> EventPath:
    """Read an event study of the caller's own."""
    require_columns(data, ("index", "estimate"), name="the event study")
    rows = event_rows(data)
    matrix = event_covariance(rows, covariance)
    estimates = rows.set_index("index")["estimate"].astype(float)
    if abs(estimates.get(REFERENCE, 0.0)) > 0:
        raise DesignError(
            f"the estimate of year {REFERENCE} is {estimates[REFERENCE]:.4g}, must be 0 or absent "
            "because all years are compared with it; give the school-years themselves, or the "
            "rows of long_differences."
        )
    early = _run(matrix.index, REFERENCE - 1, step=-1)[::-1]
    late = _run(matrix.index, 0)
    given = np.ones(len(late)) if weights is None else np.asarray(weights, dtype=float)
    return _path((*early, *late), estimates, matrix, target=target, weights=given)


def _run(labels: pd.Index, start: int, *, step: int = 1) -> tuple[int, ...]:
    """Return the event times from `start` on, up to the first that is missing."""
    there = set(map(int, labels))
    run = []
    while start + step * len(run) in there:
        run.append(start + step * len(run))
    return tuple(run)


def _path(
    index: tuple[int, ...],
    estimates: pd.Series,
    covariance: pd.DataFrame,
    *,
    target: Literal["average"] | int,
    weights: Floats,
) -> EventPath:
    late = [event for event in index if event >= 0]
    if not late or len(late) == len(index):
        raise InfeasibleError("no_year_before_reference", events=index)
    if target != "average":
        if target not in late:
            raise DesignError(
                f"target is {target}, must be 'average' or one of {', '.join(map(str, late))}."
            )
        weights = np.array([float(event == target) for event in late])
    if len(weights) != len(late) or not np.isfinite(weights).all() or weights.sum() == 0:
        raise DesignError(
            f"weights are {len(weights)} numbers, must be {len(late)}, one for each event time "
            "from 0 on, and not add up to 0."
        )
    labels = list(index)
    matrix = covariance.loc[labels, labels].to_numpy(float)
    values = estimates.loc[labels].to_numpy(float)
    if not np.isfinite(values).all():
        raise DesignError(
            "an estimate is missing, must be given for every event time used; leave out the event "
            "times without one."
        )
    refuse_singular(matrix, name="event times")
    return EventPath(index, values, matrix, weights / weights.sum(), str(target))


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


def event_rows(data: pd.DataFrame) -> pd.DataFrame:
    """Return the event rows, by whole event times, of a table with `index`.

    Raises
    ------
    ContractError
        If there is no column `index`.

    Examples
    --------
    >>> table = pd.DataFrame({"aggregation": ["simple", "event"], "index": [0.0, -2.0]})
    >>> event_rows(table)["index"].tolist()
    [-2]
    """
    require_columns(data, ("index",), name="the event study")
    rows = data[data["aggregation"].eq("event")] if "aggregation" in data else data
    return rows.astype({"index": int})


def event_covariance(rows: pd.DataFrame, covariance: pd.DataFrame | Floats) -> pd.DataFrame:
    """Return the covariance of event rows, by event time in their order.

    Parameters
    ----------
    rows : DataFrame
        From `event_rows`.
    covariance : DataFrame or array (K, K)
        By event time, or in the order of the rows.

    Raises
    ------
    DesignError
        If an event time stands twice, or the covariance is not of these event times.

    Examples
    --------
    >>> event_covariance(pd.DataFrame({"index": [-2, 0]}), np.eye(2)).loc[-2, 0].item()
    0.0
    """
    labels = rows["index"].tolist()
    if len(set(labels)) != len(labels) or len(labels) != len(covariance):
        raise DesignError(
            f"the event study has {len(labels)} rows of {len(set(labels))} event times and a "
            f"covariance of {len(covariance)}, must be one row for each event time; select one "
            "event study."
        )
    if not isinstance(covariance, pd.DataFrame):
        return pd.DataFrame(covariance, index=labels, columns=labels, dtype=float)
    matrix = covariance.rename(index=int, columns=int)
    absent = [label for label in labels if label not in matrix.index or label not in matrix.columns]
    if absent:
        raise DesignError(
            f"the covariance lacks the event times {', '.join(map(str, absent))}, must have all of "
            "the event study; give the covariance of the same rows."
        )
    return matrix.loc[labels, labels].astype(float)


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
