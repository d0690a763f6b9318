import pandas as pd
import pytest

from vsh_eval import names, registry
from vsh_eval.contracts import ContractError
from vsh_eval.returns.published import example
from vsh_eval.returns.published.areas import areas_of, with_units
from vsh_eval.returns.published.comparators import (
    MEASURES,
    SOCIAL_CARE,
    comparator_rows,
    latest_year,
    read_comparators,
)


def areas() -> pd.DataFrame:
    return areas_of([with_units(example.absence(), origin="a.csv")])


def rows(folder, table: pd.DataFrame, **how) -> pd.DataFrame:
    path = folder / "lait.csv"
    table.to_csv(path, index=False)
    return comparator_rows(
        read_comparators(path), areas=areas(), vintage="v", origin="lait.csv", **how
    )


def test_all_pupils_have_rates_and_no_counts(tmp_path):
    panel = rows(tmp_path, example.comparators())
    assert tuple(panel.columns) == names.PANEL_COLUMNS
    assert set(panel["group"]) == {"all"}
    assert panel[list(names.PANEL_SUMS)].isna().all(axis=None)
    england = panel.query("unit_id == 'E92000001' and time_period == 202425")
    found = england.set_index(["metric", "phase"])["rate"].to_dict()
    assert found == {
        ("overall_absence", "total"): 6.78,
        ("overall_absence", "secondary"): 8.44,
        ("ks4_attainment8", "total"): 46.0,
    }


def test_a_dash_is_not_available(tmp_path):
    panel = rows(tmp_path, example.comparators()).query("time_period == 201920")
    assert set(panel["status"]) == {"x"}
    assert panel["rate"].isna().all()


def test_areas_are_found_by_former_code_and_by_name(tmp_path):
    panel = rows(tmp_path, example.comparators())
    assert panel.drop_duplicates("unit_id").set_index("unit_id")["level"].to_dict() == {
        "E92000001": "national",
        "E12000002": "region",
        "E12000007": "region",
        "E06000049": "la",
    }
    with_parts = rows(tmp_path, example.comparators(), london_parts=True)
    assert set(with_parts["unit_id"]) - set(panel["unit_id"]) == {"E13000001"}


def test_parquet_and_csv_read_the_same(tmp_path):
    table = example.comparators()
    csv = tmp_path / "lait.csv"
    table.to_csv(csv, index=False)
    parquet = tmp_path / "lait.parquet"
    table.assign(**{"LA Number": table["LA Number"].astype(float)}).to_parquet(parquet)
    found = [
        comparator_rows(read_comparators(path), areas=areas(), vintage="v", origin="lait")
        for path in (csv, parquet)
    ]
    pd.testing.assert_frame_equal(*found)


@pytest.mark.parametrize("year", ["2024/25", "2025 (Rev)", "2025"])
def test_a_year_may_be_written_in_several_ways(tmp_path, year):
    table = example.comparators().query("Years == '2025'").assign(Years=year)
    assert set(rows(tmp_path, table)["time_period"]) == {202425}


def test_a_year_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(ContractError, match=r"lait\.csv: Years is '2014-16'"):
        rows(tmp_path, example.comparators().assign(Years="2014-16"))


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(ContractError, match=r"lait\.csv lacks the column Values"):
        rows(tmp_path, example.comparators().drop(columns="Values"))


def test_a_table_of_other_measures_is_refused(tmp_path):
    with pytest.raises(ContractError, match="holds no all-pupil measure"):
        rows(tmp_path, example.comparators().assign(**{"Short Desc": "InfMort"}))


def test_a_repeated_row_is_refused(tmp_path):
    table = example.comparators()
    with pytest.raises(ContractError, match="24 rows repeat"):
        rows(tmp_path, pd.concat([table, table]))


def test_a_blank_value_is_refused(tmp_path):
    with pytest.raises(ContractError, match="Values is blank"):
        rows(tmp_path, example.comparators().assign(Values=""))


def test_the_release_is_that_of_the_last_absence(tmp_path):
    table = example.comparators()
    newer = table.query("`Short Desc` == 'AVG_Attain8_Score'").assign(Years="2026")
    path = tmp_path / "lait.csv"
    pd.concat([table, newer]).to_csv(path, index=False)
    assert latest_year(read_comparators(path)) == 202425
    newer.to_csv(path, index=False)
    assert latest_year(read_comparators(path)) == 202526


def test_every_measure_is_a_metric_of_the_registry_and_stands_once():
    own = {name for name, m in registry.METRICS.items() if m.ranks or m.topic == "moves"}
    assert {metric for metric, _ in MEASURES.values()} == set(registry.METRICS) - own
    assert len(set(MEASURES.values())) == len(MEASURES)
    assert {metric for metric, _ in SOCIAL_CARE.values()} <= set(registry.METRICS)
    assert len(set(SOCIAL_CARE.values())) == len(SOCIAL_CARE)


def test_groups_of_children_in_need_stand_beside_all_pupils_from_the_releases_first_year(tmp_path):
    one = example.comparators().query("`Short Desc` == 'TotAbs' and Years == '2025'")
    measures = {"Total_ Pup_FixedEx": "4.04", "CINFixedExclusion": "14.24", "LAC_Fixed_ Ex": "14.5"}
    table = pd.concat(
        [one]
        + [
            one.assign(**{"Short Desc": short, "Values": value, "Years": year})
            for short, value in measures.items()
            for year in ("2018", "2024")
        ]
    )
    panel = rows(tmp_path, table, first_year=201819)
    found = panel.query("unit_id == 'E92000001' and metric == 'pupils_suspended'")
    rates = found.set_index(["group", "time_period"])["rate"].to_dict()
    assert rates == {
        ("all", 201718): 4.04,
        ("all", 202324): 4.04,
        ("cin", 202324): 14.24,
        ("cla", 202324): 14.5,
    }
    assert set(found["phase"]) == {"total"}


def test_a_place_holder_without_year_and_number_is_passed_over(tmp_path):
    table = example.comparators()
    empty = table.head(6).assign(Years="0", Values="-")
    pd.testing.assert_frame_equal(rows(tmp_path, pd.concat([table, empty])), rows(tmp_path, table))
    with pytest.raises(ContractError, match=r"Years is '0'"):
        rows(tmp_path, pd.concat([table, empty.assign(Values="1.5")]))
