"""Which numerators are part of which: who missed half of the sessions missed a tenth of them too.

A reader knows it without being told, so a part is never rounded above what holds it, and the
children between the two are a count of children like any other.
"""

from collections.abc import Mapping
from types import MappingProxyType

from vsh_eval import registry

NESTED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "severe_absence": ("persistent_absence",),
        # Every child suspended has one suspension or more.
        "pupils_suspended": ("suspension_rate",),
        "ks2_rwm_expected": (
            "ks2_reading_expected",
            "ks2_writing_expected",
            "ks2_maths_expected",
        ),
        "ks4_basics_95": ("ks4_basics_94",),
    }
)
"""The numerators that hold another one, by the name of that other one.

A permanent exclusion need not follow a suspension, so neither of the two holds the other.
"""


def rounding_order(metric: str) -> tuple[bool, str]:
    """Sort metrics so that those that hold others come first.

    Examples
    --------
    >>> sorted(["ks4_basics_95", "severe_absence", "persistent_absence"], key=rounding_order)
    ['persistent_absence', 'ks4_basics_95', 'severe_absence']
    """
    return metric in NESTED, metric


def inside(metric: str) -> tuple[str, ...]:
    """Return the metrics whose numerators are part of a metric's.

    Examples
    --------
    >>> inside("persistent_absence")
    ('severe_absence',)
    """
    return tuple(part for part, wholes in NESTED.items() if metric in wholes)


def pairs_of_children() -> tuple[tuple[str, str], ...]:
    """Return each part that counts children with a metric of children that holds it.

    Examples
    --------
    >>> ("ks4_basics_95", "ks4_basics_94") in pairs_of_children()
    True
    >>> ("pupils_suspended", "suspension_rate") in pairs_of_children()
    False
    """
    return tuple(
        (part, whole)
        for part, wholes in NESTED.items()
        for whole in wholes
        if registry.metric(whole).counts == "children"
    )


def yields(part: str, whole: str) -> str:
    """Return which of a pair is hidden where too few children lie between: the report's later one.

    Examples
    --------
    >>> yields("ks2_rwm_expected", "ks2_maths_expected")
    'ks2_maths_expected'
    >>> yields("severe_absence", "persistent_absence")
    'severe_absence'
    """
    order = list(registry.METRICS)
    return max(part, whole, key=order.index)
