"""What notebooks 06 and 07 stand on: one study of a run, or the reason why there is none."""

import numpy as np
import pandas as pd
import pytest

from tests.pipeline.project import TWO_YEARS, Project
from tests.release.made import NAN, gap_rows, safe
from vsh_eval import pipeline
from vsh_eval.contracts import InfeasibleError, Message
from vsh_eval.effects import sensitivity
from vsh_eval.pipeline.questions import impact, results

YEARS = (201718, 201819, 202021, 202122, 202223, 202324)
TRAINED = {f"{s:02d}": (202122 if s < 8 else 202223) for s in range(16)}


def panel(schools=36, effect=0.0, noise=1.0):
    """Return a panel of one leaf group and its peers, with an effect planted in trained schools."""
    draw = np.random.default_rng(3)
    rows = []
    for s in range(schools):
        unit = f"{s:02d}"
        for year in YEARS:
            moved = effect if year >= TRAINED.get(unit, 999999) else 0.0
            for group, level, pupils in (("cin", 12.0 + moved, 8), ("peers", 6.0, 80)):
                possible = 300.0 * pupils
                missed = possible * (level + noise * draw.normal()) / 100
                rows.append((unit, year, group, pupils, round(missed), possible))
    columns = ["unit_id", "time_period", "group", "pupils", "numerator", "denominator"]
    return pd.DataFrame(rows, columns=columns).assign(
        source="returns", vintage="", cohort_rule="any_time_in_year", level="school",
        phase="primary", metric="overall_absence", sum_yy=0.0, sum_xy=0.0, sum_xx=0.0,
        rate=np.nan, status="",
    )  # fmt: skip


def tables(*, adopted=TRAINED, **changes):
    """Return the internal tables that the question of impact is asked of."""
    found = panel(**changes)
    units = sorted(found["unit_id"].unique())
    exposure = pd.DataFrame(
        {
            "unit_id": units,
            "programme": "any",
            "tier": "any",
            "adopted": [adopted.get(unit, 0) for unit in units],
            "first_date": pd.NaT,
        }
    )
    training = pd.DataFrame(
        {
            "unit_id": list(adopted),
            "programme": "elsa",
            "tier": "targeted",
            "time_period": list(adopted.values()),
            "staff_trained": 3.0,
            "cost": 400.0,
        }
    )
    schools = pd.DataFrame({"unit_id": units, "pct_fsm": np.linspace(5.0, 40.0, len(units))})
    make_up = found[found["group"].isin(["cin", "peers"])][
        ["unit_id", "time_period", "phase", "group", "pupils"]
    ]
    make_up = make_up.assign(
        entrants=2 + found["time_period"] % 2,
        prior_pupils=5, prior_missed=100, prior_possible=1500,
        entrants_missed=30, entrants_possible=400,
    )  # fmt: skip
    return {
        "panel": found,
        "other_rule_panel": found.assign(cohort_rule="at_31_march"),
        "make_up": make_up,
        "exposure": exposure,
        "training": training,
        "schools": schools,
    }


def ask(folder, made=None, *, group="cin", **protocol):
    """Ask a run whose tables and protocol are given."""
    project = Project.start(folder)
    project.write("tiny", TWO_YEARS)
    run = project.run("tiny")
    for name, table in (made or tables()).items():
        run.save(name, table)
    settings = run.settings
    changed = {
        "cohort": settings.cohort.model_copy(update={"group": group}),
        "protocol": settings.protocol.model_copy(update=protocol),
    }
    object.__setattr__(run, "settings", settings.model_copy(update=changed))
    return run, pipeline.ask_impact(run)


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A run with an effect of three points, and its question."""
    return ask(tmp_path_factory.mktemp("planted") / "project", tables(effect=-3.0))


def test_an_effect_that_was_planted_comes_out_with_all_its_checks(planted):
    run, found = planted
    assert found.feasible
    assert found.answer == ""
    primary = found.primary()
    simple = primary[primary["aggregation"].eq("simple")].iloc[0]
    assert simple["estimate"] == pytest.approx(-3.0, abs=1.0)
    flow = found.school_flow().set_index("step").loc["in_estimate"]
    assert flow.to_list() == [36, simple["schools_treated"], simple["schools_comparison"]]
    judged = found.judged()
    assert judged.statement in {"narrowed", "inconclusive", "not_attributable"}
    verdicts = run.release(found.rules).frame.set_index("rule")["verdict"]
    assert verdicts["randomisation"] == "pass"
    assert {verdicts[rule] for rule in ("breakdown", "balance")} == {"for information"}
    levels = found.own_levels().set_index("group")["estimate"]
    gap = levels["cin"] - levels["peers"]
    assert gap == pytest.approx(simple["estimate"], abs=0.05), "the gap is the levels' difference"
    assert found.two_way_parts()["weight"].sum() == pytest.approx(1.0)


def test_what_pools_are_judged_by_is_what_the_rules_judge(planted):
    run, found = planted
    table = run.release(found.attribution).frame.set_index("target")
    tests = sensitivity.composition_tests(found.study).set_index("metric")
    assert set(table.index) == {"drift", *tests.index}
    for name, row in tests[tests["status"].eq("")].iterrows():
        exact = pytest.approx(row["estimate"], abs=row["std_error"] / 5)
        assert table.loc[name, "estimate"] == exact
    released = table.loc["drift"]
    slope = sensitivity.drift(found.sample.data)
    assert released["estimate"] == pytest.approx(slope.slope, abs=slope.std_error / 5)
    assert released["std_error"] == pytest.approx(slope.std_error, rel=0.06)
    rule = found.judged().rules.set_index("rule").loc["drift"]
    first = found.primary().query("role == 'primary' and aggregation == 'simple'").iloc[0]
    sign = np.sign(first["estimate"]) if first["p_value"] < 0.05 else 0.0
    assert rule["value"] == pytest.approx(slope.largest_not_excluded(sign=sign))
    # A second way to the same children: how many there are is not told again.
    assert released[["schools_treated", "schools_comparison", "pupils"]].isna().all()


def test_a_page_that_asks_twice_is_given_the_same_table(planted):
    _, found = planted
    assert found.primary() is found.primary()
    assert found.checked() is found.checked()


@pytest.mark.parametrize("name", ["primary", "bounds", "two_way_parts", "checked", "everything"])
def test_what_may_be_released_of_a_table_says_how_the_protocol_stands(name, planted):
    run, found = planted
    frame = run.release(getattr(found, name)).frame
    assert (frame["protocol"] == "exploratory").all()
    assert (frame["status"] == "").any()
    assert np.isfinite(frame["estimate"]).any()


def test_the_curve_has_the_smallest_effect_of_interest(planted):
    run, found = planted
    curve = run.release(found.power_curve).frame
    assert found.protocol.sesoi in curve["effect"].tolist()
    shares = curve[["share_found_lower", "share_found", "share_found_upper"]]
    assert shares["share_found"].iloc[-1] > 80, "shares are per cent"
    assert (shares.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)


def test_parts_have_names_that_readers_know(planted):
    _, found = planted
    parts = found.parts()
    named = dict(zip(parts["value"], parts["part"], strict=True))
    assert named["primary"] == "Primary"
    assert named["ks4_progress8"] == "Progress 8"
    assert "ks4_progress8" not in " ".join(parts["reason"])


def test_another_cohort_rule_and_who_is_newly_counted_are_asked_about(planted):
    _, found = planted
    checks = found.checked()
    rule = checks[checks["variant"].eq("cohort: had a social worker on 31 March")]
    assert rule["verdict"].tolist() == ["agrees"], "the same panel under another name"
    newly = checks[checks["metric"].isin(["entries", "prior_attendance"])]
    assert set(newly["check"]) == {"composition"}
    assert newly["reason"].str.contains("does not hold").sum() == 0


def test_a_part_that_cannot_be_made_says_why_in_its_place(monkeypatch):
    shown = []
    monkeypatch.setattr(impact, "show_text", shown.append)
    with pipeline.explain_if_infeasible("part_cost"):
        raise InfeasibleError("too_few_schools", schools=2, least=10)
    with pipeline.explain_if_infeasible("part_cost", known=Message("no_panel")):
        raise InfeasibleError("no_panel")
    first, second = map(str, shown)
    assert first.endswith(
        " cannot be given: too few schools are left, and an estimate needs at least 10 for "
        "an interval that can be trusted; add years, or evaluate together with other "
        "authorities."
    )
    assert second.endswith(" cannot be given, for the reason given above.")
    with pytest.raises(ZeroDivisionError), pipeline.explain_if_infeasible("part_cost"):
        _ = 1 / 0


def published(run, found):
    """Publish what notebooks 06 and 07 do, and return what the report says."""
    run.publish("impact", run.release(found.primary))
    run.publish("power", run.release(found.least_detectable))
    run.publish("robustness", run.release(found.checked))
    run.publish("evidence", run.release(found.rules))
    years = {"time_period": run.settings.years.last}
    gaps = safe(gap_rows().assign(**years, group="cin").head(1))
    changes = {"baseline": 202122, "change": NAN, "change_lower": NAN, "change_upper": NAN}
    run.publish("levels", safe(gap_rows().assign(**years, level_value=NAN).head(1)))
    results.publish(run, own=gaps, changes=safe(gaps.frame.assign(**changes)))
    return results.summary_of(run.load("summary"))


def test_the_report_says_that_the_effect_was_not_estimable(tmp_path):
    run, found = ask(tmp_path / "project", tables(adopted={"00": 202122}))
    summary = published(run, found)
    assert summary.answer == (
        "What the training changed cannot be estimated from these data, which says nothing about "
        "the training itself."
    )
    assert not any("says nothing" in said for said in summary.sentences)
    assert summary.decisions[0][0] == "Collect what is missing."


def test_what_takes_from_an_estimates_weight_is_said_in_the_report_too(planted):
    run, found = planted
    said = published(run, found).sentences
    assert "" not in said
    assert found.cautions
    assert any(found.cautions[0] in sentence for sentence in said)
