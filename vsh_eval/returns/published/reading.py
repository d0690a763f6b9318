"""Published files as text, whatever a spreadsheet has made of them since they were downloaded."""

from pathlib import Path

import pandas as pd

from vsh_eval import academic_year
from vsh_eval.contracts import ContractError, row_count
from vsh_eval.returns.formats import rows

_KNOWN = ("social_care_group", "Short Desc", "old_la_code")
"""One column of each kind of published file, by which its header line is found."""


def header(path: Path) -> tuple[str, ...]:
    """Return the names of a CSV file's columns; none where it is no published file."""
    try:
        return rows.sheets(path, known=_KNOWN)[0].header
    except ContractError:
        return ()


def read_text(path: Path) -> pd.DataFrame:
    r"""Read a CSV file as text, however it is encoded and separated; blank cells are ''.

    Raises
    ------
    ContractError
        In one sentence, if it is no table of text, or a row has not as many values as the header.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "absence.csv")
    ...     _ = path.write_bytes("social_care_group;place\nCINO;Rhôs".encode("cp1252"))
    ...     read_text(path).values.tolist()
    [['CINO', 'Rhôs']]
    """
    (sheet,) = rows.sheets(path, known=_KNOWN)[:1]
    table = rows.frame(sheet)
    if sheet.ragged:
        raise rows.broken(path.name)
    written = dict(zip(sheet.keys, sheet.header, strict=True))
    return table.rename(columns=written).fillna("").reset_index(drop=True)


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
                f"{origin}: time_period is {written!r} in {row_count(rows)}, must be an academic "
                "year such as 202425; take out the rows of calendar years, or download the file "
                "again."
            ) from None
    return years


def refuse_repeats(table: pd.DataFrame, keys: list[str], what: str, *, origin: str) -> None:
    """Refuse rows that say the same thing twice.

    Raises
    ------
    ContractError
        Naming the file, and in words what the keys are.
    """
    repeated = int(table.duplicated(keys).sum())
    if repeated:
        raise ContractError(
            f"{origin}: {repeated} rows repeat {what}, must stand once; keep the rows of one "
            "version."
        )
