import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsh_eval import names
from vsh_eval.contracts import ContractError
from vsh_eval.returns.published.symbols import (
    STRONGEST_FIRST,
    WRITTEN,
    numbers_and_symbols,
    strongest,
)


def column(*cells: str) -> pd.Series:
    return pd.Series(cells, name="t_pupils", dtype="str")


def test_every_symbol_of_every_release_is_read():
    numbers, symbols = numbers_and_symbols(
        column("c", "x", "z", "low", "u", "k", "~", ":", " C ", "0"), origin="a.csv"
    )
    assert symbols.tolist() == ["c", "x", "z", "low", "u", "low", "low", "x", "c", ""]
    assert numbers.isna().tolist() == [True] * 9 + [False]


def test_a_blank_is_refused_with_the_file_and_the_column():
    with pytest.raises(ContractError, match=r"a\.csv: t_pupils is blank in 2 rows"):
        numbers_and_symbols(column("1", "", " "), origin="a.csv")


@pytest.mark.parametrize("cell", ["-", "nan", "inf", "1,200", "*"])
def test_what_is_neither_number_nor_symbol_is_refused(cell):
    with pytest.raises(ContractError, match=r"t_pupils is .* in 1 rows, must be a number"):
        numbers_and_symbols(column("1", cell), origin="a.csv")


def test_a_file_may_have_a_symbol_of_its_own():
    _, symbols = numbers_and_symbols(column("-"), origin="a.csv", also=(("-", "x"),))
    assert symbols.tolist() == ["x"]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.integers(0, 10**9).map(str), st.sampled_from(list(WRITTEN)))))
def test_a_cell_is_a_number_or_a_symbol_and_never_both(cells):
    numbers, symbols = numbers_and_symbols(column(*cells), origin="a.csv")
    assert (numbers.isna() == symbols.ne("")).all()
    assert set(symbols) <= {"", *names.SYMBOL_MEANINGS}


def test_the_strongest_symbol_stands():
    assert set(STRONGEST_FIRST) == set(names.SYMBOL_MEANINGS)
    for place, symbol in enumerate(STRONGEST_FIRST):
        weaker = ["", *STRONGEST_FIRST[place:]]
        own = column(*[symbol] * len(weaker))
        assert set(strongest(column(*weaker), own)) == {symbol}
        assert set(strongest(own, column(*weaker))) == {symbol}
