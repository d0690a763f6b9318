"""Before effects are looked at: false alarms and power on the panel itself."""

import numpy as np
import pytest

from tests.effects.conftest import cells_of, gaps_of
from vsh_eval import effects
from vsh_eval.contracts import DesignError
from vsh_eval.numerics.estimators import imputation
from vsh_eval.numerics.inference.significance import t_critical


def test_the_a_a_run_is_the_power_of_no_effect():
    cells = cells_of(4, schools=30)
    found = effects.inference.placebo_simulation(cells, runs=60, seed=2).iloc[0]
    curve = effects.inference.injected_effect_power(cells, effects=(0.0,), runs=60, seed=2)
    assert found["runs"] == 60
    assert found["found"] == curve.loc[0, "found"]
    assert found["lower"] < found["share"] < found["upper"]


def test_false_alarms_are_as_frequent_as_they_should_be():
    found = effects.inference.placebo_simulation(
        cells_of(5, schools=60, effect=-4.0), runs=800
    ).iloc[0]
    assert found["verdict"] == "as_it_should_be"
    assert found["error_ratio"] == pytest.approx(1, abs=0.1)


def test_planted_effects_are_found_as_the_design_promises():
    prepared = effects.sample.select_sample(*gaps_of(1))
    mde = effects.sample.design_mde(prepared.data).mde
    sizes = mde * np.linspace(0, 2, 9)
    curve = effects.inference.injected_effect_power(prepared.data, effects=sizes, runs=400)
    assert curve["effect"].tolist() == sizes.tolist()
    assert curve["power"].is_monotonic_increasing
    assert curve.loc[0, "power"] < 0.1
    assert curve.loc[4, "power"] == pytest.approx(0.8, abs=0.15)
    assert curve.loc[5, "power"] > 0.8 > curve.loc[3, "power"]
    assert (curve["lower"] <= curve["power"]).all()
    assert (curve["power"] <= curve["upper"] + 1e-12).all()


def test_a_planted_effect_is_what_adding_it_to_the_outcomes_gives():
    cells = cells_of(6, schools=24)
    design = effects.inference.reassignments(cells)
    laid_out, found = design.cells, 0
    for labels in design.draw(50, seed=0):
        treated = np.arange(6) >= design.terms.onsets[labels][:, None]
        for effect in (-2.0, 2.0):
            planted = laid_out.outcome + effect * treated
            fitted = imputation.fit(planted, laid_out.weight, treated, laid_out.stratum)
            target = np.where(treated & imputation.imputable(fitted), laid_out.weight, 0.0)
            made = imputation.estimate(fitted, target[None])
            width = t_critical(made.schools - 1.0) * np.sqrt((made.deviations() ** 2).sum())
            found += int((np.abs(made.estimate) > width).item())
    curve = effects.inference.injected_effect_power(cells, effects=(2.0,), runs=50)
    assert 0 < curve.loc[0, "found"] == found / 2


def test_what_cannot_be_rehearsed_says_why():
    cells = cells_of(1)
    with pytest.raises(DesignError, match="runs is 10, must be at least 50"):
        effects.inference.placebo_simulation(cells, runs=10)
    with pytest.raises(DesignError, match="no assignment with error"):
        effects.inference.placebo_simulation(cells.assign(outcome=2.0))
