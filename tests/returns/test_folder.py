"""A folder of returns opens as typed tables, or says in one sentence why not."""

import re
import shutil

import duckdb
import numpy as np
import pandas as pd
import pytest

from tests.returns.tiny import PUPILS, TINY, YEARS, changed, header_only, without, write
from vsh_eval.contracts import RETURNS, ContractError
from vsh_eval.returns import Expected, check, identifiers, open_returns
from vsh_eval.settings import Files


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


def british(folder):
    """Write one of two date columns as an English spreadsheet does, and years in a third form."""
    lines = [
        re.sub(r"(20\d\d)-(\d\d)-(\d\d)", r"\3/\2/\1", line, count=1)
        for line in TINY["episodes"].splitlines()
    ]
    years = {name: re.sub(r"(20\d\d)/(\d\d)", r"\1-\2", text) for name, text in TINY.items()}
    compact = TINY["attendance"].replace("2021/22", "202122")
    return write(folder, {**years, "attendance": compact, "episodes": "\n".join(lines)})


def from_windows(folder):
    """Add a byte order mark, Windows line ends, a further column and one without a name."""
    write(folder)
    for name, text in TINY.items():
        lines = [
            f"{line},note {i}," if i else f"{line},note,"
            for i, line in enumerate(text.splitlines())
        ]
        (folder / f"{name}.csv").write_bytes(("\ufeff" + "\r\n".join(lines)).encode("utf-8"))
    return folder


def in_reverse(folder):
    """Write the columns of every table but schools the other way round."""
    reverse = {
        name: "".join(",".join(reversed(line.split(","))) + "\n" for line in text.splitlines())
        for name, text in TINY.items()
        if name != "schools"
    }
    return write(folder, {**TINY, **reverse})


def in_parquet(folder):
    return as_parquet(folder, parts=("attendance", "enrolments"))


def typed_parquet(folder):
    """Write the tiny tables as Parquet in the contract's own types."""
    folder.mkdir(parents=True, exist_ok=True)
    with open_returns(write(folder / "text")) as returns:
        for name in returns.tables:
            file = folder / f"{name}.parquet"
            returns.connection.execute(f"COPY (FROM {name}) TO '{file}' (FORMAT parquet)")
    shutil.rmtree(folder / "text")
    return folder


def loaded(returns):
    """The tables that are held in memory."""
    found = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'reading'"
    return {name for (name,) in returns.connection.execute(found).fetchall()}


@pytest.mark.parametrize(
    ("column", "value"),
    [("pupil_id", " 0070003 "), ("pupil_id", ""), ("academic_year", 202126), ("value", np.inf)],
)
def test_typed_parquet_is_read_in_place_unless_a_value_must_be_understood(tmp_path, column, value):
    folder = typed_parquet(tmp_path)
    assert loaded(open_returns(folder)) == set()
    file = folder / "attainment.parquet"
    changed_rows = pd.read_parquet(file)
    changed_rows.loc[0, column] = value
    changed_rows.to_parquet(file)
    with open_returns(folder) as returns:
        assert loaded(returns) == {"attainment"}
        read = table(returns, "attainment")[column]
        assert read.isna().sum() == (value != " 0070003 ")
        assert value not in set(read)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The tiny returns as they are, and what is found in them."""
    with open_returns(write(tmp_path_factory.mktemp("plain")), years=YEARS) as returns:
        yield returns, check(returns)


@pytest.mark.parametrize("store", [british, from_windows, in_reverse, in_parquet, typed_parquet])
def test_the_same_returns_written_otherwise_are_the_same_tables_and_findings(
    tmp_path, plain, store
):
    plain, plain_findings = plain
    other = open_returns(store(tmp_path / "other"), years=YEARS)
    for name in RETURNS:
        assert types(plain, name) == types(other, name)
        assert rows(plain, name) == rows(other, name)
    pd.testing.assert_frame_equal(check(other), plain_findings)
    in_columns = store in (in_parquet, typed_parquet)
    assert set(other.formats.values()) == {"parquet" if in_columns else "csv"}


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


def test_a_folder_with_wildcards_in_its_name_is_itself(tmp_path):
    write(tmp_path / "a", header_only("attendance"))
    with open_returns(write(tmp_path / "[ab]")) as returns:
        assert len(table(returns, "attendance")) == 27
    with open_returns(as_parquet(tmp_path / "50%?*", parts=("attendance",))) as returns:
        assert len(table(returns, "attendance")) == 27


@pytest.mark.parametrize("store", [write, as_parquet])
def test_identifiers_are_those_of_every_table(tmp_path, store):
    tables = changed("episodes", "0070003", " 0070099 ")
    found = identifiers(store(tmp_path, tables), files=Files(), authority="")
    assert found == {*PUPILS, "0070099"}


@pytest.mark.parametrize("store", [write, as_parquet, typed_parquet])
def test_rows_in_which_every_cell_is_blank_are_passed_over_and_counted(tmp_path, plain, store):
    below = {name: 1 + place for place, name in enumerate(TINY)}
    spoilt = {
        name: text
        + (
            f"{' ' if store is write else ''}{',' * text.splitlines()[0].count(',')}\n"
            * below[name]
        )
        for name, text in TINY.items()
    }
    if store is typed_parquet:
        folder = store(tmp_path / "la")
        for name, many in below.items():
            file = folder / f"{name}.parquet"
            held = pd.read_parquet(file, dtype_backend="pyarrow")
            held.reindex(range(len(held) + many)).to_parquet(file)
    else:
        folder = store(tmp_path / "la", spoilt)
    with open_returns(folder, years=YEARS) as returns:
        for name in RETURNS:
            assert rows(plain[0], name) == rows(returns, name)
        pd.testing.assert_frame_equal(check(returns), plain[1])
        said = {note.details["file"].split(".")[0]: note.details["rows"] for note in returns.notes}
        assert {note.code for note in returns.notes} == {"blank_rows"}
        assert said == below


def test_a_row_with_a_value_in_a_further_column_is_not_blank(opened):
    tables = {name: TINY[name] for name in TINY}
    tables["schools"] += ",,,,,,0.5,\n"
    tables["episodes"] = "note," + tables["episodes"].replace("\n", "\n,")[:-1] + "kept,,,,,\n"
    returns = opened(tables)
    assert returns.notes == ()
    assert len(rows(returns, "schools")) == 3
    assert len(rows(returns, "episodes")) == TINY["episodes"].count("\n")


def test_nothing_is_written_beside_the_returns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open_returns(write(tmp_path / "returns")) as returns:
        check(returns)
    assert {path.name for path in tmp_path.iterdir()} == {"returns"}
    assert {path.stem for path in (tmp_path / "returns").iterdir()} == set(TINY)


OTHERS_SCHOOL = {
    **changed("schools", "secondary,E06000049", "secondary,E06000050"),
    "school_links": TINY["school_links"] + "000098,000102,2018-09-01\n",
}


@pytest.mark.parametrize(
    ("authority", "every_school", "expected"),
    [
        ("E06000049", False, [1, 3, 1, 1]),
        ("E06000049", True, [2, 5, 2, 2]),
        ("E06000099", False, [2, 5, 2, 2]),
        ("", False, [2, 5, 2, 2]),
    ],
)
def test_schools_of_other_authorities_are_left_out_unless_asked_for(
    tmp_path, authority, every_school, expected
):
    """With the wrong code everything is left in: the check fails it, and says whose schools."""
    folder = write(tmp_path, OTHERS_SCHOOL)
    with open_returns(
        folder, authority=authority, every_school=every_school, years=YEARS
    ) as returns:
        counts = [
            returns.connection.execute(f"FROM {what}").fetchall()[0][0]
            for what in ("schools SELECT count(*)", "enrolments SELECT count(DISTINCT pupil_id)",
                         "training SELECT count(*)", "school_links SELECT count(*)")
        ]  # fmt: skip
    assert counts == expected


@pytest.mark.parametrize(
    ("authority", "before", "link", "own", "said"),
    [
        ("E06000066", "E10000027", "", 2, ""),  # Somerset has another code since 2023
        ("E06000063", "E10000006", "", 1, "E06000063 was formed on 1 April 2023"),
        ("E06000063", "E10000006", "000102,000101,\n", 2, "E06000063 was formed on 1 April 2023"),
    ],
    ids=["recoded", "split", "split and linked"],
)
def test_schools_of_an_authority_that_was_reorganised(tmp_path, authority, before, link, own, said):
    """One that closed before counts where the area is the same, or a link leads to one of today."""
    first, second = ("primary", authority), ("secondary", before)
    schools = TINY["schools"]
    for phase, code in (first, second):
        schools = schools.replace(f"{phase},E06000049", f"{phase},{code}")
    links = TINY["school_links"] + link
    folder = write(tmp_path, {**TINY, "schools": schools, "school_links": links})
    with open_returns(folder, authority=authority, years=YEARS) as returns:
        assert len(rows(returns, "schools")) == own
        found = check(returns, Expected(authority)).set_index("check").loc["authority_asked"]
    assert (found["result"], found["rows"]) == (("warn", 1) if said else ("pass", 0))
    assert said in found["message"]


def test_what_three_digits_name_is_not_another_authority(tmp_path):
    folder = write(tmp_path, changed("schools", "secondary,E06000049", "secondary,895"))
    with open_returns(folder, authority="E06000049") as returns:
        assert len(rows(returns, "schools")) == 2


# --- What stops the reading, in one sentence that never quotes a pupil.

HEADERLESS = "episodes.csv has no header line; its first line must name the columns."
TRAINED = TINY["training"].partition("\n")[0]
CAPITALS = ", ".join(f"rename {name.upper()!r} to {name!r}" for name in TRAINED.split(","))
LINE = b"0070001,CIN,2015-10-01,2016-05-01,episode\n"


def with_bytes(name, content):
    def put(folder):
        (write(folder) / f"{name}.csv").write_bytes(content)

    return put


def with_text(tables):
    return lambda folder: write(folder, tables)


def without_last_column(store):
    lines = TINY["suspensions"].splitlines()
    text = "".join(line.rpartition(",")[0] + "\n" for line in lines)
    return lambda folder: store(folder, {**TINY, "suspensions": text})


def no_parquet(folder):
    write(folder, without("episodes"))
    (folder / "episodes.parquet").write_text(TINY["episodes"], encoding="utf-8")


def nothing(folder):
    """Leave the folder out."""


# What lies in the folder, and what the sentence is or begins with.
REFUSED = {
    "no folder": (nothing,
        "folder 'la' of the returns does not exist; name the folder that holds schools.csv and "
        "the other tables."),
    "no tables": (with_text(without("attendance", "training", "suspensions")),
        "folder 'la' lacks attendance, training; every return needs a file named after it, for "
        "example attendance.csv or attendance.parquet."),
    "table twice": (lambda folder: as_parquet(write(folder), {"episodes": TINY["episodes"]}),
        "episodes is there as episodes.csv and as episodes.parquet, must be there once; move"),
    "column of another name": (with_text(changed("attendance", "sess_possible", "Sess Possible")),
        "attendance.csv (28 lines) lacks the column sess_possible; rename 'Sess Possible' to "
        "'sess_possible'."),
    "columns in capitals": (with_text(changed("training", TRAINED, TRAINED.upper())),
        f"training.csv (3 lines) lacks the columns urn, programme, tier, start_date; {CAPITALS}."),
    "columns in capitals, one lacking": (with_text(changed("schools", "urn,name,phase,", "URN,P,")),
        "schools.csv (3 lines) lacks the columns urn, name, phase; rename 'URN' to 'urn', its "
        "header must name urn"),
    "no column, CSV": (without_last_column(write),
        "suspensions.csv (2 lines) lacks the column permanent_exclusions; its header must name "
        "pupil_id, academic_year, urn, suspensions, permanent_exclusions."),
    "no column, Parquet": (without_last_column(as_parquet),
        "suspensions.parquet (1 row) lacks the column permanent_exclusions; its header must name"),
    "no header": (with_text({**TINY, "episodes": TINY["episodes"].partition("\n")[2]}),
        "episodes.csv (7 lines) lacks the columns pupil_id, status"),
    **{f"no names of columns {place}": (with_text({**TINY, "episodes": text}),
        HEADERLESS) for place, text in enumerate(("", "\n", ",,,\n1,2,3,4\n", "a" * 200_000))},
    "known column twice": (with_text(changed("schools", "postcode", "URN")),
        "schools.csv (3 lines) names the column 'urn' more than once, must name each once in "
        "its first line; rename"),
    "other column twice": (with_text(changed("schools", "postcode", "note,Note")),
        "schools.csv (3 lines) names the column more than once"),
    "another encoding": (with_bytes("schools", TINY["schools"].replace("Birch",
        "Brân").encode("cp1252")),
        "schools.csv (3 lines) is not UTF-8, first seen in line 3, must be; save it as 'CSV UTF-8 "
        "(comma delimited)'."),
    "another encoding deep in a large file": (with_bytes("episodes",
        TINY["episodes"].encode() + LINE * 30_000 + b"\xff\n" + LINE * 30_000),
        "episodes.csv (60,009 lines) is not UTF-8, first seen in line 30,009"),
    "letter cut off at the end": (with_bytes("schools",
        TINY["schools"].encode() + b"000103,Br\xc3"), "schools.csv (4 lines)"),
    "UTF-16": (with_bytes("schools", TINY["schools"].encode("utf-16")),
        "schools.csv is UTF-16, must be UTF-8; save it as 'CSV UTF-8 (comma delimited)'."),
    **{f"separated by {called}": (with_text({**TINY, "episodes": TINY["episodes"].replace(",",
        sign)}),
        f"episodes.csv (8 lines) is separated by {called}, must be by commas; save it as 'CSV "
        "UTF-8 (comma delimited)'.") for sign, called in {";": "semicolons", "\t": "tabs",
        "|": "bars"}.items()},
    "a line that says what separates": (with_text({**TINY,
        "episodes": "sep=,\n" + TINY["episodes"]}),
        "episodes.csv (9 lines) begins with 'sep=,', must begin with the names of its columns"),
    "a title": (with_text({**TINY, "episodes": "Episodes of 2024\n\n" + TINY["episodes"]}),
        "episodes.csv (10 lines) has its header in line 3, must have it in line 1; remove the"),
    "line too long among line ends of two kinds": (with_bytes("episodes",
        TINY["episodes"].replace("\n", "\r\n", 2).replace("CPP", "CPP,CPP").encode()),
        "episodes.csv (8 lines) cannot be read from line 8 on"),
    "line too short": (with_text(changed("episodes", "2016-05-01,episode", "2016-05-01")),
        "episodes.csv (8 lines) cannot be read from line 2 on, every line must have as many"),
    "line too long": (with_text(changed("episodes", "2016-05-01,episode",
        "2016-05-01,episode,more")), "episodes.csv (8 lines) cannot be read from line 2 on"),
    "open quote": (with_text(changed("episodes", "0070001,CIN,2015", '"0070001,CIN,2015')),
        "episodes.csv (8 lines) cannot be read"),
    "two formats of dates": (with_text(changed("episodes", "2022-02-01", "01/02/2022")),
        "episodes.csv (8 lines) writes start_date as yyyy-mm-dd in 6 rows and as dd/mm/yyyy in 1 "
        "row, must keep to one format a column; export the dates again in one."),
    "dates in no format": (with_text(changed("school_links", "2019-09-01", "1 Sep 2019")),
        "school_links.csv (2 lines) writes date neither as yyyy-mm-dd nor as dd/mm/yyyy nor as "
        "dd-mm-yyyy (rows with a value: 1), must keep to one of them; export the dates again."),
    "no Parquet inside": (no_parquet,
        "episodes.parquet cannot be read as Parquet; write it again, or give the table as CSV."),
}  # fmt: skip


@pytest.mark.parametrize(("put", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused_in_one_sentence(tmp_path, put, words):
    put(tmp_path / "la")
    with pytest.raises(ContractError) as caught:
        open_returns(tmp_path / "la")
    message = str(caught.value)
    assert message.startswith(words)
    assert message.endswith(".")
    assert "\n" not in message
    error = caught.value
    while error is not None:
        assert "007" not in str(error)
        error = error.__context__


def test_years_must_be_years(tmp_path):
    with pytest.raises(ContractError, match="two years that follow each other"):
        open_returns(write(tmp_path), years=(202199,))
