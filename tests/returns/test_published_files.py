import hashlib

import pytest

from vsh_eval.contracts import ContractError, VintageError
from vsh_eval.returns.published import example
from vsh_eval.returns.published.files import (
    choose_release,
    of_release,
    recognise,
    role_of,
)


def test_files_are_recognised_by_their_headers(tmp_path):
    example.write(tmp_path / "deep" / "down", other=None)
    (tmp_path / "a.csv").write_text("urn,name\n1,A\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "absence.txt").write_text("social_care_group,t_sess_possible\n")
    (tmp_path / "old.csv").write_bytes("Straße,social_care_group\n".encode("cp1252"))
    hidden = tmp_path / ".cache"
    example.write(hidden)
    found = recognise(tmp_path)
    assert [(file.role, file.name, file.rows, file.vintage) for file in found] == [
        ("absence", "deep/down/absence.csv", 189, "2024/25 release"),
        ("ks2", "deep/down/key_stage_2.csv", 63, "2024/25 release"),
        ("ks4", "deep/down/key_stage_4.csv", 63, "2024/25 release"),
        ("comparators", "deep/down/comparators.csv", 30, "2024/25 release"),
        ("neighbours", "deep/down/neighbours.csv", 1, ""),
    ]
    for file in found:
        assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()


def test_a_second_copy_of_a_file_is_one_file(tmp_path):
    example.write(tmp_path / "one")
    example.write(tmp_path / "two")
    assert len(recognise(tmp_path)) == 5


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(ContractError, match="folder 'nowhere' is not there"):
        recognise(tmp_path / "nowhere")


def test_a_parquet_file_that_is_none_is_refused(tmp_path):
    pointer = tmp_path / "bds_long_0.parquet"
    pointer.write_text("version 1\noid sha256:0\n")
    with pytest.raises(ContractError, match=r"bds_long_0\.parquet is not a Parquet file inside"):
        role_of(pointer)


def test_parquet_comparators_are_counted_without_being_read_whole(tmp_path):
    example.comparators().to_parquet(tmp_path / "lait.parquet")
    (found,) = recognise(tmp_path)
    assert (found.role, found.rows, found.vintage) == ("comparators", 30, "2024/25 release")


def test_a_file_without_rows_is_refused(tmp_path):
    example.write(tmp_path, absence=example.absence().head(0))
    with pytest.raises(ContractError, match=r"absence\.csv holds no rows"):
        recognise(tmp_path)


@pytest.fixture
def two_releases(tmp_path):
    example.write(tmp_path, earlier=example.absence_of_an_earlier_release())
    return recognise(tmp_path)


def test_the_newest_absence_is_read_unless_another_is_named(two_releases):
    assert choose_release(two_releases, None) == "2024/25 release"
    for named in ("2023/24 release", "2023/24", "202324"):
        assert choose_release(two_releases, named) == "2023/24 release"


def test_a_release_has_its_own_files_and_the_neighbours(two_releases):
    earlier = of_release(two_releases, "2023/24 release")
    assert {role: file.name for role, file in earlier.items()} == {
        "absence": "earlier.csv",
        "neighbours": "neighbours.csv",
    }


def test_a_release_that_is_not_there_is_refused(two_releases):
    with pytest.raises(
        VintageError, match=r"'2021/22 release'.* holds: 2023/24 release, 2024/25 release"
    ):
        choose_release(two_releases, "2021/22 release")


def test_files_of_two_releases_are_never_mixed(tmp_path):
    example.write(tmp_path, key_stage_4=example.key_stage_4().query("time_period != '202425'"))
    with pytest.raises(
        VintageError, match=r"ks4 file is of the '2023/24 release'.*'2024/25 release'"
    ):
        choose_release(recognise(tmp_path), None)
    # Named, the release stands alone.
    chosen = of_release(recognise(tmp_path), "2024/25 release")
    assert "ks4" not in chosen


def test_two_files_of_one_role_and_release_are_refused(tmp_path):
    example.write(tmp_path, again=example.key_stage_4().assign(version="Revised"))
    with pytest.raises(ContractError, match=r"again\.csv and key_stage_4\.csv are both the ks4"):
        of_release(recognise(tmp_path), "2024/25 release")


def test_attainment_alone_is_a_release(tmp_path):
    example.write(tmp_path, absence=None, comparators=None)
    assert choose_release(recognise(tmp_path), None) == "2024/25 release"


def test_comparators_alone_are_no_release(tmp_path):
    example.write(tmp_path, absence=None, key_stage_2=None, key_stage_4=None)
    with pytest.raises(ContractError, match="holds none of DfE's absence"):
        choose_release(recognise(tmp_path), None)
