"""Programmes, tiers, phases, groups, doses and other outcomes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.effects.panels import exposure_of, panel_of, study_of
from vsh_eval import effects
from vsh_eval.contracts import DesignError, Message
from vsh_eval.effects.sample.exposure import dose, first_against_untrained
from vsh_eval.effects.sensitivity.subgroups import GROUPS, OUTCOMES, with_dose


@pytest.fixture(scope="module")
def study():
    attainment = panel_of(9, metric="ks2_rwm_expected")
    study = study_of(3, effect=-4.0)
    return replace(study, panel=pd.concat([study.panel, attainment], ignore_index=True))


@pytest.fixture(scope="module")
def table(study):
    return effects.sensitivity.subgroups(study)


def test_every_part_has_its_row_and_all_are_adjusted_together(table):
    assert table["role"].eq("exploratory").all()
    assert set(table["subgroup"]) == {"programme", "tier", "phase", "group", "dose", "outcome"}
    made = table[table["status"].eq("")]
    order = made.sort_values("p_value")
    expected = order["p_value"] * len(made) / np.arange(1, len(made) + 1)
    np.testing.assert_allclose(order["p_adjusted"], np.minimum.accumulate(expected[::-1])[::-1])
    assert table.loc[table["status"].eq("x"), "reason"].map(bool).all()
    assert table.loc[table["subgroup"].eq("dose"), "assumption"].eq("dose_parallel").all()


@pytest.mark.parametrize("metric", ["overall_absence", "ks2_rwm_expected"])
def test_any_outcomes_effect_on_the_gap_is_that_on_the_group_less_that_on_the_reference(
    study, metric
):
    levels = ("gap", "group", "reference")
    outcomes = [study.outcome(level, metric=metric) for level in levels]
    gap, own, reference = (
        effects.estimators.impute_parts(study.sample(outcome).data)["estimate"][0]
        for outcome in outcomes
    )
    assert gap == pytest.approx(own - reference)
    if metric == study.metric:
        pd.testing.assert_frame_equal(outcomes[0], study.school_gaps)


def test_a_phase_is_estimated_from_its_schools_alone(study, table):
    gaps = study.school_gaps[study.school_gaps["phase"].eq("primary")]
    own = effects.estimators.impute_parts(study.sample(gaps).data)["estimate"][0]
    found = table.query("subgroup == 'phase' and value == 'primary'")["estimate"]
    assert found.item() == pytest.approx(own)


def test_a_first_programme_is_held_against_schools_not_trained_at_all(study):
    first = study.first_kind("programme")
    gaps, exposure = first_against_untrained(study.school_gaps, study.adopted(), first, "elsa")
    adopted = study.adopted()
    other = first.isin(["safeguarding", "several"])
    years = gaps["unit_id"].map(adopted.where(other, 0))
    assert (years.eq(0) | gaps["time_period"].lt(years)).all()
    trained = set(exposure.loc[exposure["adopted"].ne(0), "unit_id"])
    assert trained == set(first.index[first.eq("elsa")])
    with pytest.raises(DesignError, match="nobody began with"):
        first_against_untrained(study.school_gaps, adopted, first, "coaching")


def test_programmes_of_one_day_are_several_and_never_is_blank():
    exposure = exposure_of(8)
    twin = exposure["unit_id"].eq("s001") & exposure["programme"].ne("any")
    exposure.loc[twin, "adopted"] = 202122
    exposure.loc[twin, "first_date"] = pd.Timestamp("2021-10-01")
    first = study_of(1, schools=8, exposure=exposure).first_kind("programme")
    assert first["s001"] == "several"
    assert first["s000"] == ""


def test_dose_adds_up_and_is_unknown_from_the_first_blank_on(study):
    log = pd.DataFrame(
        {
            "unit_id": ["s001", "s001", "s001", "s002"],
            "time_period": [202122, 202122, 202324, 202223],
            "staff_trained": [3.0, 2.0, np.nan, 4.0],
        }
    )
    found = dose(log, study.panel, metric=study.metric)
    rows = study.panel.query("metric == 'overall_absence'")
    pupils = rows.groupby(["unit_id", "time_period"])["pupils"].sum()
    assert found["s001", 202021] == 0
    assert found["s001", 202122] == pytest.approx(500 / pupils["s001", 202122])
    assert found["s001", 202223] == pytest.approx(500 / pupils["s001", 202223])
    assert np.isnan(found["s001", 202324])
    assert found["s002", 202425] == pytest.approx(400 / pupils["s002", 202425])
    assert found["s003", 202425] == 0


def test_bands_are_thirds_of_the_trained_school_years(study):
    data = with_dose(study, study.sample().data)
    treated = data["cohort"].gt(0) & data["time"].ge(data["cohort"])
    assert data.loc[~treated, "band"].eq("").all()
    sizes = data.loc[treated, "band"].value_counts(normalize=True)
    assert len(sizes) == 3
    assert sizes.between(0.2, 0.47).all()
    parts = effects.estimators.impute_parts(data, by="band")
    assert set(parts["part"]) == set(sizes.index)


def test_doses_alike_make_two_bands(study):
    alike = study.training.assign(staff_trained=5.0)
    panel = study.panel.assign(pupils=10)
    bands = with_dose(replace(study, training=alike, panel=panel), study.sample().data)["band"]
    assert set(bands) == {"", "low::10"}


ANY = exposure_of().query("programme == 'any' and tier == 'any'")
UNNAMED = {"dose": "no_log_or_panel", "programme": "no_kind_named", "tier": "no_kind_named"}


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"panel": None, "exposure": ANY[["unit_id", "adopted"]]}, UNNAMED | {"group": "no_panel",
         "outcome": "no_panel"}),
        ({"training": None, "exposure": ANY}, UNNAMED),
    ],
    ids=["no panel and no kinds", "no log and one kind"],
)  # fmt: skip
def test_what_is_missing_is_said_in_the_row(study, changes, reasons):
    table = effects.sensitivity.subgroups(replace(study, **changes))
    table = table[~table["value"].isin([*GROUPS[1:], *OUTCOMES]) | table["value"].eq(OUTCOMES[2])]
    for subgroup, reason in reasons.items():
        found = table[table["subgroup"].eq(subgroup)]
        assert found["status"].eq("x").all()
        assert {message.code for message in found["reason"]} == {reason}


def test_no_recorded_staff_and_few_children_are_said(study):
    blank = replace(study, training=study.training.assign(staff_trained=np.nan))
    with pytest.raises(DesignError, match="staff not recorded"):
        with_dose(blank, study.sample().data)
    few = replace(study, panel=study.panel.assign(pupils=0))
    table = effects.sensitivity.subgroups(few)
    said = table.loc[table["value"].eq("cla"), "reason"].item()
    assert said == Message("too_few_children", least=30, group="cla")
