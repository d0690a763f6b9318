"""How fast, and in how much memory, are an authority's returns checked and counted?

    python -m tests.proofs.engine_speed [--schools N] [--times N] [--folder DIR] [--output FILE]

Two authorities are invented, the second with three times the schools. Every work is a process of
its own: CPU seconds from its first line on, and its peak memory, Python and all libraries included.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import duckdb
import pandas as pd

from tests.proofs._page import options, table
from vsh_eval import academic_year, registry, returns
from vsh_eval.cohort import CohortTables, build_cohort
from vsh_eval.contracts import RETURNS
from vsh_eval.pipeline.execution.kernels import PLAIN
from vsh_eval.synthetic import Plan, synthesise

YEARS = tuple(academic_year.span(Plan().first, Plan().last))
READ = {
    "enrolments": "pupil_id academic_year urn year_group sex fsm6 sen",
    "attendance": "pupil_id academic_year urn sess_possible sess_authorised sess_unauthorised",
    "attainment": "pupil_id academic_year urn measure value",
    "suspensions": "pupil_id academic_year urn suspensions permanent_exclusions",
    "episodes": "pupil_id status start_date end_date basis",
}
"""The columns that the tables are counted from."""


class Cost(NamedTuple):
    """What a work took: CPU seconds, and MiB of memory at most."""

    seconds: float
    peak: float


def scan(folder: Path) -> None:
    """Read every value of the columns, and do the least with it: bounds alone need no reading."""
    with duckdb.connect() as connection:
        for table, columns in READ.items():
            kinds = {column.name: column.kind for column in RETURNS[table].columns}
            least = ", ".join(
                f"sum(length({column}))" if kinds[column] == "text" else f"max({column} + 1)"
                for column in columns.split()
            )
            connection.execute(f"FROM '{folder}/{table}.parquet' SELECT {least}").fetchall()


def count(folder: Path) -> CohortTables:
    """Open the returns and count every table of the cohort, as a run does."""
    with returns.open_returns(folder, years=YEARS) as opened:
        return build_cohort(
            opened.connection,
            years=YEARS,
            secret=bytes(32),
            other_rule_metrics=("overall_absence",),
        )


def check(folder: Path) -> None:
    """Open the returns and check them."""
    with returns.open_returns(folder, years=YEARS) as opened:
        returns.check(opened)


def plain_pandas(folder: Path) -> pd.DataFrame:
    """Make the cells of overall, persistent and severe absence alone, as a script would."""
    rows = pd.read_parquet(folder / "attendance.parquet", columns=READ["attendance"].split())
    without = registry.years_without_data("overall_absence")
    rows = rows[rows["academic_year"].isin(set(YEARS).difference(without))]
    links = pd.read_parquet(folder / "school_links.parquet")
    following = dict(zip(links["urn"], links["successor_urn"], strict=True))
    while (left := rows["urn"].isin(following)).any():
        rows.loc[left, "urn"] = rows.loc[left, "urn"].map(following)
    rows["missed"] = rows["sess_authorised"] + rows["sess_unauthorised"]
    year = ["pupil_id", "academic_year"]
    sums = rows.groupby([*year, "urn"], as_index=False)[["sess_possible", "missed"]].sum()
    enrolled = pd.read_parquet(folder / "enrolments.parquet", columns=[*year, "year_group"])
    enrolled = enrolled.groupby(year, as_index=False)["year_group"].max()
    counted = enrolled["year_group"].isin(registry.metric("overall_absence").year_groups)
    sums = sums[sums["sess_possible"].gt(0)].merge(enrolled.loc[counted, year], on=year)
    sums = sums.merge(_social_workers(folder), on=year, how="left")
    sums["group"] = sums["group"].fillna("peers")
    missed, possible = sums["missed"], sums["sess_possible"]
    sums["persistent"], sums["severe"] = 10 * missed >= possible, 2 * missed >= possible
    sums = sums.assign(pupils=1, sum_yy=missed**2, sum_xy=missed * possible, sum_xx=possible**2)
    cells = sums.drop(columns="pupil_id").groupby(["urn", "academic_year", "group"])
    return cells.sum().reset_index()


def _social_workers(folder: Path) -> pd.DataFrame:
    """Return the group of every pupil who has, or had in the six years before, a social worker."""
    episodes = pd.read_parquet(folder / "episodes.parquet")
    plan = episodes["status"].eq("CIN") & episodes["basis"].eq("plan")
    episodes = episodes[~plan].sort_values("status", key=lambda held: held.map(_RANK))
    starts = pd.to_datetime(episodes["start_date"])
    ends = pd.to_datetime(episodes["end_date"]).fillna(pd.Timestamp("2099-01-01"))
    known = []
    for year in YEARS:
        first = pd.Timestamp(academic_year.start(year), 9, 1)
        now = starts.lt(first + pd.DateOffset(years=1)) & ends.ge(first)
        before = starts.lt(first) & ends.ge(first - pd.DateOffset(years=6))
        held = episodes["status"].str.lower().where(now, "previous")
        pupils = episodes[["pupil_id"]].assign(academic_year=year, group=held)
        in_order = pd.concat([pupils[now], pupils[before]])
        known.append(in_order.drop_duplicates("pupil_id"))
    return pd.concat(known)


_RANK = {"CLA": 0, "CPP": 1, "CIN": 2}


SCAN, COUNT, CHECK, SCRIPT = (
    "scan of the columns needed",
    "all tables of the cohort",
    "check of the returns",
    "absence cells alone, plain pandas",
)
WORKS: dict[str, Callable[[Path], object]] = {
    SCAN: scan,
    COUNT: count,
    CHECK: check,
    SCRIPT: plain_pandas,
}


def measured(work: str, folder: Path, times: int) -> Cost:
    """Return the least that a work took, each time in a process set up as a notebook's is."""
    command = [sys.executable, "-m", "tests.proofs.engine_speed", "--work", work, str(folder)]
    taken = []
    for _ in range(times):
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env=os.environ | PLAIN
        )
        taken.append(tuple(map(float, done.stdout.split()[-2:])))
    return Cost(*map(min, zip(*taken, strict=True)))


def authority(where: Path, schools: int) -> Path:
    """Return the folder of an authority that is invented unless it is there."""
    folder = where / str(schools)
    if not folder.is_dir():
        # In a process of its own, whose memory is given back.
        command = [sys.executable, "-m", "tests.proofs.engine_speed", "--invent", str(schools)]
        subprocess.run([*command, "--folder", str(folder)], check=True)
    return folder


def rows(folder: Path) -> str:
    """Say how many rows the large tables of an authority have."""
    with duckdb.connect() as connection:
        found = []
        for table in ("attendance", "enrolments", "attainment"):
            query = f"FROM '{folder}/{table}.parquet' SELECT count(*)"
            ((many,),) = connection.execute(query).fetchall()
            found.append(f"{many:,} rows of {table}")
    return f"{', '.join(found[:-1])} and {found[-1]}"


def judged(small: Mapping[str, Cost], large: Mapping[str, Cost]) -> list[tuple[str, float, float]]:
    """Return what is asked of the larger authority, what was measured, and the limit."""
    script = large[COUNT].seconds / large[SCRIPT].seconds
    asked = [("tables: seconds against the pandas script", script, 1.0)]
    for said, work in (("tables", COUNT), ("check", CHECK)):
        before, after = small[work], large[work]
        asked += [
            (f"{said}: seconds against the scan", after.seconds / large[SCAN].seconds, 15),
            (f"{said}: peak memory, MiB", after.peak, 1536),
            (f"{said}: seconds, three times the rows", after.seconds / before.seconds, 3.3),
            (f"{said}: memory, three times the rows", after.peak / before.peak, 1.1),
        ]
    return asked


def body(where: Path, schools: int, times: int) -> tuple[str, bool]:
    """Measure both sizes; return what the page says and whether every limit is kept."""
    sizes = {f"{many:,} schools": authority(where, many) for many in (schools // 3, schools)}
    found = {name: {w: measured(w, folder, times) for w in WORKS} for name, folder in sizes.items()}
    works = [
        {"work": work}
        | {f"seconds, {name}": costs[work].seconds for name, costs in found.items()}
        | {f"MiB, {name}": f"{costs[work].peak:,.0f}" for name, costs in found.items()}
        for work in WORKS
    ]
    asked = judged(*found.values())
    limits = [
        {
            f"asked, {schools:,} schools": what,
            "measured": f"{value:,.{0 if value > 100 else 1}f}",
            "limit": f"{limit:,}",
            "kept": "yes" if value <= limit else "no",
        }
        for what, value, limit in asked
    ]
    held = "\n".join(f"- {name}: {rows(folder)}." for name, folder in sizes.items())
    text = f"""
Two invented authorities in Parquet, nine academic years each.

{held}

CPU seconds of a process from its first line on, and the MiB of its peak memory, Python and all
libraries included; the least of {times}.

{table(works, ".1f")}

{table(limits)}
"""
    return text, all(value <= limit for _, value, limit in asked)


def main(arguments: list[str] | None = None) -> int:
    """Measure and write the page; 1 if a limit is missed."""
    asked, write = options(
        __file__,
        __doc__,
        arguments,
        schools={"type": int, "default": 2400, "help": "of the larger authority"},
        times={"type": int, "default": 2, "help": "how often each work is done"},
        folder={"type": Path, "help": "where the invented returns are kept"},
        invent={"type": int, "help": "schools to invent, in this process"},
        work={"nargs": 2, "help": "one work and folder, in this process"},
    )
    if asked.invent:
        synthesise(asked.folder, Plan(schools=asked.invent))
        return 0
    if asked.work:
        work, folder = asked.work
        start = time.process_time()
        WORKS[work](Path(folder))
        peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        sys.stdout.write(f"{time.process_time() - start} {peak_kib / 1024}\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        text, kept = body(asked.folder or Path(folder), asked.schools, asked.times)
    write(text, "schools", "times")
    return int(not kept)


if __name__ == "__main__":
    sys.exit(main())
