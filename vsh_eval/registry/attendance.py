"""Absence, suspensions and moves: the entries, in the order of the report."""

from dataclasses import replace

from vsh_eval.registry.entry import Counts, Metric

_COMPULSORY_AGE = tuple(range(1, 12))
_EVERY_AGE = tuple(range(-2, 15))
_SESSIONS = "possible sessions (half days) of the pupils"
_ENROLMENTS = "enrolments with at least one possible session"
_ON_ROLL = "enrolments of the year (a pupil who moved counts at each school)"
_ABSENCE_SOURCE = "DfE, Pupil absence in schools in England: methodology"
_SUSPENSION_SOURCE = "DfE, Suspensions and permanent exclusions in England: methodology"
_MOVES_SOURCE = "Own definition, from the enrolments that schools return in the school census"


def _absence(name: str, label: str, numerator: str, parts_of: str = "") -> Metric:
    entry = _of_absence(name, label, numerator, _SESSIONS, "sessions")
    return replace(entry, parts_of=parts_of, noise_weight=1 / 3)


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
        origin="attendance",
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
        origin="suspensions",
        counts=counts,
        scale=100.0,
        year_groups=_EVERY_AGE,
        numerator=numerator,
        denominator=_ON_ROLL,
        population="pupils of every age in state-funded schools",
        source=_SUSPENSION_SOURCE,
        highest=float("inf") if events else 100.0,
        noise_weight=3.0 if events else 1.0,
    )


ENTRIES = (
    _absence("overall_absence", "Overall absence", "sessions missed for any reason"),
    _absence(
        "authorised_absence",
        "Authorised absence",
        "sessions missed with authorisation",
        parts_of="overall_absence",
    ),
    _absence(
        "unauthorised_absence",
        "Unauthorised absence",
        "sessions missed without authorisation",
        parts_of="overall_absence",
    ),
    _absentees("persistent_absence", "Persistent absence", "10%"),
    replace(
        _absentees("severe_absence", "Severe absence", "50%"), subset_of=("persistent_absence",)
    ),
    _suspension("suspension_rate", "Suspension rate", "suspensions in the year", "events"),
    replace(
        _suspension(
            "pupils_suspended",
            "Share of pupils suspended",
            "enrolments with one or more suspensions in the year",
        ),
        subset_of=("suspension_rate",),  # each has one suspension or more
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
        origin="enrolments",
        source=_MOVES_SOURCE,
    ),
)
