"""What each table must look like, and the exceptions raised where one does not."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from vsh_eval import names

if TYPE_CHECKING:
    import pandas as pd


class ContractError(ValueError):
    """A table, a value or a file is not what its contract says."""


class SettingsError(ContractError):
    """A params file or a command is against its rules."""


class DataError(ContractError):
    """The returns cannot bear the run; carries the findings that say why."""

    def __init__(self, message: str, findings: "pd.DataFrame | None" = None) -> None:
        super().__init__(message)
        self.findings = findings


class VintageError(ContractError):
    """Rows of different data vintages were about to be compared."""


class CohortRuleError(ContractError):
    """Rows of different cohort rules were about to be compared."""


class DisclosureError(ContractError):
    """Something that is not safe was about to leave."""


class DesignError(ContractError):
    """The panel cannot bear the estimate that was asked for."""


class Message:
    """Something to be said: a code and its details. `release.text` has the words.

    Parameters
    ----------
    code : str
        What is said; '' where there is nothing to say, and the message is then false.
    **details
        Years, limits, names and amounts that the words need.

    Examples
    --------
    >>> Message("trained_by_first_year", year=201718)
    Message('trained_by_first_year', year=201718)
    >>> bool(Message())
    False
    """

    __slots__ = ("code", "details")

    def __init__(self, code: str = "", **details: object) -> None:
        self.code = code
        self.details = details

    def __bool__(self) -> bool:
        """Whether there is something to say."""
        return bool(self.code)

    def __eq__(self, other: object) -> bool:
        """Compare code and details."""
        return isinstance(other, Message) and str(self) == str(other)

    def __hash__(self) -> int:
        """Hash what is compared."""
        return hash(str(self))

    def __repr__(self) -> str:
        """Write it as it is made."""
        parts = [repr(self.code), *(f"{name}={value!r}" for name, value in self.details.items())]
        return f"Message({', '.join(parts)})"


class InfeasibleError(DesignError):
    """The design cannot bear an estimate, for a reason that a page may give.

    Parameters
    ----------
    code : str
        The reason; `release.text.findings.reasons` has the sentence, with its remedy.
    **details
        Years, limits and names of that sentence, and what only an analyst may see.

    Examples
    --------
    >>> str(InfeasibleError("too_few_schools", schools=8, least=10))
    'the data cannot bear this estimate: too few schools (schools 8, least 10).'
    """

    def __init__(self, code: str, **details: object) -> None:
        given = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in details.items())
        super().__init__(
            f"the data cannot bear this estimate: {code.replace('_', ' ')}"
            f"{f' ({given})' if given else ''}."
        )
        self.message = Message(code, **details)


def message_of(error: ContractError) -> Message:
    """Return why something could not be done, as far as a page may give the reason.

    Examples
    --------
    >>> message_of(InfeasibleError("no_variation")), message_of(ContractError("panel lacks unit."))
    (Message('no_variation'), Message('table_not_as_needed'))
    """
    return error.message if isinstance(error, InfeasibleError) else Message("table_not_as_needed")


class NotebookFailedError(RuntimeError):
    """A notebook stopped with an error; carries its name."""

    def __init__(self, notebook: str, reason: str) -> None:
        super().__init__(f"notebook {notebook} stopped: {reason}")
        self.notebook = notebook


Kind = Literal["text", "integer", "number", "date", "academic_year"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a return.

    Attributes
    ----------
    name : str
        The column's name, exactly so.
    kind : {"text", "integer", "number", "date", "academic_year"}
        How its text is read.
    required : bool
        Whether the table is refused without it.
    nullable : bool
        Whether a blank is allowed.
    allowed : tuple of str
        The values allowed, empty where any is.
    minimum, maximum : float or None
        The range allowed, both ends included.
    """

    name: str
    kind: Kind
    required: bool = True
    nullable: bool = False
    allowed: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the returns: its columns and the columns that identify a row."""

    name: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    required: bool = True

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns' names in the contract's order."""
        return tuple(column.name for column in self.columns)


TERMS = ("autumn", "spring", "summer")
WHOLE_YEAR = "year"
"""The term of sums that cannot be parted into terms, as they are of a whole academic year."""

_optional = partial(Column, required=False, nullable=True)
_PUPIL = Column("pupil_id", "text")
_YEAR = Column("academic_year", "academic_year")
_URN = Column("urn", "text")


def _characteristic(of: names.Characteristic) -> Column:
    """Return the column of a characteristic: one of its codes, or a number from least to most."""
    whole = [code for code in of.codes if isinstance(code, int)]
    if whole:
        return Column(of.column, "integer", minimum=min(whole), maximum=max(whole))
    return Column(of.column, "text", allowed=tuple(map(str, of.codes)))


_CHARACTERISTICS = sorted(
    map(_characteristic, names.CHARACTERISTICS.values()), key=lambda of: of.name != "year_group"
)
"""The year group, which says what a pupil is counted in, and then the others."""

RETURNS: Mapping[str, Table] = {
    table.name: table
    for table in (
        Table(
            "schools",
            (
                _URN,
                Column("name", "text"),
                Column("phase", "text", allowed=names.PHASES),
                Column("la_code", "text"),
                Column("opened", "date", nullable=True),
                Column("closed", "date", nullable=True),
            ),
            keys=("urn",),
        ),
        Table(
            "school_links",
            (_URN, Column("successor_urn", "text"), _optional("date", "date")),
            keys=("urn", "successor_urn"),
            required=False,
        ),
        Table(
            "enrolments",
            (_PUPIL, _YEAR, _URN, *_CHARACTERISTICS),
            keys=("pupil_id", "academic_year", "urn"),
        ),
        Table(
            "attendance",
            (
                _PUPIL,
                _YEAR,
                Column("term", "text", allowed=(*TERMS, WHOLE_YEAR)),
                _URN,
                Column("sess_possible", "integer", minimum=0, maximum=400),
                Column("sess_authorised", "integer", minimum=0, maximum=400),
                Column("sess_unauthorised", "integer", minimum=0, maximum=400),
            ),
            keys=("pupil_id", "academic_year", "term", "urn"),
        ),
        Table(
            "suspensions",
            (
                _PUPIL,
                _YEAR,
                _URN,
                Column("suspensions", "integer", minimum=0, maximum=200),
                Column("permanent_exclusions", "integer", minimum=0, maximum=5),
            ),
            keys=("pupil_id", "academic_year", "urn"),
            required=False,
        ),
        Table(
            "attainment",
            (_PUPIL, _YEAR, _URN, Column("measure", "text"), Column("value", "number")),
            keys=("pupil_id", "academic_year", "measure"),
        ),
        Table(
            "episodes",
            (
                Column("pupil_id", "text", nullable=True),
                Column("status", "text", allowed=names.STATUSES),
                Column("start_date", "date"),
                Column("end_date", "date", nullable=True),
                _optional("basis", "text", allowed=("plan", "episode")),
            ),
            keys=("pupil_id", "status", "start_date", "end_date", "basis"),
        ),
        Table(
            "training",
            (
                _URN,
                Column("programme", "text"),
                Column("tier", "text", allowed=names.TIERS),
                Column("start_date", "date"),
                _optional("staff_trained", "integer", minimum=0),
                _optional("hours", "number", minimum=0),
                _optional("audience", "text", allowed=names.AUDIENCES),
                _optional("cost", "number", minimum=0),
            ),
            keys=("urn", "programme", "tier", "start_date", "audience"),
        ),
    )
}
"""The input contract: every table of a folder of returns, by name."""


Gate = Literal["cells", "estimates", "sample", "schools", "published", "facts"]
"""How a table is made safe: see `TableContract`."""


@dataclass(frozen=True, slots=True)
class TableContract:
    """What a function's table is, so that nobody has to say it when the table is released.

    Attributes
    ----------
    name : str
        What the table is called.
    columns : tuple of str
        The columns that may be released, in order; others stay inside. Each has one role in
        `vsh_eval.columns`.
    gate : {"cells", "estimates", "sample", "schools", "published", "facts"}
        ``cells``: made of protected cells, or of published figures, and safe as it is.
        ``estimates``: shown where enough schools, children and degrees of freedom carry a row.
        ``sample``: counts without record keys, small ones hidden and the rest rounded.
        ``schools``: how much schools differ, where enough of them stand behind it.
        ``published``: worked out from published figures, which are public.
        ``facts``: no number of children: settings, rules, counts of schools and trainings.
    """

    name: str
    columns: tuple[str, ...]
    gate: Gate


def produces[**P](
    name: str, columns: Sequence[str], *, gate: Gate = "cells"
) -> Callable[[Callable[P, Any]], Callable[P, Any]]:
    """Attach to a function what its table is.

    Examples
    --------
    >>> import pandas as pd
    >>> @produces("shares", ("phase", "share"), gate="facts")
    ... def shares() -> pd.DataFrame:
    ...     return pd.DataFrame({"phase": ["primary"], "share": [50.0]})
    >>> contract_of(shares).gate
    'facts'
    """

    def attach(function: Callable[P, Any]) -> Callable[P, Any]:
        function.__dict__["contract"] = TableContract(name, tuple(columns), gate)
        return function

    return attach


def contract_of(producer: Callable[..., Any]) -> TableContract:
    """Return what a function's table is.

    Raises
    ------
    DisclosureError
        If the function does not say.
    """
    contract = getattr(producer, "contract", None)
    if not isinstance(contract, TableContract):
        raise DisclosureError(
            f"{getattr(producer, '__name__', producer)} does not say what its table is, must say "
            "it before it can be released; attach it with contracts.produces."
        )
    return contract


def require_columns(table: "pd.DataFrame", columns: Sequence[str], *, name: str) -> None:
    """Refuse a table that lacks a column.

    Raises
    ------
    ContractError
        Naming the table, the columns it lacks and the columns it has.

    Examples
    --------
    >>> import pandas as pd
    >>> require_columns(pd.DataFrame({"urn": ["1"]}), ["urn"], name="schools")
    """
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise ContractError(
            f"{name} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; "
            f"it has {', '.join(map(str, table.columns))}."
        )


def require_one_of(value: str, allowed: Collection[str], *, name: str) -> str:
    """Refuse a value that is not among the allowed ones, and return it otherwise.

    Raises
    ------
    ContractError
        Naming the value, the rule, the allowed values and the nearest of them.

    Examples
    --------
    >>> require_one_of("peers", ("peers", "all"), name="reference")
    'peers'
    """
    if value not in allowed:
        raise ContractError(
            f"{name} is {value!r}, must be one of {', '.join(sorted(allowed))}"
            f"{nearest(value, allowed) or '.'}"
        )
    return value


def nearest(value: str, known: Collection[str]) -> str:
    """Return the end of a sentence that asks for the nearest known word, '' where none is near.

    Examples
    --------
    >>> nearest("pears", ("peers", "all")), nearest("others", ("peers", "all"))
    ('; did you mean peers?', '')
    """
    matches = get_close_matches(str(value), known, 1)
    return f"; did you mean {matches[0]}?" if matches else ""


def row_count(count: int) -> str:
    """Write a number of rows for a sentence.

    Examples
    --------
    >>> row_count(1), row_count(1204)
    ('1 row', '1,204 rows')
    """
    return "1 row" if count == 1 else f"{count:,} rows"


def require_one_vintage(panel: "pd.DataFrame") -> None:
    """Refuse to compare rows of more than one vintage or cohort rule.

    Raises
    ------
    VintageError
        If ``vintage`` holds two values.
    CohortRuleError
        If ``cohort_rule`` holds two values.
    """
    remedies: tuple[tuple[str, type[ContractError], str], ...] = (
        (
            "vintage",
            VintageError,
            "take the files of {0!r} out of the folder, or download them again as of {1!r}",
        ),
        ("cohort_rule", CohortRuleError, "select the rows of one cohort rule first"),
    )
    for column, error, remedy in remedies:
        values = sorted(panel[column].dropna().unique())
        if len(values) > 1:
            raise error(
                f"{column} is both {values[0]!r} and {values[1]!r}, must be one value within a "
                f"comparison; {remedy.format(*values)}."
            )


def by_term(registrations: Mapping[tuple[int, str], int]) -> dict[tuple[int, str], int]:
    """Count the registrations of a whole year in each of its three terms.

    Examples
    --------
    >>> by_term({(202425, "year"): 9, (202425, "spring"): 1})
    {(202425, 'autumn'): 9, (202425, 'spring'): 10, (202425, 'summer'): 9}
    """
    counts: dict[tuple[int, str], int] = {}
    for (year, term), n in registrations.items():
        for one in TERMS if term == WHOLE_YEAR else (term,):
            counts[year, one] = counts.get((year, one), 0) + n
    return counts


def terms_lacking(registrations: Mapping[tuple[int, str], int]) -> dict[int, tuple[str, ...]]:
    """Return which terms of attendance a year lacks that another year has.

    Results of part of a year must not stand beside those of whole years: absence rises and falls
    with the seasons, and a threshold of the year's sessions means something else in December.

    Parameters
    ----------
    registrations : mapping of (int, str) to int
        Rows with a possible session, by academic year and term; ``year`` counts in all three.

    Returns
    -------
    dict of int to tuple of str
        The years that lack a term, in order, and those terms. A term is lacking where it has
        fewer than half as many rows as the year's fullest term. Empty where all years
        have the same terms, be they one or three.

    Examples
    --------
    >>> whole = {(202324, term): 900 for term in ("autumn", "spring", "summer")}
    >>> terms_lacking(whole | {(202425, "autumn"): 910, (202425, "spring"): 3})
    {202425: ('spring', 'summer')}
    """
    registrations = by_term(registrations)
    years = sorted({year for year, _ in registrations})
    fullest = {year: max(n for (at, _), n in registrations.items() if at == year) for year in years}
    held = {
        year: {
            term for (at, term), n in registrations.items() if at == year and 2 * n >= fullest[year]
        }
        for year in years
    }
    everywhere = sorted(set().union(*held.values()))
    lacking = {year: tuple(t for t in everywhere if t not in held[year]) for year in years}
    return {year: terms for year, terms in lacking.items() if terms}
