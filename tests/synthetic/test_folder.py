import hashlib

import pandas as pd
import pytest

from vsh_eval.contracts import RETURNS, ContractError
from vsh_eval.settings import load
from vsh_eval.synthetic import Plan, as_returns, authority, invent, synthesise

SMALL = Plan(schools=10, first=202324)


def hashes(made):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in made.iterdir()}


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_folder_holds_every_table_the_truth_and_the_notice(tmp_path, kind):
    made = synthesise(tmp_path / "deep" / "returns", SMALL, format=kind)
    names = {path.name for path in made.iterdir()}
    assert names == {f"{table}.{kind}" for table in RETURNS} | {"SYNTHETIC.txt", "truth.csv"}
    assert "invented" in (made / "SYNTHETIC.txt").read_text(encoding="utf-8")
    expected = invent(SMALL)
    for name, table in expected.tables.items():
        path = made / f"{name}.{kind}"
        read = pd.read_parquet(path) if kind == "parquet" else pd.read_csv(path, dtype=str)
        assert list(read.columns) == list(table.columns)
        assert len(read) == len(table)
        for column in table.select_dtypes("datetime"):
            written = pd.to_datetime(read[column]).astype("datetime64[us]")
            pd.testing.assert_series_equal(written, table[column])
    truth = pd.read_csv(made / "truth.csv")
    assert truth.loc[0, "effect"] == pytest.approx(expected.truth.loc[0, "effect"])


def test_csv_dates_are_iso_and_blanks_are_empty(tmp_path):
    made = synthesise(tmp_path / "returns", SMALL, format="csv")
    episodes = pd.read_csv(made / "episodes.csv", dtype=str, keep_default_na=False)
    assert episodes["start_date"].str.fullmatch(r"\d{4}-\d{2}-\d{2}").all()
    assert (episodes["end_date"] == "").any()


def test_the_same_plan_gives_the_same_bytes_and_replaces_its_own_folder(tmp_path):
    made = synthesise(tmp_path / "returns", SMALL)
    first = hashes(made)
    assert hashes(synthesise(made, SMALL)) == first
    other = hashes(synthesise(made, Plan(schools=10, first=202324, seed=9)))
    assert other["attendance.parquet"] != first["attendance.parquet"]
    assert [path.name for path in tmp_path.iterdir()] == ["returns"]


@pytest.mark.parametrize("others", [["notes.docx"], ["schools.csv"], ["SYNTHETIC.txt", "mine.csv"]])
def test_a_folder_with_anything_else_in_it_is_refused_untouched(tmp_path, others):
    for name in others:
        (tmp_path / name).write_text("mine", encoding="utf-8")
    with pytest.raises(ContractError, match="must be empty or hold invented returns only"):
        synthesise(tmp_path, SMALL)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(others)


def test_a_file_and_an_unknown_format_are_refused(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ContractError, match="must be a folder"):
        synthesise(tmp_path / "file", SMALL)
    with pytest.raises(ContractError, match="must be one of csv, parquet"):
        synthesise(tmp_path / "new", SMALL, format="xlsx")


def test_a_crash_while_writing_leaves_the_old_folder_whole(tmp_path, monkeypatch):
    made = synthesise(tmp_path / "returns", SMALL)
    before = hashes(made)

    def full_disk(plan):
        raise OSError("no space left")

    monkeypatch.setattr(authority, "_notice", full_disk)
    with pytest.raises(OSError, match="no space"):
        synthesise(made, SMALL)
    assert hashes(made) == before
    assert [path.name for path in tmp_path.iterdir()] == ["returns"]


def test_a_crash_while_renaming_puts_the_old_folder_back(tmp_path, monkeypatch):
    made = synthesise(tmp_path / "returns", SMALL)
    before = hashes(made)
    rename = type(made).rename

    def refuses(path, target):
        if path.name.startswith(".returns") and not path.name.endswith("-old"):
            raise OSError("busy")
        return rename(path, target)

    monkeypatch.setattr(type(made), "rename", refuses)
    with pytest.raises(OSError, match="busy"):
        synthesise(made, SMALL)
    assert hashes(made) == before
    assert [path.name for path in tmp_path.iterdir()] == ["returns"]


@pytest.mark.parametrize(
    ("folder", "name"), [("Twins 2024_25", "twins-2024-25"), ("2024", "2024"), ("ж", "invented")]
)
def test_the_params_of_a_folder_of_files_are_named_after_it(tmp_path, monkeypatch, folder, name):
    """Another folder's run would replace the first one's report if both had one name."""
    monkeypatch.setattr(as_returns, "write_files", lambda *_: {"school_census": "."})
    made = synthesise(tmp_path / folder, SMALL, layout="returns")
    assert load(made / "params.yaml").name == name
