"""What notebooks 06 and 07 stand on: one study of a run, or the reason why there is none."""

import numpy as np
import pandas as pd
import pytest

from vsh_eval import effects, pipeline, release
from vsh_eval.contracts import DesignError
from vsh_eval.pipeline import results

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
    make_up = found[found["group"].eq("cin")][
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


@pytest.fixture
def asked(project):
    """Ask a run whose tables are given."""

    def ask(group="cin", **changes):
        run = project.run("tiny")
        for name, table in tables(**changes).items():
            run.save(name, table)
        cohort = run.settings.cohort.model_copy(update={"group": group})
        object.__setattr__(run, "settings", run.settings.model_copy(update={"cohort": cohort}))
        return run, pipeline.ask_impact(run)

    return ask


def test_an_effect_that_was_planted_comes_out_with_all_its_checks(asked):
    run, found = asked(effect=-3.0)
    assert found.reason == ""
    assert found.answer == ""
    primary = found.primary()
    simple = primary[primary["aggregation"].eq("simple")].iloc[0]
    assert simple["estimate"] == pytest.approx(-3.0, abs=1.0)
    judged = found.judged(primary, registered=None)
    assert judged.statement == "narrowed (fragile)"
    verdicts = dict(zip(judged.rules["rule"], judged.rules["verdict"], strict=True))
    assert verdicts["randomisation"] == "pass"
    assert verdicts["breakdown"] in {"pass", "fail"}
    levels = found.own_levels().set_index("group")["estimate"]
    gap = levels["cin"] - levels["peers"]
    assert gap == pytest.approx(simple["estimate"], abs=0.05), "the gap is the levels' difference"
    bounds = found.bounds(primary)
    assert set(bounds["variant"]) == {"first year", "all years"}
    assert found.two_way_parts(primary)["weight"].sum() == pytest.approx(1.0)
    for table in (bounds, found.two_way_parts(primary)):
        assert (run.protect(table, kind="estimates").frame["status"] == "").all()


def test_the_curve_has_the_smallest_effect_of_interest(asked):
    _, found = asked()
    curve = found.planted()
    assert found.protocol.sesoi in curve["effect"].tolist()
    shares = curve[["share_found_lower", "share_found", "share_found_upper"]]
    assert shares["share_found"].iloc[-1] > 80, "shares are per cent"
    assert (shares.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"adopted": {"00": 202122}}, "too few schools with data were trained"),
        ({"adopted": {f"{s:02d}": 202122 for s in range(36)}}, "no untrained school is left"),
        ({"schools": 9, "adopted": {f"{s:02d}": 202122 for s in range(4)}}, "too few schools"),
        ({"adopted": {f"{s:02d}": 201718 for s in range(16)}}, ""),
        ({"group": "cla"}, ""),
    ],
    ids=["one trained", "all in one year", "nine schools", "no year before", "no such children"],
)
def test_what_cannot_be_estimated_is_said_and_everything_else_goes_on(asked, changes, reason):
    run, found = asked(**changes)
    assert found.reason
    assert found.answer.startswith("The effect cannot be estimated: ")
    assert reason in found.answer
    with pytest.raises(DesignError):
        found.require()
    primary = found.primary()
    assert primary["status"].tolist() == ["x"]
    judged = found.judged(primary, registered=True)
    assert judged.statement == "not estimable"
    assert release.evidence_sentence(judged.statement).startswith("Not estimable: ")
    assert np.isnan(found.detectable().mde)
    checks = run.protect(found.checked(primary), kind="estimates")
    assert set(checks.where(role="robustness").frame["verdict"]) == {"not testable"}
    assert sorted(checks.where(role="robustness").frame["check"]) == list("abcdefghijk")
    first = checks.where(role="primary").frame[["check", "variant"]].to_numpy().tolist()
    assert first == [["primary", "primary estimate"]]
    assert len(found.secondary()) == len(found.protocol.secondary)
    safe_primary = run.protect(primary, kind="estimates")
    said = release.estimate_sentence(safe_primary, metric="overall_absence")
    assert "The reason: " in said
    for digit in "123456789":
        assert f"{digit} schools" not in said
        assert f"{digit} trained" not in said


def test_a_part_that_cannot_be_made_says_why_in_its_place(monkeypatch):
    shown = []
    monkeypatch.setattr(release, "show_text", shown.append)
    with pipeline.or_why("The cost"):
        raise DesignError("2 schools have a cost, must be at least 3.")
    with pipeline.or_why("The cost", known="it is so."):
        raise DesignError("it is so.")
    assert shown == [
        "The cost cannot be given: too few schools have a cost, must be at least 3.",
        "The cost cannot be given, for the reason at the head of this page.",
    ]
    with pytest.raises(ZeroDivisionError), pipeline.or_why("The cost"):
        _ = 1 / 0


def test_parts_have_names_that_readers_know(asked):
    _, found = asked(effect=-2.0)
    parts = found.parts()
    named = dict(zip(parts["value"], parts["part"], strict=True))
    assert named["primary"] == "Primary"
    assert named["ks4_progress8"] == "Progress 8"
    assert "ks4_progress8" not in " ".join(parts["reason"])


def test_results_say_that_the_effect_was_not_estimable(asked):
    run, found = asked(adopted={"00": 202122})
    primary = found.primary()
    run.publish("impact", run.protect(primary, kind="estimates"))
    run.save("evidence", pd.DataFrame({"statement": ["not estimable"]}))
    run.save("power", pd.DataFrame({"metric": ["overall_absence"], "mde": [np.nan]}))
    run.save("robustness", found.checked(primary))
    statement, sentences = results.of_training(run)
    assert statement == "not estimable"
    assert any("nothing that a check could change our mind about" in said for said in sentences)


def test_what_takes_from_an_estimates_weight_is_said_in_the_report_too(asked):
    run, found = asked()
    primary = found.primary()
    run.publish("impact", run.protect(primary, kind="estimates"))
    run.save("evidence", pd.DataFrame({"statement": ["inconclusive"]}))
    power = {"metric": ["overall_absence"], "mde": [2.0], "power": [0.8]}
    run.save("robustness", effects.nothing_to_check("overall_absence"))
    for caution in ("All years with data are covid years.", ""):
        run.save("power", pd.DataFrame(power).assign(caution=caution))
        _, sentences = results.of_training(run)
        assert ("All years with data are covid years." in sentences) == bool(caution)
        assert "" not in sentences


def test_published_tables_without_a_start_are_not_asked(project):
    run = project.run("public")
    run.save("evidence", pipeline.not_asked())
    statement, sentences = results.of_training(run)
    assert statement == "not asked"
    assert len(sentences) == 1
    rules = run.protect(pipeline.not_asked().drop(columns="statement"), kind="facts")
    assert rules.frame["verdict"].tolist() == ["not testable"]


def test_labels_of_estimates_are_the_contracts(asked):
    _, found = asked()
    table = found.bounds(found.primary())
    assert set(table["estimator"]) == {"honest"}
    assert table["role"].eq("robustness").all()
    assert set(effects.ESTIMATE_COLUMNS) - {"band_lower", "band_upper", "df"} <= {
        *table.columns,
        *("p_value", "p_adjusted"),
    }


def test_another_cohort_rule_and_who_is_newly_counted_are_asked_about(asked):
    _, found = asked(effect=-2.0)
    checks = found.checked(found.primary())
    rule = checks[checks["variant"].eq("cohort: had a social worker on 31 March")]
    assert rule["verdict"].tolist() == ["agrees"], "the same panel under another name"
    newly = checks[checks["metric"].isin(["entries", "prior_attendance"])]
    assert set(newly["check"]) == {"j"}
    assert newly["reason"].str.contains("does not hold").sum() == 0
