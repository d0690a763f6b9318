import os

import pandas as pd
import pytest

from tests.pipeline.project import TWO_YEARS
from tests.release.made import gap_rows, safe
from vsh_eval import metrics, returns
from vsh_eval.contracts import ContractError, SettingsError
from vsh_eval.pipeline import corridor, open_run, workspace
from vsh_eval.release.disclosure import INTERNAL_STAMP
from vsh_eval.release.text.pages.page import provenance
from vsh_eval.release.text.phrases.protection import notes_of
from vsh_eval.settings import load
from vsh_eval.synthetic import MARKER

TABLE = pd.DataFrame({"unit_id": ["1"], "pupils": [12]})

pytestmark = pytest.mark.usefixtures("checked_little")


def test_a_saved_table_comes_back_and_leaves_no_part(project):
    run = project.run("tiny")
    run.save("panel", TABLE)
    pd.testing.assert_frame_equal(run.load("panel"), TABLE)
    assert [path.name for path in run.internal.iterdir()] == ["panel.parquet"]


def test_a_table_that_no_notebook_makes_is_not_saved(project):
    with pytest.raises(ContractError, match="table is 'pupils', and no notebook of a returns run"):
        project.run("tiny").save("pupils", TABLE)
    assert not project.run("tiny").internal.exists()


def test_a_missing_table_of_an_unattended_run_names_its_notebook(project):
    with pytest.raises(ContractError, match="table evidence is missing; run notebook 06_impact"):
        project.run("tiny").load("evidence")
    with pytest.raises(ContractError, match="table reach is missing; run notebook 03_training"):
        project.run("tiny").published_table("reach")
    with pytest.raises(ContractError, match="table is 'pupils', and no notebook of a returns run"):
        project.run("tiny").published_table("pupils")


def test_a_missing_table_is_made_where_a_person_is_at_work(project, executed):
    run = project.run("tiny", interactive=True)
    assert len(run.load("evidence")) == 1
    assert executed == ["01_returns", "02_cohort", "06_impact"]
    assert len(run.load("evidence")) == 1
    assert len(executed) == 3, "what is there is not made again"


def test_a_run_has_what_its_kind_of_source_can_give(project):
    assert project.run("tiny").has("evidence")
    assert not project.run("public").has("findings")
    assert project.run("public").has("panel")


def test_the_stamp_says_what_the_data_and_the_rule_are(project):
    assert project.run("tiny").stamp == ""
    assert project.run("invented").stamp == "SYNTHETIC"
    project.write("open", {**TWO_YEARS, "disclosure": {"preset": "none"}})
    assert project.run("open").stamp == INTERNAL_STAMP
    (project.folder / "returns" / MARKER).write_text("SYNTHETIC", encoding="utf-8")
    assert project.run("open").stamp == f"SYNTHETIC | {INTERNAL_STAMP}"


def test_the_card_says_what_is_asked_of_which_data(project):
    card = project.run("tiny").card().frame.set_index("item")["value"]
    assert card["Authority"] == "Cheshire East (E06000049)"
    assert card["Years"] == "2021/22 to 2022/23, changes counted from 2021/22"
    assert card["Primary outcome"] == "Overall absence"
    assert card["Protocol"] == "not registered, so every result is exploratory."
    assert card["Seed"] == "20260901"
    assert "Python" in card["Software"]
    assert card["Made again by"] == "vsh-eval run params/tiny.yaml"
    assert not {"Author", "Contact"} & set(card.index)
    project.write("named", {**TWO_YEARS, "author": "Virtual School", "contact": "vs@council.test"})
    named = project.run("named").card().frame.set_index("item")["value"]
    assert (named["Author"], named["Contact"]) == ("Virtual School", "vs@council.test")
    assert str(project.folder) not in card.to_string()
    assert "an invented authority" in project.run("invented").card().frame.to_string()
    public = project.run("public").card().frame.set_index("item")["value"]
    assert "DfE" in public["Data"]


def test_the_licence_is_that_of_the_params_and_of_dfe_for_its_figures(project):
    def licence(name, **changes):
        source = {"kind": "returns", "folder": "../returns", **changes.pop("source", {})}
        project.write(name, {**TWO_YEARS, "source": source, **changes})
        run = project.run(name)
        written = provenance(run.settings, invented=run.invented, date="2026-11-29")[-1]
        card = run.card().frame.set_index("item")["value"]
        assert written == f"Licence: {card['Licence']}"
        return str(card["Licence"])

    beside = {"published": {"folder": "../dfe"}}
    assert (
        licence("plain") == "set by the authority that releases these tables; ask it before reuse"
    )
    assert licence("own", source={"licence": "Licence of the council"}) == "Licence of the council"
    both = licence("both", source={"licence": "Licence of the council"}, **beside)
    assert both.startswith("Licence of the council; DfE's figures: Open Government Licence v3.0")
    public = project.run("public").card().frame.set_index("item")["value"]
    assert public["Licence"].startswith("Open Government Licence v3.0")


# --- Opening a run


def test_a_person_who_opens_a_notebook_works_in_the_draft(project):
    run = open_run(project.folder / "params" / "tiny.yaml")
    assert run.interactive
    assert run.folder == project.outputs / "tiny-draft"
    assert run.internal.is_dir()


def test_a_draft_is_kept_until_settings_or_files_change(project):
    params = project.folder / "params" / "tiny.yaml"
    open_run(params).save("panel", TABLE)
    assert (open_run(params).internal / "panel.parquet").is_file()
    path = project.folder / "returns" / "training.csv"
    os.utime(path, ns=(1, 1))
    assert not (open_run(params).internal / "panel.parquet").exists()
    open_run(params).save("panel", TABLE)
    project.write("tiny", {**TWO_YEARS, "seed": 7})
    assert not (open_run(params).internal / "panel.parquet").exists()


def test_an_unattended_notebook_works_where_it_is_told(project):
    run = open_run(project.folder / "params" / "tiny.yaml", project.folder / "building")
    assert not run.interactive
    assert run.folder == project.folder / "building"
    assert not run.folder.exists()


def test_params_that_are_not_there_are_refused(project):
    with pytest.raises(SettingsError, match=r"params file none\.yaml does not exist"):
        open_run(project.folder / "params" / "none.yaml")


@pytest.mark.parametrize("sign", ["outputs", "pyproject.toml"])
def test_outputs_belong_to_the_project_of_the_params(sign, tmp_path):
    deep = tmp_path / "project" / "params" / "2026" / "mine.yaml"
    deep.parent.mkdir(parents=True)
    place = tmp_path / "project" / sign
    place.touch() if "." in sign else place.mkdir()
    assert workspace.outputs_folder(deep) == tmp_path / "project" / "outputs"


def test_outputs_are_in_the_working_folder_where_there_is_no_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert workspace.outputs_folder(tmp_path / "mine.yaml") == tmp_path / "outputs"


def test_the_fingerprint_follows_what_is_in_the_folder_and_not_where_it_is(project):
    params = project.folder / "params" / "tiny.yaml"
    first = workspace.fingerprint(load(params))
    moved = project.folder / "moved"
    (project.folder / "returns").rename(moved)
    project.write("tiny", {**TWO_YEARS, "source": {"kind": "returns", "folder": "../moved"}})
    assert workspace.fingerprint(load(params)) == first
    (moved / "more.csv").write_text("", encoding="utf-8")
    assert workspace.fingerprint(load(params)) != first


# --- The source


def test_the_source_of_returns_is_their_folder_and_of_an_invented_authority_invented(project):
    assert workspace.source_folder(project.run("tiny")) == project.folder / "returns"
    run = project.run("invented")
    folder = workspace.source_folder(run)
    made = (folder / MARKER).stat().st_mtime_ns
    assert workspace.source_folder(run) == folder
    assert (folder / MARKER).stat().st_mtime_ns == made, "it is invented once a run"
    assert workspace.plan(run.settings).effect == -1.0
    assert workspace.open_source(run).folder == folder


def test_published_tables_are_no_returns(project):
    with pytest.raises(ContractError, match="published tables are no returns; ask this question"):
        workspace.source_folder(project.run("public"))


def test_published_tables_need_a_folder(project):
    with pytest.raises(ContractError, match=r"source\.folder is missing; name the folder"):
        workspace.open_published(project.run("invented"))


def test_what_the_returns_are_expected_to_hold_is_what_the_params_say(project):
    expected = workspace.expected(project.run("tiny").settings)
    assert expected == returns.Expected("E06000049", "episode", (), (), 202122)
    changed = {"exposure": {"programmes": ["elsa", "yoga"]}, "cohort": {"basis": "plan"}}
    project.write("tiny", {**TWO_YEARS, **changed, "protocol": {"covariates": ["idaci"]}})
    expected = workspace.expected(project.run("tiny").settings)
    assert expected == returns.Expected("E06000049", "plan", ("elsa", "yoga"), ("idaci",), 202122)


def test_published_tables_are_made_from_what_they_need_alone(project, executed):
    project.run("public", interactive=True).load("evidence")
    assert executed == ["02_cohort", "06_published_impact"]


# --- What a run hands to a function of metrics


def test_the_comparison_is_the_settings_and_may_be_changed(project):
    cohort = {"group": "cin", "reference": "all"}
    project.write("tiny", {**TWO_YEARS, "cohort": cohort})
    found = project.run("tiny").comparison(metrics=("overall_absence",))
    assert (found.group, found.reference, found.baseline) == ("cin", "all", 202122)
    assert (found.unit_id, found.metrics) == ("E06000049", ("overall_absence",))


def test_what_is_released_is_made_of_protected_sums_and_what_is_exact_of_true_ones(project):
    run = project.run("tiny")
    tables = corridor.build_tables(run)
    run.save("panel", tables["panel"])
    asked = run.comparison(metrics=("overall_absence",))
    exact = run.exact(metrics.gaps, asked)
    assert exact.stamp == INTERNAL_STAMP
    true = metrics.gaps(tables["panel"], asked)
    assert exact.frame["reference_pupils"].tolist() == true["reference_pupils"].tolist()
    released = run.release(metrics.gaps, asked)
    assert (released.kind, released.stamp) == (exact.kind, "")
    assert 0 < true["reference_pupils"].max() < 10
    assert released.frame["gap"].isna().all(), "nine children are too few"
    run.publish("gaps", released)
    again = run.published_table("gaps")
    assert again.kind == released.kind
    assert again.frame["status"].tolist() == released.frame["status"].tolist()


def test_a_published_panel_is_that_of_the_areas_a_page_speaks_of(project):
    run = project.run("public")
    for name, table in corridor.build_tables(run).items():
        run.save(name, table)
    panel, places = run.published_context()
    assert set(panel["unit_id"]) == set(places) < set(run.load("panel")["unit_id"])
    shown = run.release(metrics.gaps, run.comparison(unit_id=None)).frame
    assert set(shown["unit_id"]) == set(places)


def test_figures_of_dfe_that_are_read_back_are_not_said_to_be_changed(project):
    run = project.run("tiny")
    run.publish("gaps", safe(gap_rows().assign(source="published")))
    assert notes_of(run.published_table("gaps")) == ()
    run.publish("gaps", safe(gap_rows().assign(source="returns")))
    assert "random change" in notes_of(run.published_table("gaps"))[0]
