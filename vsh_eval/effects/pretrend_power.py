"""What a test of trends before training could have seen, and what it would have missed."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsh_eval.contracts import DesignError, require_columns, require_one_of
from vsh_eval.effects.event_study import event_covariance, event_rows, refuse_singular
from vsh_eval.effects.grid import CELL_COLUMNS, Floats, Grid, checked, grid
from vsh_eval.effects.imputation import fit_imputation
from vsh_eval.effects.long_differences import REFERENCE
from vsh_eval.numerics import imputation as numeric
from vsh_eval.numerics import pretest

Test = Literal["joint", "individual"]
Flags = npt.NDArray[np.bool_]

POWER_COLUMNS = ("test", "power", "slope", "bias", "bias_given_passed", "leads", "size")
SHARES = (0.5, 0.8)


@dataclass(frozen=True, slots=True)
class _Leads:
    """Leads, and what a straight drift of one unit a year does to them and to the effect."""

    covariance: Floats
    drift: Floats
    shifted: float
    effect: Floats
    df: float


def pretrend_power(
    data: pd.DataFrame,
    covariance: pd.DataFrame | Floats | None = None,
    *,
    test: Test | tuple[Test, ...] = ("joint", "individual"),
    power: tuple[float, ...] = SHARES,
    df: float = np.inf,
    alpha: float = 0.05,
    leads: int | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Find the drift that the pre-trend test would detect, and the bias it would cause.

    Parameters
    ----------
    data : DataFrame
        School-years as for `impute`: leads and estimate are then the imputation's. Or, with
        `covariance`, an event study of your own against event time -1: index and optionally
        aggregation (rows ``event`` are used). Its bias is that of the mean of the effects.
    covariance : DataFrame or array, optional
        Of the event study's estimates: by event time, or in the order of the rows.
    test : "joint", "individual" or both
        ``joint``: Hotelling's test that all leads are nought, as `pretrend` makes. ``individual``:
        the eye's test, that no lead differs from nought by itself (Roth's).
    power : tuple of float
        Probabilities of detection asked about.
    df : float
        Degrees of freedom of a covariance that is given; school-years bring their own.
    alpha : float
        Size of each lead's test, or of the joint one.
    leads : int, optional
        As for `impute`.
    seed : int
        Of the integration behind the individual tests.

    Returns
    -------
    DataFrame
        One row a test and power: test, power, slope (the yearly drift of trained against other
        schools detected with that probability, in the outcome's unit), bias (what it adds to
        the simple estimate), bias_given_passed (the same, expected among the samples in which the
        drift is *not* detected; normal theory), leads (number), size (probability that the test
        detects something where there is no drift).

    Raises
    ------
    ContractError
        If a column is missing or a test is not known.
    DesignError
        If there is no lead, or the leads' covariance is singular.

    Notes
    -----
    A straight drift moves estimators that are sums of outcomes by known amounts: leads and
    estimate are made again from the drift itself as outcome (event time less 0 for trained
    schools, 0 for others), so it does not matter that the imputation's leads rest on the years
    before them and its effects on all years. Roth (2022), American Economic Review: Insights
    4(3).

    Examples
    --------
    >>> study = pd.DataFrame({"index": [-3, -2, 0, 1]})
    >>> found = pretrend_power(study, 0.04 * np.eye(4), test="individual")
    >>> found[["power", "slope", "bias"]].round(2).values.tolist()
    [[0.5, 0.18, 0.26], [0.8, 0.26, 0.39]]
    """
    tests = (test,) if isinstance(test, str) else tuple(test)
    for one in tests:
        require_one_of(one, ("joint", "individual"), name="test")
    if not all(alpha < share < 1 for share in power):
        raise DesignError(
            f"power is {', '.join(map(str, power))}, must lie between alpha ({alpha:g}) and 1."
        )
    found = _imputed(data, leads=leads) if covariance is None else _given(data, covariance, df=df)
    refuse_singular(found.covariance, name="leads")
    return pd.DataFrame(
        [_row(found, one, share, alpha, seed) for one in tests for share in power],
        columns=list(POWER_COLUMNS),
    )


def _row(
    found: _Leads, test: str, share: float, alpha: float, seed: int
) -> tuple[str, float, float, float, float, int, float]:
    options = {"df": found.df, "alpha": alpha, "seed": seed}
    detects = pretest.joint_power if test == "joint" else pretest.individual_power
    slope = pretest.slope_for(detects, found.drift, found.covariance, share, **options)
    passed = pretest.mean_given_passed(
        slope * found.drift,
        found.covariance,
        slope * found.shifted,
        found.effect,
        joint=test == "joint",
        **options,
    )
    size = detects(0.0 * found.drift, found.covariance, **options)
    return (test, share, slope, slope * found.shifted, passed, len(found.drift), size)


def _imputed(data: pd.DataFrame, *, leads: int | None) -> _Leads:
    """Make the imputation's leads and estimate, and make them again from a drift."""
    require_columns(data, CELL_COLUMNS, name="the table of school-years")
    made = fit_imputation(data, leads=leads, draws=1).leads
    cells = grid(checked(data))
    early = cells.ever[:, None] & (cells.event < 0) & (cells.event >= -made)
    blocks = [_block(cells, cells.treated, cells.treated, by_event=False)]
    blocks += [_block(cells, cells.treated | early, early, by_event=True)] if made else []
    drift = np.where(cells.ever[:, None], cells.event, 0).astype(float)
    moved = np.concatenate([np.einsum("kst,st->k", one.implied_weight, drift) for one in blocks])
    deviations = np.concatenate([one.deviations() for one in blocks])
    treated = np.concatenate([(one.contributes & cells.ever).sum(axis=1) for one in blocks])
    usable = np.flatnonzero(treated >= 2)
    usable = usable[usable > 0]
    if not usable.size:
        raise DesignError(
            "no lead is carried by two trained schools, must be at least one; trained schools need "
            "two years or more before training."
        )
    joint = deviations @ deviations.T
    schools = np.concatenate([one.schools for one in blocks])
    return _Leads(
        covariance=joint[np.ix_(usable, usable)],
        drift=moved[usable],
        shifted=float(moved[0]),
        effect=joint[0, usable],
        df=float(schools[usable].min() - 1),
    )


def _block(cells: Grid, left_out: Flags, wanted: Flags, *, by_event: bool) -> numeric.Estimates:
    """Impute the cells wanted from the cells not left out, by event time or all together."""
    fitted = numeric.fit(cells.outcome, cells.fit_weight, left_out, cells.stratum)
    target = np.where(wanted & numeric.imputable(fitted), cells.weight, 0.0)
    if not by_event:
        return numeric.estimate(fitted, target[None])
    events = np.unique(cells.event[target > 0])
    return numeric.estimate(
        fitted, np.stack([np.where(cells.event == event, target, 0.0) for event in events])
    )


def _given(data: pd.DataFrame, covariance: pd.DataFrame | Floats, *, df: float) -> _Leads:
    """Read an event study of the caller's own, all years against one reference."""
    rows = event_rows(data)
    index = rows["index"].to_numpy(int)
    matrix = event_covariance(rows, covariance).to_numpy(float)
    early, late = index < REFERENCE, index > REFERENCE
    if not early.any():
        raise DesignError(
            f"the event study has no year before {REFERENCE}, must have at least one; "
            "begin the years earlier."
        )
    mean = late / max(int(late.sum()), 1)
    return _Leads(
        covariance=matrix[np.ix_(early, early)],
        drift=(index - REFERENCE)[early].astype(float),
        shifted=float(mean @ (index - REFERENCE)) if late.any() else float("nan"),
        effect=mean @ matrix[:, early],
        df=df,
    )
