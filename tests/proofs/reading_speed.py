"""How fast, and in how much memory, are the large files of an authority read?

    python -m tests.proofs.reading_speed [--children N] [--pupils N] [--marks N] [--output FILE]

Ratios within one run: CPU seconds of one process, the least of three. Memory is the peak of a
process of its own that imports the package and reads, its libraries included.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import iterparse

import duckdb

from tests.proofs._page import options, table
from tests.returns.formats.made import census, identifiers, plan, protection, referral
from vsh_eval.returns.formats import Options, rows, school_census
from vsh_eval.returns.formats.attendance import session_marks
from vsh_eval.returns.formats.social_care import cin_census

READERS = {"cin_census": cin_census.read, "session_marks": session_marks.read}
ASSESSMENT = (
    "<Assessments><AssessmentActualStartDate>2021-05-28</AssessmentActualStartDate>"
    "<FactorsIdentifiedAtAssessment><AssessmentFactors>1C</AssessmentFactors><AssessmentFactors>6B"
    "</AssessmentFactors></FactorsIdentifiedAtAssessment></Assessments>"
)
PUPILS = """
SELECT i AS pupilonrolltableid, 9992001 + i // 400 AS NativeId, '2014-Jan-21 00:00:00' AS dob,
    'SURNAME' || i AS surname, 'F' || i AS forename, '' AS formerupn,
    'H' || lpad(CAST(i AS VARCHAR), 12, '0') AS upn, if(i % 2 = 0, 'M', 'F') AS sex,
    '2020-Sep-01 00:00:00' AS entrydate, i AS pupilonrollorderseqcolumn, 'X' || i AS sourceid,
    140.0 AS termlysessionspossible, 'N' AS senprovision, 5 AS ncyearactual,
    'WBRI' AS ethnicity, 'ENG' AS language, 'C' AS enrolstatus, 'N' AS boarder
FROM range({pupils}) t(i)
"""
DETAILS = """
SELECT i // 5 AS pupilonrolltableid, 9992001 + i // 2000 AS NativeId, i AS orderseqcolumn,
    i AS termlysessiondetailsonrolltableid, 'S' || i AS sourceid, i % 20 AS sessions,
    ['/', 'I', 'O', 'M', 'B'][1 + i % 5] AS attendancereason
FROM range({pupils} * 5) t(i)
"""
MARKS = """
SELECT 'H' || lpad(CAST(p AS VARCHAR), 12, '0') AS UPN, 100000 + p // 400 AS URN,
    strftime(DATE '2024-09-02' + CAST(d AS INTEGER), '%d/%m/%Y') AS Date,
    if(s = 0, 'AM', 'PM') AS Session,
    ['/', '/', '/', '/', '/', '/', '/', '/', '/', 'I', '/', '/', 'O', 'L', 'B']
        [1 + (p * 7 + d * 3 + s) % 15] AS Mark
FROM range({marks} // 380) t(p), range(190) u(d), range(2) v(s)
"""


def seconds(work: Callable[[], object]) -> float:
    """Return the least CPU seconds of three runs."""
    taken = []
    for _ in range(3):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def peak(family: str, path: Path) -> int:
    """Return the MiB that a process of its own needs at most to read a file."""
    command = [sys.executable, "-m", "tests.proofs.reading_speed", "--read", family, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


def children(folder: Path, many: int) -> Path:
    """Write a census of children with one or two referrals, a plan and a protection plan each."""
    path = folder / "cin_2022.xml"
    first, _, last = census("").partition("<Child></Child>")
    about = "\n<ChildCharacteristics><Ethnicity>WBRI</Ethnicity></ChildCharacteristics>\n"
    help_given = referral(inner=ASSESSMENT + plan() + protection()) + "\n"
    with path.open("w", encoding="utf-8") as file:
        file.write(first)
        for child in range(many):
            names = identifiers(child=str(child), upn=f"H{child:012d}")
            file.write(f"<Child>\n{names}{about}{help_given * (1 + child % 3 // 2)}</Child>\n")
        file.write(last)
    return path


def bare(path: Path) -> None:
    """Pass over a document, and forget every child."""
    for _, element in iterparse(path):  # noqa: S314 - written above
        if element.tag == "Child":
            element.clear()


def exported(folder: Path, name: str, sql: str) -> Path:
    """Write the rows of a query as CSV."""
    path = folder / name
    duckdb.connect().execute(f"COPY ({sql}) TO '{path}' (HEADER)")
    return path


def to_parquet(path: Path) -> None:
    """Let DuckDB read a CSV and write it as Parquet."""
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (FROM read_csv('{path}', all_varchar = true)) TO '{path}.parquet'"
        )


def into_the_engine(path: Path, *, interpreted: bool) -> None:
    """Read a table of COLLECT into the engine: all of it as text, or what the reader wants."""
    with rows.connect() as connection:
        ((sheet, (year, term, table)),) = school_census._named([path])
        kind, roll = school_census.TABLES[table]
        sql = school_census._sql(kind, roll, sheet, year, term) if interpreted else "FROM sheet"
        rows.load(connection, "read", sheet, sql)


def measured(folder: Path, *, many: int, pupils: int, marks: int) -> list[tuple[str, ...]]:
    """Return what is read, how it compares, and the limit."""
    xml = children(folder, many)
    read = seconds(lambda: cin_census.read([xml], options=Options()))
    found = [
        (f"CIN census, XML, {many:,} children: against a bare iterparse pass",
         f"{read / seconds(lambda: bare(xml)):.2f}", "1.5"),
        ("the same: peak memory, MiB", f"{peak('cin_census', xml)}", "200"),
    ]  # fmt: skip
    own, text, wanted = 0.0, 0.0, 0.0
    for name, sql in (("pupilonroll", PUPILS), ("termlysessiondetailsonroll", DETAILS)):
        path = exported(folder, f"2025_spring_la_{name}.csv", sql.format(pupils=pupils))
        own += seconds(lambda path=path: to_parquet(path))
        text += seconds(lambda path=path: into_the_engine(path, interpreted=False))
        wanted += seconds(lambda path=path: into_the_engine(path, interpreted=True))
    against = "against DuckDB's own reading to Parquet"
    found += [
        (f"CSV of {pupils:,} pupils and their sessions into the engine: {against}",
         f"{text / own:.2f}", "1.5"),
        (f"the same as COLLECT's tables, understood: {against}", f"{wanted / own:.2f}", "1.5"),
    ]  # fmt: skip
    path = exported(folder, "marks.csv", MARKS.format(marks=marks))
    found.append(
        (
            f"{marks // 380 * 380:,} session marks summed: peak memory, MiB",
            f"{peak('session_marks', path)}",
            "1,024",
        )
    )
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks and write the page."""
    sizes = {"children": 20_000, "pupils": 300_000, "marks": 23_000_000}
    read = {"nargs": 2, "help": "one family and file, in this process"}
    asked, write = options(__file__, __doc__, arguments, **sizes, read=read)
    if asked.read:
        family, path = asked.read
        READERS[family]([Path(path)], options=Options())
        # Its own peak: what getrusage tells begins with the memory of the process that started it.
        (peak_kib,) = re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
        sys.stdout.write(f"{int(peak_kib) >> 10}\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), many=asked.children, pupils=asked.pupils, marks=asked.marks)
    said = f"""
Ratios are of CPU seconds in one process, the least of three runs. Memory is the peak of a process
of its own that reads the one file, Python and all libraries included.

{table(found, head=["what is read", "measured", "limit"])}
"""
    write(said, *sizes)
    return int(any(float(m) > float(limit.replace(",", "")) for _, m, limit in found))


if __name__ == "__main__":
    sys.exit(main())
