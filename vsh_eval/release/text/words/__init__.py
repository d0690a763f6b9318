"""Words without logic, one row a code, in the TOML files of this folder.

labels     what columns, their values and symbols are called
phrases    sentences and captions without a number
tables     what every released table is called and answers
evidence   what each statement says, and each rule behind it
checks     the kinds of robustness check
reasons    reasons, cautions and variants
files      what the files of returns left open
returns    the page of data quality
report     what stands around every page
sentences  sentences and pieces of them that a page chooses by a code
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any


def words(file: str, table: str, field: str = "") -> Mapping[str, str]:
    """Return the words of a table by their codes, in the order of the file.

    Parameters
    ----------
    file, table : str
        A file of this folder without its ending, and a table of it.
    field : str
        Which word of each row, where a row has several; rows that lack it are left out.

    Examples
    --------
    >>> words("labels", "symbol")["x"]
    'not available'
    >>> words("checks", "check", "letter")["pretrend"]
    'a'
    """
    if field:
        return MappingProxyType({c: r[field] for c, r in rows(file, table).items() if field in r})
    return MappingProxyType(_file(file)[table])


def rows(file: str, table: str) -> Mapping[str, Mapping[str, str]]:
    """Return the rows of a table that have several words each, by their codes.

    Examples
    --------
    >>> rows("tables", "table")["gaps"]["title"]
    'Gaps'
    """
    return MappingProxyType(_file(file)[table])


@cache
def _file(name: str) -> dict[str, Any]:
    text = resources.files(__name__).joinpath(f"{name}.toml").read_text("utf-8")
    return tomllib.loads(text)
