"""England's published figures give domain.md's derived table of gaps, to its two decimals."""

import numpy as np
import pandas as pd
import pytest

from tests.metrics.panels import published_panel
from vsh_eval.contracts import ContractError
from vsh_eval.metrics import changes, gaps, levels, school_gaps

# DfE, outcomes for children in need 2025, England, six half terms, all phases: pupils, possible
# sessions, sessions missed, persistent and severe absentees of CINO and CPPO at 31 March.
COUNTS = {
    201819: ((129150, 45845480, 5251070, 43010, 6620), (27330, 9602640, 1332030, 10750, 1990)),
    202021: ((118190, 41751870, 5682490, 49190, 6640), (26290, 9230440, 1610640, 13840, 2160)),
    202122: ((127570, 45025530, 7313810, 61420, 10710), (27410, 9596080, 1857950, 15370, 3070)),
    202223: ((126190, 43276020, 7526790, 61200, 12900), (28280, 9606000, 2067800, 16250, 4120)),
    202324: ((118960, 42007110, 7449220, 56880, 13340), (26850, 9410550, 2087910, 15320, 4160)),
    202425: ((120250, 42464140, 7397200, 55270, 13580), (26840, 9417580, 2049150, 14870, 4150)),
}
ALL_PUPILS = {
    201819: (4.73, 10.86, 0.85),
    202021: (4.62, 12.08, 1.13),
    202122: (7.55, 22.51, 1.65),
    202223: (7.37, 21.22, 2.03),
    202324: (7.15, 19.95, 2.30),
    202425: (6.78, 18.14, 2.39),
}
# pupils, overall, persistent and severe absence of CWSW; their gaps to all pupils; the ratio.
DERIVED = {
    201819: (156480, 11.87, 34.36, 5.50, 7.14, 23.50, 4.65, 3.16),
    202021: (144480, 14.31, 43.63, 6.09, 9.69, 31.55, 4.96, 3.61),
    202122: (154980, 16.79, 49.55, 8.89, 9.24, 27.04, 7.24, 2.20),
    202223: (154470, 18.14, 50.14, 11.02, 10.77, 28.92, 8.99, 2.36),
    202324: (145810, 18.55, 49.52, 12.00, 11.40, 29.57, 9.70, 2.48),
    202425: (147090, 18.21, 47.69, 12.05, 11.43, 29.55, 9.66, 2.63),
}
METRICS = ("overall_absence", "persistent_absence", "severe_absence")


@pytest.fixture
def england():
    rows = []
    for year, groups in COUNTS.items():
        for group, (pupils, possible, missed, persistent, severe) in zip(
            ("cin", "cpp"), groups, strict=True
        ):
            for metric, y, x in zip(
                METRICS, (missed, persistent, severe), (possible, pupils, pupils), strict=True
            ):
                rows.append((year, "total", group, metric, pupils, y, x, np.nan, ""))
        for metric, rate in zip(METRICS, ALL_PUPILS[year], strict=True):
            rows.append((year, "total", "all", metric, pd.NA, np.nan, np.nan, rate, ""))
    return published_panel(rows, cohort_rule="at_31_march")


def row(table, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


@pytest.mark.parametrize("year", DERIVED)
def test_england(england, year):
    found = gaps(england, group="cwsw", reference="all")
    pupils, *expected = DERIVED[year]
    rows = [row(found, time_period=year, metric=metric) for metric in METRICS]
    assert [int(r["group_pupils"]) for r in rows] == [pupils] * 3
    measured = [r["group_level"] for r in rows] + [r["gap"] for r in rows]
    assert [*measured, rows[1]["ratio"]] == pytest.approx(expected, abs=0.0051)


def test_the_year_without_absence_is_x_and_never_nought(england):
    for table in (
        levels(england, groups=["cwsw", "all"]),
        gaps(england, group="cwsw", reference="all"),
        changes(england, group="cwsw", reference="all", baseline=201819),
    ):
        blank = table[table["time_period"] == 201920]
        assert len(blank) == len(METRICS) * (2 if "level_value" in table else 1)
        assert (blank["status"] == "x").all()
        assert not blank["comparable"].any()
        numbers = blank.select_dtypes("number").drop(
            columns=["time_period", "baseline", "baseline_gap", "baseline_ratio"], errors="ignore"
        )
        counts = numbers.filter(regex="^baseline_").columns
        assert numbers.drop(columns=counts).isna().all(axis=None)


def test_the_gap_widened_in_points_while_the_ratio_fell(england):
    found = changes(england, group="cwsw", reference="all", baseline=201819)
    last = row(found, time_period=202425, metric="persistent_absence")
    assert last["change"] == pytest.approx(29.55 - 23.50, abs=0.011)
    assert last["direction"] == "widened"
    assert last["ratio_change"] < 1
    assert last["ratio_change_upper"] < 1
    assert last["definition_changed"]
    assert last["group_change"] - last["reference_change"] == pytest.approx(last["change"])
    assert last["change_lower"] < last["change"] < last["change_upper"]


def test_intervals_are_newcombes_with_the_rate_of_all_pupils_known(england):
    found = row(
        gaps(england, group="cwsw", reference="all"), time_period=202425, metric="severe_absence"
    )
    assert found["gap_lower"] == pytest.approx(found["group_level_lower"] - 2.39)
    assert found["gap_upper"] == pytest.approx(found["group_level_upper"] - 2.39)
    assert found["gap_std_error"] == pytest.approx(found["group_std_error"])
    assert np.isnan(found["reference_level_lower"])


def test_sessions_have_no_published_spread_so_no_interval(england):
    found = gaps(england, group="cwsw", reference="all", metrics=["overall_absence"])
    assert found.filter(regex="lower|upper|std_error").isna().all(axis=None)
    moved = changes(
        england, group="cwsw", reference="all", baseline=201819, metrics=["overall_absence"]
    )
    assert (moved["direction"] == "").all()


def test_two_counted_groups_are_both_estimated(england):
    one = gaps(england, group="cpp", reference="cin", metrics=["severe_absence"])
    other = gaps(england, group="cin", reference="cpp", metrics=["severe_absence"])
    kept = one["gap"].notna()
    assert kept.sum() == len(COUNTS)
    assert one["gap"].tolist() == pytest.approx((-other["gap"]).tolist(), nan_ok=True)
    assert one["gap_lower"][kept].tolist() == pytest.approx((-other["gap_upper"][kept]).tolist())
    assert one["gap_lower"][kept].tolist() < one["gap"][kept].tolist()


def test_a_suppressed_part_hides_the_sum():
    panel = published_panel(
        [
            (202324, "total", "cin", "persistent_absence", 800, 400, 800, np.nan, ""),
            (202324, "total", "cpp", "persistent_absence", pd.NA, np.nan, np.nan, np.nan, "c"),
            (202324, "total", "all", "persistent_absence", pd.NA, np.nan, np.nan, 20.0, ""),
        ]
    )
    found = levels(panel, groups=["cin", "cwsw", "all", "cla"]).set_index("group")
    assert found.loc["cin", "level_value"] == 50
    assert found.loc["cwsw", "status"] == "c"
    assert pd.isna(found.loc["cwsw", ["pupils", "numerator", "level_value", "lower"]]).all()
    assert found.loc["all", "level_value"] == 20
    assert "cla" not in found.index
    gap = gaps(panel, group="cwsw", reference="all").iloc[0]
    assert gap["status"] == "c"
    assert np.isnan(gap["gap"])


def test_no_pupils_and_no_value_have_their_own_symbols():
    panel = published_panel(
        [
            (202324, "total", "cin", "persistent_absence", 0, 0, 0, np.nan, ""),
            (202324, "total", "cla", "persistent_absence", pd.NA, np.nan, np.nan, np.nan, ""),
            (202324, "total", "cpp", "persistent_absence", pd.NA, np.nan, np.nan, np.nan, "low"),
        ]
    )
    found = levels(panel, groups=["cin", "cla", "cpp"]).set_index("group")["status"]
    assert found.to_dict() == {"cin": "z", "cla": "x", "cpp": "low"}


def test_attainment_8_has_a_gap_without_interval():
    panel = published_panel(
        [
            (202425, "total", "cin", "ks4_attainment8", 13260, 229398.0, 13260, np.nan, ""),
            (202425, "total", "all", "ks4_attainment8", pd.NA, np.nan, np.nan, 46.0, ""),
        ]
    )
    found = gaps(panel, group="cin", reference="all").iloc[0]
    assert found["gap"] == pytest.approx(17.3 - 46.0)
    assert found["ratio"] == pytest.approx(17.3 / 46.0)
    assert np.isnan(found[["gap_lower", "gap_upper", "ratio_lower"]].astype(float)).all()


def test_areas_keep_their_codes_and_come_nation_first():
    one = [(202425, "total", "cin", "overall_absence", 10, 10.0, 100.0, np.nan, "")]
    panel = pd.concat(
        [
            published_panel(one, level="la", unit_id="E06000049"),
            published_panel(one, level="national", unit_id="E92000001"),
            published_panel(one, level="region", unit_id="E12000002"),
        ]
    )
    found = levels(panel, groups=["cin"], unit_id="ignored")
    assert found["geographic_level"].tolist() == ["national", "region", "la"]
    assert found["unit_id"].tolist() == ["E92000001", "E12000002", "E06000049"]


@pytest.mark.parametrize("reference", ["peers", "previous", "ever_cwsw"])
def test_published_tables_only_have_all(england, reference):
    with pytest.raises(ContractError, match=f"'{reference}', but published tables only have 'all'"):
        gaps(england, group="cwsw", reference=reference)


def test_rows_given_twice_are_refused(england):
    with pytest.raises(ContractError, match="1 rows twice"):
        levels(pd.concat([england, england.head(1)]), groups=["cin"])


def test_published_tables_have_no_schools(england):
    with pytest.raises(ContractError, match="published tables have no schools"):
        school_gaps(england, metric="overall_absence", group="cwsw", reference="all")
