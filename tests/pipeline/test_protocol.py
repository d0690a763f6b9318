import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from tests.pipeline.project import TWO_YEARS
from tests.pipeline.test_impact import tables
from tests.pipeline.test_results import published, written
from vsh_eval.contracts import ContractError, SettingsError
from vsh_eval.pipeline import ask_impact, open_run
from vsh_eval.pipeline.records import protocol
from vsh_eval.settings import load

DAY = date(2026, 11, 22)
LATER = date(2027, 1, 5)
PARAMS = Path(__file__).resolve().parents[2] / "params"


def params_of(project):
    return project.folder / "params" / "tiny.yaml"


def registered(project, **options):
    options = {"outputs": project.outputs, "today": DAY} | options
    return protocol.register(params_of(project), **options)


def finished(project, *, last=202223):
    """Leave what a finished run leaves."""
    folder = project.outputs / "tiny" / "release"
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"settings": {"years": {"last": last}}}
    (folder / "manifest.json").write_text(json.dumps(settings), encoding="utf-8")


def changed(project, **sections):
    project.write("tiny", TWO_YEARS | sections)
    return protocol.standing(params_of(project))


def test_what_is_not_registered_is_exploratory(project):
    found = protocol.standing(params_of(project))
    assert (found.status, found.registered, found.mark) == ("not registered", None, "exploratory")
    assert found.sentences == ("Protocol: not registered, so every result is exploratory.",)
    assert (found.date, found.sha256) == ("", "")


def test_what_is_registered_and_kept_says_so_with_day_hash_and_last_year(project):
    entry = registered(project)
    found = protocol.standing(params_of(project))
    assert (found.status, found.registered, found.mark) == ("registered", True, "registered")
    assert found.sentences == (
        f"Protocol: registered on 22 November 2026 and followed; hash {entry.sha256[:12]}.",
        "The last year of data, 2022/23, ended before that day.",
    )
    assert not found.exploratory


def test_a_protocol_registered_before_its_data_says_so(project):
    registered(project, today=date(2023, 8, 31))
    assert protocol.standing(params_of(project)).sentences[1] == (
        "The last year of data, 2022/23, had not ended by that day."
    )


def test_the_file_is_the_same_for_the_same_day_and_names_the_version(project, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795305600")
    first = registered(project, today=None)
    path = protocol.path_of(params_of(project))
    text = path.read_bytes()
    path.unlink()
    assert registered(project, today=None) == first
    assert path.read_bytes() == text
    assert first.date == "2026-11-22"
    kept = json.loads(text)
    assert kept["format"] == 1
    assert kept["entries"][0]["sha256"] == first.sha256
    assert kept["entries"][0]["software"].startswith("vsh_eval ")
    assert list(path.parent.glob("*.part")) == []


def test_without_a_day_it_is_today(project, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert abs((date.fromisoformat(registered(project, today=None).date) - date.today()).days) <= 1


@pytest.mark.parametrize(
    ("sections", "key", "before", "now"),
    [
        ({"protocol": {"sesoi": 1.0}}, "protocol.sesoi", "0.5", "1.0"),
        ({"protocol": {"exclusions": ["2021/22"]}}, "protocol.exclusions", "none", "2021/22"),
        ({"exposure": {"programmes": ["elsa"]}}, "exposure.programmes", "all", "elsa"),
        ({"years": TWO_YEARS["years"] | {"baseline": "2022/23"}}, "years.baseline", "2021/22",
         "2022/23"),
        ({"published": {"offer_start": "2022/23"}}, "published.offer_start", "not set", "2022/23"),
        ({"seed": 7}, "seed", "20260901", "7"),
    ],
)  # fmt: skip
def test_each_deviation_is_named_with_both_values(sections, key, before, now, project):
    registered(project)
    found = changed(project, **sections)
    assert found.deviations.to_numpy().tolist() == [[key, before, now]]
    assert (found.status, found.registered) == ("registered, deviates", False)
    assert found.sentences[-1] == f"Deviation: {key} is {now}, registered as {before}."
    assert "deviated from, so every result is exploratory" in found.sentences[0]


@pytest.mark.parametrize(
    "sections",
    [
        {"engine": "spark"},
        {"disclosure": {"preset": "none"}},
        {"source": {"kind": "returns", "folder": "../elsewhere"}},
        {"authority": {"code": "E06000049", "name": "CHESHIRE EAST"}},
        {"protocol": {"secondary": ["severe_absence", "persistent_absence"]}},
    ],
)
def test_what_does_not_define_the_analysis_is_no_deviation(sections, project):
    registered(project)
    assert changed(project, **sections).status == "registered"


def test_a_registration_is_not_overwritten(project):
    first = registered(project)
    text = protocol.path_of(params_of(project)).read_bytes()
    with pytest.raises(ContractError, match="nothing in it has changed") as refused:
        registered(project)
    assert f"since 2026-11-22 ({first.sha256[:12]})" in str(refused.value)
    changed(project, protocol={"sesoi": 1.0})
    with pytest.raises(ContractError, match="add --amend with the reason"):
        registered(project)
    assert protocol.path_of(params_of(project)).read_bytes() == text


def test_an_amendment_keeps_what_was_before(project):
    first = registered(project)
    changed(project, protocol={"sesoi": 1.0})
    second = registered(project, amend="half a point\n  is too little.", today=LATER)
    entries = protocol.read(params_of(project))
    assert entries == (first, second)
    assert second.previous == first.sha256
    assert [entry.frozen["protocol.sesoi"] for entry in entries] == [0.5, 1.0]
    found = protocol.standing(params_of(project))
    assert found.registered is True
    assert found.date == "2026-11-22"
    assert found.sha256 == second.sha256
    assert "followed as amended" in found.sentences[0]
    assert found.sentences[-1] == "Amended on 5 January 2027: half a point is too little."


def test_there_must_be_something_to_amend(project):
    with pytest.raises(ContractError, match="is not registered, so there is nothing to amend"):
        registered(project, amend="why not")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"protocol.sesoi": 0.5', '"protocol.sesoi": 0.1'),
        ('"date": "2026-11-22"', '"date": "2020-01-01"'),
        ('"previous": ""', '"previous": "abc"'),
    ],
)
def test_a_registration_changed_by_hand_is_refused_everywhere(old, new, project):
    registered(project)
    path = protocol.path_of(params_of(project))
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    for command in (("register", "params/tiny.yaml"), ("run", "params/tiny.yaml")):
        said = project.say(*command)
        assert said.code == 1
        assert "tiny.protocol.json: entry 1 of" in said.err
        assert "it was changed by hand; restore it" in said.err
    assert list(project.outputs.iterdir()) == []


def test_an_entry_cannot_be_taken_out(project):
    registered(project)
    changed(project, seed=1)
    registered(project, amend="one")
    path = protocol.path_of(params_of(project))
    kept = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(kept | {"entries": kept["entries"][1:]}), encoding="utf-8")
    with pytest.raises(ContractError, match="changed by hand"):
        protocol.read(params_of(project))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not a registration; restore it"),
        ("[]", "is not a registration; restore it"),
        ('{"format": 1, "entries": [{"date": "2026"}]}', "is not a registration; restore it"),
        ('{"format": 2, "entries": []}', "has format 2, must be 1"),
    ],
)
def test_a_file_that_is_no_registration_is_refused(text, said, project):
    protocol.path_of(params_of(project)).write_text(text, encoding="utf-8")
    with pytest.raises(ContractError, match=said):
        protocol.standing(params_of(project))


def test_params_against_their_rules_are_not_registered(project):
    project.write("tiny", TWO_YEARS | {"engine": "oracle"})
    with pytest.raises(SettingsError, match="engine is 'oracle'"):
        registered(project)
    assert not protocol.path_of(params_of(project)).exists()


# --- Results in hand


def test_a_registration_with_results_in_hand_is_said_to_be_one(project):
    finished(project)
    registered(project)
    found = protocol.standing(params_of(project))
    assert (found.status, found.registered) == ("registered after results", False)
    assert "with results already in hand" in found.sentences[0]
    assert found.sentences[-1] == (
        "Warning: a run up to 2022/23 was there at the registration of 22 November 2026."
    )


def test_an_estimate_in_the_draft_is_a_result_too(project):
    tables = project.outputs / "tiny-draft" / "release" / "tables"
    tables.mkdir(parents=True)
    (tables / "impact.csv").touch()
    assert registered(project).results_seen == "2022/23"


def test_a_year_more_of_data_is_amended_without_loss(project):
    registered(project)
    finished(project)
    changed(project, years=TWO_YEARS["years"] | {"last": "2023/24"})
    registered(project, amend="a year more of data")
    found = protocol.standing(params_of(project))
    assert found.registered is True
    assert "Warning: a run up to 2022/23" in found.sentences[-1]


def test_another_outcome_after_results_is_exploratory_for_good(project):
    registered(project)
    finished(project)
    another = {"protocol": {"primary": "ks4_attainment8"}}
    changed(project, **another)
    registered(project, amend="it looked better")
    years = TWO_YEARS["years"] | {"last": "2023/24"}
    changed(project, years=years, **another)
    registered(project, amend="a year more of data")
    assert protocol.standing(params_of(project)).status == "registered after results"


def test_a_setting_that_the_registering_version_did_not_know_deviates_only_off_its_default(project):
    registered(project)
    path = protocol.path_of(params_of(project))
    (entry,) = protocol.read(params_of(project))
    older = {key: value for key, value in entry.frozen.items() if key != "protocol.exclusions"}
    frozen = older | {"protocol.forgotten": 3, "section.gone": 1, "seed.deeper.gone": None}
    known = protocol.Entry(**(entry.written() | {"frozen": frozen}))
    text = {"format": 1, "entries": [{**known.written(), "sha256": known.sha256}]}
    path.write_text(json.dumps(text), encoding="utf-8")
    keys = protocol.standing(params_of(project)).deviations["key"].tolist()
    assert keys == ["protocol.forgotten", "section.gone"]
    found = changed(project, protocol={"exclusions": ["2021/22"]})
    assert "protocol.exclusions" in found.deviations["key"].tolist()


# --- Where it shows


def test_the_command_says_what_it_did_and_where(project, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795305600")
    said = project.say("register", "params/tiny.yaml")
    assert said.code == 0, said.err
    assert said.out.splitlines()[-1] == "Commit params/tiny.protocol.json beside tiny.yaml."
    again = project.say("register", "params/tiny.yaml")
    assert (again.code, again.out) == (2, "")
    assert "registered since 2026-11-22" in again.err
    changed(project, seed=3)
    assert project.say("register", "params/tiny.yaml", "--amend", "another seed").code == 0


def test_a_run_prints_how_it_stands(project, executed):
    said = project.say("run", "params/tiny.yaml")
    assert said.out.splitlines()[1:] == [
        "Protocol: not registered, so every result is exploratory."
    ]
    registered(project)
    said = project.say("run", "params/tiny.yaml")
    assert "Warning: a run up to 2022/23 was there" in said.out
    assert len(executed) == 16, "a registration is news to every page"


def test_the_card_and_the_record_say_how_the_run_stands(project):
    registered(project)
    project.write("tiny", TWO_YEARS | {"protocol": {"sesoi": 1.0, "chosen_by": "lot"}})
    run = project.run("tiny")
    card = run.card().frame.set_index("item")["value"]["Protocol"]
    assert card.startswith("registered on 22 November 2026 and deviated from")
    assert "Deviation: protocol.sesoi is 1.0, registered as 0.5." in card
    published(run)
    said = written(run)["protocol"]
    assert said["status"] == "registered, deviates"
    assert (said["registered"], said["exploratory"]) == (False, True)
    assert (said["date"], said["sha256"]) == ("2026-11-22", run.standing.sha256)
    assert said["deviations"] == "protocol.sesoi, protocol.chosen_by"


def test_every_estimate_carries_how_it_stands(project):
    run = project.run("tiny")
    for name, table in tables(adopted={}).items():
        run.save(name, table)
    assert set(ask_impact(run).outcomes()["protocol"]) == {"exploratory"}
    registered(project)
    assert set(ask_impact(run).outcomes()["protocol"]) == {"registered"}


def test_a_draft_starts_anew_when_its_protocol_is_registered(project):
    params = params_of(project)
    mark = open_run(params).internal / "panel.parquet"
    mark.touch()
    assert open_run(params).internal.joinpath("panel.parquet").exists()
    registered(project)
    assert not open_run(params).internal.joinpath("panel.parquet").exists()


def test_population_and_exclusions_leave_out_school_years(project):
    gaps = pd.DataFrame(
        {"phase": ["primary", "primary", "special"], "time_period": [202122, 202223, 202223]}
    )
    project.write("tiny", TWO_YEARS | {"protocol": {"population": ["primary"]}})
    only = load(params_of(project)).protocol
    assert protocol.studied(gaps, only)["time_period"].tolist() == [202122, 202223]
    project.write("tiny", TWO_YEARS | {"protocol": {"exclusions": ["2021/22"]}})
    without = load(params_of(project)).protocol
    assert protocol.studied(gaps, without)["phase"].tolist() == ["primary", "special"]


def test_the_demo_is_registered_and_kept():
    """After a change of demo.yaml, take its registration away and register it again."""
    assert protocol.standing(PARAMS / "demo.yaml").status == "registered"
