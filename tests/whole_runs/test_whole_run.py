"""One whole run of returns and one of published tables, by the real notebooks."""

import json
import os
import re
import runpy
from html import unescape

import pandas as pd
import pytest

from tests.cells.test_published import DERIVED
from tests.pipeline.project import SMALL, say, state
from tests.whole_runs.conftest import ROOT
from vsh_eval.pipeline import catalogue
from vsh_eval.pipeline.records import manifest
from vsh_eval.release.files.contents import texts

EVERY = [notebook.name for notebook in catalogue.of_kind("returns")]


@pytest.fixture
def released(whole):
    return whole.outputs / "small" / "release"


RESULTS = {"schema", "stamp", "run", "headline", "evidence", "levels", "gaps", "protocol"}
TABLES = {
    "gaps": "time_period geographic_level phase metric group reference group_pupils "
    "reference_pupils group_level group_level_lower group_level_upper reference_level "
    "reference_level_lower reference_level_upper gap gap_lower gap_upper ratio ratio_lower "
    "ratio_upper unit cohort_rule vintage status",
    "impact": "role metric programme tier phase estimator comparison aggregation index estimate "
    "std_error ci_lower ci_upper band_lower band_upper p_value p_adjusted schools_treated "
    "schools_comparison pupils status",
    "reach": "time_period programme tier phase schools schools_trained share_schools pupils "
    "pupils_reached share_pupils staff_trained hours staff_per_100_pupils cost status",
    "findings": "check table result rows of_rows message column",
    "levels": "time_period phase metric group pupils level_value lower upper status",
    "evidence": "statement confidence rule verdict reason",
}


@pytest.mark.parametrize("name", TABLES)
def test_a_released_table_has_the_columns_it_promises(name, released):
    table = pd.read_csv(released / "tables" / f"{name}.csv", dtype=str)
    assert [column for column in TABLES[name].split() if column not in table] == []
    assert len(table) > 0
    meta = pd.read_csv(released / "tables" / f"{name}.meta.csv", dtype=str)
    assert "col_name" in meta


def test_the_impact_table_has_every_role_and_aggregation(released):
    table = pd.read_csv(released / "tables" / "impact.csv", dtype=str)
    assert {"primary", "secondary"} <= set(table["role"])
    assert set(table["aggregation"]) <= {"att_gt", "simple", "cohort", "calendar", "event"}
    assert {"simple", "cohort", "calendar", "event"} <= set(table["aggregation"])
    [primary] = table.query("role == 'primary' and aggregation == 'simple'").query(
        "estimator == 'imputation'"
    )["metric"]
    assert primary == "overall_absence"


def test_the_results_for_machines_have_the_keys_they_promise(released):
    results = json.loads((released / "results.json").read_text())
    assert set(results) == RESULTS
    headline = results["headline"]
    assert headline["role"] == "primary"
    assert headline["ci_lower"] < headline["estimate"] < headline["ci_upper"]
    assert set(results["evidence"]) == {"statement", "confidence", "decided_by", "rules"}
    assert {"rule", "verdict", "reason"} <= set(results["evidence"]["rules"][0])
    assert {row["time_period"] for row in results["gaps"]} == {202324}
    assert {row["time_period"] for row in results["levels"]} == {202324}
    assert results["protocol"]["registered"] is False
    assert results["run"]["source"] == "returns"
    marked = json.loads((released / manifest.NAME).read_text())
    assert results["stamp"] == marked["stamp"] == "SYNTHETIC"


def test_every_page_is_there_and_leads_to_the_others(released):
    pages = sorted(path.name for path in released.glob("*.html"))
    assert pages == [*(f"{name}.html" for name in EVERY), "index.html"]
    for page in pages:
        text = (released / page).read_text(encoding="utf-8")
        links = set(re.findall(r'href="([^"#:]+)"', text))
        assert {other for other in pages if other != page} <= links
        assert [link for link in links if not (released / link).is_file()] == []
        assert "Traceback" not in text


def test_every_page_says_a_thing_once_and_charts_in_few_words(released):
    for name in EVERY:
        page = (released / f"{name}.html").read_text(encoding="utf-8")
        seen = re.sub(r"<(style|script|svg)\b.*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL)
        assert seen.count("SYNTHETIC") == 1, name
        assert seen.count("every number has a small random change") <= 1, name
        lines = re.findall(r"<summary>(.*?)</summary>", page, re.DOTALL)
        assert len(lines) == len(set(lines)), name
        alts = [unescape(alt) for alt in re.findall(r'<img [^>]*alt="([^"]*)"', page)]
        assert len(alts) == page.count("<img"), name
        assert all(40 < len(alt) <= 300 for alt in alts), name
        empty = re.findall(r"<h2[^>]*>([^<]*)</h2>\s*(?=<h2|<details class=\"code\">)", page)
        assert empty == [], name


def test_the_index_offers_every_table_and_both_collections(released):
    text = (released / "index.html").read_text(encoding="utf-8")
    tables = [p.name for p in (released / "tables").glob("*.csv") if ".meta" not in p.name]
    assert len(tables) >= 8
    assert [name for name in tables if f'href="tables/{name}"' not in text] == []
    for name in ("workbook.xlsx", "results.json"):
        assert f'href="{name}"' in text


# The reading here is this test's own; the run's own egress check reads with other code.
PEOPLE = re.compile(r"(^|_)(pupils|children|staff_trained|numerator)(_|$)")
NO_COUNT = re.compile(r"share|_per_|rate|level|suspended")


def test_no_file_of_a_release_holds_a_pupil_or_knows_the_machine(released, whole):
    """The params, the returns and the outputs of this run lie in three places."""
    pupils = {
        pupil
        for table in ("enrolments", "attendance", "suspensions", "attainment", "episodes")
        for pupil in pd.read_csv(whole.returns / f"{table}.csv", dtype=str)["pupil_id"]
    }
    assert len(pupils) > 4000
    places = (
        *(str(path) for path in (whole.folder, whole.params.parent, whole.returns)),
        *(str(catalogue.folder().parent), os.path.expanduser("~"), "/home/", "site-packages"),
        *(os.environ["VSH_EVAL_SECRET"], whole.folder.parent.name, whole.folder.parent.parent.name),
    )
    files = [path for path in released.rglob("*") if path.is_file()]
    assert len(files) > 40
    for path in files:
        words: set[str] = set()
        for text in (path.name, *texts(path.name, path.read_bytes())):
            words.update(re.findall(r"[A-Za-z0-9_]+", text))
            assert [place for place in places if place in text] == [], path.name
        assert pupils.isdisjoint(words), path.name


def counts_of_people(released):
    """Yield every count of people in the tables and in the results, and where it stands."""
    for path in (released / "tables").glob("*.csv"):
        table = pd.read_csv(path, dtype=str)
        for column in table:
            if PEOPLE.search(str(column)) and not NO_COUNT.search(str(column)):
                for value in pd.to_numeric(table[column], errors="coerce").dropna():
                    yield value, f"{path.name} {column}"
    waiting = [json.loads((released / "results.json").read_text())]
    while waiting:
        node = waiting.pop()
        children = node.values() if isinstance(node, dict) else node
        waiting += [child for child in children if isinstance(child, dict | list)]
        for key, value in node.items() if isinstance(node, dict) else ():
            if PEOPLE.search(key) and not NO_COUNT.search(key) and isinstance(value, int):
                yield value, f"results.json {key}"


def test_no_count_of_people_in_a_release_is_small(released):
    counts = list(counts_of_people(released))
    assert len(counts) > 500
    assert [(value, where) for value, where in counts if 0 < value < 10] == []


def test_released_counts_are_not_the_true_ones(released, whole):
    """Of the children of each year; the true counts are those of the internal panel."""
    shown = pd.read_csv(released / "tables" / "levels.csv", dtype=str)
    shown = shown.query("metric == 'overall_absence' and phase == 'total' and group == 'cwsw'")
    shown = pd.to_numeric(shown.set_index("time_period")["pupils"], errors="coerce").dropna()
    panel = pd.read_parquet(whole.outputs / "small" / "internal" / "panel.parquet")
    true = panel[panel["metric"].eq("overall_absence") & panel["group"].isin(["cin", "cpp"])]
    true = true.groupby("time_period")["pupils"].sum()
    true.index = true.index.astype(str)
    apart = (shown - true[shown.index]).abs()
    assert 0 < apart.max() < 0.05 * true.min()


def test_the_manifest_vouches_for_every_file(released, whole):
    said = whole.say("verify", "outputs/small")
    assert (said.code, said.out) == (0, "Every file is what the manifest says.\n")
    written = json.loads((released / manifest.NAME).read_text())
    listed = {entry["file"] for entry in written["outputs"]}
    assert listed == set(state(released)) - {manifest.NAME}
    assert {entry["file"] for entry in written["inputs"]} == set(state(whole.returns))
    assert [entry["name"] for entry in written["notebooks"]] == EVERY
    assert "folder" not in written["settings"]["source"]
    assert re.fullmatch(r"[0-9a-f]{64}", written["params_sha256"])


def test_notebooks_make_the_tables_that_the_catalogue_says(released, whole):
    saved = {path.stem for path in (whole.outputs / "small" / "internal").glob("*.parquet")}
    shown = {path.stem for path in (released / "tables").glob("*.csv")}
    of_returns = catalogue.of_kind("returns")
    makes = {name for notebook in of_returns for name in notebook.makes}
    assert saved <= makes
    assert makes - saved - shown == {"neighbours"}, "only published tables have neighbours"


def test_a_second_run_of_the_real_notebooks_runs_none(whole):
    before = state(whole.outputs)
    said = whole.say("run", whole.params)
    assert said.code == 0
    assert said.out.startswith(
        "Nothing has changed since the last run: outputs/small/release/index.html\n"
    )
    assert state(whole.outputs) == before


def test_of_several_runs_one_that_stops_leaves_the_others(whole):
    whole.write("spoilt", {**SMALL, "name": "spoilt", "engine": "oracle"})
    said = whole.say("run", whole.params, "params/spoilt.yaml", "-j", 2)
    assert said.code == 2
    assert "spoilt.yaml: engine is 'oracle'" in said.err
    heads, *rows = [re.split(r"  +", line, maxsplit=3) for line in said.out.splitlines()[-3:]]
    assert heads == ["params", "result", "minutes", "statement"]
    assert [row[:2] for row in rows] == [["small.yaml", "unchanged"], ["spoilt.yaml", "stopped"]]
    written = json.loads((whole.outputs / "small" / "release" / "results.json").read_text())
    assert rows[0][3] == written["evidence"]["statement"]
    twice = whole.say("run", whole.params, whole.params)
    assert twice.code == 2
    assert twice.lines == [
        "vsh-eval: name is small in more than one params file, must be another in each; rename one."
    ]


# --- Published tables


def test_published_tables_answer_five_questions(published_release):
    pages = sorted(path.stem for path in published_release.glob("*.html"))
    assert pages == [
        "02_cohort", "04_attendance_gap", "05_attainment_gap", "06_published_impact",
        "08_annual_report", "index",
    ]  # fmt: skip
    results = json.loads((published_release / "results.json").read_text())
    assert set(results) == RESULTS
    assert results["stamp"] == ""
    assert results["run"]["authority_code"] == "E06000049"
    assert results["headline"]["metric"] == "overall_absence"
    assert {row["time_period"] for row in results["gaps"]} == {202425}
    assert say("verify", published_release.parent, cwd=published_release).code == 0


def test_what_a_run_releases_of_dfes_own_files(cheshire_east):
    """England is as worked out by hand, and what DfE hides stays hidden."""
    table = pd.read_csv(cheshire_east / "tables" / "gaps.csv", dtype=str, keep_default_na=False)
    numbers = ["group_pupils", "group_level", "gap", "ratio"]
    table[numbers] = table[numbers].apply(pd.to_numeric, errors="coerce")
    assert "E06000049" in set(table["new_la_code"])
    total = table[table["phase"].eq("total") & table["group"].eq("cwsw")]
    england = total[total["geographic_level"].eq("National") & total["reference"].eq("all")]
    measures = ["overall_absence", "persistent_absence", "severe_absence"]
    for year, (pupils, *values, ratio) in DERIVED.items():
        rows = england[england["time_period"].eq(str(year))].set_index("metric").loc[measures]
        assert set(rows["group_pupils"]) == {pupils}
        shown = [*rows["group_level"], *rows["gap"]]
        assert shown == pytest.approx(values, abs=0.0101)
        assert rows.loc["persistent_absence", "ratio"] == pytest.approx(ratio, abs=0.0101)
    no_absence = total.query("time_period == '201920' and metric == 'overall_absence'")
    assert len(no_absence) > 0
    assert no_absence["gap"].isna().all()
    hidden = table[table["status"].eq("c")]
    assert len(hidden) > 0
    assert hidden["gap"].isna().all()
    assert (table["group_level"].notna() & table["gap"].notna() | table["status"].ne("")).all()


def test_a_notebook_of_ones_own_is_written_as_the_how_to_says(whole, tmp_path, capsys):
    page = (ROOT / "docs" / "how-to" / "own-notebook.md").read_text(encoding="utf-8")
    opening, *cells = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    given = {"params": str(whole.params), "run_folder": str(whole.outputs / "small")}
    assert re.findall(r"^(\w+): str = ", opening, re.MULTILINE) == list(given)
    (tmp_path / "own.py").write_text("\n".join(cells), encoding="utf-8")
    runpy.run_path(str(tmp_path / "own.py"), init_globals=given)
    assert "<caption>Gaps in 2023/24 and how they changed" in capsys.readouterr().out
