"""An invented authority's panel with the composition of the same children, as a cohort makes it."""

import numpy as np
import pandas as pd

from tests.frames import with_characteristics
from tests.metrics.children import STRATA, added, composition_cells, panel_cells
from tests.metrics.schools import moments_of_cells
from vsh_eval import names

YEARS = (202324, 202425)


def children(seed=0, *, size=1.0, years=YEARS, schools=12):
    """One row a child: school, who they are, and whether absent persistently and severely."""
    rng = np.random.default_rng(seed)
    frames = []
    means = dict(zip(names.LEAF_GROUPS, (8, 40, 170, 60, 1500), strict=True))
    for year in years:
        for group, mean in means.items():
            count = int(rng.poisson(size * mean))
            own = group != "peers"
            school = rng.integers(schools, size=count)
            frames.append(
                pd.DataFrame(
                    {
                        "time_period": year,
                        "group": group,
                        "unit_id": school.astype(str),
                        "phase": np.array(["primary", "secondary", "special"])[school % 3],
                        "sex": rng.choice(["F", "M", "U"], count, p=[0.49, 0.5, 0.01]),
                        "fsm6": rng.binomial(1, 0.6 if own else 0.2, count),
                        "sen": rng.choice(
                            ["N", "K", "E"], count, p=[0.5, 0.3, 0.2] if own else [0.8, 0.15, 0.05]
                        ),
                        "year_group": rng.integers(1, 12, count),
                        "persistent": rng.random(count) < (0.45 if own else 0.15),
                        "severe": rng.random(count) < 0.3,
                        "x": rng.integers(330, 371, count),
                        "key": rng.integers(0, 2**40, count),
                    }
                )
            )
    table = with_characteristics(pd.concat(frames, ignore_index=True))
    table["severe"] &= table["persistent"]
    share = np.where(table["severe"], 0.6, np.where(table["persistent"], 0.2, 0.04))
    table["points"] = np.round(55 - 10 * table["persistent"] + rng.normal(0, 12, len(table)))
    table["points"] = table["points"].clip(0, 90)
    table["y"] = np.round(share * table["x"] + rng.integers(0, 4, len(table)))
    table["authorised"] = rng.binomial(table["y"].astype(int), 0.6).astype(float)
    return table


def _values(table):
    one = np.ones(len(table))
    return {
        "overall_absence": (table["y"], table["x"]),
        "authorised_absence": (table["authorised"], table["x"]),
        "unauthorised_absence": (table["y"] - table["authorised"], table["x"]),
        "persistent_absence": (table["persistent"] * 1.0, one),
        "severe_absence": (table["severe"] * 1.0, one),
        "ks2_rwm_expected": (~table["persistent"] * 1.0, one),
        "ks2_reading_expected": (~table["severe"] * 1.0, one),
        "ks4_attainment8": (table["points"], one),
    }


def panel_of(table):
    return panel_cells(table, _values(table))


def moments_of(table):
    keys = ["time_period", "phase", "group", "unit_id", *STRATA]
    cells = added(table, keys, _values(table))
    return moments_of_cells(cells.rename(columns={"unit_id": "school"}))


def composition_of(table):
    return composition_cells(table, _values(table))
