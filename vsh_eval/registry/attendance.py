"""Absence, suspensions and moves: the entries, in the order of the report."""

from functools import partial

from vsh_eval.registry.entry import Metric

_PER_100 = "suspensions per 100 pupils"
_of_absence = partial(
    Metric,
    population="pupils aged 5 to 15 on 31 August in state-funded schools",
    source="DfE, Pupil absence in schools in England: methodology",
    year_groups=tuple(range(1, 12)),
    lower_is_better=True,
    topic="attendance",
    origin="attendance",
)
_sessions = partial(
    _of_absence,
    denominator="possible sessions (half days) of the pupils",
    counts="sessions",
    noise_weight=1 / 3,
)
_absentees = partial(_of_absence, denominator="enrolments with at least one possible session")
_suspension = partial(
    Metric,
    denominator="enrolments of the year (a pupil who moved counts at each school)",
    population="pupils of every age in state-funded schools",
    source="DfE, Suspensions and permanent exclusions in England: methodology",
    year_groups=tuple(range(-2, 15)),
    lower_is_better=True,
    topic="suspension",
    origin="suspensions",
)
ENTRIES = (
    _sessions("overall_absence", "Overall absence", "sessions missed for any reason"),
    _sessions(
        "authorised_absence",
        "Authorised absence",
        "sessions missed with authorisation",
        parts_of="overall_absence",
    ),
    _sessions(
        "unauthorised_absence",
        "Unauthorised absence",
        "sessions missed without authorisation",
        parts_of="overall_absence",
    ),
    _absentees(
        "persistent_absence",
        "Persistent absence",
        "enrolments that missed 10% or more of their own possible sessions",
    ),
    _absentees(
        "severe_absence",
        "Severe absence",
        "enrolments that missed 50% or more of their own possible sessions",
        subset_of=("persistent_absence",),
    ),
    _suspension(
        "suspension_rate",
        "Suspension rate",
        "suspensions in the year",
        counts="events",
        unit=_PER_100,
        gap_unit=_PER_100,
        highest=float("inf"),
        noise_weight=3.0,
    ),
    _suspension(
        "pupils_suspended",
        "Share of pupils suspended",
        "enrolments with one or more suspensions in the year",
        subset_of=("suspension_rate",),  # each has one suspension or more
    ),
    _suspension(
        "permanent_exclusion",
        "Share of pupils permanently excluded",
        "enrolments that ended in a permanent exclusion",
    ),
    _suspension(
        "school_move",
        "Share of pupils with another school in the year",
        "enrolments of pupils who had another school in the same year, by a move or by a "
        "registration at two schools at once",
        source="Own definition, from the enrolments that schools return in the school census",
        topic="moves",
        origin="enrolments",
    ),
)
