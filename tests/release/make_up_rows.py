"""Small safe tables on who the children are."""

from math import isnan

from tests.release.made import AUTHORITY, NAN, safe

ROW = {
    "geographic_level": "la", "unit_id": AUTHORITY, "phase": "total", "group": "cwsw",
    "reference": "peers", "group_pupils": 640, "reference_pupils": 9000, "unit": "%",
    "cohort_rule": "any_time_in_year", "vintage": "2026", "status": "",
}  # fmt: skip


def numbers(**values):
    """Return values with limits one point either side."""
    found = {}
    for name, value in values.items():
        found |= {name: value, f"{name}_lower": value - 1, f"{name}_upper": value + 1}
    return found


def decomposed(*, gap=9.1, composition=2.3, factors=(-0.2, 1.4, 1.0, 0.1), stamp="", **changes):
    parts = numbers(composition=composition, rates=round(gap - composition, 1))
    names = ("phase", "sen", "fsm6", "sex")
    split = {f"composition_{name}": value for name, value in zip(names, factors, strict=True)}
    row = {**ROW, "time_period": 202425, "metric": "overall_absence", "gap": gap, **parts, **split}
    return safe([row | changes], stamp=stamp)


def hidden_parts(status="c"):
    names = ("gap", "composition", "rates", "matched_level", "matched_gap", "standardised_gap")
    row = {**ROW, "time_period": 202425, "metric": "overall_absence", "matched_group_level": NAN}
    return safe([row | dict.fromkeys(names, NAN) | {"status": status, "baseline": 201819}])


def matched(**changes):
    row = {**ROW, "time_period": 202425, "metric": "overall_absence", "matched_group_level": 16.0}
    return safe([{**row, "gap": 9.1, **numbers(matched_level=9.2, matched_gap=6.8), **changes}])


def standardised(*, kept=(6.5, NAN, 8.0), **changes):
    years = (201819, 201920, 202425)
    rows = [
        {
            **ROW, "time_period": year, "metric": "overall_absence", "baseline": 201819,
            "gap": gap, **numbers(standardised_gap=other), "status": "x" if isnan(gap) else "",
        }
        | changes
        for year, gap, other in zip(years, (6.5, NAN, 9.1), kept, strict=True)
    ]  # fmt: skip
    return safe(rows)


LEVELS = {("sex", "girls"): (15.8, 6.4), ("sex", "boys"): (17.2, 6.5),
          ("sex", "sex_not_recorded"): (NAN, NAN), ("sen", "no_sen"): (14.5, 5.9),
          ("sen", "sen_support"): (NAN, 8.9), ("sen", "ehc_plan"): (30.1, 9.2)}  # fmt: skip


def by_value(levels=None, **changes):
    rows = []
    for (by, value), (own, other) in (LEVELS if levels is None else levels).items():
        gap = own - other
        both = {"group_level": own, "reference_level": other, **numbers(gap=gap)}
        key = {"time_period": 202425, "metric": "overall_absence", "breakdown": by, "value": value}
        rows.append({**ROW, **key, **both, "status": "c" if isnan(gap) else "", **changes})
    return safe(rows)
