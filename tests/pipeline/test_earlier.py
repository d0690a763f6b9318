"""What a run says of last year's release."""

import json
import shutil

import pandas as pd
import pytest

from tests.pipeline.project import INVENTED, Project
from tests.release.made import gap_rows
from vsh_eval.contracts import ContractError, SettingsError, produces
from vsh_eval.pipeline.records import earlier, manifest
from vsh_eval.release.disclosure import release_table, rule_named
from vsh_eval.release.files.open_data import read_table
from vsh_eval.release.text.findings.earlier import changes_sentence, protocol_sentence

AUTHORITY = {"code": "E06000049", "name": "Cheshire East"}
YEARS = {"first": "2018/19", "last": "2023/24", "baseline": "2018/19"}
KEYS = {"authority": AUTHORITY, "source": {"kind": "returns", "folder": "../returns"}}


def gaps(*, last=202324, unit=AUTHORITY["code"], **changes):
    """The gaps of a release, as its notebook publishes them."""
    rows = gap_rows().query(f"time_period <= {last}").copy()
    rows = rows.assign(unit_id=unit, geographic_level="la")
    for year, value in changes.items():
        rows.loc[rows["time_period"].eq(int(year.removeprefix("y"))), "gap"] = value

    @produces("gaps", tuple(rows), gate="published")
    def table():
        return rows

    return release_table(table, rule=rule_named("cellkey"))


@pytest.fixture
def project(tmp_path):
    project = Project.start(tmp_path / "project")
    project.write("tiny", {**KEYS, "years": YEARS})
    return project


def released(project, name="tiny", *, last="2022/23", table=None, **keys):
    """Leave a finished release of fewer years behind."""
    project.write(name, {**KEYS, "years": YEARS | {"last": last}, **keys})
    run = project.run(name)
    run.publish("gaps", table or gaps(last=202223))
    manifest.write(run, started=pd.Timestamp("2026-01-01", tz="UTC").to_pydatetime())
    return run


def this_year(project, name="tiny", **keys):
    project.write(name, {**KEYS, "years": YEARS, **keys})
    run = project.run(name)
    building = project.outputs / f".{name}.building"
    return type(run)(run.settings, run.params, building, interactive=False)


def found(project, table=None, **keys):
    run = this_year(project, **keys)
    before = earlier.earlier_of(run)
    run.publish("gaps", table or gaps())
    path = run.released / "tables" / "gaps.csv"
    return before, read_table(path, gate="cells")


def test_without_an_earlier_release_there_is_nothing_to_say(project):
    assert earlier.earlier_of(this_year(project)) is None
    released(project, last="2023/24")  # a run of the same year is none
    assert earlier.earlier_of(this_year(project)) is None


def test_a_year_more_of_the_same_data_is_new_and_nothing_else(project):
    released(project)
    before, now = found(project)
    assert before.last_year == 202223
    assert set(before.counts(now)["result"]) == {"same", "added"}
    assert len(before.changes(now)) == 0
    # The one setting that differs is the year more.
    assert before.settings()["key"].tolist() == ["years.last"]


def test_a_figure_that_differs_is_told_with_both_values_and_why(project):
    released(project)
    before, now = found(project, gaps(y202122=99.0))
    changed = before.changes(now)
    assert changed[["time_period", "gap", "result"]].to_numpy().tolist() == [
        [202122, 99.0, "restated"]
    ]
    assert changed["earlier_gap"].iloc[0] != 99.0
    counted = release_table(before.counts, now, rule=rule_named("cellkey"))
    said = changes_sentence(counted, last_year=before.last_year)
    assert "Last year's release ended with 2022/23" in said
    assert "1 differ because the data of these years were corrected" in said


def test_another_definition_is_the_reason_where_the_figures_hang_on_it(project):
    released(project)
    before, now = found(project, gaps(y202122=99.0), cohort={"rule": "ever_6"})
    assert before.changes(now)["result"].tolist() == ["counted_otherwise"]
    settings = before.settings().set_index("key")
    assert settings.loc["cohort.rule"].tolist() == ["any_time_in_year", "ever_6"]


def test_another_protocol_is_no_reason_for_another_gap(project):
    released(project)
    before, now = found(project, gaps(y202122=99.0), protocol={"sesoi": 1.0})
    assert before.changes(now)["result"].tolist() == ["restated"]


def test_a_closed_year_changes_only_where_schools_have_joined(project, monkeypatch):
    released(project)
    before, now = found(project, gaps(y202122=99.0))
    monkeypatch.setattr(earlier.closed, "kept_years", lambda _: frozenset({202122}))
    assert before.changes(now)["result"].tolist() == ["schools_joined"]
    counted = release_table(before.counts, now, rule=rule_named("cellkey"))
    said = changes_sentence(counted, last_year=before.last_year, kept_years=before.kept_years)
    assert "Published years stay as they were published: 2021/22." in said


def test_last_years_release_outlives_a_second_run_of_this_year(project):
    released(project)
    run = this_year(project)
    run.publish("gaps", gaps())
    manifest.write(run, started=pd.Timestamp("2026-01-01", tz="UTC").to_pydatetime())
    mark = earlier.fingerprint(run)
    earlier.keep(run)
    assert earlier.fingerprint(run) == mark != ""
    shutil.rmtree(project.outputs / "tiny")
    run.folder.rename(project.outputs / "tiny")
    again = this_year(project, seed=7)
    assert earlier.earlier_of(again).last_year == 202223
    assert earlier.fingerprint(again) == mark


def test_another_release_can_be_named_and_must_be_whole_and_of_the_authority(project):
    named = released(project, "old", last="2021/22", table=gaps(last=202122))
    run = this_year(project)
    earlier.name_earlier(run, earlier.require_release(run, named.folder))
    assert earlier.earlier_of(run).last_year == 202122
    other = {"authority": {"code": "E06000999", "name": "Invented Borough"}}
    of_another = released(project, "another", table=gaps(unit="E06000999"), **other)
    with pytest.raises(ContractError, match="another is a release of E06000999, must be one of"):
        earlier.require_release(run, of_another.folder)
    (named.released / "tables" / "gaps.csv").write_text("changed", encoding="utf-8")
    with pytest.raises(ContractError, match=r"tables/gaps\.csv of old is changed"):
        earlier.require_release(run, named.folder)
    with pytest.raises(SettingsError, match=r"nowhere holds no manifest\.json"):
        earlier.require_release(run, project.folder / "nowhere")


def test_a_release_that_cannot_be_last_years_is_refused_before_anything_is_written(project):
    project.write("tiny", INVENTED | {"name": "tiny"})
    said = project.say("run", "params/tiny.yaml", "--previous", "params")
    assert (said.code, said.err.count("holds no manifest.json")) == (2, 1)
    assert not [*project.outputs.glob("*tiny*")]


@pytest.mark.parametrize(
    ("registered", "then", "code"),
    [
        ("no", "no", "none"),
        ("no", "yes", "new"),
        ("yes", "yes", "kept"),
        ("yes", "more", "amended"),
    ],
)
def test_how_the_protocol_goes_on(project, registered, then, code):
    if registered == "yes":
        project.write("tiny", {**KEYS, "years": YEARS | {"last": "2022/23"}})
        assert project.say("register", "params/tiny.yaml").code == 0
    released(project)
    if then == "yes" and registered == "no":
        project.write("tiny", {**KEYS, "years": YEARS})
        assert project.say("register", "params/tiny.yaml").code == 0
    if then == "more":
        project.write("tiny", {**KEYS, "years": YEARS})
        said = project.say("register", "params/tiny.yaml", "--amend", "a year more of data")
        assert said.code == 0, said.err
    before = earlier.earlier_of(this_year(project))
    assert before.protocol == code
    assert protocol_sentence(code).endswith(".")


def test_a_register_that_is_gone_is_said(project):
    run = released(project)
    said = json.loads((run.released / manifest.NAME).read_text(encoding="utf-8"))
    said["protocol"]["sha256"] = "a" * 64
    (run.released / manifest.NAME).write_text(json.dumps(said), encoding="utf-8")
    assert earlier.earlier_of(this_year(project)).protocol == "dropped"
