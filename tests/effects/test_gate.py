"""The gate: what passes, what is lost with a count, and what is refused."""

import pandas as pd
import pytest

from tests.effects.conftest import YEARS, gaps_of
from vsh_eval import effects
from vsh_eval.contracts import ContractError, DesignError, Message

COLUMNS = ["unit", "time", "time_period", "cohort", "cohort_period", "outcome", "weight", "pupils",
           "base_pupils", "stratum", "phase"]  # fmt: skip


def small(adopted, *, years=YEARS[:4], pupils=5):
    """Twelve schools with every year, trained as told; the rest never."""
    rows = [
        (f"{s:02d}", "primary", year, "overall_absence", 5.0 + s + (year % 7), 100.0, pupils)
        for s in range(12)
        for year in years
    ]
    columns = ["unit_id", "phase", "time_period", "metric", "outcome", "weight", "pupils"]
    exposure = pd.DataFrame(
        {"unit_id": [f"{s:02d}" for s in range(12)], "adopted": [*adopted, *[0] * 12][:12]}
    )
    return pd.DataFrame(rows, columns=columns), exposure


def balances(losses):
    counts = losses.set_index("step")[["schools", "school_years", "pupils"]]
    taken = counts.drop(index=["panel", "used"]).sum()
    return (counts.loc["panel"] - taken == counts.loc["used"]).all()


def test_a_whole_panel_passes_untouched():
    gaps, exposure = small([202021] * 4)
    prepared = effects.sample.select_sample(gaps, exposure)
    assert prepared.data.columns.tolist() == COLUMNS
    assert prepared.exclusions["step"].tolist() == ["panel", "used"]
    assert prepared.exclusions["pupils"].tolist() == [240, 240]
    assert prepared.periods.to_numpy().tolist() == [
        [1, 201718, 12],
        [2, 201819, 12],
        [3, 202021, 12],
        [4, 202122, 12],
    ]
    assert prepared.cohorts.to_numpy().tolist() == [[3, 202021, 201819, 4]]
    assert prepared.schools == 12
    assert "few_schools" in {caution.code for caution in prepared.cautions}
    trained = prepared.data[prepared.data["unit"].eq("00")]
    assert trained["cohort"].unique().tolist() == [3]
    assert trained["base_pupils"].unique().tolist() == [5.0]


def test_every_loss_is_counted_with_its_reason():
    gaps, exposure = small([201718, 202021, 202021, 202021, 202122, 202324, 202324])
    extra = gaps[gaps["unit_id"].eq("11")].assign(unit_id="99")
    gaps = pd.concat([gaps, extra], ignore_index=True)
    gaps.loc[gaps["unit_id"].eq("08") & gaps["time_period"].eq(201718), "outcome"] = None
    gaps = gaps[~(gaps["unit_id"].eq("01") & gaps["time_period"].lt(202021))]
    prepared = effects.sample.select_sample(gaps, exposure, min_schools=2)
    losses = prepared.exclusions.set_index("step")
    assert losses.loc["no_data", ["schools", "school_years"]].tolist() == [0, 1]
    assert losses.loc["no_exposure", ["schools", "school_years", "pupils"]].tolist() == [1, 4, 20]
    assert losses.loc["trained_before", ["schools", "school_years"]].tolist() == [1, 4]
    assert losses.loc["trained_before", "reason"] == Message("trained_before", year=201718)
    # one school trained in 2021/22, no later cohort: it counts until its training
    assert losses.loc["small_cohort", ["schools", "school_years"]].tolist() == [0, 1]
    assert losses.loc["no_year_before", ["schools", "school_years"]].tolist() == [1, 2]
    assert losses.loc["used", ["schools", "school_years"]].tolist() == [10, 38]
    assert balances(prepared.exclusions)
    assert prepared.cohorts["schools"].tolist() == [2]
    assert prepared.data.loc[prepared.data["unit"].isin(["05", "06"]), "cohort"].eq(0).all()
    assert Message("trained_after_last_year", schools=2, year=202122) in prepared.notes


def test_a_small_cohort_is_pooled_with_the_next():
    gaps, exposure = small([202021] * 2 + [202122] * 3)
    prepared = effects.sample.select_sample(gaps, exposure, min_schools=3)
    assert prepared.cohorts[["cohort_period", "schools"]].to_numpy().tolist() == [[202122, 5]]
    lost = prepared.exclusions.set_index("step").loc["small_cohort"]
    assert lost[["schools", "school_years"]].tolist() == [0, 2]  # their first trained year
    own = prepared.data[prepared.data["unit"].eq("00")]
    assert own["time_period"].tolist() == [201718, 201819, 202122]
    assert any(note.code == "cohort_too_small" for note in prepared.notes)
    assert balances(prepared.exclusions)


def test_pooling_goes_on_until_a_cohort_is_large_enough():
    gaps, exposure = small([201819, 202021, 202122, 202122], years=YEARS[:5])
    prepared = effects.sample.select_sample(gaps, exposure, min_schools=3)
    assert prepared.cohorts[["cohort_period", "schools"]].to_numpy().tolist() == [[202122, 4]]
    assert prepared.exclusions.set_index("step").loc["small_cohort", "school_years"].sum() == 3
    assert balances(prepared.exclusions.groupby("step", as_index=False).sum(numeric_only=True))


def test_a_year_of_training_without_data_is_the_next_year_with_data():
    gaps, exposure = small([201920] * 4)
    prepared = effects.sample.select_sample(gaps, exposure)
    assert prepared.cohorts.to_numpy().tolist() == [[3, 202021, 201819, 4]]
    assert Message("trained_in_year_without_data", schools=4) in prepared.notes


def test_a_covariate_gap_drops_the_school_and_never_the_covariate():
    gaps, exposure = small([202021] * 4)
    schools = pd.DataFrame({"unit_id": exposure["unit_id"], "fsm": [None, *range(11)]})
    prepared = effects.sample.select_sample(gaps, exposure, schools=schools, covariates=["fsm"])
    assert prepared.covariates == ("fsm",)
    assert prepared.data["fsm"].notna().all()
    lost = prepared.exclusions.set_index("step").loc["covariate"]
    assert (lost["schools"], lost["reason"]) == (
        1,
        Message("covariate", covariates=("fsm",)),
    )
    with pytest.raises(DesignError, match="no schools table is given"):
        effects.sample.select_sample(gaps, exposure, covariates=["fsm"])


def test_the_programme_and_tier_asked_for_are_used():
    gaps, exposure = small([202021] * 4)
    both = pd.concat(
        [
            exposure.assign(programme="any", tier="any"),
            exposure.assign(programme="elsa", tier="any", adopted=[202122] * 3 + [0] * 9),
        ]
    )
    prepared = effects.sample.select_sample(gaps, both, programme="elsa")
    assert prepared.cohorts["cohort_period"].tolist() == [202122]
    with pytest.raises(DesignError, match="no row of programme 'yoga'"):
        effects.sample.select_sample(gaps, both, programme="yoga")


def test_base_pupils_are_the_mean_before_anyone_was_trained():
    gaps, exposure = small([202021] * 4)
    gaps.loc[gaps["unit_id"].eq("05"), "pupils"] = [2, 6, 50, 50]
    lone = gaps["unit_id"].eq("06") & gaps["time_period"].lt(202021)
    gaps = gaps[~lone | gaps["time_period"].eq(201718)]
    data = effects.sample.select_sample(gaps, exposure).data.groupby("unit")["base_pupils"].first()
    assert data["05"] == 4.0
    assert data["06"] == 2.5  # a year without pupils counts as none


@pytest.mark.parametrize(
    ("schools", "cohorts", "expected", "why"),
    [
        (24, (0, 4), True, "by_phase"),
        (21, (0, 4), False, "too_few_phases"),
        (24, (4, 4, 4, 4, 4, 4, 4, 4, 4, 0), False, "too_few_phases"),
    ],
)
def test_phase_by_year_effects_by_the_rule(schools, cohorts, expected, why):
    gaps, exposure = gaps_of(
        schools=schools, absent=0.0, cohorts=cohorts, phases=("primary", "primary", "secondary")
    )
    prepared = effects.sample.select_sample(gaps, exposure)
    assert (prepared.year_effects != "common") is expected
    assert any(note.code == f"year_effects_{why}" for note in prepared.notes)
    strata = prepared.data["stratum"]
    assert strata.eq(prepared.data["phase"] if expected else "").all()
    common = prepared.with_year_effects("common")
    pd.testing.assert_frame_equal(
        common.with_year_effects("by_phase").data,
        prepared.data.assign(stratum=prepared.data["phase"]),
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g, e: (g.assign(metric=["a", "b"] * 24), e), "holds 2 metrics"),
        (lambda g, e: (pd.concat([g, g.head(3)]), e), "3 school-years of overall_absence"),
        (lambda g, e: (g.assign(phase=["a", "b"] * 24), e), "phase changes within 12 schools"),
        (lambda g, e: (g, pd.concat([e, e.head(1).assign(adopted=1)])), "differs within 1"),
        (lambda g, e: (g, e.assign(adopted=[None, *[0] * 11])), "is missing or negative"),
        (lambda g, e: (g, e.assign(adopted=-1)), "is missing or negative"),
        (lambda g, e: (g, e.assign(adopted=0)), "nobody trained .last 202122"),
        (lambda g, e: (g, e.assign(adopted=201718)), ": all trained early .first 201718"),
        (lambda g, e: (g, e.assign(adopted=[201718] * 10 + [202021] * 2)),
         "nearly all trained early"),
        (lambda g, e: (g, e.assign(adopted=[202021, 202021, *[0] * 10])),
         "too few trained .trained 2"),
        (lambda g, e: (g[g["time_period"].lt(202021) | g["unit_id"].gt("03")], e),
         "too few on both sides"),
        (lambda g, e: (g, e.assign(adopted=202021)), "all trained in one year .year 202021"),
        (lambda g, e: (g[g["unit_id"].lt("09")], e), "too few schools .schools 9, least 10"),
        (lambda g, e: (g, e.assign(unit_id="x" + e["unit_id"])), "no school year left"),
    ],
)  # fmt: skip
def test_what_cannot_bear_an_estimate_is_refused_in_a_sentence(change, message):
    gaps, exposure = change(*small([202021] * 4))
    with pytest.raises(DesignError, match=message) as caught:
        effects.sample.select_sample(gaps, exposure)
    assert str(caught.value).endswith(".")


def test_a_missing_column_is_named():
    gaps, exposure = small([202021] * 4)
    with pytest.raises(ContractError, match="school_gaps lacks the column pupils"):
        effects.sample.select_sample(gaps.drop(columns="pupils"), exposure)


def test_without_never_trained_schools_a_note_says_so():
    gaps, exposure = small([202021] * 6 + [202122] * 6)
    notes = effects.sample.select_sample(gaps, exposure).cautions
    assert Message("nobody_left_untrained", year=202122) in notes


@pytest.mark.parametrize(("trained", "few"), [(9, True), (10, False)])
def test_few_trained_schools_are_said(trained, few):
    gaps, exposure = gaps_of(schools=40, absent=0.0, cohorts=(0,))
    exposure["adopted"] = [202122] * trained + [0] * (40 - trained)
    notes = effects.sample.select_sample(gaps, exposure).cautions
    assert (Message("few_trained", trained=trained, limit=10) in notes) == few


def test_forty_schools_are_no_longer_few():
    prepared = effects.sample.select_sample(*gaps_of(schools=40, absent=0.0))
    assert not any(caution.code == "few_schools" for caution in prepared.cautions)
