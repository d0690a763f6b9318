"""The metrics: what each one counts, over what, and in which years it means the same.

This is the one place to add a metric. Every room reads it; none repeats it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from vsh_eval.contracts import ContractError

Topic = Literal["attendance", "attainment"]
Counts = Literal["children", "sessions", "points"]


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
        Unit of the level: ``%`` or ``points``.
    gap_unit : str
        Unit of a difference of two levels: ``percentage points`` or ``points``.
    lower_is_better : bool
        Direction: whether a fall is an improvement.
    topic : {"attendance", "attainment"}
        The notebook that asks about it.
    counts : {"children", "sessions", "points"}
        What the numerator adds up: children are rounded before release, sums are not shown.
    scale : float
        Level = scale x numerator / denominator.
    year_groups : tuple of int
        The national curriculum years counted (1 to 11 are ages 5 to 15 on 31 August).
    numerator, denominator, population : str
        The definition, in words.
    source : str
        Where the definition comes from.
    lowest, highest : float
        The range of a level, in the metric's unit; no interval reaches beyond it.
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


_COMPULSORY_AGE = tuple(range(1, 12))
_ABSENCE_POPULATION = "pupils aged 5 to 15 on 31 August in state-funded schools"
_ABSENCE_SOURCE = "DfE, Pupil absence in schools in England: methodology"
_KS2_SOURCE = "DfE, Key stage 2 attainment: methodology"
_KS4_SOURCE = "DfE, Key stage 4 performance: methodology"


def _absence(name: str, label: str, numerator: str) -> Metric:
    return Metric(
        name=name,
        label=label,
        unit="%",
        gap_unit="percentage points",
        lower_is_better=True,
        topic="attendance",
        counts="sessions",
        scale=100.0,
        year_groups=_COMPULSORY_AGE,
        numerator=numerator,
        denominator="possible sessions (half days) of the pupils",
        population=_ABSENCE_POPULATION,
        source=_ABSENCE_SOURCE,
    )


def _absentees(name: str, label: str, share: str) -> Metric:
    return Metric(
        name=name,
        label=label,
        unit="%",
        gap_unit="percentage points",
        lower_is_better=True,
        topic="attendance",
        counts="children",
        scale=100.0,
        year_groups=_COMPULSORY_AGE,
        numerator=f"enrolments that missed {share} or more of their own possible sessions",
        denominator="enrolments with at least one possible session",
        population=_ABSENCE_POPULATION,
        source=_ABSENCE_SOURCE,
    )


_BUILT_IN = (
    _absence("overall_absence", "Overall absence", "sessions missed for any reason"),
    _absence("authorised_absence", "Authorised absence", "sessions missed with authorisation"),
    _absence(
        "unauthorised_absence", "Unauthorised absence", "sessions missed without authorisation"
    ),
    _absentees("persistent_absence", "Persistent absence", "10%"),
    _absentees("severe_absence", "Severe absence", "50%"),
    Metric(
        name="ks2_rwm_expected",
        label="Expected standard in reading, writing and maths at key stage 2",
        unit="%",
        gap_unit="percentage points",
        lower_is_better=False,
        topic="attainment",
        counts="children",
        scale=100.0,
        year_groups=(6,),
        numerator="pupils who reached the expected standard in all three subjects",
        denominator="pupils eligible for all three assessments",
        population="pupils at the end of key stage 2 (year 6)",
        source=_KS2_SOURCE,
    ),
    Metric(
        name="ks4_attainment8",
        label="Attainment 8",
        unit="points",
        gap_unit="points",
        lower_is_better=False,
        topic="attainment",
        counts="points",
        scale=1.0,
        year_groups=(11,),
        numerator="sum of the pupils' Attainment 8 scores",
        denominator="pupils at the end of key stage 4",
        population="pupils at the end of key stage 4 (year 11)",
        source=_KS4_SOURCE,
        highest=90.0,
    ),
)

_metrics: dict[str, Metric] = {metric.name: metric for metric in _BUILT_IN}
METRICS = MappingProxyType(_metrics)
"""Every metric, by name, in the order of the report."""


def metric(name: str) -> Metric:
    """Return the registry's entry for a metric.

    Raises
    ------
    ContractError
        If no metric has that name, listing the names there are.

    Examples
    --------
    >>> metric("overall_absence").unit
    '%'
    """
    try:
        return METRICS[name]
    except KeyError:
        raise ContractError(
            f"metric is {name!r}, must be one of {', '.join(METRICS)}; "
            "add a new one with vsh_eval.registry.register."
        ) from None


def register(entry: Metric) -> None:
    """Add a metric; every room knows it from then on.

    Raises
    ------
    ContractError
        If the name is taken.
    """
    if entry.name in METRICS:
        raise ContractError(f"metric {entry.name!r} is registered already; choose another name.")
    _metrics[entry.name] = entry


def of_topic(topic: Topic) -> tuple[Metric, ...]:
    """Return the metrics of one topic, in the order of the report.

    Examples
    --------
    >>> [m.name for m in of_topic("attainment")]
    ['ks2_rwm_expected', 'ks4_attainment8']
    """
    return tuple(entry for entry in METRICS.values() if entry.topic == topic)


@dataclass(frozen=True, slots=True)
class Break:
    """A year in which a metric has no data or means something else.

    Attributes
    ----------
    metrics : tuple of str
        The metrics it touches.
    time_period : int
        The academic year, for example 202021.
    kind : {"no_data", "not_comparable", "definition"}
        ``no_data``: the value is ``x``. ``not_comparable``: shown, never used in a trend or an
        estimate. ``definition``: the series changes at the start of that year; marked in charts.
    note : str
        What happened, in one sentence for a reader.
    source : str
        Where that is written.
    """

    metrics: tuple[str, ...]
    time_period: int
    kind: Literal["no_data", "not_comparable", "definition"]
    note: str
    source: str


_ABSENCE = (
    "overall_absence",
    "authorised_absence",
    "unauthorised_absence",
    "persistent_absence",
    "severe_absence",
)

BREAKS: tuple[Break, ...] = (
    Break(
        _ABSENCE,
        201920,
        "no_data",
        "No full-year absence was collected in 2019/20: schools closed to most in March 2020.",
        "DfE, Pupil absence in schools in England 2019/20",
    ),
    Break(
        _ABSENCE,
        202021,
        "definition",
        "Sessions missed because of coronavirus (code X) are outside the 2020/21 rates.",
        "DfE, Pupil absence in schools in England 2020/21",
    ),
    Break(
        _ABSENCE,
        202122,
        "definition",
        "Code X was withdrawn in April 2022; illness with COVID-19 counts as absence from then.",
        "DfE, Pupil absence in schools in England: methodology",
    ),
    Break(
        _ABSENCE,
        202425,
        "definition",
        "The attendance codes changed on 19 August 2024.",
        "School Attendance (Pupil Registration) (England) Regulations 2024",
    ),
    *(
        Break(
            ("ks2_rwm_expected",),
            year,
            "no_data",
            f"No key stage 2 assessments were taken in {year // 100}/{year % 100}.",
            "DfE, Key stage 2 attainment 2021/22",
        )
        for year in (201920, 202021)
    ),
    Break(
        ("ks4_attainment8",),
        201920,
        "not_comparable",
        "GCSE grades in 2019/20 were assessed by schools, not examined.",
        "DfE, Key stage 4 performance 2019/20",
    ),
    Break(
        ("ks4_attainment8",),
        202021,
        "not_comparable",
        "GCSE grades in 2020/21 were assessed by teachers, not examined.",
        "DfE, Key stage 4 performance 2020/21",
    ),
    Break(
        ("ks4_attainment8",),
        202122,
        "definition",
        "GCSE grades in 2021/22 were set midway between 2018/19 and 2020/21.",
        "DfE, Key stage 4 performance 2021/22",
    ),
    Break(
        ("ks4_attainment8",),
        202223,
        "definition",
        "GCSE grading returned to pre-pandemic standards in 2022/23, with protection.",
        "DfE, Key stage 4 performance 2022/23",
    ),
)
"""Every break, one row each."""


def breaks_of(name: str, years: Iterable[int] | None = None) -> tuple[Break, ...]:
    """Return a metric's breaks, in the order of the years.

    Parameters
    ----------
    name : str
        The metric.
    years : iterable of int, optional
        Only breaks of these academic years.

    Examples
    --------
    >>> [b.time_period for b in breaks_of("ks2_rwm_expected")]
    [201920, 202021]
    """
    wanted = None if years is None else set(years)
    found = (
        entry
        for entry in BREAKS
        if name in entry.metrics and (wanted is None or entry.time_period in wanted)
    )
    return tuple(sorted(found, key=lambda entry: entry.time_period))


def comparable_years(name: str, years: Iterable[int]) -> tuple[int, ...]:
    """Return the years in which a metric has data that may be compared, in order.

    Examples
    --------
    >>> comparable_years("ks4_attainment8", [201819, 201920, 202021, 202122])
    (201819, 202122)
    """
    unusable = {entry.time_period for entry in breaks_of(name) if entry.kind != "definition"}
    return tuple(year for year in sorted(years) if year not in unusable)
