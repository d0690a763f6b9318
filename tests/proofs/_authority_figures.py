"""What notes/domain.md derives over the authorities, worked out again from the published files.

Each function returns names, as the printed lines have them, and the numbers in their order.
Levels and gaps are the package's own; what no metric of the package is (counts of suppressed cells,
the tool's other measures) is read from the files, and the page says so.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from vsh_eval import metrics, names
from vsh_eval.cells.published import PUPIL_SD
from vsh_eval.panel import Comparison

Found = dict[str, list[float]]
YEARS = (201819, 202122, 202223, 202324, 202425)
WITH_PROGRESS = (201819, 202122, 202223, 202324)
TOOL = "lait/bds_long_0.parquet"
TOOL_YEARS = {
    "DAP_KS4_ATT8 2019-2025": (2019, 2020, 2021, 2022, 2023, 2024, 2025),
    "NonDAP_KS4_ATT8 2019-2025": (2019, 2020, 2021, 2022, 2023, 2024, 2025),
    "DAP_NEW_KS2_RWM 2019, 2022-2025": (2019, 2022, 2023, 2024, 2025),
    "NonDAP_NEW_KS2_RWM 2019, 2022-2025": (2019, 2022, 2023, 2024, 2025),
    "CINFixedExclusion 2016-2018": (2016, 2017, 2018),
    "LAC_Fixed_ Ex 2016-2018": (2016, 2017, 2018),
    "CINPermExclusion 2016-2018": (2016, 2017, 2018),
    "CINFSM 2017, 2019, 2021, 2023-2025": (2017, 2019, 2021, 2023, 2024, 2025),
    "CINStatement 2017, 2025": (2017, 2025),
    "CINSEN_SUP 2017, 2025": (2017, 2025),
    "CIN 2016, 2018, 2021, 2022, 2025": (2016, 2018, 2021, 2022, 2025),
    "CPP_Num 2019, 2025": (2019, 2025),
}


def from_the_tool(data: Path) -> Found:
    """Read England's figures of measures that the package does not read from the tool's file."""
    wanted = {name: name.rsplit(" 20", 1)[0].split(" 20")[0] for name in TOOL_YEARS}
    table = pd.read_parquet(data / TOOL, filters=[("LA and Regions", "==", "England")])
    shown = table.set_index(["Short Desc", "Years"])["Values"]
    return {
        name: [float(shown[wanted[name], str(year)]) for year in years]
        for name, years in TOOL_YEARS.items()
    }


def of_authorities(gaps: pd.DataFrame, levels: pd.DataFrame) -> Found:
    """Return how much authorities' gaps differ, last and hang together, and how large they are."""
    cwsw = gaps[gaps["group"].eq(names.CWSW) & gaps["phase"].eq(names.TOTAL)]
    cwsw = cwsw[cwsw["time_period"].isin(YEARS)]
    # Sums of two groups: an authority-year without a child on a plan has no second group to add.
    both = levels[levels["group"].eq(names.CPP) & levels["pupils"].gt(0)]
    both = both.loc[both["metric"].eq("overall_absence"), ["unit_id", "time_period"]]
    cwsw = cwsw.merge(both, on=["unit_id", "time_period"])
    found: Found = {}
    for metric in ("overall_absence", "persistent_absence", "severe_absence"):
        course = _course(cwsw, metric)
        between, residual = _spreads(course)
        hold = course.sub(course.mean()).corr().to_numpy()
        later = [hold[at, at + 1] for at in range(1, len(YEARS) - 1)]
        name = f"{metric}: between, residual, adjacent low, high, first with last"
        found[name] = [between, residual, min(later), max(later), hold[0, -1]]
    total = levels[levels["phase"].eq(names.TOTAL)]
    absence = total[total["metric"].eq("overall_absence") & total["group"].eq(names.CWSW)]
    last = absence.loc[absence["time_period"].eq(YEARS[-1]), "pupils"].dropna().astype(float)
    found["pupils of an authority 2024/25: least, quartiles, most"] = [
        float(last.quantile(at)) for at in (0, 0.25, 0.5, 0.75, 1)
    ]
    examined = total[total["metric"].eq("ks4_attainment8") & total["time_period"].eq(YEARS[-1])]
    found["pupils at key stage 4, 2024/25: median CINO, CPPO, CLA"] = [
        float(examined.loc[examined["group"].eq(group), "pupils"].median())
        for group in (names.CIN, names.CPP, names.CLA)
    ]
    counted = absence[absence["denominator"].gt(0)].merge(both, on=["unit_id", "time_period"])
    sessions = counted["denominator"].astype(float) / counted["pupils"].astype(float)
    found["possible sessions a pupil: mean, SD"] = [float(sessions.mean()), float(sessions.std())]
    return found


def attainment_alone(panel: pd.DataFrame) -> list[float]:
    """Return how much authorities' Attainment 8 gaps (CINO) differ and last, in one release."""
    found = metrics.gaps(panel, Comparison(names.CIN, names.ALL, metrics=("ks4_attainment8",)))
    return list(_spreads(_course(found, "ks4_attainment8")))


def _course(gaps: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return the gap of every authority that has one, authority by year."""
    known = gaps[gaps["metric"].eq(metric) & gaps["gap"].notna()]
    return known.pivot_table(index="unit_id", columns="time_period", values="gap")


def _spreads(course: pd.DataFrame) -> tuple[float, float]:
    """Return the SD of the authorities' effects and of what authority and year leave over."""
    long = course.melt(ignore_index=False, value_name="gap").dropna().reset_index()
    units, unit = np.unique(long["unit_id"], return_inverse=True)
    years, year = np.unique(long["time_period"], return_inverse=True)
    design = np.hstack([np.eye(len(units))[unit], np.eye(len(years))[year][:, 1:]])
    gap = long["gap"].to_numpy(float)
    effects = np.linalg.solve(design.T @ design, design.T @ gap)
    left = gap - design @ effects
    return (
        float(effects[: len(units)].std(ddof=1)),
        float(np.sqrt(left @ left / (len(gap) - design.shape[1]))),
    )


def of_vintages(earlier: pd.DataFrame, later: pd.DataFrame) -> Found:
    """Return how far two releases of the same years lie apart, from both panels."""

    def both(metric: str, group: str, year: int, value: str, level: str = names.LA) -> pd.DataFrame:
        sides = [
            panel[
                panel["metric"].eq(metric)
                & panel["group"].eq(group)
                & panel["time_period"].eq(year)
                & panel["phase"].eq(names.TOTAL)
                & panel["level"].eq(level)
            ].set_index("unit_id")[value]
            for panel in (earlier, later)
        ]
        return pd.concat(sides, axis=1, keys=["earlier", "later"]).astype(float).dropna()

    def moved(pairs: pd.DataFrame) -> list[float]:
        apart = (pairs["later"] - pairs["earlier"]).abs().round(6)
        return [float(apart.gt(0).sum()), float(len(apart)), float(apart.max())]

    pupils, overall, persistent = "pupils", "overall_absence", "persistent_absence"
    national = {
        group: both(persistent, group, 202021, "rate", names.NATIONAL).iloc[0]
        for group in (names.CIN, names.CPP, names.CLA)
    }
    enfield = both(overall, names.CPP, 202223, "rate").loc["E09000010"].to_numpy(float)
    england = both(overall, names.CIN, 202223, pupils, names.NATIONAL).iloc[0].to_numpy(float)
    cpp = {
        "persistent 2020/21": moved(both(persistent, names.CPP, 202021, "rate")),
        "overall 2022/23": moved(both(overall, names.CPP, 202223, "rate")),
    }
    return {
        "CINO pupils 2018/19: authorities changed, of": moved(
            both(overall, names.CIN, 201819, pupils)
        )[:2],
        "CINO pupils 2022/23: authorities changed, of, most pupils": moved(
            both(overall, names.CIN, 202223, pupils)
        ),
        "CINO persistent 2020/21: authorities changed, of, most points": moved(
            both(persistent, names.CIN, 202021, "rate")
        ),
        **{f"CPPO {name}: most points": [values[2]] for name, values in cpp.items()},
        "CPPO overall 2022/23, Enfield: earlier, later": list(map(float, enfield)),
        "England persistent 2020/21, earlier: CINO, CPPO, CLA": [
            float(pair["earlier"]) for pair in national.values()
        ],
        "England persistent 2020/21, later: CINO, CPPO, CLA": [
            float(pair["later"]) for pair in national.values()
        ],
        "CINO pupils 2022/23, England: earlier, later": list(map(float, england)),
    }


def of_methods(panel: pd.DataFrame, limits: pd.DataFrame, areas: pd.DataFrame) -> Found:
    """Return what section 2 verifies on the files: limits, exact ratios, regions, suppression."""
    counted = panel[panel["group"].ne(names.ALL)]
    local = counted[counted["level"].eq(names.LA)]
    pairs = [int(limits["time_period"].eq(year).sum()) for year in WITH_PROGRESS]
    reproduced = limits[limits["reproduced"]]
    good = [int(reproduced["time_period"].eq(year).sum()) for year in WITH_PROGRESS]
    sd = PUPIL_SD["ks4_progress8"]
    hidden = local[local["status"].eq(names.CONFIDENTIAL)]
    if pairs != good:
        good = [float("nan")] * len(pairs)
    return {
        "Progress 8 limits reproduced 2018/19, 2021/22-2023/24, pairs": [*good, sum(good)],
        "key stage 2 spread of pupils, reading 2018/19, 2021/22, 2022/23": _spread("reading"),
        "key stage 2 spread of pupils, writing 2018/19, 2021/22, 2022/23": _spread("writing"),
        "key stage 2 spread of pupils, maths 2018/19, 2021/22, 2022/23": _spread("maths"),
        "Progress 8 spread of pupils 2018/19, 2021/22-2023/24": [sd[y] for y in WITH_PROGRESS],
        "Attainment 8: largest distance of points over pupils from the mean": [
            _farthest(local, "ks4_attainment8")
        ],
        "Progress 8: largest distance of scores over pupils from the mean": [
            _farthest(local, "ks4_progress8")
        ],
        "regions that add up to England, and with the parts of London": _regions(panel, areas),
        **_suppressed(local, hidden),
    }


def _spread(subject: str) -> list[float]:
    return list(PUPIL_SD[f"ks2_{subject}_progress"].values())


def _regions(panel: pd.DataFrame, areas: pd.DataFrame) -> list[float]:
    """Count the panel's regions, 0 unless their pupils are England's, and those of the file."""
    rows = panel[
        panel["metric"].eq("overall_absence")
        & panel["group"].isin([names.CIN, names.CPP, names.CLA])
        & panel["phase"].eq(names.TOTAL)
        & ~panel["time_period"].eq(201920)
    ]
    keys = ["time_period", "group"]
    sums = rows[rows["level"].eq(names.REGION)].groupby(keys)["pupils"].agg(["sum", "size"])
    england = rows[rows["level"].eq(names.NATIONAL)].set_index(keys)["pupils"]
    # Each region is rounded to 10, and so is England.
    apart = (sums["sum"] - england).abs()
    once = sums["size"].unique()
    adds_up = len(once) == 1 and bool(apart.le(5 * (once[0] + 1)).all())
    return [float(once[0]) if adds_up else 0.0, float(areas["level"].eq(names.REGION).sum())]


def _farthest(local: pd.DataFrame, metric: str) -> float:
    rows = local[local["metric"].eq(metric) & local["status"].eq("")]
    return float((rows["numerator"] / rows["denominator"].astype(float) - rows["rate"]).abs().max())


def _suppressed(local: pd.DataFrame, hidden: pd.DataFrame) -> Found:
    """Count suppressed cells: rates of absence by phase, authorities by group and year."""
    absence = local["metric"].eq("overall_absence")
    shares = {
        phase: 100 * float(rows["status"].eq(names.CONFIDENTIAL).mean())
        for phase, rows in local[absence].groupby("phase")
    }

    def per_year(metric: str, group: str) -> pd.Series:
        rows = hidden[hidden["metric"].eq(metric) & hidden["group"].eq(group)]
        rows = rows[rows["phase"].eq(names.TOTAL)]
        return rows.groupby("time_period").size()

    severe = per_year("severe_absence", names.CLA)
    attainment = per_year("ks4_attainment8", names.CPP)
    basics = [per_year("ks4_basics_95", group) for group in (names.CIN, names.CLA)]
    counts = local[["pupils", "numerator", "denominator"]].astype(float)
    counts = counts[local["metric"].isin(["persistent_absence", "severe_absence"])]
    positive = counts.to_numpy()[counts.to_numpy() > 0]
    return {
        "smallest count of pupils of an authority that is not 0": [float(positive.min())],
        "absence cells suppressed, all phases, %": [shares[names.TOTAL]],
        "absence cells suppressed, alternative provision and special, %": [
            shares["alternative_provision"],
            shares["special"],
        ],
        "severe absence of CLA suppressed, authorities 2018/19 and 2024/25": [
            float(severe[201819]),
            float(severe[202425]),
        ],
        "Attainment 8 of CPPO suppressed, authorities, least and most years": [
            float(attainment.min()),
            float(attainment.max()),
        ],
        "basics 9-5 suppressed, authorities, CINO least and most, CLA least and most": [
            float(value) for rows in basics for value in (rows.min(), rows.max())
        ],
    }
