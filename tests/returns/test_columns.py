"""Text becomes values by one rule a column."""

from datetime import date

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsh_eval import academic_year
from vsh_eval.contracts import ContractError
from vsh_eval.returns.columns import as_text, literal, quoted, typed


def read(text, kind, **options):
    trimmed = f"FROM (SELECT ?::VARCHAR AS raw) SELECT {as_text('raw')} AS t"
    value = typed("t", kind, **options)
    return duckdb.execute(f"FROM ({trimmed}) SELECT {value}", [text]).fetchall()[0][0]


@pytest.mark.parametrize("blank", [None, "", " ", "\t ", "\u00a0", "\r\n"])
@pytest.mark.parametrize("kind", ["text", "integer", "number", "date", "academic_year"])
def test_blanks_are_null(blank, kind):
    assert read(blank, kind) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" 007", "007"),
        ("0A\u00a0", "0A"),
        ("St  Mary's", "St  Mary's"),
        ("NULL", "NULL"),
        ("0", "0"),
    ],
)
def test_text_is_kept_but_for_its_edges(text, value):
    assert read(text, "text") == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("12", 12), ("-2", -2), ("+3", 3), ("4.0", 4), (" 5 ", 5), ("007", 7)),
        *(("1.5", None), ("1,000", None), ("twelve", None), ("nan", None), ("inf", None)),
        ("99999999999999999999", None),
    ],
)
def test_whole_numbers(text, value):
    assert read(text, "integer") == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("1.5", 1.5), ("-0.25", -0.25), ("1e2", 100.0), (".5", 0.5)),
        *(("nan", None), ("inf", None), ("-Infinity", None), ("£5", None), ("1,5", None)),
    ],
)
def test_numbers_are_finite(text, value):
    assert read(text, "number") == value


@pytest.mark.parametrize(
    ("text", "form", "value"),
    [
        ("2023-09-01", "yyyy-mm-dd", date(2023, 9, 1)),
        ("2023-09-01 00:00:00.000", "yyyy-mm-dd", date(2023, 9, 1)),
        ("2023-09-01T00:00", "yyyy-mm-dd", date(2023, 9, 1)),
        ("2023-09-01 08:30", "yyyy-mm-dd", None),
        ("2023-02-29", "yyyy-mm-dd", None),
        ("01/09/2023", "yyyy-mm-dd", None),
        ("20230901", "yyyy-mm-dd", None),
        ("01/09/2023", "dd/mm/yyyy", date(2023, 9, 1)),
        ("1/9/2023", "dd/mm/yyyy", date(2023, 9, 1)),
        ("01/09/2023 00:00", "dd/mm/yyyy", date(2023, 9, 1)),
        ("09/13/2023", "dd/mm/yyyy", None),
        ("01/09/23", "dd/mm/yyyy", None),
        ("2023-09-01", "dd/mm/yyyy", None),
    ],
)
def test_dates_keep_to_the_form_of_their_column(text, form, value):
    assert read(text, "date", date_format=form) == value


@settings(max_examples=25, deadline=None)
@given(
    st.one_of(
        st.from_regex(r"\A\d{4}[/-]?\d{2}\Z", fullmatch=True),
        st.integers(1900, 2100).map(academic_year.from_start).map(academic_year.label),
        st.text("0123456789/- ", max_size=9),
    ).filter(str.isascii)
)
def test_academic_years_are_read_as_by_the_core(text):
    """The SQL and `academic_year.parse` agree on what is a year and which."""
    try:
        expected = academic_year.parse(text)
    except ContractError:
        expected = None
    assert read(text, "academic_year") == expected


@pytest.mark.parametrize(
    ("stored", "kind", "text"),
    [
        ("DATE '2023-09-01'", "DATE", "2023-09-01"),
        ("TIMESTAMP '2023-09-01 00:00:00'", "TIMESTAMP", "2023-09-01"),
        ("TIMESTAMP_NS '2023-09-01 00:00:00'", "TIMESTAMP_NS", "2023-09-01"),
        ("TIMESTAMPTZ '2023-08-31 23:00:00+00'", "TIMESTAMP WITH TIME ZONE", "2023-09-01"),
        ("true", "BOOLEAN", "1"),
        ("202324", "BIGINT", "202324"),
        ("202324.0::DOUBLE", "DOUBLE", "202324"),
        ("0.1::DOUBLE", "DOUBLE", "0.1"),
        ("1e300::DOUBLE", "DOUBLE", "1e+300"),
        ("'nan'::DOUBLE", "DOUBLE", None),
        ("12.50::DECIMAL(9,2)", "DECIMAL(9,2)", "12.5"),
        ("' E '::ENUM('N', ' E ')", "ENUM('N', ' E ')", "E"),
    ],
)  # fmt: skip
def test_stored_values_become_the_text_of_a_csv(stored, kind, text):
    assert duckdb.execute(f"SELECT {as_text(stored, kind)}").fetchall() == [(text,)]


def test_quotes_are_doubled():
    assert duckdb.execute(f"SELECT {literal("it's")} AS {quoted('a "b"')}").description
    assert duckdb.execute(f"SELECT {literal("it's")}").fetchall() == [("it's",)]
