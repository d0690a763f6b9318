import pandas as pd
import pytest

from vsh_eval.contracts import ContractError
from vsh_eval.returns.published import example
from vsh_eval.returns.published.areas import AREA_COLUMNS, areas_of, with_units


def placed(**columns: str) -> pd.DataFrame:
    return with_units(example.key_stage_4().assign(**columns), origin="a.csv")


def test_a_row_has_the_code_of_its_own_level():
    units = placed().drop_duplicates("unit_id").set_index("unit_id")["level"]
    assert units.to_dict() == {
        "E92000001": "national",
        "E12000002": "region",
        "E12000007": "region",
        "E13000001": "region",
        "E06000049": "la",
        "E06000050": "la",
        "E09000007": "la",
    }


def test_an_unknown_level_is_refused():
    with pytest.raises(ContractError, match=r"a\.csv: geographic_level is 'School'"):
        placed(geographic_level="School")


def test_an_area_without_a_code_is_refused():
    with pytest.raises(ContractError, match="9 rows have no code"):
        placed(new_la_code=example.key_stage_4()["new_la_code"].replace({"E06000049": ""}))


def test_areas_are_listed_once_and_boroughs_lie_in_london():
    areas = areas_of([placed(), placed()])
    assert tuple(areas.columns) == AREA_COLUMNS
    listed = areas.set_index("unit_id")
    assert listed.index.is_unique
    assert listed.loc["E09000007"].tolist() == ["Camden", "202", "la", "E12000007", "London"]
    assert listed.loc["E13000001"].tolist() == ["Inner London", "", "region", "E12000007", "London"]
    assert listed.loc["E92000001"].tolist() == ["England", "", "national", "", ""]


def test_an_area_has_the_name_it_last_had():
    table = placed()
    old = table["time_period"].eq("201920") & table["unit_id"].eq("E06000050")
    renamed = table.assign(la_name=table["la_name"].mask(old, "Chester"))
    names = areas_of([renamed]).set_index("unit_id")["name"]
    assert names["E06000050"] == "Cheshire West and Chester"
