"""Published files as text, whatever a spreadsheet has made of them since they were downloaded."""

import codecs
import csv
from pathlib import Path

import pandas as pd

from vsh_eval import academic_year
from vsh_eval.contracts import ContractError

_DELIMITERS = (",", ";", "\t")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def header(path: Path) -> tuple[str, ...]:
    """Return the names of a CSV file's first line, separated by whatever separates most of them.

    A file that is no text has names too, and none that anybody knows.
    """
    with path.open(encoding=_encodings(path)[0], errors="replace", newline="") as stream:
        line = stream.readline()
    return tuple(next(csv.reader([line], delimiter=_delimiter(line)), ()))


def read_text(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    r"""Read a CSV file as text: UTF-8, UTF-16 or Windows, with commas, semicolons or tabs.

    Parameters
    ----------
    path : Path
        The file.
    columns : list of str, optional
        Read these alone.

    Raises
    ------
    ContractError
        In one sentence, if it is no table of text in any of these forms.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "absence.csv")
    ...     _ = path.write_bytes("year;place\n202324;Rhôs".encode("cp1252"))
    ...     read_text(path).values.tolist()
    [['202324', 'Rhôs']]
    """
    for encoding in _encodings(path):
        try:
            with path.open(encoding=encoding, newline="") as stream:
                delimiter = _delimiter(stream.readline())
            return pd.read_csv(
                path,
                dtype="str",
                keep_default_na=False,
                encoding=encoding,
                sep=delimiter,
                usecols=columns,
            )
        except UnicodeError:
            continue
        except pd.errors.ParserError:
            raise ContractError(
                f"{path.name} cannot be read, every line must have as many values as the header "
                "and closed quotes; download it again."
            ) from None
    raise ContractError(
        f"{path.name} is neither UTF-8 nor Windows text, must be; download it again."
    )


def years_written(periods: pd.Series, *, origin: str) -> dict[str, int]:
    """Return the academic year that each text of a column ``time_period`` means.

    Raises
    ------
    ContractError
        If one means none, with the file's name.

    Examples
    --------
    >>> years_written(pd.Series(["202324", "2024/25"]), origin="a.csv")
    {'202324': 202324, '2024/25': 202425}
    """
    years: dict[str, int] = {}
    for written in periods.unique():
        try:
            years[written] = academic_year.parse(written)
        except ContractError:
            rows = int(periods.eq(written).sum())
            raise ContractError(
                f"{origin}: time_period is {written!r} in {rows:,} rows, must be an academic year "
                "such as 202425; take out the rows of calendar years, or download the file again."
            ) from None
    return years


def _encodings(path: Path) -> tuple[str, ...]:
    with path.open("rb") as stream:
        return ("utf-16",) if stream.read(2) in _UTF_16 else ("utf-8-sig", "cp1252")


def _delimiter(line: str) -> str:
    return max(_DELIMITERS, key=line.count)
