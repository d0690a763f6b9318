"""One secret for ever: where it comes from, and what happens without one."""

import pytest

from tests.pipeline.project import TWO_YEARS
from vsh_eval.contracts import ContractError
from vsh_eval.pipeline.records import secret


@pytest.fixture
def nameless(monkeypatch):
    """An environment that holds no secret."""
    monkeypatch.delenv("VSH_EVAL_SECRET")


def with_file(project, file="../own.key"):
    project.write("tiny", {**TWO_YEARS, "disclosure": {"secret_file": file}})
    return project.run("tiny").settings


def test_the_environment_goes_before_the_file_and_the_file_is_read_without_its_line_end(
    project, monkeypatch
):
    settings = with_file(project)
    (project.folder / "own.key").write_bytes(b"the authority's own secret\r\n")
    monkeypatch.setenv("VSH_EVAL_SECRET", "a secret with an ü in it")
    assert secret.secret_of(settings, invented=False) == "a secret with an ü in it".encode()
    monkeypatch.delenv("VSH_EVAL_SECRET")
    assert secret.secret_of(settings, invented=False) == b"the authority's own secret"


@pytest.mark.parametrize("name", ["invented", "public"])
def test_where_no_child_can_be_found_the_secret_is_a_public_one(name, project, nameless):
    run = project.run(name)
    assert len(secret.secret_of(run.settings, invented=run.invented)) >= 16


def test_real_returns_without_a_secret_stop_before_anything_is_written(project, nameless):
    said = project.say("run", "params/tiny.yaml")
    assert (said.code, len(said.lines)) == (1, 1)
    assert "the run has no secret" in said.err
    assert "--new-secret" in said.err
    assert list(project.outputs.iterdir()) == []
    assert project.say("check", "params/tiny.yaml").code == 0


def test_a_lost_or_short_key_file_is_refused_by_name(project, nameless):
    settings = with_file(project)
    with pytest.raises(ContractError, match=r"secret_file own\.key does not exist"):
        secret.secret_of(settings, invented=False)
    (project.folder / "own.key").write_bytes(b"short\n")
    with pytest.raises(ContractError, match=r"own\.key holds 5 bytes, must hold 16 or more"):
        secret.secret_of(settings, invented=False)


def test_a_new_secret_is_its_owners_alone_and_never_written_over(project, nameless, executed):
    settings = with_file(project)
    said = project.say("run", "params/tiny.yaml", "--new-secret")
    assert said.code == 0, said.err
    assert said.out.startswith("Wrote a new secret to own.key;")
    file = project.folder / "own.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(secret.secret_of(settings, invented=False)) == 64
    before = file.read_bytes()
    again = project.say("run", "params/tiny.yaml", "--new-secret")
    assert (again.code, file.read_bytes()) == (2, before)
    assert "own.key exists, must not be written over" in again.err


def test_without_a_file_named_there_is_nowhere_to_write_it(project):
    said = project.say("run", "params/tiny.yaml", "--new-secret")
    assert said.code == 2
    assert "disclosure.secret_file is missing" in said.err


def test_the_manifest_says_which_secret_and_no_more(project, nameless, executed):
    with_file(project)
    own = b"the authority's own secret"
    (project.folder / "own.key").write_bytes(own)
    assert project.say("run", "params/tiny.yaml").code == 0
    manifest = (project.outputs / "tiny" / "release" / "manifest.json").read_text("utf-8")
    assert f'"secret": "{secret.fingerprint(own)}"' in manifest
    assert "own.key" not in manifest
    assert own.decode() not in manifest


def test_another_secret_is_another_run(project, executed, monkeypatch):
    assert project.say("run", "params/tiny.yaml").code == 0
    assert "Nothing has changed" in project.say("run", "params/tiny.yaml").out
    monkeypatch.setenv("VSH_EVAL_SECRET", "another secret than the first")
    assert "Done" in project.say("run", "params/tiny.yaml").out
