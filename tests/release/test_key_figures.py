import pandas as pd
import pytest

from tests.release.made import NAN, estimate_row, gap_rows, safe
from vsh_eval.release.pages.key_figures import effect_figure, gap_figures
from vsh_eval.release.text.phrases.numbers import MINUS


def both():
    lower = gap_rows("ks4_attainment8", group=[19.0] * 7, reference=[46.0] * 7)
    return safe(pd.concat([gap_rows(), lower], ignore_index=True))


def test_each_metric_has_its_last_gap_and_both_levels():
    overall, attainment = gap_figures(
        both(), metrics=("overall_absence", "ks4_attainment8"), phase="total"
    )
    assert "overall absence, 2024/25" in overall.label
    assert "11.6 percentage points" in overall.value
    assert overall.detail == "18.4% against 6.8%"
    assert attainment.value == "27.0 points lower"
    assert "19.0" in attainment.detail
    assert "46.0" in attainment.detail


def test_the_figures_stand_in_the_order_asked_for():
    asked = ("ks4_attainment8", "overall_absence")
    labels = [figure.label for figure in gap_figures(both(), metrics=asked, phase="total")]
    assert ["Attainment 8" in label for label in labels] == [True, False]


def test_the_last_year_that_is_shown_is_the_one_said():
    rows = gap_rows(group=[12.1, NAN, 12.9, 15.8, 17.0, 17.4, NAN], status="c")
    [figure] = gap_figures(safe(rows), metrics=("overall_absence",), phase="total")
    assert "2023/24" in figure.label


@pytest.mark.parametrize("column", ["gap", "group_level", "reference_level"])
def test_a_metric_that_is_hidden_has_no_figure(column):
    rows = gap_rows().assign(**{column: NAN})
    assert gap_figures(safe(rows), metrics=("overall_absence",), phase="total") == ()


def test_the_effect_has_its_interval():
    table = safe([estimate_row(), estimate_row(role="secondary", metric="severe_absence")])
    [figure] = effect_figure(table, metric="overall_absence")
    assert figure.value == f"{MINUS}1.4 percentage points"
    assert figure.detail == f"95% interval {MINUS}2.6 to {MINUS}0.2"


def test_an_effect_among_authorities_speaks_of_no_trained_schools():
    table = safe([estimate_row(estimator="synthetic_did", comparison="neighbours")])
    [figure] = effect_figure(table, metric="overall_absence")
    assert "trained schools" not in figure.label
    assert "a weighted average of other authorities" in figure.label


@pytest.mark.parametrize("column", ["estimate", "ci_lower", "ci_upper"])
def test_an_effect_that_is_not_shown_has_no_figure(column):
    table = safe([estimate_row(**{column: NAN, "status": "c"})])
    assert effect_figure(table, metric="overall_absence") == ()
