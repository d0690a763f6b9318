"""What the attainment return may name, and which metrics are made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from vsh_eval.contracts import ContractError
from vsh_eval.registry.entry import Metric
from vsh_eval.registry.known import METRICS, of_topic


@dataclass(frozen=True, slots=True)
class Measure:
    """What the attainment return may name as a measure.

    Attributes
    ----------
    name : str
        The word in the column ``measure``: a metric of attainment, or a score that is ranked.
    whole : bool
        Whether a pupil's value is 0 or 1.
    lowest, highest : float
        The range of a pupil's value.
    year_groups : tuple of int
        The national curriculum years it is of.
    metrics : tuple of str
        The metrics made from it.
    """

    name: str
    whole: bool
    lowest: float
    highest: float
    year_groups: tuple[int, ...]
    metrics: tuple[str, ...]


_SCALED_SCORES: Mapping[str, tuple[float, float]] = dict.fromkeys(
    ("ks2_reading_score", "ks2_maths_score"), (80.0, 120.0)
)
"""Scores that are ranked and are no metric themselves, with the range of their values."""


def returned_measures() -> tuple[Measure, ...]:
    """Return what the attainment return may name as a measure, in the order of the report.

    Returns
    -------
    tuple of Measure
        Every metric of attainment that is not a rank, and every score that is ranked. A rank is
        worked out here and cannot be returned.

    Raises
    ------
    ContractError
        If a rank is made from a measure that is neither.

    Examples
    --------
    >>> [m.name for m in returned_measures() if "ks2_reading_rank" in m.metrics]
    ['ks2_reading_score']
    >>> {m.name: m.metrics for m in returned_measures()}["ks4_attainment8"]
    ('ks4_attainment8', 'ks4_attainment8_rank')
    """
    measures: dict[str, Measure] = {}
    for entry in of_topic("attainment"):
        name = entry.ranks or entry.name
        if name in measures:
            measures[name] = replace(measures[name], metrics=(*measures[name].metrics, entry.name))
            continue
        whole = entry.counts == "children"
        lowest, highest = (0.0, 1.0) if whole else (entry.lowest, entry.highest)
        if entry.ranks and name not in METRICS:
            lowest, highest = _score_range(entry)
        measures[name] = Measure(name, whole, lowest, highest, entry.year_groups, (entry.name,))
    return tuple(measures.values())


def _score_range(entry: Metric) -> tuple[float, float]:
    try:
        return _SCALED_SCORES[entry.ranks]
    except KeyError:
        raise ContractError(
            f"metric {entry.name!r} ranks {entry.ranks!r}, must rank one of "
            f"{', '.join(_SCALED_SCORES)} or a metric of attainment; register that first."
        ) from None
