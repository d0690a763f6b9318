"""Cells of a published table: a number, or a symbol that says why there is none."""

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import ContractError, row_count

WRITTEN = {
    **{symbol: symbol for symbol in names.SYMBOLS},
    "k": names.LOW,
    "~": names.LOW,
    ":": names.UNAVAILABLE,
}
"""Every symbol DfE has written in these files, and the one we keep."""

STRONGEST_FIRST = (
    names.CONFIDENTIAL,
    names.UNAVAILABLE,
    names.UNRELIABLE,
    names.NOT_APPLICABLE,
    names.LOW,
)
"""Which symbol stands for a row or a sum that meets several."""


def numbers_and_symbols(
    cells: pd.Series, *, origin: str, also: tuple[tuple[str, str], ...] = ()
) -> tuple[pd.Series, pd.Series]:
    """Split the cells of one column into numbers and symbols.

    Parameters
    ----------
    cells : Series of str
        The column as written; its name is used in errors.
    origin : str
        The file's name, used in errors.
    also : tuple of (written, kept) pairs
        Symbols of this file alone.

    Returns
    -------
    numbers : Series of float64
        NaN where a symbol stands.
    symbols : Series of str
        '' where a number stands.

    Raises
    ------
    ContractError
        If a cell is blank, or is neither a finite number nor a known symbol.

    Examples
    --------
    >>> numbers, symbols = numbers_and_symbols(pd.Series(["17.4", "k", "c"]), origin="a.csv")
    >>> numbers.tolist(), symbols.tolist()
    ([17.4, nan, nan], ['', 'low', 'c'])
    """
    known = {**WRITTEN, **dict(also)}
    numbers = pd.to_numeric(cells, errors="coerce").astype("float64")
    numbers = numbers.where(np.isfinite(numbers))
    # Nine cells in ten are numbers: only the others are looked at as text.
    written = cells[numbers.isna()].str.strip().str.casefold()
    blank = int(written.eq("").sum())
    if blank:
        raise ContractError(
            f"{origin}: {cells.name} is blank in {row_count(blank)}, must be a number or one of "
            f"the symbols {', '.join(known)}; download the file again."
        )
    strange = sorted(set(written.unique()) - set(known))
    if strange:
        raise ContractError(
            f"{origin}: {cells.name} is {strange[0]!r} in "
            f"{row_count(int(written.eq(strange[0]).sum()))}, must be a number or one of the "
            f"symbols {', '.join(known)}; download the file again."
        )
    symbols = np.full(len(cells), "", dtype=object)
    symbols[numbers.isna().to_numpy()] = written.map(known).to_numpy(dtype=object)
    return numbers, pd.Series(symbols, index=cells.index, dtype="str")


def strongest(*columns: pd.Series) -> pd.Series:
    """Return, row by row, the strongest symbol of several columns ('' where none has one).

    Examples
    --------
    >>> strongest(pd.Series(["", "z", ""]), pd.Series(["x", "c", ""])).tolist()
    ['x', 'c', '']
    """
    symbols = pd.Series("", index=columns[0].index, dtype="str")
    occurring = {symbol for column in columns for symbol in column.unique()}
    for symbol in filter(occurring.__contains__, reversed(STRONGEST_FIRST)):
        present = np.logical_or.reduce([column.eq(symbol).to_numpy() for column in columns])
        symbols = symbols.mask(present, symbol)
    return symbols
