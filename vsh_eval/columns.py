"""What every column of a released table holds, said once.

Whoever formats, writes, protects or checks a table reads roles from here and never guesses them
from a name. A column that is not declared is refused.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from vsh_eval import names as codes
from vsh_eval.contracts import ContractError


class Role(StrEnum):
    """What the values of a column are.

    ``key`` identifies a row and ``label`` is a text or code that describes it; ``children`` (staff
    included: people), ``schools`` and ``count`` (rows, years, draws) are whole numbers; ``level``
    is a rate, a mean or another amount; ``difference`` is a gap, its change, trend or part, or an
    estimate; ``limit`` is an end of an interval, ``error`` a standard error or deviation;
    ``share`` is a percentage, but for `PROPORTIONS`; ``flag`` is true or false.
    """

    KEY = "key"
    LABEL = "label"
    CHILDREN = "children"
    SCHOOLS = "schools"
    COUNT = "count"
    LEVEL = "level"
    DIFFERENCE = "difference"
    RATIO = "ratio"
    ERROR = "error"
    LIMIT = "limit"
    SHARE = "share"
    P_VALUE = "p_value"
    MONEY = "money"
    FLAG = "flag"


COUNTS = frozenset({Role.CHILDREN, Role.SCHOOLS, Role.COUNT})
"""Roles of whole numbers."""
DESCRIBING = frozenset({Role.KEY, Role.LABEL, Role.FLAG})
"""Roles of what describes a row; every other role is a number that was counted or measured."""
YEARS = frozenset(
    {"time_period", "baseline", "adopted", "cohort_period", "base_period"}
    | {"first_year", "last_year"}
)
"""Keys and labels that are academic years."""

# The numbers that may have an interval and a standard error beside them.
_PARTS = " ".join(f"composition_{factor}" for factor in codes.FACTORS)
_WITH_INTERVAL: Mapping[Role, str] = {
    Role.LEVEL: """
        level_value group_level reference_level matched_group_level matched_level evenness
        tau_squared effect_size gap_index months days group_days reference_days sessions tau
        """,
    Role.DIFFERENCE: f"""
        gap change group_change reference_change trend group_trend reference_trend mean_gap
        composition {_PARTS} rates
        matched_gap standardised_gap value baseline_gap difference
        """,
    Role.RATIO: "ratio ratio_change baseline_ratio",
    Role.SHARE: "share share_found i_squared",
}
_WITHOUT: Mapping[Role, str] = {
    Role.KEY: """
        time_period baseline adopted cohort_period time_identifier geographic_level unit_id
        country_code country_name region_code region_name old_la_code new_la_code la_name name
        phase metric group reference programme tier audience estimator comparison aggregation
        index cohort breakdown of part barrier check variant subgroup measure covid_years
        weights year_effects variant_code deprivation area need wait counted table step arm
        variable rule item  key term column role source vintage cohort_rule question method
        test combination target treated assumption chosen_by other
        """,
    Role.LABEL: """
        status unit gap_unit reason message result verdict direction protocol measured_by
        statement confidence decided_by stored_as years_missing registered used caution type
        reason_code base_period first_year last_year pooled software earlier
        """,
    Role.CHILDREN: """
        pupils group_pupils reference_pupils matched_pupils baseline_group_pupils
        baseline_reference_pupils pupils_reached pupils_not_reached pupil_years_reached
        pupil_years pupils_before pupils_after    staff_trained
        numerator group_numerator reference_numerator
        """,
    Role.SCHOOLS: """
        urns schools group_schools reference_schools schools_trained schools_first_trained
        schools_ever schools_treated
        schools_comparison school_years school_years_before school_years_after trained_schools
        comparison_schools schools_lacking
        """,
    Role.COUNT: """
        rows of_rows years strata trainings with_staff with_hours with_cost with_audience draws
        more
        leads donors placebos left_out suppressed own_suppressed programmes runs found
        years_before years_after more_years authorities terms comparisons
        """,
    Role.LEVEL: """
        rate denominator sessions_possible hours hours_per_school hours_per_100_pupils
        staff_per_school staff_per_100_pupils concentration df rank q statistic
        standardised_group_level standardised_reference_level limit tau_dl tau_pm slope bound
        size alpha error_ratio trained_mean comparison_mean amount
        earlier_group_level earlier_reference_level
        """,
    Role.DIFFERENCE: """
        estimate whole growth_share_schools growth_share_pupils mde effect outcome synthetic
        donor_mean distance earlier_gap
        bias bias_given_passed standardised_difference
        """,
    Role.ERROR: """
        std_error group_std_error reference_std_error log_ratio_std_error rmspe_before pooled_sd
        trained_sd comparison_sd
        """,
    Role.LIMIT: """
        lower upper ci_lower ci_upper band_lower band_upper prediction_lower prediction_upper
        next_lower next_upper placebo_lower placebo_upper leave_one_out_lower leave_one_out_upper
        """,
    Role.SHARE: """
        share_schools share_pupils coverage group_coverage reference_coverage group_alone
        reference_alone largest_share group_largest_share reference_largest_share power weight
        matched least_matched
        """,
    Role.RATIO: "exaggeration",
    Role.P_VALUE: "p_value p_adjusted q_p_value",
    Role.MONEY: "cost cost_per_school cost_per_pupil_year",
    Role.FLAG: """
        comparable definition_changed preregistered excludes_zero capped before
        """,
}

PROPORTIONS = frozenset(
    {"power", "weight", "largest_share", "group_largest_share", "reference_largest_share"}
    | {"coverage", "group_coverage", "reference_coverage", "group_alone", "reference_alone"}
)
"""Shares from 0 to 1; every other share is a percentage."""

_ENDS = {"lower": Role.LIMIT, "upper": Role.LIMIT, "std_error": Role.ERROR}
ROLES: Mapping[str, Role] = {
    name: role
    for table in (_WITH_INTERVAL, _WITHOUT)
    for role, names in table.items()
    for name in names.split()
} | {
    f"{name}_{end}": role
    for names in _WITH_INTERVAL.values()
    for name in names.split()
    for end, role in _ENDS.items()
}
"""The role of every column that a released table may have.

In some tables ``value`` and ``baseline_gap`` hold the name of a band instead of a number: text in a
column of numbers is a key (`role_of`).
"""


INSIDE = frozenset(
    {name for name in ROLES if name.endswith("std_error")}
    | {"df", "schools", "group_schools", "reference_schools"}
    | {"largest_share", "group_largest_share", "reference_largest_share"}
    | {"numerator", "denominator", "group_numerator", "reference_numerator"}
)
"""Columns of a table of cells that are never released: their intervals say what a reader needs."""

CELL = ("geographic_level", "unit_id", "time_period", "phase", "metric", "group", "reference")
"""The columns that say which gap a row is about."""
PUPILS = ("group_pupils", "reference_pupils")
ORIGIN = ("source", "vintage", "cohort_rule")
"""Where a table of cells comes from and by which rule its children are counted."""
LAST = ("unit", "gap_unit", *ORIGIN, "comparable", "status")
"""The last columns of a table of gaps."""


def with_interval(*columns: str) -> tuple[str, ...]:
    """Return numbers, each with the columns of its limits and of its standard error.

    Examples
    --------
    >>> with_interval("gap")
    ('gap', 'gap_lower', 'gap_upper', 'gap_std_error')
    """
    return tuple(f"{name}{end}" for name in columns for end in ("", *(f"_{e}" for e in _ENDS)))


def with_ends(*columns: str) -> tuple[str, ...]:
    """Return numbers, each with the columns of its limits.

    Examples
    --------
    >>> with_ends("ratio")
    ('ratio', 'ratio_lower', 'ratio_upper')
    """
    return tuple(name for name in with_interval(*columns) if not name.endswith("_std_error"))


def released(columns: Iterable[str]) -> tuple[str, ...]:
    """Return the columns of a table of cells that may be released, in order.

    Examples
    --------
    >>> released(["phase", "gap", "gap_lower", "gap_std_error", "df", "status"])
    ('phase', 'gap', 'gap_lower', 'status')
    """
    return tuple(name for name in columns if name not in INSIDE)


def role_of(column: str, *, text: bool = False) -> Role:
    """Return the role of a column of a released table.

    Parameters
    ----------
    column : str
        The column's name.
    text : bool
        Whether the column holds texts: then a column of numbers is a key.

    Returns
    -------
    Role
        The role that `ROLES` declares.

    Raises
    ------
    ContractError
        If the column is not declared.

    Examples
    --------
    >>> role_of("group_pupils"), role_of("gap_lower"), role_of("value", text=True)
    (<Role.CHILDREN: 'children'>, <Role.LIMIT: 'limit'>, <Role.KEY: 'key'>)
    >>> role_of("pupils_with_a_secret")
    Traceback (most recent call last):
    ...
    vsh_eval.contracts.ContractError: column pupils_with_a_secret has no role, must have one; \
declare what it holds in vsh_eval.columns.
    """
    if column not in ROLES:
        raise ContractError(
            f"column {column} has no role, must have one; declare what it holds in "
            "vsh_eval.columns."
        )
    role = ROLES[column]
    return Role.KEY if text and role not in DESCRIBING else role
