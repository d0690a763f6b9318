"""The specification curve."""

from dataclasses import replace

import pytest

from tests.effects.conftest import gaps_of
from tests.effects.panels import study_of
from vsh_eval import effects
from vsh_eval.effects.sensitivity import SPECIFICATION_COLUMNS
from vsh_eval.effects.sensitivity.specification_curve import CHOICES


@pytest.fixture(scope="module")
def study():
    whole = study_of(3, effect=-4.0, schools=24)
    late = whole.school_gaps["time_period"].isin([201920, 202021, 202122])
    return replace(whole, school_gaps=whole.school_gaps[~late])


@pytest.fixture(scope="module")
def curve(study):
    return effects.sensitivity.specification_curve(study)


def test_it_is_ordered_and_holds_the_preregistered_one_once(study, curve):
    assert tuple(curve.columns) == SPECIFICATION_COLUMNS
    made = curve[curve["estimate"].notna()]
    assert made["estimate"].is_monotonic_increasing
    assert made["rank"].tolist() == list(range(1, len(made) + 1))
    assert curve["rank"].isna().sum() == len(curve) - len(made)
    assert curve["preregistered"].sum() == 1
    primary = effects.estimators.impute_parts(study.sample().data)["estimate"][0]
    assert made.loc[made["preregistered"], "estimate"].item() == pytest.approx(primary)


def test_every_choice_is_crossed_once(curve):
    choices = [*CHOICES, "estimator", "comparison"]
    assert not curve.duplicated(choices).any()
    # 3 groups, 2 references, 2 weights, 2 sorts of year effects; same_past once for each group
    # and reference; and Callaway and Sant'Anna twice for each of the primary group's 2
    # references. No year used is a covid year.
    assert len(curve) == 3 * 2**3 + 3 * 2 + 2 * 2
    assert set(curve["covid_years"]) == {"with"}


def test_without_a_panel_the_gaps_alone_are_varied():
    alone = effects.sensitivity.specification_curve(study_of(3, schools=24, panel=None))
    assert set(alone["group"]) == {"cwsw"}
    assert set(alone["reference"]) == {"peers"}
    assert set(alone["covid_years"]) == {"with", "without"}


def test_joined_phases_are_the_chosen_ones_beside_common_and_every_phase_its_own():
    years = (201617, 201718, 201819, 202223, 202324, 202425)
    phases = ("primary",) * 5 + ("secondary",) * 4 + ("special",)
    gaps, exposure = gaps_of(2, schools=60, years=years, phases=phases)
    alone = effects.specification.Study(
        school_gaps=gaps, exposure=exposure, metric="overall_absence"
    )
    curve = effects.sensitivity.specification_curve(alone)
    imputed = curve[curve["estimator"].eq("imputation")]
    kinds = {"common", "by_phase", "by_phase_joined"}
    assert imputed["year_effects"].value_counts().to_dict() == dict.fromkeys(kinds, 2)
    chosen = curve[curve["preregistered"]]
    assert chosen["year_effects"].tolist() == ["by_phase_joined"]
    primary = effects.estimators.impute_parts(alone.sample().data)["estimate"][0]
    assert chosen["estimate"].item() == pytest.approx(primary)
    other = curve.groupby("estimator")["year_effects"].unique().map(list)
    assert other["callaway_santanna"] == ["common"]
    assert other["same_past"] == ["by_phase_joined"]
