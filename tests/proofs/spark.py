"""Does Spark count the same integers as DuckDB?

    python -m tests.proofs.spark [--pupils N] [--schools N] [--output FILE]

Needs pyspark (`pip install -e '.[spark]'`) and Java 17 or later. Two sets of returns are counted
by both engines, from Parquet folders that Spark reads itself: one full of random rows, with a
school for each case of `CASES`; and the same with the other settings that have SQL of their own.
How many rows a build keeps in the engine and brings to the driver is counted on an invented
authority, by DuckDB: the integers are the same.
"""

import dataclasses
import subprocess
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

from tests.cohort.invented import PERIODS, random_returns
from tests.cohort.tables import (
    SECRET,
    attendance,
    connect,
    day,
    enrolment,
    episode,
    school,
    suspension,
    training,
)
from tests.proofs._page import options, table
from vsh_eval.cohort import CohortTables, DuckDbEngine, Engine, build_cohort, open_engine
from vsh_eval.cohort.engines import Temporary
from vsh_eval.cohort.record_keys import keep_keys
from vsh_eval.contracts import RETURNS
from vsh_eval.settings import Cohort

YEARS = PERIODS[2:]
YEAR = YEARS[-1]
BUILD = "returns and settings"
TABLES = tuple(field.name for field in dataclasses.fields(CohortTables))

CASES: dict[str, dict[str, list[tuple[Any, ...]]]] = {
    "no child with a social worker": {"enrolments": [enrolment("{}1", YEAR, "{}")]},
    "episode still open": {"episodes": [episode("{}1", "2021-10-01")]},
    "episode ends on 31 August": {"episodes": [episode("{}1", "2020-01-01", "2021-08-31")]},
    "episode begins on 1 September": {"episodes": [episode("{}1", "2021-09-01", "2021-09-02")]},
    "open on 31 March": {"episodes": [episode("{}1", "2022-03-31", "2022-03-31")]},
    "closed on 30 March": {"episodes": [episode("{}1", "2022-03-01", "2022-03-30")]},
    "episode of one day on 29 February": {"episodes": [episode("{}1", "2020-02-29", "2020-02-29")]},
    "episode ends before it begins": {"episodes": [episode("{}1", "2022-03-31", "2022-01-01")]},
    "last episode in the sixth year back": {
        "episodes": [episode("{}1", "2015-09-01", "2016-08-31")]
    },
    "last episode in the fifth year back": {
        "episodes": [episode("{}1", "2016-08-30", "2016-09-01")]
    },
    "plan basis": {"episodes": [episode("{}1", "2021-10-01", None, "CIN", "plan")]},
    "three statuses in one year": {
        "episodes": [episode("{}1", "2021-10-01", None, s) for s in ("CIN", "CPP", "CLA")]
    },
    "identifier beyond ASCII": {
        "enrolments": [enrolment("Zoë 😀 {}", YEAR, "{}")],
        "attendance": [attendance("Zoë 😀 {}", YEAR, "{}")],
        "episodes": [episode("Zoë 😀 {}", "2021-10-01")],
    },
    "identifier blank": {
        "enrolments": [enrolment(None, YEAR, "{}"), enrolment("", YEAR, "{}")],
        "attendance": [attendance(None, YEAR, "{}"), attendance("", YEAR, "{}")],
    },
    "no possible session": {"attendance": [attendance("{}1", YEAR, "{}", possible=0, auth=0)]},
    "exactly a tenth, exactly a half missed": {
        "enrolments": [enrolment(f"{{}}{n}", YEAR, "{}") for n in range(2)],
        "attendance": [
            attendance("{}0", YEAR, "{}", possible=100, auth=10, unauth=0),
            attendance("{}1", YEAR, "{}", possible=100, auth=25, unauth=25),
        ],
    },
    "sessions blank": {"attendance": [("{}1", YEAR, "spring", "{}", 100, None, None)]},
    "attendance without an enrolment": {"attendance": [attendance("{}9", YEAR, "{}")]},
    "year group not counted": {"enrolments": [enrolment("{}1", YEAR, "{}", group=13)]},
    "moved within the year": {
        "enrolments": [enrolment("{}1", YEAR, "{}"), enrolment("{}1", YEAR, "100")],
        "attendance": [
            attendance("{}1", YEAR, "{}"),
            attendance("{}1", YEAR, "100", term="summer"),
        ],
    },
    "suspended where not enrolled": {"suspensions": [suspension("{}9", YEAR, "{}", times=3)]},
    "permanently excluded": {"suspensions": [suspension("{}1", YEAR, "{}", excluded=1)]},
    "value at half a hundredth": {
        "enrolments": [enrolment(f"{{}}{n}", YEAR, "{}", group=11) for n in range(4)],
        "attainment": [
            (f"{{}}{n}", YEAR, "{}", "ks4_progress8", value)
            for n, value in enumerate((0.125, -0.125, 2.675, -0.005))
        ],
    },
    "value blank, not a number, infinite, enormous": {
        "enrolments": [enrolment(f"{{}}{n}", YEAR, "{}", group=11) for n in range(4)],
        "attainment": [
            (f"{{}}{n}", YEAR, "{}", "ks4_attainment8", value)
            for n, value in enumerate((None, float("nan"), float("inf"), 1e300))
        ],
    },
    "all have one rank": {
        "enrolments": [enrolment(f"{{}}{n}", YEAR, "{}", group=6) for n in range(3)],
        "attainment": [(f"{{}}{n}", YEAR, "{}", "ks2_reading_score", 100.0) for n in range(3)],
    },
    "in the cohort only the year before": {
        "enrolments": [enrolment("{}1", year, "{}") for year in YEARS],
        "attendance": [attendance("{}1", year, "{}") for year in YEARS],
        "episodes": [episode("{}1", "2020-10-01", "2021-01-01")],
    },
    "trained": {"training": [training("{}", "2021-10-01", staff=3)]},
}
"""What is added at a school of its own, ``{}`` standing for its URN; each has a pupil besides."""


def returns(pupils: int) -> tuple[dict[str, list[tuple[Any, ...]]], dict[str, str]]:
    """Return the rows of every table, and the URN of every case."""
    tables = {name: list(rows) for name, rows in random_returns(2026, pupils=pupils).items()}
    tables["training"] = [training("100", "2021-01-11"), training("999", "2021-01-11")]
    urns = {case: f"7{number:02d}" for number, case in enumerate(CASES)}
    for case, urn in urns.items():
        tables["schools"].append(school(urn, "all_through", opened=day("1990-09-01")))
        ordinary = {
            "enrolments": [enrolment("{}1", YEAR, "{}")],
            "attendance": [attendance("{}1", YEAR, "{}")],
        }
        for name, rows in {**ordinary, **CASES[case]}.items():
            tables[name] += [
                tuple(v.replace("{}", urn) if isinstance(v, str) else v for v in row)
                for row in rows
            ]
    return tables, urns


def spark_session(*, remote: bool = False) -> Any:
    """Open Spark with one core; it compiles no query, as that is most of the time at this size."""
    from pyspark.sql import SparkSession

    small = {
        "spark.ui.enabled": "false",
        "spark.driver.memory": "1g",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder
    builder = builder.remote("local[1]") if remote else builder.master("local[1]")
    for key, value in small.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    if not remote:
        session.sparkContext.setLogLevel("ERROR")
    return session


def on_spark(connection: Any, folder: Path, *, remote: bool) -> Engine:
    """Write the tables as Parquet and let Spark read them in place."""
    places = {}
    for (name,) in connection.sql("SHOW TABLES").fetchall():
        (folder / name).mkdir(parents=True)
        connection.execute(f"COPY {name} TO '{folder / name}/part.parquet' (FORMAT parquet)")
        places[name] = f"parquet.`{folder / name}`"
    session = spark_session(remote=remote)
    for name in set(RETURNS) - set(places):
        session.catalog.dropTempView(name)
    return open_engine(session, engine="spark", tables=places)


def record_keys(engine: Engine) -> pd.DataFrame:
    """Return the record key of every child, by identifier."""
    with Temporary(engine) as kept:
        suspended = "SELECT * FROM suspensions" if engine.columns("suspensions") else (
            "SELECT * FROM enrolments WHERE 1 = 0"
        )  # fmt: skip
        kept.keep("cohort_suspended", suspended)
        keep_keys(kept, secret=SECRET)
        kept.keep("cohort_keys", "SELECT * FROM cohort_keys")
        return kept.run("SELECT pupil_id, record_key FROM cohort_keys ORDER BY pupil_id")


def counted(engine: Engine, **options: Any) -> tuple[dict[str, pd.DataFrame], float]:
    """Return every table of a build, the record keys, and how many seconds it took."""
    start = time.perf_counter()
    built = build_cohort(engine, years=YEARS, secret=SECRET, **options)
    seconds = time.perf_counter() - start
    return {name: getattr(built, name) for name in TABLES} | {"record_keys": record_keys(engine)}, (
        seconds
    )


def same(left: pd.DataFrame, right: pd.DataFrame) -> bool:
    """Return whether two tables have the same rows, columns, types and values, to the last bit."""
    try:
        pd.testing.assert_frame_equal(left, right, check_exact=True)
    except AssertionError:
        return False
    return True


def of_school(tables: dict[str, pd.DataFrame], unit: str) -> list[pd.DataFrame]:
    """Return the rows about one school."""
    found = [tables[name] for name in ("panel", "other_rule_panel", "new_entrants", "exposure")]
    return [table[table["unit_id"] == unit].reset_index(drop=True) for table in found]


Rows = list[dict[str, Any]]


def compared(pupils: int, *, remote: bool = False) -> tuple[Rows, Rows, Rows]:
    """Return a row a table, a row a case, and the seconds of both engines by set of returns."""
    tables, urns = returns(pupils)
    metrics = ("overall_absence", "ks4_attainment8", "pupils_suspended", "school_move")
    builds = {
        "any time in the year": (connect(tables), {"other_rule_metrics": metrics}),
        "ever in six years, plan basis, a closed year, no suspensions, no links": (
            connect(tables, leave_out=("suspensions", "school_links")),
            {
                "cohort": Cohort(rule="ever_6", basis="plan", look_back=5),
                "closed": YEARS[:1],
                "other_rule_metrics": metrics,
            },
        ),
    }
    by_table, by_case, took = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for number, (build, (connection, options)) in enumerate(builds.items()):
            spark, seconds = counted(
                on_spark(connection, Path(folder, str(number)), remote=remote), **options
            )
            duckdb, own = counted(DuckDbEngine(connection), **options)
            took.append({BUILD: build, "DuckDB": f"{own:.1f}", "Spark": f"{seconds:.0f}"})
            for name, rows in duckdb.items():
                equal = yes(same(rows, spark[name]))
                by_table.append({BUILD: build, "table": name, "rows": len(rows), "equal": equal})
            for case, urn in urns.items() if number == 0 else ():
                here, there = of_school(duckdb, urn), of_school(spark, urn)
                equal = all(same(left, right) for left, right in zip(here, there, strict=True))
                count = sum(map(len, here))
                by_case.append({"case": case, "rows": count, "equal": yes(equal)})
    return by_table, by_case, took


class Watched:
    """An engine that counts the rows it keeps and the rows it hands to the driver."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.kept: dict[str, int] = {}
        self.most: dict[str, int] = {}
        self.at_once = self.handed = 0
        self.columns, self.give = engine.columns, engine.give

    def run(self, sql: str) -> pd.DataFrame:
        rows = self.engine.run(sql)
        self.handed = max(self.handed, len(rows))
        return rows

    def keep(self, name: str, sql: str) -> None:
        self.engine.keep(name, sql)
        counted = self.engine.run(f"SELECT COUNT(*) AS n FROM {name}")  # noqa: S608 - our names
        self.kept[name] = int(counted["n"].iloc[0])
        self.most[name] = max(self.kept[name], self.most.get(name, 0))
        self.at_once = max(self.at_once, sum(self.kept.values()))

    def drop(self, name: str) -> None:
        self.engine.drop(name)
        self.kept.pop(name, None)


def rows_of_a_build(schools: int) -> str:
    """Count the rows of an invented authority's build, and measure its tables in memory."""
    from vsh_eval import academic_year, returns
    from vsh_eval.synthetic import Plan, synthesise

    plan = Plan(schools=schools)
    years = tuple(academic_year.span(plan.first, plan.last))
    with tempfile.TemporaryDirectory() as folder:
        made = synthesise(Path(folder) / "returns", plan)
        with returns.open_returns(made, years=years) as opened:
            watched = Watched(DuckDbEngine(opened.connection))
            built = build_cohort(watched, years=years, secret=SECRET)
            ((enrolled,),) = opened.connection.execute("SELECT COUNT(*) FROM enrolments").fetchall()
    pupils = enrolled / len(years)
    lines = [
        ("rows kept at once, at most", watched.at_once,
         f"{watched.at_once / enrolled:.1f} for each row of enrolments"),
        ("rows of one year's outcomes (`cohort_outcomes`), at most",
         watched.most["cohort_outcomes"],
         f"{watched.most['cohort_outcomes'] / pupils:.1f} for each pupil of a year"),
        ("children with a record key (`cohort_keys`)", watched.most["cohort_keys"],
         f"{watched.most['cohort_keys'] / pupils:.1f} for each pupil of a year"),
        ("rows of one answer to the driver, at most", watched.handed,
         f"{watched.handed / schools:,.0f} for each school"),
    ]  # fmt: skip
    for name in ("panel", "composition", "moments"):
        rows = getattr(built, name)
        size = rows.memory_usage(deep=True).sum() / len(rows)
        each = f"{len(rows) / len(years):,.0f} a year; {size:.0f} bytes a row"
        lines.append((f"table {name}", len(rows), each))
    return f"""{schools} schools, {len(years)} years, {enrolled:,} rows of enrolments.

{table(lines, head=["what", "rows", "for each"])}"""


def yes(equal: bool) -> str:
    """Return what the page says."""
    return "yes" if equal else "**no**"


def body(pupils: int, schools: int) -> str:
    """Count both and return what the page says."""
    from importlib.metadata import version

    by_table, by_case, took = compared(pupils)
    # A process has one kind of session for good.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as another:
        by_connect = another.submit(compared, pupils, remote=True).result()[0]
    said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True).stderr
    java = next(line for line in said.splitlines() if "version" in line).replace('"', "")
    return f"""
pyspark {version("pyspark")} on {java}, one core, queries interpreted, not compiled;
DuckDB {version("duckdb")}. Both run the same SQL text on the same {pupils} pupils and {len(CASES)}
schools with one awkward case each; Spark reads Parquet folders. Equal means the same rows,
columns, types and values to the last bit, the record key of every child included.

## Every table

{table(by_table)}

## Every table, through Spark Connect

{table(by_connect)}

## Every awkward case

Rows of panel, other rule's panel, new entrants and exposure at the school that has the case.

{table(by_case)}

## Seconds of a build

At this size they are the start of each query, not work; the machine was shared.

{table(took)}

## Rows of a build

What the engine keeps and the driver is handed, counted by DuckDB on an ordinary authority:
{rows_of_a_build(schools)}
"""


def main(arguments: list[str] | None = None) -> int:
    """Write the page; 1 if anything differs."""
    asked, write = options(__file__, __doc__, arguments, pupils=40, schools=160)
    text = body(asked.pupils, asked.schools)
    write(text, "pupils", "schools")
    return int("**no**" in text)


if __name__ == "__main__":
    raise SystemExit(main())
