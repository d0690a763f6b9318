"""An invented authority for the tests of the training offer: schools, a panel and a log."""

import numpy as np
import pandas as pd

from tests.metrics.panels import returns_panel

YEARS = (202021, 202122, 202223, 202324)
NO_DEPTH = {"staff_trained": np.nan, "hours": np.nan, "cost": np.nan}


def schools(count=48, *, seed=1):
    """Return primary and secondary schools, two special ones, and their deprivation."""
    rng = np.random.default_rng(seed)
    phase = np.where(np.arange(count) % 4 == 3, "secondary", "primary").astype(object)
    phase[:2] = "special"
    return pd.DataFrame(
        {
            "unit_id": [f"{100001 + n}" for n in range(count)],
            "name": "A school",
            "phase": phase,
            "la_code": "E06000999",
            "opened": pd.NaT,
            "closed": pd.NaT,
            "pct_fsm": np.round(rng.uniform(5, 50, count), 1),
        }
    )


def panel(listed, *, seed=1, size=7.0, years=YEARS):
    """Return overall absence of children in need, on plans, and peers."""
    rng = np.random.default_rng(seed)
    rows = []
    for year in years:
        for unit, phase in zip(listed["unit_id"], listed["phase"], strict=True):
            for group, mean in (("cin", size * 0.75), ("cpp", size * 0.25), ("peers", 60)):
                pupils = int(rng.poisson(mean)) + (group == "peers")
                missed = rng.binomial(350, 0.06 if group == "peers" else 0.13, pupils)
                if pupils:
                    rows.append(
                        (unit, year, phase, group, "overall_absence", pupils, missed.sum(),
                         350 * pupils, (missed**2).sum(), 350 * missed.sum(), 350**2 * pupils)
                    )  # fmt: skip
    made = returns_panel([row[:8] for row in rows])
    squares = np.array([row[8:] for row in rows], dtype=float)
    return made.assign(sum_yy=squares[:, 0], sum_xy=squares[:, 1], sum_xx=squares[:, 2])


def log(listed, *, share=0.6, years=(202122, 202223, 202324), programmes=("elsa",)):
    """Return a log in which a share of the schools is trained, some of them twice."""
    rng = np.random.default_rng(1)
    units = list(listed["unit_id"])
    chosen = rng.permutation(units)[: round(share * len(units))]
    rows = [
        (unit, str(rng.choice(programmes)), "targeted", str(rng.choice(["teacher", "leader"])),
         int(rng.choice(years)))
        for unit in [*chosen, *chosen[: len(chosen) // 3]]
    ]  # fmt: skip
    columns = ["unit_id", "programme", "tier", "audience", "time_period"]
    made = pd.DataFrame(rows, columns=columns).astype(
        dict.fromkeys(columns[:-1], "str") | {"time_period": "int64"}
    )
    given = {"staff_trained": 6.0, "hours": 12.0, "cost": 900.0}
    return made.assign(start_date=pd.Timestamp("2022-01-10"), **given)
