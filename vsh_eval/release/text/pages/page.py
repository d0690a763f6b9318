"""The words around every page of the report, of its files, and of the card of a run."""

from collections.abc import Sequence
from datetime import date

from vsh_eval import academic_year, names, registry
from vsh_eval.release.disclosure.safe_table import SafeTable
from vsh_eval.release.rows import records
from vsh_eval.release.text.phrases.labels import COHORT_RULE_LABELS, GROUP_LABELS, metric_in_text
from vsh_eval.release.text.phrases.numbers import listed
from vsh_eval.release.text.phrases.tables import table_title
from vsh_eval.release.text.safe_text import sentence
from vsh_eval.release.text.words import rows, words
from vsh_eval.settings import Settings

WORDS = words("report", "word")
"""What the templates, the workbook and the first page say, by the name they call it."""

PAGES = {code: (row["title"], row["question"]) for code, row in rows("report", "page").items()}
"""What the navigation calls each notebook's page, and the question it answers."""

EGRESS_FINDS = words("report", "egress")
"""What the check of the released files looks for, by the kind of find."""
EGRESS_CLEAN = "No released file holds {}."
EGRESS_TOO_SHORT = (
    "Identifiers too short to be told from ordinary numbers were not looked for; give pupils "
    "longer ones before the returns are read."
)

_SOURCES = words("report", "source")
_PROTECTION = words("report", "protection")
_TERMS = words("report", "terms")
"""On what terms numbers may be used again, by the kind of the run's data."""
_BESIDE = f"DfE's figures: {_TERMS['published']}"


POOLED_PROTOCOL = "each authority's own, if it registered one: see the table of authorities"


def report_title(authority: str) -> str:
    """Return the title of a report."""
    return f"{authority}: is the gap for children with a social worker closing?"


def pool_title(authorities: int) -> str:
    """Return what a pool is called that was given no name."""
    return f"{authorities} authorities together"


def workbook_title(authority: str) -> str:
    """Return the title of the workbook."""
    return f"{authority}: children with a social worker, evaluation tables"


def provenance(settings: Settings, *, invented: bool, date: str) -> tuple[str, ...]:
    """Say whose numbers these are, of which day, and under what licence they may be used again.

    Parameters
    ----------
    settings : Settings
        The run's.
    invented : bool
        Whether the data are.
    date : str
        The day the tables were made, in ISO form.

    Returns
    -------
    tuple of str
        Source, date and licence, one line each.
    """
    return (
        f"Source: {settings.authority.name}, {_SOURCES[_kind(settings, invented=invented)]}",
        f"Date: {date}",
        f"Licence: {_licence(settings, invented=invented)}",
    )


def _kind(settings: Settings, *, invented: bool) -> str:
    kind = settings.source.kind
    return "synthetic" if invented and kind != "pooled" else kind


def _licence(settings: Settings, *, invented: bool) -> str:
    """Say on what terms the numbers may be used again, those of DfE's tables apart."""
    own = settings.source.licence or _TERMS[_kind(settings, invented=invented)]
    return own if settings.published.folder is None else f"{own}; {_BESIDE}"


def download_label(table: str) -> str:
    """Name a table's file.

    Examples
    --------
    >>> download_label("reach")
    'Reach of the training (CSV)'
    """
    return f"{table_title(table)} (CSV)"


def banner(stamp: str) -> dict[str, str] | None:
    """Return what stands on every page about its data: a word, and what it means."""
    if not stamp:
        return None
    invented = ": made from an invented authority. No child, school or council in it is real."
    return {"word": stamp, "rest": invented if names.SYNTHETIC_STAMP in stamp else ""}


def step_label(step: int, section: str) -> str:
    """Name a step of the code and the section it stands in.

    Examples
    --------
    >>> step_label(3, "How wide is it?"), step_label(1, "")
    ('Step 3, "How wide is it?"', 'Step 1')
    """
    return f'Step {step}, "{section}"' if section else f"Step {step}"


def step_heading(step: int) -> str:
    """Head the output of a step that failed."""
    return f"Step {step} failed"


def step_failed(step: int) -> str:
    """Say that a page stopped halfway."""
    return f"{step_heading(step)}; what follows it was not run. Nothing here may be quoted."


def parts_of_page(count: int) -> str:
    """Name the contents of a page.

    Examples
    --------
    >>> parts_of_page(1), parts_of_page(8)
    ('On this page: 1 part', 'On this page: 8 parts')
    """
    return f"{WORDS['on_this_page']}: {count} part{'' if count == 1 else 's'}"


def run_card(
    settings: Settings,
    *,
    invented: bool,
    protocol: str,
    software: str,
    commit: str,
    day: date,
    command: str,
) -> dict[str, str]:
    """Say what is asked of which data, under which rules: item and value, in order.

    Parameters
    ----------
    settings : Settings
        The run's.
    invented : bool
        Whether the data are.
    protocol, software, commit, command : str
        How the run stands to its registration, what made it, the commit that stands at ('' where
        it is not known), and what makes it again.
    day : date
        When it was made.
    """
    cohort, years = settings.cohort, settings.years
    first, last, baseline = map(academic_year.label, (years.first, years.last, years.baseline))
    pooled = settings.source.kind == "pooled"
    kind = _kind(settings, invented=invented)
    reference = f"Pupils with no social worker in the year or the {cohort.look_back} years before"
    if cohort.reference == names.ALL:
        reference = f"{GROUP_LABELS[names.ALL]}, those with a social worker among them"
    published = kind == "published"
    card = {
        "Authority": f"{settings.authority.name} ({settings.authority.code})",
        **({"Authorities": settings.authority.name} if pooled else {}),
        "Data": _SOURCES[settings.source.kind if pooled else kind],
        "Years": f"{first} to {last}, changes counted from {baseline}",
        "Children counted": f"{GROUP_LABELS[cohort.group]}: {COHORT_RULE_LABELS[cohort.rule]}",
        "Compared with": reference,
        "Primary outcome": registry.metric(settings.protocol.primary).label,
        "Protocol": POOLED_PROTOCOL if pooled else protocol,
        "Protection": _PROTECTION["published" if published else settings.disclosure.preset],
        "Seed": str(settings.seed),
        "Software": f"{software}, commit {commit}" if commit else software,
        "Made on": f"{day.day} {day:%B %Y}",
        "Made again by": command,
        "Author": settings.author,
        "Contact": settings.contact,
        "Licence": _licence(settings, invented=invented),
    }
    left_out = {"Authority", "Seed"} if pooled else set()
    return {item: value for item, value in card.items() if value and item not in left_out}


@sentence
def checks_sentence(safe: SafeTable) -> str:
    """Say how many of the checks of the returns passed, warned and failed (table of findings)."""
    results = [str(row["result"]) for row in records(safe)]
    passed, warned, failed = (results.count(result) for result in ("pass", "warn", "fail"))
    return f"{passed} checks passed, {warned} gave a warning, {failed} failed."


@sentence
def no_results_sentence(metrics: Sequence[str]) -> str:
    """Say of which measures the data hold nothing; '' where there is none."""
    lacking = [metric_in_text(name) for name in metrics]
    return f"The data hold no results for {listed(lacking)}." if lacking else ""
