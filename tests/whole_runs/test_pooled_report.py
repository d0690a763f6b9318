"""The report of several authorities: a run like any other."""

import json
import shutil

import pandas as pd
import pytest
import yaml

from vsh_eval.contracts import ContractError
from vsh_eval.pipeline.records import exchange


def test_the_report_shows_all_and_pools_those_that_may_be(trio):
    release = trio.outputs / "trio" / "release"
    table = pd.read_csv(release / "tables" / "pooled.csv")
    overall = table[table["role"].eq("primary") & table["aggregation"].eq("simple")]
    counts = overall.set_index(["variant", "name"])["authorities"]
    assert counts["included", "z"] == 2
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


def test_a_run_that_was_changed_is_not_handed_on(trio, tmp_path):
    run = shutil.copytree(trio.outputs / "trio", tmp_path / "run")
    table = run / "release" / "tables" / "pooled.csv"
    table.write_text(table.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(ContractError, match=r"tables/pooled\.csv of run is changed"):
        exchange.export(run)
