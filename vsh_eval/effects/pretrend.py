"""Were the arms already drifting apart? Placebo leads before training, each and together."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from vsh_eval.effects.gate import Prepared
from vsh_eval.effects.imputation import Imputation, fit_imputation
from vsh_eval.numerics.inference import JointTest, joint_test


@dataclass(frozen=True, slots=True)
class Pretrend:
    """Placebo effects before training, and the test that all are nought.

    Attributes
    ----------
    rows : DataFrame
        The leads (`rows.ROW_COLUMNS`); event times below 0.
    test : JointTest
        Hotelling's test; NaN where there is no lead that can be tested.
    reason : str
        Why it cannot be tested, '' where it can.
    """

    rows: pd.DataFrame
    test: JointTest
    reason: str


def pretrend(
    data: Prepared | pd.DataFrame,
    *,
    alpha: float = 0.05,
    leads: int | None = None,
    seed: int = 0,
) -> Pretrend:
    """Test that training had no "effect" in the years before it.

    Parameters
    ----------
    data : Prepared or DataFrame
        From `prepare`, or a table as for `impute`.
    alpha : float
        Significance level of the leads' intervals.
    leads : int, optional
        As for `impute`.
    seed : int
        Of the leads' simultaneous band.

    Returns
    -------
    Pretrend
        A test that does not reject is no proof of parallel trends: read the leads' intervals.

    Raises
    ------
    DesignError
        As `impute`.

    Notes
    -----
    With the leads' jackknife covariance V of rank r and S schools,
    ``F = (S - r) / (r (S - 1)) l' V^- l`` on ``(r, S - r)`` degrees of freedom.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> table = pd.DataFrame({
    ...     "unit": np.repeat(np.arange(30), 6), "time": np.tile(np.arange(1, 7), 30),
    ...     "cohort": np.repeat([0, 4, 5], 60), "outcome": rng.normal(size=180), "weight": 1.0})
    >>> pretrend(table).test.df_numerator
    2.0
    """
    table = data.data if isinstance(data, Prepared) else data
    return of_fit(fit_imputation(table, alpha=alpha, leads=leads, seed=seed))


def of_fit(fitted: Imputation) -> Pretrend:
    """Test the leads of an imputation that is there already.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "unit": list("aabbcc"), "time": [1, 2] * 3, "cohort": [2] * 4 + [0] * 2,
    ...     "outcome": [5.0, 6, 7, 9, 8, 9], "weight": 1.0})
    >>> of_fit(fit_imputation(table)).reason
    'no trained school has two years before training'
    """
    events = fitted.rows[fitted.rows["aggregation"].eq("event")].reset_index(drop=True)
    leads = events["index"].lt(0)
    usable = (leads & events["status"].eq("")).to_numpy()
    if not usable.any():
        missing = JointTest(float("nan"), 0.0, float("nan"), float("nan"))
        reason = (
            "no lead is carried by two trained schools"
            if leads.any()
            else "no trained school has two years before training"
        )
        return Pretrend(events[leads], missing, reason)
    covariance = fitted.event_covariance.to_numpy()[np.ix_(usable, usable)]
    test = joint_test(
        events.loc[usable, "estimate"].to_numpy(float),
        covariance,
        float(events.loc[usable, "df"].min()),
    )
    reason = "" if np.isfinite(test.p_value) else "fewer schools than leads"
    return Pretrend(events[leads].reset_index(drop=True), test, reason)
