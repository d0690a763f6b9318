"""The checks that could change our mind: their letter, their question, and what would."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class CheckName(NamedTuple):
    """What a reader knows a check by."""

    letter: str
    question: str
    what: str


CHECK_NAMES: Mapping[str, CheckName] = MappingProxyType(
    {
        "pretrend": CheckName(
            "a",
            "Were the schools on the same path before training?",
            "Schools already on another path before training.",
        ),
        "trend_breaks": CheckName(
            "b",
            "How different a path after training would undo the result?",
            "A path that broke away, at the time of training, for another reason.",
        ),
        "early_placebo": CheckName(
            "c",
            "Does pretending that training began two years earlier show an effect?",
            "An effect in years before anyone was trained.",
        ),
        "own_levels": CheckName(
            "d",
            "Is it the cohort that moved, and not its peers?",
            "Peers who moved, and not the cohort.",
        ),
        "chance": CheckName(
            "e",
            "Would chance alone give as large an estimate?",
            "An effect no larger than chance alone gives.",
        ),
        "leave_out": CheckName(
            "f",
            "Does the result depend on one school, one year of training or one programme?",
            "A result that depends on one school, one year of training or one programme.",
        ),
        "estimators": CheckName(
            "g", "Do other estimators agree?", "Other estimators that say something else."
        ),
        "covid_years": CheckName(
            "h", "Does it hold without the covid years?", "A result made by the covid years."
        ),
        "definitions": CheckName(
            "i",
            "Does it hold under another cohort rule or another reference?",
            "A result that depends on whom we count, or compare with.",
        ),
        "composition": CheckName(
            "j",
            "Did the children who are counted change with training?",
            "Other children being counted after training than before.",
        ),
        "equivalence": CheckName(
            "k",
            "Is an effect as large as the smallest of interest excluded?",
            "An effect too small to matter.",
        ),
    }
)
"""The checks in order, by code."""
CHECK_LETTERS: Mapping[str, str] = MappingProxyType(
    {code: name.letter for code, name in CHECK_NAMES.items()}
)
