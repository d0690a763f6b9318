"""A folder of returns opens as typed tables, or says in one sentence why not."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from tests.returns.tiny import PUPILS, TINY, TODAY, YEARS, changed, header_only, without, write
from vsh_eval.contracts import RETURNS, ContractError
from vsh_eval.returns import check, identifiers, open_returns

DATES = {"schools": ["opened", "closed"], "episodes": ["start_date", "end_date"]}


def table(returns, name):
    return returns.connection.execute(f"FROM {name} ORDER BY ALL").df()


def rows(returns, name):
    return returns.connection.execute(f"FROM {name} ORDER BY ALL").fetchall()


def types(returns, name):
    described = returns.connection.execute(f"DESCRIBE {name}").fetchall()
    return {column: kind for column, kind, *_ in described}


def as_parquet(folder, tables=TINY, *, parts=()):
    """Write tables as Parquet with the types that software would give them."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = {"integer": "DOUBLE", "number": "DOUBLE", "date": "TIMESTAMP", "text": "VARCHAR"}
    with duckdb.connect(":memory:") as connection:
        for name, text in tables.items():
            (folder / "text.csv").write_text(text, encoding="utf-8")
            kinds = {c.name: c.kind for c in RETURNS[name].columns}
            casts = {
                column: f"CAST({column} AS {stored[kinds.get(column, 'text')]}) AS {column}"
                for column in text.splitlines()[0].split(",")
                if column != "academic_year"
            }
            if kinds.get("academic_year"):
                casts["year"] = "CAST(replace(academic_year, '/', '') AS BIGINT) AS academic_year"
            read = connection.read_csv(folder / "text.csv", all_varchar=True, header=True)
            to = folder / name if name in parts else folder / f"{name}.parquet"
            by = ["academic_year"] if name in parts else None
            read.project(", ".join(casts.values())).write_parquet(str(to), partition_by=by)
    (folder / "text.csv").unlink()
    return folder


def test_every_table_has_the_contracts_columns_and_types(opened):
    returns = opened()

    assert returns.tables == tuple(RETURNS)
    assert set(returns.formats.values()) == {"csv"}
    assert returns.years == YEARS
    assert opened(years=(202223, 202122, 202223)).years == YEARS
    sql = {"text": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "date": "DATE"}
    for name, contract in RETURNS.items():
        expected = {c.name: sql.get(c.kind, "BIGINT") for c in contract.columns}
        expected |= {"idaci": "DOUBLE"} if name == "schools" else {}
        assert types(returns, name) == expected


def test_values_are_typed_and_text_stays_text(opened):
    returns = opened()
    schools = table(returns, "schools")
    assert schools["urn"].tolist() == ["000101", "000102"]
    assert schools["name"].tolist() == ["Ash, Elm Primary", "Birch High"]
    assert schools["opened"].isna().tolist() == [False, True]
    assert schools["idaci"].tolist() == [0.21, 0.34]
    assert "postcode" not in schools
    enrolments = table(returns, "enrolments")
    assert enrolments["pupil_id"].iloc[0] == "0070001"
    assert set(enrolments["academic_year"]) == {202122, 202223}


def test_optional_tables_are_empty_and_optional_columns_null(opened):
    tables = without("school_links", "suspensions")
    tables["training"] = "".join(
        ",".join(line.split(",")[:4]) + "\n" for line in TINY["training"].splitlines()
    )
    returns = opened(tables)

    assert "suspensions" not in returns.tables
    assert table(returns, "suspensions").empty
    assert types(returns, "school_links")["date"] == "DATE"
    training = table(returns, "training")
    assert training[["staff_trained", "hours", "audience", "cost"]].isna().all(axis=None)


def test_csv_and_parquet_give_the_same_tables_and_findings(tmp_path):
    csv = open_returns(write(tmp_path / "csv"), years=YEARS)
    parquet = open_returns(
        as_parquet(tmp_path / "parquet", parts=("attendance", "enrolments")), years=YEARS
    )

    assert set(parquet.formats.values()) == {"parquet"}
    for name in RETURNS:
        assert types(csv, name) == types(parquet, name)
        assert rows(csv, name) == rows(parquet, name)
    pd.testing.assert_frame_equal(check(csv, today=TODAY), check(parquet, today=TODAY))


def test_parquet_may_hold_numbers_for_text_and_text_for_dates(tmp_path):
    folder = write(tmp_path / "mixed")
    for name, columns in {"school_links": ("urn",), "episodes": ("pupil_id",)}.items():
        frame = pd.read_csv(folder / f"{name}.csv", dtype=str).astype(dict.fromkeys(columns, int))
        frame.to_parquet(folder / f"{name}.parquet")
        (folder / f"{name}.csv").unlink()
    with open_returns(folder) as returns:
        assert table(returns, "school_links")["urn"].tolist() == ["99"]
        assert set(table(returns, "episodes")["pupil_id"]) == {"70001", "70003"}
        assert types(returns, "episodes")["start_date"] == "DATE"
        assert returns.formats["episodes"] == "parquet"
        assert returns.formats["schools"] == "csv"


@pytest.mark.parametrize("written", ["2021/22", "2021-22", "202122"])
def test_three_spellings_of_a_year_are_one(opened, written):
    returns = opened(changed("enrolments", "2021/22", written))
    assert set(table(returns, "enrolments")["academic_year"]) == {202122, 202223}


def test_two_formats_of_dates_are_one_date_each_column_its_own(opened):
    frame = pd.DataFrame(
        [line.split(",") for line in TINY["episodes"].splitlines()[1:]],
        columns=TINY["episodes"].splitlines()[0].split(","),
    )
    frame["start_date"] = pd.to_datetime(frame["start_date"]).dt.strftime("%d/%m/%Y")
    british = opened({**TINY, "episodes": frame.to_csv(index=False)})

    assert british.date_formats["episodes.start_date"] == "dd/mm/yyyy"
    assert british.date_formats["episodes.end_date"] == "yyyy-mm-dd"
    pd.testing.assert_frame_equal(table(british, "episodes"), table(opened(), "episodes"))


def test_a_byte_order_mark_windows_line_ends_and_further_columns_do_no_harm(tmp_path):
    folder = write(tmp_path / "windows")
    for name, text in TINY.items():
        lines = [f"{line},note {i}" for i, line in enumerate(text.splitlines())]
        spelled = "\ufeff" + "\r\n".join(lines)
        (folder / f"{name}.csv").write_bytes(spelled.encode("utf-8"))
    with open_returns(folder) as windows, open_returns(write(tmp_path / "plain")) as plain:
        for name in RETURNS:
            pd.testing.assert_frame_equal(table(windows, name), table(plain, name))


def test_columns_may_stand_in_any_order_and_have_empty_names(opened):
    reordered = {
        name: "".join(",".join(reversed(line.split(","))) + ",,\n" for line in text.splitlines())
        for name, text in TINY.items()
        if name != "schools"
    }
    mixed, plain = opened({**TINY, **reordered}), opened()
    for name in RETURNS:
        assert rows(mixed, name) == rows(plain, name)


def test_a_quoted_line_break_and_non_english_letters_are_kept(opened):
    returns = opened(changed("schools", "Birch High", '"Ysgol\nBrân ""B"""'))
    assert table(returns, "schools")["name"].tolist()[1] == 'Ysgol\nBrân "B"'


def test_covariates_are_the_further_columns_that_are_numbers(opened):
    lines = (
        'urn,name,phase,la_code,opened,closed,idaci,half,blank,"share of ""x"""',
        "000101,Ash,primary,E06000049,,,0.21,1,,",
        "000102,Birch,secondary,E06000049,,,,low,,7",
    )
    returns = opened({**TINY, "schools": "\n".join(lines)})
    assert returns.covariates == ("idaci", 'share of "x"')
    assert returns.left_out == ("half",)
    assert table(returns, "schools")['share of "x"'].tolist() == pytest.approx(
        [np.nan, 7.0], nan_ok=True
    )


def test_schools_need_no_covariates(opened):
    lines = (
        "urn,name,phase,la_code,opened,closed",
        "000101,Ash,primary,E06000049,,",
        "000102,Birch,secondary,E06000049,,",
    )
    returns = opened({**TINY, "schools": "\n".join(lines)})
    assert (returns.covariates, returns.left_out) == ((), ())
    assert set(check(returns, today=TODAY)["result"]) == {"pass"}


def test_a_folder_with_wildcards_in_its_name_is_itself(tmp_path):
    write(tmp_path / "a", header_only("attendance"))
    with open_returns(write(tmp_path / "[ab]")) as returns:
        assert len(table(returns, "attendance")) == 27
    with open_returns(as_parquet(tmp_path / "50%?*", parts=("attendance",))) as returns:
        assert len(table(returns, "attendance")) == 27


def test_identifiers_are_those_of_every_table(opened):
    tables = changed("episodes", "0070003", "0070099")
    assert identifiers(opened(tables)) == {*PUPILS, "0070099"}


def test_nothing_is_written_beside_the_returns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open_returns(write(tmp_path / "returns")) as returns:
        check(returns, today=TODAY)
    assert {path.name for path in tmp_path.iterdir()} == {"returns"}
    assert {path.stem for path in (tmp_path / "returns").iterdir()} == set(TINY)


# --- What stops the reading, in one sentence that never quotes a pupil.


def _refused(folder, **options) -> str:
    with pytest.raises(ContractError) as caught:
        open_returns(folder, **options)
    error = caught.value
    while error is not None:
        assert "007" not in str(error)
        error = error.__context__
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    return message


def test_a_missing_folder_is_refused(tmp_path):
    assert _refused(tmp_path / "gone") == (
        "folder 'gone' of the returns does not exist; name the folder that holds schools.csv and "
        "the other tables."
    )


def test_missing_required_tables_are_refused_together(tmp_path):
    message = _refused(write(tmp_path / "la", without("attendance", "training", "suspensions")))
    assert message == (
        "folder 'la' lacks attendance, training; every return needs a file named after it, for "
        "example attendance.csv or attendance.parquet."
    )


def test_a_table_that_is_there_twice_is_refused(tmp_path):
    folder = as_parquet(write(tmp_path / "la"), {"episodes": TINY["episodes"]})
    assert "episodes is there as episodes.csv and as episodes.parquet" in _refused(folder)


def test_a_missing_column_is_refused_with_the_name_it_may_have(tmp_path):
    tables = changed("attendance", "sess_possible", "Sess Possible")
    assert _refused(write(tmp_path, tables)) == (
        "attendance.csv (28 lines) lacks the column sess_possible; rename 'Sess Possible' to "
        "'sess_possible'."
    )


@pytest.mark.parametrize("store", [write, as_parquet])
def test_missing_columns_are_refused_in_either_format(tmp_path, store):
    text = "".join(line.rpartition(",")[0] + "\n" for line in TINY["suspensions"].splitlines())
    message = _refused(store(tmp_path / "la", {**TINY, "suspensions": text}))
    assert message.startswith("suspensions.")
    assert message.endswith(
        "lacks the column permanent_exclusions; its header must name pupil_id, academic_year, "
        "urn, suspensions, permanent_exclusions."
    )


def test_a_file_without_a_header_line_is_refused_and_not_quoted(tmp_path):
    text = TINY["episodes"].partition("\n")[2]
    message = _refused(write(tmp_path, {**TINY, "episodes": text}))
    assert "episodes.csv (7 lines) lacks the columns pupil_id, status" in message


@pytest.mark.parametrize("text", ["", "\n", ",,,\n1,2,3,4\n", "a" * 200_000])
def test_a_file_that_names_no_columns_is_refused(tmp_path, text):
    message = _refused(write(tmp_path, {**TINY, "episodes": text}))
    assert message == ("episodes.csv has no header line; its first line must name the columns.")


@pytest.mark.parametrize(("again", "named"), [("URN", "'urn' "), ("note,Note", "")])
def test_a_column_named_twice_is_refused(tmp_path, again, named):
    message = _refused(write(tmp_path, changed("schools", "postcode", again)))
    assert f"schools.csv (3 lines) names the column {named}more than once" in message


def test_another_encoding_is_refused(tmp_path):
    folder = write(tmp_path)
    spelled = TINY["schools"].replace("Birch", "Brân").encode("cp1252")
    (folder / "schools.csv").write_bytes(spelled)
    assert _refused(folder) == (
        "schools.csv (3 lines) is not UTF-8, first seen in line 3, must be; save it as 'CSV UTF-8 "
        "(comma delimited)'."
    )


def test_another_encoding_is_found_deep_in_a_large_file(tmp_path):
    folder = write(tmp_path)
    line = b"0070001,CIN,2015-10-01,2016-05-01,episode\n"
    spoilt = TINY["episodes"].encode() + line * 30_000 + b"\xff\n" + line * 30_000
    (folder / "episodes.csv").write_bytes(spoilt)
    message = _refused(folder)
    assert "episodes.csv (60,009 lines) is not UTF-8, first seen in line 30,009" in message


def test_a_letter_cut_off_at_the_end_is_refused(tmp_path):
    folder = write(tmp_path)
    (folder / "schools.csv").write_bytes(TINY["schools"].encode() + b"000103,Br\xc3")
    assert "schools.csv" in _refused(folder)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("2016-05-01,episode", "2016-05-01", "cannot be read from line 2 on"),
        ("2016-05-01,episode", "2016-05-01,episode,more", "cannot be read from line 2 on"),
        ("0070001,CIN,2015", '"0070001,CIN,2015', "closed quotes; export it again"),
    ],
)
def test_a_broken_line_is_refused_and_not_quoted(tmp_path, old, new, words):
    message = _refused(write(tmp_path, changed("episodes", old, new)))
    assert message.startswith("episodes.csv (8 lines) cannot be read")
    assert words in message


def test_mixed_formats_of_dates_are_refused(tmp_path):
    message = _refused(write(tmp_path, changed("episodes", "2022-02-01", "01/02/2022")))
    assert message == (
        "episodes.csv (8 lines) writes start_date as yyyy-mm-dd in 6 rows and as dd/mm/yyyy in 1, "
        "must keep to one format a column; export the dates again in one."
    )


def test_dates_in_no_known_format_are_refused(tmp_path):
    tables = changed("school_links", "2019-09-01", "1 Sep 2019")
    assert _refused(write(tmp_path, tables)) == (
        "school_links.csv (2 lines) writes date neither as yyyy-mm-dd nor as dd/mm/yyyy (rows with "
        "a value: 1), must keep to one of them; export the dates again."
    )


def test_a_parquet_file_that_is_none_is_refused(tmp_path):
    folder = write(tmp_path, without("episodes"))
    (folder / "episodes.parquet").write_text(TINY["episodes"], encoding="utf-8")
    assert _refused(folder) == (
        "episodes.parquet cannot be read as Parquet; write it again, or give the table as CSV."
    )


def test_years_must_be_years(tmp_path):
    assert "two years that follow each other" in _refused(write(tmp_path), years=(202199,))
