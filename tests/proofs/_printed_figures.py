"""England's figures as DfE prints them; printed_figures.tsv has a row for each course of years.

A row says what the package is to work out (quantity, metric, group, phase) and keeps the printed
numbers as text, because their decimals say how well they are known; x where a table prints none.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("printed_figures.tsv")
X = "x"
ABSENCE = tuple(
    f"{kind}_absence" for kind in ("overall", "authorised", "unauthorised", "persistent", "severe")
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One printed number and what it is a number of."""

    quantity: str
    metric: str
    group: str
    year: int
    printed: str
    phase: str = "total"

    @property
    def decimals(self) -> int:
        """Decimals of the printed number."""
        return len(self.printed.partition(".")[2])

    @property
    def number(self) -> float:
        """The printed number, NaN where none is."""
        return float("nan") if self.printed == X else float(self.printed.replace(",", ""))


@dataclass(frozen=True, slots=True)
class Line:
    """One quantity through the years."""

    table: str
    name: str
    figures: tuple[Figure, ...]


def _line(table: str, metric: str, group: str, phase: str, quantity: str, **by_year: str) -> Line:
    said = [group, *([phase] if phase != "total" else []), metric, quantity]
    figures = (
        Figure(quantity, metric, group, int(year), printed, phase)
        for year, printed in by_year.items()
        if printed
    )
    return Line(table, " ".join(said), tuple(figures))


with FILE.open(encoding="utf-8") as _file:
    LINES: tuple[Line, ...] = tuple(_line(**row) for row in csv.DictReader(_file, delimiter="\t"))
