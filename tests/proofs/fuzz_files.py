"""Does any file, however broken, end a reader with anything but a sentence?

    python -m tests.proofs.fuzz_files [--minutes N] [--seed S] [--output FILE]

Half of the time Hypothesis spoils small files of every family, and the readers of each must read
them or refuse them. The other half atheris (extra ``fuzz``), which keeps what reaches new lines of
the package, does the same with the parts that meet XML and rows first.
"""

import collections
import contextlib
import io
import re
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import hypothesis
import xlsxwriter
from hypothesis import strategies as st

from tests.proofs._page import options, table
from tests.returns.formats.made import census, identifiers, plan, protection, referral
from vsh_eval.contracts import ContractError
from vsh_eval.returns.formats import Options
from vsh_eval.returns.formats.families import _read
from vsh_eval.settings import ChildLookup, Extracts

BATCH = 25
ROOM = "vsh_eval.returns.formats"
UPN = "H801200001001"


@dataclass(frozen=True)
class Target:
    """A family, the name of its file, what stands in it, and its section of the params."""

    family: str
    name: str
    content: bytes
    section: object = None


@dataclass
class Tally:
    """What became of the files of a target."""

    read: int = 0
    refused: int = 0
    uncaught: collections.Counter = field(default_factory=collections.Counter)


def workbook(*rows: tuple[object, ...]) -> bytes:
    """Return a workbook with a title above its rows."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        page = book.add_worksheet()
        page.write(0, 0, "as it is kept")
        for at, row in enumerate(rows, 2):
            page.write_row(at, 0, row)
    return stream.getvalue()


def archive(**members: bytes) -> bytes:
    """Return an archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.csv", content)
    return stream.getvalue()


GIAS = (
    "URN,LA (code),EstablishmentNumber,EstablishmentName,TypeOfEstablishment (name),"
    "PhaseOfEducation (name),OpenDate,GSSLACode (name)\n"
    '100000,201,2001,"St Mary\'s, C of E",Community school,Primary,01-09-2011,E06000049\n'
).encode("cp1252")
CHILD = identifiers() + referral(inner=plan() + protection())
SSDA903_XML = (
    "<EXPSSDA903><CHILD><HEADER><CHILDID>1</CHILDID><UPN>H801200001001</UPN><DOB>05/05/2011</DOB>"
    "</HEADER><EPISODE><DECOM>01/05/2021</DECOM><LS>C2</LS><DEC>01/06/2021</DEC></EPISODE></CHILD>"
    "</EXPSSDA903>"
)
TARGETS = (
    Target("cin_census", "cin_2022.xml", census(CHILD, CHILD).encode()),
    Target(
        "cin_census",
        "2022.csv",
        b"LAchildID,UPN,PersonBirthDate,CINreferralDate,CINclosureDate,ReferralNFA\n"
        b"1,H801200001001,2011-05-04,01/05/2021,,false\n",
    ),
    Target("ssda903", "2022.xml", SSDA903_XML.encode()),
    Target(
        "ssda903",
        "2022.csv",
        b"CHILD,UPN,DOB,DECOM,LS,DEC\n1,H801200001001,05/05/2011,01/05/2021,C2,01/06/2021\n",
    ),
    Target(
        "annex_a",
        "a.xlsx",
        workbook(
            ("Child Unique ID", "Date of Birth", "CIN Start Date", "CIN Closure Date"),
            (7, "04/05/2011", "01/05/2021", "#N/A"),
        ),
        "lookup",
    ),
    Target(
        "school_census",
        "2024_spring_la_pupilonroll.csv",
        b"pupilonrolltableid,NativeId,upn,dob,termlysessionspossible,termlysessionsauthorised,"
        b"termlysessionsunauthorised\n"
        b"1,8014000,H801200001001,2014-Jan-21 00:00:00,140.0,3.0,1.0\n",
    ),
    Target("gias", "schools.zip", archive(edubasealldata=GIAS)),
    Target("gias", "schools.csv", GIAS),
    Target("gias_links", "links.csv", b"URN,LinkURN,LinkType\n1,2,Predecessor\n2,3,Successor\n"),
    Target(
        "gip",
        "ks4_results.tab",
        b"KS4_ACADYR\tKS4_UPN\tKS4_URN\tKS4_NATRES\tKS4_ATT8\n2022/2023\tH801200001001\t1\t1\t41\n",
    ),
    Target(
        "session_marks",
        "marks.csv",
        b"UPN,URN,WeekStart,WeekMarks\nH801200001001,100000,02/09/2024,##/\\/\\IINO\n",
    ),
    Target(
        "ytd_attendance",
        "pupils.csv",
        b"UPN,academic_term,unique_reference_number,possible_sessions,authorised_absent_sessions,"
        b"unauthorised_absent_sessions\nH801200001001,2024/2025,100000,380,12,3\n",
    ),
    Target(
        "extracts",
        "attendance_2021-22_autumn.csv",
        b"Estab,UPN,Possible,/,I,O\n100000,H801200001001,140,60,9,10\n",
        Extracts(
            files=("x",),
            table="attendance",
            columns={"pupil_id": "UPN", "urn": "Estab", "sess_possible": "Possible"},
        ),
    ),
    Target(
        "training",
        "log.xlsx",
        workbook(
            ("School", "Course", "Tier", "Date", "Status"),
            ("100000", "ELSA", "Targeted", "03/10/2022", "=1+1"),
        ),
    ),
    Target("training", "log.csv", b"School,Course,Tier,Date\n100000,ELSA,targeted,03/10/2022\n"),
)

TOKENS = (
    *(",", ";", "\t", "|", '"', "'", "\n", "\r", "\r\n", "\0", "\ufeff", "\u00a0", "\u2013"),
    *("=1+1", "#N/A", "UN3", "1e400", "-1", "nan", "31/02/2024", "2024-02-30", "20251", "202"),
    *("<!DOCTYPE a [<!ENTITY b 'c'>]>", "&b;", "&#0;", "<", ">", "</Child>", "<Child>", "]]>"),
    *("<?xml version='1.0' encoding='x'?>", "xmlns='urn:x'", "UPN", "x" * 2_000),
    *(b"\xff\xfe", b"\xfe\xff", b"\xa0", b"\x80", b"PK\x03\x04"),
)
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(TOKENS) | st.binary(max_size=8)),
    max_size=4,
)


Edits = list[tuple[float, int, str | bytes]]


def spoilt(content: bytes, edits: Edits) -> bytes:
    """Put some bytes in the place of others; within the members of an archive, as often as not."""
    whole = bytearray(content)
    for where, many, written in edits:
        at = int(where * len(whole))
        whole[at : at + many] = written.encode() if isinstance(written, str) else written
    return bytes(whole)


def inside(content: bytes, edits: Edits) -> bytes:
    """Spoil what an archive holds, and leave the archive whole."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w") as new:
        for at, member in enumerate(old.infolist()):
            own = [edit for place, edit in enumerate(edits) if place % 3 == at % 3]
            new.writestr(member.filename, spoilt(old.read(member), own))
    return stream.getvalue()


def attempt(target: Target, content: bytes, folder: Path, tally: Tally) -> None:
    """Read one file, and note what came of it."""
    path = folder / target.name
    path.write_bytes(content)
    section = target.section
    if section == "lookup":
        lookup = folder / "upns.csv"
        lookup.write_text(f"Child Unique ID,UPN\n7,{UPN}\n", encoding="utf-8")
        section = collections.namedtuple("Section", "lookup")(ChildLookup(file=str(lookup)))
    try:
        _read(target.family, [path], Options(section))
    except ContractError as error:
        if "\n" in str(error) or UPN in str(error):
            tally.uncaught[f"a message of several lines, or with a UPN: {target.family}"] += 1
        tally.refused += 1
    except Exception as error:
        here = [
            f for f in traceback.extract_tb(error.__traceback__) if "returns/formats" in f.filename
        ]
        at = f"{Path(here[-1].filename).name}:{here[-1].lineno}" if here else "elsewhere"
        tally.uncaught[f"{type(error).__name__} at {at}"] += 1
        sys.stderr.write(f"{target.name}: {error!r}\n{content[:400]!r}\n")
    else:
        tally.read += 1


def spoil(seconds: float, seed: int) -> dict[str, Tally]:
    """Spoil files of every family in turn until the time is over."""
    tallies = {f"{one.family}, {Path(one.name).suffix[1:]}": Tally() for one in TARGETS}
    until = time.monotonic() + seconds
    turn = seed
    with tempfile.TemporaryDirectory() as name:
        while time.monotonic() < until:
            for target, tally in zip(TARGETS, tallies.values(), strict=True):
                _batch(target, Path(name), tally, turn)
            turn += 1
    return tallies


def _batch(target: Target, folder: Path, tally: Tally, seed: int) -> None:
    zipped = zipfile.is_zipfile(io.BytesIO(target.content))

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=BATCH,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(EDITS, st.booleans())
    def one(edits: Edits, within: bool) -> None:
        way = inside if zipped and within else spoilt
        attempt(target, way(target.content, edits), folder, tally)

    one()


# --- Guided by coverage


def _xml(path: Path) -> None:
    from vsh_eval.returns.formats.social_care.cin_census import _of_xml

    _of_xml(path)


def _rows(path: Path) -> None:
    from vsh_eval.returns.formats import rows

    for sheet in rows.sheets(path, known=("UPN", "CHILD")):
        rows.frame(sheet)


GUIDED: Mapping[str, tuple[str, Callable[[Path], None], bytes]] = MappingProxyType(
    {
        "XML": ("a.xml", _xml, TARGETS[0].content),
        "CSV": ("a.csv", _rows, TARGETS[3].content),
        "xlsx": ("a.xlsx", _rows, TARGETS[4].content),
    }
)


def guided(kind: str, seconds: int) -> None:
    """Let atheris look for an exception; it leaves the process, with 0 where it finds none."""
    import atheris

    name, read, content = GUIDED[kind]
    with atheris.instrument_imports(include=[ROOM]):
        __import__(f"{ROOM}.social_care.cin_census")
    folder = Path(tempfile.mkdtemp())
    (folder / "seeds").mkdir()
    (folder / "seeds" / "one").write_bytes(content)

    def test(data: bytes) -> None:
        (folder / name).write_bytes(data)
        with contextlib.suppress(ContractError):
            read(folder / name)

    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={seconds}",
            "-max_len=20000",
            f"-artifact_prefix={folder}/",
            str(folder / "seeds"),
        ],
        test,
    )
    atheris.Fuzz()


def guided_runs(seconds: int) -> dict[str, tuple[int, str]]:
    """Return, by kind of file, how many atheris tried, and how it ended."""
    found = {}
    for kind in GUIDED:
        command = [sys.executable, "-m", "tests.proofs.fuzz_files", "--guided", kind]
        done = subprocess.run(
            [*command, "--seconds", str(seconds)], capture_output=True, text=True, check=False
        )
        runs = re.search(r"Done (\d+) runs", done.stderr)
        said = re.search(r"Uncaught Python exception: ===\n(.*)", done.stderr)
        ended = "none" if runs else (said[1] if said else done.stderr[-300:])
        found[kind] = (int(runs[1]) if runs else 0, ended)
    return found


def body(tallies: dict[str, Tally], runs: dict[str, tuple[int, str]]) -> str:
    """Return what the page says."""
    rows = [
        {
            "family and form": name,
            "files": tally.read + tally.refused + tally.uncaught.total(),
            "read": tally.read,
            "refused": tally.refused,
            "uncaught": tally.uncaught.total(),
        }
        for name, tally in tallies.items()
    ]
    more = [(kind, *found) for kind, found in runs.items()]
    return f"""
## Spoilt files of every family

Small whole files, up to four places of which are overwritten (Hypothesis). "refused": in one
sentence without a child's identifier.

{table(rows)}

## Guided by coverage

The parts that meet XML and rows first; atheris keeps what reaches new lines of the package.

{table(more, head=["form", "files", "uncaught"])}

XML bombs, external entities, names outside an archive, archives that would fill the memory,
formulas and cells of 10 MB are ordinary tests (`tests/returns/formats`).
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the proof and write the page."""
    asked, write = options(
        __file__,
        __doc__,
        arguments,
        minutes=6.0,
        seed=1,
        guided={"choices": GUIDED, "help": "one kind of file, by atheris alone"},
        seconds={"type": int, "default": 60, "help": "how long, with --guided"},
    )
    warnings.simplefilter("ignore")
    if asked.guided:
        guided(asked.guided, asked.seconds)
    half = asked.minutes * 30
    tallies = spoil(half, asked.seed)
    runs = guided_runs(max(1, int(half / len(GUIDED))))
    write(body(tallies, runs), "minutes", "seed")
    for name, tally in tallies.items():
        for what, many in tally.uncaught.items():
            sys.stderr.write(f"{name}: {what} ({many})\n")
    failed = any(tally.uncaught for tally in tallies.values())
    return int(failed or any(ended != "none" for _, ended in runs.values()))


if __name__ == "__main__":
    sys.exit(main())
