"""Do the intervals agree with a second method: a bootstrap of schools, and statsmodels?

Made authorities of 60 and of 120 schools, six to seven cohort pupils each over four years, go
through the panel, the composition and the room's own tables. Then whole schools are drawn with
replacement, 9,999 times, and every quantity is worked out again from the drawn schools' sums, by
formulas of its own. Run from the root of the repository, it writes docs/proofs/interval_check.md:

    python -m tests.proofs.interval_check [--draws N] [--output FILE]
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats

from tests.proofs import _by_strata as by_strata
from vsh_eval import metrics, names
from vsh_eval.panel import Comparison

DRAWS = 9_999
SCHOOLS = (60, 120)
SEED = 20260901
ALPHA = 0.05
YEARS = (202122, 202223, 202324, 202425)
COMPARISON = Comparison("cwsw", "peers", baseline=YEARS[0])
PAGE = Path(__file__).resolve().parents[2] / "docs" / "proofs" / "interval_check.md"
MARGIN = 0.05

Sums = dict[str, np.ndarray]
COHORT, PEERS = 0, 1


def draw_pupils(
    rng: np.random.Generator, schools: int, years: tuple[int, ...] = YEARS
) -> pd.DataFrame:
    """Draw an authority's pupils: in each school and year some cohort children and many peers."""
    sizes = np.stack([1 + rng.poisson(rng.gamma(3, 5.5 / 3, schools)), rng.poisson(120, schools)])
    lasting = np.stack([rng.normal(0, 0.02, schools), rng.normal(0, 0.008, schools)])
    parts = []
    for year in years:
        at = YEARS.index(year)
        for side, group in ((COHORT, "cin"), (PEERS, "peers")):
            school = np.repeat(np.arange(schools), sizes[side])
            centre = (0.17, 0.065)[side] + at * (0.004, -0.001)[side]
            size = centre * (1 - centre) / (0.16, 0.09)[side] ** 2 - 1
            own = centre + lasting[side] + rng.normal(0, 0.01, schools)
            child = rng.beta(centre * size, (1 - centre) * size, len(school))
            rate = np.clip(child + (own - centre)[school], 0, 1)
            possible = rng.integers(330, 372, len(school))
            missed = np.rint(rate * possible)
            unauthorised = np.rint(missed * rng.beta(2, 3, len(school)))
            score = np.clip(rng.normal((22, 46)[side] - 60 * (own - centre)[school], 18), 0, 90)
            marks = score + rng.normal(0, 6, len(school))
            values = {
                "overall_absence": (missed, possible),
                "authorised_absence": (missed - unauthorised, possible),
                "unauthorised_absence": (unauthorised, possible),
                "persistent_absence": (1.0 * (10 * missed >= possible), np.ones(len(school))),
                "ks4_attainment8": (np.round(score, 2), np.ones(len(school))),
                "ks4_basics_94": (1.0 * (marks > 40), np.ones(len(school))),
            }
            for metric, (y, x) in values.items():
                block = {"unit_id": school, "time_period": year, "group": group, "metric": metric}
                parts.append(pd.DataFrame(block | {"y": y, "x": x}))
    return pd.concat(parts, ignore_index=True)


def panel_of(pupils: pd.DataFrame) -> pd.DataFrame:
    """Add pupils up to a panel of one phase."""
    y, x = pupils["y"], pupils["x"]
    rows = pupils.assign(
        pupils=1, numerator=y, denominator=x, sum_yy=y * y, sum_xy=x * y, sum_xx=x * x
    )
    keys = ["unit_id", "time_period", "group", "metric"]
    panel = rows.groupby(keys)[list(names.PANEL_SUMS)].sum().astype(float).reset_index()
    return panel.assign(
        source="returns",
        vintage="made",
        cohort_rule="any_time_in_year",
        level="school",
        phase="secondary",
        unit_id=panel["unit_id"].astype(str),
        pupils=panel["pupils"].astype("Int64"),
        rate=np.nan,
        status="",
    ).reindex(columns=list(names.PANEL_COLUMNS))


def drawn_sums(panel: pd.DataFrame, weights: np.ndarray) -> dict[tuple[str, int, int], Sums]:
    """Return each draw's sums of y, x, y squared and pupils, by metric, year and side."""
    found = {}
    columns = {"y": "numerator", "x": "denominator", "yy": "sum_yy", "n": "pupils"}
    for (metric, year, group), rows in panel.groupby(["metric", "time_period", "group"]):
        at = rows["unit_id"].astype(int).to_numpy()
        side = PEERS if group == "peers" else COHORT
        found[metric, YEARS.index(year), side] = {
            name: weights[:, at] @ rows[column].to_numpy(float) for name, column in columns.items()
        }
    return found


def quantities(sums: dict[tuple[str, int, int], Sums]) -> dict[tuple[str, str], np.ndarray]:
    """Work every quantity out again from sums, a value a draw."""
    found: dict[tuple[str, str], np.ndarray] = {}
    times = np.arange(len(YEARS)) - (len(YEARS) - 1) / 2
    slope = times / (times**2).sum()
    for metric in sorted({key[0] for key in sums}):
        scale = 1.0 if metric == "ks4_attainment8" else 100.0
        level = np.array(
            [
                [
                    scale * sums[metric, at, side]["y"] / sums[metric, at, side]["x"]
                    for side in (0, 1)
                ]
                for at in range(len(YEARS))
            ]
        )
        gap = level[:, COHORT] - level[:, PEERS]
        found[metric, "level"] = level[-1, COHORT]
        found[metric, "gap"] = gap[-1]
        found[metric, "ratio (log)"] = np.log(level[-1, COHORT] / level[-1, PEERS])
        found[metric, "change of gap"] = gap[-1] - gap[0]
        found[metric, "change of ratio (log)"] = found[metric, "ratio (log)"] - np.log(
            level[0, COHORT] / level[0, PEERS]
        )
        found[metric, "trend of gap"] = slope @ gap
        found[metric, "trend of level"] = slope @ level[:, COHORT]
        pupils = sum(sums[metric, len(YEARS) - 1, side]["n"] for side in (COHORT, PEERS))
        factor = 1 - 3 / (4 * pupils - 9)
        if metric == "ks4_attainment8":
            found[metric, "effect size"] = factor * gap[-1] / pooled_sd(sums, metric)
        if metric == "ks4_basics_94":
            odds = np.log(level[-1] / (100 - level[-1]))
            found[metric, "effect size"] = factor * (odds[COHORT] - odds[PEERS]) / 1.65
    whole = found["overall_absence", "gap"]
    found["unauthorised_absence", "share of gap"] = (
        100 * found["unauthorised_absence", "gap"] / whole
    )
    return found


def pooled_sd(sums: dict[tuple[str, int, int], Sums], metric: str) -> np.ndarray:
    """Return the pooled standard deviation of pupils in the last year, a value a draw."""
    sides = [sums[metric, len(YEARS) - 1, side] for side in (COHORT, PEERS)]
    squares = sum(part["yy"] - part["y"] ** 2 / part["n"] for part in sides)
    return np.sqrt(squares / (sum(part["n"] for part in sides) - 2))


def tabulated(panel: pd.DataFrame) -> pd.DataFrame:
    """Return what the room's own tables say: value, error, limits and df of each quantity."""
    found = {}

    def put(
        table: pd.DataFrame, quantity: str, columns: tuple[str, ...], log: bool = False
    ) -> None:
        last = table[(table["phase"] == "total") & (table["time_period"] == YEARS[-1])]
        for _, row in last.iterrows():
            value, lower, upper, error = (float(row[name]) if name else np.nan for name in columns)
            if log:
                value, lower, upper = np.log([value, lower, upper])
            found[row["metric"], quantity] = value, error, lower, upper, float(row["df"])

    gaps = metrics.gaps(panel, COMPARISON)
    changes = metrics.changes(panel, COMPARISON)
    trend = metrics.trend(panel, COMPARISON)
    effects = metrics.effect_sizes(panel, COMPARISON)
    split = metrics.parts(panel, COMPARISON)
    split = split[(split["of"] == "gap") & (split["part"] == "unauthorised_absence")]
    split = split.assign(metric=split["part"])
    put(gaps, "level", triple("group_level", "group_std_error"))
    put(gaps, "gap", triple("gap"))
    put(gaps, "ratio (log)", triple("ratio", "log_ratio_std_error"), log=True)
    put(changes, "change of gap", triple("change"))
    put(changes, "change of ratio (log)", triple("ratio_change", ""), log=True)
    put(trend, "trend of gap", triple("trend"))
    put(trend, "trend of level", triple("group_trend"))
    put(effects, "effect size", triple("effect_size"))
    put(split, "share of gap", triple("share", ""))
    return frame_of(found)


def triple(name: str, error: str | None = None) -> tuple[str, ...]:
    return name, f"{name}_lower", f"{name}_upper", f"{name}_std_error" if error is None else error


def compared(
    schools: int, draws: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return each quantity's interval beside that of the bootstrap: of the panel, of strata."""
    pupils = draw_pupils(rng, schools)
    panel = panel_of(pupils)
    weights = rng.multinomial(schools, np.full(schools, 1 / schools), size=draws).astype(float)
    ones = np.ones((1, schools))
    again, once = (quantities(drawn_sums(panel, each)) for each in (weights, ones))
    of_panel = beside(tabulated(panel), again, once, schools)
    # Who the children are is drawn apart, so that the panel does not hang on it.
    who = by_strata.with_strata(pupils, np.random.default_rng([SEED, schools]))
    cells = by_strata.cells_of(who[who["time_period"].isin((YEARS[0], YEARS[-1]))])
    composition, moments = by_strata.tables_of(cells)
    own = by_strata.tabulated(composition, moments, YEARS[0], YEARS[-1])
    first, now = (by_strata.arrays_of(cells, schools, year) for year in (YEARS[0], YEARS[-1]))
    again, once = (by_strata.quantities(now, first, each) for each in (weights, ones))
    return of_panel, beside(frame_of(own), again, once, schools)


def frame_of(found: dict[tuple[str, str], tuple[float, ...]]) -> pd.DataFrame:
    """Return value, error, limits and df of each quantity, sorted by quantity."""
    names_of = ["value", "error", "lower", "upper", "df"]
    return pd.DataFrame.from_dict(found, orient="index", columns=names_of)


def beside(
    own: pd.DataFrame,
    again: dict[tuple[str, str], np.ndarray],
    once: dict[tuple[str, str], np.ndarray],
    schools: int,
) -> pd.DataFrame:
    """Return each quantity's interval beside the drawn values."""
    rows = {}
    for key, row in own.iterrows():
        # Drawn schools vary (G - 1) / G as much as schools do.
        spread = np.nanstd(again[key], ddof=1) * np.sqrt(schools / (schools - 1))
        t = stats.t.ppf(1 - ALPHA / 2, row["df"])
        error = row["error"] if np.isfinite(row["error"]) else (row["upper"] - row["lower"]) / 2 / t
        low, high = np.nanquantile(again[key], [ALPHA / 2, 1 - ALPHA / 2])
        # The percentile limits are those of a normal sample; t reaches a little further.
        further = t / stats.norm.ppf(1 - ALPHA / 2) * np.sqrt(schools / (schools - 1))
        rows[key] = {
            "value": row["value"],
            "second value": once[key][0],
            "error": error,
            "bootstrap": spread,
            "error / bootstrap": error / spread,
            "width / percentile": (row["upper"] - row["lower"]) / ((high - low) * further),
        }
    return pd.DataFrame(rows).T


def drawn_anew(authorities: int, schools: int = SCHOOLS[0]) -> pd.DataFrame:
    """Return how far decomposed gaps scatter over authorities drawn anew, beside both errors.

    Where a part is a product of two differences near nought, the package's error and the bootstrap
    cannot both be right; the scatter of the parts themselves says which is.
    """
    rng = np.random.default_rng([SEED, 1])
    values, own, drawn = [], [], []
    for _ in range(authorities):
        who = by_strata.with_strata(draw_pupils(rng, schools, YEARS[-1:]), rng)
        # Year groups are no part of a decomposition: one is enough.
        who = who[who["metric"].isin(by_strata.MEASURED[:2])].assign(year_group=4)
        cells = by_strata.cells_of(who)
        found = by_strata.decomposed(*by_strata.tables_of(cells), YEARS[-1])
        weights = rng.multinomial(schools, np.full(schools, 1 / schools), size=200).astype(float)
        now = by_strata.arrays_of(cells, schools, YEARS[-1])
        again = by_strata.quantities(now, now, weights)
        values.append({key: row[0] for key, row in found.items()})
        own.append({key: row[1] ** 2 for key, row in found.items()})
        drawn.append({key: np.nanvar(again[key], ddof=1) for key in found})
    scatter = pd.DataFrame(values).std(ddof=1)
    errors, bootstrap = (np.sqrt(pd.DataFrame(squares).mean()) for squares in (own, drawn))
    return pd.DataFrame(
        {
            "mean": pd.DataFrame(values).mean(),
            "scatter": scatter,
            "error / scatter": errors / scatter,
            "bootstrap / scatter": bootstrap * np.sqrt(schools / (schools - 1)) / scatter,
        }
    )


def by_statsmodels(schools: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return levels and gaps of the last year beside weighted least squares by school."""
    pupils = draw_pupils(rng, schools)
    own = tabulated(panel_of(pupils))
    rows = {}
    for metric in sorted(pupils["metric"].unique()):
        last = pupils[(pupils["metric"] == metric) & (pupils["time_period"] == YEARS[-1])]
        scale = 1.0 if metric == "ks4_attainment8" else 100.0
        cohort = (last["group"] == "cin").to_numpy(float)
        for quantity, kept, design in (
            ("level", cohort == 1, np.ones((int(cohort.sum()), 1))),
            ("gap", cohort >= 0, np.column_stack([cohort, np.ones(len(last))])),
        ):
            part = last[kept]
            fit = sm.WLS(part["y"] / part["x"], design, weights=part["x"]).fit(
                cov_type="cluster", cov_kwds={"groups": part["unit_id"], "df_correction": True}
            )
            # statsmodels counts pupils for its small-sample factor too.
            factor = np.sqrt((len(part) - 1) / (len(part) - design.shape[1]))
            theirs = scale * fit.bse.iloc[0] / factor
            error = own.loc[[(metric, quantity)], "error"].iloc[0]
            rows[metric, quantity] = {
                "value": own.loc[[(metric, quantity)], "value"].iloc[0],
                "second value": scale * fit.params.iloc[0],
                "error": error,
                "statsmodels": theirs,
                "error / statsmodels": error / theirs,
            }
    return pd.DataFrame(rows).T


def page(
    tables: dict[str, pd.DataFrame],
    fitted: dict[int, pd.DataFrame],
    anew: pd.DataFrame,
    *,
    draws: int,
) -> str:
    """Write the tables as a page."""
    lines = [
        "# Intervals beside a second method",
        "",
        "Regenerate with `python -m tests.proofs.interval_check`. Made authorities only.",
        "",
        f"One made authority of {' and one of '.join(map(str, SCHOOLS))} schools (seed {SEED}), "
        "6.5 cohort pupils and 120 peers a school in four years; cwsw against peers in the last "
        "year, changes since the first. The bootstrap draws whole schools with replacement, "
        f"{draws:,} times, and works every quantity out again from the drawn schools' sums. SEN, "
        "free school meals, sex, year group and phase are drawn so that the first two go with "
        "absence, with the school and with the cohort. sen_support, ehc_plan, fsm6 and "
        "pupils_suspended are barriers: shares of children.",
        "",
        "Error: the standard error behind the interval (half its width over t where a table gives "
        "none). Error / bootstrap: beside the standard deviation of the draws, times the root of "
        "G / (G - 1), because drawn schools differ that much less. Width / percentile: the width "
        "of the interval beside that of the bootstrap's percentile limits, stretched likewise and "
        "from normal to t. The Monte Carlo error of the first ratio is "
        f"{100 / np.sqrt(2 * draws):.1f}%. Aim: within {100 * MARGIN:.0f}%.",
    ]
    for title, table in tables.items():
        lines += [
            "",
            f"## {title}",
            "",
            "| metric | quantity | value | error | bootstrap | error / bootstrap "
            "| width / percentile |",
            "|---|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {metric} | {quantity} | {row['value']:.3f} | {row['error']:.4f} "
            f"| {row['bootstrap']:.4f} | {row['error / bootstrap']:.3f} "
            f"| {row['width / percentile']:.3f} |"
            for (metric, quantity), row in table.iterrows()
        ]
    lines += [
        "",
        "## Weighted least squares with variance clustered by school (statsmodels)",
        "",
        "| schools | metric | quantity | value | error | statsmodels | error / statsmodels |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {schools} | {metric} | {quantity} | {row['value']:.3f} | {row['error']:.4f} "
        f"| {row['statsmodels']:.4f} | {row['error / statsmodels']:.6f} |"
        for schools, table in fitted.items()
        for (metric, quantity), row in table.iterrows()
    ]
    lines += [
        "",
        f"## Decomposed gaps of authorities of {SCHOOLS[0]} schools drawn anew",
        "",
        f"All schools and children are drawn anew, {authorities_of(draws)} times, and each "
        "authority is decomposed and its schools drawn 200 times. Scatter: standard deviation of "
        "the parts. Errors are root mean squares over the authorities; the Monte Carlo error of "
        f"both ratios is {100 / np.sqrt(2 * authorities_of(draws)):.0f}%.",
        "",
        "| metric | quantity | mean | scatter | error / scatter | bootstrap / scatter |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {metric} | {quantity} | {row['mean']:.3f} | {row['scatter']:.4f} "
        f"| {row['error / scatter']:.3f} | {row['bootstrap / scatter']:.3f} |"
        for (metric, quantity), row in anew.iterrows()
    ]
    return "\n".join([*lines, "", "## Reading", "", *reading(tables, fitted), *on_parts(anew), ""])


def on_parts(anew: pd.DataFrame) -> list[str]:
    """Say which of the two errors is right where they differ most."""
    near_nought = np.array([name.endswith((": phase", ": sex")) for _, name in anew.index])

    def ends(rows: pd.DataFrame) -> tuple[str, str]:
        one, two = (rows[name] for name in ("error / scatter", "bootstrap / scatter"))
        return tuple(f"{part.min():.2f} to {part.max():.2f}" for part in (one, two))

    (own, drawn), (others, others_drawn) = ends(anew[near_nought]), ends(anew[~near_nought])
    return [
        "- The gap is standardised to the first year's make-up, in the package and in the draws: "
        "that year's make-up is the yardstick, taken as it was, and its chance is no part of the "
        "interval.",
        "- The parts of phase and of sex are products of two differences that are both near nought "
        "here (the cohort is spread over phases and sexes as its peers are, and neither makes any "
        "difference), so they have next to no slope: the error is of second order, and no number "
        "of schools brings the two methods together. If u and v are estimates of two noughts, with "
        "errors s and t, their product scatters by s t; the first-order error makes it 1.4 s t on "
        "average, the bootstrap 1.7 s t. Authorities drawn anew show it: of the scatter, the "
        f"errors are {own} and the bootstrap's {drawn}; of the other parts {others} and "
        f"{others_drawn}. The limits stay as they are: rather too wide there.",
        f"- With {SCHOOLS[0]} schools some strata hold two or three children of the cohort, and "
        "the bootstrap empties them in some draws: what is further apart there and not with "
        f"{SCHOOLS[1]} schools is the first order's roughness in small strata.",
    ]


def authorities_of(draws: int) -> int:
    """Return how many authorities are drawn anew: 100 of 9,999 draws."""
    return max(2, round(0.01 * draws))


def reading(tables: dict[str, pd.DataFrame], fitted: dict[int, pd.DataFrame]) -> list[str]:
    """Say where the methods agree, and where not."""
    lines = []
    for title, table in tables.items():
        ratios = table[["error / bootstrap", "width / percentile"]]
        off = [
            f"{' '.join(key)} ({row.iloc[0]:.2f}, {row.iloc[1]:.2f})"
            for key, row in ratios[((ratios - 1).abs() > MARGIN).any(axis=1)].iterrows()
        ]
        low, high = ratios.min(), ratios.max()
        lines.append(
            f"- {title}: errors {low.iloc[0]:.3f} to {high.iloc[0]:.3f} of the "
            f"bootstrap's, widths {low.iloc[1]:.3f} to {high.iloc[1]:.3f}; further apart than "
            f"{100 * MARGIN:.0f}%: {', '.join(off) or 'none'}."
        )
    every = [*tables.values(), *fitted.values()]
    apart = max(
        float(((table["second value"] - table["value"]) / table["value"]).abs().max())
        for table in every
    )
    wide = max(float((table["error / statsmodels"] - 1).abs().max()) for table in fitted.values())
    return [
        *lines,
        f"- Values worked out a second time differ by at most {apart:.0e} of themselves; "
        f"errors from statsmodels by {wide:.0e}, after its factor "
        "(n - 1) / (n - k) for n pupils is taken off.",
        "- Intervals of shares of children are made on the logit scale and joined by MOVER, so "
        "their width may differ from a symmetric one's by design.",
    ]


def main(arguments: list[str] | None = None) -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--output", type=Path, default=PAGE)
    asked = parser.parse_args(arguments)
    rng = np.random.default_rng(SEED)
    tables: dict[str, pd.DataFrame] = {}
    for schools in SCHOOLS:
        of_panel, of_strata = compared(schools, asked.draws, rng)
        tables[f"{schools} schools"] = of_panel
        tables[f"{schools} schools, by who the children are"] = of_strata
    fitted = {schools: by_statsmodels(schools, rng) for schools in SCHOOLS}
    anew = drawn_anew(authorities_of(asked.draws))
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    asked.output.write_text(page(tables, fitted, anew, draws=asked.draws), encoding="utf-8")


if __name__ == "__main__":
    main()
