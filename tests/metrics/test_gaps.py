import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.panels import invented_pupils, published_panel, pupils_panel, returns_panel
from vsh_eval import names
from vsh_eval.contracts import ContractError
from vsh_eval.metrics import Comparison, gap_table, gaps, levels
from vsh_eval.panel import GROUPS

METRICS = ("overall_absence", "persistent_absence")


def test_hand_table():
    rows = [
        ("1", 202425, "primary", "cin", "overall_absence", 2, 60, 600),
        ("1", 202425, "primary", "peers", "overall_absence", 20, 300, 6000),
        ("2", 202425, "primary", "cin", "overall_absence", 3, 120, 900),
        ("2", 202425, "primary", "peers", "overall_absence", 30, 450, 9000),
    ]
    found = gaps(returns_panel(rows), Comparison("cwsw", "peers", unit_id="E06000049")).iloc[0]
    assert found["gap"] == pytest.approx(7)
    assert found["ratio"] == pytest.approx(2.4)
    # Peers do not vary, so e_1 = (60 - 0.12 x 600) / 1500 = -0.008 and e_2 = 0.008.
    assert found["gap_std_error"] == pytest.approx(100 * np.sqrt(2 * 2 * 0.008**2))
    assert (found["group_schools"], found["df"]) == (2, 1)
    assert found["gap_unit"] == "percentage points"


def test_both_sides_are_their_levels():
    panel = pupils_panel(invented_pupils(1, metric="persistent_absence"))
    found = gaps(panel, Comparison("cwsw", "all"))
    for side, group in (("group", "cwsw"), ("reference", "all")):
        own = levels(panel, groups=[group])
        for name, other in (
            (f"{side}_level", "level_value"),
            (f"{side}_level_lower", "lower"),
            (f"{side}_level_upper", "upper"),
            (f"{side}_std_error", "std_error"),
            (f"{side}_pupils", "pupils"),
            (f"{side}_largest_share", "largest_share"),
        ):
            assert found[name].tolist() == own[other].tolist()


def test_one_school_equals_least_squares_over_its_pupils():
    pupils = invented_pupils(3, schools=1, years=(202425,))
    table = gaps(pupils_panel(pupils), Comparison("peers", "cin"))
    found = table[table["phase"] == "total"].iloc[0]
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


def test_an_empty_side_is_z():
    rows = [("1", 202425, "primary", "peers", "overall_absence", 30, 450, 9000)]
    found = gaps(returns_panel(rows), Comparison("cwsw", "peers"))
    assert (found["status"] == "z").all()
    assert (found["group_pupils"] == 0).all()
    assert found[["gap", "ratio", "gap_lower"]].isna().all(axis=None)


def test_ranks_have_a_difference_and_no_ratio():
    """Twice as high a rank means nothing: ranks have no nought."""
    rows = [
        (school, 202425, "secondary", group, "ks4_attainment8_rank", 10, 10 * mean, 10)
        for school, level in enumerate((20.0, 30.0, 40.0))
        for group, mean in (("cin", level), ("peers", level + 20))
    ]
    found = gaps(returns_panel(rows), Comparison("cwsw", "peers")).iloc[0]
    assert found["gap"] == pytest.approx(-20)
    assert np.isnan(found[["ratio", "ratio_lower", "ratio_upper"]].astype(float)).all()


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(METRICS), st.randoms(use_true_random=False))
def test_splitting_rows_their_order_and_names_of_schools_never_matter(seed, metric, random):
    pupils = invented_pupils(seed, schools=4, metric=metric)
    schools = sorted(pupils["unit_id"].unique())
    others = random.sample(schools, len(schools))
    renamed = pupils.assign(unit_id=pupils["unit_id"].map(dict(zip(schools, others, strict=True))))
    panel, half = pupils_panel(pupils), pupils_panel(renamed)
    sums = [name for name in names.PANEL_SUMS if name != "pupils"]
    half[sums] = half[sums] / 2
    rest = half.assign(pupils=half["pupils"] // 2)
    half["pupils"] -= rest["pupils"]
    split = pd.concat([half, rest]).sample(frac=1, random_state=seed)
    given = {"groups": GROUPS, "references": ["peers", "all"]}
    pd.testing.assert_frame_equal(gap_table(split, **given), gap_table(panel, **given), rtol=1e-9)
    found = levels(panel, groups=GROUPS)
    pd.testing.assert_frame_equal(levels(split, groups=GROUPS), found, rtol=1e-9)
    shown = found[["level_value", "lower", "upper"]].melt()["value"].dropna()
    assert shown.between(0, 100).all()
    inside = found.dropna(subset=["lower", "level_value"])
    assert (inside["lower"] <= inside["level_value"] + 1e-9).all()
    assert (inside["level_value"] <= inside["upper"] + 1e-9).all()


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 10_000))
def test_sums_of_groups_and_phases_add_up(seed):
    panel = pupils_panel(invented_pupils(seed, schools=5))
    found = levels(panel, groups=GROUPS)
    for name in ("pupils", "numerator", "denominator"):
        wide = found.assign(**{name: found[name].astype(float)})
        by_phase = wide.pivot_table(name, ["time_period", "group"], "phase")
        wide = wide.pivot_table(name, ["time_period", "phase"], "group")
        for group, parts in names.GROUP_SUMS.items():
            assert wide[group].tolist() == wide[list(parts)].sum(axis=1).tolist()
        assert by_phase["total"].tolist() == by_phase.drop(columns="total").sum(axis=1).tolist()


def test_a_table_of_gaps_has_each_pair_as_gaps_measures_it_in_the_order_given():
    panel = pd.concat([pupils_panel(invented_pupils(3, metric=name)) for name in METRICS])
    table = gap_table(panel, groups=["cwsw", "peers", "cla"], references=["all", "peers"])
    pairs = [("cwsw", "all"), ("cwsw", "peers"), ("peers", "all"), ("cla", "all"), ("cla", "peers")]
    first = table[(table["metric"] == "overall_absence") & (table["phase"] == "total")]
    assert first[["group", "reference", "time_period"]].to_numpy().tolist() == [
        [*pair, year] for pair in pairs for year in (202324, 202425)
    ]
    for group, reference in pairs:
        mine = table[(table["group"] == group) & (table["reference"] == reference)]
        alone = gaps(panel, Comparison(group, reference))
        pd.testing.assert_frame_equal(mine.reset_index(drop=True), alone)


def test_pairs_that_are_not_published_are_left_out():
    rows = [
        (202425, "total", group, "persistent_absence", 100, y, 100, None, "")
        for group, y in (("cin", 46), ("cpp", 55))
    ] + [(202425, "total", "all", "persistent_absence", None, None, None, 18.1, "")]
    published = gap_table(
        published_panel(rows), groups=["cwsw", "previous"], references=["peers", "all"]
    )
    assert published[["group", "reference"]].to_numpy().tolist() == [["cwsw", "all"]]


@pytest.mark.parametrize(
    ("groups", "references", "match"),
    [
        (["cin"], ["cin"], "make no pair"),
        ([], ["peers"], "make no pair"),
        (["cim"], ["peers"], "group is 'cim'"),
        (["cin"], ["everyone"], "group is 'everyone'"),
    ],
)
def test_no_pair_and_unknown_names_are_refused(groups, references, match):
    rows = [("1", 202425, "primary", "cin", "overall_absence", 3, 5, 9)]
    with pytest.raises(ContractError, match=match):
        gap_table(returns_panel(rows), groups=groups, references=references)
