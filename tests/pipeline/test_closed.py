"""A closed year: the returns change, its tables do not."""

import json
import shutil

import pandas as pd
import pytest

from tests import frames
from tests.frames import in_words
from tests.pipeline.project import INVENTED, TWO_YEARS, Project
from tests.returns import tiny
from vsh_eval.contracts import ContractError
from vsh_eval.pipeline import corridor
from vsh_eval.pipeline.records import closed

pytestmark = pytest.mark.usefixtures("checked_little")

FIRST = {"first": "2021/22", "last": "2021/22", "baseline": "2021/22"}
LATE = tiny.changed("attendance", "autumn,000102,140,20,50", "autumn,000102,140,0,0")
"""A correction of 2021/22 that comes after its release."""
COUNTED_LATER = 202223


def release(project, *, returns=tiny.TINY, links="", name="tiny", **keys):
    """Build the tables, keep them as a release does, and return them."""
    tiny.write(
        project.folder / "returns", dict(returns) | ({"school_links": links} if links else {})
    )
    project.write(name, {**TWO_YEARS, **keys})
    run = project.run(name)
    tables = corridor.build_tables(run)
    for table in closed.TABLES:
        run.save(table, tables[table])
    closed.keep(run)
    return {table: tables[table] for table in closed.TABLES}


@pytest.fixture(scope="module")
def first_release(tmp_path_factory):
    """A project in which 2021/22 is published, and that release's tables."""
    project = Project.start(tmp_path_factory.mktemp("first"))
    return project, release(project, years=FIRST)


@pytest.fixture
def published(project, first_release):
    """The tables of the release of 2021/22, which the project has made."""
    before, tables = first_release
    shutil.copytree(before.outputs / "tiny", project.outputs / "tiny")
    return tables


def of_first(tables):
    return {
        name: table[table["time_period"] != COUNTED_LATER].reset_index(drop=True)
        for name, table in tables.items()
    }


def assert_same(left, right):
    for name in closed.TABLES:
        frames.assert_the_same(in_words(left[name]), in_words(right[name]), name)


def test_changed_returns_leave_a_published_year_as_it_was(project, published):
    later = release(project, returns=LATE)
    assert_same(of_first(later), published)
    assert all((table["time_period"] == COUNTED_LATER).any() for table in later.values())
    again = release(
        project, returns=tiny.changed("attendance", "spring,000101,120,60", "spring,000101,120,0")
    )
    assert_same(again, later)


def test_the_new_year_is_counted_as_if_no_year_were_closed(project, published):
    later, whole = release(project), release(project, name="other")
    assert_same(later, whole)


def test_restating_counts_again_twice_at_most_and_the_manifest_counts(project, published, executed):
    restated = release(project, returns=LATE, years=FIRST, disclosure={"closed": "restate"})
    assert not restated["panel"]["numerator"].equals(published["panel"]["numerator"])
    assert closed.restated_by(project.run("tiny")) == {202122: 2}, (
        "and this run would be the second"
    )
    assert project.say("run", "params/tiny.yaml").code == 0
    manifest = json.loads((project.outputs / "tiny/release/manifest.json").read_text("utf-8"))
    assert manifest["restated"] == {"202122": 2}
    for command in ("run", "check"):
        said = project.say(command, "params/tiny.yaml")
        assert (said.code, len(said.lines)) == (1, 1)
        assert "2021/22 was restated 2 times, must be no more" in said.err


def test_years_outside_the_run_stay_closed(project, published):
    release(project, years={"first": "2022/23", "last": "2022/23", "baseline": "2022/23"})
    assert_same(of_first(release(project, returns=LATE)), published)


def test_a_school_that_has_a_successor_since_is_its_successor(project, published):
    merged = "urn,successor_urn,date\n000099,000101,2019-09-01\n000102,000101,2022-09-01\n"
    later = of_first(release(project, returns=LATE, links=merged))
    assert set(later["panel"]["unit_id"]) == {"000101"}
    sums = ["pupils", "numerator", "key_n", "key_y"]
    for name in ("panel", "make_up"):
        had = [column for column in sums if column in published[name]]
        assert later[name][had].sum().tolist() == published[name][had].sum().tolist()
    for name in ("composition", "moments", "spread"):
        frames.assert_the_same(in_words(later[name]), in_words(published[name]), name)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"cohort": {"rule": "ever_6"}}, r"cohort\.rule is 'ever_6', must be 'any_time_in_year'"),
        ({"cohort": {"look_back": 3}}, r"cohort\.look_back is 3, must be 6"),
        ({"cohort": {"schools": "all"}}, r"cohort\.schools is 'all', must be 'own'"),
    ],
)
def test_closed_years_are_never_joined_to_years_counted_otherwise(keys, words, project, published):
    with pytest.raises(ContractError, match=words):
        release(project, **keys)


def test_another_secret_is_refused_unless_the_years_are_restated(project, published, monkeypatch):
    monkeypatch.setenv("VSH_EVAL_SECRET", "another secret than the first")
    with pytest.raises(ContractError, match="the secret has the fingerprint"):
        release(project)
    release(project, years=FIRST, disclosure={"closed": "restate"})
    release(project, years=FIRST)


def test_another_primary_outcome_counts_the_other_rule_anew(project, published):
    chosen = {"primary": "severe_absence", "secondary": ["overall_absence"]}
    other = release(project, protocol=chosen)["other_rule_panel"]
    assert set(other["metric"]) == {"severe_absence"}
    assert set(other["time_period"]) == {202122, 202223}


def test_inside_use_and_invented_children_close_nothing(project):
    release(project, years=FIRST, disclosure={"preset": "none"})
    assert closed.closed_tables(project.run("tiny")) == {}
    project.write("invented", INVENTED)
    closed.keep(project.run("invented"))
    assert not (project.outputs / "invented").exists()


def test_no_run_of_other_data_takes_the_place_of_published_years(project, published):
    project.write("tiny", INVENTED | {"name": "tiny"})
    said = project.say("run", "params/tiny.yaml")
    assert said.code == 2
    assert "give it another name" in said.err
    assert (project.outputs / "tiny" / "internal" / "closed" / "panel.parquet").is_file()


def test_inside_use_keeps_what_is_closed(project, published, executed):
    project.write("tiny", {**TWO_YEARS, "years": FIRST, "disclosure": {"preset": "none"}})
    assert project.say("run", "params/tiny.yaml").code == 0
    found = closed.closed_tables(project.run("tiny"))
    pd.testing.assert_frame_equal(found["panel"], published["panel"])
