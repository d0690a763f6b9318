"""The evidence statement, by printed rules and not by taste."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from vsh_eval.contracts import DesignError, Message, require_columns
from vsh_eval.effects.sample.selection import FEW_TRAINED
from vsh_eval.effects.sensitivity.pretrend import Pretrend
from vsh_eval.numerics.inference import equivalence_p_value

Verdict = Literal["pass", "fail", "not_testable"]
HOLDS: Verdict = "pass"
FAILS: Verdict = "fail"
NOT_TESTABLE: Verdict = "not_testable"

NARROWED_ROBUST = "narrowed_robust"
NARROWED_FRAGILE = "narrowed_fragile"
INCONCLUSIVE = "inconclusive"
NO_EFFECT = "no_effect"
WIDENED = "widened"
NOT_ESTIMABLE = "not_estimable"
STATEMENTS = (NARROWED_ROBUST, NARROWED_FRAGILE, INCONCLUSIVE, NO_EFFECT, WIDENED, NOT_ESTIMABLE)

MOST_IMBALANCE = 0.25
"""Largest standardised difference that adjustment can be trusted with."""
MOST_LOST = 0.10
"""Largest share of schools lost on the way to the estimate."""
LEAST_BREAKDOWN = 1.0
"""Trend breaks after training as large as the largest before it must not undo the result."""

RULES = (
    *("registered", "power", "pretrend", "breakdown", "randomisation", "balance", "losses"),
    "composition",
)
"""The rules, in order; `release.text` says what each demands."""
RULE_COLUMNS = ("rule", "verdict", "value", "limit", "reason")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What may be said, and the rules it follows from.

    Attributes
    ----------
    statement : str
        One of `STATEMENTS`.
    rules : DataFrame
        `RULE_COLUMNS`: one of `RULES`, its verdict (pass, fail, not_testable), value (NaN where
        there is none), limit, and what the value is (a `Message`).
    equivalence_p : float
        The larger p value of two one-sided tests against the smallest effect of interest.
    """

    statement: str
    rules: pd.DataFrame
    equivalence_p: float


@dataclass(frozen=True, slots=True)
class Checks:
    """What the rules are judged by; a rule without its material is not testable.

    Attributes
    ----------
    registered : bool or None
        Whether the protocol was registered and kept; None: it was not registered.
    balance : DataFrame or None
        From `balance_table`.
    exclusions : DataFrame or None
        Of an `AnalysisSample`.
    composition : DataFrame or None
        From `composition_tests`; several tests are adjusted for their
        number (Holm: the smallest p value times the number of tests).
    breakdown : float or None
        Largest relative magnitude of trend breaks at which the result still holds.
    randomisation_p : float or None
        p value of randomisation inference.
    """

    registered: bool | None = None
    balance: pd.DataFrame | None = None
    exclusions: pd.DataFrame | None = None
    composition: pd.DataFrame | None = None
    breakdown: float | None = None
    randomisation_p: float | None = None


@dataclass(frozen=True, slots=True)
class _Rule:
    rule: str
    verdict: Verdict
    value: float
    limit: float
    reason: Message


def judge(
    estimates: pd.DataFrame,
    *,
    pretrend: Pretrend | None,
    mde: float,
    sesoi: float,
    lower_is_better: bool,
    alpha: float = 0.05,
    checks: Checks | None = None,
) -> Evidence:
    """Judge the primary estimate by the printed rules.

    Parameters
    ----------
    estimates : DataFrame
        The estimates contract with one row of role ``primary``, aggregation ``simple``; fewer than
        10 `schools_treated` are few.
    pretrend : Pretrend or None
        The joint test of the leads.
    mde : float
        Minimum detectable effect, in the outcome's gap unit; NaN where there is none.
    sesoi : float
        Smallest effect of interest, above 0, in the same unit.
    lower_is_better : bool
        The metric's direction: which sign narrows the gap.
    alpha : float
        Significance level of every rule.
    checks : Checks, optional
        What the further rules are judged by.

    Returns
    -------
    Evidence
        A rule without its material is not testable, and while any rule is not passed,
        ``narrowed_robust`` cannot be earned: with few trained schools it needs randomisation,
        whose rule then says that it decides. An effect that two one-sided tests show to be
        smaller than `sesoi` is ``no_effect``, significant or not. An estimate without an interval
        is inconclusive; without an estimate the effect is not estimable.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        If there is not one primary estimate, or `sesoi` is not above 0.

    Examples
    --------
    >>> rows = pd.DataFrame({"role": ["primary"], "aggregation": ["simple"], "estimate": [-1.5],
    ...                      "std_error": [0.5], "df": [119.0], "p_value": [0.003]})
    >>> found = judge(rows, pretrend=None, mde=1.4, sesoi=0.5, lower_is_better=True)
    >>> found.statement
    'narrowed_fragile'
    >>> found.rules.loc[found.rules["rule"] == "power", "verdict"].item()
    'fail'
    """
    checks = checks or Checks()
    primary = _primary(estimates)
    if not sesoi > 0:
        raise DesignError(
            f"sesoi is {sesoi}, must be above 0; name the smallest effect worth having."
        )
    rules = [
        _registered(checks),
        _limit(
            "power",
            mde,
            sesoi,
            below=True,
            reason=Message("mde_and_sesoi"),
        ),
        _pretrend(pretrend, alpha),
        _limit(
            "breakdown",
            checks.breakdown,
            LEAST_BREAKDOWN,
            below=False,
            reason=Message("breakdown"),
        ),
        _limit(
            "randomisation",
            checks.randomisation_p,
            alpha,
            below=True,
            reason=_randomisation(estimates),
        ),
        _balance(checks.balance),
        _losses(checks.exclusions),
        _composition(checks.composition, alpha),
    ]
    equivalence = equivalence_p_value(
        primary["estimate"], primary["std_error"], primary["df"], margin=sesoi
    )
    passed = all(rule.verdict == HOLDS for rule in rules)
    return Evidence(
        statement=_statement(
            primary, equivalence, alpha=alpha, passed=passed, lower_is_better=lower_is_better
        ),
        rules=pd.DataFrame(
            [(r.rule, r.verdict, r.value, r.limit, r.reason) for r in rules],
            columns=list(RULE_COLUMNS),
        ),
        equivalence_p=equivalence,
    )


def _primary(estimates: pd.DataFrame) -> dict[str, float]:
    columns = ["estimate", "std_error", "df", "p_value"]
    require_columns(estimates, ["role", "aggregation", *columns], name="estimates")
    rows = _simple(estimates)
    if len(rows) != 1:
        raise DesignError(
            f"estimates hold {len(rows)} primary simple rows, must hold one; "
            "name one primary outcome in the protocol."
        )
    return {column: float(rows[column].iloc[0]) for column in columns}


def _simple(estimates: pd.DataFrame) -> pd.DataFrame:
    return estimates[estimates["role"].eq("primary") & estimates["aggregation"].eq("simple")]


def _statement(
    primary: dict[str, float],
    equivalence: float,
    *,
    alpha: float,
    passed: bool,
    lower_is_better: bool,
) -> str:
    if not np.isfinite(primary["estimate"]):
        return NOT_ESTIMABLE
    if equivalence < alpha:
        return NO_EFFECT
    if not primary["p_value"] < alpha:
        return INCONCLUSIVE
    if (primary["estimate"] < 0) != lower_is_better:
        return WIDENED
    return NARROWED_ROBUST if passed else NARROWED_FRAGILE


def _limit(rule: str, value: float | None, limit: float, *, below: bool, reason: Message) -> _Rule:
    """Judge a number against its limit; without a number the rule is not testable."""
    if value is None or not np.isfinite(value):
        return _Rule(rule, NOT_TESTABLE, float("nan"), limit, reason)
    kept = value <= limit if below else value >= limit
    return _Rule(rule, HOLDS if kept else FAILS, float(value), limit, reason)


def _registered(checks: Checks) -> _Rule:
    missing, registered = float("nan"), checks.registered
    if registered is None:
        return _Rule("registered", NOT_TESTABLE, missing, missing, Message("not_registered"))
    reason = Message("registered" if registered else "deviates_or_late")
    return _Rule("registered", HOLDS if registered else FAILS, missing, missing, reason)


def _pretrend(found: Pretrend | None, alpha: float) -> _Rule:
    """Fail on a small p value; a large one passes without proving anything."""
    value = None if found is None else found.test.p_value
    why = found.reason if found is not None and found.reason else Message("pretrend_p")
    return _limit("pretrend", value, alpha, below=False, reason=why)


def _randomisation(estimates: pd.DataFrame) -> Message:
    """Return what the value is; where few schools were trained this rule decides."""
    carried = _simple(estimates).get("schools_treated", pd.Series(dtype=float))
    few = bool(carried.between(1, FEW_TRAINED - 1).any())
    return Message("randomisation_p", few_trained=few, limit=FEW_TRAINED)


def _balance(balance: pd.DataFrame | None) -> _Rule:
    why = Message("largest_difference")
    if balance is None:
        return _limit("balance", None, MOST_IMBALANCE, below=True, reason=why)
    require_columns(balance, ["standardised_difference"], name="balance")
    largest = balance["standardised_difference"].abs().max()
    return _limit("balance", float(largest), MOST_IMBALANCE, below=True, reason=why)


def _losses(exclusions: pd.DataFrame | None) -> _Rule:
    why = Message("share_excluded")
    if exclusions is None:
        return _limit("losses", None, MOST_LOST, below=True, reason=why)
    require_columns(exclusions, ["step", "schools"], name="exclusions")
    schools = exclusions.set_index("step")["schools"]
    lost = 1 - schools["used"] / max(schools["panel"], 1)
    return _limit("losses", float(lost), MOST_LOST, below=True, reason=why)


def _composition(composition: pd.DataFrame | None, alpha: float) -> _Rule:
    if composition is None:
        return _limit("composition", None, alpha, below=False, reason=Message("composition_p"))
    require_columns(composition, ["aggregation", "p_value"], name="composition")
    simple = composition.loc[composition["aggregation"].eq("simple"), "p_value"].dropna()
    value = None
    if len(simple):
        from statsmodels.stats.multitest import multipletests

        value = float(multipletests(simple.to_numpy(float), method="holm")[1].min())
    why = Message("composition_p", tests=len(simple))
    return _limit("composition", value, alpha, below=False, reason=why)
