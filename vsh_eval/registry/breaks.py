"""The years in which a metric has no data, may not be compared, or changes its meaning."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from vsh_eval.registry.attainment import SUBJECTS
from vsh_eval.registry.known import of_topic

Kind = Literal["no_data", "not_comparable", "definition"]


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
    kind: Kind
    note: str
    source: str


_ABSENCE, _SUSPENSION = (
    tuple(entry.name for entry in of_topic(topic)) for topic in ("attendance", "suspension")
)
_KS2_SHARES = tuple(f"ks2_{name}_expected" for name in ("rwm", *SUBJECTS))
_KS2_RANKS = ("ks2_reading_rank", "ks2_maths_rank")
_KS2_PROGRESS = tuple(f"ks2_{subject}_progress" for subject in SUBJECTS)
_KS4_GRADES = ("ks4_attainment8", "ks4_basics_94", "ks4_basics_95")
_WITHOUT_ASSESSMENT = (201920, 202021)
_BEFORE_REFORM = tuple(range(201213, 201920, 101))


def _in(year: int) -> str:
    return f"{year // 100}/{year % 100:02d}"


def _each(
    metrics: tuple[str, ...], years: Iterable[int], kind: Kind, note: str, source: str
) -> tuple[Break, ...]:
    """Return a break in each of several years, whose note names the year."""
    return tuple(Break(metrics, y, kind, note.format(year=_in(y)), source) for y in years)


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
    *_each(
        ("eyfsp_gld",),
        _BEFORE_REFORM,
        "not_comparable",
        "The profile of {year} was that before the reform of September 2021.",
        "DfE, Early years foundation stage profile results 2021/22",
    ),
    *_each(
        ("eyfsp_gld",),
        _WITHOUT_ASSESSMENT,
        "no_data",
        "No early years foundation stage profiles were collected in {year}.",
        "DfE, Early years foundation stage profile results 2021/22",
    ),
    Break(
        ("eyfsp_gld",),
        202122,
        "definition",
        "The early years foundation stage profile was reformed in September 2021.",
        "DfE, Early years foundation stage profile results 2021/22",
    ),
    *_each(
        ("phonics_expected",),
        _WITHOUT_ASSESSMENT,
        "no_data",
        "No phonics screening check was taken in year 1 in {year}.",
        "DfE, Phonics screening check attainment 2021/22",
    ),
    *_each(
        (*_KS2_SHARES, *_KS2_PROGRESS, *_KS2_RANKS),
        _WITHOUT_ASSESSMENT,
        "no_data",
        "No key stage 2 assessments were taken in {year}.",
        "DfE, Key stage 2 attainment 2021/22",
    ),
    Break(
        ("ks2_rwm_expected", "ks2_writing_expected"),
        201718,
        "definition",
        "The framework by which teachers assess writing was revised in 2017/18.",
        "Standards and Testing Agency, Teacher assessment frameworks at the end of key stage 2",
    ),
    *_each(
        _KS2_PROGRESS,
        (202324, 202425),
        "no_data",
        "No progress to key stage 2 can be given for {year}: the pupils took no "
        "assessments at key stage 1.",
        "DfE, Key stage 2 attainment 2023/24",
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
    *_each(
        ("ks4_progress8",),
        (201920, 202021),
        "no_data",
        "No Progress 8 was published for {year}, when GCSEs were not examined.",
        "DfE, Local authority interactive tool: dictionary",
    ),
    *_each(
        ("ks4_progress8",),
        (202425, 202526),
        "no_data",
        "No Progress 8 can be given for {year}: the pupils took no assessments at key stage 2.",
        "DfE, Secondary accountability measures 2025",
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
    breaks = (
        entry
        for entry in BREAKS
        if name in entry.metrics and (wanted is None or entry.time_period in wanted)
    )
    return tuple(sorted(breaks, key=lambda entry: entry.time_period))


def years_without_data(name: str, years: Iterable[int] | None = None) -> frozenset[int]:
    """Return the years in which a metric has no data.

    Parameters
    ----------
    name : str
        The metric.
    years : iterable of int, optional
        Only these academic years; every year that the registry knows if not given.

    Examples
    --------
    >>> sorted(years_without_data("ks4_progress8", (201819, 201920, 202021)))
    [201920, 202021]
    """
    return frozenset(e.time_period for e in breaks_of(name, years) if e.kind == "no_data")


def comparable_years(name: str, years: Iterable[int]) -> tuple[int, ...]:
    """Return the years in which a metric has data that may be compared, in order.

    Examples
    --------
    >>> comparable_years("ks4_attainment8", [201819, 201920, 202021, 202122])
    (201819, 202122)
    """
    unusable = {entry.time_period for entry in breaks_of(name) if entry.kind != "definition"}
    return tuple(year for year in sorted(years) if year not in unusable)
