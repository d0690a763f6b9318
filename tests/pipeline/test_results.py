import json

import pandas as pd
import pytest

from tests.pipeline.conftest import TABLES
from tests.pipeline.project import PUBLISHED
from tests.release.made import AUTHORITY, NAN, arm_rows, estimate_row, gap_rows, safe
from vsh_eval import pipeline
from vsh_eval.contracts import ContractError
from vsh_eval.pipeline.questions import results

LEVELS = {"unit_id": AUTHORITY, "geographic_level": "la", "time_period": [202324, 202425],
          "phase": "total", "metric": "overall_absence", "group": "cwsw", "pupils": 640,
          "level_value": [17.4, 18.4], "status": ""}  # fmt: skip
RULES = {"rule": ["power", "chosen_by", "registered"], "verdict": ["fail", "fail", "pass"],
         "reason": ["too small an effect to be seen", "", ""], "statement": "inconclusive",
         "confidence": "none", "decided_by": ""}  # fmt: skip
CHANGED = {"baseline": 201819, "baseline_gap": 9.0, "change": 2.6, "change_lower": 0.4,
           "change_upper": 4.8}  # fmt: skip


def gaps():
    tables = [
        gap_rows(),
        gap_rows("persistent_absence"),
        gap_rows("ks2_rwm_expected", group=[NAN] * 7, reference=[NAN] * 7, status="c"),
        gap_rows("ks4_attainment8", group=[19.0] * 7, reference=[46.0] * 7),
    ]
    return pd.concat(tables, ignore_index=True)


def published(run):
    """Publish what the notebooks before the report do."""
    tables = {
        "levels": LEVELS,
        "impact": [
            estimate_row(),
            estimate_row(estimator="callaway_santanna", estimate=-1.1),
            estimate_row(role="secondary", metric="severe_absence"),
            estimate_row(aggregation="event", index=0.0),
        ],
        "evidence": RULES,
        "power": {
            "metric": "overall_absence",
            "more_years": 0,
            "authorities": [1, 4],
            "mde": [2.8, 2.04],
            "power": 0.8,
            "caution": "",
        },
    }
    for name, rows in tables.items():
        run.publish(name, safe(rows))


def changes(**changed):
    return safe(gap_rows().query("time_period == 202425").assign(**CHANGED | changed))


def written(run, **given):
    results.publish(run, **{"own": safe(gaps()), "changes": changes(), **given})
    return json.loads((run.released / "results.json").read_text(encoding="utf-8"))


def test_the_record_holds_the_primary_estimate_and_the_last_year(project):
    run = project.run("tiny")
    published(run)
    said = written(run)
    assert said["headline"]["estimate"] == -1.4
    assert said["headline"]["estimator"] == "imputation"
    assert said["evidence"]["statement"] == "inconclusive"
    assert said["evidence"]["rules"][0]["verdict"] == "fail"
    assert [row["level_value"] for row in said["levels"]] == [18.4]
    assert {row["time_period"] for row in said["gaps"]} == {202425}
    assert said["protocol"] == {"status": "not registered", "registered": False,
                                "before_data": False, "exploratory": True, "date": None,
                                "sha256": None, "deviations": "", "primary": "overall_absence",
                                "secondary": "persistent_absence, severe_absence",
                                "chosen_by": "unknown", "comparison": "not_yet_treated",
                                "exposure_rule": "first_full_year"}  # fmt: skip
    assert said["run"] == {"name": "tiny", "authority": "Cheshire East",
                           "authority_code": "E06000049", "source": "returns",
                           "cohort_rule": "any_time_in_year"}  # fmt: skip


def test_an_outcome_that_the_data_do_not_hold_is_said_and_costs_nothing_else(project):
    run = project.run("tiny")
    published(run)
    own = safe(gaps().query("metric != 'ks4_attainment8'"))
    front = ("overall_absence", "ks4_attainment8", "overall_absence")
    assert results.held(own, front) == ("overall_absence",)
    assert results.absent(own, front) == "The data hold no results for Attainment 8."
    assert results.absent(own, ["overall_absence"]) == ""
    assert written(run, own=own)["gaps"], "the others go on record"


def test_the_first_page_has_answer_tiles_and_decisions(project):
    run = project.run("tiny")
    published(run)
    written(run)
    summary = results.summary_of(run.load("summary"))
    assert summary.answer.startswith("We cannot yet tell whether the training changed the gap")
    said = " ".join(summary.sentences)
    assert "not the same as no effect" in said
    assert "Ruled out: that training made the gap" in said
    assert "Between 2018/19 and 2024/25 the gap in overall absence widened by 2.6" in said
    gap, change, power = summary.key_figures
    assert gap.value == "11.6 percentage points higher"
    assert change.value == "2.6 percentage points wider"
    assert power.value == "2.8 percentage points"
    decided = [what for what, _ in summary.decisions]
    assert decided == [
        "Do not stop or extend the offer because of this result.",
        "Choose the next schools at random.",
        "Join with other authorities.",
    ]
    pool = dict(summary.decisions)["Join with other authorities."]
    assert "4 of this size together one of 2.0" in pool


def test_the_first_page_compares_no_year_with_itself(project):
    run = project.run("tiny")
    published(run)
    written(run, changes=changes(baseline=202425))
    said = " ".join(results.summary_of(run.load("summary")).sentences)
    assert "etween 2024/25 and" not in said


def test_the_first_page_says_why_there_is_no_estimate(project):
    run = project.run("tiny")
    published(run)
    none = dict.fromkeys(("estimate", "ci_lower", "ci_upper"), NAN)
    rows = [estimate_row(**none, status="x", reason="too few schools are left; add years.")]
    run.publish("impact", safe(rows))
    run.publish("evidence", safe(pd.DataFrame(RULES).assign(statement="not_estimable")))
    written(run)
    said = results.summary_of(run.load("summary")).sentences
    assert said[1] == "The effect cannot be estimated: too few schools are left; add years."


def test_the_chart_of_the_first_page_names_the_page_that_has_its_table(project):
    run = project.run("tiny")
    run.publish("gaps_by_arm", safe(arm_rows()))
    alt = results.chart(run).alt
    assert alt.endswith("All numbers are on the page Impact.")
    assert "below" not in alt


def test_a_change_that_is_not_clear_is_called_so(project):
    run = project.run("tiny")
    published(run)
    written(run, changes=changes(change_lower=-0.4))
    summary = results.summary_of(run.load("summary"))
    tile = summary.key_figures[1]
    assert tile.value == "No clear change"
    assert tile.detail.startswith("2.6 percentage points wider (95% interval from ")
    assert tile.detail.endswith(" to 0.4 narrower)")


def test_published_tables_are_not_asked_for_an_effect(project):
    run = project.run("public")
    run.save("areas", TABLES["areas"])
    run.publish("levels", safe(LEVELS))
    run.publish("evidence", run.release(pipeline.not_asked))
    said = written(run)
    assert said["headline"]["gap"] == pytest.approx(18.4 - 6.8)
    assert said["headline"]["time_period"] == 202425
    assert said["evidence"]["statement"] == "not_estimable"
    assert [row["verdict"] for row in said["evidence"]["rules"]] == ["not testable"]
    assert said["run"]["cohort_rule"] == PUBLISHED["cohort"]["rule"]
    summary = results.summary_of(run.load("summary"))
    assert summary.key_figures[0].value == "11.6 percentage points higher"
    decided = [what for what, _ in summary.decisions]
    assert decided == ["Do not stop or extend the offer because of this page."]


def test_an_estimate_of_another_kind_is_no_headline(project):
    run = project.run("tiny")
    published(run)
    run.publish("impact", safe([estimate_row(role="secondary")]))
    with pytest.raises(ContractError, match="headline has 0 rows, must have one"):
        written(run)
