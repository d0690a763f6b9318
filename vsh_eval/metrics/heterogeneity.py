"""How much the gap differs from school to school: how much, never which."""

import numpy as np
import pandas as pd

from vsh_eval import names, registry
from vsh_eval.cells.tables import table
from vsh_eval.columns import CELL, LAST, ORIGIN, with_ends
from vsh_eval.contracts import ContractError, produces, row_count
from vsh_eval.numerics.inference.significance import t_critical
from vsh_eval.numerics.levels.heterogeneity import Between, between_schools
from vsh_eval.panel import Comparison, PanelSlice, leaves_of, require_returns, slice_for

HETEROGENEITY_COLUMNS = (
    *(*CELL, "schools", "group_pupils", *with_ends("mean_gap", "tau"), "tau_dl", "tau_pm"),
    *(*with_ends("i_squared"), "prediction_lower", "prediction_upper", "q", "q_p_value"),
    *(*LAST[1:], "reason"),
)
FEWEST_SCHOOLS = 3

TOO_FEW_SCHOOLS, CHANCE_UNKNOWN = "too_few_schools", "chance_unknown"
"""Reasons of a row without numbers: under three schools; children too few or too similar."""
HETEROGENEITY_RELEASED = tuple(
    name for name in HETEROGENEITY_COLUMNS if name not in ("group_pupils", "q", "q_p_value")
)
_FEWEST_DEGREES = 10
"""Pupils beyond the first of each school that a variance within schools needs."""
_KEYS = ["metric", "phase", "time_period", "unit_id"]
_SUMS = list(names.PANEL_SUMS)


@produces("between_schools", HETEROGENEITY_RELEASED, gate="schools")
def heterogeneity(panel: pd.DataFrame, comparison: Comparison) -> pd.DataFrame:
    """Measure how much the within-school gap differs between schools, beyond chance.

    Parameters
    ----------
    panel : DataFrame
        A panel of returns with the pupils' sums of products: rows are schools.
    comparison : Comparison
        Group and reference, which may share no children; metrics and authority.

    Returns
    -------
    DataFrame
        `HETEROGENEITY_COLUMNS`, one row for each metric, phase (and the total of phases) and
        comparable year in which a school has both groups. `tau` is the standard deviation of the
        schools' true gaps, in `gap_unit` (restricted maximum likelihood; `tau_dl` by DerSimonian
        and Laird, `tau_pm` by Paule and Mandel), with its Q-profile interval; `i_squared` the
        share of the differences seen that is not chance, 0 to 100; the prediction interval is
        where the true gap of one more school would lie. `mean_gap` is the mean of schools, not
        the authority's gap, in which large cohorts weigh more. With fewer than three schools, or
        where chance cannot be judged, numbers are NaN, the status is x and `reason` says why.

    Raises
    ------
    ContractError
        If the panel is published or lacks the pupils' sums, the groups share children, or a name
        or the panel is against its contract.
    VintageError, CohortRuleError
        If the panel holds two vintages or two cohort rules.

    Notes
    -----
    A school's sampling variance is that of its pupils pooled over all schools of the phase and
    year, so that schools with one child count too. Gaps of a few children are far from normal where
    few children count (severe absence): tau is then a rough guide. In the total, differences
    between phases are part of tau.

    Examples
    --------
    >>> rng = np.random.default_rng(5)
    >>> n = np.tile([5, 40], 12)
    >>> y = n * (np.tile([24.0, 46.0], 12) + rng.normal(0, 6, 24))
    >>> panel = pd.DataFrame({
    ...     "source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...     "level": "school", "unit_id": np.repeat(np.arange(12), 2).astype(str),
    ...     "time_period": 202425, "phase": "secondary", "group": ["cin", "peers"] * 12,
    ...     "metric": "ks4_attainment8", "pupils": n, "numerator": y, "denominator": n,
    ...     "sum_yy": y**2 / n + 150.0 * n, "sum_xy": y, "sum_xx": n, "rate": float("nan"),
    ...     "status": "",
    ... })
    >>> estimates = heterogeneity(panel, Comparison("cwsw", "peers")).iloc[-1]
    >>> estimates[["schools", "mean_gap", "tau", "i_squared"]].astype(float).round(1).tolist()
    [12.0, -21.3, 4.2, 30.2]
    """
    sliced, schools = _school_gaps(panel, comparison)
    totals = schools.assign(phase=names.TOTAL)
    cells = pd.concat([schools, totals]).groupby(["metric", "phase", "time_period"], sort=True)
    rows = [_row(block) for _, block in cells]
    return _table(rows, sliced, comparison)


def _row(block: pd.DataFrame) -> dict[str, object]:
    """Return the row of one metric, phase and year."""
    metric = str(block["metric"].iloc[0])
    known = block[block["variance"] > 0]
    reason = ""
    if len(block) < FEWEST_SCHOOLS:
        reason = TOO_FEW_SCHOOLS
    elif len(known) < len(block):
        reason = CHANCE_UNKNOWN
    known = known.iloc[:0] if reason else known
    between = between_schools(
        known["outcome"].to_numpy(np.float64), known["variance"].to_numpy(np.float64)
    )
    return {
        "time_period": int(block["time_period"].iloc[0]),
        "phase": str(block["phase"].iloc[0]),
        "metric": metric,
        "schools": len(block),
        "group_pupils": int(block["pupils"].sum()),
        **_numbers(between),
        "gap_unit": registry.metric(metric).gap_unit,
        "status": names.UNAVAILABLE if reason else "",
        "reason": reason,
    }


def _numbers(between: Between) -> dict[str, float]:
    """Return the numbers of a row, standard deviations for variances and shares in per cent."""
    lower, upper = between.tau_squared_lower, between.tau_squared_upper
    reach = float("nan")
    if between.schools >= FEWEST_SCHOOLS:
        reach = float(t_critical(between.schools - 1)) * between.mean_std_error
    predicted = between.prediction()
    return {
        "mean_gap": between.mean,
        "mean_gap_lower": between.mean - reach,
        "mean_gap_upper": between.mean + reach,
        "tau": between.tau_squared**0.5,
        "tau_lower": lower**0.5,
        "tau_upper": upper**0.5,
        "tau_dl": between.tau_squared_dl**0.5,
        "tau_pm": between.tau_squared_pm**0.5,
        "i_squared": 100 * between.share(between.tau_squared),
        "i_squared_lower": 100 * between.share(lower),
        "i_squared_upper": 100 * between.share(upper),
        "prediction_lower": predicted[0],
        "prediction_upper": predicted[1],
        "q": between.q,
        "q_p_value": between.q_p_value,
    }


def _table(
    rows: list[dict[str, object]], sliced: PanelSlice, comparison: Comparison
) -> pd.DataFrame:
    columns = [name for name in HETEROGENEITY_COLUMNS if name not in ORIGIN]
    frame = pd.DataFrame(rows, columns=columns).assign(
        group=comparison.group,
        reference=comparison.reference,
        unit_id=comparison.unit_id,
        geographic_level=names.LA,
        comparable=True,
    )
    block = {str(name): frame[name].to_numpy() for name in frame}
    return table([block], HETEROGENEITY_COLUMNS, sliced=sliced)


def _school_gaps(panel: pd.DataFrame, comparison: Comparison) -> tuple[PanelSlice, pd.DataFrame]:
    """Return the gap within each school and year with its sampling variance.

    A pupil i of a school has y = R_s x + x u, so school s's ratio has the variance
    sigma^2 sum x^2 / (sum x)^2, which for x = 1 is sigma^2 / n: also known for a school with one
    child. sigma^2 is that of pupils of one group, metric, phase and year around their own
    school's ratio, over all schools: sum of squared residuals / sum of (n - 1) / n sum x^2. A
    variance made from the two to six children of one school would be zero by chance where they
    are alike, and would weigh most there. Where a phase has fewer than ten pupils beyond the first
    of each school, or all of them alike, the sigma^2 of all phases stands in. Groups share no
    child, so variances add.
    """
    sliced = slice_for(panel, comparison)
    _refuse(sliced, *comparison.pair)
    years = {m.name: registry.comparable_years(m.name, sliced.years) for m in sliced.metrics}
    comparable = [
        period in years[name]
        for name, period in zip(sliced.panel["metric"], sliced.panel["time_period"], strict=True)
    ]
    rows = sliced.panel[np.array(comparable, dtype=bool)]
    levels = [_level_within(rows, name) for name in comparison.pair]
    both = levels[0].join(levels[1].add_suffix("_reference"), how="inner").reset_index()
    scale = both["metric"].map({m.name: m.scale for m in sliced.metrics}).astype("float64")
    both["outcome"] = scale * (both["level"] - both["level_reference"])
    both["variance"] = scale**2 * (both["error"] + both["error_reference"])
    both["reference_pupils"] = both["pupils_reference"]
    columns = [*_KEYS, "outcome", "variance", "pupils", "reference_pupils"]
    return sliced, both[columns].astype({"pupils": "int64", "reference_pupils": "int64"})


def _refuse(sliced: PanelSlice, group: str, reference: str) -> None:
    require_returns(sliced, "differences between schools")
    if set(leaves_of(group)) & set(leaves_of(reference)):
        raise ContractError(
            f"group {group!r} and reference {reference!r} share children, must not for differences "
            "between schools; choose 'peers' as the reference."
        )
    missing = int(sliced.panel[_SUMS].isna().any(axis=1).sum())
    if missing:
        raise ContractError(
            f"sums are missing in {row_count(missing)} of the panel of returns, must be numbers in "
            "every row; build the panel from pupils' returns."
        )


def _level_within(rows: pd.DataFrame, group: str) -> pd.DataFrame:
    """Return a group's level in each school with its error squared."""
    chosen = rows[rows["group"].isin(leaves_of(group))]
    numbers = chosen.astype(dict.fromkeys(_SUMS, np.float64))
    sums = numbers.groupby(_KEYS, observed=True)[_SUMS].sum()
    sums = sums[sums["denominator"] > 0]
    level = sums["numerator"] / sums["denominator"]
    residual = sums["sum_yy"] - 2 * level * sums["sum_xy"] + level**2 * sums["sum_xx"]
    n = sums["pupils"]
    parts = pd.DataFrame(
        {
            "squares": residual.clip(lower=0.0).where(n > 1, 0.0),
            "room": sums["sum_xx"] * (n - 1) / n,
            "degrees": n - 1,
        }
    )
    own = parts.groupby(level=["metric", "phase", "time_period"], observed=True).transform("sum")
    every = parts.groupby(level=["metric", "time_period"], observed=True).transform("sum")
    # Children who are all alike do not show that chance is zero.
    used = own.where((own["degrees"] >= _FEWEST_DEGREES) & (own["squares"] > 0), every)
    known = (used["degrees"] >= _FEWEST_DEGREES) & (used["room"] > 0) & (used["squares"] > 0)
    spread = used["squares"] / used["room"].where(known)
    error = spread * sums["sum_xx"] / sums["denominator"] ** 2
    return pd.DataFrame({"level": level, "error": error, "pupils": n})
