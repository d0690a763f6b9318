"""Programmes, tiers, phases, groups, doses and other outcomes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.effects.panels import exposure_of, panel_of, study_of
from vsh_eval import effects
from vsh_eval.contracts import ContractError, DesignError
from vsh_eval.effects import subsets
from vsh_eval.effects.subgroups import with_dose


@pytest.fixture(scope="module")
def study():
    attainment = panel_of(9, metric="ks2_rwm_expected")
    study = study_of(3, effect=-4.0)
    return replace(study, panel=pd.concat([study.panel, attainment], ignore_index=True))


@pytest.fixture(scope="module")
def table(study):
    return effects.subgroups(study)


def test_every_part_has_its_row_and_all_are_adjusted_together(table):
    assert table["role"].eq("exploratory").all()
    assert set(table["subgroup"]) == {"programme", "tier", "phase", "group", "dose", "outcome"}
    made = table[table["status"].eq("")]
    order = made.sort_values("p_value")
    expected = order["p_value"] * len(made) / np.arange(1, len(made) + 1)
    np.testing.assert_allclose(order["p_adjusted"], np.minimum.accumulate(expected[::-1])[::-1])
    assert table.loc[table["status"].eq("x"), "reason"].str.len().gt(10).all()
    assert table.loc[table["subgroup"].eq("dose"), "assumption"].str.startswith("stronger").all()


def test_a_phase_is_estimated_from_its_schools_alone(study, table):
    gaps = study.school_gaps[study.school_gaps["phase"].eq("primary")]
    own = effects.impute_parts(study.prepared(gaps).data)["estimate"][0]
    found = table.query("subgroup == 'phase' and value == 'primary'")["estimate"]
    assert found.item() == pytest.approx(own)


def test_a_first_programme_is_held_against_schools_not_trained_at_all(study):
    first = subsets.first_kind(study, "programme")
    gaps, exposure = subsets.first_against_untrained(study, first, "elsa")
    adopted = study.adopted()
    other = first.isin(["safeguarding", "several"])
    years = gaps["unit_id"].map(adopted.where(other, 0))
    assert (years.eq(0) | gaps["time_period"].lt(years)).all()
    trained = set(exposure.loc[exposure["adopted"].ne(0), "unit_id"])
    assert trained == set(first.index[first.eq("elsa")])
    with pytest.raises(DesignError, match="no school began with coaching"):
        subsets.first_against_untrained(study, first, "coaching")


def test_programmes_of_one_day_are_several_and_never_is_blank():
    exposure = exposure_of(8)
    twin = exposure["unit_id"].eq("s001") & exposure["programme"].ne("any")
    exposure.loc[twin, "adopted"] = 202122
    exposure.loc[twin, "first_date"] = pd.Timestamp("2021-10-01")
    first = subsets.first_kind(study_of(1, schools=8, exposure=exposure), "programme")
    assert first["s001"] == "several"
    assert first["s000"] == ""


def test_the_overlap_counts_who_went_on(study):
    table = effects.overlap_table(study).set_index(["first", "programme"])
    first = subsets.first_kind(study, "programme")
    own = first.index[first.eq("elsa")]
    later = study.exposure.query("programme == 'safeguarding' and adopted > 0")["unit_id"]
    found = table.loc[("elsa", "safeguarding")]
    assert found["schools"] == len(own)
    assert found["both"] == own.isin(later).sum() > 0
    assert found["share"] == pytest.approx(found["both"] / found["schools"])


def test_dose_adds_up_and_is_unknown_from_the_first_blank_on(study):
    log = pd.DataFrame(
        {
            "unit_id": ["s001", "s001", "s001", "s002"],
            "time_period": [202122, 202122, 202324, 202223],
            "staff_trained": [3.0, 2.0, np.nan, 4.0],
        }
    )
    found = subsets.dose(replace(study, training=log))
    rows = study.panel.query("metric == 'overall_absence'")
    pupils = rows.groupby(["unit_id", "time_period"])["pupils"].sum()
    assert found["s001", 202021] == 0
    assert found["s001", 202122] == pytest.approx(500 / pupils["s001", 202122])
    assert found["s001", 202223] == pytest.approx(500 / pupils["s001", 202223])
    assert np.isnan(found["s001", 202324])
    assert found["s002", 202425] == pytest.approx(400 / pupils["s002", 202425])
    assert found["s003", 202425] == 0


def test_bands_are_thirds_of_the_trained_school_years(study):
    data = with_dose(study)
    treated = data["cohort"].gt(0) & data["time"].ge(data["cohort"])
    assert data.loc[~treated, "band"].eq("").all()
    sizes = data.loc[treated, "band"].value_counts(normalize=True)
    assert len(sizes) == 3
    assert sizes.between(0.2, 0.47).all()
    parts = effects.impute_parts(data, by="band")
    assert set(parts["part"]) == set(sizes.index)


def test_doses_alike_make_two_bands(study):
    alike = study.training.assign(staff_trained=5.0)
    panel = study.panel.assign(pupils=10)
    bands = with_dose(replace(study, training=alike, panel=panel))["band"]
    assert set(bands) == {"", "low: to 10 staff per 100 pupils"}


@pytest.mark.parametrize(
    ("changes", "subgroup", "reason"),
    [
        ({"panel": None}, "group", "no panel was given"),
        ({"panel": None}, "outcome", "no panel was given"),
        ({"training": None}, "dose", "needs the training log"),
        ({"exposure": exposure_of()[["unit_id", "adopted"]].drop_duplicates("unit_id")},
         "programme", "lacks the columns programme, tier"),
        ({"exposure": exposure_of().query("programme == 'any' and tier == 'any'")},
         "tier", "exposure names no tier"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said_in_the_row(study, changes, subgroup, reason):
    groups, outcomes = ["cin"], ["ks2_rwm_expected"]
    table = effects.subgroups(replace(study, **changes), groups=groups, outcomes=outcomes)
    found = table[table["subgroup"].eq(subgroup)]
    assert found["status"].eq("x").all()
    assert found["reason"].str.contains(reason).all()


def test_no_recorded_staff_and_few_children_are_said(study):
    blank = replace(study, training=study.training.assign(staff_trained=np.nan))
    with pytest.raises(DesignError, match="staff trained is not recorded"):
        with_dose(blank)
    few = replace(study, panel=study.panel.assign(pupils=0))
    table = effects.subgroups(few, groups=["cla"], outcomes=[])
    said = table.loc[table["subgroup"].eq("group"), "reason"].item()
    assert "fewer than 30 children for looked-after children" in said
    with pytest.raises(ContractError, match="spelling"):
        effects.subgroups(study, outcomes=["spelling"])
