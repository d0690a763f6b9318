"""What each kind of check of the primary estimate found, in plain words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from vsh_eval.contracts import Message
from vsh_eval.release.rows import Row, interval_of, is_shown, value_of
from vsh_eval.release.text.findings.reasons import COMPOSITION, in_words
from vsh_eval.release.text.phrases.labels import upper_first
from vsh_eval.release.text.phrases.numbers import (
    amount,
    decimals_for,
    limits,
    listed,
    number,
    p_equation,
)
from vsh_eval.release.text.words import rows, words

CHECK_NAMES = rows("checks", "check")
"""Letter and question of each kind of check, and what would change our mind."""
AGREES, DIFFERS = "agrees", "differs"
NOT_TESTABLE = "This could not be tested here."

RULES = words("checks", "rule")
"""How each verdict comes about, by rule."""
_AS_LARGE_AS_BEFORE = 1.0
"""A difference of trends as large as the largest seen before training."""
_AMOUNTS = ("slope", "breakdown", "share", "sesoi")
_VERDICTS = MappingProxyType({"not_testable": "not testable"})


def checks_in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Word a robustness table.

    Parameters
    ----------
    table : DataFrame
        check (a code), variant and reason (messages), rule and verdict (codes), and numbers.

    Returns
    -------
    DataFrame
        With question, the other columns in words, and beside them variant_code, reason_code and
        amount (the number of the reason, NaN where it has none), which sentences are made from.
    """
    reasons = [r if isinstance(r, Message) else Message() for r in table["reason"]]
    worded = in_words(table, "variant", "reason").assign(
        question=[CHECK_NAMES[check]["question"] for check in table["check"]],
        rule=[RULES[rule] for rule in table["rule"]],
        verdict=table["verdict"].replace(dict(_VERDICTS)),
        variant_code=[v.code for v in table["variant"]],
        reason_code=[r.code for r in reasons],
        amount=[_amount_of(r) for r in reasons],
    )
    order = list(table.columns)
    order.insert(order.index("check") + 1, "question")
    return worded[[*order, "variant_code", "reason_code", "amount"]]


def _amount_of(reason: Message) -> float:
    """Return the number of a reason, to as many figures as its words have."""
    if reason.code == "adjusted_p":
        return round(float(str(reason.details["p"])), 3)
    amounts = [float(str(reason.details[name])) for name in _AMOUNTS if name in reason.details]
    return float(f"{amounts[0]:.2g}") if amounts else float("nan")


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of check of the primary estimate.

    Attributes
    ----------
    code : str
        The kind, one of `CHECK_NAMES`.
    rows : list of Row
        Its rows of the robustness table, at least one.
    unit : str
        The unit of the gap.
    found : bool
        Whether the primary test finds an effect.
    """

    code: str
    rows: list[Row]
    unit: str
    found: bool

    @property
    def tested(self) -> list[Row]:
        """The rows that could be tested."""
        return [row for row in self.rows if _could_be_tested(row)]

    @property
    def differing(self) -> list[Row]:
        """The rows that speak against the primary estimate."""
        return [row for row in self.rows if row["verdict"] == DIFFERS]

    @property
    def verdict(self) -> str:
        """What the check comes to: differs where one of its rows does, '' where untested."""
        verdicts = {str(row["verdict"]) for row in self.rows}
        if self.code == "trend_breaks":
            verdicts = {self._headline_survives()}
        return DIFFERS if DIFFERS in verdicts else AGREES if AGREES in verdicts else ""

    def _headline_survives(self) -> str:
        """Judge the headline estimate, the mean of all years, not that of the first year."""
        sizes = [
            value_of(row, "amount")
            for row in self.tested
            if row["variant_code"] == "trend_breaks_all_years" and is_shown(row, "amount")
        ]
        if not sizes:
            return ""
        return AGREES if max(sizes) >= _AS_LARGE_AS_BEFORE else DIFFERS

    @property
    def only_a_doubt(self) -> bool:
        """Whether all that differs is what an unseen drift could add."""
        return all(row["estimator"] == "drift" for row in self.differing)

    @property
    def reason(self) -> str:
        """Why it could not be tested, a space before it; '' where no row says."""
        reasons = (str(row["reason"]) for row in self.rows if row.get("reason"))
        reason = next(reasons, "").rstrip(".")
        return f" The reason: {reason}." if reason else ""

    @property
    def answer(self) -> str:
        """What a check that could be tested found."""
        return _ANSWERS[self.code](self)


def _could_be_tested(row: Row) -> bool:
    return row["verdict"] in {AGREES, DIFFERS}


def _estimate(row: Row, unit: str) -> str:
    if not is_shown(row, "estimate"):
        return "an amount that is not shown"
    value, ends = value_of(row, "estimate"), interval_of(row, "ci")
    if ends is None:
        return amount(value, unit, signed=True)
    places = decimals_for(value, *ends)
    return f"{amount(value, unit, decimals=places, signed=True)} ({limits(*ends, decimals=places)})"


def _p(row: Row) -> str:
    adjusted = str(row["reason_code"]) == "adjusted_p"
    return p_equation(value_of(row, "amount" if adjusted else "p_value"))


def _before(check: Check) -> str:
    tests = [row for row in check.rows if is_shown(row, "p_value")]
    drift = [row for row in check.tested if not is_shown(row, "p_value")]
    if tests and tests[0]["verdict"] == DIFFERS:
        return f"Another path is detected ({_p(tests[0])}), so the estimate must not be believed."
    answers = [f"No other path is detected ({_p(row)})." for row in tests[:1]]
    return " ".join([*answers, *(_drift(row, check) for row in drift[:1])])


def _drift(row: Row, check: Check) -> str:
    if not (is_shown(row, "estimate") and is_shown(row, "amount")):
        return "How large a trend these years do not exclude is not shown."
    slope, bias = float(row["amount"]), abs(value_of(row, "estimate"))
    if not slope:
        return "The years before training exclude a trend towards the estimate."
    seen = (
        "The years before training do not exclude a trend of "
        f"{amount(slope, check.unit, decimals=decimals_for(slope))} a year, which would move "
        f"the estimate by {number(bias)}"
    )
    if not check.found:
        return f"{seen}."
    more = (
        "as much as the estimate itself, so such a trend could be the explanation"
        if row["verdict"] == DIFFERS
        else "less than the estimate, which such a trend alone would not bring to zero"
    )
    return f"{seen}: {more}."


def _breaks(check: Check) -> str:
    reasons = dict.fromkeys(
        str(row["reason"]).rstrip(".") for row in check.tested if row.get("reason")
    )
    return f"{upper_first('; '.join(reasons))}." if reasons else NOT_TESTABLE


def _early(check: Check) -> str:
    row = check.tested[0]
    given = _estimate(row, check.unit)
    if row["verdict"] == DIFFERS:
        return (
            "There is one: pretending that training began two years earlier, the gap moves by "
            f"{given}, although nobody was trained yet."
        )
    return (
        "No effect is detected: pretending that training began two years earlier, the gap moves by "
        f"{given}."
    )


def _levels(check: Check) -> str:
    own, peers = (
        next((row for row in check.rows if row["variant_code"] == f"{who}_level"), None)
        for who in ("cohort", "peers")
    )
    answers = []
    if own is not None and _could_be_tested(own):
        answers.append(f"The cohort's own level moved by {_estimate(own, check.unit)}.")
    if peers is not None and _could_be_tested(peers):
        moved = peers["verdict"] == DIFFERS
        answers.append(
            f"The peers' own level moved too, by {_estimate(peers, check.unit)}: part of the "
            "change lies with them."
            if moved
            else f"No move of the peers' own level is detected: {_estimate(peers, check.unit)}."
        )
    return " ".join(answers)


def _chance(check: Check) -> str:
    answers = []
    for row in check.tested:
        way = "the wild bootstrap" if row["estimator"] == "wild_cluster" else "random reassignment"
        answers.append(f"{way} gives {_p(row)}")
    ends = {
        (AGREES, True): "larger than chance gives",
        (AGREES, False): "no more than chance gives, as in the primary test",
        (DIFFERS, True): "no larger than chance gives, although the primary test detects an effect",
        (DIFFERS, False): "larger than chance gives, although the primary test detects no effect",
    }
    return f"{upper_first('; '.join(answers))}: {ends[check.verdict, check.found]}."


def _ranging(what: str, *, unclear: bool = False) -> Callable[[Check], str]:
    """Return the answer of a check that repeats the estimate, and how many of them are unclear."""

    def answer(check: Check) -> str:
        tested, other = check.tested, check.differing
        shown = [row for row in tested if is_shown(row, "estimate")]
        values = [value_of(row, "estimate") for row in shown]
        hidden = len(tested) - len(shown)
        span = ""
        if len(values) > 1:
            low, high = min(values), max(values)
            places = decimals_for(low, high)
            start = number(low, decimals=places, signed=True)
            end = amount(high, check.unit, decimals=places, signed=True)
            same = start == number(high, decimals=places, signed=True)
            estimates = f"The {len(shown)} estimates that may be shown" if hidden else "Estimates"
            span = f" {estimates} {'are all about' if same else f'go from {start} to'} {end}."
        elif values:
            one = "The one that may be shown" if hidden else "It"
            span = f" {one} gives {_estimate(shown[0], check.unit)}."
        ends = [interval_of(row, "ci") for row in tested]
        zero = sum(one is not None and one[0] <= 0 <= one[1] for one in ends)
        if unclear and check.found and zero:
            span = f" {zero} of {len(tested)} hold zero too.{span}"
        if not other:
            return f"{what}{span}"
        names = listed([f"'{row['variant']}'" for row in other])
        return f"{len(other)} of {len(tested)} differ: {names}.{span}"

    return answer


def _children(check: Check) -> str:
    tested, other = check.tested, check.differing
    untested = len(check.rows) - len(tested)
    more = (
        f" {untested} further test{'s' if untested > 1 else ''} could not be made from these "
        "tables."
        if untested
        else ""
    )
    if other:
        named = [COMPOSITION.get(str(row["metric"]), str(row["variant"])) for row in other]
        names = listed([f"{n} ({_p(row)})" for n, row in zip(named, other, strict=True)])
        return f"That may be so. Changed with training: {names}.{more}"
    return f"No such change is detected in {len(tested)} tests.{more}"


def _small(check: Check) -> str:
    row = check.tested[0]
    if row["verdict"] == DIFFERS:
        return (
            "That is so: the effect that the primary test detects is smaller than the smallest of "
            "interest."
        )
    if row["reason_code"] == "excluded":
        return "An effect as large as the smallest of interest, either way, is excluded."
    tail = "" if check.found else ": none is claimed here, and none is denied"
    return f"The interval contains effects as large as the smallest of interest, or larger{tail}."


_ANSWERS: Mapping[str, Callable[[Check], str]] = MappingProxyType(
    {
        "pretrend": _before,
        "trend_breaks": _breaks,
        "early_placebo": _early,
        "own_levels": _levels,
        "chance": _chance,
        "leave_out": _ranging("Whichever of them is left out, the estimate agrees."),
        "estimators": _ranging(
            "The intervals of the others all hold the primary estimate.", unclear=True
        ),
        "covid_years": _ranging("The estimate without them agrees."),
        "definitions": _ranging("Counting or comparing otherwise, the estimate agrees."),
        "composition": _children,
        "equivalence": _small,
    }
)
