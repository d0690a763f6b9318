"""What a design cannot bear is said in one sentence, and every other part still comes out."""

import re
from dataclasses import replace

import numpy as np
import pytest

from tests.effects.conftest import YEARS, gaps_of
from tests.effects.panels import study_of
from vsh_eval import effects
from vsh_eval.contracts import ContractError, DesignError, Message

SENTENCE = re.compile(r"^[^\n]+\.$")


def design(*, years=YEARS, cohorts=(0, 4, 5), schools=24, **options):
    return gaps_of(1, schools=schools, years=years, cohorts=cohorts, **options)


def asked_of(prepared, study):
    """Everything that is asked of a design, by name."""
    return {
        "design_table": lambda: effects.sample.design_table(prepared),
        "balance_table": lambda: effects.sample.balance_table(prepared),
        "design_mde": lambda: effects.sample.design_mde(prepared.data),
        "impute": lambda: effects.estimators.impute(prepared.data),
        "pretrend": lambda: effects.sensitivity.pretrend(prepared.data),
        "estimate": lambda: effects.estimators.estimate(prepared, metric="overall_absence"),
        "composition_tests": lambda: effects.sensitivity.composition_tests(study),
        "randomise": lambda: effects.inference.randomise(prepared.data, draws=99),
        "aa_run": lambda: effects.inference.placebo_simulation(prepared.data, runs=50),
        "planted_power": lambda: effects.inference.injected_effect_power(
            prepared.data, effects=(1.0,), runs=50
        ),
        "subgroups": lambda: effects.sensitivity.subgroups(study),
        "specification_curve": lambda: effects.sensitivity.specification_curve(study),
        "value": lambda: effects.value.cost_effectiveness(study, draws=99),
        "robustness": lambda: effects.sensitivity.robustness(study, draws=99),
    }


def spoken(gaps, exposure, *, leave_out=("estimate", "specification_curve"), **options):
    """Ask everything; return what came out, and what was refused, each in one sentence."""
    study = effects.specification.Study(
        school_gaps=gaps, exposure=exposure, metric="overall_absence", **options
    )
    made, refused = {}, {}
    for name, ask in asked_of(study.sample(), study).items():
        if name in leave_out:
            continue
        try:
            made[name] = ask()
        except ContractError as error:
            refused[name] = str(error)
    assert [said for said in refused.values() if not SENTENCE.match(said)] == []
    return made, set(refused)


@pytest.mark.parametrize(
    ("gaps_and_exposure", "said"),
    [
        (design(schools=9), "too few schools \\(schools 9, least 10\\)"),
        (design(cohorts=(0,)), "nobody trained \\(last 202425"),
        (
            (design()[0].iloc[:0], design()[1]),
            "no school year",
        ),
    ],
    ids=["nine schools", "nobody", "outcome absent"],
)
def test_what_the_gate_refuses_is_one_sentence(gaps_and_exposure, said):
    gaps, exposure = gaps_and_exposure
    with pytest.raises(DesignError, match=said) as caught:
        effects.sample.select_sample(gaps, exposure)
    assert SENTENCE.match(str(caught.value))
    study = effects.specification.Study(
        school_gaps=gaps, exposure=exposure, metric="overall_absence"
    )
    for ask in (
        effects.sensitivity.robustness,
        effects.sensitivity.specification_curve,
        effects.value.cost_effectiveness,
    ):
        with pytest.raises(DesignError, match=said):
            ask(study)
    # Every part that can say so in a row does.
    assert effects.sensitivity.subgroups(study)["status"].eq("x").any()


def test_no_school_untrained_throughout():
    made, refused = spoken(*design(cohorts=(4, 5, 6)))
    assert refused == set()
    table = made["robustness"]
    against = table[table["variant"].eq(Message("against_never_treated"))]
    assert against["verdict"].tolist() == ["not_testable"]


def test_one_trained_school_that_is_let_through():
    made, refused = spoken(*design(cohorts=(0,) * 23 + (4,)), min_schools=1)
    assert refused <= {"aa_run", "planted_power"}
    table = made["robustness"]
    assert table.loc[table["check"].eq("equivalence"), "reason"].item().code == "one_trained_school"
    assert np.isfinite(made["randomise"].loc[0, "p_value"])


def test_outcomes_that_do_not_vary():
    gaps, exposure = design()
    made, refused = spoken(gaps.assign(outcome=4.0), exposure)
    assert refused == {"aa_run", "planted_power"}
    table = made["robustness"]
    assert (
        table.loc[table["check"].isin(["early_placebo", "chance", "equivalence"]), "verdict"]
        .eq("not_testable")
        .all()
    )
    assert made["randomise"].loc[0, "status"] == "x"


def test_an_outcome_that_the_panel_lacks_leaves_the_others_alone():
    study = study_of(1, schools=24)
    table = effects.sensitivity.subgroups(replace(study, training=None)).set_index("value")
    absent = Message("outcome_absent", metric="ks4_attainment8")
    assert table.loc["ks4_attainment8", "reason"] == absent
    assert table.loc["cin", "status"] == ""
