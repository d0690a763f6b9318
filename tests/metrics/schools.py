"""What a cohort would say of the schools behind made children: school beside school, by a join."""

import pandas as pd

from vsh_eval import names
from vsh_eval.metrics.characteristics import Moments

GROUPS = {name: (name,) for name in names.LEAF_GROUPS} | dict(names.GROUP_SUMS)
CELL = ["time_period", "phase", "metric"]


def moments_of_cells(cells, **rules):
    """Moments of cells with a school, ``CELL``, group, the strata's columns, pupils and sums."""
    said = {"source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year"}
    said |= {"level": "la", "unit_id": "E06000999", **rules}
    products = pd.concat([_pairs(cells, by) for by in names.MOMENT_AXES], ignore_index=True)
    return Moments(
        products.assign(**said)[list(names.MOMENT_COLUMNS)],
        _spread(cells).assign(**said)[list(names.SPREAD_COLUMNS)],
    )


def value_of(cells, by):
    return cells[names.CHARACTERISTICS[by].column].map(dict(names.BREAKDOWNS[by]))


def _pairs(cells, by):
    values = [value_of(cells, axis) for axis in names.MOMENT_AXES[by]]
    stratum = values[0].str.cat(values[1:], sep="/") if values[1:] else values[0]
    keys = ["school", *CELL]
    sums = cells.assign(stratum=stratum).groupby([*keys, "group", "stratum"], as_index=False)
    sums = sums[["numerator", "denominator"]].sum()
    sums.columns = [*sums.columns[:-2], "y", "x"]
    both = sums.merge(sums, on=keys, suffixes=("", "_other"))
    once = both["group"] + both["stratum"] <= both["group_other"] + both["stratum_other"]
    both = both[once].rename(columns={"group_other": "other_group"})
    both = both.rename(columns={"stratum_other": "other_stratum"})
    for name in names.MOMENT_PRODUCTS:
        both[name] = both[name[0]].astype(float) * both[f"{name[1]}_other"].astype(float)
    pair = [*CELL, "group", "stratum", "other_group", "other_stratum"]
    return both.groupby(pair, as_index=False)[list(names.MOMENT_PRODUCTS)].sum().assign(by=by)


def _spread(cells):
    leaves = [(group, leaf) for group, leaves in GROUPS.items() for leaf in leaves]
    within = cells.rename(columns={"group": "leaf"}).merge(
        pd.DataFrame(leaves, columns=["group", "leaf"]), on="leaf"
    )
    parts = []
    for by in (names.ANY, *names.BREAKDOWNS):
        valued = within.assign(value=names.ANY if by == names.ANY else value_of(within, by))
        keys = [*CELL, "value", "group"]
        each = valued.groupby([*keys, "school"], as_index=False)["pupils"].sum()
        found = each.groupby(keys)["pupils"].agg(["sum", "count", "max"])
        found.columns = ["pupils", "schools", "largest"]
        parts.append(found.reset_index().assign(breakdown=by))
    return pd.concat(parts, ignore_index=True)
