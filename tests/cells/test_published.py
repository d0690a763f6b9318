"""England's published figures give domain.md's derived table of gaps, to its two decimals."""

import numpy as np
import pandas as pd
import pytest

from tests.frames import one_row
from tests.metrics.panels import published_panel
from vsh_eval.cells.published import PUPIL_SD
from vsh_eval.contracts import VintageError
from vsh_eval.metrics import Comparison, changes, gaps, levels

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


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
def england_gaps(england):
    return gaps(england, Comparison("cwsw", "all"))


@pytest.fixture(scope="module")
def england_changes(england):
    return changes(england, Comparison("cwsw", "all", baseline=201819))


def agrees_with_the_derived_table(found):
    for year, (pupils, *expected) in DERIVED.items():
        rows = [one_row(found, time_period=year, metric=metric) for metric in METRICS]
        assert [int(r["group_pupils"]) for r in rows] == [pupils] * 3
        measured = [r["group_level"] for r in rows] + [r["gap"] for r in rows]
        assert [*measured, rows[1]["ratio"]] == pytest.approx(expected, abs=0.0051)


def test_england(england_gaps):
    agrees_with_the_derived_table(england_gaps)


def test_the_year_without_absence_is_x_and_never_nought(england, england_gaps, england_changes):
    for table in (levels(england, groups=["cwsw", "all"]), england_gaps, england_changes):
        blank = table[table["time_period"] == 201920]
        assert len(blank) == len(METRICS) * (2 if "level_value" in table else 1)
        assert (blank["status"] == "x").all()
        assert not blank["comparable"].any()
        numbers = blank.select_dtypes("number").drop(
            columns=["time_period", "baseline", "baseline_gap", "baseline_ratio"], errors="ignore"
        )
        counts = numbers.filter(regex="^baseline_").columns
        assert numbers.drop(columns=counts).isna().all(axis=None)


def test_the_gap_widened_in_points_while_the_ratio_fell(england_changes):
    last = one_row(england_changes, time_period=202425, metric="persistent_absence")
    assert last["change"] == pytest.approx(29.55 - 23.50, abs=0.011)
    assert last["direction"] == "widened"
    assert last["ratio_change"] < 1
    assert last["ratio_change_upper"] < 1
    assert last["definition_changed"]
    assert last["group_change"] - last["reference_change"] == pytest.approx(last["change"])
    assert last["change_lower"] < last["change"] < last["change_upper"]


def test_intervals_are_newcombes_with_the_rate_of_all_pupils_known(england_gaps):
    found = one_row(england_gaps, time_period=202425, metric="severe_absence")
    assert found["gap_lower"] == pytest.approx(found["group_level_lower"] - 2.39)
    assert found["gap_upper"] == pytest.approx(found["group_level_upper"] - 2.39)
    assert found["gap_std_error"] == pytest.approx(found["group_std_error"])
    assert np.isnan(found["reference_level_lower"])


def test_sessions_have_no_published_spread_so_no_interval(england_gaps, england_changes):
    found, moved = (table.query("metric == 'overall_absence'")
                    for table in (england_gaps, england_changes))  # fmt: skip
    assert found.filter(regex="lower|upper|std_error").isna().all(axis=None)
    assert (moved["direction"] == "").all()


def test_two_counted_groups_are_both_estimated(england):
    one = gaps(england, Comparison("cpp", "cin", metrics=("severe_absence",)))
    other = gaps(england, Comparison("cin", "cpp", metrics=("severe_absence",)))
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
    gap = gaps(panel, Comparison("cwsw", "all")).iloc[0]
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
    found = gaps(panel, Comparison("cin", "all")).iloc[0]
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


SOCIAL_CARE_GROUPS = {
    "CINO at 31 March": "cin",
    "CPPO at 31 March": "cpp",
    "CLA 12 months at 31 March": "cla",
}
PROGRESS = [
    ("ks4_la.csv", "ks4_progress8", "p8score_CI_low", "p8score_CI_upp", 1_636),
    *(
        (
            "ks2_la.csv",
            f"ks2_{subject}_progress",
            f"avg_{word}_progress_score_lower_CI",
            f"avg_{word}_progress_score_upper_CI",
            pairs,
        )
        for subject, word, pairs in (
            ("reading", "read", 1_237),
            ("writing", "writta", 1_239),
            ("maths", "mat", 1_234),
        )
    ),
]


@pytest.fixture(scope="module")
def progress_levels(published):
    return levels(
        published.panel, groups=["cin", "cpp", "cla"], metrics=[one[1] for one in PROGRESS]
    )


@pytest.mark.parametrize("row", PROGRESS, ids=lambda row: row[1])
def test_every_published_limit_of_a_progress_score_is_reproduced(progress_levels, shared_data, row):
    file, metric, low, high, pairs = row
    of_metric = progress_levels[progress_levels["metric"] == metric]
    printed = pd.read_csv(
        shared_data / "ees_cino" / file, dtype="str", keep_default_na=False, encoding="utf-8-sig"
    ).query("geographic_level == 'Local authority'")
    printed = pd.DataFrame(
        {
            "unit_id": printed["new_la_code"],
            "time_period": printed["time_period"].astype("int64"),
            "group": printed["social_care_group"].map(SOCIAL_CARE_GROUPS),
            "low": pd.to_numeric(printed[low], errors="coerce"),
            "high": pd.to_numeric(printed[high], errors="coerce"),
        }
    ).dropna()
    found = of_metric.merge(printed, on=["unit_id", "time_period", "group"])
    assert len(found) == len(printed) == pairs
    assert found["lower"].round(2).tolist() == found["low"].tolist()
    assert found["upper"].round(2).tolist() == found["high"].tolist()


def test_progress_8_of_england_has_its_published_interval(progress_levels):
    england = progress_levels.query(
        "metric == 'ks4_progress8' and geographic_level == 'national' and status == ''"
    ).set_index(["group", "time_period"])
    printed = {
        ("cin", 201819): (-1.49, -1.52, -1.47),
        ("cin", 202122): (-1.62, -1.65, -1.60),
        ("cin", 202223): (-1.58, -1.61, -1.56),
        ("cin", 202324): (-1.59, -1.62, -1.56),
        ("cpp", 201819): (-1.71, -1.77, -1.65),
        ("cpp", 202122): (-1.82, -1.88, -1.76),
        ("cpp", 202223): (-1.79, -1.85, -1.73),
        ("cpp", 202324): (-1.86, -1.92, -1.80),
    }
    for key, numbers in printed.items():
        found = england.loc[key, ["level_value", "lower", "upper"]].tolist()
        # Counts of England are rounded to 10, so a limit may miss its last digit.
        assert found == pytest.approx(list(numbers), abs=0.0087)


def test_a_level_of_rounded_counts_stays_within_its_published_rate(published, progress_levels):
    """A region's 8 pupils, rounded to 10, would move its score by a fifth."""
    rates = published.panel.query("group != 'all'")[
        ["unit_id", "time_period", "group", "metric", "phase", "rate"]
    ]
    found = progress_levels.merge(
        rates, on=["unit_id", "time_period", "group", "metric", "phase"]
    ).dropna(subset=["rate", "level_value"])
    raw = (found["numerator"] / found["denominator"].astype(float) - found["rate"]).abs()
    assert raw[found["geographic_level"] == "region"].max() > 0.08
    assert (found["level_value"] - found["rate"]).abs().max() < 0.0051


ATTAINMENT_8_GAPS = {
    201819: 27.4,
    201920: 28.7,
    202021: 28.0,
    202122: 28.0,
    202223: 27.8,
    202324: 28.0,
    202425: 28.7,
}
KS2_GAPS = {201819: 65 - 35, 202122: 59 - 28, 202223: 60 - 29, 202324: 61 - 30, 202425: 63 - 30}


def test_attainment_gaps_of_england_against_the_published_all_pupil_figures(published):
    found = gaps(
        published.panel,
        Comparison(
            "cin",
            "all",
            metrics=(
                "ks4_attainment8",
                "ks2_rwm_expected",
                "ks4_progress8",
            ),
        ),
    )
    england = found.query("geographic_level == 'national'").set_index(["metric", "time_period"])
    for year, gap in ATTAINMENT_8_GAPS.items():
        assert -england.loc[("ks4_attainment8", year), "gap"] == pytest.approx(gap, abs=0.1)
    for year, gap in KS2_GAPS.items():
        row = england.loc[("ks2_rwm_expected", year)]
        assert -row["gap"] == pytest.approx(gap, abs=0.51)
        assert row["gap_lower"] < row["gap"] < row["gap_upper"]
    progress = england.loc[("ks4_progress8", 202324)]
    assert progress["gap"] == pytest.approx(-1.59 + 0.03, abs=0.0051)
    half = 1.96 * PUPIL_SD["ks4_progress8"][202324] / np.sqrt(11_130)
    assert progress["gap_upper"] - progress["gap"] == pytest.approx(half)
    assert progress["gap"] - progress["gap_lower"] == pytest.approx(half)


def test_the_whole_panel_gives_the_derived_table_of_children_with_a_social_worker(published):
    found = gaps(published.panel, Comparison("cwsw", "all", metrics=METRICS))
    england = found.query("geographic_level == 'national' and phase == 'total'")
    agrees_with_the_derived_table(england)


def test_a_measure_that_is_not_published_for_the_group_has_no_row(published):
    found = levels(
        published.panel, groups=["cwsw", "all"], metrics=["phonics_expected", "suspension_rate"]
    )
    assert set(found["group"]) == {"all"}
    counted = gaps(published.panel, Comparison("cwsw", "all", metrics=("phonics_expected",)))
    assert counted.empty


def test_a_sum_of_rates_without_counts_is_not_available(published):
    found = gaps(published.panel, Comparison("cwsw", "all", metrics=("eyfsp_gld",)))
    assert set(found["status"]) == {"x"}
    assert found["gap"].isna().all()
    alone = gaps(published.panel, Comparison("cin", "all", metrics=("eyfsp_gld",)))
    england = alone.query("geographic_level == 'national' and time_period == 202425").iloc[0]
    assert england["gap"] == pytest.approx(39.6 - 68.3)
    assert np.isnan(england["gap_lower"])


AUTHORITIES = {
    "Cheshire East": "E06000049",
    "Norfolk": "E10000020",
    "City of London": "E09000001",
    "Rutland": "E06000017",
    "Birmingham": "E08000025",
    "Kent": "E10000016",
}


@pytest.fixture(scope="module")
def gaps_of_authorities(published):
    panel = published.panel
    kept = panel["unit_id"].isin(list(AUTHORITIES.values())) & panel["time_period"].ge(201819)
    return gaps(panel[kept], Comparison("cwsw", "all"))


@pytest.mark.parametrize("name", AUTHORITIES)
def test_authorities_of_every_size_have_sensible_gaps_in_every_metric(gaps_of_authorities, name):
    found = gaps_of_authorities[gaps_of_authorities["unit_id"] == AUTHORITIES[name]]
    assert len(found) > 100
    assert set(found["status"]) <= {"", "c", "low", "u", "x", "z"}
    shown = found[found["gap"].notna()]
    levels_apart = shown["group_level"] - shown["reference_level"]
    assert shown["gap"].tolist() == pytest.approx(levels_apart.tolist())
    assert found.loc[found["status"].isin(["c", "x", "z"]), "gap"].isna().all()
    limits = shown.dropna(subset=["gap_lower"])
    assert (limits["gap_lower"] <= limits["gap"]).all()
    assert (limits["gap"] <= limits["gap_upper"]).all()
    percent = shown[shown["unit"] == "%"]
    assert percent["group_level"].between(0, 100).all()
    if name in ("Kent", "Birmingham"):
        # In a large authority children with a social worker miss more and attain less, always.
        total = shown[shown["phase"] == "total"]
        worse = total["metric"].str.contains("absence")
        assert (total.loc[worse, "gap"] > 0).all()
        assert (total.loc[~worse, "gap"] < 0).all()


def test_two_vintages_are_refused_with_both_named(published, published_before):
    both = pd.concat([published.panel, published_before.panel], ignore_index=True)
    with pytest.raises(VintageError, match=r"'2022/23 release' and '2024/25 release'"):
        gaps(both, Comparison("cin", "all"))


def test_the_interval_of_a_progress_score_is_made_of_englands_spread():
    panel = published_panel(
        [
            (202324, "total", "cin", "ks4_progress8", 11130, -17696.7, 11130, -1.59, ""),
            (202324, "total", "cpp", "ks4_progress8", 100, -186.0, 100, -1.86, ""),
            (202324, "total", "all", "ks4_progress8", pd.NA, np.nan, np.nan, -0.03, ""),
        ]
    )
    found = levels(panel, groups=["cin", "cwsw", "all"]).set_index("group")
    assert found.loc["cin", "upper"] == pytest.approx(-1.59 + 1.96 * 1.4159 / np.sqrt(11130))
    assert found.loc["cin", "std_error"] == pytest.approx(1.4159 / np.sqrt(11130))
    total = -(17696.7 + 186.0) / 11230
    assert found.loc["cwsw", "level_value"] == pytest.approx(total)
    assert found.loc["cwsw", "lower"] == pytest.approx(total - 1.96 * 1.4159 / np.sqrt(11230))
    assert found.loc["all", ["lower", "upper"]].isna().all()


def test_a_progress_score_of_a_year_without_known_spread_has_no_interval():
    panel = published_panel([(202627, "total", "cin", "ks4_progress8", 100, -150.0, 100, -1.5, "")])
    found = levels(panel, groups=["cin"]).iloc[0]
    assert found["level_value"] == -1.5
    assert np.isnan(found[["lower", "upper", "std_error"]].astype(float)).all()


def test_counts_rounded_to_ten_never_leave_the_published_rate():
    def at(pupils, numerator, rate):
        rows = [
            (202324, "total", "cin", "ks4_attainment8", pupils, numerator, pupils, rate, ""),
            (202223, "total", "cin", "ks4_attainment8", 1000, 17500.0, 1000, 17.5, ""),
        ]
        return levels(published_panel(rows), groups=["cin"]).iloc[-1]["level_value"]

    # 126 pupils with 2,142 points are published as 130 pupils with a mean of 17.0.
    assert at(130, 2142.0, 17.0) == pytest.approx(16.95)
    assert at(120, 2142.0, 17.0) == pytest.approx(17.05)
    assert at(126, 2142.0, 17.0) == 17.0
    assert at(126, 2146.0, 17.0) == 2146 / 126


@pytest.mark.parametrize(
    ("metric", "sums", "rate"),
    [("ks4_attainment8", (100.0, 8), 12.5), ("overall_absence", (191.0, 3347), 100 * 191 / 3347)],
)
@pytest.mark.parametrize("size", [0, np.nan])
def test_a_part_without_children_adds_nothing_to_a_sum(metric, sums, rate, size):
    panel = published_panel(
        [
            (202425, "total", "cin", metric, 8, *sums, round(rate, 1), ""),
            (202425, "total", "cpp", metric, 0, np.nan, size, np.nan, "z"),
        ]
    )
    found = levels(panel, groups=["cwsw", "cpp"]).set_index("group")
    assert found.loc["cwsw", ["pupils", "denominator", "status"]].tolist() == [8, sums[1], ""]
    assert found.loc["cwsw", "level_value"] == pytest.approx(rate)
    assert found.loc["cpp", "status"] == "z"
    assert np.isnan(found.loc["cpp", "level_value"])
