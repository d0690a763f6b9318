"""Panels that the tests of this room share."""

import numpy as np
import pandas as pd
import pytest

from tests.core.test_imputation import GAP, SESSIONS

YEARS = (201718, 201819, 202021, 202122, 202223, 202324, 202425)


def cells_of(seed=0, *, schools=40, years=6, effect=0.0, absent=0.1, cohorts=(0, 4, 5)):
    """A table of school-years with noise: unit, time, cohort, outcome, weight, pupils, phase."""
    rng = np.random.default_rng(seed)
    rows = []
    for school in range(schools):
        cohort = cohorts[school % len(cohorts)]
        level = rng.normal(5, 2)
        for time in range(1, years + 1):
            if rng.random() < absent:
                continue
            treated = cohort > 0 and time >= cohort
            pupils = int(rng.integers(1, 12))
            outcome = level + 0.5 * time + effect * treated + rng.normal(0, 2)
            phase = "primary" if school % 2 else "secondary"
            rows.append((f"s{school:03d}", time, cohort, outcome, 350.0 * pupils, pupils, phase))
    columns = ["unit", "time", "cohort", "outcome", "weight", "pupils", "phase"]
    return pd.DataFrame(rows, columns=columns)


def gaps_of(seed=0, *, schools=60, years=YEARS, effect=0.0, phases=("primary",), **options):
    """School gaps and exposure as the rooms before this one give them."""
    cells = cells_of(seed, schools=schools, years=len(years), effect=effect, **options)
    number = cells["unit"].str[1:].astype(int)
    gaps = pd.DataFrame(
        {
            "unit_id": cells["unit"],
            "phase": number.map(lambda n: phases[n % len(phases)]),
            "time_period": cells["time"].map(lambda t: years[t - 1]),
            "metric": "overall_absence",
            "outcome": cells["outcome"],
            "weight": cells["weight"],
            "pupils": cells["pupils"],
            "reference_pupils": 200,
        }
    )
    adopted = cells.groupby("unit")["cohort"].first()
    exposure = pd.DataFrame(
        {
            "unit_id": adopted.index,
            "programme": "any",
            "tier": "any",
            "adopted": [0 if g == 0 else years[g - 1] for g in adopted],
        }
    )
    return gaps, exposure


@pytest.fixture
def cells():
    return cells_of()


@pytest.fixture
def fixture_cells():
    """The five schools of the simulation note, gap in percentage points."""
    cohorts = [4, 6, 0, 0, 0]
    rows = [
        (f"s{s}", t + 1, cohorts[s], GAP[s, t], SESSIONS[s, t]) for s in range(5) for t in range(7)
    ]
    return pd.DataFrame(rows, columns=["unit", "time", "cohort", "outcome", "weight"])
