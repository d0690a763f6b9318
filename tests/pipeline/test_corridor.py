import pandas as pd
import pytest

from tests.pipeline.project import PUBLISHED, TWO_YEARS
from tests.returns import tiny
from vsh_eval import names, returns
from vsh_eval.contracts import DataError
from vsh_eval.pipeline import corridor, workspace


@pytest.mark.usefixtures("checked_little")
def test_returns_become_sums_without_a_pupil(project):
    tables = corridor.build_tables(project.run("tiny"))
    assert set(tables) == {
        "panel", "composition", "moments", "spread", "make_up", "schools", "exposure", "training",
        "flow", "areas", "published_panel", "published_areas", "other_rule_panel",
    }  # fmt: skip
    assert set(tables["other_rule_panel"]["cohort_rule"]) == {"at_31_march"}
    assert set(tables["other_rule_panel"]["metric"]) == {"overall_absence"}
    assert tables["published_panel"].empty
    panel = tables["panel"]
    assert tuple(panel.columns) == names.PANEL_COLUMNS
    assert set(panel["time_period"]) == {202122, 202223}
    absence = panel.query("metric == 'overall_absence'")
    assert int(absence["denominator"].sum()) == 9 * 370, "nine pupil-years of 370 sessions"
    for name, table in tables.items():
        text = table.to_csv()
        assert [pupil for pupil in tiny.PUPILS if pupil in text] == [], name
    assert tables["areas"].to_dict("records") == [
        {"unit_id": "E06000049", "name": "Cheshire East", "level": "la"}
    ]


@pytest.mark.usefixtures("checked_little")
def test_the_years_are_those_of_the_params(project):
    years = {"first": "2022/23", "last": "2022/23", "baseline": "2022/23"}
    project.write("tiny", {**TWO_YEARS, "years": years})
    assert set(corridor.build_tables(project.run("tiny"))["panel"]["time_period"]) == {202223}


@pytest.mark.usefixtures("checked_little")
def test_published_tables_stand_beside_the_returns_and_never_in_their_panel(project):
    beside = {"folder": PUBLISHED["source"]["folder"]}
    years = {"first": "2022/23", "last": "2023/24", "baseline": "2022/23"}
    project.write("tiny", {**TWO_YEARS, "years": years, "published": beside})
    tables = corridor.build_tables(project.run("tiny"))
    assert set(tables["panel"]["source"]) == {"returns"}
    assert set(tables["published_panel"]["cohort_rule"]) == {"at_31_march"}
    assert "england" in set(tables["published_areas"]["role"])


def test_broken_returns_build_nothing(project):
    tiny.write(project.folder / "returns", tiny.changed("training", "elsa", "yoga"))
    with pytest.raises(DataError, match="'yoga' is not among them"):
        corridor.build_tables(project.run("tiny"))


def test_what_notebook_01_has_found_is_not_looked_for_again(project):
    run = project.run("tiny")
    findings = returns.check(workspace.open_source(run))
    run.save("findings", findings.assign(result="fail", message="The sums must agree."))
    with pytest.raises(DataError, match="The sums must agree"):
        corridor.build_tables(run)


def test_published_tables_keep_the_years_asked_for(project):
    years = {"first": "2021/22", "last": "2023/24", "baseline": "2023/24"}
    project.write("public", {**PUBLISHED, "years": years})
    tables = corridor.build_tables(project.run("public"))
    assert set(tables) == {"panel", "areas", "neighbours"}
    assert set(tables["panel"]["time_period"]) == {202324}
    assert set(tables["panel"]["source"]) == {"published"}


def test_an_authority_is_read_beside_england_its_region_and_its_neighbours(project):
    found = workspace.open_published(project.run("public"))
    areas = corridor.context_areas(found, "E06000049")
    assert dict(zip(areas["unit_id"], areas["role"], strict=True)) == {"E92000001": "england",
        "E12000002": "region", "E06000050": "neighbour", "E06000049": "authority"}  # fmt: skip


def test_an_authority_without_neighbours_has_its_region(project):
    found = workspace.open_published(project.run("public"))
    areas = corridor.context_areas(found, "E09000007")
    assert set(areas["role"]) == {"england", "region", "authority"}
    region = areas.loc[areas["role"] == "region", "unit_id"]
    own = found.areas.loc[found.areas["unit_id"] == "E09000007", "region_id"]
    pd.testing.assert_series_equal(region, own, check_names=False, check_index=False)


@pytest.mark.usefixtures("checked_little")
def test_schools_that_write_another_code_for_the_authority_are_joined(project):
    one, other = "E06000049", "895"
    project.write("tiny", TWO_YEARS)
    before = corridor.build_tables(project.run("tiny"))
    tiny.write(project.folder / "returns", tiny.changed("schools", one, other))
    after = corridor.build_tables(project.run("tiny"))
    for name, sums in (
        ("composition", (*names.PANEL_SUMS, *names.RECORD_KEYS)),
        ("moments", names.MOMENT_PRODUCTS),
    ):
        assert set(after[name]["unit_id"]) == {one}
        for column in sums:
            assert after[name][column].sum() == before[name][column].sum(), column
        assert dict(after[name].dtypes) == dict(before[name].dtypes)
    keys = list(names.SPREAD_KEYS)
    spread = [tables["spread"].astype(dict.fromkeys(keys, "str")) for tables in (before, after)]
    spread = [table.sort_values(keys, ignore_index=True) for table in spread]
    pd.testing.assert_frame_equal(*spread)
