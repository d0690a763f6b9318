"""One number with its interval: the one way to say its size, its direction and its certainty.

No sentence calls a result that is not clear "no effect", and a number that is hidden is said to be
hidden, with the reason.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, NamedTuple, Self

from vsh_eval import names, registry
from vsh_eval.release.rows import Row, interval_of, is_shown, status_of
from vsh_eval.release.text.phrases.labels import (
    INTERVAL,
    SYMBOL_MEANINGS,
    is_missing,
    upper_first,
    year_label,
)
from vsh_eval.release.text.phrases.numbers import (
    amount,
    decimals_for,
    in_brackets,
    limits,
    number,
    rounded,
)

INDICATIVE_BELOW = 30
"""Rates of fewer pupils move by several points when one child moves."""
NO_INTERVAL = "; no interval can be given, so chance cannot be ruled out"


class Movement(NamedTuple):
    """What a rise and a fall are called: as verbs, and as comparisons."""

    rose: str
    fell: str
    more: str
    less: str


OF_LEVEL = Movement("rose", "fell", "higher", "lower")
OF_GAP = Movement("widened", "narrowed", "wider", "narrower")


def movement_of_gap(metric: str) -> Movement:
    """Return what a positive change of a gap is called: wider where the measure is better low.

    Examples
    --------
    >>> movement_of_gap("overall_absence").rose, movement_of_gap("ks4_attainment8").rose
    ('widened', 'narrowed')
    """
    if registry.metric(metric).lower_is_better:
        return OF_GAP
    return Movement(OF_GAP.fell, OF_GAP.rose, OF_GAP.less, OF_GAP.more)


@dataclass(frozen=True, slots=True)
class Finding:
    """A number that is shown, ready to become part of a sentence.

    Attributes
    ----------
    value : float
        The number.
    interval : tuple of float or None
        Its 95% interval, None where there is none.
    unit : str
        Its unit.
    decimals : int
        Its decimals.
    """

    value: float
    interval: tuple[float, float] | None
    unit: str
    decimals: int

    @classmethod
    def of(
        cls,
        row: Row,
        name: str,
        unit: str = "",
        *,
        least: int = 1,
        decimals: int | None = None,
        sign: int = 1,
    ) -> Self:
        """Read a number and its interval off a row.

        Parameters
        ----------
        row : mapping
            A row of a safe table in which the number is shown.
        name : str
            The number; its interval stands in ``<name>_lower`` and ``<name>_upper``.
        unit : str
            Its unit.
        least : int
            Fewest decimals; one more where a number that is not zero would be written as zero.
        decimals : int, optional
            Decimals, whatever the number.
        sign : {1, -1}
            -1 turns the number round.
        """
        value, interval = sign * float(row[name]), interval_of(row, name, sign=sign)
        if decimals is None:
            decimals = decimals_for(value, *interval, least=least) if interval else least
        return cls(value, interval, unit, decimals)

    @classmethod
    def of_estimate(cls, row: Row) -> Self:
        """Read an estimate and its interval off a row, in the unit of the gap.

        Examples
        --------
        >>> row = {"metric": "overall_absence", "estimate": 1.4, "ci_lower": 0.5, "ci_upper": 2.0}
        >>> Finding.of_estimate(row).with_interval()
        '+1.4 percentage points (95% interval 0.5 to 2.0)'
        """
        value, interval = float(row["estimate"]), interval_of(row, "ci")
        unit = registry.metric(str(row["metric"])).gap_unit
        return cls(value, interval, unit, decimals_for(value, *(interval or ())))

    @property
    def is_unclear(self) -> bool:
        """Whether the interval contains zero."""
        return self.interval is not None and self.interval[0] <= 0 <= self.interval[1]

    @property
    def is_zero(self) -> bool:
        """Whether the number is zero at the decimals it is written with."""
        return rounded(self.value, self.decimals) == 0

    def written(self, *, signed: bool = False) -> str:
        """Write the number with its unit."""
        return amount(self.value, self.unit, decimals=self.decimals, signed=signed)

    def size(self) -> str:
        """Write the number without its sign."""
        return amount(abs(self.value), self.unit, decimals=self.decimals)

    def brackets(self, *, of_size: bool = False) -> str:
        """Write the interval in brackets, turned round where it is that of a negative's size."""
        ends = self.interval
        if ends is not None and of_size and self.value < 0:
            ends = (-ends[1], -ends[0])
        return in_brackets(ends, decimals=self.decimals)

    def size_with_interval(self) -> str:
        """Write the number without its sign, and its interval."""
        return f"{self.size()}{self.brackets(of_size=True)}"

    def with_interval(self, *, signed: bool = True) -> str:
        """Write the number and its interval."""
        return f"{self.written(signed=signed)}{self.brackets()}"

    def compared(self, more: str = "higher", less: str = "lower") -> str:
        """Return the word for the number's direction."""
        return more if self.value > 0 else less

    def moved(self, words: Movement, per: str = "") -> str:
        """Say a movement: clear, not clear, or without an interval.

        Examples
        --------
        >>> Finding(1.6, (0.1, 3.1), "points", 1).moved(OF_GAP)
        'widened by 1.6 points (95% interval 0.1 to 3.1)'
        >>> Finding(1.6, (-0.4, 3.6), "points", 1).moved(OF_GAP)[24:]
        '1.6 points wider (95% interval from 3.6 wider to 0.4 narrower)'
        >>> Finding(-1.6, None, "points", 1).moved(OF_LEVEL)
        'ended 1.6 points lower'
        >>> Finding(-1.6, None, "points", 1).moved(OF_LEVEL, " a year")
        'fell by 1.6 points a year'
        """
        if self.interval is None and self.is_zero:
            return "was about the same"
        if self.interval is None and not per:
            return f"ended {self.size()} {self.compared(words.more, words.less)}"
        if self.is_unclear:
            return f"showed no clear change: {self.either_way(words, per)}"
        verb = self.compared(words.rose, words.fell)
        return f"{verb} by {self.size()}{per}{self.brackets(of_size=True)}"

    def either_way(self, words: Movement, per: str = "") -> str:
        """Write the number with its direction, and both ends of its interval with theirs."""
        estimate = f"{self._directed(self.value, words, self.unit)}{per}"
        if self.interval is None:
            return estimate
        first, last = self.interval[::-1] if self.value > 0 else self.interval
        return (
            f"{estimate} ({INTERVAL} from {self._directed(first, words)} to "
            f"{self._directed(last, words)})"
        )

    def _directed(self, value: float, words: Movement, unit: str = "") -> str:
        written = amount(abs(value), unit, decimals=self.decimals)
        if rounded(value, self.decimals) == 0:
            return written
        return f"{written} {words.more if value > 0 else words.less}"


def compared(row: Row, name: str, unit: str, *, least: int = 1) -> str:
    """Write a difference as so much higher or lower.

    Examples
    --------
    >>> compared({"gap": -37.5}, "gap", "points")
    '37.5 points lower'
    """
    finding = Finding.of(row, name, unit, least=least)
    return f"{finding.size()} {finding.compared()}"


def difference(
    first: Row,
    second: Row,
    name: str,
    unit: str = "",
    *,
    decimals: int = 1,
    comparisons: int = 1,
    sign: int = 1,
) -> Finding | None:
    """Return the difference of two numbers with its interval; None where one has no interval.

    Parameters
    ----------
    first, second : mapping
        Rows in which the number is shown.
    name, unit, decimals : str, str, int
        The number, and how the difference is written.
    comparisons : int
        How many differences are read together: each interval is widened until all of them hold at
        95 % (Bonferroni).
    sign : {1, -1}
        -1 turns both numbers round.

    Returns
    -------
    Finding or None
        First less second, each as it is shown, so that a reader who takes one from the other finds
        the same. The interval is around the difference itself: half width = z x sqrt(h_1^2 +
        h_2^2), h the half widths of the two 95 % intervals, z = q(1 - 0.025 / comparisons) /
        q(0.975) of the normal distribution: for numbers of different schools or areas.

    Examples
    --------
    >>> near = {"gap": 2.0, "gap_lower": 1.0, "gap_upper": 3.0}
    >>> far = {"gap": 3.6, "gap_lower": 2.6, "gap_upper": 4.6}
    >>> difference(far, near, "gap").with_interval()
    '+1.6 (95% interval 0.2 to 3.0)'
    >>> difference(far, near, "gap", comparisons=3).is_unclear
    True
    """
    pairs = [interval_of(row, name, sign=sign) for row in (first, second)]
    ends = [pair for pair in pairs if pair is not None]
    if len(ends) < len(pairs):
        return None
    half = widened(comparisons) * math.hypot(*((upper - lower) / 2 for lower, upper in ends))
    apart = sign * (float(first[name]) - float(second[name]))
    shown = sign * (rounded(first[name], decimals) - rounded(second[name], decimals))
    return Finding(shown, (apart - half, apart + half), unit, decimals)


def widened(comparisons: int) -> float:
    """Return how much wider 95% intervals are that hold together (Bonferroni).

    Examples
    --------
    >>> round(widened(1), 2), round(widened(6), 2)
    (1.0, 1.35)
    """
    normal = NormalDist()
    return normal.inv_cdf(1 - 0.025 / comparisons) / normal.inv_cdf(0.975)


def not_shown(about: str, row: Row) -> str:
    """Say that a number is not shown, and why.

    Parameters
    ----------
    about : str
        What is not shown, as it stands within a sentence.
    row : dict
        The row: its status, and metric and time_period where it has them.

    Returns
    -------
    str
        One sentence; a second one with the break's note where the year has no such data.

    Examples
    --------
    >>> not_shown("the gap", {"status": "c"})
    "The gap is not shown because it is suppressed to protect children's confidentiality."
    """
    status = status_of(row)
    meaning = SYMBOL_MEANINGS.get(status, f"marked {status}")
    when = f" in {year_label(row['time_period'])}" if "time_period" in row else ""
    text = f"{upper_first(about)}{when} is not shown because it is {meaning}."
    if "metric" not in row or "time_period" not in row or status != names.UNAVAILABLE:
        return text
    breaks = registry.breaks_of(str(row["metric"]), [int(row["time_period"])])
    return " ".join([text, *(entry.note for entry in breaks)])


def not_estimated(about: str, row: Row) -> str:
    """Say that an estimate is not shown, and the reason where its row gives one."""
    text, reason = not_shown(about, row), row.get("reason")
    why = "" if is_missing(reason) else str(reason).rstrip(".")
    return f"{text} The reason: {why}." if why else text


def than_expected(row: Row, expected: str) -> str:
    """Say how much narrower or wider a gap is than expected, with the difference and its interval.

    Examples
    --------
    >>> row = {"metric": "overall_absence", "estimate": -1.4, "ci_lower": -2, "ci_upper": 0.5}
    >>> than_expected(row, "without training")[:56]
    '1.4 percentage points narrower than expected without tra'
    """
    finding, words = Finding.of_estimate(row), movement_of_gap(str(row["metric"]))
    ends = "; no interval can be given"
    if finding.interval is not None:
        ends = f", {INTERVAL} {limits(*finding.interval, decimals=finding.decimals)}"
    return (
        f"{finding.size()} {finding.compared(words.more, words.less)} than expected {expected} "
        f"(difference {number(finding.value, decimals=finding.decimals, signed=True)}{ends})"
    )


def not_comparable(metric: str, years: tuple[int, int], about: str) -> str:
    """Say that a change is not given because its years cannot be compared; '' where they can.

    Examples
    --------
    >>> not_comparable("overall_absence", (202324, 202425), "the change of the gap")
    ''
    """
    if len(registry.comparable_years(metric, set(years))) == len(set(years)):
        return ""
    reasons = [e.note for e in registry.breaks_of(metric, years) if e.kind != "definition"]
    text = f"{upper_first(about)} is not given: {year_label(years[1])} and {year_label(years[0])}"
    return " ".join([f"{text} cannot be compared.", *reasons])


def indicative(pupils: Any, *, below: int = INDICATIVE_BELOW) -> str:
    """Return the caveat of a small group, with a space before it; '' where it is not small.

    Examples
    --------
    >>> indicative(25), indicative(640)
    (' This rests on about 25 pupils and is indicative only.', '')
    """
    if not is_shown({"pupils": pupils}, "pupils") or float(pupils) >= below:
        return ""
    many = number(float(pupils), decimals=0)
    return f" This rests on about {many} pupils and is indicative only."
