"""Which schools share year effects: large phases, and small ones with the phase most alike."""

import numpy as np
import pandas as pd
import pytest

from tests.effects.conftest import gaps_of
from vsh_eval import effects
from vsh_eval.effects.sample import year_effects as strata
from vsh_eval.release.text.findings.reasons import sentence

FEW = ("primary",) * 5 + ("secondary",) * 4 + ("special",)


def cells_of_phases(schools, *, trained=None, times=3, cohort=3):
    """School-years of the phases named; `trained` says how many of each are trained at `cohort`."""
    rows = [
        (f"{phase}{n}", phase, time, cohort * (n < (trained or {}).get(phase, 1)), 5.0, 100.0)
        for phase, number in schools.items()
        for n in range(number)
        for time in range(1, times + 1)
    ]
    return pd.DataFrame(rows, columns=["unit", "phase", "time", "cohort", "outcome", "weight"])


@pytest.mark.parametrize(
    ("schools", "trained", "kind"),
    [
        ({"primary": 8, "secondary": 8}, {}, strata.BY_PHASE),
        ({"primary": 30, "secondary": 7}, {}, strata.COMMON),
        ({"primary": 30}, {}, strata.COMMON),
        ({"primary": 30, "secondary": 8}, {"secondary": 6}, strata.BY_PHASE),
        ({"primary": 30, "secondary": 8}, {"secondary": 7}, strata.COMMON),
        ({"primary": 30, "secondary": 8, "special": 7}, {}, strata.JOINED),
        ({"primary": 30, "secondary": 8, "special": 9}, {"special": 8}, strata.JOINED),
    ],
)
def test_eight_schools_and_two_untrained_in_every_year(schools, trained, kind):
    found = strata.year_effects(cells_of_phases(schools, trained=trained))
    assert found.kind == kind
    assert found.stratum.eq("").all() == (kind == strata.COMMON)


def test_a_school_with_one_untrained_year_says_nothing_of_the_years():
    cells = cells_of_phases({"primary": 20, "secondary": 8}, trained={"secondary": 6}, times=4)
    once = cells["unit"].eq("secondary7") & cells["time"].ne(4)
    assert strata.year_effects(cells).kind == strata.BY_PHASE
    assert strata.year_effects(cells[~once]).kind == strata.COMMON


def test_small_phases_go_to_the_one_nearest_before_training_and_the_sentence_says_so():
    cells = cells_of_phases(
        {"primary": 20, "secondary": 9, "special": 3, "all_through": 2, "alternative_provision": 2}
    )
    level = {"primary": 2.0, "secondary": 12.0, "special": 9.0, "all_through": 3.0}
    cells["outcome"] = cells["phase"].map(level).fillna(40.0)
    # Before training the heavy school-years decide; afterwards nothing does.
    heavy = cells["unit"].eq("special2")
    cells.loc[heavy, ["outcome", "weight"]] = (1.0, 900.0)
    cells.loc[cells["time"].ge(3) & cells["phase"].eq("all_through"), "outcome"] = 12.0
    found = strata.year_effects(cells)
    assert dict(zip(cells["phase"], found.stratum, strict=True)) == {"primary": "primary",
        "secondary": "secondary", "special": "primary", "all_through": "primary",
        "alternative_provision": "secondary"}  # fmt: skip
    joined = {"all_through": "primary", "alternative_provision": "secondary", "special": "primary"}
    assert found.note.code == "year_effects_joined"
    assert found.note.details == {"schools": 8, "untrained": 2, "joined": joined}
    assert sentence(found.note) == (
        "year effects are estimated phase by phase; all-through and special schools share those "
        "of primary schools and alternative provision schools share those of secondary schools. "
        "A phase has its own where it has 8 or more schools, 2 or more of them untrained in every "
        "year; any other shares those of the phase most like it before training."
    )


def test_a_phase_without_years_before_training_is_taken_for_an_average_one():
    cells = cells_of_phases({"primary": 20, "secondary": 9, "special": 3})
    cells.loc[cells["phase"].eq("secondary"), "outcome"] = 9.0
    cells.loc[cells["phase"].eq("special"), "outcome"] = 90.0
    cells = cells[cells["phase"].ne("special") | cells["time"].ge(3)]
    found = strata.year_effects(cells)
    assert found.kind == strata.JOINED
    assert set(found.stratum) == {"primary", "secondary"}


def test_the_gate_joins_and_effects_do_not_decide():
    gaps, exposure = gaps_of(1, schools=60, phases=FEW)
    gaps.loc[gaps["phase"].ne("primary"), "outcome"] += 30
    prepared = effects.sample.select_sample(gaps, exposure)
    pairs = set(prepared.data[["phase", "stratum"]].itertuples(index=False, name=None))
    assert pairs == {("primary", "primary"), ("secondary", "secondary"), ("special", "secondary")}
    assert prepared.year_effects == strata.JOINED
    assert prepared.other_year_effects == (strata.COMMON, strata.BY_PHASE)
    [note] = [note for note in prepared.notes if note.code == "year_effects_joined"]
    assert note.details["joined"] == {"special": "secondary"}
    adopted = gaps["unit_id"].map(exposure.set_index("unit_id")["adopted"])
    trained = adopted.gt(0) & gaps["time_period"].ge(adopted)
    moved = gaps.assign(outcome=gaps["outcome"] - 50 * trained)
    again = effects.sample.select_sample(moved, exposure)
    assert (again.data["stratum"] == prepared.data["stratum"]).all()


def test_joined_phases_are_the_fit_with_those_phases_renamed():
    gaps, exposure = gaps_of(2, schools=60, phases=FEW)
    joined = effects.sample.select_sample(gaps, exposure)
    assert joined.year_effects == strata.JOINED
    renamed = gaps.assign(phase=gaps["unit_id"].map(joined.data.groupby("unit")["stratum"].first()))
    own = effects.sample.select_sample(renamed, exposure)
    assert own.year_effects == strata.BY_PHASE
    assert own.other_year_effects == (strata.COMMON,)
    one, other = (
        effects.estimators.impute_parts(made.data)["estimate"][0] for made in (joined, own)
    )
    assert one == pytest.approx(other)
    common = effects.estimators.impute_parts(joined.with_year_effects("common").data)["estimate"][0]
    assert np.isfinite(common)
    assert one != pytest.approx(common)


def test_chance_power_and_the_trial_without_effect_use_the_same_year_effects():
    gaps, exposure = gaps_of(2, schools=60, phases=FEW)
    prepared = effects.sample.select_sample(gaps, exposure)
    main = effects.estimators.impute(prepared.data, leads=0, draws=1).iloc[0]
    assert effects.inference.randomise(prepared.data, draws=99).loc[0, "estimate"] == pytest.approx(
        main["estimate"]
    )
    assert effects.sample.design_mde(prepared.data).std_error == pytest.approx(main["std_error"])
    trials = [
        effects.inference.placebo_simulation(made.data, runs=50).loc[0, "error_ratio"]
        for made in (prepared, prepared.with_year_effects("common"))
    ]
    assert trials[0] != pytest.approx(trials[1])
