"""The interval check's children by who they are, and everything made of them worked out again."""

from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd

from tests.metrics.schools import moments_of_cells
from vsh_eval import names
from vsh_eval.metrics import characteristics
from vsh_eval.metrics.characteristics import Moments
from vsh_eval.panel import Comparison

Quantities = dict[tuple[str, str], tuple[float, ...]]
"""Value, error, limits and df by metric and quantity."""

MEASURED = ("overall_absence", "persistent_absence", "ks4_attainment8")
SUSPENDED = "pupils_suspended"
TRAITS = {"sen_support": ("sen", "K"), "ehc_plan": ("sen", "E"), "fsm6": ("fsm6", 1)}
FACTORS = {
    "phase": ("primary", "secondary"),
    "sen": ("N", "K", "E"),
    "fsm6": (1, 0),
    "sex": ("F", "M"),
}
YEAR_GROUPS = tuple(range(1, 12))
STRATA = list(names.COMPOSITION_STRATA)
SHAPE = tuple(len(values) for values in FACTORS.values())
COHORT, PEERS = 0, 1


def with_strata(pupils: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Say who each child is: SEN and free meals go with absence, with school and with the cohort.

    ``pupils`` has the rows of one metric after another, each in the same order of children.
    """
    parts = []
    (apart,) = rng.spawn(1)  # what is drawn with it leaves the rest as it was
    for (_, group), block in pupils.groupby(["time_period", "group"], sort=False):
        absence = block[block["metric"] == "overall_absence"]
        school = absence["unit_id"].to_numpy()
        own = group != "peers"
        rate = (absence["y"] / absence["x"]).to_numpy()
        poor = 0.25 * np.sin(school)  # the same in every year
        sen = rng.random(len(school)) < 0.12 + 0.25 * own + 0.6 * rate
        who = pd.DataFrame(
            {
                "sex": rng.choice(["F", "M"], len(school)),
                "fsm6": (rng.random(len(school)) < 0.2 + 0.3 * own + 0.5 * rate + poor).astype(int),
                "sen": np.where(sen, np.where(rng.random(len(school)) < 0.3, "E", "K"), "N"),
                "phase": np.where(school % 3 == 0, "secondary", "primary"),
                "year_group": np.where(
                    school % 3 == 0,
                    rng.integers(7, 12, len(school)),
                    rng.integers(1, 7, len(school)),
                ),
            }
        )
        for metric in MEASURED:
            rows = block[block["metric"] == metric].reset_index(drop=True)
            parts.append(pd.concat([rows, who], axis=1))
        chance = (0.12 if own else 0.02) + 0.5 * rate * (1 + np.sin(2 * school)) / 2
        rows = absence.reset_index(drop=True).assign(
            metric=SUSPENDED, y=(apart.random(len(school)) < chance).astype(float), x=1.0
        )
        parts.append(pd.concat([rows, who], axis=1))
    return pd.concat(parts, ignore_index=True)


def cells_of(pupils: pd.DataFrame) -> pd.DataFrame:
    """Add children up by school and stratum."""
    y, x = pupils["y"], pupils["x"]
    rows = pupils.rename(columns={"unit_id": "school"}).assign(
        pupils=1, numerator=y, denominator=x, sum_yy=y * y, sum_xy=x * y, sum_xx=x * x
    )
    keys = ["school", "time_period", "phase", "metric", "group", *STRATA]
    return rows.groupby(keys, as_index=False)[list(names.PANEL_SUMS)].sum()


def tables_of(cells: pd.DataFrame) -> tuple[pd.DataFrame, Moments]:
    """Return the composition and the moments that a cohort would make of the cells."""
    said = {"source": "returns", "vintage": "made", "cohort_rule": "any_time_in_year"}
    keys = ["time_period", "phase", "metric", "group", *STRATA]
    strata = cells.groupby(keys, as_index=False)[list(names.PANEL_SUMS)].sum()
    composition = strata.assign(**said, level="la", unit_id="E06000999", rate=np.nan, status="")
    whole = composition.astype({"pupils": "Int64", "denominator": "int64"})
    return whole.reindex(columns=list(names.COMPOSITION_COLUMNS)), moments_of_cells(
        cells, vintage="made"
    )


def arrays_of(cells: pd.DataFrame, schools: int, year: int) -> dict[str, np.ndarray]:
    """Return every school's sums: schools x (y, x) x sides x strata, and x year groups last."""
    found = {}
    for metric in cells["metric"].unique():
        rows = cells[(cells["metric"] == metric) & (cells["time_period"] == year)]
        side = np.where(rows["group"] == "peers", PEERS, COHORT)
        at = [rows[name].map(values.index) for name, values in FACTORS.items()]
        age = rows["year_group"].map(YEAR_GROUPS.index)
        array = np.zeros((schools, 2, 2, *SHAPE, len(YEAR_GROUPS)))
        for place, name in enumerate(("numerator", "denominator")):
            np.add.at(array, (rows["school"], place, side, *at, age), rows[name].to_numpy(float))
        found[metric] = array
    return found


def quantities(
    now: dict[str, np.ndarray], first: dict[str, np.ndarray], weights: np.ndarray
) -> dict[tuple[str, str], np.ndarray]:
    """Work everything made of strata out again from the drawn schools, a value a draw.

    The standardised gap keeps the first year's make-up as it was, as the package does: not drawn.
    """
    found = {}
    for metric in (name for name in MEASURED if name in now):
        schools = now[metric]
        scale = 1.0 if metric == "ks4_attainment8" else 100.0
        flat = schools.reshape(len(schools), -1)
        drawn = (weights @ flat).reshape(len(weights), 2, 2, *SHAPE, len(YEAR_GROUPS))
        mine = {**_by_value(drawn, metric), **_parts(drawn, first[metric])}
        found |= {(metric, name): scale * values for name, values in mine.items()}
    return found | _of_barriers(now, weights)


def tabulated(composition: pd.DataFrame, moments: Moments, first: int, last: int) -> Quantities:
    """Return what the package's tables say of the last year, by the same names."""
    barriers = characteristics.barriers(composition, moments, Comparison("cwsw", "peers"))
    comparison = Comparison("cwsw", "peers", metrics=MEASURED, baseline=first)
    given = composition, moments, comparison
    found: Quantities = {}
    for by in names.BREAKDOWNS:
        broken = characteristics.gaps_by(*given, by=by)
        broken = broken.assign(group_level_std_error=broken["group_std_error"])
        for value, rows in broken.groupby("value"):
            found |= _at_last(
                rows, last, {"group_level": f"level, {value}", "gap": f"gap, {value}"}
            )
    matched = {name: name.replace("_", " ") for name in ("matched_level", "matched_gap")}
    found |= _at_last(characteristics.matched_gap(*given), last, matched)
    kept = characteristics.standardised_gap(*given)
    found |= _at_last(kept, last, {"standardised_gap": "standardised gap"})
    found |= decomposed(composition, moments, last)
    barriers = barriers.assign(
        metric=barriers["barrier"], group_level_std_error=barriers["group_std_error"]
    )
    return found | _at_last(barriers, last, {"group_level": "level", "gap": "gap"})


def decomposed(composition: pd.DataFrame, moments: Moments, last: int) -> Quantities:
    """Return the parts of the last year's gap."""
    split = {"composition": "composition", "rates": "rates"}
    split |= {f"composition_{factor}": f"composition: {factor}" for factor in FACTORS}
    there = tuple(name for name in MEASURED if (composition["metric"] == name).any())
    comparison = Comparison("cwsw", "peers", metrics=there)
    return _at_last(characteristics.decompose(composition, moments, comparison), last, split)


def _at_last(table: pd.DataFrame, last: int, named: dict[str, str]) -> Quantities:
    rows = table[(table["phase"] == "total") & (table["time_period"] == last)]
    ends = ("", "_std_error", "_lower", "_upper")
    return {
        (row["metric"], said): (*(float(row[stem + end]) for end in ends), float(row["df"]))
        for _, row in rows.iterrows()
        for stem, said in named.items()
    }


def _by_value(drawn: np.ndarray, metric: str) -> dict[str, np.ndarray]:
    """Return level and gap of each value: axes are draws, (y, x), sides, factors, year groups."""
    found = {}
    axes = {"sen": 4, "fsm6": 5, "sex": 6, "key_stage": 7}
    for by, axis in axes.items():
        if by == "key_stage" and metric == "ks4_attainment8":
            continue
        codes = YEAR_GROUPS if by == "key_stage" else FACTORS[by]
        named = np.array([names.BREAKDOWNS[by][code] for code in codes])
        others = tuple(other for other in range(3, drawn.ndim) if other != axis)
        sums = drawn.sum(axis=others)
        for value in dict.fromkeys(named):
            y, x = np.moveaxis(sums[..., named == value].sum(axis=-1), 1, 0)
            with np.errstate(divide="ignore", invalid="ignore"):
                level = y / x
            found[f"level, {value}"] = level[:, COHORT]
            found[f"gap, {value}"] = level[:, COHORT] - level[:, PEERS]
    return found


def _of_barriers(
    now: dict[str, np.ndarray], weights: np.ndarray
) -> dict[tuple[str, str], np.ndarray]:
    """Return shares of children and their gaps, in %: with a trait, and suspended."""

    def added(metric: str, place: int) -> np.ndarray:
        schools = now[metric][:, place].sum(axis=-1)
        drawn = weights @ schools.reshape(len(schools), -1)
        return drawn.reshape(len(weights), 2, *SHAPE)

    every = (2, 3, 4, 5)
    found = {}
    if SUSPENDED in now:
        y, x = (added(SUSPENDED, place).sum(axis=every) for place in (0, 1))
        found[SUSPENDED] = y / x
    children = added("persistent_absence", 1)
    for name, (by, code) in TRAITS.items():
        axis = 2 + list(FACTORS).index(by)
        mine = np.take(children, [FACTORS[by].index(code)], axis=axis)
        found[name] = mine.sum(axis=every) / children.sum(axis=every)
    told = {}
    for name, share in found.items():
        told[name, "level"] = 100 * share[:, COHORT]
        told[name, "gap"] = 100 * (share[:, COHORT] - share[:, PEERS])
    return told


def _parts(drawn: np.ndarray, first: np.ndarray) -> dict[str, np.ndarray]:
    """Return matched, standardised and decomposed gaps."""
    y, x = np.moveaxis(drawn.sum(axis=-1), 1, 0)
    (y_own, x_own), (y_peer, x_peer) = ((y[:, side], x[:, side]) for side in (COHORT, PEERS))
    with np.errstate(divide="ignore", invalid="ignore"):
        r, s = y_own / x_own, y_peer / x_peer
        # Matched: sex does not matter.
        own_x, own_y, peer_x, peer_y = (a.sum(axis=-1) for a in (x_own, y_own, x_peer, y_peer))
        there = (own_x > 0) & (peer_x > 0)
        size = np.where(there, own_x, 0).sum(axis=(1, 2, 3))
        alike = np.where(there, own_x * (peer_y / peer_x), 0).sum(axis=(1, 2, 3)) / size
        level = np.where(there, own_y, 0).sum(axis=(1, 2, 3)) / size
    every = (1, 2, 3, 4)
    then = first.sum(axis=(0, -1))[1]
    kept = []
    for side, rate, here in ((COHORT, r, x_own), (PEERS, s, x_peer)):
        weight = np.where(here > 0, then[side], 0)
        share = weight / weight.sum(axis=every, keepdims=True)
        kept.append(np.where(here > 0, share * rate, 0).sum(axis=every))
    p, q = (a / a.sum(axis=every, keepdims=True) for a in (x_own, x_peer))
    both = np.where(x_own > 0, r, s), np.where(x_peer > 0, s, r)
    r, s = (np.nan_to_num(rate) for rate in both)
    mean = (r + s) / 2
    found = {
        "matched level": alike,
        "matched gap": level - alike,
        "standardised gap": kept[0] - kept[1],
        "composition": ((p - q) * mean).sum(axis=every),
        "rates": ((p + q) / 2 * (r - s)).sum(axis=every),
    }
    return found | {
        f"composition: {factor}": part
        for factor, part in zip(FACTORS, _shapley(p, q, mean), strict=True)
    }


def _shapley(p: np.ndarray, q: np.ndarray, mean: np.ndarray) -> list[np.ndarray]:
    """Return each factor's mean step over all orders, from q to p and back."""
    factors = range(len(SHAPE))
    sets = [chosen for size in range(len(SHAPE) + 1) for chosen in combinations(factors, size)]
    gone = {t: (_mixed(p, q, mean, t) - _mixed(q, p, mean, t)) / 2 for t in sets}
    found = []
    for factor in factors:
        part = np.zeros(len(p))
        for chosen, value in gone.items():
            if factor not in chosen:
                size = len(chosen)
                weight = factorial(size) * factorial(len(SHAPE) - size - 1) / factorial(len(SHAPE))
                part += weight * (gone[tuple(sorted((*chosen, factor)))] - value)
        found.append(part)
    return found


def _mixed(
    taken: np.ndarray, kept: np.ndarray, mean: np.ndarray, chosen: tuple[int, ...]
) -> np.ndarray:
    """Return the mean rate where the chosen factors are as taken and the rest, given them, kept."""
    rest = tuple(axis + 1 for axis in range(len(SHAPE)) if axis not in chosen)
    of_taken, of_kept = (a.sum(axis=rest, keepdims=True) for a in (taken, kept))
    with np.errstate(divide="ignore", invalid="ignore"):
        mixed = np.where(of_kept > 0, of_taken * kept / of_kept, taken)
    return (mixed * mean).sum(axis=(1, 2, 3, 4))
