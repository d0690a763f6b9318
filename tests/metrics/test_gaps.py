import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.panels import invented_pupils, pupils_panel, returns_panel
from vsh_eval.metrics import GAP_COLUMNS, gaps, levels

PAIRS = [("cwsw", "peers"), ("cwsw", "all"), ("cin", "cpp"), ("ever_cwsw", "all")]


def total(table):
    return table[table["phase"] == "total"].reset_index(drop=True)


def test_hand_table():
    rows = [
        ("1", 202425, "primary", "cin", "overall_absence", 2, 60, 600),
        ("1", 202425, "primary", "peers", "overall_absence", 20, 300, 6000),
        ("2", 202425, "primary", "cin", "overall_absence", 3, 120, 900),
        ("2", 202425, "primary", "peers", "overall_absence", 30, 450, 9000),
    ]
    found = gaps(returns_panel(rows), group="cwsw", reference="peers", unit_id="E06000049").iloc[0]
    assert found["gap"] == pytest.approx(7)
    assert found["ratio"] == pytest.approx(2.4)
    # Peers do not vary, so e_1 = (60 - 0.12 x 600) / 1500 = -0.008 and e_2 = 0.008.
    assert found["gap_std_error"] == pytest.approx(100 * np.sqrt(2 * 2 * 0.008**2))
    assert (found["group_schools"], found["df"]) == (2, 1)
    assert found["gap_unit"] == "percentage points"


def test_columns_and_levels_agree_with_levels():
    panel = pupils_panel(invented_pupils(1, metric="persistent_absence"))
    found = gaps(panel, group="cwsw", reference="all")
    assert tuple(found.columns) == GAP_COLUMNS
    for side, group in (("group", "cwsw"), ("reference", "all")):
        beside = levels(panel, groups=[group])
        for name, other in (
            (f"{side}_level", "level_value"),
            (f"{side}_level_lower", "lower"),
            (f"{side}_level_upper", "upper"),
            (f"{side}_std_error", "std_error"),
            (f"{side}_pupils", "pupils"),
            (f"{side}_largest_share", "largest_share"),
        ):
            assert found[name].tolist() == beside[other].tolist()


def test_all_includes_the_group_and_the_covariance_counts():
    pupils = invented_pupils(2, schools=20, years=(202425,))
    found = total(gaps(pupils_panel(pupils), group="cwsw", reference="all")).iloc[0]
    mine = pupils["group"].isin(["cin", "cpp"]).astype(float)
    sums = pupils.assign(y_mine=pupils["y"] * mine, x_mine=pupils["x"] * mine)
    by_school = sums.groupby("unit_id")[["y", "x", "y_mine", "x_mine"]].sum().to_numpy()

    def gap(weights):
        y, x, y_mine, x_mine = weights @ by_school
        return 100 * (y_mine / x_mine - y / x)

    assert found["gap"] == pytest.approx(gap(np.ones(20)))
    left_out = np.array([gap(1 - one) for one in np.eye(20)])
    jackknife = np.sqrt(19 / 20 * ((left_out - left_out.mean()) ** 2).sum())
    assert found["gap_std_error"] == pytest.approx(jackknife, rel=0.1)


def test_one_school_equals_least_squares_over_its_pupils():
    pupils = invented_pupils(3, schools=1, years=(202425,))
    found = total(gaps(pupils_panel(pupils), group="peers", reference="cin")).iloc[0]
    two = pupils[pupils["group"].isin(["cin", "peers"])]
    fit = sm.WLS(
        two["y"] / two["x"],
        sm.add_constant((two["group"] == "peers").astype(float)),
        weights=two["x"],
    ).fit(cov_type="HC0")
    n = (two["group"] == "cin").sum()
    assert found["gap_std_error"] == pytest.approx(
        100 * fit.bse.iloc[1] * np.sqrt(n / (n - 1)), rel=1e-9
    )
    assert found["df"] == n - 1


def test_shares_of_children_join_their_limits():
    panel = pupils_panel(invented_pupils(4, metric="persistent_absence"))
    found = gaps(panel, group="cwsw", reference="peers")
    below, above = found["gap"] - found["gap_lower"], found["gap_upper"] - found["gap"]
    assert (below > 0).all()
    assert (above > 0).all()
    assert not np.allclose(below, above)


def test_a_share_of_nought_still_has_an_interval_but_no_ratio_interval():
    rows = [
        (school, 202425, "primary", group, "severe_absence", n, y, n)
        for school in "12"
        for group, n, y in (("cin", 6, 0), ("peers", 200, int(school)))
    ]
    found = total(gaps(returns_panel(rows), group="cwsw", reference="peers")).iloc[0]
    assert found["gap"] == pytest.approx(-0.75)
    assert found["gap_lower"] < -0.75 < 0 < found["gap_upper"]
    assert found["ratio"] == 0
    assert np.isnan(found[["ratio_lower", "gap_std_error"]].astype(float)).all()


def test_an_empty_side_is_z():
    rows = [("1", 202425, "primary", "peers", "overall_absence", 30, 450, 9000)]
    found = gaps(returns_panel(rows), group="cwsw", reference="peers")
    assert (found["status"] == "z").all()
    assert (found["group_pupils"] == 0).all()
    assert found[["gap", "ratio", "gap_lower"]].isna().all(axis=None)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from(PAIRS),
    st.sampled_from(["overall_absence", "persistent_absence"]),
    st.integers(1, 5),
)
def test_the_gap_turns_its_sign_with_its_groups(seed, pair, metric, schools):
    panel = pupils_panel(invented_pupils(seed, schools=schools, years=(202425,), metric=metric))
    one = gaps(panel, group=pair[0], reference=pair[1])
    other = gaps(panel, group=pair[1], reference=pair[0])
    close = {"rel": 1e-9, "abs": 1e-9, "nan_ok": True}
    for name, turned in (
        ("gap", -other["gap"]),
        ("gap_lower", -other["gap_upper"]),
        ("gap_upper", -other["gap_lower"]),
        ("gap_std_error", other["gap_std_error"]),
        ("log_ratio_std_error", other["log_ratio_std_error"]),
        ("df", other["df"]),
    ):
        assert one[name].tolist() == pytest.approx(turned.tolist(), **close)
    both = one["group_level"] - one["reference_level"]
    assert one["gap"].tolist() == pytest.approx(both.tolist(), **close)
    ratio = one["group_level"] / one["reference_level"].where(one["reference_level"] > 0)
    assert one["ratio"].tolist() == pytest.approx(ratio.tolist(), **close)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_row_order_and_school_names_never_change_a_gap(seed, random):
    pupils = invented_pupils(seed, schools=5)
    names = sorted(pupils["unit_id"].unique())
    others = names.copy()
    random.shuffle(others)
    renamed = pupils.assign(unit_id=pupils["unit_id"].map(dict(zip(names, others, strict=True))))
    found = gaps(pupils_panel(pupils), group="cwsw", reference="all")
    again = gaps(pupils_panel(renamed).sample(frac=1), group="cwsw", reference="all")
    pd.testing.assert_frame_equal(found, again, rtol=1e-9)


def test_ranks_have_a_difference_and_no_ratio():
    """Twice as high a rank means nothing: ranks have no nought."""
    rows = [
        (school, 202425, "secondary", group, "ks4_attainment8_rank", 10, 10 * mean, 10)
        for school, level in enumerate((20.0, 30.0, 40.0))
        for group, mean in (("cin", level), ("peers", level + 20))
    ]
    found = gaps(returns_panel(rows), group="cwsw", reference="peers").iloc[0]
    assert found["gap"] == pytest.approx(-20)
    assert np.isnan(found[["ratio", "ratio_lower", "ratio_upper"]].astype(float)).all()


def test_a_rate_of_events_may_exceed_a_hundred_and_never_falls_under_nought():
    rows = [
        (school, 202425, "secondary", group, "suspension_rate", 10, events, 10)
        for school, one in enumerate((0.0, 0.0, 45.0))
        for group, events in (("cin", one), ("peers", 1.0))
    ]
    found = gaps(returns_panel(rows), group="cwsw", reference="peers").iloc[0]
    assert found["group_level"] == pytest.approx(150)
    assert found["group_level_lower"] == 0
    assert found["group_level_upper"] > 200
