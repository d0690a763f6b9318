"""One more way to ask the question, tried: a row with its verdict, or a row that says why not."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import ContractError
from vsh_eval.effects.rows import COUNTS, ESTIMATE_COLUMNS
from vsh_eval.effects.study import Study

Verdict = Literal["agrees", "differs", "not testable"]
AGREES: Verdict = "agrees"
DIFFERS: Verdict = "differs"
NOT_TESTABLE: Verdict = "not testable"

CHECKS = MappingProxyType(
    {
        "a": "Were the schools on the same path before training?",
        "b": "How different a path after training would undo the result?",
        "c": "Does training pretended two years early show an effect?",
        "d": "Is it the cohort that moved, and not its peers?",
        "e": "Would chance alone give as much?",
        "f": "Does the result hang on one school, one year of training or one programme?",
        "g": "Do other estimators agree?",
        "h": "Does it hold without the covid years?",
        "i": "Does it hold under another cohort rule or another reference?",
        "j": "Did the children who are counted change with training?",
        "k": "Is an effect as large as the smallest of interest excluded?",
    }
)
"""The checks of the robustness table, by letter."""

SAME = "same"
NOUGHT = "nought"
CHANCE = "chance"
STANDS = "stands"
EXCLUDED = "excluded"
TOLD = "told"
RULES = MappingProxyType(
    {
        SAME: "agrees where its interval holds the primary estimate and, if the primary interval "
        "excludes nought, it has the same sign",
        NOUGHT: "agrees where nothing is found, with p at least alpha",
        CHANCE: "agrees where it finds what the primary test finds, both with p below alpha or "
        "neither",
        STANDS: "agrees where the result still excludes nought under a trend difference as large "
        "as the largest seen before training",
        EXCLUDED: "agrees unless the primary test finds an effect and this one excludes that it is "
        "as large as the smallest of interest",
        TOLD: "agrees where the test would see, four times in five, a trend that adds up to the "
        "primary estimate",
    }
)
"""How each verdict comes about, by rule."""

ROBUSTNESS_COLUMNS = (
    "check",
    "question",
    "variant",
    *(name for name in ESTIMATE_COLUMNS if name not in {"band_lower", "band_upper", "p_adjusted"}),
    "verdict",
    "rule",
    "reason",
)
"""The robustness table."""
_COUNT = re.compile(r"(?<!fewer than )(?<!at least )\b\d+(?= (?:\w+ )?schools?\b(?!-))")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One variant of one check.

    Attributes
    ----------
    check : str
        Its letter.
    variant : str
        What is done, in a few words.
    rule : str
        A key of `RULES`.
    make : callable
        Returns one simple row (a mapping of `rows.ROW_COLUMNS`) or raises `ContractError`.
    estimator, comparison, metric : str
        Written into the row; the study's metric where ''.
    """

    check: str
    variant: str
    rule: str
    make: Callable[[], Mapping[Any, Any]]
    estimator: str = "imputation"
    comparison: str = "not_yet_treated"
    metric: str = ""


@dataclass(frozen=True, slots=True)
class Primary:
    """What the checks are held against."""

    estimate: float
    p_value: float
    row: Mapping[Any, Any]

    def found(self, alpha: float) -> bool:
        """Tell whether the primary test finds an effect."""
        return bool(self.p_value < alpha)


def tried(attempt: Attempt, study: Study, primary: Primary) -> dict[str, Any]:
    """Make one row of the robustness table.

    A row that cannot be made has no numbers, status ``x``, verdict "not testable" and the reason.
    """
    try:
        row = dict(attempt.make())
    except ContractError as error:
        row = {"status": names.UNAVAILABLE, "reason": str(error)}
    row = dict.fromkeys(ROBUSTNESS_COLUMNS, np.nan) | {"status": "", "reason": ""} | row
    verdict = _verdict(attempt.rule, row, primary, study.alpha)
    row = {name: _finite(value) for name, value in row.items()}
    row |= {
        "check": attempt.check,
        "question": CHECKS[attempt.check],
        "variant": attempt.variant,
        "role": "robustness",
        "metric": attempt.metric or study.metric,
        "programme": study.programme,
        "tier": study.tier,
        "phase": names.TOTAL,
        "estimator": attempt.estimator,
        "comparison": attempt.comparison,
        "aggregation": "simple",
        "index": 0,
        "verdict": verdict,
        "rule": RULES[attempt.rule],
        "reason": without_counts(str(row["reason"])),
    }
    return {name: row[name] for name in ROBUSTNESS_COLUMNS}


def _finite(value: Any) -> Any:
    """Write an interval that has no end without one: no table can hold infinity."""
    return np.nan if isinstance(value, float) and np.isinf(value) else value


def _verdict(rule: str, row: Mapping[str, Any], primary: Primary, alpha: float) -> Verdict:
    needed = "p_value" if rule in {NOUGHT, CHANCE, EXCLUDED} else "ci_lower"
    if rule in {STANDS, TOLD}:
        said = row.get("holds")
        if said is None:
            return NOT_TESTABLE
        return AGREES if said else DIFFERS
    if row["status"] == names.UNAVAILABLE or not np.isfinite(float(row[needed])):
        return NOT_TESTABLE
    if rule == NOUGHT:
        holds = row["p_value"] >= alpha
    elif rule == CHANCE:
        holds = (row["p_value"] < alpha) == primary.found(alpha)
    elif rule == EXCLUDED:
        holds = not (row["p_value"] < alpha and primary.found(alpha))
    else:
        inside = row["ci_lower"] <= primary.estimate <= row["ci_upper"]
        same_sign = np.sign(row["estimate"]) == np.sign(primary.estimate)
        holds = inside and (same_sign or not primary.found(alpha))
    return AGREES if holds else DIFFERS


def without_counts(reason: str) -> str:
    """Leave the number of schools out of a reason, which may be released; a rule's limit stays.

    Examples
    --------
    >>> without_counts("2 trained schools have data, must be at least 3; wait for a year.")
    'too few trained schools have data, must be at least 3; wait for a year.'
    >>> without_counts("fewer than 3 schools were trained, and an estimate needs at least 3.")
    'fewer than 3 schools were trained, and an estimate needs at least 3.'
    """
    return _COUNT.sub("too few", reason)


def in_order(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Put rows into the robustness table."""
    table = pd.DataFrame(rows, columns=list(ROBUSTNESS_COLUMNS))
    return table.astype(dict.fromkeys(COUNTS, "Int64"))
