"""Attainment from reception to key stage 4: the entries, in the order of the report."""

from dataclasses import replace

from vsh_eval.registry.entry import Metric

SUBJECTS = ("reading", "writing", "maths")
_RECEPTION, _YEAR_1, _YEAR_6, _YEAR_11 = (0,), (1,), (6,), (11,)
_KS2_POPULATION = "pupils at the end of key stage 2 (year 6)"
_KS4_POPULATION = "pupils at the end of key stage 4 (year 11)"
_EYFS_SOURCE = "DfE, Early years foundation stage profile results: methodology"
_PHONICS_SOURCE = "DfE, Phonics screening check attainment: methodology"
_KS2_SOURCE = "DfE, Key stage 2 attainment: methodology"
_KS4_SOURCE = "DfE, Key stage 4 performance: methodology"
_RANK_SOURCE = "DfE, Measuring disadvantaged pupils' attainment gaps over time (SFR 40/2014)"
_HIGHEST_PROGRESS = 40.0
"""Scaled scores of key stage 2 run from 80 to 120."""


def _reaching(
    name: str,
    label: str,
    year_groups: tuple[int, ...],
    *,
    reached: str,
    eligible: str,
    population: str,
    source: str,
    published_decimals: int = 1,
) -> Metric:
    return Metric(
        name=name,
        label=label,
        unit="%",
        gap_unit="percentage points",
        lower_is_better=False,
        topic="attainment",
        origin="attainment",
        counts="children",
        scale=100.0,
        year_groups=year_groups,
        numerator=f"pupils who {reached}",
        denominator=eligible,
        population=population,
        source=source,
        published_decimals=published_decimals,
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
        published_decimals=0,
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
    noise_weight: float,
) -> Metric:
    of_ks2 = year_groups == _YEAR_6
    return Metric(
        name=name,
        label=label,
        unit="points",
        gap_unit="points",
        lower_is_better=False,
        topic="attainment",
        origin="attainment",
        counts="points",
        scale=1.0,
        year_groups=year_groups,
        numerator=numerator,
        denominator=denominator,
        population=_KS2_POPULATION if of_ks2 else _KS4_POPULATION,
        source=_KS2_SOURCE if of_ks2 else _KS4_SOURCE,
        lowest=lowest,
        highest=highest,
        noise_weight=noise_weight,
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
        noise_weight=8.0,
    )


def _rank(name: str, label: str, measure: str, year_groups: tuple[int, ...]) -> Metric:
    return Metric(
        name=name,
        label=label,
        unit="percentile points",
        gap_unit="percentile points",
        lower_is_better=False,
        topic="attainment",
        origin="rank",
        counts="points",
        scale=1.0,
        year_groups=year_groups,
        numerator="sum of the pupils' percentile ranks, (midrank - 0.5) / N x 100, among all N "
        f"pupils of the authority and year with a value of {measure}",
        denominator=f"pupils with a value of {measure}",
        population=_KS2_POPULATION if year_groups == _YEAR_6 else _KS4_POPULATION,
        source=_RANK_SOURCE,
        ranks=measure,
        noise_weight=35.0,
    )


ENTRIES = (
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
        published_decimals=0,
    ),
    replace(
        _expected(
            "reading, writing and maths",
            reached="reached the expected standard in all three subjects",
            eligible="pupils eligible for all three assessments",
        ),
        subset_of=tuple(f"ks2_{subject}_expected" for subject in SUBJECTS),
    ),
    *(
        _expected(
            subject,
            reached="were assessed by their teachers as working at the expected standard"
            if subject == "writing"
            else "had a scaled score of 100 or more",
            eligible=f"pupils eligible for the assessment in {subject}",
        )
        for subject in SUBJECTS
    ),
    *(_progress(subject) for subject in SUBJECTS),
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
        noise_weight=25.0,
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
        noise_weight=1.6,
    ),
    _basics(4, "Standard"),
    replace(_basics(5, "Strong"), subset_of=("ks4_basics_94",)),
    _rank(
        "ks4_attainment8_rank", "Mean percentile rank in Attainment 8", "ks4_attainment8", _YEAR_11
    ),
)
