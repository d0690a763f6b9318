import json

import pandas as pd
import pytest

from tests.release.made import AUTHORITY, NAN, estimate_row, gap_rows, reach_rows, safe, sealed
from vsh_eval.contracts import ContractError, DisclosureError
from vsh_eval.pipeline.workspace import Run
from vsh_eval.release.figures import draw_gap
from vsh_eval.release.files.open_data import TABLE_COLUMNS, Area, read_table, write_table
from vsh_eval.release.files.results import write_results
from vsh_eval.release.text.phrases.protection import notes_of
from vsh_eval.settings import parse

AREAS = {
    AUTHORITY: Area("Cheshire East", "E12000002", "North West", "895"),
    "E12000002": Area("North West"),
}


def text_of(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def test_gaps_are_written_as_dfe_asks_with_symbols_for_what_is_hidden(tmp_path):
    path = write_table(safe(gap_rows(status="c")), tmp_path, "gaps", areas=AREAS)
    assert path == tmp_path / "gaps.csv"
    written = text_of(path)
    assert tuple(written.columns[10:]) == TABLE_COLUMNS["gaps"]
    last = written.iloc[-1]
    assert last["time_period"] == "202425"
    assert last["time_identifier"] == "Academic year"
    assert last["geographic_level"] == "Local authority"
    assert list(last["country_code":"la_name"]) == [
        *("E92000001", "England", "E12000002", "North West", "895", AUTHORITY, "Cheshire East")
    ]
    assert last["group_level"] == "18.4"
    assert last["status"] == "shown"
    assert last["group_pupils"] == "640"
    assert last["ratio"] == "2.7059"
    assert written.loc[1, "gap"] == "c"
    assert b"\r" not in path.read_bytes()
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]


def test_the_metadata_describe_every_column_but_time_place_and_texts_of_one_value(tmp_path):
    """DfE's screener fails a filter that has one value: it must be out of the metadata."""
    rows = gap_rows("persistent_absence").assign(phase="primary", group="cin")
    write_table(safe(pd.concat([gap_rows(), rows])), tmp_path, "gaps", areas=AREAS)
    meta = text_of(tmp_path / "gaps.meta.csv")
    one_value = {"reference", "unit", "cohort_rule", "vintage"}
    assert tuple(meta["col_name"]) == tuple(c for c in TABLE_COLUMNS["gaps"] if c not in one_value)
    by_name = meta.set_index("col_name")
    assert by_name.loc["metric", "col_type"] == "Filter"
    assert by_name.loc["gap", "col_type"] == "Indicator"
    assert by_name.loc["group_level", "indicator_unit"] == "%"
    assert by_name.loc["group_pupils", "indicator_dp"] == "0"
    assert by_name.loc["group_pupils", "indicator_unit"] == ""
    assert by_name.loc["phase", "filter_default"] == "total"
    assert by_name.loc["group", "filter_default"] == ""
    assert by_name.loc["gap", "filter_default"] == ""


def test_regions_and_england_have_their_own_columns(tmp_path):
    rows = pd.concat(
        [
            gap_rows().assign(geographic_level="region", unit_id="E12000002"),
            gap_rows().assign(geographic_level="national", unit_id="E92000001"),
        ]
    ).assign(gap_unit="percentage points")
    write_table(safe(rows), tmp_path, "context", areas=AREAS)
    written = text_of(tmp_path / "context.csv")
    assert set(written["geographic_level"]) == {"Regional", "National"}
    assert written.loc[0, "region_name"] == "North West"
    assert written.loc[0, "la_name"] == ""
    assert "unit_id" not in written
    meta = text_of(tmp_path / "context.meta.csv").set_index("col_name")
    assert meta.loc["gap", "indicator_unit"] == "pp"
    back = read_table(tmp_path / "context.csv", gate="published")
    assert set(back.frame["unit_id"]) == {"E12000002", "E92000001"}


def test_impact_has_its_fixed_columns_and_no_place(tmp_path):
    rows = [estimate_row(), estimate_row(aggregation="calendar", index=202324.0)]
    path = write_table(safe(rows), tmp_path, "impact", areas=AREAS)
    written = text_of(path)
    assert tuple(written.columns) == (*TABLE_COLUMNS["impact"], "df")
    assert list(written["index"]) == ["z", "202324"]
    assert list(written["estimate"]) == ["-1.4", "-1.4"]
    assert list(written["band_lower"]) == ["x", "x"]
    lacking = safe(pd.DataFrame(rows).drop(columns="p_adjusted"))
    with pytest.raises(ContractError, match="impact lacks the column p_adjusted"):
        write_table(lacking, tmp_path, "impact", areas=AREAS)


def test_a_table_with_years_is_about_the_one_area_that_is_given(tmp_path):
    own = {AUTHORITY: AREAS[AUTHORITY]}
    written = text_of(write_table(safe(reach_rows()), tmp_path, "reach", areas=own))
    assert set(written["new_la_code"]) == {AUTHORITY}
    assert list(written.columns).count("time_period") == 1
    without = text_of(write_table(safe(reach_rows()), tmp_path, "reach", areas=AREAS))
    assert without.columns[0] == "time_period"
    assert "new_la_code" not in without
    meta = text_of(tmp_path / "reach.meta.csv").set_index("col_name")
    assert meta.loc["share_schools", "indicator_unit"] == "%"


def test_an_authority_without_region_is_not_left_blank(tmp_path):
    written = text_of(
        write_table(safe(gap_rows()), tmp_path, "gaps", areas={AUTHORITY: Area("Somewhere")})
    )
    assert set(written["region_code"]) == {"x"}
    assert set(written["region_name"]) == {"Not available"}
    assert set(written["old_la_code"]) == {"x"}


def test_what_is_written_can_be_read_back_and_drawn(tmp_path):
    table = safe(gap_rows(status="c"))
    back = read_table(
        write_table(table, tmp_path, "gaps", areas=AREAS), gate="cells", stamp="SYNTHETIC"
    )
    assert (back.stamp, back.gate) == ("SYNTHETIC", "cells")
    assert back.frame["time_period"].dtype == "int64"
    assert list(back.frame["unit_id"].unique()) == [AUTHORITY]
    assert back.frame["gap"].isna().tolist() == [False, True, *[False] * 5]
    assert back.frame.loc[1, "status"] == "c"
    assert back.frame["gap"].iloc[-1] == pytest.approx(11.6)
    metric = "overall_absence"
    assert (
        draw_gap(back, metric=metric).alt.removesuffix(" Marked: SYNTHETIC.")
        == draw_gap(table, metric=metric).alt
    )


def test_a_run_knows_how_what_it_published_was_made_safe(tmp_path):
    years = {"first": "2022/23", "last": "2023/24", "baseline": "2022/23"}
    settings = parse({"name": "demo", "authority": {"code": AUTHORITY, "name": "Invented"},
                      "source": {"kind": "synthetic"}, "years": years})  # fmt: skip
    run = Run(settings, tmp_path / "demo.yaml", tmp_path / "site", interactive=False)
    for gate in ("cells", "estimates", "sample", "facts"):
        table = sealed(pd.DataFrame([estimate_row()]), "estimates", gate=gate)
        run.publish(f"of_{gate}", table)
        assert notes_of(run.published_table(f"of_{gate}")) == notes_of(table)


def test_a_column_hidden_throughout_is_missing_when_read_back(tmp_path):
    rows = [
        estimate_row(estimate=NAN, status="c"),
        estimate_row(estimate=NAN, status="c", role="secondary"),
    ]
    back = read_table(write_table(safe(rows), tmp_path, "impact", areas={}), gate="estimates")
    assert back.frame["estimate"].isna().all()
    assert back.frame["status"].tolist() == ["c", "c"]
    assert back.frame["role"].tolist() == ["primary", "secondary"]


def test_a_p_value_that_rounds_to_zero_is_low_and_comes_back_as_zero(tmp_path):
    rows = [estimate_row(p_value=p) for p in (0.00001, 0.0312, NAN)]
    path = write_table(safe(rows), tmp_path, "impact", areas={})
    assert list(text_of(path)["p_value"]) == ["low", "0.0312", "x"]
    back = read_table(path, gate="estimates").frame["p_value"]
    assert back.tolist()[:2] == [0.0, 0.0312]
    assert back.isna().tolist() == [False, False, True]


def test_an_empty_text_is_no_blank_in_the_file_and_empty_when_read_back(tmp_path):
    rows = [{"check": "a", "reason": text, "column": "", "status": ""} for text in ("", "why")]
    path = write_table(safe(rows), tmp_path, "checks", areas={})
    assert text_of(path).iloc[0].tolist() == ["a", "z", "z", "shown"]
    back = read_table(path, gate="facts").frame
    assert back[["reason", "column", "status"]].to_numpy().tolist() == [
        ["", "", ""],
        ["why", "", ""],
    ]


def test_bad_names_places_and_tables_are_refused(tmp_path):
    with pytest.raises(ContractError, match="name is 'Gaps 1'"):
        write_table(safe(gap_rows()), tmp_path, "Gaps 1", areas=AREAS)
    with pytest.raises(ContractError, match=f"area {AUTHORITY} has no name"):
        write_table(safe(gap_rows()), tmp_path, "gaps", areas={})
    with pytest.raises(DisclosureError):
        write_table(gap_rows(), tmp_path, "gaps", areas=AREAS)
    with pytest.raises(ContractError, match="folder missing does not exist"):
        write_table(safe(gap_rows()), tmp_path / "missing", "gaps", areas=AREAS)
    with pytest.raises(ContractError, match=r"table none\.csv does not exist"):
        read_table(tmp_path / "none.csv", gate="cells")


def test_truth_values_are_written_as_words(tmp_path):
    table = safe([{"check": "a", "comparable": True}, {"check": "b", "comparable": False}])
    written = text_of(write_table(table, tmp_path, "checks", areas={}))
    assert written["comparable"].tolist() == ["True", "False"]
    assert set(text_of(tmp_path / "checks.meta.csv")["col_type"]) == {"Filter"}


def results(path, **changes):
    stated = {"statement": "inconclusive", "confidence": "none", "decided_by": NAN}
    rules = [stated | {"rule": "power", "verdict": "fail", "value": 2.8, "limit": NAN}]
    options = {
        "headline": safe([estimate_row()], stamp="SYNTHETIC"),
        "evidence": safe(rules),
        "levels": safe(gap_rows()),
        "gaps": safe(gap_rows()),
        "protocol": {"status": "registered", "unchanged": True},
        "run": {"name": "demo"},
    } | changes
    write_results(path, **options)
    return json.loads(path.read_text(encoding="utf-8"))


def test_results_have_stable_keys_and_the_last_year_only(tmp_path):
    found = results(tmp_path / "results.json")
    assert list(found) == [
        *("schema", "stamp", "run", "headline", "evidence", "levels", "gaps", "protocol")
    ]
    assert found["stamp"] == "SYNTHETIC"
    assert found["headline"]["estimate"] == -1.4
    assert found["headline"]["index"] is None
    assert found["headline"]["pupils"] == 800
    assert found["evidence"] == {
        "statement": "inconclusive",
        "confidence": "none",
        "decided_by": "",
        "rules": [{"rule": "power", "verdict": "fail", "value": 2.8, "limit": None}],
    }
    assert [row["time_period"] for row in found["gaps"]] == [202425]
    assert found["protocol"] == {"status": "registered", "unchanged": True}


def test_results_take_numbers_from_safe_tables_only(tmp_path):
    path = tmp_path / "results.json"
    with pytest.raises(ContractError, match=r"protocol pupils is 3, must be words"):
        results(path, protocol={"pupils": 3})
    with pytest.raises(ContractError, match="headline has 2 rows"):
        results(path, headline=safe([estimate_row(), estimate_row(role="secondary")]))
    with pytest.raises(DisclosureError):
        results(path, gaps=gap_rows())
    assert not path.exists()
    stated = {"statement": "inconclusive", "confidence": "none", "decided_by": ""}
    row = {"rule": "a", "verdict": "pass", "registered": pd.Timestamp("2026-01-02")}
    dated = safe([stated | row])
    empty = safe(gap_rows()).where(metric="severe_absence")
    found = results(path, evidence=dated, levels=empty, run=None)
    assert found["evidence"]["rules"][0]["registered"].startswith("2026-01-02")
    assert found["levels"] == []
