import json

import pytest

from vsh_eval.contracts import ContractError
from vsh_eval.pipeline.records import manifest


@pytest.fixture
def finished(tmp_path):
    release = tmp_path / "release"
    (release / "tables").mkdir(parents=True)
    (release / "index.html").write_text("page", encoding="utf-8")
    (release / "tables" / "gaps.csv").write_text("a,b", encoding="utf-8")
    outputs = list(manifest._outputs(release))
    (release / manifest.NAME).write_text(json.dumps({"outputs": outputs}), encoding="utf-8")
    return tmp_path


def test_every_kind_of_difference_is_named(finished):
    release = finished / "release"
    (release / "index.html").write_text("pagE", encoding="utf-8")
    (release / "tables" / "gaps.csv").unlink()
    (release / "tables" / "more.csv").write_text("", encoding="utf-8")
    assert [(d.file, d.problem) for d in manifest.verify(finished)] == [
        ("index.html", "changed"),
        ("tables/gaps.csv", "missing"),
        ("tables/more.csv", "added"),
    ]


def test_a_folder_without_a_manifest_is_refused(tmp_path):
    with pytest.raises(ContractError, match=r"holds no manifest\.json"):
        manifest.verify(tmp_path)
