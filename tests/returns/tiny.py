"""The returns of a tiny authority: five pupils, two schools, two years, nothing wrong."""

from collections.abc import Mapping
from pathlib import Path

YEARS = (202122, 202223)
PUPILS = ("0070001", "0070002", "0070003", "0070004", "0070005")
TWELVE_PUPILS = tuple(f"00800{i:02}" for i in range(12))
"""Further pupils, where a check takes several."""

TINY: Mapping[str, str] = {
    "schools": """\
urn,name,phase,la_code,opened,closed,idaci,postcode
000101,"Ash, Elm Primary",primary,E06000049,2019-09-01,,0.21,CW1 1AA
000102,Birch High,secondary,E06000049,,,0.34,CW1 2BB
""",
    "school_links": """\
urn,successor_urn,date
000099,000101,2019-09-01
""",
    "enrolments": """\
pupil_id,academic_year,urn,year_group,sex,fsm6,sen
0070001,2021/22,000101,5,F,1,N
0070001,2022/23,000101,6,F,1,K
0070002,2021/22,000101,6,M,0,N
0070002,2022/23,000102,7,M,0,N
0070003,2021/22,000102,10,M,1,E
0070003,2022/23,000102,11,M,1,E
0070004,2021/22,000099,1,U,0,N
0070004,2022/23,000101,2,U,0,N
0070005,2021/22,000102,11,F,0,N
""",
    "attendance": """\
pupil_id,academic_year,term,urn,sess_possible,sess_authorised,sess_unauthorised
0070001,2021/22,autumn,000101,140,3,0
0070001,2021/22,spring,000101,120,0,1
0070001,2021/22,summer,000101,110,0,0
0070001,2022/23,autumn,000101,140,10,4
0070001,2022/23,spring,000101,120,60,0
0070001,2022/23,summer,000101,110,0,0
0070002,2021/22,autumn,000101,140,0,0
0070002,2021/22,spring,000101,120,0,0
0070002,2021/22,summer,000101,110,0,0
0070002,2022/23,autumn,000102,140,0,0
0070002,2022/23,spring,000102,120,2,0
0070002,2022/23,summer,000102,110,0,0
0070003,2021/22,autumn,000102,140,20,50
0070003,2021/22,spring,000102,120,20,50
0070003,2021/22,summer,000102,110,20,50
0070003,2022/23,autumn,000102,140,0,0
0070003,2022/23,spring,000102,120,0,0
0070003,2022/23,summer,000102,110,0,0
0070004,2021/22,autumn,000099,140,0,0
0070004,2021/22,spring,000099,120,0,0
0070004,2021/22,summer,000099,110,0,0
0070004,2022/23,autumn,000101,140,0,0
0070004,2022/23,spring,000101,120,0,0
0070004,2022/23,summer,000101,110,0,0
0070005,2021/22,autumn,000102,140,0,0
0070005,2021/22,spring,000102,120,0,0
0070005,2021/22,summer,000102,110,0,0
""",
    "suspensions": """\
pupil_id,academic_year,urn,suspensions,permanent_exclusions
0070003,2022/23,000102,1,0
""",
    "attainment": """\
pupil_id,academic_year,urn,measure,value
0070002,2021/22,000101,ks2_rwm_expected,1
0070001,2022/23,000101,ks2_rwm_expected,0
0070005,2021/22,000102,ks4_attainment8,61.5
0070003,2022/23,000102,ks4_attainment8,32.75
""",
    "episodes": """\
pupil_id,status,start_date,end_date,basis
0070001,CIN,2015-10-01,2016-05-01,episode
0070001,CIN,2016-10-01,2017-05-01,episode
0070001,CIN,2017-10-01,2018-05-01,episode
0070001,CIN,2018-10-01,2019-05-01,episode
0070001,CIN,2019-10-01,2020-05-01,episode
0070001,CIN,2020-10-01,2021-05-01,episode
0070003,CPP,2022-02-01,,
""",
    "training": """\
urn,programme,tier,start_date,staff_trained,hours,audience,cost
000101,elsa,targeted,2021-10-04,2,12.5,teacher,400
000102,safeguarding,universal,2022-03-01,30,2,,
""",
}


def write(folder: Path, tables: Mapping[str, str] = TINY) -> Path:
    """Write tables as CSV files and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def changed(table: str, old: str, new: str) -> dict[str, str]:
    """Return the tiny tables with a piece of one table's text replaced, which must be there."""
    text = TINY[table]
    if old not in text:
        raise AssertionError(f"{old!r} is not in {table}")
    return {**TINY, table: text.replace(old, new)}


def added(table: str, *lines: str) -> dict[str, str]:
    """Return the tiny tables with lines added to one."""
    return {**TINY, table: TINY[table] + "".join(f"{line}\n" for line in lines)}


def without(*tables: str) -> dict[str, str]:
    """Return the tiny tables without some of them."""
    return {name: text for name, text in TINY.items() if name not in tables}


def header_only(table: str) -> dict[str, str]:
    """Return the tiny tables with one that holds no rows."""
    return {**TINY, table: TINY[table].splitlines()[0] + "\n"}


def without_lines(table: str, word: str) -> dict[str, str]:
    """Return the tiny tables without the lines of one that hold a word."""
    lines = TINY[table].splitlines(keepends=True)
    return {**TINY, table: "".join(line for line in lines if word not in line)}


def moved_together(many: int, *, link: bool = False) -> dict[str, str]:
    """Return the tiny tables with a school whose pupils go on to a new number, and one leaver."""
    old = [f"{pupil},2021/22,000103,4,F,0,N" for pupil in (*TWELVE_PUPILS[:many], "0080099")]
    new = [f"{pupil},2022/23,000104,5,F,0,N" for pupil in TWELVE_PUPILS[:many]]
    elsewhere = "0080099,2022/23,000101,5,F,0,N"
    attended = [
        f"{','.join(row.split(',')[:2])},{term},{row.split(',')[2]},100,0,0"
        for row in (*old, *new, elsewhere)
        for term in ("autumn", "spring", "summer")
    ]
    schools = "000103,Cedar,primary,E06000049,,,0.2,\n000104,Cedar,primary,E06000049,,,0.2,\n"
    links = "000103,000104,\n" if link else ""
    return {
        **added("enrolments", *old, *new, elsewhere),
        "attendance": added("attendance", *attended)["attendance"],
        "schools": TINY["schools"] + schools,
        "school_links": TINY["school_links"] + links,
    }
