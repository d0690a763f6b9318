"""What an entry of the registry says of a metric."""

from dataclasses import dataclass
from typing import Literal

Topic = Literal["attendance", "suspension", "moves", "attainment"]
Counts = Literal["children", "sessions", "events", "points"]


@dataclass(frozen=True, slots=True)
class Metric:
    """A ratio of two sums over the pupils of a cell.

    Attributes
    ----------
    name : str
        The metric's name in every table.
    label : str
        What a chart or a heading calls it.
    unit : str
        Unit of the level: ``%``, ``points``, ``percentile points`` or ``suspensions per 100
        pupils``.
    gap_unit : str
        Unit of a difference of two levels: ``percentage points`` where the level is in per cent,
        else the level's unit.
    lower_is_better : bool
        Direction: whether a fall is an improvement.
    topic : {"attendance", "suspension", "moves", "attainment"}
        The question it belongs to. A metric of attainment is a measure of that return, unless
        it is a rank.
    counts : {"children", "sessions", "events", "points"}
        What the numerator adds up. Children are rounded before release; the other sums are never
        shown. Sessions missed are a part of those possible; events are whole numbers that may
        exceed the pupils; points are scores, which may be negative.
    scale : float
        Level = scale x numerator / denominator.
    year_groups : tuple of int
        The national curriculum years counted (1 to 11 are ages 5 to 15 on 31 August).
    numerator, denominator, population : str
        The definition, in words.
    source : str
        Where the definition comes from.
    lowest, highest : float
        The range of a level, in the metric's unit; no interval reaches beyond it. For a measure
        of attainment that counts points it is the range of a pupil's value too.
    ranks : str
        The returned measure whose values are ranked, for a rank; empty otherwise.
    """

    name: str
    label: str
    unit: str
    gap_unit: str
    lower_is_better: bool
    topic: Topic
    counts: Counts
    scale: float
    year_groups: tuple[int, ...]
    numerator: str
    denominator: str
    population: str
    source: str
    lowest: float = 0.0
    highest: float = 100.0
    ranks: str = ""

    @property
    def has_ratio(self) -> bool:
        """Whether one level over another means something: not for ranks, nor where 0 is no end."""
        return self.lowest >= 0 and not self.ranks
