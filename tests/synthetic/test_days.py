from datetime import date, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vsh_eval import academic_year
from vsh_eval.synthetic.days import dates, september, start_of


@settings(max_examples=50, deadline=None)
@given(st.dates(date(1991, 1, 1), date(2058, 12, 31)))
def test_days_fall_in_the_academic_year_that_the_core_says(day):
    number = np.array([(day - date(1970, 1, 1)).days])
    assert start_of(number)[0] == academic_year.start(academic_year.of_date(day))
    assert dates(number)[0] == np.datetime64(day)
    first = date(1970, 1, 1) + timedelta(days=int(september(day.year)))
    assert first == date(day.year, 9, 1)
