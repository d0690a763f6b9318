"""Several authorities: from runs to bundles, from bundles to one report."""

import json
import shutil

import pandas as pd
import pytest
import yaml

from tests.pipeline.project import Project
from tests.release import bundles
from vsh_eval.contracts import ContractError
from vsh_eval.pipeline import exchange
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
    assert "1 bundles were given, must be 2" in project.say("pool", first).err
    assert "E06000900 has two bundles" in project.say("pool", first, first).err
    real = bundles.write(project.folder, number=1, said=bundles.about(1, invented=False))
    assert "bundle of Invented Abbey is invented" in project.say("pool", first, real).err
    namesake = bundles.about(2, authority={"code": "E06000902", "name": "Invented Abbey"})
    other = bundles.write(project.folder, number=2, said=namesake)
    assert "Invented Abbey has two bundles" in project.say("pool", first, other).err
    assert project.say("pool", first, "nowhere.zip").code == 1
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


def test_the_report_shows_all_and_pools_those_that_may_be(trio):
    release = trio.outputs / "trio" / "release"
    table = pd.read_csv(release / "tables" / "pooled.csv")
    overall = table[table["role"].eq("primary") & table["aggregation"].eq("simple")]
    counts = overall.set_index(["variant", "name"])["authorities"]
    assert counts["attributable", "z"] == 2
    assert counts["every", "z"] == 3
    assert overall.loc[overall["variant"].eq("own"), "name"].tolist() == [
        "Invented Abbey",
        "Invented Bay",
        "Invented Combe",
    ]
    page = (release / "09_pooled.html").read_text(encoding="utf-8")
    assert "Shown and left out of it: Invented Combe" in page
    assert "SYNTHETIC" in page
    results = json.loads((release / "results.json").read_text(encoding="utf-8"))
    assert results["headline"]["authorities"] == 2
    assert results["evidence"]["statement"] == "inconclusive"


def test_the_report_is_a_run_like_any_other(trio):
    assert trio.say("verify", "outputs/trio").code == 0
    params = trio.outputs / "trio-bundles" / "trio.yaml"
    again = trio.say("run", params)
    assert "Nothing has changed" in again.out
    said = yaml.safe_load(params.read_text(encoding="utf-8"))
    assert said["source"] == {"kind": "pooled", "folder": "bundles"}
    assert said["protocol"]["primary"] == "overall_absence"


def test_a_pool_is_no_authority_to_be_pooled(trio):
    told = trio.say("exchange", "outputs/trio")
    assert told.code == 1
    assert "trio is a pooled run, must be one of an authority's own returns" in told.err


def test_no_pool_is_said_where_too_few_may_be_in_it(project):
    out = {"evidence": bundles.evidence("not_attributable", "drift")}
    three = [bundles.write(project.folder, number=n, tables=out if n else None) for n in range(3)]
    assert project.say("pool", *three, "-o", "alone").code == 0
    release = project.outputs / "alone" / "release"
    page = (release / "09_pooled.html").read_text(encoding="utf-8")
    assert "1 of the authorities can be in the pool, which needs 2" in page
    results = json.loads((release / "results.json").read_text(encoding="utf-8"))
    assert results["headline"]["estimate"] is None
    assert results["evidence"]["statement"] == "not_estimable"


def test_a_run_that_was_changed_is_not_handed_on(trio, tmp_path):
    run = shutil.copytree(trio.outputs / "trio", tmp_path / "run")
    table = run / "release" / "tables" / "pooled.csv"
    table.write_text(table.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(ContractError, match=r"tables/pooled\.csv of run is changed"):
        exchange.export(run)
