"""Does a yearly run still say everything else where the effect cannot be told?

    python -m tests.proofs.failure_modes [--schools N] [--only NAME] [--folder FOLDER]
                                         [--output FILE]

A small authority is invented once. For each way in which an evaluation can fail its returns or its
params are changed, and the yearly run is made by the command that a user gives, with every
notebook. Then its release is read: whether every page is there, whether the first screen of the
impact page says in words what is wrong, whether the annual report says it too, and whether all that
does not depend on the training is as whole as in an ordinary run.
"""

import html
import json
import re
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from tests.pipeline.project import PUBLISHED, Project
from tests.proofs._page import DATA, options, table
from tests.returns import published_example as example
from vsh_eval.pipeline import catalogue

FIRST, LAST = "2018/19", "2023/24"
SETTINGS: Mapping[str, Any] = {
    "authority": {"code": "E06000999", "name": "Invented Borough"},
    "source": {"kind": "returns", "folder": "../returns"},
    "years": {"first": FIRST, "last": LAST, "baseline": FIRST},
}
Tables = dict[str, pd.DataFrame]


def unchanged(tables: Tables) -> None:
    """Leave the returns as they were invented."""


KEYS = {
    "gaps": ["time_period", "geographic_level", "phase", "metric", "group", "reference"],
    "reach": ["time_period", "programme", "tier", "phase"],
}


@dataclass(frozen=True, slots=True)
class Mode:
    """One way in which an evaluation can fail.

    Attributes
    ----------
    name, how : str
        What is wrong, and how it was made.
    says : tuple of str
        What the head of the impact page must name: what is there, the rule, what can be done.
    change : callable
        Changes the tables of the returns, in place.
    params : mapping
        What the params say beside `SETTINGS`.
    estimable : bool
        Whether an effect can be estimated all the same.
    lacks : mapping
        Rows of an ordinary run's tables that such data cannot have: table to a query.
    """

    name: str
    how: str
    says: tuple[str, ...]
    change: Callable[[Tables], None] = unchanged
    params: Mapping[str, Any] = field(default_factory=dict)
    estimable: bool = False
    lacks: Mapping[str, str] = field(default_factory=dict)


def trained(tables: Tables, *, schools: int | None = None, start: tuple[str, ...]) -> None:
    """Train so many schools (all, where not said), in turn on the days given, each once."""
    chosen = sorted(tables["schools"]["urn"])[:schools]
    log = tables["training"]
    rows = pd.concat([log.iloc[[0]]] * len(chosen), ignore_index=True)
    days = [start[number % len(start)] for number in range(len(chosen))]
    tables["training"] = rows.assign(urn=chosen, start_date=days, staff_trained="5")


def few_schools(tables: Tables) -> None:
    """Keep eight schools that are trained or not as they were, and the children in them."""
    closed = set(tables["school_links"]["urn"]) | set(tables["school_links"]["successor_urn"])
    units = [urn for urn in sorted(tables["schools"]["urn"]) if urn not in closed]
    was = set(tables["training"]["urn"])
    keep = {*[u for u in units if u in was][:4], *[u for u in units if u not in was][:4]}
    tables["school_links"] = tables["school_links"].iloc[:0]
    for name in ("schools", "enrolments", "attendance", "suspensions", "attainment", "training"):
        tables[name] = tables[name][tables[name]["urn"].isin(keep)]
    there = tables["episodes"]["pupil_id"].isin(tables["enrolments"]["pupil_id"])
    tables["episodes"] = tables["episodes"][there]


def covid_years(tables: Tables) -> None:
    """Leave the years 2019/20 to 2021/22, with schools trained in autumn 2021."""
    for name in ("enrolments", "attendance", "suspensions", "attainment"):
        years = tables[name]["academic_year"].isin(["201920", "202021", "202122"])
        tables[name] = tables[name][years]
    trained(tables, schools=15, start=("2021-09-06",))


def the_same_for_all(tables: Tables) -> None:
    """Let every child miss every tenth session."""
    tables["attendance"] = tables["attendance"].assign(
        sess_possible="100", sess_authorised="10", sess_unauthorised="0"
    )


def twice_the_same(tables: Tables) -> None:
    """Give schools a second column that is the first."""
    tables["schools"] = tables["schools"].assign(pct_fsm_again=tables["schools"]["pct_fsm"])


def without_outcome(tables: Tables) -> None:
    """Leave Attainment 8 out of the results."""
    rows = tables["attainment"]
    tables["attainment"] = rows[rows["measure"].ne("ks4_attainment8")]


def no_log(tables: Tables) -> None:
    """Leave the training log with its head and no row."""
    tables["training"] = tables["training"].iloc[:0]


def published(name: str, code: str, start: str | None, donors: str) -> Mode:
    """Return the run of an authority in DfE's own published tables."""
    offer = {"offer_start": start, "donors": donors}
    return Mode(
        f"published tables of {name}",
        f"DfE's own files; offer from {start}, {donors}" if start else "DfE's own files; no offer",
        (),
        params={
            "authority": {"code": code, "name": name},
            "source": {"kind": "published", "folder": str(DATA)},
            "years": {"first": "2018/19", "last": "2024/25", "baseline": "2018/19"},
            "cohort": PUBLISHED["cohort"],
            "published": {key: value for key, value in offer.items() if value},
        },
    )


COVID = {"first": "2019/20", "last": "2021/22", "baseline": "2020/21"}
IN_TURN = ("2021-09-06", "2022-09-05", "2023-09-04")
MODES = (
    Mode("an ordinary run", "as invented", (), estimable=True),
    Mode(
        "no never-treated school",
        "every school trained, in turn in autumn 2021, 2022 and 2023",
        ("every school", "2023/24", "later or never"),
        lambda tables: trained(tables, start=IN_TURN),
        estimable=True,
    ),
    Mode(
        "all schools treated in one year",
        "every school trained in autumn 2021",
        ("same year", "2021/22", "at least one", "evaluate together"),
        lambda tables: trained(tables, start=IN_TURN[:1]),
    ),
    Mode(
        "one treated school",
        "one school in the training log",
        ("too few schools with data were trained", "at least 3", "wait"),
        lambda tables: trained(tables, schools=1, start=IN_TURN[:1]),
    ),
    Mode(
        "fewer than three trained schools",
        "two schools in the training log",
        ("too few schools with data were trained", "at least 3", "wait"),
        lambda tables: trained(tables, schools=2, start=IN_TURN[:1]),
    ),
    Mode(
        "a handful of trained schools",
        "five schools in the training log: estimable, but the test is a little too ready",
        ("few schools were trained", "uncertain", "randomisation test"),
        lambda tables: trained(tables, schools=5, start=IN_TURN[:1]),
        estimable=True,
    ),
    Mode(
        "fewer than 10 clusters",
        "eight primary schools, four of them trained",
        ("schools are left", "at least 10", "add years"),
        few_schools,
        lacks={
            "gaps": "phase != 'total' or metric.str.startswith('ks4')",
            "reach": "phase not in ['primary', 'total']",
        },
    ),
    Mode(
        "cohorts with no pre-period",
        "every training in the log began in autumn 2018, the first year of data",
        ("2018/19", "year before training", "begin the years earlier"),
        lambda tables: trained(tables, schools=20, start=("2018-09-05",)),
    ),
    Mode(
        "all years in covid",
        "years 2019/20 to 2021/22 only, 15 schools trained in autumn 2021",
        ("covid", "2019/20 to 2021/22", "add years"),
        covid_years,
        {"years": COVID},
        estimable=True,
    ),
    Mode(
        "collinear covariates",
        "covariates pct_fsm and pct_fsm_again, the same column twice",
        ("pct_fsm_again", "covariates", "leave it out"),
        twice_the_same,
        {"protocol": {"covariates": ["pct_fsm", "pct_fsm_again"]}},
        estimable=True,
    ),
    Mode(
        "zero variance",
        "every child misses 10 of 100 sessions in every term",
        ("the same in every school and year", "only what varies", "check how"),
        the_same_for_all,
    ),
    Mode(
        "an outcome absent",
        "primary outcome Attainment 8, which the results do not hold",
        ("Attainment 8", "hold no results", "name another"),
        without_outcome,
        {"protocol": {"primary": "ks4_attainment8", "sesoi": 1}},
        lacks={"gaps": "metric in ['ks4_attainment8', 'ks4_attainment8_rank']"},
    ),
    Mode(
        "no training log",
        "training.csv without a row",
        ("wait for a year", "at least 3", "in the log"),
        no_log,
        lacks={"reach": "programme != 'any' or tier != 'any'"},
    ),
    Mode(
        "published tables without an offer's start",
        "DfE's files in small, published.offer_start not named",
        ("offer", "began"),
        params=PUBLISHED,
    ),
    published("Norfolk", "E10000020", None, "neighbours"),
    published("the City of London", "E09000001", "2022/23", "neighbours"),
    published("Rutland", "E06000017", "2022/23", "region"),
    published("Birmingham", "E08000025", "2021/22", "all"),
    published("Kent", "E10000016", "2023/24", "neighbours"),
)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a release says."""

    head: str
    statement: str
    pages: int
    faults: tuple[str, ...]


def write_returns(folder: Path, tables: Tables) -> None:
    """Write the tables of returns as CSV."""
    folder.mkdir(parents=True)
    for name, rows in tables.items():
        rows.to_csv(folder / f"{name}.csv", index=False)
    (folder / "SYNTHETIC.txt").write_text("SYNTHETIC: invented returns.\n", encoding="utf-8")


def read_returns(folder: Path) -> Tables:
    """Read the invented returns as text."""
    return {
        path.stem: pd.read_csv(path, dtype=str, keep_default_na=False)
        for path in sorted(folder.glob("*.csv"))
        if path.stem != "truth"
    }


def made(mode: Mode, tables: Tables, folder: Path) -> Project:
    """Set a project up in which the yearly run meets the mode."""
    project = Project.start(folder)
    if mode.params is PUBLISHED:
        example.write(folder / "published")
    elif "source" not in mode.params:
        own = dict(tables)
        mode.change(own)
        write_returns(folder / "returns", own)
    project.write("failing", {**SETTINGS, **mode.params})
    return project


def words(page: str) -> str:
    """Return what a reader sees of a page: no code, no styles, no marks."""
    page = re.sub(r"(?s)<(pre|code|style|script|head)\b.*?</\1>", " ", page)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def statements(page: str) -> list[str]:
    """Return the statements of a page in order, each in plain words."""
    found = re.findall(r'(?s)<div class="statement">(.*?)</div>', page)
    return [words(part) for part in found]


PYTHON = re.compile(r"Traceback|\b(?:nan|NaN|NaT|inf)\b|<NA>|\bNone\b(?! of)|DesignError")
"""What no reader may meet: Python's words where a number or a sentence should be."""
NAME = re.compile(r"\b[a-z]+_[a-z_]+")
"""Names of the program; on the page about returns columns are meant to be named."""
NAMES_MEANT = re.compile(r"\bpct_fsm\w*|\bvsh_\w+|\b\w+\.(?:csv|xlsx|json|yaml)|[a-z]+\.[a-z_]+")
"""Columns, files and keys of the params that a reader is told to look at."""
NOTHING = "cannot be estimated from these data"
WHY = "The effect cannot be estimated: "
"""Before the reason, on 06 as on 08."""
WITH_COLUMNS = "01_returns.html"


def look(release: Path, mode: Mode, ordinary: Path | None) -> Looked:
    """Read a release and name what is wrong with it.

    Parameters
    ----------
    release : Path
        The folder.
    mode : Mode
        What the run met.
    ordinary : Path, optional
        The release of an ordinary run, for what must be as whole.
    """
    kind = "published" if mode.params.get("source") else "returns"
    named = [f"{notebook.name}.html" for notebook in catalogue.of_kind(kind)]
    pages = {path.name: path.read_text(encoding="utf-8") for path in release.glob("*.html")}
    faults = [f"{name} is missing" for name in [*named, "index.html"] if name not in pages]
    for name, text in pages.items():
        faults += _page_faults(name, text)
    results = json.loads((release / "results.json").read_text(encoding="utf-8"))
    impact, report = (
        pages.get(next(n for n in named if part in n), "") for part in ("impact", "annual")
    )
    head = next(iter(statements(impact)), "") or words(impact)
    if kind == "returns":
        faults += _impact_faults(release, mode, results, head)
        faults += _whole_faults(release, mode, ordinary)
    else:
        head = next((said for said in statements(report) if "offer" in said), "")
        head = head or next(iter(statements(report)), "")
    said = (head if kind == "returns" else words(impact)).casefold()
    faults += [f"{part!r} is not said on 06" for part in mode.says if part.casefold() not in said]
    if kind == "returns" and not mode.estimable:
        why = f"{WHY}{results['headline'].get('reason') or ''}"
        faults += [
            f"{part!r} is not said on 08" for part in (NOTHING, why) if part not in words(report)
        ]
    return Looked(head, results["evidence"]["statement"], len(pages), tuple(faults))


def _page_faults(name: str, text: str) -> list[str]:
    faults = []
    said = NAMES_MEANT.sub("", words(text))
    names = [] if name == WITH_COLUMNS else [*NAME.finditer(said)]
    for found in [*PYTHON.finditer(said), *names]:
        near = said[max(found.start() - 40, 0) : found.end() + 40]
        faults.append(f"{name} says {near!r}")
    faults += [
        f"{name} has a table without rows: {words(table)[:80]!r}"
        for table in re.findall(r"(?s)<table.*?</table>", text)
        if "<td" not in table
    ]
    if re.search(r"(?s)<h([23])[^>]*>[^<]*</h\1>\s*<h\1", text):
        faults.append(f"{name} has a heading with nothing under it")
    return faults


def _impact_faults(release: Path, mode: Mode, results: Mapping[str, Any], head: str) -> list[str]:
    faults = []
    headline, statement = results["headline"], results["evidence"]["statement"]
    if mode.estimable != (headline["estimate"] is not None):
        faults.append(f"the estimate in results.json is {headline['estimate']}")
    if mode.estimable != (statement != "not_estimable"):
        faults.append(f"the statement is {statement!r}")
    reason = str(headline.get("reason") or "")
    if not mode.estimable and not (reason.endswith(".") and reason.count(". ") == 0):
        faults.append(f"the reason in results.json is {reason!r}, not one sentence")
    if not mode.estimable and not head.startswith(WHY):
        faults.append(f"06 begins with {head[:60]!r}")
    return faults + _row_faults(release, mode)


def _row_faults(release: Path, mode: Mode) -> list[str]:
    faults = []
    for name, rows in (("impact", "role == 'primary'"), ("robustness", "role == 'robustness'")):
        path = release / "tables" / f"{name}.csv"
        if not path.is_file():
            faults.append(f"{name}.csv is missing")
            continue
        table = pd.read_csv(path, dtype=str, keep_default_na=False).query(rows)
        if table.empty:
            faults.append(f"{name}.csv has no row of {rows}")
        elif not mode.estimable and set(table["status"]) != {"x"}:
            faults.append(f"{name}.csv has status {sorted(set(table['status']))}, not x")
    return faults


def _whole_faults(release: Path, mode: Mode, ordinary: Path | None) -> list[str]:
    """Compare what does not depend on the training with an ordinary run's, in the years shared."""
    faults = []
    for name, keys in KEYS.items():
        if ordinary is None:
            break
        usual, own = (
            pd.read_csv(folder / "tables" / f"{name}.csv", dtype=str, keep_default_na=False)
            for folder in (ordinary, release)
        )
        if list(usual) != list(own):
            faults.append(f"{name}.csv has columns {sorted(set(usual) ^ set(own))} less or more")
            continue
        years = mode.params.get("years", SETTINGS["years"])
        span = [year.replace("/", "") for year in (years["first"], years["last"])]
        usual = usual[usual["time_period"].between(*span)]
        if name in mode.lacks:
            usual = usual.query(f"not ({mode.lacks[name]})")
        if name == "reach":
            usual, own = (
                table.query("programme == 'any' and tier == 'any'") for table in (usual, own)
            )
        missing = set(map(tuple, usual[keys].to_numpy())) - set(map(tuple, own[keys].to_numpy()))
        if missing:
            faults.append(f"{name}.csv lacks {len(missing)} rows, such as {min(missing, key=str)}")
    return faults


def body(rows: list[dict[str, Any]], faults: list[str], schools: int) -> str:
    """Return what the page says."""
    wrong = "\n".join(f"- {fault}" for fault in faults) or (
        "Every run ended with code 0, with every page, every table, an index that leads to them "
        "and an evidence statement; no page holds a word of Python where a number or a sentence "
        "should be."
    )
    return f"""
An invented authority of {schools} schools and the years {FIRST} to {LAST}, changed in one way a
row, and DfE's own published tables for authorities from the smallest to the largest; the yearly
run is that of `vsh-eval run`, with every notebook. "what the reader sees first on
06": the statement at the head of the impact page, as it stands there (for published tables that of
the annual report, where the impact page asks for no effect). "pages": with the index.

## What each run said

{table(rows, ".0f")}

## What was looked for, and what is missing

Exit code 0; every page; the sentence on the impact page, in `results.json` as one sentence, and in
the same words in the annual report; `impact.csv` and `robustness.csv` with rows of
status x where there is no estimate; `gaps.csv` and `reach.csv` with the columns and rows of an
ordinary run of the same years; no table without rows, no heading with nothing under it.

{wrong}

## Reading

Where the schools cannot bear an estimate, the page says what is there, what an estimate needs and
what can be done, and the statement is "not estimable", never "no effect". Gaps, levels and reach do
not hang on the estimate and are as whole as ever. Some modes do bear an estimate, and the sentence
stands under it as a warning: where every school is trained sooner or later, the last years have
nobody to be compared with and carry nothing; where few are trained, the test is a little too ready
([wild_size.md](wild_size.md)); a covariate that adds nothing costs the one check that uses
covariates; and where all years lie in the pandemic, nothing is shown of others. A training log that
is not there at all, without even its head, is refused in one sentence before anything is written.
"""


def main(arguments: list[str] | None = None) -> int:
    """Make the runs, write the page, and return 1 where anything is wrong."""
    asked, write = options(
        __file__,
        __doc__,
        arguments,
        schools=40,
        only={"default": "", "help": "only modes whose name holds this"},
        folder={"type": Path, "help": "keep the runs here, and use those there"},
    )
    folder = asked.folder or Path(tempfile.mkdtemp())
    rows: list[dict[str, Any]] = []
    faults: list[str] = []
    try:
        chosen = [mode for mode in MODES if asked.only in mode.name]
        tables = invented(folder, asked.schools) if chosen else {}
        for mode in chosen:
            row, wrong = one(mode, tables, folder)
            rows.append(row)
            faults += [f"{mode.name}: {fault}" for fault in wrong]
            said = "".join(f"\n  {fault}" for fault in wrong) or " as it should be"
            sys.stdout.write(f"{mode.name} ({row[SECONDS]:.0f} s):{said}\n")
            sys.stdout.flush()
    finally:
        if not asked.folder:
            shutil.rmtree(folder)
    write(body(rows, faults, asked.schools), "schools")
    return 1 if faults else 0


def invented(folder: Path, schools: int) -> Tables:
    """Invent the authority that every mode changes."""
    if not (folder / "base" / "returns").is_dir():
        base = Project.start(folder / "base")
        years = ("--first", FIRST, "--last", LAST)
        said = base.say("synthesise", "returns", "--schools", schools, *years, "--csv")
        if said.code:
            raise RuntimeError(said.err)
    return read_returns(folder / "base" / "returns")


SECONDS = "seconds of a core"
FIRST_SEEN = "what the reader sees first on 06"


def seconds_of_a_core() -> float:
    """Return what this process and those it has started have used so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)


def one(mode: Mode, tables: Tables, folder: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Make the run of one mode and look at it."""
    place = folder / re.sub(r"\W+", "_", mode.name)
    row: dict[str, Any] = {"mode": mode.name, "how it was made": mode.how}
    row |= {FIRST_SEEN: "", "statement": "", "pages": 0, SECONDS: 0.0}
    project, clock = Project(place), place / "seconds"
    if not clock.is_file():
        shutil.rmtree(place, ignore_errors=True)
        project = made(mode, tables, place)
        began = seconds_of_a_core()
        said = project.say("run", "params/failing.yaml", "-j", 2)
        row[SECONDS] = seconds_of_a_core() - began
        if said.code:
            wrong = " ".join(said.err.split())[-300:]
            return row, (f"exit {said.code}: {wrong}",)
        clock.write_text(str(row[SECONDS]), encoding="utf-8")
    row[SECONDS] = float(clock.read_text(encoding="utf-8"))
    ordinary = folder / "an_ordinary_run" / "outputs" / "failing" / "release"
    usual = ordinary if ordinary.is_dir() else None
    looked = look(project.outputs / "failing" / "release", mode, usual)
    row |= {FIRST_SEEN: looked.head, "statement": looked.statement, "pages": looked.pages}
    return row, looked.faults


if __name__ == "__main__":
    sys.exit(main())
