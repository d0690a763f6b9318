import numpy as np
import pandas as pd
import pytest

from vsh_eval import metrics, names
from vsh_eval.contracts import DisclosureError
from vsh_eval.numerics.effect_size import small_sample_factor, toolkit_months
from vsh_eval.release import protect, round_leaves, rule_named

STRICT, NONE = rule_named("strict10"), rule_named("none")
PAIR = {"group": "cwsw", "reference": "peers"}
YEARS = (202122, 202223, 202324, 202425)


def drawn_panel(seed=4, *, schools=30, cohort=6):
    """Absence, persistent absence and attainment of four years in primaries and secondaries."""
    rng = np.random.default_rng(seed)
    parts = []
    for at, year in enumerate(YEARS):
        for group, size in (("cin", cohort), ("cpp", 2), ("peers", 60)):
            n = rng.poisson(size, schools)
            school = np.repeat(np.arange(schools), n)
            apart = group != "peers"
            rate = np.clip(rng.beta(1.2, 10, len(school)) + apart * (0.05 - 0.008 * at), 0, 1)
            possible = rng.integers(330, 372, len(school))
            missed = np.rint(rate * possible)
            score = np.round(rng.normal(46 - 14 * apart, 17, len(school)), 2)
            one = np.ones(len(school))
            values = {
                "overall_absence": (missed, possible),
                "persistent_absence": (1.0 * (10 * missed >= possible), one),
                "ks4_attainment8": (score, one),
                "ks4_attainment8_rank": (np.clip(score, 0, 100), one),
                "ks4_basics_94": (1.0 * (score > 36), one),
            }
            for metric, (y, x) in values.items():
                block = {"unit_id": school.astype(str), "time_period": year, "group": group}
                parts.append(
                    pd.DataFrame(block | {"metric": metric, "numerator": y, "denominator": x})
                )
    pupils = pd.concat(parts, ignore_index=True)
    y, x = pupils["numerator"], pupils["denominator"]
    pupils = pupils.assign(
        pupils=1,
        sum_yy=y * y,
        sum_xy=x * y,
        sum_xx=1.0 * x * x,
        phase=np.where(pupils["unit_id"].astype(int) % 4 == 0, "secondary", "primary"),
    )
    keys = ["unit_id", "time_period", "phase", "group", "metric"]
    panel = pupils.groupby(keys, as_index=False)[list(names.PANEL_SUMS)].sum()
    return panel.assign(
        source="returns",
        vintage="2026",
        cohort_rule="any_time_in_year",
        level="school",
        rate=np.nan,
        status="",
    ).astype({"pupils": "Int64", "numerator": float})[list(names.PANEL_COLUMNS)]


@pytest.fixture(scope="module")
def panel():
    return drawn_panel()


@pytest.fixture(scope="module")
def cube(panel):
    return round_leaves(panel, STRICT)


@pytest.fixture(scope="module")
def small():
    few = drawn_panel(7, schools=8, cohort=0.5)
    return few, round_leaves(few, STRICT), drawn_panel(8, schools=9, cohort=0.5)


@pytest.fixture(scope="module")
def released_gaps(panel, cube):
    table = metrics.gaps(panel, **PAIR, unit_id="E06000049")
    keys = ["metric", "phase", "time_period"]
    return protect(table, STRICT, kind="gaps", cube=cube).frame.set_index(keys)


def with_gaps(frame, released_gaps):
    beside = released_gaps.add_suffix("_released")
    return frame.join(beside, on=["metric", "phase", "time_period"])


def test_effect_sizes_follow_from_what_is_released(panel, cube, released_gaps):
    table = metrics.effect_sizes(panel, **PAIR, unit_id="E06000049")
    found = with_gaps(protect(table, STRICT, kind="effect_sizes", cube=cube).frame, released_gaps)
    assert (found["status"] == found["status_released"]).all()
    shown = found[found["status"] == ""]
    assert len(shown) > 20
    n = (shown["group_pupils"] + shown["reference_pupils"]).to_numpy(float)
    scores = (shown["measured_by"] == "hedges_g").to_numpy()
    g = small_sample_factor(n) * shown["gap_released"] / shown["pooled_sd"]
    assert shown.loc[scores, "effect_size"].tolist() == pytest.approx(
        g[scores].tolist(), abs=0.0051
    )
    shares = (shown["measured_by"] == "cox_index").to_numpy()
    p, q = (shown[f"{side}_level_released"] / 100 for side in ("group", "reference"))
    cox = small_sample_factor(n) * (np.log(p / (1 - p)) - np.log(q / (1 - q))) / 1.65
    assert shown.loc[shares, "effect_size"].tolist() == pytest.approx(
        cox[shares].tolist(), abs=0.006
    )
    ranks = shown[shown["measured_by"] == "gap_index"]
    assert ranks["gap_index"].tolist() == pytest.approx(
        (0.2 * ranks["gap_released"]).tolist(), abs=0.0051
    )
    others = shown[shown["measured_by"] != "gap_index"]
    assert others["months"].tolist() == toolkit_months(others["effect_size"].to_numpy()).tolist()
    assert (others["effect_size_lower"] < others["effect_size"]).all()
    assert (others["months_lower"] <= others["months_upper"]).all()
    assert shown.loc[shares, "pooled_sd"].isna().all()
    spread = shown.loc[~shares, "pooled_sd"]
    assert spread.map(lambda sd: len(f"{sd:g}".replace(".", "")) <= 2).all()


def test_days_are_the_released_gap_times_whole_sessions(panel, cube, released_gaps):
    gaps = metrics.gaps(panel, **PAIR, unit_id="E06000049")
    table = metrics.sessions_and_days(gaps, panel)
    found = with_gaps(protect(table, STRICT, kind="sessions", cube=cube).frame, released_gaps)
    shown = found[found["status"] == ""]
    assert len(shown) == len(found)
    assert (shown["sessions_possible"] == shown["sessions_possible"].round()).all()
    sessions = shown["gap_released"] / 100 * shown["sessions_possible"]
    assert shown["sessions"].tolist() == pytest.approx(sessions.tolist(), abs=0.051)
    assert shown["days"].tolist() == pytest.approx((sessions / 2).tolist(), abs=0.051)


def test_trends_are_lines_through_the_released_gaps(panel, cube, released_gaps):
    table = metrics.trend(panel, **PAIR, unit_id="E06000049")
    found = protect(table, STRICT, kind="trends", cube=cube).frame
    assert (found["status"] == "").sum() >= 8
    by_year = released_gaps.sort_index()
    for _, row in found.iterrows():
        gap = by_year.loc[(row["metric"], row["phase"]), "gap"]
        if row["status"] == "c":
            assert gap.isna().any()
            assert np.isnan(row[["trend", "group_trend", "trend_lower"]].astype(float)).all()
            continue
        assert row["trend"] == pytest.approx(
            np.polyfit(range(4), gap.to_numpy(float), 1)[0], abs=0.0151
        )
        assert row["trend_lower"] < row["trend"] < row["trend_upper"]
        apart = row["group_trend"] - row["reference_trend"]
        assert row["trend"] == pytest.approx(apart, abs=0.0151)
        below, above = row["trend_upper"] < 0, row["trend_lower"] > 0
        assert (row["direction"] == "not clear") == (not below and not above)


def test_released_intervals_are_close_to_the_tables_own(panel, cube):
    for make, kind, name in (
        (metrics.trend, "trends", "trend"),
        (metrics.effect_sizes, "effect_sizes", "effect_size"),
    ):
        table = make(panel, **PAIR, unit_id="E06000049")
        found = protect(table, STRICT, kind=kind, cube=cube).frame
        both = found["phase"].eq("total") & found[name].notna()
        width, own = (
            (frame.loc[both, f"{name}_upper"] - frame.loc[both, f"{name}_lower"]).to_numpy(float)
            for frame in (found, table)
        )
        assert width == pytest.approx(own, rel=0.25)


@pytest.mark.parametrize("kind", ["trends", "effect_sizes"])
def test_exact_counts_do_not_move_what_is_shown_of_shares(panel, cube, kind):
    """The reach of a table's own interval depends on exact counts; only rounded ones may count."""
    make, name = {
        "trends": (metrics.trend, "trend"),
        "effect_sizes": (metrics.effect_sizes, "effect_size"),
    }[kind]
    table = make(panel, **PAIR, unit_id="E06000049")
    ends = [f"{name}_lower", f"{name}_upper"]
    stretched = table.assign(**{end: table[end] * 1.5 for end in ends})
    shown, again = (
        protect(given, STRICT, kind=kind, cube=cube).frame for given in (table, stretched)
    )
    counted = shown["metric"].isin(["persistent_absence", "ks4_basics_94"]) & shown[name].notna()
    assert counted.any()
    pd.testing.assert_frame_equal(shown[counted], again[counted])


@pytest.mark.parametrize("kind", ["trends", "effect_sizes", "sessions"])
def test_small_groups_are_hidden_and_other_children_refused(small, kind):
    few, cube, other = small
    make = {
        "trends": lambda given: metrics.trend(given, group="cin", reference="peers"),
        "effect_sizes": lambda given: metrics.effect_sizes(given, group="cin", reference="peers"),
        "sessions": lambda given: metrics.sessions_and_days(
            metrics.gaps(given, group="cin", reference="peers"), given
        ),
    }[kind]
    found = protect(make(few), STRICT, kind=kind, cube=cube).frame
    numbers = found.select_dtypes("float").columns
    small = found["phase"] == "secondary"
    assert found.loc[small, "status"].isin(["c", "x", "z"]).all()
    shown = [name for name in numbers if not name.startswith("reference")]
    assert found.loc[small, shown].isna().all(axis=None)
    with pytest.raises(DisclosureError):
        protect(make(other), STRICT, kind=kind, cube=cube)
    with pytest.raises(DisclosureError, match="without a cube"):
        protect(make(few), STRICT, kind=kind)
    assert len(protect(make(few), NONE, kind=kind).frame) == len(found)


def test_differences_between_schools_need_ten_of_them(panel):
    table = metrics.heterogeneity(panel, **PAIR, unit_id="E06000049")
    found = protect(table, STRICT, kind="between_schools").frame
    few = (table["schools"] < 10).to_numpy()
    assert few.any()
    assert not few.all()
    assert (found.loc[few, "status"] == "c").all()
    assert found.loc[few, ["schools", "tau", "mean_gap"]].isna().all(axis=None)
    assert (found.loc[few, "reason"] == "").all()
    shown = found[~few & (table["status"] == "").to_numpy()]
    assert len(shown) > 10
    assert shown["tau"].map(lambda tau: len(f"{tau:g}".replace(".", "").lstrip("0")) <= 2).all()
    assert "group_pupils" not in shown  # the cube has rounded nearly the same children
    exact = protect(table, NONE, kind="between_schools").frame
    assert exact["tau"].tolist() == table["tau"].tolist()
    funnel = metrics.school_funnel(panel, metric="overall_absence", **PAIR)
    with pytest.raises(ValueError, match="lacks the column"):
        protect(funnel, STRICT, kind="between_schools")
