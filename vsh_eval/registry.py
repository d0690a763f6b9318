"""The metrics: what each one counts, over what, and in which years it means the same.

This is the one place to add a metric. Every room reads it; none repeats it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from vsh_eval.contracts import ContractError

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


_COMPULSORY_AGE = tuple(range(1, 12))
_EVERY_AGE = tuple(range(-2, 15))
_RECEPTION, _YEAR_1, _YEAR_6, _YEAR_11 = (0,), (1,), (6,), (11,)
_SUBJECTS = ("reading", "writing", "maths")
_SESSIONS = "possible sessions (half days) of the pupils"
_ENROLMENTS = "enrolments with at least one possible session"
_ON_ROLL = "enrolments of the year (a pupil who moved counts at each school)"
_KS2_POPULATION = "pupils at the end of key stage 2 (year 6)"
_KS4_POPULATION = "pupils at the end of key stage 4 (year 11)"
_ABSENCE_SOURCE = "DfE, Pupil absence in schools in England: methodology"
_SUSPENSION_SOURCE = "DfE, Suspensions and permanent exclusions in England: methodology"
_MOVES_SOURCE = "DfE, School census guide: enrolments and dates of entry and leaving"
_EYFS_SOURCE = "DfE, Early years foundation stage profile results: methodology"
_PHONICS_SOURCE = "DfE, Phonics screening check attainment: methodology"
_KS2_SOURCE = "DfE, Key stage 2 attainment: methodology"
_KS4_SOURCE = "DfE, Key stage 4 performance: methodology"
_RANK_SOURCE = "DfE, Measuring disadvantaged pupils' attainment gaps over time (SFR 40/2014)"
_HIGHEST_PROGRESS = 40.0
"""Scaled scores of key stage 2 run from 80 to 120."""


def _absence(name: str, label: str, numerator: str) -> Metric:
    return _of_absence(name, label, numerator, _SESSIONS, "sessions")


def _absentees(name: str, label: str, share: str) -> Metric:
    numerator = f"enrolments that missed {share} or more of their own possible sessions"
    return _of_absence(name, label, numerator, _ENROLMENTS, "children")


def _of_absence(name: str, label: str, numerator: str, denominator: str, counts: Counts) -> Metric:
    return Metric(
        name=name,
        label=label,
        unit="%",
        gap_unit="percentage points",
        lower_is_better=True,
        topic="attendance",
        counts=counts,
        scale=100.0,
        year_groups=_COMPULSORY_AGE,
        numerator=numerator,
        denominator=denominator,
        population="pupils aged 5 to 15 on 31 August in state-funded schools",
        source=_ABSENCE_SOURCE,
    )


def _suspension(name: str, label: str, numerator: str, counts: Counts = "children") -> Metric:
    events = counts == "events"
    return Metric(
        name=name,
        label=label,
        unit="suspensions per 100 pupils" if events else "%",
        gap_unit="suspensions per 100 pupils" if events else "percentage points",
        lower_is_better=True,
        topic="suspension",
        counts=counts,
        scale=100.0,
        year_groups=_EVERY_AGE,
        numerator=numerator,
        denominator=_ON_ROLL,
        population="pupils of every age in state-funded schools",
        source=_SUSPENSION_SOURCE,
        highest=float("inf") if events else 100.0,
    )


def _reaching(
    name: str,
    label: str,
    year_groups: tuple[int, ...],
    *,
    reached: str,
    eligible: str,
    population: str,
    source: str,
) -> Metric:
    return Metric(
        name=name,
        label=label,
        unit="%",
        gap_unit="percentage points",
        lower_is_better=False,
        topic="attainment",
        counts="children",
        scale=100.0,
        year_groups=year_groups,
        numerator=f"pupils who {reached}",
        denominator=eligible,
        population=population,
        source=source,
    )


def _expected(subjects: str, *, eligible: str, reached: str) -> Metric:
    name = {"reading, writing and maths": "rwm"}.get(subjects, subjects)
    return _reaching(
        f"ks2_{name}_expected",
        f"Expected standard in {subjects} at key stage 2",
        _YEAR_6,
        reached=reached,
        eligible=eligible,
        population=_KS2_POPULATION,
        source=_KS2_SOURCE,
    )


def _basics(grade: int, called: str) -> Metric:
    return _reaching(
        f"ks4_basics_9{grade}",
        f"{called} pass (grade {grade} or above) in English and maths",
        _YEAR_11,
        reached=f"achieved grade {grade} or above in maths and in English language or literature",
        eligible="pupils at the end of key stage 4",
        population=_KS4_POPULATION,
        source=_KS4_SOURCE,
    )


def _score(
    name: str,
    label: str,
    year_groups: tuple[int, ...],
    *,
    numerator: str,
    denominator: str,
    lowest: float,
    highest: float,
) -> Metric:
    of_ks2 = year_groups == _YEAR_6
    return Metric(
        name=name,
        label=label,
        unit="points",
        gap_unit="points",
        lower_is_better=False,
        topic="attainment",
        counts="points",
        scale=1.0,
        year_groups=year_groups,
        numerator=numerator,
        denominator=denominator,
        population=_KS2_POPULATION if of_ks2 else _KS4_POPULATION,
        source=_KS2_SOURCE if of_ks2 else _KS4_SOURCE,
        lowest=lowest,
        highest=highest,
    )


def _progress(subject: str) -> Metric:
    return _score(
        f"ks2_{subject}_progress",
        f"Progress in {subject} at key stage 2",
        _YEAR_6,
        numerator=f"sum of the pupils' progress scores in {subject}: own result less the national "
        "mean of pupils with like results at key stage 1",
        denominator=f"pupils with a progress score in {subject}",
        lowest=-_HIGHEST_PROGRESS,
        highest=_HIGHEST_PROGRESS,
    )


def _rank(name: str, label: str, measure: str, year_groups: tuple[int, ...]) -> Metric:
    return Metric(
        name=name,
        label=label,
        unit="percentile points",
        gap_unit="percentile points",
        lower_is_better=False,
        topic="attainment",
        counts="points",
        scale=1.0,
        year_groups=year_groups,
        numerator="sum of the pupils' percentile ranks, (midrank - 0.5) / N x 100, among all N "
        f"pupils of the authority and year with a value of {measure}",
        denominator=f"pupils with a value of {measure}",
        population=_KS2_POPULATION if year_groups == _YEAR_6 else _KS4_POPULATION,
        source=_RANK_SOURCE,
        ranks=measure,
    )


_BUILT_IN = (
    _absence("overall_absence", "Overall absence", "sessions missed for any reason"),
    _absence("authorised_absence", "Authorised absence", "sessions missed with authorisation"),
    _absence(
        "unauthorised_absence", "Unauthorised absence", "sessions missed without authorisation"
    ),
    _absentees("persistent_absence", "Persistent absence", "10%"),
    _absentees("severe_absence", "Severe absence", "50%"),
    _suspension("suspension_rate", "Suspension rate", "suspensions in the year", "events"),
    _suspension(
        "pupils_suspended",
        "Share of pupils suspended",
        "enrolments with one or more suspensions in the year",
    ),
    _suspension(
        "permanent_exclusion",
        "Share of pupils permanently excluded",
        "enrolments that ended in a permanent exclusion",
    ),
    replace(
        _suspension(
            "school_move",
            "Share of pupils with another school in the year",
            "enrolments of pupils who had another school in the same year, by a move or by a "
            "registration at two schools at once",
        ),
        topic="moves",
        source=_MOVES_SOURCE,
    ),
    _reaching(
        "eyfsp_gld",
        "Good level of development at the end of reception",
        _RECEPTION,
        reached="were at the expected level in the 12 early learning goals of communication and "
        "language, personal, social and emotional development, physical development, literacy "
        "and maths",
        eligible="pupils with a profile",
        population="pupils at the end of reception",
        source=_EYFS_SOURCE,
    ),
    _reaching(
        "phonics_expected",
        "Expected standard in phonics in year 1",
        _YEAR_1,
        reached="met the standard of the phonics screening check in year 1",
        eligible="pupils eligible for the check in year 1",
        population="pupils in year 1",
        source=_PHONICS_SOURCE,
    ),
    _expected(
        "reading, writing and maths",
        reached="reached the expected standard in all three subjects",
        eligible="pupils eligible for all three assessments",
    ),
    *(
        _expected(
            subject,
            reached="were assessed by their teachers as working at the expected standard"
            if subject == "writing"
            else "had a scaled score of 100 or more",
            eligible=f"pupils eligible for the assessment in {subject}",
        )
        for subject in _SUBJECTS
    ),
    *(_progress(subject) for subject in _SUBJECTS),
    *(
        _rank(
            f"ks2_{subject}_rank",
            f"Mean percentile rank in {subject} at key stage 2",
            f"ks2_{subject}_score",
            _YEAR_6,
        )
        for subject in ("reading", "maths")
    ),
    _score(
        "ks4_attainment8",
        "Attainment 8",
        _YEAR_11,
        numerator="sum of the pupils' Attainment 8 scores",
        denominator="pupils at the end of key stage 4",
        lowest=0.0,
        highest=90.0,
    ),
    _score(
        "ks4_progress8",
        "Progress 8",
        _YEAR_11,
        numerator="sum of the pupils' Progress 8 scores: a tenth of Attainment 8 less the national "
        "mean of pupils with like results at key stage 2",
        denominator="pupils at the end of key stage 4 with results at key stage 2",
        lowest=-9.0,
        highest=9.0,
    ),
    _basics(4, "Standard"),
    _basics(5, "Strong"),
    _rank(
        "ks4_attainment8_rank", "Mean percentile rank in Attainment 8", "ks4_attainment8", _YEAR_11
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
    >>> [m.name for m in of_topic("suspension")]
    ['suspension_rate', 'pupils_suspended', 'permanent_exclusion']
    """
    return tuple(entry for entry in METRICS.values() if entry.topic == topic)


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


_SCALED_SCORES: Mapping[str, tuple[float, float]] = MappingProxyType(
    dict.fromkeys(("ks2_reading_score", "ks2_maths_score"), (80.0, 120.0))
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
    found: dict[str, Measure] = {}
    for entry in of_topic("attainment"):
        name = entry.ranks or entry.name
        if name in found:
            found[name] = replace(found[name], metrics=(*found[name].metrics, entry.name))
            continue
        whole = entry.counts == "children"
        lowest, highest = (0.0, 1.0) if whole else (entry.lowest, entry.highest)
        if entry.ranks and name not in METRICS:
            lowest, highest = _score_range(entry)
        found[name] = Measure(name, whole, lowest, highest, entry.year_groups, (entry.name,))
    return tuple(found.values())


def _score_range(entry: Metric) -> tuple[float, float]:
    try:
        return _SCALED_SCORES[entry.ranks]
    except KeyError:
        raise ContractError(
            f"metric {entry.name!r} ranks {entry.ranks!r}, must rank one of "
            f"{', '.join(_SCALED_SCORES)} or a metric of attainment; register that first."
        ) from None


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


_ABSENCE, _SUSPENSION = (
    tuple(entry.name for entry in of_topic(topic)) for topic in ("attendance", "suspension")
)
_KS2_SHARES = tuple(f"ks2_{name}_expected" for name in ("rwm", *_SUBJECTS))
_KS2_RANKS = ("ks2_reading_rank", "ks2_maths_rank")
_KS2_PROGRESS = tuple(f"ks2_{subject}_progress" for subject in _SUBJECTS)
_KS4_GRADES = ("ks4_attainment8", "ks4_basics_94", "ks4_basics_95")
_WITHOUT_ASSESSMENT = (201920, 202021)
_BEFORE_REFORM = tuple(range(201213, 201920, 101))


def _in(year: int) -> str:
    return f"{year // 100}/{year % 100:02d}"


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
    Break(
        _SUSPENSION,
        201920,
        "not_comparable",
        "Schools were closed to most pupils from March 2020, so fewer could be suspended.",
        "DfE, Suspensions and permanent exclusions in England 2019/20",
    ),
    Break(
        _SUSPENSION,
        202021,
        "not_comparable",
        "Schools were closed to most pupils from January to March 2021, so fewer could be "
        "suspended.",
        "DfE, Suspensions and permanent exclusions in England 2020/21",
    ),
    *(
        Break(
            ("eyfsp_gld",),
            year,
            "not_comparable",
            f"The profile of {_in(year)} was that before the reform of September 2021.",
            "DfE, Early years foundation stage profile results 2021/22",
        )
        for year in _BEFORE_REFORM
    ),
    *(
        Break(
            ("eyfsp_gld",),
            year,
            "no_data",
            f"No early years foundation stage profiles were collected in {_in(year)}.",
            "DfE, Early years foundation stage profile results 2021/22",
        )
        for year in _WITHOUT_ASSESSMENT
    ),
    Break(
        ("eyfsp_gld",),
        202122,
        "definition",
        "The early years foundation stage profile was reformed in September 2021.",
        "DfE, Early years foundation stage profile results 2021/22",
    ),
    *(
        Break(
            ("phonics_expected",),
            year,
            "no_data",
            f"No phonics screening check was taken in year 1 in {_in(year)}.",
            "DfE, Phonics screening check attainment 2021/22",
        )
        for year in _WITHOUT_ASSESSMENT
    ),
    *(
        Break(
            (*_KS2_SHARES, *_KS2_PROGRESS, *_KS2_RANKS),
            year,
            "no_data",
            f"No key stage 2 assessments were taken in {_in(year)}.",
            "DfE, Key stage 2 attainment 2021/22",
        )
        for year in _WITHOUT_ASSESSMENT
    ),
    Break(
        ("ks2_rwm_expected", "ks2_writing_expected"),
        201718,
        "definition",
        "The framework by which teachers assess writing was revised in 2017/18.",
        "Standards and Testing Agency, Teacher assessment frameworks at the end of key stage 2",
    ),
    *(
        Break(
            _KS2_PROGRESS,
            year,
            "no_data",
            f"No progress to key stage 2 can be given for {_in(year)}: the pupils took no "
            "assessments at key stage 1.",
            "DfE, Key stage 2 attainment 2023/24",
        )
        for year in (202324, 202425)
    ),
    *(
        Break(
            ("ks4_attainment8",),
            year,
            "definition",
            f"The highest possible Attainment 8 score rose from {before} to {now} in {_in(year)}.",
            "DfE, Local authority interactive tool: dictionary",
        )
        for year, before, now in ((201617, 80, 87), (201718, 87, 90))
    ),
    Break(
        (*_KS4_GRADES, "ks4_attainment8_rank"),
        201920,
        "not_comparable",
        "GCSE grades in 2019/20 were assessed by schools, not examined.",
        "DfE, Key stage 4 performance 2019/20",
    ),
    Break(
        (*_KS4_GRADES, "ks4_attainment8_rank"),
        202021,
        "not_comparable",
        "GCSE grades in 2020/21 were assessed by teachers, not examined.",
        "DfE, Key stage 4 performance 2020/21",
    ),
    Break(
        _KS4_GRADES,
        202122,
        "definition",
        "GCSE grades in 2021/22 were set midway between 2018/19 and 2020/21.",
        "DfE, Key stage 4 performance 2021/22",
    ),
    Break(
        _KS4_GRADES,
        202223,
        "definition",
        "GCSE grading returned to pre-pandemic standards in 2022/23, with protection.",
        "DfE, Key stage 4 performance 2022/23",
    ),
    *(
        Break(
            ("ks4_progress8",),
            year,
            "no_data",
            f"No Progress 8 was published for {_in(year)}, when GCSEs were not examined.",
            "DfE, Local authority interactive tool: dictionary",
        )
        for year in (201920, 202021)
    ),
    *(
        Break(
            ("ks4_progress8",),
            year,
            "no_data",
            f"No Progress 8 can be given for {_in(year)}: the pupils took no assessments at key "
            "stage 2.",
            "DfE, Secondary accountability measures 2025",
        )
        for year in (202425, 202526)
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
    >>> [b.time_period for b in breaks_of("ks2_maths_expected")]
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
