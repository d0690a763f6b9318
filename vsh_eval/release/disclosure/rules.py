"""The disclosure rules and their numbers, each in one place."""

from dataclasses import dataclass
from types import MappingProxyType

from vsh_eval import names
from vsh_eval.contracts import require_one_of

INTERNAL_STAMP = "INTERNAL ONLY - NOT FOR RELEASE"
"""Stands on everything made with a rule that protects nothing."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One disclosure rule.

    Attributes
    ----------
    name : str
        What the settings and the manifest call it.
    threshold : int
        A number of children below it is hidden, true or perturbed.
    base : int
        Numbers of children are displayed to the nearest multiple of it.
    min_schools : int
        A cell with children in fewer schools is hidden.
    dominance : float
        A cell is hidden in which one school holds a larger share of the children, or one child
        makes a larger part of a sum.
    min_df : float
        Residual degrees of freedom an estimate needs.
    estimate_schools : int
        Schools an estimate needs, both arms together; each arm needs ``min_schools``.
    arm_dominance : float
        Largest share of its arm one school may hold in an estimate.
    exact : bool
        Whether the rule protects nothing, so that what it makes must stay inside.
    """

    name: str
    threshold: int = names.LEAST_PUPILS
    base: int = 5
    min_schools: int = 3
    dominance: float = 0.80
    min_df: float = 10.0
    estimate_schools: int = 10
    arm_dominance: float = 0.50
    exact: bool = False

    @property
    def stamp(self) -> str:
        """What everything made with the rule must say."""
        return INTERNAL_STAMP if self.exact else ""


RULES = MappingProxyType({rule.name: rule for rule in (Rule("cellkey"), Rule("none", exact=True))})
"""Every rule by name: ``cellkey`` for release, ``none`` for internal use only."""


def rule_named(name: str) -> Rule:
    """Return a disclosure rule by its name.

    Raises
    ------
    ContractError
        If no rule has that name.

    Examples
    --------
    >>> rule_named("none").stamp
    'INTERNAL ONLY - NOT FOR RELEASE'
    """
    return RULES[require_one_of(name, RULES, name="disclosure rule")]
