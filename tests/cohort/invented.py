"""Returns full of the awkward: movers, boundary dates, unknown schools, empty terms."""

from datetime import date

import numpy as np

PERIODS = (201819, 201920, 202021, 202122)
URNS = ("100", "101", "102", "103", "999")
EDGES = ((3, 30), (3, 31), (4, 1), (8, 31), (9, 1), (2, 28), (11, 5))
DAYS = (
    *(date(year, month, day) for year in range(2011, 2023) for month, day in EDGES),
    date(2016, 2, 29),
    date(2020, 2, 29),
)


def random_returns(seed, *, pupils=14):
    """Rows of every table, in contract order; the same seed gives the same rows."""
    rng = np.random.default_rng(seed)
    tables = {
        "schools": [
            ("100", "Old", "primary", "E1", None, None),
            ("101", "New", "all_through", "E1", None, None),
            ("102", "High", "secondary", "E1", None, None),
            ("103", "Other", "secondary", "E2", None, None),
        ],
        "school_links": [("100", "101", date(2020, 9, 1))],
        "enrolments": [],
        "attendance": [],
        "suspensions": random_suspensions(np.random.default_rng([seed, 1]), pupils),
        "attainment": [],
        "episodes": [],
    }
    for number in range(pupils):
        pupil = f"P{number:03d}"
        for period in PERIODS:
            add_year(tables, pupil, period, rng)
        episodes = [random_episode(pupil, rng) for _ in range(rng.integers(4))]
        tables["episodes"] += dict.fromkeys(episodes)
    return tables


def pick(values, rng):
    return values[int(rng.integers(len(values)))]


def random_suspensions(rng, pupils):
    """Suspensions of some, at schools they go to or not; a year in four holds none."""
    rows = {}
    for period in PERIODS:
        if rng.random() < 0.25:
            continue
        for _ in range(pupils):
            pupil = f"P{rng.integers(pupils + 1):03d}"
            counts = (int(rng.integers(4)), int(rng.integers(8)) // 6)
            rows[pupil, period, pick(URNS, rng)] = counts
    return [(*key, *counts) for key, counts in rows.items()]


def add_year(tables, pupil, period, rng):
    number = int(pupil[1:])
    group = int(rng.integers(-1, 13)) if rng.random() < 0.6 else pick((6, 11), rng)
    urns = list(dict.fromkeys(pick(URNS, rng) for _ in range(2)))
    for urn in urns:
        if rng.random() < 0.9:
            sex, sen = pick("FMU", rng), pick("NKE", rng)
            at = group + int(rng.integers(2))
            tables["enrolments"].append((pupil, period, urn, at, sex, int(rng.integers(2)), sen))
        for term in ("autumn", "spring", "summer"):
            if rng.random() < 0.8:
                tables["attendance"].append((pupil, period, term, urn, *random_sessions(rng)))
    reached, score = float(rng.integers(2)), float(rng.integers(9001)) / 100
    values = {"ks2_rwm_expected": reached, "ks4_attainment8": score, "unknown_measure": 1.0}
    # Few scores, so that many pupils share a rank.
    values |= {"ks2_reading_score": 98.0 + number % 5, "ks2_maths_progress": 3.5 - score}
    tables["attainment"] += [(pupil, period, urns[0], name, v) for name, v in values.items()]


def random_sessions(rng):
    """Possible, authorised and unauthorised; often exactly a tenth missed, sometimes none held."""
    possible = pick((0, 0, 10, 60, 100), rng)
    missed = int(rng.integers(possible + 1)) if rng.random() < 0.6 else possible // 10
    authorised = int(rng.integers(missed + 1))
    return possible, authorised, missed - authorised


def random_episode(pupil, rng):
    start, end = sorted((pick(DAYS, rng), pick(DAYS, rng)))
    status = pick(("CIN", "CIN", "CPP", "CLA"), rng)
    basis = pick((None, "episode", "plan"), rng)
    return (pupil, status, start, None if rng.random() < 0.15 else end, basis)
