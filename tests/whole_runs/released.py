"""What a release says: its tables by name, and the sentences of its pages with their numbers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from bs4 import BeautifulSoup, Tag

from vsh_eval import registry
from vsh_eval.columns import PROPORTIONS, ROLES, YEARS, Role
from vsh_eval.release.text.phrases.labels import metric_in_text, value_label

NUMBER = re.compile(r"(?<![\w.,/])[£+\N{MINUS SIGN}-]?\d[\d,]*(?:\.\d+)?(?![\w/]|\.\d)")
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
NAMES = re.compile(
    r"\b\d{4}/\d\d\b|\b95% interval"
    rf"|\b\d{{1,2}} (?:{_MONTHS})(?: \d{{4}})?\b|\b(?:{_MONTHS}) \d{{4}}\b"
    r"|\b[Kk]ey stages? \d(?: to \d)?|\b[Yy]ears? \d+ to \d+|\b[Yy]ear \d+\b|\bgrade \d"
    r"|\bAttainment 8|\bProgress 8|\((?:[A-Z][\w-]+, )?(?:19|20)\d\d(?=[,)])"
)
"""Years, dates, measures, stages of school and cited works: names, not numbers."""
_ASIDE = "table, pre, code, script, style, figure, nav, footer, details.code"
_END = re.compile(
    r"(?<=[.?]) (?=[A-Z0-9])|(?<=;) (?!95%)|(?<=trained schools,) |(?<=over time) (?=and)"
)
"""Where a sentence ends, or goes on about another fact; an interval in brackets is the same one."""
_NOT_NAMED = frozenset({"status", "unit", "gap_unit", "reason", "message", "direction"})
"""Columns of words that no sentence uses to say which row it means."""
Numbers = list[tuple[float, int]]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, the paragraph and the page that it stands in."""

    page: str
    paragraph: str
    text: str

    @property
    def numbers(self) -> Numbers:
        """The numbers without their signs, and how many decimals each has."""
        return numbers_in(self.text)


def numbers_in(text: str) -> Numbers:
    """Return the numbers of a text without their signs, and how many decimals each has."""
    found = {n.strip("£+-\N{MINUS SIGN}") for n in NUMBER.findall(NAMES.sub(" ", text))}
    return [(float(n.replace(",", "")), len(n.partition(".")[2])) for n in sorted(found)]


def without_numbers(text: str) -> str:
    """Return a text with a # for each number; its names stay."""
    names = iter(NAMES.findall(text))
    bare = NUMBER.sub("#", NAMES.sub("\0", text))
    return re.sub("\0", lambda _: next(names), bare)


def read(path: Path) -> pd.DataFrame:
    """Read a released file as it is: texts."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


@cache
def tables_of(release: Path) -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    """Return every released table with its metadata, by name."""
    paths = sorted(release.glob("tables/*.csv"))
    data = [path for path in paths if not path.stem.endswith(".meta")]
    return {path.stem: (read(path), read(path.with_suffix(".meta.csv"))) for path in data}


@cache
def sentences_of(release: Path) -> list[Sentence]:
    """Return what the pages say outside tables, charts, code, notes on protection and footers."""
    return [
        Sentence(path.stem, paragraph, text)
        for path in sorted(release.glob("*.html"))
        for paragraph in _paragraphs(_main(path))
        for text in _END.split(paragraph)
    ]


@cache
def shown_tables(release: Path) -> dict[str, list[np.ndarray]]:
    """Return the numbers of the tables that each page shows, row by row."""
    return {
        path.stem: [_cells(table) for table in _main(path).find_all("table")]
        for path in sorted(release.glob("*.html"))
    }


def text_of(page: Path) -> str:
    """Return all that a page says in its main part, tables and folds too."""
    return re.sub(r"\s+", " ", _main(page).get_text(" "))


class Table:
    """A released table: its numbers, and what words of a text choose which of its rows."""

    def __init__(self, data: pd.DataFrame, meta: pd.DataFrame) -> None:
        self.numbers = _numbers(data)
        filters = meta[meta["col_type"].eq("Filter")].set_index("col_name")["filter_default"]
        named = {"time_period", *filters.index} - _NOT_NAMED
        self._filters = [
            _Filter(data[name], str(filters.get(name, ""))) for name in data if name in named
        ]

    def about(self, paragraph: str) -> np.ndarray:
        """Return the numbers of the rows that a paragraph can mean, one row a row.

        Where it names values of a filter those are meant, else the filter's default.
        """
        keep = np.ones(len(self.numbers), dtype=bool)
        for one in self._filters:
            keep &= one.meant(paragraph.lower())
        return self.numbers[keep]


class _Filter:
    def __init__(self, column: pd.Series, default: str) -> None:
        self._codes, values = pd.factorize(column)
        self._words = [_words(str(column.name), value) for value in values]
        self._default = np.array([value == default for value in values])

    def meant(self, text: str) -> np.ndarray:
        named = np.array([any(word in text for word in words) for words in self._words])
        chosen = named if named.any() else self._default
        return chosen[self._codes] if chosen.any() else np.ones(len(self._codes), dtype=bool)


def _words(column: str, value: str) -> set[str]:
    if column == "metric" and value in registry.METRICS:
        return {metric_in_text(value).lower(), value_label(column, value).lower()}
    if column in YEARS:
        return {value_label(column, int(value))} if value.isdigit() else {value}
    return {value_label(column, value).lower()} - {""}


def _main(path: Path) -> Tag:
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    return page.find("main") or page


def _paragraphs(main: Tag) -> Iterator[str]:
    for aside in main.select(_ASIDE):
        aside.decompose()
    for part in main.find_all(["p", "li", "summary"]):
        if part.find(["p", "li"]) is None and "note" not in (part.get("class") or []):
            yield re.sub(r"\s+", " ", part.get_text(" ", strip=True))


def _numbers(data: pd.DataFrame) -> np.ndarray:
    """Return a table's numbers; ratios and shares from 0 to 1 stand there in per cent too."""
    numbers = data.apply(pd.to_numeric, errors="coerce")
    shares = [name for name in data if name in PROPORTIONS or ROLES.get(name) is Role.RATIO]
    return np.abs(pd.concat([numbers, numbers[shares] * 100], axis=1).to_numpy(float))


def _cells(table: Tag) -> np.ndarray:
    rows = [
        [n for cell in row.find_all(["th", "td"]) for n, _ in numbers_in(cell.get_text(" "))]
        for row in table.find_all("tr")
    ]
    width = max(map(len, rows), default=0)
    return np.array([[*row, *[np.nan] * (width - len(row))] for row in rows], dtype=float)


def rows_with(table: np.ndarray, numbers: Numbers) -> np.ndarray:
    """Say of each row of a table, and of each number, whether the row holds the number."""
    return np.column_stack(
        [(np.abs(table - n) <= 0.5 * 10.0**-places + 1e-9).any(axis=1) for n, places in numbers]
    )
