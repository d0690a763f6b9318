"""The pooled gap of schools that were trained within the data, and of those that were not."""

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.cells.shield import Shield
from vsh_eval.columns import released
from vsh_eval.contracts import ContractError, InfeasibleError, produces, require_columns
from vsh_eval.metrics.gaps import GAP_COLUMNS, gaps
from vsh_eval.panel import Comparison, Panel, opened, require_returns, shielded, slice_for

TRAINED, UNTRAINED = "trained", "untrained"
ARM_COLUMNS = ("arm", *GAP_COLUMNS, "schools", "schools_trained")
_OF_NO_CHILD = ("time_period", "schools", "schools_trained")
ARM_RELEASED = ("arm", *released(GAP_COLUMNS), "schools", "schools_trained")


@produces("gaps_by_arm", ARM_RELEASED)
def gaps_by_arm(panel: Panel, exposure: pd.DataFrame, comparison: Comparison) -> pd.DataFrame:
    """Measure the gap in schools that were trained within the data, and in those that were not.

    Parameters
    ----------
    panel : DataFrame
        A panel of returns.
    exposure : DataFrame
        unit_id and adopted, the academic year from which a school counts as trained (0 for
        never); where it holds several programmes and tiers, the rows of any.
    comparison : Comparison
        Group and reference, metrics and authority.

    Returns
    -------
    DataFrame
        `ARM_COLUMNS`, one row for each arm, metric and year, all phases together: arm
        (``trained``: adopted by the panel's last year; ``untrained``: never or later), what
        `vsh_eval.metrics.gaps` gives, and schools (those of the arm with pupils of the metric in
        the year, whatever their group) and schools_trained (those of them that count as trained in
        the year); NaN where one or two schools make a number. Where one arm of a year is hidden, so
        is the other, from which and from all schools it would follow. An arm keeps its schools over
        the years, so that a line never moves because a school changed sides. An arm without a
        school has no rows. The numbers of both arms add up to those of all schools.

    Raises
    ------
    ContractError
        If the panel is published, a column is missing, or a school of the panel has no one year of
        adoption.
    InfeasibleError
        If the panel has no row of the metrics.
    VintageError, CohortRuleError
        If the panel holds two vintages or two cohort rules.

    Notes
    -----
    The gap of an arm is pooled: scale x (Y / X of the group - Y / X of the reference), the sums
    over all schools of the arm. It shows what happened, and is no estimate of an effect.

    Examples
    --------
    >>> panel = pd.DataFrame({
    ...     "source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...     "level": "school", "unit_id": ["1", "1", "2", "2"], "time_period": 202425,
    ...     "phase": "primary", "group": ["cin", "peers"] * 2, "metric": "overall_absence",
    ...     "pupils": [2, 20, 3, 30], "numerator": [60.0, 300.0, 135.0, 450.0],
    ...     "denominator": [600.0, 6000.0, 900.0, 9000.0],
    ...     "sum_yy": 0.0, "sum_xy": 0.0, "sum_xx": 0.0, "rate": float("nan"), "status": "",
    ... })
    >>> exposure = pd.DataFrame({"unit_id": ["1", "2"], "adopted": [202324, 0]})
    >>> by_arm = gaps_by_arm(panel, exposure, Comparison("cwsw", "peers"))
    >>> by_arm[["arm", "group_pupils", "gap"]]
             arm  group_pupils   gap
    0    trained             2   5.0
    1  untrained             3  10.0
    """
    sliced = slice_for(panel, comparison)
    require_returns(sliced, "gaps of trained and untrained schools")
    adopted = _adopted(exposure, sliced.panel["unit_id"])
    frame, shield = opened(panel)
    of_row = frame["unit_id"].astype(str).map(adopted)
    trained = of_row.between(names.NEVER + 1, sliced.years[-1])
    arms = [
        _arm(arm, frame[own].assign(adopted=of_row[own]), comparison, shield)
        for arm, own in ((TRAINED, trained), (UNTRAINED, ~trained))
        if frame.loc[own, "metric"].isin([metric.name for metric in sliced.metrics]).any()
    ]
    if not arms:
        raise InfeasibleError("outcome_absent", metric=", ".join(comparison.metrics or ()))
    return _both_or_none(pd.concat(arms, ignore_index=True)[list(ARM_COLUMNS)])


def _both_or_none(table: pd.DataFrame) -> pd.DataFrame:
    """Hide both arms of a year in which one is: it would be all schools less the other."""
    hidden = table["status"].eq(names.CONFIDENTIAL)
    hidden = hidden.groupby([table["metric"], table["time_period"]]).transform("any")
    numbers = [str(n) for n in table.select_dtypes("number") if n not in _OF_NO_CHILD]
    return table.assign(
        status=table["status"].mask(hidden, names.CONFIDENTIAL),
        **{name: table[name].mask(hidden) for name in numbers},
    )


def _adopted(exposure: pd.DataFrame, units: pd.Series) -> pd.Series:
    """Return each school's year of adoption; refuse schools of the panel without exactly one."""
    require_columns(exposure, ["unit_id", "adopted"], name="exposure")
    for column in ("programme", "tier"):
        if column in exposure:
            exposure = exposure[exposure[column] == names.ANY]
    adopted = exposure.set_index(exposure["unit_id"].astype(str))["adopted"]
    schools = pd.Index(units.astype(str).unique())
    wrong = int((~schools.isin(adopted.index)).sum()) + int(adopted.index.duplicated().sum())
    if wrong:
        raise ContractError(
            f"exposure has no row or several for {wrong} schools of the panel, must have one for "
            "each; write 0 for schools never trained."
        )
    return adopted


def _arm(arm: str, frame: pd.DataFrame, comparison: Comparison, shield: Shield) -> pd.DataFrame:
    """Return the rows of one arm, with the schools behind them."""
    rows = gaps(shielded(frame, shield), comparison)
    rows = rows[rows["phase"].eq(names.TOTAL)].assign(arm=arm)
    keys = ["metric", "time_period"]
    schools = frame[frame["pupils"].gt(0)].drop_duplicates([*keys, "unit_id"])
    begun = schools["adopted"].between(names.NEVER + 1, schools["time_period"])
    places = pd.MultiIndex.from_frame(rows[keys])
    there = np.asarray(schools.groupby(keys).size().reindex(places), np.float64)
    trained = schools[begun].groupby(keys).size().reindex(places, fill_value=0).to_numpy(float)
    # A year without data has no schools to count, which is not the number 0.
    counts = {"schools": there, "schools_trained": np.where(np.isnan(there), np.nan, trained)}
    shown = {name: shield.of_schools(values, values) for name, values in counts.items()}
    return rows.assign(
        **{
            name: pd.Series(values, index=rows.index, dtype="Float64").astype("Int64")
            for name, values in shown.items()
        }
    )
