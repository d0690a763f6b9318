"""Were the arms already drifting apart? Placebo leads before training, each and together."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from vsh_eval.contracts import (
    DesignError,
    InfeasibleError,
    Message,
    produces,
    require_columns,
    require_one_of,
)
from vsh_eval.effects.estimators.imputation import (
    Imputation,
    fit_imputation,
    imputable_target,
    leads_borne,
)
from vsh_eval.effects.grid import CELL_COLUMNS, Floats, Grid, checked, grid
from vsh_eval.effects.rows import SAMPLE_COLUMNS
from vsh_eval.effects.sensitivity.honest_did import refuse_singular
from vsh_eval.numerics.arrays import Flags
from vsh_eval.numerics.estimators import imputation as numeric
from vsh_eval.numerics.inference import pretest
from vsh_eval.numerics.inference.significance import (
    ALPHA,
    JointTest,
    joint_test,
    largest_not_excluded,
)

Test = Literal["joint", "individual"]

_ROUNDING = 1e-12
POWER_COLUMNS = ("test", "power", "slope", "bias", "bias_given_passed", "leads", "size")
SHARES = (0.5, 0.8)


@dataclass(frozen=True, slots=True)
class Pretrend:
    """Placebo effects before training, and the test that all are zero.

    Attributes
    ----------
    rows : DataFrame
        The leads (`rows.ROW_COLUMNS`); event times below 0.
    test : JointTest
        Hotelling's test; NaN where there is no lead that can be tested.
    reason : Message
        Why it cannot be tested, none where it can.
    """

    rows: pd.DataFrame
    test: JointTest
    reason: Message

    @property
    def sample(self) -> dict[str, float]:
        """The schools and children behind the leads: of each number the least, share the most."""
        carried = self.rows[self.rows["status"].eq("")]
        least = {name: carried[name].min() for name in SAMPLE_COLUMNS}
        return least | {"largest_share": carried["largest_share"].max()}


def pretrend(data: pd.DataFrame, *, seed: int = 0) -> Pretrend:
    """Test that training had no "effect" in the years before it.

    Parameters
    ----------
    data : DataFrame
        School-years as for `impute`.
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
    return pretrend_of(fit_imputation(data, seed=seed))


@dataclass(frozen=True, slots=True)
class Drift:
    """How fast trained schools moved apart from the others in the years before training.

    Attributes
    ----------
    slope : float
        Yearly change of the gap of schools about to be trained less that of the others, in the
        outcome's unit; NaN where no lead can be used.
    std_error, df : float
        Its jackknife error and degrees of freedom.
    bias : float
        What a drift of one unit a year adds to the simple estimate.
    """

    slope: float = float("nan")
    std_error: float = float("nan")
    df: float = float("nan")
    bias: float = float("nan")

    def largest_not_excluded(self, *, sign: float = 0.0) -> float:
        """Return the largest yearly drift that a one-sided test does not exclude.

        Parameters
        ----------
        sign : float
            Direction asked about: that of its sign; 0 for the worse of both.

        Returns
        -------
        float
            ``sign * slope + t(1 - alpha, df) * std_error``, with the slope's size where `sign` is
            0; NaN where there is no slope.

        Examples
        --------
        >>> round(Drift(-0.2, 0.1, 59.0).largest_not_excluded(sign=-1), 2)
        0.37
        >>> round(Drift(-0.2, 0.1, 59.0).largest_not_excluded(sign=1), 2)
        -0.03
        """
        return largest_not_excluded(self.slope, self.std_error, self.df, sign=sign)


def drift(data: pd.DataFrame) -> Drift:
    """Estimate the yearly drift that the placebo leads show.

    Parameters
    ----------
    data : DataFrame
        As for `pretrend`.

    Returns
    -------
    Drift
        NaN where no lead is carried by two trained schools, or their covariance is singular.

    Notes
    -----
    A straight drift of one unit a year moves the leads by a known vector ``d`` (they are sums of
    outcomes, see `pretrend_power`). With leads ``l`` and their jackknife covariance ``V`` the
    slope is ``d' V^-1 l / d' V^-1 d``, its variance ``1 / d' V^-1 d``: generalised least squares.
    The test of the slope asks for non-inferiority: a drift counts as absent only where it is
    excluded, not where it is merely not seen. Bilinski and Hatfield (2020), arXiv 1805.03273.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "unit": np.repeat(np.arange(30), 6), "time": np.tile(np.arange(1, 7), 30),
    ...     "cohort": np.repeat([0, 5], [90, 90]), "weight": 1.0})
    >>> noise = np.random.default_rng(1).normal(size=180)
    >>> drifting = table.assign(outcome=noise + 2.0 * table["time"] * table["cohort"].gt(0))
    >>> round(drift(drifting).slope)
    2
    """
    require_columns(data, CELL_COLUMNS, name="the table of school-years")
    try:
        leads = imputed_leads(grid(checked(data)))
        refuse_singular(leads.covariance, name="leads")
    except InfeasibleError:
        return Drift()
    return leads.slope()


def pretrend_of(fitted: Imputation) -> Pretrend:
    """Test the leads of an imputation that is there already.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "unit": list("aabbcc"), "time": [1, 2] * 3, "cohort": [2] * 4 + [0] * 2,
    ...     "outcome": [5.0, 6, 7, 9, 8, 9], "weight": 1.0})
    >>> pretrend_of(fit_imputation(table)).reason
    Message('no_two_years_before')
    """
    events = fitted.rows[fitted.rows["aggregation"].eq("event")].reset_index(drop=True)
    leads = events["index"].lt(0)
    usable = (leads & events["status"].eq("")).to_numpy()
    if not usable.any():
        missing = JointTest(float("nan"), 0.0, float("nan"), float("nan"))
        reason = Message("lead_of_one_school" if leads.any() else "no_two_years_before")
        return Pretrend(events[leads], missing, reason)
    covariance = fitted.event_covariance.to_numpy()[np.ix_(usable, usable)]
    test = joint_test(
        events.loc[usable, "estimate"].to_numpy(float),
        covariance,
        float(events.loc[usable, "df"].min()),
    )
    reason = Message() if np.isfinite(test.p_value) else Message("fewer_schools_than_leads")
    return Pretrend(events[leads].reset_index(drop=True), test, reason)


@dataclass(frozen=True, slots=True)
class Leads:
    """Leads, and what a straight drift of one unit a year does to them and to the effect.

    Attributes
    ----------
    estimate : array (L,)
        The leads.
    covariance : array (L, L)
        Their jackknife covariance.
    drift : array (L,)
        What the drift adds to each.
    shifted : float
        What it adds to the simple estimate.
    effect : array (L,)
        Covariance of the simple estimate with each lead.
    df : float
        Schools less one.
    """

    estimate: Floats
    covariance: Floats
    drift: Floats
    shifted: float
    effect: Floats
    df: float

    def slope(self) -> Drift:
        """Return the drift that fits the leads best, by generalised least squares."""
        precision = np.linalg.solve(self.covariance, self.drift)
        information = float(self.drift @ precision)
        if not information > 0:
            return Drift()
        slope = float(self.estimate @ precision) / information
        return Drift(slope, information**-0.5, self.df, self.shifted)


@produces("pretrend_power", POWER_COLUMNS, gate="facts")
def pretrend_power(
    data: pd.DataFrame,
    *,
    test: Test | tuple[Test, ...] = ("joint", "individual"),
    power: tuple[float, ...] = SHARES,
    seed: int = 0,
) -> pd.DataFrame:
    """Find the drift that the pre-trend test would detect, and the bias it would cause.

    Parameters
    ----------
    data : DataFrame
        School-years as for `impute`: leads and estimate are the imputation's.
    test : "joint", "individual" or both
        ``joint``: Hotelling's test that all leads are zero, as `pretrend` makes. ``individual``:
        the eye's test, that no lead differs from zero by itself (Roth's).
    power : tuple of float
        Probabilities of detection asked about.
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
    >>> rng = np.random.default_rng(1)
    >>> table = pd.DataFrame({
    ...     "unit": np.repeat(np.arange(30), 6), "time": np.tile(np.arange(1, 7), 30),
    ...     "cohort": np.repeat([0, 4, 5], 60), "outcome": rng.normal(size=180), "weight": 1.0})
    >>> power = pretrend_power(table, test="joint")
    >>> power["power"].tolist(), power["slope"].is_monotonic_increasing
    ([0.5, 0.8], True)
    """
    tests = (test,) if isinstance(test, str) else tuple(test)
    for one in tests:
        require_one_of(one, ("joint", "individual"), name="test")
    if not all(ALPHA < share < 1 for share in power):
        raise DesignError(
            f"power is {', '.join(map(str, power))}, must lie between alpha ({ALPHA:g}) and 1; "
            "write 0.5 for an even chance."
        )
    require_columns(data, CELL_COLUMNS, name="the table of school-years")
    leads = imputed_leads(grid(checked(data)))
    refuse_singular(leads.covariance, name="leads")
    return pd.DataFrame(
        [_row(leads, one, share, seed) for one in tests for share in power],
        columns=list(POWER_COLUMNS),
    )


def _row(
    leads: Leads, test: str, share: float, seed: int
) -> tuple[str, float, float, float, float, int, float]:
    options = {"df": leads.df, "seed": seed}
    detects = pretest.joint_power if test == "joint" else pretest.individual_power
    slope = pretest.slope_for(detects, leads.drift, leads.covariance, share, **options)
    passed = pretest.mean_given_passed(
        slope * leads.drift,
        leads.covariance,
        slope * leads.shifted,
        leads.effect,
        joint=test == "joint",
        **options,
    )
    size = detects(0.0 * leads.drift, leads.covariance, **options)
    return (test, share, slope, slope * leads.shifted, passed, len(leads.drift), size)


def imputed_leads(cells: Grid) -> Leads:
    """Make the imputation's leads and estimate, and make them again from a drift.

    Parameters
    ----------
    cells : Grid
        Schools by years.

    Returns
    -------
    Leads
        Those that two trained schools or more carry.

    Raises
    ------
    DesignError
        If no treated school-year can be imputed, or there is no such lead.
    """
    _, target = imputable_target(cells)
    leads = leads_borne(cells, target)
    if not leads:
        raise InfeasibleError("no_two_years_before")
    early = cells.event >= -leads
    early &= cells.ever[:, None] & (cells.event < 0)
    blocks = _blocks(cells, cells.treated, cells.treated, by_event=False)
    blocks += _blocks(cells, cells.treated | early, early, by_event=True)
    drift = np.where(cells.ever[:, None], cells.years[None, :], 0).astype(float)
    moved = np.concatenate([np.einsum("kst,st->k", one.implied_weight, drift) for one in blocks])
    deviations = np.concatenate([one.deviations() for one in blocks])
    treated = np.concatenate([(one.contributes & cells.ever).sum(axis=1) for one in blocks])
    usable = np.flatnonzero(treated >= 2)
    usable = usable[usable > 0]
    if not usable.size:
        raise InfeasibleError("lead_of_one_school")
    # Outcomes that do not vary leave rounding, which is no error.
    deviations[np.abs(deviations) < _ROUNDING * max(float(np.abs(cells.outcome).max()), 1.0)] = 0.0
    joint = deviations @ deviations.T
    schools = np.concatenate([one.schools for one in blocks])
    return Leads(
        estimate=np.concatenate([one.estimate for one in blocks])[usable],
        covariance=joint[np.ix_(usable, usable)],
        drift=moved[usable],
        shifted=float(moved[0]),
        effect=joint[0, usable],
        df=float(schools[usable].min() - 1),
    )


def _blocks(
    cells: Grid, left_out: Flags, wanted: Flags, *, by_event: bool
) -> list[numeric.Estimates]:
    """Impute the cells wanted from the cells not left out, by event time or all together."""
    fitted = numeric.fit(cells.outcome, cells.fit_weight, left_out, cells.stratum)
    target = np.where(wanted & numeric.imputable(fitted), cells.weight, 0.0)
    if not target.any():
        return []
    if not by_event:
        return [numeric.estimate(fitted, target[None])]
    events = np.unique(cells.event[target > 0])
    by_year = np.stack([np.where(cells.event == event, target, 0.0) for event in events])
    return [numeric.estimate(fitted, by_year)]
