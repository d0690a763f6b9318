"""The evidence statement, by printed rules and not by taste."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd

from vsh_eval.contracts import DesignError, require_columns
from vsh_eval.effects.gate import FEW_TRAINED
from vsh_eval.effects.pretrend import Pretrend
from vsh_eval.numerics.inference import equivalence_p_value

Verdict = Literal["pass", "fail", "not testable"]
HOLDS: Verdict = "pass"
FAILS: Verdict = "fail"
NOT_TESTABLE: Verdict = "not testable"

NARROWED_ROBUST = "narrowed (robust)"
NARROWED_FRAGILE = "narrowed (fragile)"
INCONCLUSIVE = "inconclusive"
NO_EFFECT = "no effect as large as the smallest of interest"
WIDENED = "widened"
NOT_ESTIMABLE = "not estimable"

MOST_IMBALANCE = 0.25
"""Largest standardised difference that adjustment can be trusted with."""
MOST_LOST = 0.10
"""Largest share of schools lost on the way to the estimate."""
LEAST_BREAKDOWN = 1.0
"""Trend breaks after training as large as the largest before it must not undo the result."""

WORDING = MappingProxyType(
    {
        "registered": "The protocol was registered before any effect was looked at, and kept.",
        "power": "An effect as large as the smallest of interest would be found four times in "
        "five.",
        "pretrend": "No other path is seen before training (joint test of the earlier years).",
        "breakdown": "In the first year after training the result survives trend differences as "
        "large as the largest seen before training.",
        "randomisation": "Years of training dealt out by lot rarely give as large an effect.",
        "balance": "Trained and untrained schools were alike before training.",
        "losses": "At most a tenth of the schools was lost on the way to the estimate.",
        "composition": "The children who are counted did not change with training.",
    }
)
"""What each rule demands, as it is printed."""
_SAID = MappingProxyType({HOLDS: "Passed", FAILS: "Failed", NOT_TESTABLE: "Not testable"})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What may be said, and the rules it follows from.

    Attributes
    ----------
    statement : str
        narrowed (robust), narrowed (fragile), inconclusive, no effect as large as the smallest of
        interest, widened; or not estimable.
    rules : DataFrame
        rule, verdict (pass, fail, not testable), value (NaN where there is none), limit, reason.
    equivalence_p : float
        The larger p value of two one-sided tests against the smallest effect of interest.
    """

    statement: str
    rules: pd.DataFrame
    equivalence_p: float

    @property
    def sentences(self) -> tuple[str, ...]:
        """Each rule in words: its verdict, what it demands, and the number with its limit."""
        return tuple(
            f"{_SAID[row['verdict']]}: {WORDING[row['rule']]} "
            f"{_detail(row['value'], row['limit'], row['reason'])}"
            for row in self.rules.to_dict("records")
        )


@dataclass(frozen=True, slots=True)
class Checks:
    """What the rules are judged by; a rule without its material is not testable.

    Attributes
    ----------
    registered : bool or None
        Whether the protocol was registered and kept; None: it was not registered.
    balance : DataFrame or None
        From `balance_table`.
    losses : DataFrame or None
        From `prepare`.
    composition : DataFrame or None
        From `composition_check` or `composition_tests`; several tests are adjusted for their
        number (Holm: the smallest p value times the number of tests).
    breakdown : float or None
        Largest relative magnitude of trend breaks at which the result still holds.
    randomisation_p : float or None
        p value of randomisation inference.
    """

    registered: bool | None = None
    balance: pd.DataFrame | None = None
    losses: pd.DataFrame | None = None
    composition: pd.DataFrame | None = None
    breakdown: float | None = None
    randomisation_p: float | None = None


@dataclass(frozen=True, slots=True)
class _Rule:
    rule: str
    verdict: Verdict
    value: float
    limit: float
    reason: str


def evidence(
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
        A rule without its material is "not testable", and while any rule is not passed,
        ``narrowed (robust)`` cannot be earned: with few trained schools it needs randomisation,
        whose rule then says that it decides. An effect that two one-sided tests show to be
        smaller than `sesoi` is "no effect as large as", significant or not. An estimate without
        an interval is inconclusive; without an estimate the effect is "not estimable".

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
    >>> found = evidence(rows, pretrend=None, mde=1.4, sesoi=0.5, lower_is_better=True)
    >>> found.statement
    'narrowed (fragile)'
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
            reason="minimum detectable effect, and the smallest effect of interest",
        ),
        _pretrend(pretrend, alpha),
        _limit(
            "breakdown",
            checks.breakdown,
            LEAST_BREAKDOWN,
            below=False,
            reason="relative size of trend breaks up to which the first year's result survives",
        ),
        _limit(
            "randomisation",
            checks.randomisation_p,
            alpha,
            below=True,
            reason=_by_lot(estimates),
        ),
        _balance(checks.balance),
        _losses(checks.losses),
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
            columns=["rule", "verdict", "value", "limit", "reason"],
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


def _limit(rule: str, value: float | None, limit: float, *, below: bool, reason: str) -> _Rule:
    """Judge a number against its limit; without a number the rule is not testable."""
    if value is None or not np.isfinite(value):
        return _Rule(rule, NOT_TESTABLE, float("nan"), limit, f"not computed: {reason}")
    kept = value <= limit if below else value >= limit
    return _Rule(rule, HOLDS if kept else FAILS, float(value), limit, reason)


def _registered(checks: Checks) -> _Rule:
    missing, registered = float("nan"), checks.registered
    if registered is None:
        return _Rule("registered", NOT_TESTABLE, missing, missing, "not registered")
    kept, broken = "registered, unchanged", "deviates, or was registered with results in hand"
    reason = kept if registered else broken
    return _Rule("registered", HOLDS if registered else FAILS, missing, missing, reason)


def _pretrend(found: Pretrend | None, alpha: float) -> _Rule:
    """Fail on a small p value; a large one passes without proving anything."""
    value = None if found is None else found.test.p_value
    why = (
        found.reason
        if found is not None and found.reason
        else "p value of the joint test of the years before training"
    )
    return _limit("pretrend", value, alpha, below=False, reason=why)


def _by_lot(estimates: pd.DataFrame) -> str:
    """Say what the rule is, and that it decides where few schools were trained."""
    why = "p value when the years of training are dealt out at random"
    carried = _simple(estimates).get("schools_treated", pd.Series(dtype=float))
    if not carried.between(1, FEW_TRAINED - 1).any():
        return why
    return (
        f"{why}, which decides here: few schools were trained (under {FEW_TRAINED}), and then the "
        "interval excludes nought too readily"
    )


def _balance(balance: pd.DataFrame | None) -> _Rule:
    why = "largest standardised difference before training"
    if balance is None:
        return _limit("balance", None, MOST_IMBALANCE, below=True, reason=why)
    require_columns(balance, ["standardised_difference"], name="balance")
    largest = balance["standardised_difference"].abs().max()
    return _limit("balance", float(largest), MOST_IMBALANCE, below=True, reason=why)


def _losses(losses: pd.DataFrame | None) -> _Rule:
    why = "share of schools lost on the way to the estimate"
    if losses is None:
        return _limit("losses", None, MOST_LOST, below=True, reason=why)
    require_columns(losses, ["step", "schools"], name="losses")
    schools = losses.set_index("step")["schools"]
    lost = 1 - schools["used"] / max(schools["panel"], 1)
    return _limit("losses", float(lost), MOST_LOST, below=True, reason=why)


def _composition(composition: pd.DataFrame | None, alpha: float) -> _Rule:
    why = "p value of a change in the children who are counted"
    if composition is None:
        return _limit("composition", None, alpha, below=False, reason=why)
    require_columns(composition, ["aggregation", "p_value"], name="composition")
    simple = composition.loc[composition["aggregation"].eq("simple"), "p_value"].dropna()
    value = min(1.0, float(simple.min()) * len(simple)) if len(simple) else None
    if len(simple) > 1:
        why = f"{why} (smallest of {len(simple)} tests, adjusted for their number)"
    return _limit("composition", value, alpha, below=False, reason=why)


def _detail(value: float, limit: float, reason: str) -> str:
    """Say the number and its limit, or only the reason where there is none."""
    said = reason[0].upper() + reason[1:]
    return f"{said}: {value:.3g}; limit {limit:.3g}." if np.isfinite(value) else f"{said}."
