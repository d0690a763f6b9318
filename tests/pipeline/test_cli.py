import errno
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.pipeline.project import TWO_YEARS, Said, say, state
from tests.returns import published_example as example
from tests.returns import tiny
from vsh_eval import cli
from vsh_eval.pipeline import catalogue, yearly
from vsh_eval.returns import check, open_returns
from vsh_eval.settings import load


def test_the_version_is_said(tmp_path):
    assert say("--version", cwd=tmp_path).out == f"vsh_eval {version('vsh-eval')}\n"


def test_no_command_shows_the_help(tmp_path):
    said = say(cwd=tmp_path)
    assert said.code == 2
    assert "Did a virtual school's training offer narrow" in said.out + said.err


@pytest.mark.parametrize(
    ("command", "words"),
    {
        "run": ["PARAMS", "--jobs", "--only", "--force"],
        "check": ["--findings", "--tables", "--json", "exit 1"],
        "synthesise": ["--schools", "--effect", "--seed", "--first", "--last", "--csv", "--as"],
        "fetch-published": ["--from", "DfE"],
        "verify": ["manifest", "outputs/demo"],
        "schema": ["JSON Schema"],
        "lab": ["JupyterLab"],
        "init": ["new folder", "notebooks"],
        "register": ["PARAMS", "--amend", "before any effect"],
    }.items(),
)
def test_every_command_explains_itself(command, words, tmp_path):
    assert command in say("--help", cwd=tmp_path).out
    said = say(command, "--help", cwd=tmp_path)
    assert said.code == 0
    text = " ".join(said.out.split())
    assert [word for word in words if word.casefold() not in text.casefold()] == []


def test_the_package_runs_as_a_module(tmp_path):
    said = subprocess.run(
        [sys.executable, "-m", "vsh_eval", "--version"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout == f"vsh_eval {version('vsh-eval')}\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (yaml.safe_dump(TWO_YEARS | {"yeers": {}}), "wrong.yaml: yeers is not a key; did you mean"),
        (None, "wrong.yaml does not exist in the folder params; correct its name"),
        ("name: [", "params file wrong.yaml is not YAML"),
    ],
)
def test_params_against_their_rules_are_usage(text, words, project):
    """Every rule: `tests/core/test_settings.py`."""
    path = project.folder / "params" / "wrong.yaml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    for command in ("run", "check"):
        said = project.say(command, path)
        assert (said.code, len(said.lines)) == (2, 1)
        assert words in said.err
    assert list(project.outputs.iterdir()) == []


def test_returns_of_a_year_that_has_not_ended_are_refused(project, executed, monkeypatch):
    last_moment = datetime(2023, 6, 30, 23, 59, tzinfo=UTC).timestamp()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", f"{last_moment:.0f}")
    for command in ("run", "check"):
        said = project.say(command, "params/tiny.yaml")
        assert said.code == 2
        assert said.lines == [
            "vsh-eval: years.last is 2022/23, must be a year that has ended; name the last "
            "complete one, 2021/22 at the most."
        ]
    assert list(project.outputs.iterdir()) == []
    for params in ("params/invented.yaml", "params/public.yaml"):
        assert project.say("check", params).code == 0
    monkeypatch.setenv("SOURCE_DATE_EPOCH", f"{last_moment + 60:.0f}")
    assert project.say("run", "params/tiny.yaml").code == 0


def test_an_unknown_notebook_is_usage_and_starts_no_draft(project, executed):
    said = project.say("run", "params/tiny.yaml", "--only", "09")
    assert said.code == 2
    assert said.lines == [
        "vsh-eval: notebook is '09', must be one of 01_returns, 02_cohort, 03_training_offer, "
        "04_attendance_gap, 05_attainment_gap, 06_impact, 07_robustness, "
        "08_annual_report."
    ]
    assert list(project.outputs.iterdir()) == []


def test_a_misspelt_notebook_is_told_its_nearest_name_and_a_number_needs_no_nought(
    project, executed
):
    said = project.say("run", "params/tiny.yaml", "--only", "impactt")
    assert (said.code, len(said.lines)) == (2, 1)
    assert said.err.endswith("08_annual_report; did you mean 06_impact?\n")
    assert catalogue.named("6", "returns").name == "06_impact"


def test_the_demo_is_to_be_had_in_a_folder_without_params(tmp_path, monkeypatch):
    """An installed package brings its params along."""
    package = tmp_path / "package"
    (package / "_params").mkdir(parents=True)
    packaged = package / "_params" / "demo.yaml"
    packaged.write_text(yaml.safe_dump(TWO_YEARS | {"name": "packaged"}), encoding="utf-8")
    monkeypatch.setattr(catalogue, "__file__", str(package / "pipeline" / "catalogue.py"))
    monkeypatch.chdir(tmp_path)
    assert cli._params(cli.DEMO) == packaged
    assert cli._params(Path("params/mine.yaml")) == Path("params/mine.yaml")
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "demo.yaml").write_text("", encoding="utf-8")
    assert cli._params(cli.DEMO) == cli.DEMO


def test_a_project_of_ones_own_has_its_notebooks_and_is_never_written_over(tmp_path, monkeypatch):
    said = say("init", "ours", cwd=tmp_path)
    assert said == Said(
        0, "Wrote ours; go there, and run vsh-eval run params/demo-small.yaml\n", ""
    )
    ours = tmp_path / "ours"
    assert catalogue.folder() == catalogue.shipped("notebooks")
    for there in (ours, ours / "notebooks"):
        monkeypatch.chdir(there)
        assert catalogue.folder() == ours / "notebooks"
    assert {n.name for n in catalogue.NOTEBOOKS} == {p.stem for p in (ours / "notebooks").iterdir()}
    for params in (ours / "params").glob("*.yaml"):
        assert load(params).name
    small = ours / "params" / "demo-small.yaml"
    keys = yaml.safe_load(small.read_text("utf-8"))
    small.write_text(yaml.safe_dump(keys | {"source": keys["source"] | {"schools": 10}}))
    assert say("check", "params/demo-small.yaml", cwd=ours).code == 0
    again = say("init", "ours", cwd=tmp_path)
    assert (again.code, len(again.lines)) == (2, 1)
    assert "must be a new folder" in again.err


def test_a_page_elsewhere_is_shown_with_its_whole_path(project, executed, tmp_path):
    said = say("run", project.folder / "params" / "tiny.yaml", cwd=tmp_path / "project" / "params")
    page = project.outputs / "tiny" / "release" / "index.html"
    assert said.out.startswith(f"Done: open {page}\n")


# --- check


def test_check_says_what_it_found_and_writes_nothing(project):
    before = state(project.folder)
    said = project.say("check", "params/tiny.yaml")
    assert said.code == 0
    lines = said.out.splitlines()
    assert int(next(line for line in lines if line.endswith(" checks passed.")).split()[0]) > 50
    assert (
        "        2            2   100.0%    60%  Children with a social worker, found on roll."
        in lines
    )
    assert lines[-3:] == [
        "Attendance gap: the data are good enough.",
        "Attainment gap: the data are good enough.",
        "Impact of the training: the data are good enough.",
    ]
    assert state(project.folder) == before


def test_check_names_what_fails_with_its_counts_and_what_it_means(project):
    tiny.write(project.folder / "returns", tiny.changed("training", "elsa", "yoga"))
    before = state(project.folder)
    said = project.say("check", "params/tiny.yaml")
    assert (said.code, len(said.lines)) == (1, 1)
    assert "'yoga' is not among them" in said.err
    lines = said.out.splitlines()
    assert lines[1].startswith(
        "fail    training              1            2  In training, programme"
    )
    assert lines[-3] == "Attendance gap: the data are good enough."
    assert lines[-1].startswith("Impact of the training: the data are not good enough (In training")
    assert state(project.folder) == before


def test_a_log_may_write_the_codes_that_the_params_declare(project):
    (project.folder / "log.csv").write_text(
        "School,Course,Level,Date\n000101,elsa,targeted,2021-10-04\n"
        "000102,Trauma informed,universal,2022-03-01\n000102,Fire safety,universal,2022-03-01\n"
    )
    source = {"kind": "returns", "folder": "../returns", "files": {"training": "../log.csv"}}
    project.write("tiny", {**TWO_YEARS, "source": source})
    (project.folder / "returns" / "training.csv").unlink()
    assert "Fire safety, Trauma informed." in project.say("check", "params/tiny.yaml").out
    exposure = {"exposure": {"programmes": ["elsa", "trauma_informed"]}}
    project.write("tiny", {**TWO_YEARS, "source": source, **exposure})
    said = project.say("check", "params/tiny.yaml", "--tables", "tables")
    assert said.code == 0
    assert "Fire safety." in said.out
    assert "passes for untrained; give those that belong" in said.out
    assert "trauma_informed" in (project.folder / "tables" / "training.csv").read_text()


def test_check_writes_its_findings_and_tables_where_it_is_asked(project):
    tiny.write(
        project.folder / "returns",
        tiny.changed("schools", "primary,E06000049", "primary,E06000050"),
    )
    said = project.say(
        "check", "params/tiny.yaml", "--findings", "found.csv", "--tables", "tables", "--json"
    )
    assert (said.code, said.lines) == (
        0,
        ["Wrote tables: it holds rows of pupils, keep it safe."],
    )
    written = json.loads(said.out)
    assert written["verdicts"][0]["verdict"] == "care"
    found = pd.read_csv(project.folder / "found.csv").set_index(["check", "table"])
    row = found.loc[("authority_asked", "schools")]
    assert tuple(row[["result", "rows", "of_rows", "which"]]) == ("warn", 1, 2, "E06000050: 1")
    assert len(written["findings"]) == len(found)
    with open_returns(project.folder / "tables") as again:
        assert check(again)["result"].ne("fail").all()
        [(pupil,)] = again.connection.execute("FROM episodes SELECT max(pupil_id)").fetchall()
    assert pupil == "0070003"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--findings", "outputs/tiny/release/f.csv"), "lies in a folder named release"),
        (("--tables", "outputs/tiny/release/tables"), "lies in a folder named release"),
        (("--tables", "returns"), "folder returns holds files, must be empty"),
    ],
)
def test_what_holds_pupils_is_written_neither_into_a_release_nor_over_files(
    options, words, project
):
    before = state(project.folder)
    said = project.say("check", "params/tiny.yaml", *options)
    assert (said.code, len(said.lines)) == (2, 1)
    assert words in said.err
    assert state(project.folder) == before


@pytest.mark.parametrize("name", ["invented", "public"])
def test_check_of_other_sources_reads_or_invents_and_writes_nothing(name, project):
    before = state(project.folder)
    said = project.say("check", f"params/{name}.yaml")
    assert said.code == 0
    verdicts = [line.split(": ")[0] for line in said.out.splitlines()[-3:]]
    assert verdicts == ["Attendance gap", "Attainment gap", "Impact of the training"]
    assert state(project.folder) == before


def test_check_says_that_the_published_files_lack_the_authority(project):
    keys = yaml.safe_load((project.folder / "params" / "public.yaml").read_text())
    keys["authority"] = {"code": "E99999999", "name": "Nowhere"}
    said = project.say("check", project.write("public", keys))
    assert said.code == 1
    assert said.lines == [
        "vsh-eval: authority.code is 'E99999999', must be an area of the published files, by its "
        "nine-character code in new_la_code."
    ]


def test_check_compares_the_params_with_the_figures_of_the_authority(project):
    keys = yaml.safe_load((project.folder / "params" / "public.yaml").read_text())
    keys["protocol"] = {"primary": "phonics_expected"}
    [said] = project.say("check", project.write("public", keys)).lines
    assert "the published files hold no phonics_expected of E06000049 in the years asked" in said


def test_files_that_cannot_be_copied_are_one_sentence_too(project, checked_little, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "a")
        raise shutil.Error([("a", "b", str(full)), ("c", "d", str(full))])

    monkeypatch.setattr(yearly, "_one_at_a_time", refuse)
    said = project.say("run", "params/tiny.yaml")
    assert said.lines == [
        "vsh-eval: the output folder: no space left on device; make room on the disk, and run "
        "again."
    ]
    assert str(project.folder) not in said.err


# --- synthesise


def test_synthesise_writes_parquet_unless_asked_for_csv(tmp_path):
    years = ("--first", "2021/22", "--last", "2022/23", "--schools", 10)
    assert say("synthesise", "a", *years, cwd=tmp_path).out == ("Wrote the invented returns to a\n")
    assert say("synthesise", "b", *years, "--csv", cwd=tmp_path).code == 0
    parquet, written = pd.read_parquet(tmp_path / "a/schools.parquet"), tmp_path / "b/schools.csv"
    assert pd.read_csv(written, dtype={"urn": str})["urn"].tolist() == parquet["urn"].tolist()
    for folder in "ab":
        assert (tmp_path / folder / "SYNTHETIC.txt").read_text().startswith("SYNTHETIC")
        assert (tmp_path / folder / "truth.csv").is_file()


def test_synthesise_hands_its_options_on(tmp_path):
    years = ("--first", "2020/21", "--last", "2022/23")
    options = ("--effect", -4, "--seed", 9, "--schools", 12, "--pretrend", 0.5)
    assert say("synthesise", "a", *years, *options, "--csv", cwd=tmp_path).code == 0
    notice = (tmp_path / "a" / "SYNTHETIC.txt").read_text()
    for words in ("schools=12", "seed=9", "effect=-4.0", "first=202021", "pretrend=0.5"):
        assert words in notice
    assert len(pd.read_csv(tmp_path / "a" / "schools.csv")) >= 12


def test_synthesise_never_writes_over_what_it_did_not_make(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "episodes.csv").write_text("pupil_id\n1\n", encoding="utf-8")
    said = say("synthesise", "real", cwd=tmp_path)
    assert (said.code, len(said.lines)) == (2, 1)
    assert "folder real holds episodes.csv, must be empty" in said.err
    assert list(state(tmp_path)) == ["real/episodes.csv"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--schools", "many"), "--schools"),
        (("--seed", -1), "--seed"),
        (("--schools", 30_000), "schools is 30000, must be a whole number from 10 to 20000"),
        (("--first", "2022/23", "--last", "2021/22"), "must be at least two within 2016/17"),
        (("--first", "the first"), "the first"),
    ],
)
def test_synthesise_refuses_bad_options_in_a_sentence(options, words, tmp_path):
    """What a plan refuses: `tests/synthetic/test_plan.py`."""
    said = say("synthesise", "new", *options, cwd=tmp_path)
    assert said.code == 2
    assert words in said.err
    assert words.startswith("--") or len(said.lines) == 1
    assert list(tmp_path.iterdir()) == []


# --- the other commands


def test_the_schema_is_a_json_schema_that_knows_every_key_and_both_ways_of_writing_years(tmp_path):
    from jsonschema import Draft202012Validator

    schema = json.loads(say("schema", cwd=tmp_path).out)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    good = {"name": "a", **TWO_YEARS}
    assert validator.is_valid(good)
    good["years"] = {"first": 202122, "last": 202223, "baseline": 202122}
    assert validator.is_valid(good)
    assert not validator.is_valid({**good, "more": "b"})
    assert not validator.is_valid({key: good[key] for key in good if key != "name"})


def test_the_published_files_are_fetched_from_a_folder(tmp_path):
    example.write(tmp_path / "downloads")
    said = say("fetch-published", "published", "--from", "downloads", cwd=tmp_path)
    assert said.code == 0
    named = [Path(line).name for line in said.out.splitlines()]
    assert set(named) == {path.name for path in (tmp_path / "downloads").iterdir()}
    assert (tmp_path / "published" / "manifest.json").is_file()


def test_verify_finds_every_file_that_differs(project, executed):
    assert project.say("run", "params/tiny.yaml").code == 0
    said = project.say("verify", "outputs/tiny")
    assert (said.code, said.out) == (0, "Every file is what the manifest says.\n")
    page = project.outputs / "tiny" / "release" / "index.html"
    page.write_text("another", encoding="utf-8")
    (page.parent / "tables" / "facts_01_returns.csv").unlink()
    said = project.say("verify", "outputs/tiny")
    assert (said.code, said.out) == (
        1,
        "changed: index.html\nmissing: tables/facts_01_returns.csv\n",
    )


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("verify nothere", "nothere holds no manifest.json; name the folder of a finished run."),
        ("verify outputs", "outputs holds no manifest.json; name the folder of a finished run."),
        ("exchange nothere", "nothere holds no manifest.json; name the folder of a finished run."),
        ("init .", ". is there and not empty, must be a new folder; name another."),
        ("pool one.zip", "bundle 'one.zip' does not exist, must be a zip file or a folder;"),
        ("register params/tiny.yaml --amend why", "there is nothing to amend; leave --amend out."),
    ],
)
def test_a_slip_of_the_command_line_is_usage(command, words, project):
    """Else a misspelt folder would look like a released file that was changed."""
    before = state(project.folder)
    said = project.say(*command.split())
    assert (said.code, len(said.lines)) == (2, 1)
    assert words in said.err
    assert state(project.folder) == before


def test_lab_opens_the_notebooks_with_an_encrypted_connection(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(os, "execv", lambda path, words: given.append((path, words)))
    assert say("lab", cwd=tmp_path).code == 0
    [(path, words)] = given
    assert path == words[0] == sys.executable
    assert words[1:3] == ["-m", "jupyterlab"]
    assert "--KernelManager.transport_encryption=required" in words
    assert words[-1] == str(catalogue.folder())
