"""Invented children, one row each, and the tables that a cohort would make of them."""

import numpy as np
import pandas as pd

from tests.frames import with_characteristics
from tests.metrics.schools import moments_of_cells
from vsh_eval import names

STRATA = list(names.COMPOSITION_STRATA)
SUMS = [*names.PANEL_SUMS, *names.RECORD_KEYS]


def children(seed=0, *, cohort=90, peers=700, years=(202425,), schools=14):
    """Children with a school, who they are, and their sessions; the cohort misses more."""
    rng = np.random.default_rng(seed)
    frames = []
    for year in years:
        for group, size in (("cin", cohort * 2 // 3), ("cpp", cohort // 3), ("peers", peers)):
            own = group != "peers"
            school = rng.integers(schools, size=size)
            frames.append(
                pd.DataFrame(
                    {
                        "time_period": year,
                        "group": group,
                        "school": school,
                        "phase": np.where(school % 3 == 0, "secondary", "primary"),
                        "sex": rng.choice(["F", "M"], size),
                        "fsm6": rng.binomial(1, 0.6 if own else 0.2, size),
                        "sen": rng.choice(["N", "K", "E"], size, p=_shares(own)),
                        "year_group": rng.integers(1, 7, size),
                        "x": rng.integers(250, 381, size),
                    }
                )
            )
    table = with_characteristics(pd.concat(frames, ignore_index=True))
    table.loc[table["phase"] == "secondary", "year_group"] += 5
    odds = 0.04 + 0.04 * table["fsm6"] + 0.05 * (table["sen"] != "N") + 0.01 * (table["school"] % 5)
    odds += 0.05 * (table["group"] != "peers")
    table["y"] = rng.binomial(table["x"], rng.beta(2, 2 / odds - 2))
    return table


def _shares(own):
    return (0.45, 0.25, 0.3) if own else (0.8, 0.15, 0.05)


def measured(table, metric):
    """Return every child's y and x of a metric."""
    if metric == "overall_absence":
        return table["y"].to_numpy(float), table["x"].to_numpy(float)
    persistent = (10 * table["y"] >= table["x"]).to_numpy(float)
    return persistent, np.ones(len(table))


def added(table, keys, values):
    """Sum children by keys; ``values`` gives y and x of each metric. Without a key, keys are 0."""
    parts, key = [], table.get("key", 0)
    for metric, (y, x) in values.items():
        sums = table[keys].assign(
            pupils=1, numerator=y, denominator=x, sum_yy=y * y, sum_xy=x * y, sum_xx=x * x,
            key_n=key, key_y=key * (y > 0),
        )  # fmt: skip
        parts.append(sums.groupby(keys, as_index=False)[SUMS].sum().assign(metric=metric))
    rules = {"source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year"}
    cells = pd.concat(parts, ignore_index=True).assign(**rules, rate=np.nan, status="")
    cells = cells.astype({"pupils": "Int64", "denominator": "int64"})
    return cells.astype({"denominator": "Int64"})


METRICS = ("overall_absence", "persistent_absence")


def _values(table, metrics):
    return {metric: measured(table, metric) for metric in metrics}


def composition_of(table, metrics=METRICS):
    return composition_cells(table, _values(table, metrics))


def composition_cells(table, values):
    cells = added(table, ["time_period", "phase", "group", *STRATA], values)
    cells = cells.assign(level="la", unit_id="E06000999")
    return cells.reindex(columns=list(names.COMPOSITION_COLUMNS))


def moments_of(table):
    keys = ["time_period", "phase", "group", "school", *STRATA]
    return moments_of_cells(added(table, keys, _values(table, METRICS)))


def panel_of(table, metrics=METRICS):
    return panel_cells(table.assign(unit_id=table["school"].astype(str)), _values(table, metrics))


def panel_cells(table, values):
    cells = added(table, ["time_period", "phase", "group", "unit_id"], values)
    return cells.assign(level="school").reindex(columns=list(names.PANEL_COLUMNS))
