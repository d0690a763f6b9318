"""A panel of returns with schools' sums, for the checks that need one."""

import numpy as np
import pandas as pd

from tests.effects.conftest import YEARS
from vsh_eval.effects.specification import Study
from vsh_eval.panel import within_school_gaps

GROUPS = {"cin": (4, 0.12), "cpp": (2, 0.14), "cla": (1, 0.08), "previous": (6, 0.08),
          "peers": (180, 0.05)}  # fmt: skip
PROGRAMMES = ("elsa", "safeguarding")


def panel_of(seed=0, *, schools=48, effect=0.0, metric="overall_absence"):
    """Sums by school, year and group; `effect` in percentage points on cin and cpp."""
    rng = np.random.default_rng(seed)
    rows = []
    for school in range(schools):
        adopted = adopted_of(school)
        level = rng.normal(0, 0.01)
        for year in YEARS:
            treated = adopted and year >= adopted
            for group, (mean, rate) in GROUPS.items():
                pupils = 1 + rng.poisson(mean)
                x = 350.0 * pupils
                own = rate + level + rng.normal(0, 0.03 / np.sqrt(pupils))
                own += effect / 100 * (treated and group in {"cin", "cpp"})
                phase = "secondary" if school % 4 == 0 else "primary"
                rows.append((f"s{school:03d}", phase, year, group, pupils, own * x, x))
    columns = ["unit_id", "phase", "time_period", "group", "pupils", "numerator", "denominator"]
    panel = pd.DataFrame(rows, columns=columns)
    return panel.assign(
        source="returns", vintage="2026", cohort_rule="any_time_in_year", level="school",
        metric=metric, sum_yy=0.0, sum_xy=0.0, sum_xx=0.0, rate=np.nan, status="",
    )  # fmt: skip


def adopted_of(school):
    return (0, YEARS[3], YEARS[4], 0)[school % 4]


def exposure_of(schools=48):
    """Half of the trained schools begin with each programme, a third go on to the other."""
    rows = []
    for school in range(schools):
        adopted = adopted_of(school)
        first = PROGRAMMES[school // 4 % 2]
        other = PROGRAMMES[1 - school // 4 % 2]
        later = adopted + 101 if adopted and school % 3 == 0 else 0
        tier = ("universal", "targeted")[school // 8 % 2]
        beside = "targeted" if tier == "universal" else "universal"
        for programme, kind, year in (
            ("any", "any", adopted), (first, "any", adopted), (other, "any", later),
            ("any", tier, adopted), ("any", beside, 0),
        ):  # fmt: skip
            day = pd.Timestamp(f"{year // 100}-10-01") if year else pd.NaT
            rows.append((f"s{school:03d}", programme, kind, year, day))
    return pd.DataFrame(rows, columns=["unit_id", "programme", "tier", "adopted", "first_date"])


def training_of(schools=48):
    rng = np.random.default_rng(5)
    rows = [
        (f"s{school:03d}", PROGRAMMES[school // 4 % 2], ("universal", "targeted")[school // 8 % 2],
         adopted_of(school), float(rng.integers(2, 20)), float(rng.integers(300, 900)))
        for school in range(schools)
        if adopted_of(school)
    ]  # fmt: skip
    columns = ["unit_id", "programme", "tier", "time_period", "staff_trained", "cost"]
    return pd.DataFrame(rows, columns=columns)


def study_of(seed=0, *, effect=0.0, schools=48, **changes):
    panel = panel_of(seed, effect=effect, schools=schools)
    gaps = within_school_gaps(panel, metric="overall_absence", group="cwsw", reference="peers")
    whole = {
        "school_gaps": gaps, "exposure": exposure_of(schools), "metric": "overall_absence",
        "panel": panel, "training": training_of(schools),
    }  # fmt: skip
    return Study(**(whole | changes))
