from pathlib import Path

import pandas as pd
import pytest

from vsh_eval import names
from vsh_eval.contracts import ContractError
from vsh_eval.returns.published import example
from vsh_eval.returns.published.cino import panel_rows, read_outcomes

VINTAGE = "2024/25 release"


def read(folder: Path, table: pd.DataFrame, role: str = "absence", **how) -> pd.DataFrame:
    path = folder / "file.csv"
    table.to_csv(path, index=False, encoding="utf-8-sig")
    return panel_rows(read_outcomes(path, role=role), vintage=VINTAGE, **how)


def one(panel: pd.DataFrame, **keys) -> pd.Series:
    for key, value in {"unit_id": "E06000049", "phase": "total", **keys}.items():
        panel = panel.loc[panel[key].eq(value)]
    assert len(panel) == 1
    return panel.iloc[0]


def changed(column: str, cell: str) -> pd.DataFrame:
    """Cheshire East's children in need in 2024/25, with one cell changed."""
    table = example.absence()
    at = (
        table["new_la_code"].eq("E06000049")
        & table["time_period"].eq("202425")
        & table["social_care_group"].str.startswith("CINO")
        & table["phase_type_grouping"].eq("Total")
    )
    return table.assign(**{column: table[column].mask(at, cell)})


def test_absence_becomes_counts_in_the_panel(tmp_path):
    panel = read(tmp_path, example.absence())
    assert tuple(panel.columns) == names.PANEL_COLUMNS
    assert str(panel["pupils"].dtype) == str(panel["denominator"].dtype) == "Int64"
    assert panel["time_period"].dtype == "int64"
    assert not panel.duplicated(list(names.PANEL_KEYS)).any()
    assert set(panel["group"]) == {"cin", "cpp", "cla"}
    assert set(panel["phase"]) == {"total", "primary", "alternative_provision"}
    assert set(panel["vintage"]) == {VINTAGE}
    assert set(panel["cohort_rule"]) == {"at_31_march"}
    expected = {
        "overall_absence": (100, 174, 1000, 17.4),
        "authorised_absence": (100, 92, 1000, 9.2),
        "unauthorised_absence": (100, 82, 1000, 8.2),
        "persistent_absence": (100, 40, 100, 40.0),
        "severe_absence": (100, 12, 100, 12.0),
    }
    for metric, values in expected.items():
        row = one(panel, group="cin", metric=metric, time_period=202425)
        assert tuple(row[["pupils", "numerator", "denominator", "rate"]]) == values
        assert row["status"] == ""
        assert row[["sum_yy", "sum_xy", "sum_xx"]].isna().all()


def test_2019_20_is_not_available(tmp_path):
    rows = read(tmp_path, example.absence()).query("time_period == 201920")
    assert set(rows["status"]) == {"x"}
    assert rows[["pupils", "numerator", "denominator", "rate"]].isna().all(axis=None)


def test_the_layout_of_an_earlier_release_reads_the_same(tmp_path):
    now = read(tmp_path, example.absence().query("time_period != '202425'"))
    then = read(tmp_path, example.absence_of_an_earlier_release())
    pd.testing.assert_frame_equal(now, then)


def test_pupil_referral_units_are_alternative_provision(tmp_path):
    oldest = example.absence_of_an_earlier_release().replace(
        {"school_type": {"State-funded AP school": "Pupil referral unit"}}
    )
    assert "alternative_provision" in set(read(tmp_path, oldest)["phase"])


def test_a_release_without_severe_absence_has_the_other_metrics(tmp_path):
    table = example.absence().drop(columns=["t_pupils_pa_50_exact", "pt_pupils_pa_50_exact"])
    metrics = set(read(tmp_path, table)["metric"])
    assert "severe_absence" not in metrics
    assert len(metrics) == 4


def test_attainment_is_of_all_phases(tmp_path):
    ks2 = one(read(tmp_path, example.key_stage_2(), "ks2"), group="cpp", time_period=202425)
    assert ks2[["metric", "pupils", "numerator", "denominator", "rate"]].tolist() == [
        "ks2_rwm_expected",
        30,
        9.0,
        30,
        30.0,
    ]
    ks4 = one(read(tmp_path, example.key_stage_4(), "ks4"), group="cla", time_period=202425)
    assert ks4[["metric", "pupils", "numerator", "denominator", "rate"]].tolist() == [
        "ks4_attainment8",
        20,
        345.5,
        20,
        17.3,
    ]


def test_a_suppressed_count_stays_suppressed_and_its_row_keeps_the_rest(tmp_path):
    panel = read(tmp_path, changed("t_pupils_pa_10_exact", "c"))
    hidden = one(panel, group="cin", metric="persistent_absence", time_period=202425)
    assert hidden["status"] == "c"
    assert pd.isna(hidden["numerator"])
    assert hidden["pupils"] == 100
    other = one(panel, group="cin", metric="severe_absence", time_period=202425)
    assert (other["status"], other["numerator"]) == ("", 12)


def test_a_rate_that_rounds_to_nought_is_low_and_keeps_its_counts(tmp_path):
    panel = read(tmp_path, changed("pt_sess_unauthorised", "k"))
    low = one(panel, group="cin", metric="unauthorised_absence", time_period=202425)
    assert (low["status"], low["numerator"], low["denominator"]) == ("low", 82, 1000)
    assert pd.isna(low["rate"])


def test_london_stands_without_its_parts_unless_asked(tmp_path):
    assert not read(tmp_path, example.absence())["unit_id"].str.startswith("E13").any()
    both = read(tmp_path, example.absence(), london_parts=True)
    assert set(both.loc[both["level"].eq("region"), "unit_id"]) == {
        "E12000002",
        "E12000007",
        "E13000001",
    }


def test_groups_that_overlap_the_three_are_left_out(tmp_path):
    table = example.key_stage_4()
    wider = table.loc[table["social_care_group"].str.startswith("CINO")].assign(
        social_care_group="CIN at 31 March"
    )
    panel = read(tmp_path, pd.concat([table, wider]), "ks4")
    pd.testing.assert_frame_equal(panel, read(tmp_path, table, "ks4"))


def test_terms_other_than_the_whole_year_are_left_out(tmp_path):
    autumn = example.absence().assign(absence_terms="autumn term")
    panel = read(tmp_path, pd.concat([autumn, example.absence()]))
    pd.testing.assert_frame_equal(panel, read(tmp_path, example.absence()))
    with pytest.raises(ContractError, match=r"file\.csv: absence_terms is nowhere"):
        read(tmp_path, autumn)


@pytest.mark.parametrize("column", ["new_la_code", "t_sess_overall", "phase_type_grouping"])
def test_a_missing_column_is_named_with_its_file(tmp_path, column):
    with pytest.raises(ContractError, match=rf"file\.csv lacks the column {column}"):
        read(tmp_path, example.absence().drop(columns=column))


@pytest.mark.parametrize("cell", ["", "?"])
def test_a_blank_or_strange_count_is_refused(tmp_path, cell):
    with pytest.raises(ContractError, match=r"file\.csv: t_pupils is"):
        read(tmp_path, changed("t_pupils", cell))


def test_a_missing_group_is_refused(tmp_path):
    table = example.key_stage_4().query("social_care_group != 'CPPO at 31 March'")
    with pytest.raises(ContractError, match="social_care_group is nowhere 'cppo at 31 march'"):
        read(tmp_path, table, "ks4")


def test_an_unknown_school_type_is_refused(tmp_path):
    with pytest.raises(ContractError, match="phase_type_grouping is 'free school'"):
        read(tmp_path, example.absence().assign(phase_type_grouping="Free school"))


def test_a_repeated_row_is_refused(tmp_path):
    table = example.key_stage_4()
    with pytest.raises(ContractError, match="63 rows repeat an area"):
        read(tmp_path, pd.concat([table, table.assign(version="Revised")]), "ks4")


def test_an_impossible_year_is_refused(tmp_path):
    with pytest.raises(ContractError, match="academic year is '202427'"):
        read(tmp_path, example.key_stage_4().assign(time_period="202427"), "ks4")


def test_what_a_file_counts_besides_is_read_where_its_columns_are(tmp_path):
    plain = read(tmp_path, example.key_stage_4(), "ks4")
    assert set(plain["metric"]) == {"ks4_attainment8"}
    table = example.key_stage_4().assign(
        t_inp8calc="18",
        t_p8score="-27",
        avg_p8score="-1.5",
        t_l2basics_94="c",
        pt_l2basics_94="c",
    )
    panel = read(tmp_path, table, "ks4")
    assert set(panel["metric"]) == {"ks4_attainment8", "ks4_progress8", "ks4_basics_94"}
    score = one(panel, group="cin", metric="ks4_progress8", time_period=202425)
    assert score[["pupils", "numerator", "denominator", "rate"]].tolist() == [18, -27, 18, -1.5]
    hidden = one(panel, group="cin", metric="ks4_basics_94", time_period=202425)
    assert (hidden["status"], hidden["pupils"]) == ("c", 20)
