"""Both levels beside the gap, on the same cells."""

import numpy as np
import pandas as pd
import pytest

from tests.effects.panels import panel_of, study_of
from vsh_eval import effects, metrics
from vsh_eval.contracts import CohortRuleError, ContractError, DesignError

ASKED = {"metric": "overall_absence", "group": "cwsw", "reference": "peers"}


def test_the_gap_is_the_gap_that_metrics_makes():
    panel = panel_of(1, schools=8)
    for reference in ("peers", "all"):
        asked = ASKED | {"reference": reference}
        own = effects.outcome_of(effects.school_levels(panel, **asked), "gap")
        theirs = metrics.school_gaps(panel, **asked)
        shared = ["unit_id", "time_period", "weight", "pupils", "reference_pupils"]
        pd.testing.assert_frame_equal(own[shared], theirs[shared], check_dtype=False)
        np.testing.assert_allclose(own["outcome"], theirs["outcome"], atol=1e-12)


def test_the_triple_difference_adds_up():
    study = study_of(2, effect=-3.0)
    found = {
        which: effects.impute_parts(study.prepared(study.outcome(which)).data)["estimate"][0]
        for which in ("gap", "group", "reference")
    }
    assert found["gap"] == pytest.approx(found["group"] - found["reference"], abs=1e-10)
    assert found["gap"] == pytest.approx(
        effects.impute(study.prepared().data, draws=1)["estimate"][0], abs=1e-10
    )


def test_what_the_panel_does_not_hold_is_said():
    panel = panel_of(1, schools=4)
    with pytest.raises(DesignError, match="no school rows of ks4_attainment8"):
        effects.school_levels(panel, **(ASKED | {"metric": "ks4_attainment8"}))
    with pytest.raises(DesignError, match="group and reference are both 'peers'"):
        effects.school_levels(panel, **(ASKED | {"group": "peers"}))
    with pytest.raises(ContractError, match="lacks the column numerator"):
        effects.school_levels(panel.drop(columns="numerator"), **ASKED)
    twice = pd.concat([panel, panel.assign(cohort_rule="at_31_march")])
    with pytest.raises(CohortRuleError):
        effects.school_levels(twice, **ASKED)
    with pytest.raises(ContractError, match="which is 'both'"):
        effects.outcome_of(pd.DataFrame(), "both")
    with pytest.raises(DesignError, match="no panel was given"):
        study_of(1, schools=4, panel=None).outcome()
