"""All families together: the params, one set of tables, and what is refused."""

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

import vsh_eval
from tests.returns.formats.made import census, identifiers, plan, referral
from tests.returns.tiny import TINY, YEARS, without
from tests.returns.tiny import write as write_tables
from vsh_eval import settings
from vsh_eval.contracts import ContractError, SettingsError
from vsh_eval.release.text.findings import files as text
from vsh_eval.returns import check, open_returns
from vsh_eval.returns import identifiers as every_identifier
from vsh_eval.returns.formats import FAMILIES, Reading, families
from vsh_eval.settings import Database, Files

FORMER = "X00180001701A"
CODES = re.compile(r"note\(\s*\"([a-z_0-9]+)\"")
COUNTED = re.compile(r"counted\(((?:[^()]|\([^()]*(?:\([^()]*\))?[^()]*\))*)\)")


@pytest.fixture
def params(tmp_path):
    """Write a params file with a section ``source`` and load it."""

    def load(source):
        demo = Path(__file__).resolve().parents[3] / "params" / "returns.yaml"
        written = yaml.safe_load(demo.read_text(encoding="utf-8")) | {"source": source}
        path = tmp_path / "params" / "ours.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(written), encoding="utf-8")
        return settings.load(path)

    return load


# --- The params


def test_every_family_of_the_params_has_its_reader_and_its_name():
    assert set(Files.model_fields) == set(FAMILIES)
    assert set(FAMILIES) <= set(text.FAMILIES)


def test_names_patterns_lists_and_sections_are_read_relative_to_the_params_file(params, tmp_path):
    found = params(
        {
            "kind": "returns",
            "files": {
                "cin_census": "../cin/*.xml",
                "ssda903": ["../903/header.csv", "/care/episodes.csv"],
                "training": {"file": "../log.xlsx", "columns": {"urn": "School"}},
                "annex_a": {"files": "a.xlsx", "lookup": {"file": "../upns.csv"}},
            },
        }
    ).source.files
    assert found.cin_census.files == (f"{tmp_path}/cin/*.xml",)
    assert found.ssda903.files == (f"{tmp_path}/903/header.csv", "/care/episodes.csv")
    assert found.training.files == (f"{tmp_path}/log.xlsx",)
    assert found.annex_a.lookup.file == f"{tmp_path}/upns.csv"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"cin_sensus": "a.xml"}, "did you mean source.files.cin_census?"),
        ({"training": {"file": "a.xlsx", "colums": {}}}, "mean source.files.training.columns?"),
        ({"cin_census": []}, "source.files.cin_census.files is []"),
        ({"annex_a": "a.xlsx"}, "source.files.annex_a.lookup is missing"),
        ({"database": {"url": "sqlite://"}}, "name a query a table, or layout: ssd"),
        ({"database": {"url": "postgresql://me:secret@x/y", "layout": "ssd"}},
         "holds a password, must not; put it into the environment variable VSH_EVAL_DATABASE"),
        ({"database": {"url": "sqlite://", "queries": {"pupils": "SELECT 1"}}}, "'pupils'"),
    ],
)  # fmt: skip
def test_what_is_against_a_rule_is_refused_in_one_sentence(params, files, said):
    with pytest.raises(SettingsError) as refused:
        params({"kind": "returns", "files": files})
    assert said in str(refused.value)
    assert "secret" not in str(refused.value).replace("a secret", "")


def test_files_are_for_returns_only(params):
    with pytest.raises(SettingsError, match=r"source\.kind is synthetic, must be returns"):
        params({"kind": "synthetic", "files": {"cin_census": "a.xml"}})


# --- One set of tables


@pytest.fixture
def cin(write):
    """Write a census in which a child of the tiny tables stands under a UPN in small letters."""
    child = identifiers(upn="0070003", born="2007-05-05", more=f"<FormerUPN>{FORMER}</FormerUPN>")
    inner = referral("2022-02-01", "2022-05-01", inner=plan("2022-03-01", "2022-04-01"))
    return write("cin/2022.xml", census(child + inner))


def opened(folder, cin, **given):
    return open_returns(folder, files=Files(cin_census=str(cin), **given), years=YEARS)


def test_files_give_the_table_that_the_folder_lacks(tmp_path, cin):
    with opened(write_tables(tmp_path / "la", without("episodes")), cin) as returns:
        assert returns.formats["episodes"] == "files"
        assert returns.formats["schools"] == "csv"
        episodes = returns.connection.execute("FROM episodes").fetchall()
        assert [(row[0], row[1], str(row[2]), str(row[3]), row[4]) for row in episodes] == [
            ("0070003", "CIN", "2022-02-01", "2022-05-01", "episode"),
            ("0070003", "CIN", "2022-03-01", "2022-04-01", "plan"),
        ]
        found = every_identifier(returns.folder, files=Files(cin_census=str(cin)), authority="")
        assert "0070003" in found
        assert "fail" not in set(check(returns).query("table == 'episodes'")["result"])
        assert [note.code for note in returns.notes] == ["upn_check_letter"]


def test_a_table_that_is_ready_goes_before_the_files_and_it_is_said(tmp_path, cin):
    with opened(write_tables(tmp_path / "la"), cin) as returns:
        assert returns.formats["episodes"] == "csv"
        expected = TINY["episodes"].count("\n") - 1
        assert returns.connection.execute("SELECT count(*) FROM episodes").fetchone() == (expected,)
        last = returns.notes[-1]
        assert (last.code, last.details["table"]) == ("ready_table_first", "episodes")


def test_tables_that_nobody_gives_are_named(cin):
    with pytest.raises(
        ContractError, match=r"source\.files gives no schools, enrolments"
    ) as refused:
        opened(None, cin)
    assert "training" in str(refused.value)


def test_one_part_of_a_table_from_two_families_is_refused(cin):
    pytest.importorskip("sqlalchemy", reason="the extra files is not installed")
    query = "SELECT 'A' AS pupil_id, '{}' AS status, '2021-05-01' AS start_date, NULL AS end_date"
    files = {
        status: Files(
            cin_census=str(cin),
            database=Database(url="sqlite://", queries={"episodes": query.format(status)}),
        )
        for status in ("CIN", "CLA")
    }
    with pytest.raises(ContractError, match=r"episodes is given twice, by source\.files\.database"):
        families.read_files(files["CIN"])
    both = families.read_files(files["CLA"]).tables["episodes"]
    assert sorted(both["status"]) == ["CIN", "CIN", "CLA"]


def test_a_former_upn_in_one_family_is_the_childs_upn_in_another(cin, monkeypatch):
    census_rows = pd.DataFrame({"pupil_id": [FORMER], "academic_year": [202122], "urn": ["1"]})
    monkeypatch.setattr(
        families, "_read",
        lambda family, paths, options: Reading({"enrolments": census_rows})
        if family == "school_census"
        else read_family(family, paths, options),
    )  # fmt: skip
    found = families.read_files(Files(cin_census=str(cin), school_census=str(cin)))
    assert found.tables["enrolments"]["pupil_id"].tolist() == ["0070003"]
    codes = {note.code: note.details for note in found.notes}
    assert codes["former_upn_followed"]["rows"] == 1
    assert codes["former_upn_followed"]["family"] == "identity"


read_family = families._read


def test_a_pattern_without_a_file_is_refused(tmp_path):
    with pytest.raises(ContractError, match=r"source.files.cin_census names \*.xml in the folder"):
        families.read_files(Files(cin_census=str(tmp_path / "*.xml")))


def test_the_same_file_named_twice_is_read_once(cin):
    twice = Files(cin_census=[str(cin), str(cin.parent / "*.xml")])
    once = families.read_files(Files(cin_census=str(cin)))
    pd.testing.assert_frame_equal(
        families.read_files(twice).tables["episodes"], once.tables["episodes"]
    )


# --- What readers say


def test_every_note_has_words_and_every_word_its_note():
    folder = Path(vsh_eval.__file__).parent / "returns"
    codes = set()
    for path in [*(folder / "formats").rglob("*.py"), folder / "folder.py"]:
        written = path.read_text(encoding="utf-8")
        codes |= {name for name in text.NOTES if re.search(rf'"{name}"|\b{name}=', written)}
        counts = ", ".join(COUNTED.findall(written))
        asked = {*CODES.findall(written), *re.findall(r"\b([a-z_0-9]+)=", counts)}
        asked -= {"file", "of_rows", "family", "value", "axis", "level", "column"}
        assert asked <= set(text.NOTES), path.name
    assert codes == set(text.NOTES)


@pytest.mark.parametrize("code", sorted(text.NOTES))
def test_a_note_is_one_sentence_whose_counts_stand_beside_it(code):
    details = {"file": "", "rows": 8765, "of_rows": 9876, "family": "cin_census"}
    words = {name: "x" for name in re.findall(r"{(\w+)}", text.NOTES[code]) if name not in details}
    table = text.notes([families.note(code, **details, **words)])
    assert "8765" not in table["message"].iloc[0]
    assert table["message"].iloc[0].endswith(".")
    assert table["rows"].iloc[0] == 8765
    assert "(8,765 of 9,876)" in text.for_analyst(families.note(code, **details, **words))
