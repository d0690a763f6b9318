"""The evidence statement: what may be said of an effect, by fixed rules that are printed."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import DesignError, Message, require_columns, require_one_of
from vsh_eval.effects.sample.selection import FEW_TRAINED
from vsh_eval.effects.sensitivity.composition import ENTRANTS_PRIOR
from vsh_eval.effects.sensitivity.pretrend import Drift, Pretrend
from vsh_eval.numerics.inference.significance import (
    ALPHA,
    equivalence_p_value,
    largest_not_excluded,
    smallest_adjusted,
)
from vsh_eval.numerics.rounding import decimals, rounded_p_values, to_decimals

Verdict = Literal["pass", "fail", "not_testable", "shown"]
HOLDS: Verdict = "pass"
FAILS: Verdict = "fail"
NOT_TESTABLE: Verdict = "not_testable"
SHOWN: Verdict = "shown"
"""The number is given for information and decides nothing."""

NARROWED = "narrowed"
WIDENED = "widened"
NARROWED_BELOW_INTEREST = "narrowed_below_interest"
WIDENED_BELOW_INTEREST = "widened_below_interest"
NO_EFFECT_OF_INTEREST = "no_effect_of_interest"
INCONCLUSIVE = "inconclusive"
WHOLE_SCHOOL_MOVED = "whole_school_moved"
NOT_ATTRIBUTABLE = "not_attributable"
NOT_ESTIMABLE = "not_estimable"
STATEMENTS = (
    *(NARROWED, WIDENED, NARROWED_BELOW_INTEREST, WIDENED_BELOW_INTEREST, NO_EFFECT_OF_INTEREST),
    *(INCONCLUSIVE, WHOLE_SCHOOL_MOVED, NOT_ATTRIBUTABLE, NOT_ESTIMABLE),
)
HIGH, MODERATE, NONE = "high", "moderate", "none"
ESTABLISHED = (NARROWED, WIDENED, NARROWED_BELOW_INTEREST, WIDENED_BELOW_INTEREST)
"""Statements that say which way training moved the gap."""
UNDECIDED = (INCONCLUSIVE, NOT_ATTRIBUTABLE, NOT_ESTIMABLE)
"""Statements that say nothing about the effect, so that no confidence belongs to them."""

MOST_IMBALANCE = 0.25
"""Largest standardised difference that is called similar."""
MOST_LOST = 0.10
"""Largest share of schools lost on the way to the estimate."""
LEAST_BREAKDOWN = 1.0
"""Trend breaks after training as large as the largest before it would not undo the result."""
MOST_DRIFT = 1 / 3
"""Largest yearly drift, as a share of the effect: three years of it would make all the effect.
Where a drift adds more than three times its yearly size to the estimate, its share is smaller."""
MOST_DIFFERENCE = 2.0
"""Largest difference between newly counted children and those before, as a multiple of the effect:
about half of the children counted after training are newly counted, so it would make all of it."""
SAME_UNIT = "overall_absence"
"""The outcome in whose unit the newly counted children's absence of the year before is."""
BY_LOT = "lot"
CHOSEN_BY = (BY_LOT, "gap", "volunteers", "unknown", "not_all")
"""How schools came to be trained."""

RULES = (
    *("pretrend", "drift", "composition", "entrants", "peers", "agreement", "randomisation"),
    *("chosen_by", "registered", "losses", "power", "breakdown", "balance"),
)
"""The rules, in order; `release.text` says what each demands."""
RULE_COLUMNS = ("rule", "verdict", "value", "limit", "reason")
EVIDENCE_COLUMNS = ("statement", "confidence", "decided_by", *RULE_COLUMNS)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What may be said, and the rules it follows from.

    Attributes
    ----------
    statement : str
        One of `STATEMENTS`.
    confidence : str
        ``high``: every rule that applies is passed; ``moderate``: not every one; ``none`` where
        the statement is one of `UNDECIDED`.
    decided_by : str
        The rule that led to the statement, '' where the estimates themselves did.
    rules : DataFrame
        `RULE_COLUMNS`: one of `RULES`, its verdict (pass, fail, not_testable, shown), value (NaN
        where there is none), limit, and what the value is (a `Message`).
    """

    statement: str
    confidence: str
    decided_by: str
    rules: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """Return `EVIDENCE_COLUMNS`: the rules, with statement and confidence in every row."""
        labels = {name: getattr(self, name) for name in EVIDENCE_COLUMNS[:3]}
        return self.rules.assign(**labels)[list(EVIDENCE_COLUMNS)]


@dataclass(frozen=True, slots=True)
class Checks:
    """What the rules are judged by; a rule without its material is not testable.

    Attributes
    ----------
    pretrend : Pretrend or None
        The joint test of the leads.
    drift : Drift
        The yearly drift that the leads show.
    composition : DataFrame or None
        From `composition_tests`; several tests are adjusted for their
        number (Holm: the smallest p value times the number of tests). Its estimate of
        ``entrants_attendance`` is also asked how different newly counted children may have been.
    peers_p : float or None
        p value of the effect on the peers' own level.
    randomisation_p : float or None
        p value of randomisation inference.
    chosen_by : str
        How schools came to be trained: one of `CHOSEN_BY`; of a pool, ``not_all`` where its
        authorities do not all say, or not the same.
    plan : str
        ``registered`` where the protocol was registered before the last data year ended, and kept;
        else why not: ``late``, ``deviates``, ``not_registered``, or ``not_all`` in a pool.
    exclusions : DataFrame or None
        Of an `AnalysisSample`.
    mde : float
        Minimum detectable effect of the primary estimator, in the outcome's gap unit.
    breakdown : float or None
        Largest relative magnitude of trend breaks at which the headline estimate still holds.
    balance : DataFrame or None
        From `balance_table`.
    """

    pretrend: Pretrend | None = None
    drift: Drift = field(default_factory=Drift)
    composition: pd.DataFrame | None = None
    peers_p: float | None = None
    randomisation_p: float | None = None
    chosen_by: str = "unknown"
    plan: str = "not_registered"
    exclusions: pd.DataFrame | None = None
    mde: float = float("nan")
    breakdown: float | None = None
    balance: pd.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class _Estimate:
    """One estimator's effect, as it is shown: whether beyond chance, and whether too small."""

    value: float
    significant: bool
    equivalent: bool
    few_trained: bool

    @property
    def made(self) -> bool:
        return bool(np.isfinite(self.value))

    @property
    def sign(self) -> float:
        return float(np.sign(self.value)) if self.significant else 0.0


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
    sesoi: float,
    lower_is_better: bool,
    checks: Checks | None = None,
    rules: Collection[str] = RULES,
) -> Evidence:
    """Say what may be said of an effect: first whether it can be attributed, then which way.

    Parameters
    ----------
    estimates : DataFrame
        The estimates contract: one row of role ``primary``, aggregation ``simple``, and of the
        same metric the simple row of estimator ``same_past``; fewer than 10 `schools_treated` are
        few.
    sesoi : float
        Smallest effect of interest, above 0, in the outcome's gap unit.
    lower_is_better : bool
        The metric's direction: which sign narrows the gap.
    checks : Checks, optional
        What the rules are judged by.
    rules : collection of str
        The rules that can be asked; the others are neither printed nor counted.

    Returns
    -------
    Evidence

    Raises
    ------
    ContractError
        If a column is missing, or `chosen_by` is not known.
    DesignError
        If there is not one primary estimate, or `sesoi` is not above 0.

    Notes
    -----
    In this order. Without an estimate: ``not_estimable``. A failed joint test of the years before
    training, or other children counted: ``not_attributable``, whatever the estimate. A
    significant estimate of schools that were not chosen by lot is attributable only if a drift
    towards it of a third of its size a year is excluded (one-sided); a drift that
    cannot be tested is not excluded. Nor is a significant estimate of overall absence attributable
    where children newly counted after training may, in the year before, have differed from earlier
    ones by twice the estimate in its direction (one-sided), however schools were
    chosen. Where the peers' own level moved, the gap alone does not
    measure the effect: ``whole_school_moved``. ``narrowed`` and ``widened`` need both estimators'
    intervals to exclude zero on the same side; with few trained schools, chance reassignment of
    the years of training too. Both estimators' two one-sided tests within `sesoi` give
    ``..._below_interest`` where significant, and ``no_effect_of_interest`` where not and where a
    drift of a third of `sesoi` a year is excluded. Else ``inconclusive``. Passing every rule is
    necessary for an effect of training and does not prove one.

    Examples
    --------
    >>> rows = pd.DataFrame({
    ...     "role": ["primary", "robustness"], "estimator": ["imputation", "same_past"],
    ...     "metric": "overall_absence", "aggregation": "simple", "estimate": [-1.5, -1.4],
    ...     "std_error": [0.5, 0.4], "df": [119.0, 119.0], "p_value": [0.003, 0.001]})
    >>> calm = Checks(drift=Drift(0.05, 0.1, 119.0))
    >>> evidence = judge(rows, sesoi=0.5, lower_is_better=True, checks=calm)
    >>> evidence.statement, evidence.confidence
    ('narrowed', 'moderate')
    >>> moving = Checks(drift=Drift(-0.3, 0.2, 119.0))
    >>> evidence = judge(rows, sesoi=0.5, lower_is_better=True, checks=moving)
    >>> evidence.statement, evidence.decided_by
    ('not_attributable', 'drift')
    """
    checks = checks or Checks()
    require_one_of(checks.chosen_by, CHOSEN_BY, name="protocol.chosen_by")
    if not sesoi > 0:
        raise DesignError(
            f"sesoi is {sesoi}, must be above 0; name the smallest effect worth having."
        )
    first, second = _estimates(estimates, sesoi=sesoi)
    of_absence = estimates.loc[estimates["role"].eq("primary"), "metric"].eq(SAME_UNIT).any()
    judged = tuple(_rules(first, second, checks, sesoi=sesoi, same_unit=bool(of_absence)))
    verdicts: dict[str, Verdict] = {rule.rule: rule.verdict for rule in judged}
    statement, decided_by = _statement(
        first, second, verdicts, narrows=-1.0 if lower_is_better else 1.0
    )
    table = pd.DataFrame(
        [(r.rule, r.verdict, r.value, r.limit, r.reason) for r in judged if r.rule in rules],
        columns=list(RULE_COLUMNS),
    )
    p_values = table["rule"].isin(names.P_VALUE_RULES)
    table["value"] = table["value"].mask(p_values, rounded_p_values(table["value"].to_numpy(float)))
    return Evidence(
        statement=statement,
        confidence=_confidence(statement, {rule: verdicts[rule] for rule in rules}),
        decided_by=decided_by,
        rules=table,
    )


def _statement(
    first: _Estimate, second: _Estimate, verdicts: dict[str, Verdict], *, narrows: float
) -> tuple[str, str]:
    """Return the statement and the rule that led to it."""
    if not first.made:
        return NOT_ESTIMABLE, ""
    not_attributable = _not_attributable(first, verdicts)
    if not_attributable:
        return NOT_ATTRIBUTABLE, not_attributable
    if verdicts["peers"] == FAILS:
        return WHOLE_SCHOOL_MOVED, "peers"
    small = first.equivalent and second.equivalent
    if first.significant:
        return _direction(first, verdicts, narrows=narrows, small=small)
    excluded = small and verdicts["drift"] in {HOLDS, SHOWN}
    return (NO_EFFECT_OF_INTEREST if excluded else INCONCLUSIVE), ""


def _direction(
    first: _Estimate, verdicts: dict[str, Verdict], *, narrows: float, small: bool
) -> tuple[str, str]:
    """Return what a significant estimate says, and the rule that keeps it from saying it."""
    if verdicts["agreement"] != HOLDS:
        return INCONCLUSIVE, "agreement"
    if first.few_trained and verdicts["randomisation"] != HOLDS:
        return INCONCLUSIVE, "randomisation"
    if first.sign == narrows:
        return (NARROWED_BELOW_INTEREST if small else NARROWED), ""
    return (WIDENED_BELOW_INTEREST if small else WIDENED), ""


def _not_attributable(first: _Estimate, verdicts: dict[str, Verdict]) -> str:
    """Return the rule because of which the estimate cannot be put down to training, or ''."""
    for rule in ("pretrend", "composition"):
        if verdicts[rule] == FAILS:
            return rule
    if first.significant and verdicts["drift"] in {FAILS, NOT_TESTABLE}:
        return "drift"
    return "entrants" if verdicts["entrants"] == FAILS else ""


def _confidence(statement: str, verdicts: dict[str, Verdict]) -> str:
    if statement in UNDECIDED:
        return NONE
    apart = {"peers"} if statement == WHOLE_SCHOOL_MOVED else set()
    counted = [verdict for rule, verdict in verdicts.items() if rule not in apart]
    return HIGH if all(verdict in {HOLDS, SHOWN} for verdict in counted) else MODERATE


def _rules(
    first: _Estimate, second: _Estimate, checks: Checks, *, sesoi: float, same_unit: bool
) -> Iterator[_Rule]:
    """Judge every rule of `RULES`, in order."""
    yield _pretrend(checks.pretrend)
    yield _drift(first, checks, sesoi=sesoi)
    yield _composition(checks.composition)
    yield (
        _entrants(first, checks.composition, sesoi=sesoi)
        if same_unit
        else _shown(
            _limit("entrants", None, np.nan, below=True, reason=Message("entrants_of_absence"))
        )
    )
    peers = _limit("peers", checks.peers_p, ALPHA, below=False, reason=Message("peers_p"))
    yield peers
    yield _agreement(first, second)
    yield _randomisation(first, checks.randomisation_p)
    yield _chosen_by(checks.chosen_by)
    yield _registered(checks)
    yield _losses(checks.exclusions)
    power = _limit("power", checks.mde, sesoi, below=True, reason=Message("mde_and_sesoi"))
    # Power speaks against an unclear gap only, and where the other pupils moved the gap is not it.
    decided = first.significant or first.equivalent or peers.verdict == FAILS
    yield _shown(power) if decided else power
    why = Message("breakdown")
    yield _shown(_limit("breakdown", checks.breakdown, LEAST_BREAKDOWN, below=False, reason=why))
    yield _shown(_balance(checks.balance))


def _estimates(estimates: pd.DataFrame, *, sesoi: float) -> tuple[_Estimate, _Estimate]:
    """Read the primary estimate and that of `same_past` off the table."""
    columns = ["role", "metric", "estimator", "aggregation", "estimate", "std_error", "df"]
    require_columns(estimates, [*columns, "p_value"], name="estimates")
    simple = estimates[estimates["aggregation"].eq("simple")]
    primary = simple[simple["role"].eq("primary")]
    if len(primary) != 1:
        raise DesignError(
            f"estimates hold {len(primary)} primary simple rows, must hold one; "
            "name one primary outcome in the protocol."
        )
    others = simple[simple["estimator"].eq("same_past") & simple["role"].eq("robustness")]
    others = others[others["metric"].eq(primary["metric"].iloc[0])]
    first = _estimate(primary, sesoi=sesoi)
    return first, _estimate(others.head(1), sesoi=sesoi)


def _estimate(rows: pd.DataFrame, *, sesoi: float) -> _Estimate:
    if rows.empty:
        nothing = float("nan")
        return _Estimate(nothing, significant=False, equivalent=False, few_trained=False)
    row = rows.iloc[0]
    value, error, df = (float(row[name]) for name in ("estimate", "std_error", "df"))
    trained = rows.get("schools_treated", pd.Series(dtype=float))
    return _Estimate(
        value=float(to_decimals(np.array(value), decimals(np.array(error)))),
        significant=float(row["p_value"]) < ALPHA,
        equivalent=bool(equivalence_p_value(value, error, df, margin=sesoi) < ALPHA),
        few_trained=bool(trained.between(1, FEW_TRAINED - 1).fillna(value=False).any()),
    )


def _limit(rule: str, value: float | None, limit: float, *, below: bool, reason: Message) -> _Rule:
    """Judge a number against its limit; without a number the rule is not testable."""
    if value is None or not np.isfinite(value):
        return _Rule(rule, NOT_TESTABLE, float("nan"), limit, reason)
    holds = value <= limit if below else value >= limit
    return _Rule(rule, HOLDS if holds else FAILS, float(value), limit, reason)


def _shown(rule: _Rule) -> _Rule:
    """Return a rule that gives its number for information."""
    return _Rule(rule.rule, SHOWN, rule.value, rule.limit, rule.reason)


def _pretrend(pretrend: Pretrend | None) -> _Rule:
    """Fail on a small p value; a large one passes without proving anything."""
    value = None if pretrend is None else pretrend.test.p_value
    why = pretrend.reason if pretrend is not None and pretrend.reason else Message("pretrend_p")
    return _limit("pretrend", value, ALPHA, below=False, reason=why)


def _drift(first: _Estimate, checks: Checks, *, sesoi: float) -> _Rule:
    """Ask whether a drift that matters is excluded; where lots were drawn there can be none."""
    share = min(MOST_DRIFT, 1 / checks.drift.bias) if checks.drift.bias > 0 else MOST_DRIFT
    limit = share * (abs(first.value) if first.significant else sesoi)
    largest = checks.drift.largest_not_excluded(sign=first.sign)
    rule = _limit("drift", float(largest), limit, below=True, reason=Message("drift"))
    return _shown(rule) if checks.chosen_by == BY_LOT else rule


def _composition(composition: pd.DataFrame | None) -> _Rule:
    value, why = None, Message("composition_p")
    if composition is not None:
        simple = composition.loc[composition["aggregation"].eq("simple"), "p_value"].dropna()
        value = smallest_adjusted(simple.to_numpy(float))
        why = Message("composition_p", tests=len(simple))
    return _limit("composition", value, ALPHA, below=False, reason=why)


def _entrants(first: _Estimate, composition: pd.DataFrame | None, *, sesoi: float) -> _Rule:
    """Ask a significant result whether newly counted children who differ could have made it."""
    limit = MOST_DIFFERENCE * (abs(first.value) if first.significant else sesoi)
    largest = float("nan")
    if composition is not None and "metric" in composition:
        simple = composition[composition["aggregation"].eq("simple")]
        rows = simple.loc[simple["metric"].eq(ENTRANTS_PRIOR), ["estimate", "std_error", "df"]]
        for difference in rows.to_numpy(float).tolist():
            largest = largest_not_excluded(*difference, sign=first.sign)
    rule = _limit("entrants", largest, limit, below=True, reason=Message("entrants"))
    return rule if first.significant else _shown(rule)


def _agreement(first: _Estimate, second: _Estimate) -> _Rule:
    """Ask whether both estimators say the same: beyond chance on one side, or smaller."""
    nothing = float("nan")
    reason = Message("second_estimate", significant=first.significant)
    if not (first.made and second.made):
        return _Rule("agreement", NOT_TESTABLE, nothing, nothing, reason)
    if first.significant:
        agrees = second.significant and second.sign == first.sign
    else:
        agrees = not second.significant
    return _Rule("agreement", HOLDS if agrees else FAILS, second.value, nothing, reason)


def _randomisation(first: _Estimate, p_value: float | None) -> _Rule:
    """Ask a significant result to be rare by chance; with few trained schools this decides."""
    reason = Message("randomisation_p", few_trained=first.few_trained, limit=FEW_TRAINED)
    rule = _limit("randomisation", p_value, ALPHA, below=True, reason=reason)
    return rule if first.significant else _shown(rule)


def _chosen_by(chosen_by: str) -> _Rule:
    not_known = dict.fromkeys(("unknown", "not_all"), NOT_TESTABLE)
    verdict: Verdict = {BY_LOT: HOLDS, **not_known}.get(chosen_by, FAILS)
    missing = float("nan")
    return _Rule("chosen_by", verdict, missing, missing, Message(f"chosen_by_{chosen_by}"))


def _registered(checks: Checks) -> _Rule:
    verdict, missing = HOLDS if checks.plan == "registered" else FAILS, float("nan")
    return _Rule("registered", verdict, missing, missing, Message(f"plan_{checks.plan}"))


def _losses(exclusions: pd.DataFrame | None) -> _Rule:
    lost = None
    if exclusions is not None:
        schools = exclusions.set_index("step")["schools"]
        lost = float(1 - schools["used"] / max(schools["panel"], 1))
    return _limit("losses", lost, MOST_LOST, below=True, reason=Message("share_excluded"))


def _balance(balance: pd.DataFrame | None) -> _Rule:
    largest = None if balance is None else float(balance["standardised_difference"].abs().max())
    why = Message("largest_difference")
    return _limit("balance", largest, MOST_IMBALANCE, below=True, reason=why)
