import pytest

from vsh_eval.contracts import ContractError
from vsh_eval.returns.published import example
from vsh_eval.returns.published.areas import areas_of, with_units
from vsh_eval.returns.published.neighbours import (
    NEIGHBOUR_COLUMNS,
    no_neighbours,
    read_neighbours,
)


@pytest.fixture
def areas():
    return areas_of([with_units(example.absence(), origin="a.csv")])


def test_a_pair_of_known_authorities_is_a_row(tmp_path, areas):
    path = tmp_path / "near.csv"
    table = example.neighbours().assign(SN_3="202", SN_3P="Somewhat close ")
    table.to_csv(path, index=False, encoding="utf-8-sig")
    near = read_neighbours(path, areas=areas)
    assert near.to_dict("records") == [
        {
            "unit_id": "E06000049",
            "neighbour_id": "E06000050",
            "rank": 1,
            "closeness": "Very close",
        },
        {
            "unit_id": "E06000049",
            "neighbour_id": "E09000007",
            "rank": 3,
            "closeness": "Somewhat close",
        },
    ]


def test_a_missing_rank_is_refused(tmp_path, areas):
    path = tmp_path / "near.csv"
    example.neighbours().drop(columns="SN_10P").to_csv(path, index=False)
    with pytest.raises(ContractError, match=r"near\.csv lacks the column SN_10P"):
        read_neighbours(path, areas=areas)


def test_no_neighbours_has_the_columns():
    assert tuple(no_neighbours().columns) == NEIGHBOUR_COLUMNS
    assert no_neighbours().empty
