import pandas as pd
import pytest

from vsh_eval import names
from vsh_eval.contracts import VintageError
from vsh_eval.returns.published import combined, example, read_published


def test_a_folder_is_read_as_one_release(tmp_path):
    release = read_published(example.write(tmp_path))
    assert release.vintage == "2024/25 release"
    assert tuple(release.panel.columns) == names.PANEL_COLUMNS
    assert not release.panel.duplicated(list(names.PANEL_KEYS)).any()
    assert set(release.panel["vintage"]) == {"2024/25 release"}
    assert set(release.panel["source"]) == {"published"}
    assert set(release.panel["group"]) == {"cin", "cpp", "cla", "all"}
    assert release.files["used"].all()
    assert len(release.areas) == 7
    assert len(release.neighbours) == 1


def test_the_order_of_rows_in_the_files_does_not_matter(tmp_path):
    one = read_published(example.write(tmp_path / "one"))
    other = read_published(
        example.write(
            tmp_path / "other",
            absence=example.absence().iloc[::-1],
            comparators=example.comparators().sample(frac=1, random_state=1),
        )
    )
    pd.testing.assert_frame_equal(one.panel, other.panel)


def test_an_earlier_release_is_read_when_named_and_the_rest_listed_as_not_used(tmp_path):
    folder = example.write(tmp_path, earlier=example.absence_of_an_earlier_release())
    release = read_published(folder, vintage="2023/24 release")
    assert set(release.panel["time_period"]) == {201920, 202324}
    assert release.files.loc[release.files["used"], "file_name"].tolist() == [
        "earlier.csv",
        "neighbours.csv",
    ]


def test_without_comparators_and_neighbours_the_counts_are_there(tmp_path):
    release = read_published(example.write(tmp_path, comparators=None, neighbours=None))
    assert set(release.panel["group"]) == {"cin", "cpp", "cla"}
    assert release.neighbours.empty


def test_panels_of_two_releases_cannot_be_summed(tmp_path):
    folder = example.write(tmp_path, earlier=example.absence_of_an_earlier_release())
    panels = [read_published(folder, vintage=v).panel for v in ("2023/24", "2024/25")]
    with pytest.raises(VintageError, match=r"'2023/24 release' and '2024/25 release'"):
        combined(pd.concat(panels))
