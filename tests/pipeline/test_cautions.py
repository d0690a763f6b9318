"""Each way in which an evaluation can fail: what is said, and that all else is still there."""

import re

import numpy as np
import pandas as pd
import pytest

from tests.pipeline.test_impact import TRAINED, YEARS, ask, tables
from vsh_eval import effects
from vsh_eval.contracts import InfeasibleError
from vsh_eval.release.text.findings.evidence import evidence_sentence, no_estimate_sentence
from vsh_eval.release.text.findings.reasons import sentences
from vsh_eval.release.text.pages.impact import estimate_sentence

UNITS = [f"{s:02d}" for s in range(36)]
IN_TURN = dict(zip(UNITS, [202122, 202223, 202324] * 12, strict=True))


def with_panel(change):
    """Return the usual tables with another panel."""
    found = tables()
    return found | {"panel": change(found["panel"])}


def the_same_for_all(panel):
    share = panel["group"].map({"cin": 0.12, "peers": 0.06})
    return panel.assign(numerator=share * panel["denominator"])


def untold(panel):
    return panel[panel["group"].eq("cin")]


NOT_ESTIMABLE = {
    "one treated school": (lambda: tables(adopted={"00": 202122}), {},
        "too few schools with data were trained by 2023/24, and an estimate needs at least 3, "
        "because no result may rest on one or two of them; wait until more are trained, or "
        "evaluate together with other authorities."),
    "no training": (lambda: tables(adopted={}), {},
        "no school with data was trained by 2023/24, the last year, and an estimate needs at least "
        "3; wait for a year after training, and see that every training is in the log with its "
        "date."),
    "zero variance": (lambda: with_panel(the_same_for_all), {},
        "the gap is the same in every school and year, and only what varies can be compared; "
        "check how the outcome was recorded in the returns."),
    "outcome absent": (tables, {"primary": "ks4_attainment8"},
        "the returns hold no results for Attainment 8 in these schools and years, and an estimate "
        "needs them before and after training; add them to the returns, or name another outcome in "
        "the protocol."),
    "peers absent": (lambda: with_panel(untold), {},
        "no school has results for overall absence of children in need and of their "
        "peers in a year that can be compared, and an estimate needs both; add years, or name "
        "another group or outcome."),
}  # fmt: skip


@pytest.mark.parametrize("mode", NOT_ESTIMABLE)
def test_what_cannot_be_estimated_is_said_in_words_and_all_else_is_there(mode, tmp_path):
    made, protocol, said = NOT_ESTIMABLE[mode]
    run, found = ask(tmp_path / "project", made(), **protocol)
    assert found.answer == f"The effect cannot be estimated: {said}"
    assert found.cautions == found.notes == ()
    primary, secondary = found.primary(), found.secondary()
    assert primary["reason"].tolist() == [said]
    assert set(secondary["status"]) == {"x"}
    assert secondary["metric"].tolist() == list(found.protocol.secondary)
    checks = run.release(found.checked)
    assert checks.where(role="primary").frame["check"].tolist() == ["primary"]
    robust = checks.where(role="robustness").frame
    assert robust["check"].tolist() == list(effects.sensitivity.CHECKS)
    assert set(robust["status"]) == {"x"}
    assert set(robust["verdict"]) == {"not testable"}
    assert found.judged().statement == "not_estimable"
    assert evidence_sentence(run.release(found.rules)).startswith("Not estimable: ")
    assert np.isnan(found.power.mde)
    assert found.pretrend() is None
    with pytest.raises(InfeasibleError):
        found.require()
    for part in (found.own_levels, found.parts, found.power_curve, found.bounds):
        with pytest.raises(InfeasibleError):
            part()
    assert no_estimate_sentence(run.release(found.everything)) == found.answer
    sentence = estimate_sentence(run.release(found.everything), metric=found.protocol.primary)
    assert sentence.endswith(f"The reason: {said}")
    assert "nan" not in sentence.casefold()
    assert not re.search(r"[1-9] (schools|trained)", sentence)


def test_where_every_school_is_trained_in_turn_the_last_years_carry_nothing(tmp_path):
    _, found = ask(tmp_path / "project", tables(adopted=IN_TURN))
    primary = found.primary()
    assert not found.reason
    assert any(
        said.startswith("Every school was trained by 2023/24, so 2023/24 and later years carry no")
        for said in found.cautions
    )
    years = primary.query("aggregation == 'calendar' and estimator == 'imputation'")
    assert years.dropna(subset="estimate")["index"].tolist() == [202122, 202223]


def test_years_that_are_all_covid_years_are_said_to_be(tmp_path):
    _, found = ask(
        tmp_path / "project",
        with_panel(lambda p: p[p["time_period"].isin([202021, 202122])]),
    )
    assert np.isfinite(found.primary()["estimate"].iloc[0])
    assert found.cautions[-1] == (
        "All years with data are covid years (2019/20 to 2021/22), so nothing here shows what the "
        "training does in ordinary years; add years before or after them."
    )
    _, usual = ask(tmp_path / "usual")
    assert not any("covid" in said for said in usual.cautions)


def test_covariates_that_say_the_same_twice_cost_one_check_only(tmp_path):
    found = tables()
    found["schools"] = found["schools"].assign(twice=2 * found["schools"]["pct_fsm"])
    _, asked = ask(tmp_path / "project", found, covariates=("pct_fsm", "twice"))
    primary = asked.primary()
    simple = primary[primary["aggregation"].eq("simple")].set_index("estimator")
    assert np.isfinite(simple.loc["imputation", "estimate"])
    assert set(simple.loc["callaway_santanna", "status"]) == {"x"}
    assert asked.cautions[-1] == (
        "Of the covariates, twice adds nothing to the other covariates, or is the same in every "
        "school, so no estimate can be made with it; leave it out of the covariates. The primary "
        "estimate uses no covariates and stands."
    )
    _, one = ask(tmp_path / "one", found, covariates=("pct_fsm",))
    assert not any("covariate" in said for said in one.cautions)


def test_few_trained_schools_are_said_to_be_and_no_interval_is_endless(tmp_path):
    """A wild bootstrap of three trained schools of 36 refutes nothing, however large."""
    _, found = ask(tmp_path / "project", tables(adopted=dict.fromkeys(UNITS[:3], 202122)))
    assert any(
        said.startswith("Few schools were trained (under 10): the interval is uncertain")
        and "randomisation test" in said
        for said in found.cautions
    )
    checks = found.checked()
    assert not np.isinf(checks[["estimate", "ci_lower", "ci_upper", "p_value"]]).to_numpy().any()
    [wild] = checks[checks["estimator"].eq("wild_cluster")].to_dict("records")
    assert np.isfinite(wild["p_value"])
    assert wild["reason"] == "with so few trained schools its interval has no end"
    assert np.isnan(wild["ci_lower"]) or np.isnan(wild["ci_upper"])


def test_a_secondary_outcome_that_is_absent_costs_nothing_else(tmp_path):
    _, found = ask(tmp_path / "project")
    secondary = found.secondary().set_index("metric")
    assert np.isfinite(found.primary()["estimate"].iloc[0])
    assert secondary.loc["severe_absence", "status"] == "x"
    assert "no results for severe absence" in secondary.loc["severe_absence", "reason"].casefold()


def test_notes_that_may_be_released_name_no_number_of_schools():
    gaps = pd.DataFrame(
        [
            (f"{s:02d}", "primary", year, "overall_absence", float((s * 7 + year) % 5), 100.0, 5)
            for s in range(20)
            for year in YEARS
        ],
        columns=["unit_id", "phase", "time_period", "metric", "outcome", "weight", "pupils"],
    )
    adopted = {**TRAINED, "16": 201920, "17": 201920, "18": 201920, "19": 202425}
    exposure = pd.DataFrame({"unit_id": list(adopted), "adopted": list(adopted.values())})
    prepared = effects.sample.select_sample(gaps, exposure)
    said = [*sentences(prepared.notes), *sentences(prepared.cautions)]
    assert "Schools trained after 2023/24 count as not yet trained." in said
    for sentence in said:
        assert sentence[0].isupper()
        assert not any(f"{digit} schools" in sentence.split(":")[0] for digit in range(10))
