"""Attainment from reception to key stage 4: the entries, in the order of the report."""

from functools import partial
from typing import Any

from vsh_eval.registry.entry import Metric

SUBJECTS = ("reading", "writing", "maths")
_HIGHEST_PROGRESS = 40.0
"""Scaled scores of key stage 2 run from 80 to 120."""
_BY_TEST = "had a scaled score of 100 or more"
_BY_TEACHERS = "were assessed by their teachers as working at the expected standard"
_KS2 = {"year_groups": (6,), "population": "pupils at the end of key stage 2 (year 6)"}
_KS4 = {"year_groups": (11,), "population": "pupils at the end of key stage 4 (year 11)"}
_of_attainment = partial(Metric, lower_is_better=False, topic="attainment", origin="attainment")
_of_ks2 = partial(_of_attainment, **_KS2, source="DfE, Key stage 2 attainment: methodology")
_of_ks4 = partial(_of_attainment, **_KS4, source="DfE, Key stage 4 performance: methodology")
_in_points = partial(dict, counts="points", unit="points", gap_unit="points", scale=1.0)


def _expected(name: str, subjects: str, *, reached: str, eligible: str) -> Metric:
    return _of_ks2(
        f"ks2_{name}_expected",
        f"Expected standard in {subjects} at key stage 2",
        numerator=f"pupils who {reached}",
        denominator=f"pupils eligible for {eligible}",
        subset_of=tuple(f"ks2_{one}_expected" for one in SUBJECTS) if name == "rwm" else (),
        published_decimals=0,
    )


def _progress(subject: str) -> Metric:
    return _of_ks2(
        f"ks2_{subject}_progress",
        f"Progress in {subject} at key stage 2",
        numerator=f"sum of the pupils' progress scores in {subject}: own result less the national "
        "mean of pupils with like results at key stage 1",
        denominator=f"pupils with a progress score in {subject}",
        lowest=-_HIGHEST_PROGRESS,
        highest=_HIGHEST_PROGRESS,
        noise_weight=8.0,
        **_in_points(),
    )


def _rank(name: str, of: str, measure: str, **stage: Any) -> Metric:
    return _of_attainment(
        f"{name}_rank",
        f"Mean percentile rank in {of}",
        numerator="sum of the pupils' percentile ranks, (midrank - 0.5) / N x 100, among all N "
        f"pupils of the authority and year with a value of {measure}",
        denominator=f"pupils with a value of {measure}",
        source="DfE, Measuring disadvantaged pupils' attainment gaps over time (SFR 40/2014)",
        origin="rank",
        ranks=measure,
        noise_weight=35.0,
        **stage,
        **_in_points(unit="percentile points", gap_unit="percentile points"),
    )


def _basics(grade: int, called: str, subset_of: tuple[str, ...] = ()) -> Metric:
    return _of_ks4(
        f"ks4_basics_9{grade}",
        f"{called} pass (grade {grade} or above) in English and maths",
        numerator=f"pupils who achieved grade {grade} or above in maths and in English language or "
        "literature",
        denominator="pupils at the end of key stage 4",
        subset_of=subset_of,
    )


ENTRIES = (
    _of_attainment(
        "eyfsp_gld",
        "Good level of development at the end of reception",
        numerator="pupils who were at the expected level in the 12 early learning goals of "
        "communication and language, personal, social and emotional development, physical "
        "development, literacy and maths",
        denominator="pupils with a profile",
        population="pupils at the end of reception",
        source="DfE, Early years foundation stage profile results: methodology",
        year_groups=(0,),
    ),
    _of_attainment(
        "phonics_expected",
        "Expected standard in phonics in year 1",
        numerator="pupils who met the standard of the phonics screening check in year 1",
        denominator="pupils eligible for the check in year 1",
        population="pupils in year 1",
        source="DfE, Phonics screening check attainment: methodology",
        year_groups=(1,),
        published_decimals=0,
    ),
    _expected(
        "rwm",
        "reading, writing and maths",
        reached="reached the expected standard in all three subjects",
        eligible="all three assessments",
    ),
    *(
        _expected(
            subject,
            subject,
            reached=_BY_TEACHERS if subject == "writing" else _BY_TEST,
            eligible=f"the assessment in {subject}",
        )
        for subject in SUBJECTS
    ),
    *(_progress(subject) for subject in SUBJECTS),
    *(
        _rank(f"ks2_{subject}", f"{subject} at key stage 2", f"ks2_{subject}_score", **_KS2)
        for subject in ("reading", "maths")
    ),
    _of_ks4(
        "ks4_attainment8",
        "Attainment 8",
        numerator="sum of the pupils' Attainment 8 scores",
        denominator="pupils at the end of key stage 4",
        highest=90.0,
        noise_weight=25.0,
        **_in_points(),
    ),
    _of_ks4(
        "ks4_progress8",
        "Progress 8",
        numerator="sum of the pupils' Progress 8 scores: a tenth of Attainment 8 less the national "
        "mean of pupils with like results at key stage 2",
        denominator="pupils at the end of key stage 4 with results at key stage 2",
        lowest=-9.0,
        highest=9.0,
        noise_weight=1.6,
        **_in_points(),
    ),
    _basics(4, "Standard"),
    _basics(5, "Strong", subset_of=("ks4_basics_94",)),
    _rank("ks4_attainment8", "Attainment 8", "ks4_attainment8", **_KS4),
)
