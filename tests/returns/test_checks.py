"""One bad example for every check, and the laws of the findings."""

from datetime import date, timedelta

import pandas as pd
import pytest

from tests.returns.tiny import (
    PUPILS,
    TINY,
    TWELVE_PUPILS,
    YEARS,
    added,
    changed,
    header_only,
    moved_together,
    without,
    without_lines,
    write,
)
from vsh_eval.contracts import RETURNS, DataError
from vsh_eval.returns import check, open_returns, require_sound
from vsh_eval.returns.checks import CHECKS, FINDING_COLUMNS, INSIDE, Expected
from vsh_eval.settings import Files

STAGE = {name: place for place, checks in enumerate(CHECKS.values()) for name in checks}


def moved_to(year: str, table: str, *, term: str = "") -> dict[str, str]:
    """Return the tiny tables with the rows of 2022/23 (of a term) in another year."""
    return changed(table, f"2022/23,{term}", f"{year},{term}")


def _many_pupils(measure: str) -> dict[str, str]:
    enrolled = [f"{pupil},2021/22,000101,6,F,0,N" for pupil in TWELVE_PUPILS]
    attended = [
        f"{pupil},2021/22,{term},000101,100,0,0"
        for pupil in TWELVE_PUPILS
        for term in ("autumn", "spring", "summer")
    ]
    taken = [f"{pupil},2021/22,000101,{measure},1" for pupil in TWELVE_PUPILS]
    return {
        **added("enrolments", *enrolled),
        "attendance": added("attendance", *attended)["attendance"],
        "attainment": added("attainment", *taken)["attainment"],
    }


def _many_enrolled(many: int) -> dict[str, str]:
    return added("enrolments", *(f"00900{n:03},2021/22,000101,4,F,0,N" for n in range(many)))


# Check, table (and the table that is changed, if another), what is replaced by what; what is found:
# result, rows, out of how many, columns; and a piece of the message.
REPLACED = """
values_filled enrolments: 2022/23,000102,7,M,0,N -> 2022/23,000102,7,  ,0,\u00a0
    fail 1 of 9: sex, sen | must have a value in sex and sen; fill
values_filled attendance: 0070005,2021/22,spring -> ,2021/22,spring
    fail 1 of 27: pupil_id | must have a value in pupil_id
values_readable attendance: 000101,140,3,0 -> 000101,14O,3.5,0
    fail 1 of 27: sess_possible, sess_authorised | as whole numbers; correct
values_readable attainment: 61.5 -> inf
    fail 1 of 4: value | as plain numbers
values_readable episodes: 2022-02-01 -> 2022-02-31
    fail 1 of 7: start_date | as dates of the calendar
values_readable enrolments: 0070005,2021/22 -> 0070005,2021/23
    fail 1 of 9: academic_year | as academic years such as 2023/24
values_allowed enrolments: 10,M,1,E -> 10,m,1,E
    fail 1 of 9: sex | (sex: F, M, U); recode
values_allowed schools: secondary -> all through
    fail 1 of 2: phase | all_through
values_in_range enrolments: 000102,10,M,1 -> 000102,15,M,2
    fail 1 of 9: year_group, fsm6 | (year_group -2 to 14 and fsm6 0 to 1)
values_in_range training: 12.5 -> -1
    fail 1 of 2: hours | (hours 0 or more)
identifiers_whole episodes: 0070003 -> 7.00E+04
    fail 1 of 7: pupil_id | a spreadsheet has shortened it
identifiers_whole training: 000102 -> Null
    fail 1 of 2: urn | whole identifiers
programmes_declared training: elsa -> elsie
    fail 1 of 2: programme | 'elsie' is not among them; correct the word, or declare
covariates_numeric schools: 0.34 -> low
    warn 1 of 1: idaci | should hold numbers throughout
dates_in_order episodes: 2022-02-01, -> 2022-02-01,2022-01-31
    fail 1 of 7: start_date, end_date | leave an open end blank
dates_in_order schools: 2019-09-01, -> 2019-09-01,2018-08-31
    fail 1 of 2: opened, closed | must follow each other
sessions_add_up attendance: 140,20,50 -> 140,91,50
    fail 1 of 27: sess_possible, sess_authorised, sess_unauthorised | not exceed
attainment_in_range attainment: ks2_rwm_expected,1 -> ks2_rwm_expected,100
    fail 1 of 4: value | not in per cent
attainment_in_range attainment: ks2_rwm_expected,1 -> ks2_rwm_expected,0.5
    fail 1 of 4: value | 0 or 1 for ks2_rwm_expected
attainment_in_range attainment: 61.5 -> 90.5
    fail 1 of 4: value | 0 to 90 for ks4_attainment8
values_in_range suspensions: 000102,1,0 -> 000102,-1,6
    fail 1 of 1: suspensions, permanent_exclusions | permanent_exclusions 0 to 5
training_dates_plausible training: 2021-10-04 -> 2012-10-04
    warn 1 of 2: start_date | 2014 or later
episode_dates_plausible episodes: 2022-02-01, -> 2022-02-01,9999-12-31
    warn 1 of 7: start_date, end_date | leave an open end blank
episode_dates_plausible episodes: 2015-10-01 -> 1955-10-01
    warn 1 of 7: start_date, end_date | 1990 or later
schools_known enrolments: 0070005,2021/22,000102 -> 0070005,2021/22,102
    fail 1 of 9: urn | add the school to schools
schools_known training: 000102 -> 102
    fail 1 of 2: urn | In training, urn must be in schools
episodes_enrolled episodes: 0070003 -> 0070009
    warn 1 of 2: pupil_id | one identifier
episodes_enrolled episodes: 00700 -> A00700
    fail 2 of 2: pupil_id | make sure that both tables use one identifier
identifiers_alike episodes: 0070003 -> 70003
    fail 1 of 7: pupil_id | capitals and leading zeros alike
basis_there episodes: ,episode -> ,plan
    fail 1 of 1: basis | set cohort.basis to the one that the rows have
sessions_of_a_year attendance: 70001,2021/22,summer,000101,110 -> 70001,2021/22,summer,000101,370
    fail 1 of 9: sess_possible | not those of the year to date
spells_closed episodes: CPP,2022-02-01 -> CPP,2018-08-31
    warn 1 of 1: start_date, end_date | fill in end_date
year_group_of_measure attainment in enrolments: 22/23,000102,11 -> 22/23,000102,10
    warn 1 of 4: measure | correct the year group
years_attended attendance: 202 -> 201
    fail 2 of 2: academic_year | and none has 2021/22 and 2022/23
years_usable attainment: 0070002,2021/22 -> 0070002,2020/21
    warn 1 of 4: measure, academic_year | In attainment, there should be no rows of years
"""

# The same for what one replacement cannot spoil: the tables, what is found, a piece of the message.
REWRITTEN = (
    ("rows_there", "episodes", header_only("episodes"), "fail 0 of 0: ", "must hold rows"),
    ("rows_there", "training", header_only("training"), "warn 0 of 0: ", "must hold rows"),
    ("rows_there", "suspensions", header_only("suspensions"), "warn 0 of 0: ", "must hold rows"),
    ("measures_known", "attainment", added("attainment", "0070001,2021/22,000101,happiness,1"),
     "fail 1 of 5: measure", "); rename it, or leave its rows out"),
    ("measures_known", "attainment", _many_pupils("ks2_rmw_expected"), "fail 12 of 16: measure",
     "and 'ks2_rmw_expected' is not (nearest: ks2_rwm_expected); rename it"),
    ("keys_unique", "attendance",
     added("attendance", *["0070005,2021-22,summer,000102,110,1,0"] * 2),
     "fail 2 of 29: pupil_id, academic_year, term, urn", "keep one of the rows"),
    ("keys_unique", "episodes", added("episodes", "0070003,CPP,2022-02-01,,"),
     "fail 1 of 8: pupil_id, status, start_date, end_date, basis", "the only one"),
    ("keys_unique", "schools", added("schools", "000102,Birch Low,secondary,E06000049,,,0.1,"),
     "fail 1 of 3: urn", "the only one with its urn"),
    ("attainment_in_range", "attainment",
     added("attainment", "0070001,2022/23,000101,ks2_maths_score,79",
           "0070001,2022/23,000101,ks2_maths_progress,-3.5",
           "0070003,2022/23,000102,ks4_progress8,-9.5", "0070003,2022/23,000102,ks4_basics_94,4"),
     "fail 3 of 8: value",
     "(80 to 120 for ks2_maths_score, -9 to 9 for ks4_progress8 and 0 or 1 for ks4_basics_94)"),
    ("training_dates_plausible", "training",
     changed("training", "2021-10-04", str(date.today() + timedelta(days=367))),
     "warn 1 of 2: start_date", "at most a year ahead"),
    ("dates_vary", "training",
     added("training", *(f"{urn},{programme},{tier},2021-01-01,,,,"
                         for urn in ("000101", "000102")
                         for programme in ("elsa", "safeguarding", "emotion_coaching")
                         for tier in ("universal", "targeted"))),
     "warn 12 of 14: start_date", "when records were loaded"),
    ("one_school_a_term", "attendance", added("attendance", "0070005,2021/22,summer,000101,10,0,0"),
     "warn 2 of 28: urn", "nothing needs doing"),
    ("episodes_identified", "episodes", changed("episodes", "0070003,CPP", ",CPP"),
     "fail 1 of 7: pupil_id", "rows without one are left out: ask the social care team"),
    ("episodes_identified", "episodes",
     added("episodes", *[f"0070002,CIN,2019-0{1 + n % 9}-{10 + n // 9},2020-05-01,episode"
                         for n in range(40)], *[",CIN,2022-01-01,,episode"] * 2),
     "warn 2 of 49: pupil_id", "as those left out pass for peers"),
    ("sessions_of_two_schools", "attendance",
     added("attendance", "0070005,2021/22,autumn,000101,140,0,0"), "fail 1 of 9: sess_possible",
     "leave out those of a subsidiary registration"),
    ("terms_of_schools", "attendance", without_lines("attendance", "2021/22,summer,000102"),
     "warn 1 of 15: urn, term", "some lack summer 2021/22; add the registers"),
    ("schools_continued", "schools", moved_together(10), "warn 1 of 4: urn",
     "add it to school_links"),
    ("training_attended", "training",
     added("training", "000103,elsa,targeted,2021-10-04,,,,")
     | {"schools": TINY["schools"] + "000103,Cedar,primary,E06000049,,,0.2,\n"},
     "warn 1 of 3: urn", "correct the URNs of the log"),
    ("schools_known", "attendance", without("school_links"), "fail 3 of 27: urn",
     "In attendance, urn must be in schools"),
    ("successors_known", "school_links", added("school_links", "000098,000097,2020-09-01"),
     "fail 1 of 2: successor_urn", "add the successor"),
    ("links_lead_on", "school_links",
     added("school_links", "000098,000097,2020-09-01", "000097,000098,2020-09-01"),
     "fail 2 of 3: urn, successor_urn", "must not lead back"),
    ("one_successor", "school_links", added("school_links", "000099,000102,2019-09-01"),
     "warn 2 of 2: urn, successor_urn", "keep the link"),
    ("pupils_enrolled", "attendance", without_lines("enrolments", "0070005,2021/22"),
     "fail 3 of 27: pupil_id, academic_year", "In attendance, a pupil must be one of enrolments"),
    ("pupils_enrolled", "attainment", without_lines("enrolments", "0070005,2021/22"),
     "fail 1 of 4: pupil_id, academic_year", "add the enrolment"),
    ("pupils_enrolled", "suspensions", without_lines("enrolments", "0070003,2022/23"),
     "fail 1 of 1: pupil_id, academic_year", "In suspensions, a pupil must"),
    ("enrolments_attended", "enrolments",  # a pupil who moved is sought once
     without_lines("attendance", "0070002,2022/23")
     | {"enrolments": TINY["enrolments"] + "0070002,2022/23,000101,7,M,0,N\n"},
     "warn 1 of 9: pupil_id, academic_year", "pupils without sessions do not count"),
    ("enrolments_attended", "enrolments",  # no attendance of a year
     without_lines("attendance", ",2022/23,"), "warn 4 of 9: pupil_id, academic_year",
     "school's or year's registers are missing"),
    ("years_attended", "attendance", moved_to("2023/24", "attendance"),
     "warn 1 of 2: academic_year", "and none has 2022/23; add the year"),
    ("terms_whole", "attendance", moved_to("2023/24", "attendance", term="summer"),
     "fail 1 of 2: academic_year, term",
     "which 2022/23 does not (lacking: summer); add the missing term"),
    ("terms_whole", "attendance", without_lines("attendance", ",summer,"),
     "warn 2 of 2: academic_year, term", "and none has summer, so that all are parts of years"),
    ("years_suspended", "suspensions", _many_enrolled(200), "warn 1 of 1: academic_year",
     "and none has 2021/22; add the year"),
    ("years_usable", "attendance", moved_to("2019/20", "attendance"),
     "warn 12 of 27: academic_year", "they are ignored"),
    ("years_measured", "attainment", without_lines("attainment", "0070003"),
     "warn 1 of 4: measure, academic_year", "and ks4_attainment8 of 2022/23 is missing"),
    ("episodes_reach_back", "episodes", without_lines("episodes", "2018-05-01"),
     "warn 1 of 6: end_date", "none ends in 2017/18; export closed episodes too"),
)  # fmt: skip


def _bad_examples():
    lines = iter(REPLACED.strip("\n").split("\n"))
    for line, expected in zip(lines, lines, strict=True):
        where, _, pieces = line.partition(": ")
        found, _, words = expected.partition(" | ")
        name, table, *elsewhere = where.split(" ")
        tables = changed(elsewhere[-1] if elsewhere else table, *pieces.split(" -> "))
        yield name, table, tables, found.strip(), words.strip()
    yield from REWRITTEN


TABLE_BY_TABLE = {name for stage in ("tables", "values", "rows") for name in CHECKS[stage]}


def _together():
    """Return check, tables, and what is found by table: examples that cannot meet go together."""
    groups: list[tuple[str, dict[str, str], dict[str, tuple[str, str]]]] = []
    for name, table, tables, found, words in _bad_examples():
        alone = name in TABLE_BY_TABLE and all(
            text == tables.get(other) for other, text in TINY.items() if other != table
        )
        home = next((of for of in groups if alone and of[0] == name and table not in of[2]), None)
        if home is None:
            groups.append((name, dict(tables), {table: (found, words)}))
        else:
            home[1][table] = tables[table]
            home[2][table] = (found, words)
    return groups


BAD = _together()

# What the params expect; check, table, result, rows, out of how many; and a piece of the message.
UNMET = (
    (Expected("E06000063"), "authority_asked", "schools", "fail 2 of 2", "some are of E06000049"),
    (Expected("940"), "authority_asked", "schools", "fail 2 of 2", "nine characters"),
    (Expected(covariates=("idaci", "imd")), "covariates_asked", "schools", "fail 1 of 2",
     "and imd is not (there: idaci); correct the name in the params"),
    (Expected(programmes=("elsaa",)), "programmes_asked", "training", "fail 1 of 1",
     "and elsaa is not (nearest: elsa)"),
    (Expected(programmes=("elsa", "emotion_coaching")), "programmes_asked", "training",
     "warn 1 of 2", "emotion_coaching is not"),
    (Expected(baseline=202021), "baseline_asked", "attendance", "fail 1 of 1",
     "name a year of the data in the params under years.baseline"),
)  # fmt: skip
MET = Expected("E06000049", "episode", ("elsa", "safeguarding"), ("idaci",), 202122)


@pytest.fixture
def only(monkeypatch):
    """Let `check` look for one thing; the law of good returns and those of stages look for all."""

    def alone(name: str) -> None:
        stage = next(stage for stage, checks in CHECKS.items() if name in checks)
        monkeypatch.setattr("vsh_eval.returns.checks.CHECKS", {stage: {name: CHECKS[stage][name]}})

    return alone


def test_nothing_is_found_in_good_returns(opened):
    findings = check(opened(), MET)

    assert tuple(findings.columns) == (*FINDING_COLUMNS, *INSIDE)
    assert findings["result"].unique().tolist() == ["pass"]
    assert not findings.duplicated(["check", "table"]).any()
    assert set(findings["check"]) == set(STAGE)
    assert set(findings["table"]) == set(RETURNS)
    assert (findings["rows"] == 0).all()
    require_sound(findings)


@pytest.mark.parametrize(
    ("name", "tables", "expected"),
    BAD,
    ids=[f"{name}-{'-'.join(expected)}" for name, _, expected in BAD],
)
def test_a_bad_example_is_found_also_where_rows_stand_in_the_opposite_order(
    only, opened, name, tables, expected
):
    only(name)
    findings = check(opened(backwards(tables))).set_index(["check", "table"])
    for table, (found, words) in expected.items():
        row = findings.loc[(name, table)]
        assert f"{in_short(row)}: {row['column']}" == found
        assert words in row["message"]
    for message in findings["message"]:
        assert message.endswith(".")
        assert message.count(". ") == 0
        assert not any(pupil.lstrip("0") in message for pupil in (*PUPILS, *TWELVE_PUPILS))


def in_short(found):
    return f"{found['result']} {found['rows']} of {found['of_rows']}"


def backwards(tables):
    """Return tables with the last row first."""
    turned = {}
    for name, text in tables.items():
        header, *lines = text.splitlines(keepends=True)
        turned[name] = header + "".join(reversed(lines))
    return turned


def test_measures_that_are_missing_are_named_by_year(only, opened):
    only("years_measured")
    tables = without_lines("attainment", "0070003")
    [row] = check(opened(tables, years=(*YEARS, 202324, 202425))).to_dict("records")
    assert in_short(row) == "warn 5 of 8"
    said = (
        ", and ks4_attainment8 of 2022/23, and all measures of 2023/24 and 2024/25 are missing; add"
    )
    assert said in row["message"]


@pytest.mark.parametrize(("expected", "name", "table", "found", "words"), UNMET)
def test_what_the_params_expect_and_the_data_lack(opened, expected, name, table, found, words):
    findings = check(opened(), expected).set_index(["check", "table"])
    assert in_short(findings.loc[(name, table)]) == found
    assert words in findings.loc[(name, table), "message"]
    assert findings["result"].eq("pass").sum() == len(findings) - 1


@pytest.mark.parametrize(
    ("code", "found", "which", "words"),
    [
        ("E06000050", "warn 1 of 2", "E06000050: 1", "some are of E06000050"),
        ("895", "warn 1 of 2", "895: 1", "some are of 895 (a code of another form cannot be"),
    ],
)
def test_schools_of_other_codes_are_said_with_their_number(only, opened, code, found, which, words):
    only("authority_asked")
    tables = changed("schools", "secondary,E06000049", f"secondary,{code}")
    said = check(opened(tables), MET).set_index("check").loc["authority_asked"]
    assert (in_short(said), said["which"]) == (found, which)
    assert words in said["message"]


@pytest.mark.parametrize("tables", [moved_together(9), moved_together(12, link=True)])
def test_few_pupils_and_linked_schools_are_no_new_school(only, opened, tables):
    only("schools_continued")
    found = check(opened(tables)).set_index("check").loc["schools_continued"]
    assert found["result"] == "pass"


@pytest.mark.parametrize(
    ("name", "tables", "which"),
    [
        ("schools_continued", moved_together(12), "000103 to 000104 (12 of 13 pupils)"),
        ("terms_of_schools", without_lines("attendance", "2021/22,summer,000102"),
         "summer 2021/22: 000102"),
    ],
)  # fmt: skip
def test_the_analyst_is_told_which_schools(only, opened, name, tables, which):
    only(name)
    assert check(opened(tables)).set_index("check").loc[name, "which"] == which


def test_part_of_a_year_between_whole_ones_is_left_out_not_refused(only, opened):
    only("terms_whole")
    header, *lines = TINY["attendance"].splitlines()
    whole = [line for line in lines if "2021/22" in line]
    cut = [line.replace("2021/22", "2022/23") for line in whole if "summer" not in line]
    # A stray row does not make a term.
    stray = next(line for line in lines if "2022/23,summer" in line)
    last = [line.replace("2021/22", "2023/24") for line in whole]
    rows = "\n".join([header, *whole, *cut, stray, *last, ""])
    returns = opened({**TINY, "attendance": rows}, years=(202122, 202223, 202324))
    found = check(returns).set_index("check").loc["terms_whole"]

    assert (found["result"], found["rows"], found["of_rows"]) == ("warn", 1, 3)
    assert "which 2022/23 does not (lacking: summer), so that its absence" in found["message"]


def test_a_few_pupils_without_a_suspension_are_no_finding(only, opened):
    only("years_suspended")
    found = check(opened(_many_enrolled(100))).set_index("check")
    assert found.loc["years_suspended", "result"] == "pass"


def test_every_check_has_a_bad_example():
    assert {case[0] for case in BAD} | {case[1] for case in UNMET} | {"courses_known"} == set(STAGE)


@pytest.mark.parametrize(
    ("declared", "found"),
    [((), "warn 2 of 3: Fire safety, Trauma informed"),
     (("trauma_informed",), "warn 1 of 3: Fire safety"),
     (("trauma_informed", "fire_safety"), "pass 0 of 3: ")],
)  # fmt: skip
def test_courses_of_a_log_that_are_no_programme_are_found(only, tmp_path, declared, found):
    only("courses_known")
    (tmp_path / "log.csv").write_text(
        "School,Course,Level,Date\n000101,elsa,targeted,2021-10-04\n"
        "000101,Trauma informed,universal,2021-10-04\n000102,Fire safety,universal,2021-11-04\n"
    )
    files = Files.model_validate({"training": str(tmp_path / "log.csv")})
    folder = write(tmp_path / "la", without("training"))
    with open_returns(folder, files=files, years=YEARS, programmes=declared) as returns:
        row = check(returns).iloc[0]
    assert f"{in_short(row)}: {row['which']}" == found


def test_a_fault_is_one_finding(opened):
    """A value that cannot be read is not also out of range, an orphan or a duplicate."""
    spoilt = changed("attendance", "0070005,2021/22,autumn,000102,140,0,0", "0070005,?,?,,?,?,?")
    findings = check(opened(spoilt))

    bad = findings[findings["result"] != "pass"]
    assert set(bad["check"]) == {"values_filled", "values_readable", "values_allowed"}
    assert set(bad["table"]) == {"attendance"}


def test_stages_follow_each_other_and_an_empty_table_ends_the_check(opened):
    whole = check(opened())
    assert whole["check"].map(STAGE).is_monotonic_increasing

    without_training = check(opened(header_only("training")))
    assert without_training[["rows", "of_rows"]].dtypes.eq("int64").all()

    cut = check(opened(header_only("attendance")))
    assert set(cut["check"]) == {"rows_there"}
    assert cut.loc[cut["result"] == "fail", "table"].tolist() == ["attendance"]


def test_a_table_that_may_be_missing_has_no_findings(opened):
    tables = {
        name: text.replace("000099", "000101")
        for name, text in without("suspensions", "school_links").items()
    }
    findings = check(opened(tables))

    assert set(findings["result"]) == {"pass"}
    assert not {"suspensions", "school_links"} & set(findings["table"])


def test_a_programme_may_be_declared(opened):
    returns = opened(changed("training", "elsa", "nurture_groups"))

    refused = check(returns).query("result == 'fail'")
    assert refused["check"].tolist() == ["programmes_declared"]
    require_sound(check(returns, Expected(programmes=("nurture_groups",))))


def test_a_rare_measure_could_be_a_pupil_and_is_not_said(only, opened):
    only("measures_known")
    shifted = added("attainment", "x,2021/22,000101,0070001,1")
    message = check(opened(shifted)).query("check == 'measures_known'")["message"]

    assert "0070001" not in message.item()
    assert "must be one that the registry knows (" in message.item()


def test_years_not_asked_for_are_those_of_the_attendance(only, opened):
    only("years_attended")
    returns = opened(moved_to("2023/24", "attendance"), years=None)
    findings = check(returns).set_index("check")

    assert findings.loc["years_attended", "of_rows"] == 3
    assert "none has 2022/23" in findings.loc["years_attended", "message"]


def test_a_year_without_collection_is_not_missed(only, opened):
    only("years_attended")
    findings = check(opened(years=(201920, *YEARS))).set_index("check")
    assert findings.loc["years_attended", "result"] == "pass"
    assert findings.loc["years_attended", "of_rows"] == 2

    nothing = check(opened(years=(201920,))).set_index("check")
    assert nothing.loc["years_attended", "result"] == "fail"
    assert "no such year is asked for" in nothing.loc["years_attended", "message"]


def test_attendance_whose_years_cannot_be_read_fails_in_words(opened):
    spoilt = {**TINY, "attendance": TINY["attendance"].replace("/", "to")}
    findings = check(opened(spoilt, years=None))

    failed = findings.query("result == 'fail'")
    assert ("values_readable", "attendance") in set(
        zip(failed["check"], failed["table"], strict=True)
    )


def test_require_sound_says_the_first_failure_and_how_many_more(opened):
    tables = changed("attendance", "140,20,50", "140,91,500")
    findings = check(opened(tables))

    with pytest.raises(DataError) as caught:
        require_sound(findings)
    assert str(caught.value) == (
        "In attendance, sess_unauthorised must lie in the range allowed (sess_unauthorised 0 to "
        "400); correct or blank out what cannot be (1 of 27; 1 more finding failed)."
    )
    pd.testing.assert_frame_equal(caught.value.findings, findings)


def test_require_sound_counts_a_single_failure_alone(opened):
    findings = check(opened(changed("training", "elsa", "elsie")))
    with pytest.raises(DataError, match=r"^In training, .*exposure\.programmes \(1 of 2\)\.$"):
        require_sound(findings)
