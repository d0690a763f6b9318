import numpy as np
import pandas as pd
import pytest

from vsh_eval import metrics
from vsh_eval.contracts import ContractError
from vsh_eval.effects.suppressed import suppressed_values
from vsh_eval.returns.published import read_published

AREAS = pd.DataFrame({"unit_id": ["a", "b", "R"], "region_id": ["R", "R", "R"]})


def cell(unit="a", group="cin", *, metric="persistent_absence", level="la", **numbers):
    row = {
        "level": level, "unit_id": unit, "time_period": 202324, "phase": "total", "group": group,
        "metric": metric, "pupils": 100, "numerator": 30.0, "denominator": 100.0, "status": "",
    }  # fmt: skip
    return row | numbers


HIDDEN = {"numerator": np.nan, "status": "c"}
WHOLLY = {"pupils": None, "numerator": np.nan, "denominator": np.nan, "status": "c"}


def gap(*, metric="persistent_absence", unit="a", **changes):
    row = {
        "geographic_level": "la", "unit_id": unit, "time_period": 202324, "phase": "total",
        "metric": metric, "group": "cwsw", "gap": np.nan, "status": "c", "reference_level": 10.0,
        "comparable": True,
    }  # fmt: skip
    return row | changes


def bounds(*cells, gaps=None, metric="persistent_absence"):
    panel = pd.DataFrame(cells).astype({"pupils": "Int64"})
    asked = pd.DataFrame(gaps or [gap(metric=metric)])
    found = suppressed_values(panel, asked, AREAS, metric=metric)
    return {row.unit: (row.lowest, row.highest) for row in found.itertuples()}


def test_a_hidden_count_is_one_to_five_of_the_known_denominator():
    found = bounds(cell(), cell(group="cpp", pupils=20, denominator=20.0, **HIDDEN))
    assert found["a"] == pytest.approx((100 * 31 / 120 - 10, 100 * 35 / 120 - 10))
    few = bounds(cell(), cell(group="cpp", pupils=3, denominator=3.0, **HIDDEN))
    assert few["a"] == pytest.approx((100 * 31 / 103 - 10, 100 * 33 / 103 - 10))


def test_a_group_hidden_whole_is_up_to_five_children_with_none_or_all_of_it():
    found = bounds(cell(), cell(group="cpp", **WHOLLY))
    assert found["a"] == pytest.approx((100 * 30 / 105 - 10, 100 * 35 / 105 - 10))


def test_sessions_of_hidden_children_are_those_of_the_children_shown():
    shown = {"metric": "overall_absence", "numerator": 3600.0, "denominator": 36_000.0}
    hidden = {"metric": "overall_absence", **WHOLLY}
    found = bounds(cell(**shown), cell(group="cpp", **hidden), metric="overall_absence")
    assert found["a"] == pytest.approx((100 * 3600 / 37_800 - 10, 100 * 5400 / 37_800 - 10))


def test_hidden_points_are_anything_the_scores_can_add_up_to():
    metric = "ks4_attainment8"
    shown = cell(metric=metric, pupils=10, denominator=10.0, numerator=200.0)
    hidden = cell(group="cpp", metric=metric, pupils=4, denominator=4.0, **HIDDEN)
    found = bounds(shown, hidden, metric=metric)
    assert found["a"] == pytest.approx((200 / 14 - 10, (200 + 4 * 90) / 14 - 10))


def test_a_group_of_nobody_adds_nothing():
    nobody = {"pupils": 0, "numerator": np.nan, "denominator": np.nan, "status": "z"}
    found = bounds(cell(), cell(group="cpp", **nobody), gaps=[gap(status="z")])
    assert found["a"] == pytest.approx((20.0, 20.0))


@pytest.mark.parametrize(
    ("cells", "gaps"),
    [
        ((cell(**WHOLLY), cell(group="cpp", **WHOLLY)), None),
        ((cell(), cell(group="cpp", **(WHOLLY | {"status": "x"}))), None),
        ((cell(),), None),
        ((cell(), cell(group="cpp", **HIDDEN)), [gap(status="x")]),
        ((cell(), cell(group="cpp", **HIDDEN)), [gap(comparable=False)]),
        ((cell(), cell(group="cpp", **HIDDEN)), [gap(reference_level=np.nan)]),
        ((cell(), cell(group="cpp")), [gap(gap=20.0, status="")]),
    ],
    ids=["all hidden", "absent", "no row", "not available", "break", "no reference", "shown"],
)
def test_what_nothing_is_known_of_has_no_range(cells, gaps):
    assert bounds(*cells, gaps=gaps) == {}


def test_a_number_hidden_to_protect_another_can_be_more_than_five():
    hidden = {"pupils": 50, "denominator": 50.0, **HIDDEN}
    region = {"unit": "R", "level": "region", "pupils": 300, "denominator": 300.0}
    cells = [
        cell(), cell(group="cpp", **hidden), cell("b"), cell("b", "cpp", **hidden),
        cell(**region, numerator=60.0),
    ]  # fmt: skip
    both = [gap(), gap(unit="b")]
    plain = bounds(*cells, cell(group="cpp", **region, numerator=10.0), gaps=both)
    assert plain["b"] == pytest.approx((100 * 31 / 150 - 10, 100 * 35 / 150 - 10))
    # 20, rounded to 10, is at least 15, more than 5 each: one is 6 or more, at most 25 - 1.
    more = bounds(*cells, cell(group="cpp", **region, numerator=20.0), gaps=both)
    assert more["b"] == pytest.approx((100 * 31 / 150 - 10, 100 * 54 / 150 - 10))


def test_missing_columns_are_refused():
    panel = pd.DataFrame([cell()]).drop(columns="numerator")
    with pytest.raises(ContractError, match="numerator"):
        suppressed_values(panel, pd.DataFrame([gap()]), AREAS, metric="persistent_absence")


def test_the_published_files_have_as_many_as_the_docstring_says(shared_data):
    release = read_published(shared_data)
    asked = {"overall_absence": (9, 3), "persistent_absence": (17, 4), "severe_absence": (92, 49)}
    panel = release.panel[release.panel["metric"].isin(list(asked))]
    gaps = metrics.gaps(panel, group="cwsw", reference="all")
    local = gaps[gaps["geographic_level"].eq("la") & gaps["phase"].eq("total")]
    hidden = local[local["comparable"] & local["gap"].isna() & local["status"].eq("c")]
    for metric, (numbers, authorities) in asked.items():
        own = hidden[hidden["metric"].eq(metric)]
        assert (len(own), own["unit_id"].nunique()) == (numbers, authorities)
    severe = suppressed_values(panel, gaps, release.areas, metric="severe_absence")
    assert len(severe) == 91
    assert (severe["lowest"] <= severe["highest"]).all()
    assert (severe["highest"] - severe["lowest"]).median() == pytest.approx(0.96, abs=0.01)
