from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsh_eval import academic_year
from vsh_eval.contracts import ContractError

starts = st.integers(min_value=1900, max_value=2200)


@given(starts)
def test_three_spellings_are_one_year(start):
    second = f"{(start + 1) % 100:02d}"
    spellings = (f"{start}/{second}", f"{start}-{second}", f"{start}{second}")
    assert {academic_year.parse(text) for text in spellings} == {academic_year.from_start(start)}


@given(starts)
def test_a_label_reads_back_as_its_year(start):
    period = academic_year.from_start(start)
    assert academic_year.parse(academic_year.label(period)) == period


@given(starts, st.integers(-50, 50))
def test_going_forward_and_back_is_standing_still(start, years):
    period = academic_year.from_start(start)
    assert academic_year.after(academic_year.after(period, years), -years) == period


@given(st.dates(date(1950, 1, 1), date(2100, 1, 1)))
def test_a_date_lies_between_its_years_first_and_last_day(day):
    start = academic_year.start(academic_year.of_date(day))
    assert date(start, 9, 1) <= day <= date(start + 1, 8, 31)


@pytest.mark.parametrize("text", ["2023", "2023/25", "23/24", "2023/2024", "", "autumn", "2024/23"])
def test_anything_else_is_refused_with_a_remedy(text):
    with pytest.raises(ContractError, match="write it as 2023/24"):
        academic_year.parse(text)


def test_a_span_crosses_the_century():
    assert list(academic_year.span(199899, 200001)) == [199899, 199900, 200001]
