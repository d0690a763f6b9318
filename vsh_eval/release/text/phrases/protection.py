"""What was done to a table to protect children, in words for its reader."""

from collections.abc import Mapping
from types import MappingProxyType

from vsh_eval.contracts import Gate
from vsh_eval.panel import is_published
from vsh_eval.release.disclosure.rules import INTERNAL_STAMP, rule_named
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.text.safe_text import sentences

_RULE = rule_named("cellkey")
_DOMINANCE = f"{100 * _RULE.dominance:.0f}%"
_NUMBER_WORDS = MappingProxyType({3: "three"})
_SCHOOLS = _NUMBER_WORDS.get(_RULE.min_schools, str(_RULE.min_schools))

NOTES: Mapping[Gate, tuple[str, ...]] = MappingProxyType(
    {
        "cells": (
            "To protect children every number has a small random change, nearly always one or two "
            "children. The same children always get the same change, so parts need not add up to "
            f"totals: use the total shown. Numbers of children are shown to the nearest "
            f"{_RULE.base}.",
            f"A number is hidden (c) where fewer than {_RULE.threshold} children are behind it, or "
            f"all but fewer than {_RULE.threshold}, where fewer than {_SCHOOLS} schools have them, "
            f"or where one school has more than {_DOMINANCE} of them.",
        ),
        "estimates": (
            f"An estimate is hidden (c) unless it rests on {_RULE.min_df:.0f} residual degrees of "
            f"freedom, {_RULE.estimate_schools} schools with {_SCHOOLS} in each arm and "
            f"{_RULE.threshold} children, and no school is over half of its arm. Estimates are "
            "rounded to the second significant figure of their standard error.",
        ),
        "sample": (
            f"Numbers of children are shown to the nearest {_RULE.base} and hidden (c) under "
            f"{_RULE.threshold}, numbers of schools under {_SCHOOLS}, and with them the numbers "
            "that they could be worked out from. Means and shares have two significant figures.",
        ),
        "schools": (
            f"How much schools differ is shown where at least {_RULE.estimate_schools} of them "
            "stand behind it, to two significant figures. No school's value is released.",
        ),
        "published": (),
        "facts": (),
    }
)
"""Notes by how a table was made safe."""


@sentences
def notes_of(safe: SafeTable) -> tuple[str, ...]:
    """Return what a reader must know of how a table was protected.

    Published figures keep DfE's own symbols, and an internal table is not protected at all: they
    have no notes.
    """
    return () if is_published(safe.frame) or INTERNAL_STAMP in safe.stamp else NOTES[safe.gate]
