"""Errors from products over schools against the schools themselves, one after another."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from tests.metrics.children import children, composition_of, measured, moments_of, panel_of
from tests.metrics.panels import PAIR
from vsh_eval import names
from vsh_eval.contracts import CohortRuleError, ContractError, VintageError
from vsh_eval.metrics import Comparison, gaps
from vsh_eval.metrics.characteristics import (
    Moments,
    decompose,
    differences_by,
    gaps_by,
    matched_gap,
    standardised_gap,
)
from vsh_eval.names import FACTORS

SAME = ["gap", "group_level", "reference_level", "ratio"]
LIMITS = [f"{name}_{end}" for name in SAME for end in ("lower", "upper")]
ERRORS = ["gap_std_error", "group_std_error", "reference_std_error", "log_ratio_std_error", "df"]
COUNTS = ["group_schools", "reference_schools", "group_largest_share", "reference_largest_share"]
FIVE_POINT = {0.01: -1 / 12, 0.005: 8 / 12, -0.005: -8 / 12, -0.01: 1 / 12}


@pytest.fixture(scope="module")
def pupils():
    return children(21, cohort=160, peers=900, years=(202324, 202425), schools=14)


@pytest.fixture(scope="module")
def composition(pupils):
    return composition_of(pupils)


@pytest.fixture(scope="module")
def moments(pupils):
    return moments_of(pupils)


def total(table, **where):
    found = table[table["phase"] == "total"]
    for name, value in where.items():
        found = found[found[name] == value]
    return found.reset_index(drop=True)


@pytest.mark.parametrize(
    ("by", "reference"), [("sex", "all"), ("fsm6", "peers"), ("sen", "all"), ("key_stage", "peers")]
)
def test_each_value_gives_the_row_of_gaps_of_its_pupils(
    pupils, by, reference, composition, moments
):
    pair = Comparison("cwsw", reference)
    found = gaps_by(composition, moments, pair, by=by)
    source = pupils[names.CHARACTERISTICS[by].column].map(dict(names.BREAKDOWNS[by]))
    for value, rows in found.groupby("value"):
        expected = total(gaps(panel_of(pupils[source == value]), pair))
        for column in (*SAME, *LIMITS, *ERRORS, *COUNTS):
            both = (table[column].to_numpy(float) for table in (rows, expected))
            np.testing.assert_allclose(*both, rtol=1e-11, atol=1e-11, err_msg=column)


@pytest.mark.parametrize("reference", ["peers", "all"])
def test_the_gap_that_is_decomposed_is_that_of_gaps(pupils, reference, composition, moments):
    pair, keys = Comparison("cwsw", reference), ["metric", "phase", "time_period"]
    found = decompose(composition, moments, pair)
    both = found.merge(gaps(panel_of(pupils), pair), on=keys, suffixes=("", "_of_schools"))
    assert len(both) == len(found)
    for column in ("gap", "gap_std_error", "gap_lower", "gap_upper", "df"):
        np.testing.assert_allclose(
            both[column], both[f"{column}_of_schools"], rtol=1e-12, atol=1e-12
        )


@pytest.fixture(scope="module")
def heavier(pupils):
    """Each school a little heavier or lighter, in place of other years; those and their weights."""
    own = pupils[pupils["time_period"] == 202425]
    plain, sums = composition_of(pupils, ["overall_absence"]), list(names.PANEL_SUMS)
    now = plain[plain["time_period"] == 202425]
    parts, years, weights = [plain], [], []
    for _, school in own.groupby("school"):
        cells = composition_of(school, ["overall_absence"]).assign(pupils=0)
        for step, weight in FIVE_POINT.items():
            years.append(190001 + 101 * len(years))
            more = cells.assign(**{name: cells[name].astype(float) * step for name in sums[1:]})
            parts += [now.assign(time_period=years[-1]), more.assign(time_period=years[-1])]
            weights.append(weight / 0.005)
    parts = [part.astype(dict.fromkeys(sums, float)) for part in parts]
    return pd.concat(parts, ignore_index=True), years, np.array(weights)[:, None]


@pytest.mark.parametrize(
    ("function", "columns"),
    [
        (matched_gap, ["matched_group_level", "matched_level", "matched_gap"]),
        (standardised_gap, ["standardised_gap"]),
        (decompose, ["gap", "composition", "rates", *(f"composition_{f}" for f in FACTORS)]),
    ],
    ids=["matched", "standardised", "decomposed"],
)
def test_errors_are_those_of_every_school_a_little_heavier(
    heavier, function, columns, composition, moments
):
    """The derivative in a school's weight is its influence, whatever the statistic."""
    pair = Comparison("cwsw", "peers", ("overall_absence",), baseline=202324)
    table, years, weights = heavier
    found = total(function(table, None, pair)).set_index("time_period")
    weighed = found.loc[years, columns].to_numpy(float) * weights
    influence = weighed.reshape(-1, len(FIVE_POINT), len(columns)).sum(axis=1)
    assert np.abs(influence.sum(axis=0)).max() < 1e-8, "all heavier alike moves nothing"
    schools = len(influence)
    expected = np.sqrt(schools / (schools - 1) * (influence**2).sum(axis=0))
    table = function(composition, moments, pair)
    row = total(table, time_period=202425).iloc[0]
    for name, error in zip(columns, expected, strict=True):
        assert row[f"{name}_std_error"] == pytest.approx(error, rel=1e-10), name
    assert row["df"] == schools - 1


def test_split_and_shuffled_rows_change_nothing(composition, moments):
    half = moments.products.copy()
    half[list(names.MOMENT_PRODUCTS)] /= 2
    split = pd.concat([half, half]).sample(frac=1, random_state=1)
    turned = split.rename(columns=dict(zip(
        ("group", "stratum", "other_group", "other_stratum", "yx", "xy"),
        ("other_group", "other_stratum", "group", "stratum", "xy", "yx"), strict=True,
    )))[list(names.MOMENT_COLUMNS)]  # fmt: skip
    again = Moments(turned, moments.spread.sample(frac=1, random_state=2))
    for function in (decompose, matched_gap):
        one, two = (function(composition, m, PAIR) for m in (moments, again))
        pd.testing.assert_frame_equal(one, two, rtol=1e-9)


def test_pupils_of_one_school_are_measured_as_gaps_measures_them(pupils):
    """Boys of the cohort in one school, girls of both groups in another one only."""
    own = pupils["group"] != "peers"
    one = pupils[~own | (pupils["sex"] == "F") | (pupils["school"] == 3)]
    alone = one[(one["sex"] == "M") | (one["school"] == 4)]
    counted = composition_of(alone), moments_of(alone)
    found = gaps_by(*counted, PAIR, by="sex")
    for value, sex in (("girls", "F"), ("boys", "M")):
        expected = total(gaps(panel_of(alone[alone["sex"] == sex]), PAIR))
        rows = found[found["value"] == value]
        assert (rows["group_schools"] == 1).all()
        for column in ("gap", "gap_std_error", "gap_lower", "gap_upper", "df"):
            np.testing.assert_allclose(rows[column], expected[column], rtol=1e-10)
    parts = total(decompose(*counted, PAIR))
    assert parts["gap_std_error"].notna().all()
    only = pupils[pupils["school"] == 3]
    counted = composition_of(only), moments_of(only)
    for function in (matched_gap, decompose):
        with_schools, without = (function(counted[0], m, PAIR) for m in (counted[1], None))
        pd.testing.assert_frame_equal(with_schools, without)


def test_a_group_in_one_school_beside_a_reference_in_many_adds_their_errors(pupils):
    own = pupils["group"] != "peers"
    some = pupils[~own | (pupils["school"] == 3)]
    row = total(
        matched_gap(composition_of(some), moments_of(some), PAIR),
        metric="overall_absence", time_period=202425,
    ).iloc[0]  # fmt: skip
    assert row["df"] == ((some["time_period"] == 202425) & own.loc[some.index]).sum() - 1
    assert row["matched_gap_std_error"] > row["matched_group_level_std_error"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"pupils": lambda m: m.spread["pupils"] + 1}, ContractError, "count different pupils"),
        ({"vintage": lambda _: "2027"}, VintageError, "vintage is both"),
        ({"cohort_rule": lambda _: "ever_6"}, CohortRuleError, "cohort_rule is both"),
        ({"value": lambda _: "tall"}, ContractError, "value is 'any/tall'|tall"),
    ],
)
def test_a_spread_that_does_not_belong_is_refused(change, error, message, composition, moments):
    (column, value), *_ = change.items()
    wrong = Moments(moments.products, moments.spread.assign(**{column: value(moments)}))
    with pytest.raises(error, match=message):
        gaps_by(composition, wrong, PAIR, by="sex")


def test_moments_that_do_not_belong_are_refused(composition, moments):
    for change, error, message in (
        ({"stratum": "tall"}, ContractError, "stratum is 'tall'"),
        ({"vintage": "2027"}, VintageError, "vintage is both"),
        ({"phase": "primary"}, ContractError, "moments have no row of"),
    ):
        wrong = Moments(moments.products.assign(**change), moments.spread)
        with pytest.raises(error, match=message):
            decompose(composition, wrong, PAIR)
    for gone, columns in (("yy", "products"), ("largest", "spread")):
        short = {"products": moments.products, "spread": moments.spread}
        short[columns] = short[columns].drop(columns=gone)
        with pytest.raises(ContractError, match=gone):
            decompose(composition, Moments(**short), PAIR)


@pytest.mark.parametrize(("by", "one", "other"), [("sex", "F", "M"), ("sen", "N", "K")])
def test_two_values_differ_as_their_children_do_school_by_school(
    pupils, composition, moments, by, one, other
):
    found = differences_by(composition, moments, replace(PAIR, metrics=("overall_absence",)), by=by)
    values = names.BREAKDOWNS[by]
    row = found[
        found["value"].eq(values[one])
        & found["other"].eq(values[other])
        & found["time_period"].eq(202425)
    ].iloc[0]
    mine = pupils[pupils[by].isin([one, other]) & pupils["time_period"].eq(202425)]
    y, x = measured(mine, "overall_absence")
    own, first = (mine["group"] != "peers").to_numpy(float), mine[by].eq(one).to_numpy(float)
    design = np.column_stack([np.ones(len(mine)), own, first, own * first])
    school = mine["school"].to_numpy()
    fit = sm.WLS(y / x, design, weights=x).fit(
        cov_type="cluster", cov_kwds={"groups": school, "use_correction": False}
    )
    assert row["difference"] == pytest.approx(100 * fit.params[3], abs=1e-9)
    few = min(
        mine.loc[(own == a) & (first == b), "school"].nunique() for a in (0, 1) for b in (0, 1)
    )
    assert row["df"] == few - 1
    error = 100 * fit.bse[3] * np.sqrt(few / (few - 1))
    assert row["difference_std_error"] == pytest.approx(error, rel=1e-8)
    pairs = math.comb(found["value"].nunique() + 1, 2) if by == "sen" else 1
    assert row["comparisons"] == pairs
    half = stats.t.ppf(1 - 0.025 / pairs, few - 1) * error
    assert row["difference_upper"] - row["difference"] == pytest.approx(half, rel=1e-8)
