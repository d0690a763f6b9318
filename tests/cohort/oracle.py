"""The cohort worked out a second time: plain pandas, true dates, one row after another.

Nothing here is shared with the room it checks, except the names of things.
"""

import hashlib
import hmac
from collections import Counter, defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import floor

import pandas as pd

from tests.cohort.tables import SECRET, frame
from vsh_eval.cohort import NEW_ENTRANT_COLUMNS

CIN_BASIS = {"episode": (None, "episode"), "plan": ("plan",)}
HIGHEST_FIRST = {"CLA": "cla", "CPP": "cpp", "CIN": "cin"}
YEARS_OF_AGE_5_TO_15 = range(1, 12)
EVERY_AGE = range(-2, 15)
KEY_STAGE = {
    "ks2_rwm_expected": 6,
    "ks2_reading_score": 6,
    "ks2_maths_progress": 6,
    "ks4_attainment8": 11,
}
NOT_TAKEN = dict.fromkeys(KEY_STAGE, (201920, 202021)) | {"ks4_attainment8": ()}
RANKED = {"ks2_reading_score": "ks2_reading_rank", "ks4_attainment8": "ks4_attainment8_rank"}


def last_school(urn, links):
    following = dict(zip(links["urn"], links["successor_urn"], strict=True))
    while urn in following:
        urn = following[urn]
    return urn


def touches(row, first, last):
    """Whether an episode has a day from first to last, both included."""
    return row.start_date <= last and (row.end_date is None or row.end_date >= first)


def days_that_count(period, rule):
    """The first and last day on which a status counts for an academic year."""
    september = period // 100
    if rule == "at_31_march":
        return date(september + 1, 3, 31), date(september + 1, 3, 31)
    return date(september, 9, 1), date(september + 1, 8, 31)


def earlier(period, years):
    september = period // 100 - years
    return september * 100 + (september + 1) % 100


def group_of(episodes, period, rule, basis, look_back):
    """The group of one child, from that child's episodes."""
    counting = [
        row for row in episodes if row.status != "CIN" or row.basis in CIN_BASIS[basis]
    ]  # fmt: skip
    before = [earlier(period, years) for years in range(1, look_back + 1)]
    held = {row.status for row in counting if touches(row, *days_that_count(period, rule))}
    held_before = {
        row.status
        for row in counting
        if any(touches(row, *days_that_count(year, rule)) for year in before)
    }
    if rule == "ever_6":
        held, held_before = held | held_before, set()
    for status, group in HIGHEST_FIRST.items():
        if status in held:
            return group
    return "previous" if held_before else "peers"


def record_key(pupil):
    digest = hmac.new(SECRET, b"record key|" + pupil.encode(), hashlib.sha256).hexdigest()
    return int(digest[:10], 16)


def hundredths(value):
    return int((Decimal(str(value)) * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


class Register:
    """Where and who each pupil is, year by year."""

    def __init__(self, tables, years, rule, basis, look_back):
        self.years = years
        self.membership = (rule, basis, look_back)
        self.partly = years_in_part(tables, years)
        self.links = frame(tables, "school_links")
        self.schools = frame(tables, "schools").set_index("urn")
        self.episodes = defaultdict(list)
        for row in frame(tables, "episodes").itertuples():
            self.episodes[row.pupil_id].append(row)
        self.people = {
            key: (
                part["sen"].min(),
                part["fsm6"].max(),
                part["sex"].min(),
                part["year_group"].max(),
            )
            for key, part in frame(tables, "enrolments").groupby(["pupil_id", "academic_year"])
        }

    def place(self, pupil, period, urn, year_groups):
        """School, authority, phase, year, group and stratum of a pupil; nothing if not counted."""
        unit = last_school(urn, self.links)
        person = self.people.get((pupil, period))
        if period not in self.years or person is None or unit not in self.schools.index:
            return None
        if person[-1] not in year_groups:
            return None
        at = self.schools.loc[unit]
        group = group_of(self.episodes[pupil], period, *self.membership)
        return (unit, at["la_code"], at["phase"], period, group, *person)


def absences(tables, register):
    """Every (pupil, place, metric, y, x, parts of one) that attendance makes."""
    sums = defaultdict(lambda: [0, 0, 0])
    for row in frame(tables, "attendance").itertuples():
        where = register.place(row.pupil_id, row.academic_year, row.urn, YEARS_OF_AGE_5_TO_15)
        if where and row.academic_year not in (201920, *register.partly):
            cell = sums[row.pupil_id, where]
            cell[0] += row.sess_possible
            cell[1] += row.sess_authorised
            cell[2] += row.sess_unauthorised
    for (pupil, where), (possible, authorised, unauthorised) in sums.items():
        if possible == 0:
            continue
        missed = authorised + unauthorised
        yield pupil, where, "overall_absence", missed, possible, 1
        yield pupil, where, "authorised_absence", authorised, possible, 1
        yield pupil, where, "unauthorised_absence", unauthorised, possible, 1
        share = Fraction(missed, possible)
        yield pupil, where, "persistent_absence", int(share >= Fraction(10, 100)), 1, 1
        yield pupil, where, "severe_absence", int(share >= Fraction(50, 100)), 1, 1


def years_in_part(tables, years):
    """Years of the run without a term that another has: fewer than half its fullest term's rows."""
    rows = frame(tables, "attendance")
    rows = rows[rows["academic_year"].isin([year for year in years if year != 201920])]
    rows = rows[rows["sess_possible"] > 0]
    held = {}
    for year, part in rows.groupby("academic_year"):
        counts = part["term"].value_counts()
        held[year] = set(counts[counts >= counts.max() / 2].index)
    whole = set().union(*held.values())
    return {year for year, terms in held.items() if terms < whole}


def on_roll(tables, register):
    """Each pupil's school-years by enrolment or suspension: suspensions and exclusions there."""
    reported = frame(tables, "suspensions")
    cells = {}
    both = [frame(tables, "enrolments").assign(suspensions=0, permanent_exclusions=0), reported]
    for row in (row for rows in both for row in rows.itertuples()):
        where = register.place(row.pupil_id, row.academic_year, row.urn, EVERY_AGE)
        if where and row.academic_year not in register.partly:
            cell = cells.setdefault((row.pupil_id, where), [0, 0])
            cell[0] += row.suspensions
            cell[1] += row.permanent_exclusions
    return cells


def suspensions(tables, register):
    """Every (pupil, place, metric, y, x, parts of one) that suspensions make, zeros included."""
    years = set(frame(tables, "suspensions")["academic_year"])
    for (pupil, where), (count, excluded) in on_roll(tables, register).items():
        if where[3] not in years:
            continue
        yield pupil, where, "suspension_rate", count, 1, 1
        yield pupil, where, "pupils_suspended", int(count > 0), 1, 1
        yield pupil, where, "permanent_exclusion", int(excluded > 0), 1, 1


def moves(tables, register):
    """Every (pupil, place, metric, y, x, parts of one) of moves, in years in which someone has two
    schools."""
    cells = on_roll(tables, register)
    schools = Counter((pupil, where[3]) for pupil, where in cells)
    both = [frame(tables, name) for name in ("enrolments", "suspensions")]
    anywhere = {
        (row.pupil_id, row.academic_year, last_school(row.urn, register.links))
        for rows in both
        for row in rows.itertuples()
    }
    known = Counter(
        (pupil, year) for pupil, year, unit in anywhere if unit in register.schools.index
    )
    told = {year for (_, year), count in known.items() if count > 1}
    for pupil, where in cells:
        if where[3] in told:
            yield pupil, where, "school_move", int(schools[pupil, where[3]] > 1), 1, 1


def attainments(tables, register):
    """Every (pupil, place, metric, y in hundredths, x, parts of one) that attainment makes."""
    ranked = defaultdict(list)
    for row in frame(tables, "attainment").itertuples():
        year_group = KEY_STAGE.get(row.measure, 99)
        where = register.place(row.pupil_id, row.academic_year, row.urn, (year_group,))
        if not where or row.academic_year in NOT_TAKEN[row.measure]:
            continue
        value = hundredths(row.value)
        if row.measure in RANKED:
            ranked[RANKED[row.measure], row.academic_year].append((row.pupil_id, where, value))
        if row.measure != "ks2_reading_score":
            yield row.pupil_id, where, row.measure, value, 1, 100
    for (metric, _), sat in ranked.items():
        for pupil, where, value in sat:
            below = sum(other < value for *_, other in sat)
            ties = sum(other == value for *_, other in sat)
            midrank = below + Fraction(ties + 1, 2)
            percentile = 100 * (midrank - Fraction(1, 2)) / len(sat)
            yield pupil, where, metric, floor(100 * percentile + Fraction(1, 2)), 1, 100


def outcomes(tables, years, rule, basis, look_back):
    register = Register(tables, years, rule, basis, look_back)
    yield from absences(tables, register)
    yield from suspensions(tables, register)
    yield from moves(tables, register)
    yield from attainments(tables, register)


def sessions(tables, register, told):
    """Sessions missed and possible of each pupil and year; where each pupil had some."""
    held, here = defaultdict(lambda: [0, 0]), set()
    for row in frame(tables, "attendance").itertuples():
        held[row.pupil_id, row.academic_year][0] += row.sess_authorised + row.sess_unauthorised
        held[row.pupil_id, row.academic_year][1] += row.sess_possible
        where = register.place(row.pupil_id, row.academic_year, row.urn, YEARS_OF_AGE_5_TO_15)
        if where and row.academic_year in told and row.sess_possible:
            here.add((row.pupil_id, where))
    return held, here


def new_entrants(tables, *, years, rule, basis="episode", look_back=6):
    """(unit_id, time_period, phase, group) -> pupils, entrants and their year before."""
    register = Register(tables, years, rule, basis, look_back)
    told = set(years) - {201920} - register.partly
    held, here = sessions(tables, register, told)
    cells = {}
    for pupil, (unit, _, phase, year, group, *_) in here:
        cell = cells.setdefault((unit, year, phase, group), [0] * 9)
        before = earlier(year, 1)
        stood = group_of(register.episodes[pupil], before, rule, basis, look_back)
        new = int(stood not in ("cin", "cpp"))
        then = held.get((pupil, before), (0, 0))
        key = record_key(pupil)
        row = (1, new, int(then[1] > 0), *then, new * then[0], new * then[1], key, new * key)
        cells[unit, year, phase, group] = [a + b for a, b in zip(cell, row, strict=True)]
    for (_, year, _, _), cell in cells.items():
        if earlier(year, 1) not in years:
            cell[1] = cell[8] = None
        if earlier(year, 1) not in told:
            cell[2:7] = [None] * 5
    return cells


def add_up(rows, cell_of):
    cells = defaultdict(lambda: [0] * 8)
    parts = {}
    for pupil, where, metric, y, x, per in rows:
        cell = cells[(*cell_of(where), metric)]
        parts[metric] = per
        key = record_key(pupil)
        for place, value in enumerate((1, y, x, y * y, x * y, x * x, key, key * (y > 0))):
            cell[place] += value
    return {
        where: (n, y / (per := parts[where[-1]]), x, yy / per**2, xy / per, xx, *keys)
        for where, (n, y, x, yy, xy, xx, *keys) in cells.items()
    }


def panel(tables, *, years, rule, basis="episode", look_back=6):
    """(unit_id, phase, time_period, group, metric) -> pupils and sums."""
    rows = outcomes(tables, years, rule, basis, look_back)
    return add_up(rows, lambda where: (where[0], where[2], where[3], where[4]))


def composition(tables, *, years, rule, basis="episode", look_back=6):
    """(la_code, phase, time_period, group, sen, fsm6, sex, year_group, metric) -> sums."""
    rows = outcomes(tables, years, rule, basis, look_back)
    return add_up(rows, lambda where: where[1:])


def as_cells(table, keys):
    """A table of the room in the oracle's shape."""
    sums = ["pupils", "numerator", "denominator", "sum_yy", "sum_xy", "sum_xx", "key_n", "key_y"]
    keys = [*keys, "metric"]
    assert not table.duplicated(keys).any()
    return {
        tuple(row[key] for key in keys): tuple(row[name] for name in sums)
        for row in table.to_dict("records")
    }


def entrant_cells(table):
    """The table of new entrants in the oracle's shape."""
    keys = list(NEW_ENTRANT_COLUMNS[:4])
    assert not table.duplicated(keys).any()
    return {
        tuple(row[key] for key in keys): [
            None if pd.isna(row[name]) else row[name] for name in NEW_ENTRANT_COLUMNS[4:]
        ]
        for row in table.to_dict("records")
    }


PANEL_CELL = ("unit_id", "phase", "time_period", "group")
COMPOSITION_CELL = (*PANEL_CELL, "sen", "fsm6", "sex", "year_group")
