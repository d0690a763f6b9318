"""Reads a workbook by its XML: what a screen reader meets, without the code that wrote it."""

import re
import zipfile
from html import unescape
from pathlib import Path


def part(path: Path, name: str) -> str:
    """Return one of the files that a workbook is packed from."""
    with zipfile.ZipFile(path) as parts:
        return parts.read(name).decode("utf-8")


def sheet_names(path: Path) -> list[str]:
    """Return the names of the sheets, in order."""
    return [unescape(name) for name in re.findall(r'<sheet name="([^"]+)"', part(path, _BOOK))]


def cells(path: Path, sheet: str) -> dict[str, str | float]:
    """Return a sheet's cells by address: text or number."""
    texts = [
        unescape("".join(re.findall(r"<t[^>]*>(.*?)</t>", item, re.DOTALL)))
        for item in re.findall(r"<si>(.*?)</si>", part(path, "xl/sharedStrings.xml"), re.DOTALL)
    ]
    found = re.findall(r'<c r="([A-Z]+\d+)"([^>]*)><v>(.*?)</v>', part(path, _file_of(path, sheet)))
    return {
        address: texts[int(value)] if 't="s"' in kind else float(value)
        for address, kind, value in found
    }


def lines(path: Path, sheet: str) -> list[str]:
    """Return the lines of text above a sheet's table; of a sheet without a table, every line."""
    found = cells(path, sheet)
    table = _table(path, sheet)
    last = int(table[2]) - 1 if table else len(found)
    return [str(found[f"A{row}"]) for row in range(1, last + 1)]


def table_rows(path: Path, sheet: str) -> list[list[str | float | None]]:
    """Return the rows of a sheet's marked-up table, the headings first; None is a blank cell."""
    table = _table(path, sheet)
    assert table is not None, f"{sheet} has no table"
    found = cells(path, sheet)
    letters = [_letters(n) for n in range(_number(table[1]), _number(table[3]) + 1)]
    numbers = range(int(table[2]), int(table[4]) + 1)
    return [[found.get(f"{letter}{row}") for letter in letters] for row in numbers]


_BOOK = "xl/workbook.xml"


def _file_of(path: Path, sheet: str) -> str:
    return f"xl/worksheets/sheet{sheet_names(path).index(sheet) + 1}.xml"


def _table(path: Path, sheet: str) -> re.Match[str] | None:
    file = _file_of(path, sheet)
    if "<tablePart " not in part(path, file):
        return None
    links = part(path, file.replace("worksheets/", "worksheets/_rels/") + ".rels")
    (name,) = re.findall(r'Target="\.\./tables/([^"]+)"', links)
    return re.search(r' ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"', part(path, f"xl/tables/{name}"))


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number


def _letters(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
