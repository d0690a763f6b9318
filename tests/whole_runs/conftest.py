"""Whole runs by the real notebooks, each made once; all tests of them are in this folder."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.conftest import SHARED
from tests.pipeline.project import PUBLISHED, SMALL, Project
from tests.release import bundles
from tests.returns import published_example as example

ROOT = Path(__file__).resolve().parents[2]
SIX_YEARS = ("--first", "2018/19", "--last", "2023/24")


@dataclass(frozen=True, slots=True)
class WholeRun(Project):
    """A finished run whose params and returns lie outside its project."""

    params: Path
    returns: Path


@pytest.fixture(scope="session")
def whole(tmp_path_factory) -> WholeRun:
    """A small invented authority's returns, evaluated by the real notebooks."""
    folder = tmp_path_factory.mktemp("whole")
    elsewhere = Project.start(folder / "elsewhere")
    (elsewhere.outputs).rmdir()
    made = elsewhere.say("synthesise", "returns", "--schools", 30, *SIX_YEARS, "--csv")
    assert made.code == 0, made.err
    params = elsewhere.write("small", SMALL)
    run = WholeRun(Project.start(folder / "project").folder, params, elsewhere.folder / "returns")
    said = run.say("run", params, "-j", 2)
    assert said.code == 0, said.err
    assert said.out.startswith("Done: open outputs/small/release/index.html\n")
    return run


@pytest.fixture(scope="session")
def published_example(tmp_path_factory) -> Path:
    """What a run of an invented release of published files has released."""
    project = Project.start(tmp_path_factory.mktemp("published"))
    example.write(project.folder / "published")
    project.write("public", PUBLISHED)
    said = project.say("run", "params/public.yaml", "-j", 2)
    assert said.code == 0, said.err
    return project.outputs / "public" / "release"


@pytest.fixture(scope="session")
def cheshire_east(tmp_path_factory, shared_data) -> Path:
    """What the run of DfE's own files that the repository comes with has released."""
    project = Project.start(tmp_path_factory.mktemp("cheshire_east"))
    keys = yaml.safe_load((ROOT / "params" / "published.yaml").read_text(encoding="utf-8"))
    keys["source"]["folder"] = str(shared_data)
    said = project.say("run", project.write(keys.pop("name"), keys), "-j", 2)
    assert said.code == 0, said.err
    return project.outputs / "published" / "release"


@pytest.fixture(scope="session")
def trio(tmp_path_factory) -> Project:
    """The report of three invented authorities, one of which is left out of the pool."""
    project = Project.start(tmp_path_factory.mktemp("trio") / "project")
    said = project.say("pool", *bundles.write_three(project.folder), "-o", "trio")
    assert said.code == 0, said.err
    assert said.out == "Done: open outputs/trio/release/index.html\n"
    return project


@pytest.fixture(scope="session")
def published_release(request) -> Path:
    """What a run of published files has released: of DfE's own where they are here."""
    return request.getfixturevalue("cheshire_east" if SHARED.is_dir() else "published_example")


@pytest.fixture(scope="session", params=["returns", "published"])
def release(request) -> Path:
    """What a whole run of each kind has released."""
    if request.param == "returns":
        run = request.getfixturevalue("whole")
        return run.outputs / "small" / "release"
    return request.getfixturevalue("published_release")
