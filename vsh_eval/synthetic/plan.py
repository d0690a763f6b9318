"""What an invented authority is to be like: one frozen plan, checked when it is made."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from vsh_eval import academic_year
from vsh_eval.contracts import ContractError

FIRST_CALIBRATED = 201617
LAST_CALIBRATED = 202425
NO_ATTENDANCE = (201920,)
"""Academic years in which no full-year absence was collected."""
_USUAL_ADOPTION = (202122, 202223, 202324)
USUAL_COHORT = 6.4
"""Children with a social worker a school and year, in need or on a protection plan."""

_RANGES: Mapping[str, tuple[float, float]] = {
    "effect": (-20, 20),
    "effect_on_peers": (-20, 20),
    "attainment_effect": (-20, 20),
    "cohort_per_school": (1, 40),
    "pretrend": (-3, 3),
    "growth_after_training": (0, 5),
    "milder_entrants": (0, 10),
    "share_trained": (0, 0.9),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The plan of an invented authority.

    Attributes
    ----------
    schools : int
        Schools, 10 to 20,000; one of them converts to an academy and has two rows.
    seed : int
        Seed of everything that is drawn: the same plan gives the same tables, byte for byte.
    effect : float
        Percentage points added to the overall absence rate of the cohort (children in need and on
        a protection plan) in trained schools from their adoption year on; negative narrows.
    effect_on_peers : float
        The same for all other pupils of those schools: training that helps the whole school.
    attainment_effect : float
        The same for the cohort's attainment: points of Attainment 8, percentage points of the
        expected standard and of a good level of development. Grades in English and maths and
        Progress 8 move with Attainment 8; progress at key stage 2 does not move.
    first, last : int
        First and last academic year, within 2016/17 to 2024/25.
    cohort_per_school : float
        Mean cohort pupils (year groups 1 to 11) a school and year.
    pretrend : float
        Percentage points a year by which the gap of schools that will be trained drifts, counted
        from their adoption year; breaks parallel trends.
    growth_after_training : float
        Share by which more children newly get a social worker after training, in trained schools
        whose own gap is above the middle of their phase; 1 doubles them.
    milder_entrants : float
        Percentage points by which children newly counted after training miss fewer sessions.
    adoption : tuple of int, optional
        Academic years in which schools are first treated, an equal share in each. If not given,
        those of 2021/22, 2022/23 and 2023/24 that the plan's years allow, or else the last year.
    share_trained : float
        Share of schools that are trained at all, 0 to 0.9.
    la_code, name : str
        The authority's code and name; both plainly invented.

    Raises
    ------
    ContractError
        If a value is against its rule; the message says which and what would do.

    Examples
    --------
    >>> Plan(schools=40, adoption=("2022/23",)).adoption
    (202223,)
    >>> Plan(schools=3)
    Traceback (most recent call last):
    ...
    vsh_eval.contracts.ContractError: schools is 3, must be a whole number from 10 to 20000; \
fewer schools cannot hold every phase.
    """

    schools: int = 120
    seed: int = 1
    effect: float = -1.5
    effect_on_peers: float = 0.0
    attainment_effect: float = 0.0
    first: int = 201617
    last: int = 202425
    cohort_per_school: float = USUAL_COHORT
    pretrend: float = 0.0
    growth_after_training: float = 0.0
    milder_entrants: float = 0.0
    adoption: tuple[int | str, ...] | None = None
    share_trained: float = 0.6
    la_code: str = "E06000999"
    name: str = "Invented Borough"

    def __post_init__(self) -> None:
        """Read the years and refuse what cannot be invented."""
        for field in ("first", "last"):
            object.__setattr__(self, field, academic_year.parse(getattr(self, field)))
        _check_whole(self)
        for field, (low, high) in _RANGES.items():
            _check_range(field, getattr(self, field), low, high)
        _check_years(self)
        requested = _usual_adoption(self) if self.adoption is None else self.adoption
        adoption = tuple(sorted(academic_year.parse(year) for year in requested))
        object.__setattr__(self, "adoption", adoption)
        _check_adoption(self)

    @property
    def years(self) -> tuple[int, ...]:
        """Every academic year from first to last."""
        return tuple(academic_year.span(self.first, self.last))

    @property
    def adoption_years(self) -> tuple[int, ...]:
        """The adoption years as integers, in order."""
        return tuple(int(year) for year in self.adoption or ())

    @property
    def cohort_scale(self) -> float:
        """Cohort size relative to the usual one."""
        return self.cohort_per_school / USUAL_COHORT


def _usual_adoption(plan: Plan) -> tuple[int, ...]:
    possible = tuple(year for year in _USUAL_ADOPTION if plan.first < year <= plan.last)
    return possible or (plan.last,)


def _check_whole(plan: Plan) -> None:
    if not (_is_whole(plan.schools) and 10 <= plan.schools <= 20_000):
        raise ContractError(
            f"schools is {plan.schools!r}, must be a whole number from 10 to 20000; "
            "fewer schools cannot hold every phase."
        )
    if not (_is_whole(plan.seed) and plan.seed >= 0):
        raise ContractError(
            f"seed is {plan.seed!r}, must be a whole number of 0 or more; any will do."
        )


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_range(field: str, value: float, low: float, high: float) -> None:
    if not (math.isfinite(value) and low <= value <= high):
        raise ContractError(
            f"{field} is {value!r}, must be from {low:g} to {high:g}; choose a value in that range."
        )


def _check_years(plan: Plan) -> None:
    if not FIRST_CALIBRATED <= plan.first < plan.last <= LAST_CALIBRATED:
        raise ContractError(
            f"years are {academic_year.label(plan.first)} to {academic_year.label(plan.last)}, "
            "must be at least two within 2016/17 to 2024/25; "
            "the invented levels follow figures published for those."
        )


def _check_adoption(plan: Plan) -> None:
    years = plan.adoption_years
    if plan.share_trained > 0 and not years:
        raise ContractError(
            "adoption is empty, must name at least one academic year; or set share_trained to 0."
        )
    if len(set(years)) < len(years):
        raise ContractError(
            f"adoption is {years}, must name each academic year once; drop the repeated one."
        )
    outside = [year for year in years if not plan.first < year <= plan.last]
    if outside:
        raise ContractError(
            f"adoption holds {academic_year.label(outside[0])}, must lie after "
            f"{academic_year.label(plan.first)} and not after {academic_year.label(plan.last)}; "
            "a trained school needs a year before it."
        )
