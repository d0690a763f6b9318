"""Making and comparing tables."""

import pandas as pd

from vsh_eval import names

FIRST_CODES = {of.column: next(iter(of.codes)) for of in names.CHARACTERISTICS.values()}


def with_characteristics(table: pd.DataFrame) -> pd.DataFrame:
    """Give pupils the first code of every characteristic that a test does not speak of."""
    lacking = {name: code for name, code in FIRST_CODES.items() if name not in table}
    return table.assign(**lacking)


def assert_the_same(found: pd.DataFrame, wanted: pd.DataFrame, name: str = "table") -> None:
    """Require equal tables; pandas takes categories apart one by one, so it only names a fault."""
    if not found.equals(wanted):
        pd.testing.assert_frame_equal(found, wanted, obj=name)


def one_row(table: pd.DataFrame, **where: object) -> pd.Series:
    """Return the one row that has every value."""
    for name, value in where.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with its categories as words, whichever others there could be."""
    return table.astype(dict.fromkeys(table.select_dtypes("category"), "str"))
