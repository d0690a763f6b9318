"""What every released table is called and answers, and what a worksheet says above its table."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from vsh_eval.columns import COUNTS, PROPORTIONS, ROLES, Role, role_of
from vsh_eval.release.text.phrases.labels import column_label, in_words

_BY_TOPIC: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "parts": (
            "{topic} gap: the group's part and the others'",
            "Did the {topic} gap change because the group changed, or those it is compared with?",
        ),
        "changes": (
            "{topic} gap: change since the baseline year",
            "How far has the {topic} gap changed since the baseline year?",
        ),
        "trends": (
            "{topic} gap: trend over the years",
            "How fast has the {topic} gap changed, per year?",
        ),
        "breakdowns": (
            "{topic} gap by characteristics of pupils",
            "How wide is the {topic} gap by sex, free school meals, SEN and key stage?",
        ),
        "differences": (
            "{topic} gap: differences between children",
            "By how much does the {topic} gap of some children differ from that of others?",
        ),
        "make_up": (
            "{topic} gap and pupils' characteristics",
            "How much of the {topic} gap reflects pupils' phase, SEN, free school meals and sex?",
        ),
        "matched": (
            "{topic} gap between similar children",
            "How wide is the {topic} gap between children of one phase, SEN and meal status?",
        ),
        "standardised": (
            "{topic} gap had the mix of children stayed",
            "How wide would the {topic} gap be with the children's characteristics of the baseline "
            "year?",
        ),
        "effect_sizes": (
            "{topic} gap: effect sizes",
            "How large is each {topic} gap on scales that can be compared?",
        ),
    }
)
_TOPICS = ("attendance", "attainment")

TABLES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "findings": ("Checks of the returns", "Which checks did this year's data pass or fail?"),
        "barriers": (
            "Barriers",
            "What other barriers do children with a social worker face, compared with others?",
        ),
        "levels": ("Levels", "What is the rate or score of each group, in each phase and year?"),
        "gaps": ("Gaps", "How wide is the gap in each measure, phase and year?"),
        "reach": (
            "Reach of the training",
            "How many schools, children and staff did each programme reach, at what cost?",
        ),
        "reach_audience": (
            "Reach of the training by audience",
            "How many schools and children did the training of each audience reach?",
        ),
        "reach_deprivation": (
            "Reach of the training by deprivation",
            "Are schools in deprived areas trained as often as others?",
        ),
        "reach_baseline_gap": (
            "Reach of the training by gap before training",
            "Are schools with a wide gap trained as often as others?",
        ),
        "reach_area": (
            "Reach of the training by local area",
            "Are schools trained as often in one area as in another?",
        ),
        "equity": (
            "Equity of the training",
            "Does the training go to the schools where need is greatest?",
        ),
        "attendance_days": (
            "Attendance gap in days",
            "How many more days of school do children with a social worker miss?",
        ),
        "attendance_schools": (
            "Attendance gap: how much schools differ",
            "Do the gaps of schools differ by more than chance?",
        ),
        "gaps_by_arm": (
            "Gap in trained and in untrained schools",
            "How did the gap move in schools that were trained, and in those that were not?",
        ),
        "impact": ("Impact", "What was the effect of training on each gap?"),
        "evidence": ("Evidence", "Which rules does the evidence for an effect meet?"),
        "power": (
            "Power",
            "How small an effect could these data detect, and more years or other authorities?",
        ),
        "false_alarms": (
            "False alarms",
            "How often does the method find an effect where training was assigned at random?",
        ),
        "drift": (
            "Drift before training",
            "How fast did trained schools move apart from the others before the training?",
        ),
        "changes_since_last_run": (
            "Figures that differ from last year's release",
            "Which gaps of the same year, measure and group differ, and why?",
        ),
        "settings_since_last_run": (
            "Settings that differ from last year's release",
            "What is asked or counted in another way?",
        ),
        "pooled": (
            "Authorities together",
            "What was the effect in each authority, and in all of them together?",
        ),
        "authorities": ("Authorities", "Whose results are these, and which of them are pooled?"),
        "value": ("Value for money", "What did each unit of improvement cost?"),
        "robustness": ("Robustness", "Does the result hold when a choice is made differently?"),
        "specifications": (
            "Specifications",
            "What is the estimate in each reasonable way of making it?",
        ),
    }
    | {
        f"{topic}_{kind}": (
            title.format(topic=topic.capitalize()),
            answers.format(topic=topic),
        )
        for topic in _TOPICS
        for kind, (title, answers) in _BY_TOPIC.items()
    }
)
"""Title and question of every table that the notebooks publish, by its name."""

_UNITS: Mapping[Role, str] = MappingProxyType(
    {
        Role.SHARE: "shares in per cent",
        Role.RATIO: "ratios: group divided by those compared with",
        Role.P_VALUE: "p values from 0 to 1",
        Role.MONEY: "costs in pounds",
    }
)
"""The unit of a role that has one unit in every table."""
_UNIT_COLUMNS = ("unit", "gap_unit")


def table_title(name: str) -> str:
    """Return the title of a released table; a table of the reader's own is called by its name.

    Examples
    --------
    >>> table_title("attendance_make_up"), table_title("my_table")
    ("Attendance gap and pupils' characteristics", 'My table')
    """
    return TABLES[name][0] if name in TABLES else in_words(name)


def table_question(name: str) -> str:
    """Return the question that a released table answers, '' for a table of the reader's own.

    Examples
    --------
    >>> table_question("gaps")
    'How wide is the gap in each measure, phase and year?'
    """
    return TABLES[name][1] if name in TABLES else ""


def stamped(stamp: str) -> str:
    """Say on a cover what its data are marked as."""
    return f"These data are marked: {stamp}."


def without_rows(tables: Sequence[str]) -> list[str]:
    """Name the tables that have no row, and so no sheet; nothing where every table has one."""
    titles = ", ".join(table_title(name) for name in tables)
    return [f"Without a row, and so without a sheet: {titles}."] if tables else []


def only_the_comparison(tables: Sequence[str]) -> list[str]:
    """Name the tables that are too long to look through; nothing where there are none."""
    titles = ", ".join(table_title(name) for name in tables)
    files = ", ".join(f"tables/{name}.csv" for name in tables)
    said = f"Only the rows of the children asked about and of those compared with them: {titles}."
    return [f"{said} All rows are in {files}."] if tables else []


def every_row_line(labels: Mapping[str, str]) -> str:
    """Say the labels that are the same in every row of a table, '' where there are none.

    Parameters
    ----------
    labels : mapping of str to str
        What a reader calls the value, by column.

    Examples
    --------
    >>> every_row_line({"geographic_level": "Local authority", "la_name": "Invented Borough"})
    'In every row: Kind of area: Local authority; Authority name: Invented Borough'
    """
    said = "; ".join(f"{column_label(column)}: {label}" for column, label in labels.items())
    return f"In every row: {said}" if said else ""


def units_line(columns: Sequence[str], texts: Iterable[str] = ()) -> str:
    """Say in which units a table's numbers stand.

    Parameters
    ----------
    columns : sequence of str
        The table's columns.
    texts : iterable of str
        Those of them that hold texts.

    Returns
    -------
    str
        One line, the numbers in the order of the table's columns.

    Examples
    --------
    >>> units_line(["phase", "pupils", "level_value", "unit"])
    'Units: pupils, schools and rows are counted; other numbers as the column Unit says'
    >>> units_line(["programme", "share_schools", "cost"])
    'Units: shares in per cent; costs in pounds'
    """
    described = frozenset(texts)
    roles = {column: role_of(column, text=column in described) for column in columns}
    said: list[str] = []
    if COUNTS & set(roles.values()):
        said.append("pupils, schools and rows are counted")
    for column, role in roles.items():
        role_there = ROLES.get(column.removesuffix("_lower").removesuffix("_upper"), role)
        if column in PROPORTIONS:
            said.append("proportions from 0 to 1")
        elif role_there in _UNITS:
            said.append(_UNITS[role_there])
    own = [column_label(column) for column in _UNIT_COLUMNS if column in roles]
    if own:
        said.append(f"other numbers as the column {' or '.join(own)} says")
    elif "estimate" in roles:
        said.append(
            "estimates in the unit of the measure: percentage points or points of the score"
        )
    return f"Units: {'; '.join(dict.fromkeys(said)) or 'none, the table holds words'}"
