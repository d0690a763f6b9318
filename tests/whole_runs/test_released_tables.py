"""Laws of every file of numbers that a run releases: DfE's rules for open data, and the workbook.

The rules are those of DfE's screener for Explore education statistics (`eesyscreener`, its failing
checks) that need no list of codes from elsewhere; they are written here anew.
"""

import json
import re

import pandas as pd
import pytest

from tests.release.xlsx import lines, sheet_names, table_rows
from tests.whole_runs.released import tables_of
from vsh_eval.pipeline.pages import MOST_ROWS
from vsh_eval.release.files.open_data import GEOGRAPHY, TIME
from vsh_eval.release.text.phrases.tables import TABLES

META = [
    "col_name", "col_type", "label", "indicator_grouping", "indicator_unit", "indicator_dp",
    "filter_hint", "filter_grouping_column", "filter_default",
]  # fmt: skip
UNITS = {"", "%", "pp", "£", "£m", "numberstring"}
SYMBOLS = {"c", "low", "u", "x", "z"}


@pytest.fixture(scope="module")
def tables(release):
    return tables_of(release)


def of_type(meta, kind):
    return meta.loc[meta["col_type"].eq(kind), "col_name"]


def breaking(tables, rule):
    """Return what breaks a rule, by table; a rule is a function of data and metadata."""
    return {name: found for name, pair in tables.items() if (found := list(rule(*pair)))}


def test_names_of_files_and_columns_are_as_dfe_wants_them(tables):
    assert len(tables) >= 8
    assert [name for name in tables if not re.fullmatch(r"[a-z0-9_-]+", name)] == []
    named = breaking(tables, lambda data, _: [c for c in data if not re.fullmatch(r"[a-z]\w*", c)])
    assert named == {}
    assert breaking(tables, lambda data, _: [c for c in data if c != c.lower()]) == {}


def test_the_metadata_describe_every_column_but_time_place_and_texts_of_one_value(tables):
    def rule(data, meta):
        others = {column for column in data if column not in {*TIME, *GEOGRAPHY}}
        told = {*meta["col_name"]} - {"time_period"}
        yield from told - others
        yield from (c for c in others - told if len(set(data[c])) > 1)
        yield from (c for c in of_type(meta, "Filter") if len(set(data[c])) < 2)
        yield from meta.loc[~meta["col_type"].isin(["Filter", "Indicator"]), "col_name"]
        yield from meta.loc[meta["label"].eq("") | meta["label"].duplicated(), "label"]
        yield from meta.loc[~meta["indicator_unit"].isin(UNITS), "indicator_unit"]
        yield from [] if list(meta) == META else ["columns"]
        indicator = meta["col_type"].eq("Indicator")
        yield from meta.loc[indicator ^ meta["indicator_dp"].ne(""), "col_name"]
        yield from meta.loc[~indicator & meta["indicator_unit"].ne(""), "col_name"]
        yield from meta.loc[indicator & meta["filter_default"].ne(""), "col_name"]

    assert breaking(tables, rule) == {}


def test_no_filter_is_blank_and_its_default_is_one_of_its_values(tables):
    def rule(data, meta):
        for column in of_type(meta, "Filter"):
            if data[column].ne(data[column].str.strip()).any() or data[column].eq("").any():
                yield column
        for column, default in (
            meta.loc[meta["filter_default"].ne("")].set_index("col_name")["filter_default"].items()
        ):
            if default not in set(data[column]):
                yield f"{column}: {default}"

    assert breaking(tables, rule) == {}


def test_an_indicator_is_a_number_without_idle_zeros_or_a_symbol(tables):
    number = re.compile(r"-?(0|[1-9]\d*)(\.\d*[1-9])?")

    def rule(data, meta):
        for column in of_type(meta, "Indicator"):
            yield from (
                f"{column}: {value}"
                for value in set(data[column]) - SYMBOLS
                if not number.fullmatch(value) or value == "-0"
            )

    assert breaking(tables, rule) == {}


def test_a_p_value_is_never_zero(tables):
    def rule(data, _):
        return [c for c in data if c.startswith("p_") and data[c].isin(["0", "0.0"]).any()]

    assert breaking(tables, rule) == {}


def test_no_two_rows_are_about_the_same(tables):
    def rule(data, meta):
        keys = [c for c in data if c in {*TIME, *GEOGRAPHY} or c in set(of_type(meta, "Filter"))]
        if not keys:  # a table whose one row is about the whole
            return [] if len(data) <= 1 else ["no key"]
        return map(" ".join, data.loc[data.duplicated(keys), keys].to_numpy())

    assert breaking(tables, rule) == {}


def test_years_and_places_are_whole(tables):
    """For the tables that have them; the others say nothing of one year and are no EES data set."""
    dated = {name: pair for name, pair in tables.items() if "time_identifier" in pair[0]}
    assert {"levels", "gaps"} <= set(dated)

    def rule(data, _):
        yield from {*GEOGRAPHY, *TIME} - set(data)
        yield from data.loc[data["time_identifier"].ne("Academic year"), "time_identifier"]
        year = data["time_period"].str
        following = (pd.to_numeric(year[2:4]) + 1) % 100 == pd.to_numeric(year[4:6])
        yield from data.loc[~(year.fullmatch(r"\d{6}") & following), "time_period"]
        yield from data.loc[data["country_code"].ne("E92000001"), "country_code"]
        level = data["geographic_level"]
        yield from set(level) - {"National", "Regional", "Local authority"}
        region, authority = (
            ["region_code", "region_name"],
            ["old_la_code", "new_la_code", "la_name"],
        )
        wanted = {"National": [], "Regional": region, "Local authority": region + authority}
        for one, columns in wanted.items():
            rows = data.loc[level.eq(one), region + authority]
            filled = rows.ne("")
            right = filled[columns].all(axis="columns") & ~filled.drop(columns=columns).any(
                axis="columns"
            )
            yield from map(" ".join, rows[~right].to_numpy())

    assert breaking(dated, rule) == {}


# --- The workbook


@pytest.fixture(scope="module")
def book(release):
    return release / "workbook.xlsx"


def test_the_workbook_has_every_table_with_a_row_and_says_what_each_answers(book, tables):
    filled = [name for name, (data, _) in tables.items() if len(data)]
    assert sheet_names(book) == ["Cover", "Contents", *filled]
    heads, *rows = table_rows(book, "Contents")
    assert heads == ["Worksheet", "Title", "What it answers"]
    assert [row[0] for row in rows] == filled
    assert [name for name in tables if name not in TABLES] == []
    for column in zip(*rows, strict=True):
        assert len(set(column)) == len(filled), "two sheets are said to be the same"


def test_a_sheet_has_title_question_units_source_date_licence_and_protection_once(book, tables):
    for name in sheet_names(book)[2:]:
        said = lines(book, name)
        assert (said[0].split(" (")[0], said[1]) == tuple(TABLES[name].values()), name
        starts = [line.split(":")[0] for line in said]
        for what in ("Units", "Source", "Date", "Licence"):
            assert starts.count(what) == 1, (name, what)
        assert len(set(said)) == len(said), name
        if {"group_pupils", "pupils"} & set(tables[name][0]) and "SYNTHETIC" in said[0]:
            assert sum("hidden (c)" in line for line in said) == 1, name


def test_a_sheet_has_one_heading_a_column_and_no_blank_cell(book):
    for name in sheet_names(book)[1:]:
        heads, *rows = table_rows(book, name)
        assert len(set(heads)) == len(heads), name
        assert all(value not in (None, "") for row in rows for value in row), name


def test_the_workbook_has_the_numbers_of_the_files(book, tables, release):
    """The pupils of a table are where its file has them, whatever the column is called.

    Of a table too long to look through it has the rows of the children that the run asks about.
    """
    own = json.loads((release / "results.json").read_text(encoding="utf-8"))["gaps"][0]
    for name in ("levels", "gaps"):
        data, meta = tables[name]
        if len(data) > MOST_ROWS:
            asked = ["group"] if name == "gaps" else ["group", "reference"]
            data = data[data["group"].isin([own[key] for key in asked])]
            data = data[data["reference"].eq(own["reference"])] if name == "gaps" else data
        heads, *rows = table_rows(book, name)
        indicators = meta.loc[meta["col_type"].eq("Indicator")]
        for column, label in zip(indicators["col_name"], indicators["label"], strict=True):
            shown = [str(row[heads.index(label)]).removesuffix(".0") for row in rows]
            assert shown == data[column].tolist(), (name, column)
