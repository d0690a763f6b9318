"""The notebooks: of which data each asks its question, from which tables."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vsh_eval.contracts import ContractError, SettingsError, nearest

RETURNS_KINDS = ("synthetic", "returns")
EVERY_KIND = ("synthetic", "returns", "published")
NEVER_IN_GIT = "outputs/\nreturns/\npublished/\n*.key\n*.csv\n*.xlsx\n*.xml\n*.parquet\n"
"""What the .gitignore of a new project names: data, secrets and what is made from them."""


@dataclass(frozen=True, slots=True)
class Notebook:
    """One notebook of the yearly run.

    Attributes
    ----------
    name : str
        File name without its ending.
    kinds : tuple of str
        The kinds of source it can be asked of.
    needs, makes : tuple of str
        The tables it reads and writes that other notebooks have to do with, internal or published.
    """

    name: str
    kinds: tuple[str, ...]
    needs: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What the report's navigation calls it."""
        return _words(self)[0]

    @property
    def question(self) -> str:
        """The question it answers, as its heading asks it."""
        return _words(self)[1]


def _words(notebook: Notebook) -> tuple[str, str]:
    """Return title and question; loaded when asked for, as where a notebook lies needs no words."""
    from vsh_eval.release.text.pages.page import PAGES

    return PAGES[notebook.name]


_OF_SCHOOLS = ("panel", "other_rule_panel", "make_up", "schools", "exposure", "training")
NOTEBOOKS: tuple[Notebook, ...] = (
    Notebook("01_returns", RETURNS_KINDS, makes=("findings",)),
    Notebook(
        "02_cohort",
        EVERY_KIND,
        needs=("findings",),
        makes=(
            *("panel", "composition", "moments", "spread", "make_up", "other_rule_panel"),
            *("schools", "exposure", "training", "flow"),
            *("areas", "neighbours", "published_panel", "published_areas"),
        ),
    ),
    Notebook(
        "03_training_offer", RETURNS_KINDS, needs=("panel", "schools", "training"), makes=("reach",)
    ),
    Notebook("04_attendance_gap", EVERY_KIND, needs=("panel", "areas")),
    Notebook("05_attainment_gap", EVERY_KIND, needs=("panel", "areas")),
    Notebook("06_impact", RETURNS_KINDS, needs=_OF_SCHOOLS, makes=("evidence", "power")),
    Notebook("06_published_impact", ("published",), needs=("panel",), makes=("evidence", "power")),
    Notebook("07_robustness", RETURNS_KINDS, needs=_OF_SCHOOLS, makes=("robustness",)),
    Notebook(
        "08_annual_report",
        EVERY_KIND,
        needs=("panel", "areas", "reach", "evidence", "power", "robustness"),
        makes=("summary",),
    ),
    Notebook("09_pooled", ("pooled",), makes=("summary",)),
)
"""Every notebook, in the order of the report."""


def of_kind(kind: str) -> tuple[Notebook, ...]:
    """Return the notebooks that can be asked of a kind of source, in order.

    Examples
    --------
    >>> [notebook.name for notebook in of_kind("published")]  # doctest: +NORMALIZE_WHITESPACE
    ['02_cohort', '04_attendance_gap', '05_attainment_gap', '06_published_impact',
     '08_annual_report']
    """
    return tuple(notebook for notebook in NOTEBOOKS if kind in notebook.kinds)


def named(name: str, kind: str) -> Notebook:
    """Return a notebook by its name, its number or the start of its name.

    Raises
    ------
    SettingsError
        If no notebook of that kind has the name, listing those there are, and the nearest.

    Examples
    --------
    >>> named("04", "returns").name, named("4", "returns").name
    ('04_attendance_gap', '04_attendance_gap')
    """
    number = name.zfill(2) if name.isdigit() else name
    for notebook in of_kind(kind):
        if notebook.name.startswith(number):
            return notebook
    known = [notebook.name for notebook in of_kind(kind)]
    raise SettingsError(
        f"notebook is {name!r}, must be one of {', '.join(known)}{nearest(name, known) or '.'}"
    )


def maker_of(table: str, kind: str) -> Notebook:
    """Return the notebook that makes a table.

    Raises
    ------
    ContractError
        If none does.

    Examples
    --------
    >>> maker_of("panel", "published").name
    '02_cohort'
    """
    for notebook in of_kind(kind):
        if table in notebook.makes:
            return notebook
    raise ContractError(f"table is {table!r}, and no notebook of a {kind} run makes it.")


def upstream(notebook: Notebook, among: Sequence[Notebook]) -> tuple[Notebook, ...]:
    """Return the notebooks that make what a notebook needs, in order.

    Examples
    --------
    >>> [n.name for n in upstream(named("08", "published"), of_kind("published"))]
    ['02_cohort', '06_published_impact']
    """
    return tuple(other for other in among if set(other.makes) & set(notebook.needs))


def folder() -> Path:
    """Return the folder of the notebooks: the working folder's project's, else `shipped` ones."""
    here = Path.cwd()
    for own in (here / "notebooks", here):
        if (own / "01_returns.ipynb").is_file() and (own.parent / "params").is_dir():
            return own
    return shipped("notebooks")


def shipped(name: str) -> Path:
    """Return the folder of notebooks or of params that came with the software."""
    package = Path(__file__).resolve().parents[1]
    checkout = package.parent / name
    return checkout if checkout.is_dir() else package / f"_{name}"


def start_project(folder: Path) -> None:
    """Write a project of one's own: params to copy, notebooks to change, and no data in git.

    Parameters
    ----------
    folder : Path
        Where; it must be new or empty.

    Raises
    ------
    SettingsError
        If there is something in the folder.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(f"{folder} is there and not empty, must be a new folder; name another.")
    for name, pattern in (("params", "*.*"), ("notebooks", "*.ipynb")):
        (folder / name).mkdir(parents=True)
        for file in sorted(shipped(name).glob(pattern)):
            shutil.copy(file, folder / name)
    (folder / "outputs").mkdir()
    (folder / ".gitignore").write_text(NEVER_IN_GIT, encoding="utf-8")
