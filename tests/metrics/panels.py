"""Panels written by hand for the tests of the room."""

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.metrics import Comparison

PAIR = Comparison("cwsw", "peers")


def returns_panel(rows, **constant):
    """Make a panel of returns from rows: school, year, phase, group, metric, pupils, y, x."""
    panel = pd.DataFrame(
        rows,
        columns=["unit_id", "time_period", "phase", "group", "metric", "pupils", "numerator",
                 "denominator"],
    )  # fmt: skip
    panel = panel.astype({"pupils": "Int64", "numerator": float, "denominator": float})
    return _complete(panel, source="returns", level="school", **constant)


def published_panel(rows, **constant):
    """Make a published panel: year, phase, group, metric, pupils, y, x, rate, status."""
    panel = pd.DataFrame(
        rows,
        columns=["time_period", "phase", "group", "metric", "pupils", "numerator", "denominator",
                 "rate", "status"],
    )  # fmt: skip
    numbers = {"numerator": float, "denominator": float, "rate": float}
    panel = panel.astype({"pupils": "Int64"} | numbers)
    constant = {"level": "national", "unit_id": "E92000001"} | constant
    return _complete(panel, source="published", **constant)


def pupils_panel(pupils):
    """Sum a table of pupils (unit_id, time_period, phase, group, metric, y, x) to a panel."""
    products = pupils.assign(
        pupils=1,
        numerator=pupils["y"],
        denominator=pupils["x"],
        sum_yy=pupils["y"] ** 2,
        sum_xy=pupils["x"] * pupils["y"],
        sum_xx=pupils["x"] ** 2,
    )
    keys = ["unit_id", "time_period", "phase", "group", "metric"]
    panel = products.groupby(keys)[list(names.PANEL_SUMS)].sum().astype(float).reset_index()
    return _complete(panel.astype({"pupils": "Int64"}), source="returns", level="school")


def invented_pupils(seed, *, schools=12, years=(202324, 202425), metric="overall_absence"):
    """Draw pupils of every leaf group in a few primary and secondary schools."""
    rng = np.random.default_rng(seed)
    parts = []
    for year in years:
        for school in range(schools):
            size = 3 + rng.poisson([2, 2, 5, 4, 20])
            group = np.repeat(names.LEAF_GROUPS, size)
            rate = rng.beta(2, 12, len(group)) + 0.1 * (group != "peers") * rng.random()
            x = rng.integers(100, 380, len(group))
            y = np.minimum(np.rint(rate * x), x)
            if metric == "persistent_absence":
                y, x = (10 * y >= x).astype(float), np.ones(len(group))
            parts.append(
                pd.DataFrame(
                    {
                        "unit_id": str(100000 + school),
                        "time_period": year,
                        "phase": "secondary" if school % 4 == 0 else "primary",
                        "group": group,
                        "metric": metric,
                        "y": y,
                        "x": x,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def _complete(panel, **constant):
    """Fill a panel's columns; numbers that a test does not give are missing, record keys zero."""
    given = {"vintage": "2026", "cohort_rule": "any_time_in_year", "status": ""} | constant
    given |= dict.fromkeys(("sum_yy", "sum_xy", "sum_xx", "rate"), np.nan)
    given |= dict.fromkeys(names.RECORD_KEYS, 0)
    missing = {name: value for name, value in given.items() if name not in panel}
    return panel.assign(**missing)[list(names.PANEL_COLUMNS)]
