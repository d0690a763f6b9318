"""Several authorities together: random-effects meta-analysis of their released estimates.

Authority i gives the estimate y_i with the standard error s_i; its true effect theta_i varies
around mu with the variance tau^2. With w_i = 1 / (s_i^2 + tau^2) the weighted mean of the y_i
estimates mu.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import InfeasibleError, Message, require_columns
from vsh_eval.effects import evidence
from vsh_eval.effects.estimators import adjust
from vsh_eval.effects.rows import COUNTS
from vsh_eval.effects.sample import pool_mde
from vsh_eval.effects.sensitivity.composition import COMPOSITION_TESTS
from vsh_eval.effects.sensitivity.pretrend import Drift, Pretrend
from vsh_eval.numerics.inference.significance import (
    POWER,
    JointTest,
    exaggeration,
    minimum_detectable,
    power_at,
    smallest_adjusted,
    t_critical,
    t_p_value,
)
from vsh_eval.numerics.levels.heterogeneity import between_schools
from vsh_eval.numerics.levels.ratios import FloatArray

GAP, GROUP_LEVEL, REFERENCE_LEVEL, DRIFT = "gap", "group_level", "reference_level", "drift"
"""What an estimate is of: the gap, either level of it, the yearly drift before training."""
OWN, INCLUDED, EVERY, WITHOUT = "own", "included", "every", "without"
"""Variants: an authority alone; those that are pooled; all; all but one."""
LEAST = 2
"""Authorities that a pool needs."""
MOST_AUTHORITIES = 150
"""More than England has: no larger pool is asked for."""
LEAVE_OUT = ("pretrend", "composition")
"""Rules that keep an authority which fails them out of the primary pool. The rules on drift and on
entrants do not: they are asked of clear estimates alone, and the pool can be asked them itself."""
RULES = (
    *("pretrend", "drift", "composition", "entrants", "peers", "agreement"),
    *("chosen_by", "registered", "power"),
)
"""The rules of the evidence statement that can be asked of a pool."""

KEYS = ("target", "role", "metric", "estimator", "aggregation", "index")
"""What tells one question of a bundle from another."""
GIVEN_COLUMNS = (*KEYS, "estimate", "std_error", "bias", "ci_lower", "ci_upper", "p_value", *COUNTS)
"""What an authority gives of each estimate; the counts may be missing, and bias is what a drift of
1 a year adds to its estimate."""
POOLED_COLUMNS = (
    *("variant", "name", *KEYS, "authorities", "estimate", "std_error", "df"),
    *("bias", "ci_lower", "ci_upper", "p_value", "p_adjusted", "next_lower", "next_upper"),
    *("tau_squared", "tau_squared_lower", "tau_squared_upper"),
    *("i_squared", "i_squared_lower", "i_squared_upper", "q", "q_p_value"),
    *(*COUNTS, "weight", "status"),
)
POWER_COLUMNS = ("metric", "question", "mde", "power", "exaggeration", "authorities", "more")


_JUST_BELOW = 1 - 1e-9
_ERROR = ("std_error", "df")


@dataclass(frozen=True, slots=True)
class Combined:
    """A random-effects meta-analysis.

    Attributes
    ----------
    authorities : int
        Estimates combined, k.
    estimate : float
        mu, in the estimates' unit.
    std_error, df : float
        Error of mu by Hartung and Knapp, modified, and its degrees of freedom, k - 1.
    ci_lower, ci_upper, p_value : float
        Student's t with `df` degrees of freedom.
    next_lower, next_upper : float
        Prediction interval: the true effect in one more authority; NaN under three.
    tau_squared, tau_squared_lower, tau_squared_upper : float
        Variance of the true effects, by Paule and Mandel, and its Q-profile interval.
    i_squared, i_squared_lower, i_squared_upper : float
        Share of the estimates' variance that is not chance, per cent; its interval is that of
        `tau_squared`.
    q, q_p_value : float
        Cochran's Q and its p value for one effect in all authorities.
    weights : tuple of float
        Each authority's share of the weight; they add up to 1.
    """

    authorities: int
    estimate: float
    std_error: float
    df: float
    ci_lower: float
    ci_upper: float
    p_value: float
    next_lower: float
    next_upper: float
    tau_squared: float
    tau_squared_lower: float
    tau_squared_upper: float
    i_squared: float
    i_squared_lower: float
    i_squared_upper: float
    q: float
    q_p_value: float
    weights: tuple[float, ...]


def left_out_by(statement: str, verdicts: Mapping[str, str]) -> str:
    """Return why an authority's estimate stays out of the primary pool.

    Parameters
    ----------
    statement : str
        Its own evidence statement (`evidence.STATEMENTS`).
    verdicts : mapping of str to str
        The verdict of each rule that it was judged by.

    Returns
    -------
    str
        ``not_estimable``, the first rule of `LEAVE_OUT` that it fails, or '' where it is pooled.

    Examples
    --------
    >>> left_out_by("not_attributable", {"pretrend": "pass", "drift": "fail"})
    ''
    >>> left_out_by("not_attributable", {"composition": "fail", "drift": "fail"})
    'composition'
    """
    if statement == evidence.NOT_ESTIMABLE:
        return statement
    failed = (rule for rule in LEAVE_OUT if verdicts.get(rule) == evidence.FAILS)
    return next(failed, "")


def combine(
    estimates: Sequence[float] | FloatArray, std_errors: Sequence[float] | FloatArray
) -> Combined:
    """Combine the estimates of several authorities.

    Parameters
    ----------
    estimates, std_errors : sequence of float, shape (k,)
        In one unit; the errors above 0. Neither may be missing: what an authority does not show
        is left out before.

    Returns
    -------
    Combined

    Raises
    ------
    InfeasibleError
        With fewer than `LEAST` estimates.

    Notes
    -----
    tau^2 solves sum w (y - mu)^2 = k - 1, 0 where it is smaller at 0: Paule and Mandel (1982),
    *Journal of Research of the National Bureau of Standards* 87, 377-385. The error is
    sqrt(c / sum w) with Student's t on k - 1 and c = sum w (y - mu)^2 / (k - 1): Hartung and Knapp
    (2001), *Statistics in Medicine* 20, 3875-3889. With this tau^2 the factor c is 1, but where
    tau^2 is 0 it is below 1 by luck, and 0 where rounded estimates are equal; it is then held at
    1, as Röver, Knapp and Friede (2015), *BMC Medical Research Methodology* 15, 99 recommend. So
    it is 1 throughout, and the error is 1 / sqrt(sum w).
    Prediction: mu -/+ t(k - 2) sqrt(tau^2 + error^2), Higgins, Thompson and Spiegelhalter (2009),
    *Journal of the Royal Statistical Society A* 172, 137-159. The limits of tau^2 and I^2:
    `numerics.levels.heterogeneity.between_schools`, of authorities in place of schools.

    Examples
    --------
    >>> pool = combine([1.0, 5.0, 9.0, 4.0], [2.0**0.5] * 4)
    >>> round(pool.estimate, 2), round(pool.std_error, 3), round(pool.tau_squared, 2)
    (4.75, 1.652, 8.92)
    >>> round(pool.ci_lower, 2), round(pool.ci_upper, 2)
    (-0.51, 10.01)
    """
    from statsmodels.stats.meta_analysis import combine_effects

    values = np.asarray(estimates, dtype=np.float64)
    variances = np.asarray(std_errors, dtype=np.float64) ** 2
    k = len(values)
    if k < LEAST:
        raise InfeasibleError("too_few_authorities", authorities=k, least=LEAST)
    between = between_schools(values, variances)
    # statsmodels takes a root that rounding has passed by for 0, so it starts just before it.
    start = between.tau_squared_pm * _JUST_BELOW
    with np.errstate(divide="ignore"):  # of equal estimates, in a number that is not used
        model: Any = combine_effects(values, variances, method_re="pm", tau2_start=start, atol=1e-3)
    mean, df = float(model.mean_effect_re), k - 1.0
    error = float(model.sd_eff_w_re)
    reach = float(t_critical(df)) * error
    further = float(t_critical(k - 2.0)) * math.hypot(model.tau2**0.5, error)
    taus = (float(model.tau2), between.tau_squared_lower, between.tau_squared_upper)
    shares = [100 * between.share(tau) for tau in taus]
    return Combined(
        authorities=k,
        estimate=mean,
        std_error=error,
        df=df,
        ci_lower=mean - reach,
        ci_upper=mean + reach,
        p_value=float(t_p_value(np.array(mean), np.array(error), np.array(df))),
        next_lower=mean - further,
        next_upper=mean + further,
        tau_squared=taus[0],
        tau_squared_lower=taus[1],
        tau_squared_upper=taus[2],
        i_squared=shares[0],
        i_squared_lower=shares[1],
        i_squared_upper=shares[2],
        q=between.q,
        q_p_value=between.q_p_value,
        weights=tuple(float(weight) for weight in model.weights_rel_re),
    )


def detectable(pool: Combined, *, authorities: int | None = None) -> float:
    """Return the smallest true mean effect that a pool detects with a power of 0.8.

    Parameters
    ----------
    pool : Combined
        The pool.
    authorities : int, optional
        Of how many authorities like these; by default those there are.

    Returns
    -------
    float
        In the estimates' unit.

    Notes
    -----
    `sample.pool_mde` of the error that one average authority would have, the pool's times sqrt(k):
    a further authority has the information w of an average one here, and tau^2 stays.

    Examples
    --------
    >>> four = combine([1.0, 5.0, 9.0, 4.0], [2.0**0.5] * 4)
    >>> round(detectable(four), 2), round(detectable(four, authorities=16), 2)
    (6.87, 2.48)
    """
    k = pool.authorities if authorities is None else authorities
    return pool_mde(pool.std_error * math.sqrt(pool.authorities), k)


def more_needed(pool: Combined, effect: float) -> float:
    """Return how many more authorities like these would detect an effect with a power of 0.8.

    Parameters
    ----------
    pool : Combined
        The pool.
    effect : float
        Above 0, in the estimates' unit.

    Returns
    -------
    float
        A whole number; NaN where more than `MOST_AUTHORITIES` were needed in all.

    Examples
    --------
    >>> four = combine([1.0, 5.0, 9.0, 4.0], [2.0**0.5] * 4)
    >>> more_needed(four, 2.5), more_needed(four, 7.0), more_needed(four, 0.1)
    (12.0, 0.0, nan)
    """
    for k in range(pool.authorities, MOST_AUTHORITIES + 1):
        if detectable(pool, authorities=k) <= effect:
            return float(k - pool.authorities)
    return float("nan")


def pooled(given: pd.DataFrame, included: Collection[str]) -> pd.DataFrame:
    """Pool every question that the authorities answer.

    Parameters
    ----------
    given : DataFrame
        name (the authority's) and `GIVEN_COLUMNS`, one row an authority and question.
    included : collection of str
        Names of the authorities that are pooled (`left_out_by`).

    Returns
    -------
    DataFrame
        `POOLED_COLUMNS`, by variant. ``own``: the authorities' overall effects on the gaps, as
        they gave them, with their share of the pool's weight where they are in it.
        ``included``: every question over the authorities included; a question that fewer than
        `LEAST` of them answer has no row, but the primary outcome has one with status ``x``.
        ``every``: overall effects over all authorities. ``without``: the primary outcome, without
        the authority named. Counts are sums over authorities, missing where one does not give
        them. The secondary outcomes' p values are adjusted (Holm), by estimator.

    Raises
    ------
    ContractError
        If a column is missing.

    Examples
    --------
    >>> row = {"target": "gap", "role": "primary", "metric": "overall_absence", "index": 0,
    ...        "estimator": "imputation", "aggregation": "simple", "std_error": 2.0**0.5}
    >>> given = pd.DataFrame([{**row, "name": name, "estimate": value}
    ...     for name, value in zip("abcd", [1.0, 5.0, 9.0, 4.0])]).reindex(
    ...     columns=["name", *GIVEN_COLUMNS])
    >>> table = pooled(given, set("abcd"))
    >>> table.groupby("variant", sort=False).size().to_dict()
    {'own': 4, 'included': 1, 'every': 1, 'without': 4}
    """
    require_columns(given, ["name", *GIVEN_COLUMNS], name="the estimates of the authorities")
    within = given[given["name"].isin(set(included))]
    overall = given["target"].eq(GAP) & given["aggregation"].eq("simple")
    rows = [
        *_own(given[overall], within),
        *_pools(within, INCLUDED),
        *_pools(given[overall], EVERY),
        *_without(within[overall.reindex(within.index)]),
    ]
    table = pd.DataFrame(rows).reindex(columns=list(POOLED_COLUMNS))
    table[list(COUNTS)] = table[list(COUNTS)].astype("Int64")
    return _adjusted(table)


def _own(overall: pd.DataFrame, within: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Return the authorities' own rows, each with its share of the weight of its pool."""
    for _, rows in overall.groupby(list(KEYS), sort=False):
        shares: Mapping[str, float] = {}
        inside = rows[rows["name"].isin(set(within["name"]))]
        if len(inside) >= LEAST:
            pool = combine(inside["estimate"].to_numpy(), inside["std_error"].to_numpy())
            shares = dict(zip(inside["name"], pool.weights, strict=True))
        for row in rows.to_dict("records"):
            weight = shares.get(row["name"], math.nan)
            labels = {"variant": OWN, "authorities": 1, "weight": weight, "status": ""}
            yield {str(key): value for key, value in row.items()} | labels


def _pools(given: pd.DataFrame, variant: str) -> Iterator[dict[str, Any]]:
    """Pool every question over the authorities given."""
    if given.empty or (variant == INCLUDED and not _primary(given).any()):
        return
    for key, rows in given.groupby(list(KEYS), sort=False):
        labels = {**dict(zip(KEYS, key, strict=True)), "variant": variant, "name": ""}
        if len(rows) >= LEAST:
            yield {**labels, **_combined(rows), "bias": rows["bias"].mean()}
        elif _primary(rows).any():
            yield {**labels, "authorities": len(rows), "status": names.UNAVAILABLE}


def _without(overall: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Pool the primary outcome without each of the authorities in turn."""
    primary = overall[overall["metric"].isin(overall.loc[_primary(overall), "metric"])]
    for key, rows in primary.groupby(list(KEYS), sort=False):
        for name in rows["name"] if len(rows) > LEAST else ():
            labels = {**dict(zip(KEYS, key, strict=True)), "variant": WITHOUT, "name": name}
            yield {**labels, **_combined(rows[rows["name"] != name])}


def _primary(rows: pd.DataFrame) -> pd.Series:
    return rows["role"].eq("primary") & rows["aggregation"].eq("simple")


def _combined(rows: pd.DataFrame) -> dict[str, Any]:
    """Combine the rows of one question, and add their counts up."""
    pool = combine(rows["estimate"].to_numpy(), rows["std_error"].to_numpy())
    numbers = {name: getattr(pool, name, None) for name in POOLED_COLUMNS}
    counts = {name: rows[name].astype("Float64").sum(skipna=False) for name in COUNTS}
    shown = {name: value for name, value in numbers.items() if value is not None}
    return {**shown, **counts, "status": ""}


def _adjusted(table: pd.DataFrame) -> pd.DataFrame:
    """Adjust the secondary outcomes' p values, by variant and estimator."""
    requested = table["target"].eq(GAP) & table["role"].isin(["primary", "secondary"])
    requested &= table["variant"].isin([INCLUDED, EVERY])
    for _, rows in table[requested].groupby(["variant", "estimator"], sort=False):
        table.loc[rows.index, "p_adjusted"] = adjust(rows)["p_adjusted"]
    return table


def judge(
    table: pd.DataFrame,
    *,
    sesoi: float,
    lower_is_better: bool,
    chosen_by: Collection[str],
    registered: Collection[bool | None],
) -> evidence.Evidence:
    """Say what may be said of the pooled effect, by the rules that each authority is judged by.

    Parameters
    ----------
    table : DataFrame
        From `pooled`.
    sesoi, lower_is_better
        As for `evidence.judge`.
    chosen_by : collection of str
        How schools came to be trained, in the authorities included.
    registered : collection of bool or None
        Whether each registered its protocol in time and kept it.

    Returns
    -------
    Evidence
        `RULES` only. ``not_estimable`` where fewer than `LEAST` authorities are included.

    Notes
    -----
    The joint test of the years before training is the smallest p value of the pooled leads times
    their number (Holm): the authorities do not give the covariance of their leads. Drift: the
    pooled slope. Who is counted: each test pooled. Other pupils' level: its pooled effect. Lots
    count only where every authority drew them, a registration only where every one kept its own.

    Examples
    --------
    >>> nothing = pd.DataFrame(columns=list(POOLED_COLUMNS))
    >>> judge(nothing, sesoi=0.5, lower_is_better=True, chosen_by=[], registered=[]).statement
    'not_estimable'
    """
    within = table[table["variant"].eq(INCLUDED)]
    simple = within[within["aggregation"].eq("simple")]
    gap = simple[simple["target"].eq(GAP)]
    first = gap[gap["role"].eq("primary")]
    if first.empty:
        blank = dict.fromkeys(POOLED_COLUMNS, math.nan) | {"role": "primary", "metric": ""}
        first = pd.DataFrame([blank | {"aggregation": "simple", "estimator": "imputation"}])
    second = gap[gap["estimator"].eq("same_past") & gap["metric"].isin(first["metric"])]
    peers = simple.loc[simple["target"].eq(REFERENCE_LEVEL), "p_value"].dropna()
    checks = evidence.Checks(
        pretrend=_leads(within),
        drift=_drift(within),
        composition=simple[simple["target"].isin(COMPOSITION_TESTS)].assign(
            metric=simple["target"]
        ),
        peers_p=float(peers.iloc[0]) if len(peers) else None,
        chosen_by=_chosen_by(chosen_by),
        plan=_plan(registered),
        mde=minimum_detectable(*(float(first[n].iloc[0]) for n in _ERROR)),
    )
    rows = pd.concat([first, second.assign(role="robustness")], ignore_index=True)
    return evidence.judge(
        rows.drop(columns=list(COUNTS)),
        sesoi=sesoi,
        lower_is_better=lower_is_better,
        checks=checks,
        rules=RULES,
    )


def _chosen_by(chosen_by: Collection[str]) -> str:
    """Return how all authorities chose their schools, where they all chose in one way."""
    ways = set(chosen_by)
    return ways.pop() if len(ways) == 1 and "unknown" not in ways else "not_all"


def _plan(registered: Collection[bool | None]) -> str:
    """Return how the authorities stand to their registrations, taken together."""
    if all(known is None for known in registered):
        return "not_registered"
    return "registered" if all(registered) else "not_all"


def _leads(within: pd.DataFrame) -> Pretrend:
    """Test the pooled years before training together."""
    events = within[within["aggregation"].eq("event") & within["estimator"].eq("imputation")]
    leads = events[events["index"].lt(0) & events["role"].eq("primary")]
    values = leads["p_value"].dropna().to_numpy(float)
    test = JointTest(math.nan, float(len(values)), math.nan, smallest_adjusted(values))
    return Pretrend(leads, test, Message("pooled_leads_p", leads=len(values)))


def _drift(within: pd.DataFrame) -> Drift:
    rows = within[within["target"].eq(DRIFT)]
    if rows.empty:
        return Drift()
    return Drift(*(float(rows[name].iloc[0]) for name in ("estimate", *_ERROR, "bias")))


def pool_power(given: pd.DataFrame, included: Collection[str], *, sesoi: float) -> pd.DataFrame:
    """Say which effects the pool detects, and how many more authorities would detect smaller ones.

    Parameters
    ----------
    given, included
        As for `pooled`.
    sesoi : float
        Smallest effect of interest, above 0, in the outcome's gap unit.

    Returns
    -------
    DataFrame
        `POWER_COLUMNS`: question ``detectable`` (mde at a power of 0.8, with none more),
        ``of_interest`` (the power for `sesoi`, and the authorities `more` that would detect it)
        and ``double`` (the same of twice that effect). No row where there is no pool.

    Examples
    --------
    >>> row = {"target": "gap", "role": "primary", "metric": "overall_absence", "index": 0,
    ...        "estimator": "imputation", "aggregation": "simple", "std_error": 1.0}
    >>> given = pd.DataFrame([{**row, "name": name, "estimate": value}
    ...     for name, value in zip("abcd", [-1.0, -2.0, -0.5, -1.5])]).reindex(
    ...     columns=["name", *GIVEN_COLUMNS])
    >>> pool_power(given, set("abcd"), sesoi=1.0)["more"].tolist()
    [0.0, 6.0, 1.0]
    """
    rows = given[given["name"].isin(set(included)) & given["target"].eq(GAP) & _primary(given)]
    if len(rows) < LEAST:
        return pd.DataFrame(columns=list(POWER_COLUMNS))
    pool = combine(rows["estimate"].to_numpy(), rows["std_error"].to_numpy())
    error, df = pool.std_error, pool.df
    effects = {"detectable": detectable(pool), "of_interest": sesoi}
    effects["double"] = 2 * sesoi
    return pd.DataFrame(
        [
            (
                str(rows["metric"].iloc[0]),
                question,
                effect,
                POWER if question == "detectable" else power_at(effect, error, df),
                exaggeration(effect, error, df),
                pool.authorities,
                0.0 if question == "detectable" else more_needed(pool, effect),
            )
            for question, effect in effects.items()
        ],
        columns=list(POWER_COLUMNS),
    )
