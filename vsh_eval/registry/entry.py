"""What an entry of the registry says of a metric."""

from dataclasses import dataclass
from typing import Literal

Topic = Literal["attendance", "suspension", "moves", "attainment"]
Counts = Literal["children", "sessions", "events", "points"]
Origin = Literal["attendance", "suspensions", "enrolments", "attainment", "rank"]


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
        The question it belongs to.
    origin : {"attendance", "suspensions", "enrolments", "attainment", "rank"}
        What it is added up from. A metric of ``attainment`` is the measure of that name in the
        attainment return, and a ``rank`` is the place of ``ranks`` in it; both are added up in
        hundredths. Every other metric is added up in whole numbers, by its own line of the
        cohort's SQL.
    counts : {"children", "sessions", "events", "points"}
        What the numerator adds up. Sums that do not count children are never shown. Sessions
        missed are a part of those possible; events are whole numbers that may exceed the pupils;
        points are scores, which may be negative.
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
    subset_of : tuple of str
        The metrics whose numerators hold this one's, child by child: who missed half of the
        sessions missed a tenth of them too.
    parts_of : str
        The metric that this one and the others of the same ``parts_of`` add up to.
    noise_weight : float
        w of the cell key method: a released level moves by w / pupils for each unit of noise.
        About a third of the range of what one child adds, so that one child cannot be told.
    published_decimals : int
        Decimals of the rates that DfE publishes: 0 where it gives whole per cent only.
    """

    name: str
    label: str
    numerator: str
    denominator: str
    population: str
    source: str
    year_groups: tuple[int, ...]
    lower_is_better: bool
    topic: Topic
    origin: Origin
    counts: Counts = "children"
    unit: str = "%"
    gap_unit: str = "percentage points"
    scale: float = 100.0
    lowest: float = 0.0
    highest: float = 100.0
    ranks: str = ""
    subset_of: tuple[str, ...] = ()
    parts_of: str = ""
    noise_weight: float = 1.0
    published_decimals: int = 1

    @property
    def units_of_one(self) -> int:
        """How many of the units that are added up make one: attainment is in hundredths."""
        return 100 if self.origin in ("attainment", "rank") else 1

    @property
    def has_ratio(self) -> bool:
        """Whether one level over another means something: not for ranks, nor where 0 is no end."""
        return self.lowest >= 0 and not self.ranks
