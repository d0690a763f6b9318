"""Several authorities: from runs to bundles, from bundles to one report."""

import json

import pytest

from tests.pipeline.project import Project
from tests.release import bundles
from vsh_eval.pipeline.records import exchange
from vsh_eval.release.files.exchange import read_bundle


@pytest.fixture
def project(tmp_path):
    return Project.start(tmp_path / "project")


def definitions(**changes):
    """The definitions of a bundle, one of them changed: section__key=value."""
    said = json.loads(json.dumps(bundles.DEFINITIONS))
    for key, value in changes.items():
        section, name = key.split("__")
        said[section][name] = value
    return said


@pytest.mark.parametrize(
    ("changes", "key", "both"),
    [
        ({"cohort__rule": "ever_6"}, "cohort.rule", "any_time_in_year in X and ever_6 in Y"),
        ({"cohort__reference": "all"}, "cohort.reference", "peers in X and all in Y"),
        ({"exposure__rule": "same_year"}, "exposure.rule", "first_full_year in X and same_year"),
        ({"years__last": 202324}, "years.last", "2024/25 in X and 2023/24 in Y"),
        ({"protocol__sesoi": 1.0}, "protocol.sesoi", "0.5 in X and 1.0 in Y"),
    ],
)
def test_mixed_definitions_are_refused_with_the_key_and_both_values(project, changes, key, both):
    first = bundles.write(project.folder)
    said = bundles.about(1, definitions=definitions(**changes))
    second = bundles.write(project.folder, number=1, said=said)
    told = project.say("pool", first, second, "-o", "together")
    assert told.code == 1
    words = both.replace("X", "Invented Abbey").replace("Y", "Invented Bay")
    assert f"{key} is {words}" in told.err
    assert "must be the same in every bundle" in told.err
    assert len(told.lines) == 1
    assert list(project.outputs.iterdir()) == []


def test_the_order_of_a_list_is_no_other_definition(tmp_path):
    first = bundles.write(tmp_path)
    said = bundles.about(1, definitions=definitions(protocol__population=["secondary", "primary"]))
    second = bundles.write(tmp_path, number=1, said=said)
    exchange.require_alike([read_bundle(first), read_bundle(second)])


def test_what_cannot_be_pooled_is_refused(project):
    first = bundles.write(project.folder)
    alone = project.say("pool", first)
    assert alone.code == 2
    assert "bundles given: 1, must be 2" in alone.err
    assert "E06000900 has two bundles" in project.say("pool", first, first).err
    real = bundles.write(project.folder, number=1, said=bundles.about(1, invented=False))
    assert "bundle of Invented Abbey is invented" in project.say("pool", first, real).err
    namesake = bundles.about(2, authority={"code": "E06000902", "name": "Invented Abbey"})
    other = bundles.write(project.folder, number=2, said=namesake)
    assert "Invented Abbey has two bundles" in project.say("pool", first, other).err
    assert project.say("pool", first, "nowhere.zip").code == 2
    third = bundles.write(project.folder, number=3)
    assert project.say("pool", first, third, "-o", "No Name").code == 2
    assert list(project.outputs.iterdir()) == []


def test_a_tampered_bundle_stops_the_pool_before_anything_is_written(project):
    good, bad = (bundles.write(project.folder, number=n) for n in (0, 1))
    bad.write_bytes(bad.read_bytes().replace(b"Invented", b"Invented"[::-1], 1)[:-1])
    told = project.say("pool", good, bad)
    assert told.code == 1
    assert len(told.lines) == 1
    assert list(project.outputs.iterdir()) == []


def test_no_pool_is_said_where_too_few_may_be_in_it(project):
    out = {"evidence": bundles.evidence("not_attributable", "composition")}
    never = {"status": "not registered", "sha256": "", "in_time": None, "chosen_by": "unknown"}
    three = [
        bundles.write(
            project.folder,
            number=n,
            said=bundles.about(n, registration=never),
            tables=out if n else None,
        )
        for n in range(3)
    ]
    assert project.say("pool", *three, "-o", "alone").code == 0
    release = project.outputs / "alone" / "release"
    page = (release / "09_pooled.html").read_text(encoding="utf-8")
    assert "1 of the authorities can be in the pool, which needs 2" in page
    results = json.loads((release / "results.json").read_text(encoding="utf-8"))
    assert results["headline"]["estimate"] is None
    assert results["evidence"]["statement"] == "not_estimable"
    index = (release / "index.html").read_text(encoding="utf-8")
    assert "Fix the plan before" in index
