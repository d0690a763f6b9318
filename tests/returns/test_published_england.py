"""DfE's own files, read through the room, against what DfE publishes."""

import pandas as pd
import pytest

from vsh_eval import names, registry
from vsh_eval.returns.published import Published, combined, read_published

ENGLAND = "E92000001"
YEARS = (201819, 202021, 202122, 202223, 202324, 202425)
ABSENCE = (
    "overall_absence",
    "authorised_absence",
    "unauthorised_absence",
    "persistent_absence",
    "severe_absence",
)


@pytest.fixture(scope="module")
def latest(shared_data) -> Published:
    return read_published(shared_data)


@pytest.fixture(scope="module")
def earlier(shared_data) -> Published:
    return read_published(shared_data, vintage="2022/23 release")


@pytest.fixture(scope="module")
def cwsw(latest) -> pd.DataFrame:
    return combined(latest.panel)


def cell(panel, *, metric, year, group, phase="total", unit=ENGLAND):
    found = panel.loc[
        panel["metric"].eq(metric)
        & panel["time_period"].eq(year)
        & panel["group"].eq(group)
        & panel["phase"].eq(phase)
        & panel["unit_id"].eq(unit)
    ]
    assert len(found) == 1
    return found.iloc[0]


def level(row):
    return registry.metric(row["metric"]).scale * row["numerator"] / row["denominator"]


# pupils, then overall, authorised, unauthorised, persistent and severe absence, as printed.
PUBLISHED_ABSENCE = [
    (201819, "cin", 129_150, 11.5, 6.6, 4.9, 33.3, 5.1),
    (202021, "cin", 118_190, 13.6, 9.3, 4.3, 41.6, 5.6),
    (202122, "cin", 127_570, 16.2, 9.4, 6.9, 48.1, 8.4),
    (202223, "cin", 126_190, 17.4, 9.3, 8.1, 48.5, 10.2),
    (202324, "cin", 118_960, 17.7, 9.2, 8.5, 47.8, 11.2),
    (202425, "cin", 120_250, 17.4, 9.2, 8.2, 46.0, 11.3),
    (201819, "cpp", 27_330, 13.9, 6.4, 7.5, 39.3, 7.3),
    (202021, "cpp", 26_290, 17.4, 10.6, 6.8, 52.6, 8.2),
    (202122, "cpp", 27_410, 19.4, 9.0, 10.3, 56.1, 11.2),
    (202223, "cpp", 28_280, 21.5, 9.0, 12.5, 57.5, 14.6),
    (202324, "cpp", 26_850, 22.2, 8.8, 13.4, 57.1, 15.5),
    (202425, "cpp", 26_840, 21.8, 8.9, 12.8, 55.4, 15.4),
    (201819, "cla", 33_380, 5.1, 3.5, 1.7, 12.1, 2.3),
    (202021, "cla", 35_480, 9.1, 7.7, 1.5, 30.3, 3.0),
    (202122, "cla", 35_240, 7.8, 5.5, 2.3, 19.1, 3.9),
    (202223, "cla", 35_090, 8.3, 5.3, 3.0, 20.0, 4.9),
    (202324, "cla", 34_660, 8.8, 5.4, 3.4, 20.8, 5.7),
    (202425, "cla", 33_930, 9.0, 5.5, 3.5, 20.3, 6.4),
]


@pytest.mark.parametrize("row", PUBLISHED_ABSENCE, ids=lambda row: f"{row[1]} {row[0]}")
def test_absence_of_england_by_group_is_the_published_table(latest, row):
    year, group, pupils, *rates = row
    for metric, printed in zip(ABSENCE, rates, strict=True):
        found = cell(latest.panel, metric=metric, year=year, group=group)
        assert found["pupils"] == pupils
        assert found["rate"] == printed
        # Counts are rounded to 10, so they meet the printed decimal to its rounding.
        assert level(found) == pytest.approx(printed, abs=0.0501 + 500 / pupils)


ALL_PUPILS = [
    (201617, 4.65, 3.39, 1.26, 10.79, 0.70),
    (201718, 4.81, 3.45, 1.36, 11.17, 0.77),
    (201819, 4.73, 3.31, 1.41, 10.86, 0.85),
    (202021, 4.62, 3.36, 1.25, 12.08, 1.13),
    (202122, 7.55, 5.49, 2.06, 22.51, 1.65),
    (202223, 7.37, 4.95, 2.42, 21.22, 2.03),
    (202324, 7.15, 4.68, 2.47, 19.95, 2.30),
    (202425, 6.78, 4.48, 2.30, 18.14, 2.39),
]


@pytest.mark.parametrize("row", ALL_PUPILS, ids=lambda row: str(row[0]))
def test_all_pupils_are_the_published_comparators(latest, row):
    year, *printed = row
    for metric, rate in zip(ABSENCE, printed, strict=True):
        found = cell(latest.panel, metric=metric, year=year, group="all")
        assert found["rate"] == rate
        assert found[list(names.PANEL_SUMS)].isna().all()
        assert found["status"] == ""


@pytest.mark.parametrize(
    ("phase", "metric", "printed"),
    [
        ("primary", "overall_absence", (4.03, 6.26, 5.90, 5.53, 5.20)),
        ("primary", "persistent_absence", (8.25, 17.70, 16.21, 14.56, 12.99)),
        ("primary", "severe_absence", (0.39, 0.64, 0.75, 0.85, 0.93)),
        ("secondary", "overall_absence", (5.49, 8.99, 9.01, 8.89, 8.44)),
        ("secondary", "persistent_absence", (13.69, 27.71, 26.52, 25.56, 23.37)),
        ("secondary", "severe_absence", (1.32, 2.74, 3.40, 3.81, 3.88)),
    ],
)
def test_all_pupils_by_phase(latest, phase, metric, printed):
    years = (201819, 202122, 202223, 202324, 202425)
    found = [
        cell(latest.panel, metric=metric, year=year, group="all", phase=phase)["rate"]
        for year in years
    ]
    assert found == list(printed)


@pytest.mark.parametrize(
    ("group", "phase", "printed"),
    [
        (
            "cin",
            "primary",
            ("7.4/22.8/1.1", "10.6/37.1/1.9", "10.9/36.7/2.5", "11.0/36.0/2.9", "10.9/34.3/3.3"),
        ),
        (
            "cin",
            "alternative_provision",
            (
                "43.6/87.7/41.5",
                "45.2/87.8/44.0",
                "50.3/92.1/51.7",
                "52.2/91.7/54.3",
                "52.5/92.3/54.5",
            ),
        ),
        (
            "cin",
            "special",
            ("11.5/31.9/5.0", "14.7/42.3/6.9", "14.7/40.7/7.3", "14.6/39.1/7.8", "14.2/37.5/7.5"),
        ),
        (
            "cpp",
            "secondary",
            (
                "19.8/52.9/13.1",
                "27.6/69.0/20.6",
                "31.5/72.5/26.3",
                "32.9/72.4/28.0",
                "32.2/69.8/27.8",
            ),
        ),
    ],
)
def test_absence_by_phase_is_the_published_table(latest, group, phase, printed):
    metrics = ("overall_absence", "persistent_absence", "severe_absence")
    years = (201819, 202122, 202223, 202324, 202425)
    found = [
        "/".join(
            f"{cell(latest.panel, metric=m, year=year, group=group, phase=phase)['rate']:.1f}"
            for m in metrics
        )
        for year in years
    ]
    assert found == list(printed)


X = None
"""A number that is not available."""
KS4_YEARS = (201819, 201920, 202021, 202122, 202223, 202324, 202425)
EXAMINED = (201819, 202122, 202223, 202324, 202425)
KEY_STAGE_4 = [
    ("cin", "ks4_attainment8", (19.3, 21.5, 22.9, 20.8, 18.5, 17.9, 17.3)),
    ("cin", "ks4_basics_95", (10.0, 12.0, 14.4, 13.2, 10.2, 10.1, 9.7)),
    ("cin", "ks4_basics_94", (20.3, 24.0, 27.5, 23.6, 19.3, 19.0, 18.1)),
    ("cin", "ks4_progress8", (-1.49, X, X, -1.62, -1.58, -1.59, X)),
    ("cpp", "ks4_attainment8", (19.1, 20.5, 17.8, 17.1, 16.9)),
    ("cpp", "ks4_basics_95", (9.1, 12.0, 8.0, 9.0, 8.5)),
    ("cpp", "ks4_basics_94", (18.2, 21.8, 16.8, 17.3, 16.6)),
    ("cpp", "ks4_progress8", (-1.71, -1.82, -1.79, -1.86, X)),
    ("cla", "ks4_attainment8", (19.0, 21.3, 23.2, 20.3, 19.3, 18.2, 17.3)),
    ("cla", "ks4_basics_95", (7.2, 10.8, 12.6, 11.0, 9.4, 8.9, 7.9)),
    ("cla", "ks4_basics_94", (17.7, 24.3, 28.8, 22.1, 19.8, 18.0, 17.4)),
    ("cla", "ks4_progress8", (-1.27, X, X, -1.29, -1.26, -1.31, X)),
    ("all", "ks4_attainment8", (46.7, 50.2, 50.9, 48.8, 46.3, 45.9, 46.0)),
    ("all", "ks4_basics_95", (43.2, 49.9, 51.9, 49.8, 45.3, 45.9, 45.4)),
    ("all", "ks4_basics_94", (64.6, 71.2, 72.2, 68.8, 65.1, 65.0, 64.8)),
]


@pytest.mark.parametrize("row", KEY_STAGE_4, ids=lambda row: f"{row[1]} {row[0]}")
def test_key_stage_4_of_england_is_the_published_table(latest, row):
    group, metric, printed = row
    # Of children on a child protection plan the table has the examined years only.
    years = EXAMINED if group == "cpp" else KS4_YEARS
    for year, rate in zip(years, printed, strict=True):
        found = cell(latest.panel, metric=metric, year=year, group=group)
        assert (None if pd.isna(found["rate"]) else found["rate"]) == rate
        assert found["status"] == ("x" if rate is None else "")


def test_pupils_at_the_end_of_key_stage_4_and_those_with_progress(latest):
    def pupils(group, metric):
        return [
            cell(latest.panel, metric=metric, year=year, group=group)["pupils"]
            for year in (201819, 202122, 202223, 202324)
        ]

    assert pupils("cin", "ks4_attainment8") == [12_280, 13_300, 13_560, 12_980]
    assert pupils("cpp", "ks4_attainment8") == [1_830, 2_070, 2_260, 2_130]
    assert pupils("cin", "ks4_progress8") == [10_900, 11_610, 11_740, 11_130]
    looked_after = [
        cell(latest.panel, metric="ks4_attainment8", year=year, group="cla")["pupils"]
        for year in (201819, 202425)
    ]
    assert looked_after == [5_510, 6_120]


def test_all_pupils_have_their_progress_8(latest):
    rates = [
        cell(latest.panel, metric="ks4_progress8", year=year, group="all")["rate"]
        for year in (201819, 202122, 202223, 202324)
    ]
    assert rates == [-0.03] * 4


PROGRESS = {
    201819: (-1.53, -1.79, -1.90),
    202122: (-2.03, -1.99, -2.44),
    202223: (-2.39, -2.43, -2.78),
}


@pytest.mark.parametrize("year", [*PROGRESS, 202324, 202425])
def test_progress_of_children_in_need_at_key_stage_2(latest, year):
    for place, subject in enumerate(("reading", "writing", "maths")):
        metric = f"ks2_{subject}_progress"
        found = cell(latest.panel, metric=metric, year=year, group="cin")
        if year in PROGRESS:
            assert found["rate"] == PROGRESS[year][place]
        else:
            assert found["status"] == "x"


SOCIAL_CARE_RATES = [
    ("eyfsp_gld", "cin", (202122, 202223, 202324, 202425), (36.7, 38.4, 38.3, 39.6)),
    ("eyfsp_gld", "cpp", (202122, 202223, 202324, 202425), (33.4, 35.8, 35.1, 33.6)),
    ("eyfsp_gld", "all", (201819, 202122, 202223, 202324, 202425), (71.8, 65.2, 67.2, 67.7, 68.3)),
    ("phonics_expected", "all", (201819, 202122, 202223, 202324, 202425), (82, 75, 79, 80, 80)),
    (
        "pupils_suspended",
        "cin",
        (201819, 201920, 202021, 202122, 202223, 202324),
        (10.22, 8.87, 8.64, 11.80, 13.55, 14.24),
    ),
    (
        "pupils_suspended",
        "cla",
        (201819, 201920, 202021, 202122, 202223, 202324),
        (11.30, 9.34, 9.74, 12.17, 13.70, 14.55),
    ),
    (
        "pupils_suspended",
        "all",
        (201516, 201617, 201718, 201819, 201920, 202021, 202122, 202223, 202324),
        (2.11, 2.29, 2.33, 2.44, 1.87, 2.20, 3.02, 3.61, 4.04),
    ),
    (
        "permanent_exclusion",
        "cin",
        (201819, 201920, 202021, 202122, 202223, 202324),
        (0.74, 0.49, 0.38, 0.70, 0.91, 1.03),
    ),
]


@pytest.mark.parametrize("row", SOCIAL_CARE_RATES, ids=lambda row: f"{row[0]} {row[1]}")
def test_rates_without_counts_are_the_published_table(latest, row):
    metric, group, years, printed = row
    found = [cell(latest.panel, metric=metric, year=year, group=group) for year in years]
    assert [round(one["rate"], 2) for one in found] == list(printed)
    assert all(one[list(names.PANEL_SUMS)].isna().all() for one in found)


def test_permanent_exclusions_of_all_pupils_to_three_decimals(latest):
    years = (201516, 201617, 201718, 201819, 201920, 202021, 202122, 202223, 202324)
    rates = [
        cell(latest.panel, metric="permanent_exclusion", year=year, group="all")["rate"]
        for year in years
    ]
    printed = [0.084, 0.096, 0.098, 0.097, 0.061, 0.047, 0.078, 0.111, 0.129]
    assert [round(rate, 3) for rate in rates] == printed


def test_no_group_is_given_years_of_an_earlier_release(latest):
    counted = latest.panel.loc[latest.panel["group"].ne("all")]
    assert counted["time_period"].min() == 201819
    assert latest.panel["time_period"].min() < 201819


@pytest.mark.parametrize(
    ("group", "rates", "pupils"),
    [
        ("cin", (35, 28, 29, 30, 30), (12_060, 11_330, 11_060, 10_270, 10_480)),
        ("cpp", (35, 28, 29, 31, 32), (2_520, 2_570, 2_590, 2_410, 2_390)),
        ("cla", (37, 31, 37, 34, 35), None),
        ("all", (65, 59, 60, 61, 63), None),
    ],
)
def test_key_stage_2_of_england(latest, group, rates, pupils):
    years = (201819, 202122, 202223, 202324, 202425)
    rows = [cell(latest.panel, metric="ks2_rwm_expected", year=year, group=group) for year in years]
    assert [row["rate"] for row in rows] == list(rates)
    if pupils:
        assert [row["pupils"] for row in rows] == list(pupils)


# Pupils, overall, persistent, severe, the three gaps to all pupils, ratio of persistent absence.
CWSW = [
    (201819, 156_480, 11.87, 34.36, 5.50, 7.14, 23.50, 4.65, 3.16),
    (202021, 144_480, 14.31, 43.63, 6.09, 9.69, 31.55, 4.96, 3.61),
    (202122, 154_980, 16.79, 49.55, 8.89, 9.24, 27.04, 7.24, 2.20),
    (202223, 154_470, 18.14, 50.14, 11.02, 10.77, 28.92, 8.99, 2.36),
    (202324, 145_810, 18.55, 49.52, 12.00, 11.40, 29.57, 9.70, 2.48),
    (202425, 147_090, 18.21, 47.69, 12.05, 11.43, 29.55, 9.66, 2.63),
]


@pytest.mark.parametrize("row", CWSW, ids=lambda row: str(row[0]))
def test_children_with_a_social_worker_in_england(latest, cwsw, row):
    year, pupils, *levels_and_gaps, ratio = row
    metrics = ("overall_absence", "persistent_absence", "severe_absence")
    for metric, printed, gap in zip(metrics, levels_and_gaps[:3], levels_and_gaps[3:], strict=True):
        own = cell(cwsw, metric=metric, year=year, group="cwsw")
        everyone = cell(latest.panel, metric=metric, year=year, group="all")["rate"]
        assert own["pupils"] == pupils
        assert own["rate"] == level(own)
        assert level(own) == pytest.approx(printed, abs=0.0051)
        assert level(own) - everyone == pytest.approx(gap, abs=0.0051)
        if metric == "persistent_absence":
            assert level(own) / everyone == pytest.approx(ratio, abs=0.0051)


@pytest.mark.parametrize(
    ("phase", "year", "printed"),
    [
        ("primary", 201819, (7.58, 23.86, 1.10)),
        ("primary", 202223, (11.37, 38.42, 2.71)),
        ("primary", 202425, (11.36, 36.26, 3.44)),
        ("secondary", 201819, (16.26, 46.03, 9.30)),
        ("secondary", 202223, (26.40, 65.00, 19.86)),
        ("secondary", 202425, (26.72, 62.66, 21.51)),
    ],
)
def test_children_with_a_social_worker_by_phase(cwsw, phase, year, printed):
    for metric, rate in zip(
        ("overall_absence", "persistent_absence", "severe_absence"), printed, strict=True
    ):
        found = cell(cwsw, metric=metric, year=year, group="cwsw", phase=phase)
        assert level(found) == pytest.approx(rate, abs=0.0051)


def test_attainment_8_is_points_over_pupils_in_every_authority(latest):
    rows = latest.panel.query(
        "metric == 'ks4_attainment8' and level == 'la' and group != 'all' and status == ''"
    )
    assert len(rows) > 2_900
    error = (rows["numerator"] / rows["denominator"].astype(float) - rows["rate"]).abs()
    assert error.max() <= 0.0501


def test_every_published_rate_follows_from_its_counts(latest):
    rows = latest.panel.query("level == 'la' and group != 'all' and status == ''")
    rows = rows[rows["denominator"].notna()]
    scale = rows["metric"].map({name: m.scale for name, m in registry.METRICS.items()})
    error = (scale * rows["numerator"] / rows["denominator"].astype(float) - rows["rate"]).abs()
    whole = {name for name in registry.METRICS if name.startswith("ks2") and "expected" in name}
    progress = {name for name, metric in registry.METRICS.items() if metric.lowest < 0}
    rounding = rows["metric"].map(
        lambda name: 0.5 if name in whole else 0.005 if name in progress else 0.05
    )
    assert set(rows["metric"]) >= whole | progress
    assert (error <= rounding + 1e-6).all()


def test_an_earlier_release_reads_to_the_same_layout_with_its_own_values(latest, earlier):
    assert earlier.vintage == "2022/23 release"
    assert earlier.panel.columns.tolist() == latest.panel.columns.tolist()
    assert earlier.panel.dtypes.astype(str).to_dict() == latest.panel.dtypes.astype(str).to_dict()
    assert set(earlier.panel["phase"]) == set(latest.panel["phase"])
    assert set(earlier.panel["vintage"]) == {"2022/23 release"}
    rates = {
        group: [
            cell(one.panel, metric="persistent_absence", year=202021, group=group)["rate"]
            for one in (earlier, latest)
        ]
        for group in ("cin", "cpp", "cla")
    }
    assert rates == {"cin": [47.2, 41.6], "cpp": [57.2, 52.6], "cla": [32.1, 30.3]}
    used = earlier.files.query("used")
    assert used["role"].tolist() == ["absence", "neighbours"]
    assert not earlier.panel["group"].eq("all").any()


def test_what_is_not_shown_has_a_symbol_and_no_number(latest):
    rates = ["eyfsp_gld", "pupils_suspended", "permanent_exclusion"]
    published = latest.panel.loc[latest.panel["group"].ne("all")]
    of_rates = published.loc[published["metric"].isin(rates)]
    assert of_rates["rate"].notna().eq(of_rates["status"].eq("")).all()
    counted = published.loc[~published["metric"].isin(rates)]
    numbers = counted[["pupils", "numerator", "denominator", "rate"]]
    assert numbers.loc[counted["status"].eq("")].notna().all(axis=None)
    assert counted.loc[numbers.isna().any(axis=1), "status"].ne("").all()
    # A suppressed cell has no symbol-less twin: c rows always miss at least one number.
    assert numbers.loc[counted["status"].eq("c")].isna().any(axis=1).all()
    unknown = numbers.loc[counted["status"].eq("x")]
    assert unknown[["numerator", "rate"]].isna().all(axis=None)
    empty = counted.loc[counted["status"].eq("z")]
    assert empty["pupils"].eq(0).all()
    assert empty["rate"].isna().all()
    assert set(latest.panel["status"]) == {"", "c", "x", "z", "low"}


def test_there_is_no_absence_in_2019_20(latest):
    rows = latest.panel.loc[
        latest.panel["time_period"].eq(201920) & latest.panel["metric"].isin(ABSENCE)
    ]
    assert set(rows["status"]) == {"x"}
    assert set(rows["group"]) == {"cin", "cpp", "cla", "all"}


def test_regions_count_london_once(latest, shared_data):
    regions = latest.panel.query(
        "level == 'region' and group == 'cin' and metric == 'persistent_absence' "
        "and phase == 'total' and time_period == 202425"
    )
    assert len(regions) == 9
    assert "E12000007" in set(regions["unit_id"])
    england = cell(latest.panel, metric="persistent_absence", year=202425, group="cin")
    assert regions["numerator"].sum() == pytest.approx(england["numerator"], abs=50)
    parts = read_published(shared_data / "ees_cino", london_parts=True).panel
    assert parts.loc[parts["level"].eq("region"), "unit_id"].nunique() == 11


def test_areas_keep_the_codes_of_reorganised_authorities(latest):
    areas = latest.areas.set_index("unit_id")
    assert areas.index.is_unique
    assert areas["level"].value_counts().to_dict() == {"la": 158, "region": 11, "national": 1}
    assert areas.loc["E06000049"].tolist() == [
        "Cheshire East",
        "895",
        "la",
        "E12000002",
        "North West",
    ]
    assert {"E10000006", "E06000063", "E06000064"} <= set(areas.index)
    hackney = areas.loc["E09000012"]
    assert (hackney["region_id"], hackney["region_name"]) == ("E12000007", "London")


def test_every_authority_has_its_comparator(latest):
    rows = latest.panel.query("metric == 'overall_absence' and phase == 'total'")
    authorities = rows.loc[rows["level"].eq("la")]
    counted = set(authorities.loc[authorities["group"].eq("cin"), "unit_id"])
    assert set(authorities.loc[authorities["group"].eq("all"), "unit_id"]) == counted
    east = cell(rows, metric="overall_absence", year=202425, group="all", unit="E06000049")
    assert east["rate"] == 6.14


def test_neighbours_of_cheshire_east(latest):
    near = latest.neighbours.query("unit_id == 'E06000049'")
    named = near["neighbour_id"].map(latest.areas.set_index("unit_id")["name"])
    assert near["rank"].tolist() == list(range(1, 11))
    assert set(near["closeness"]) == {"Very close"}
    assert named.tolist() == [
        "Gloucestershire",
        "Warwickshire",
        "North Yorkshire",
        "Warrington",
        "Wiltshire",
        "Hampshire",
        "Cheshire West and Chester",
        "Oxfordshire",
        "Worcestershire",
        "Leicestershire",
    ]
    assert len(latest.neighbours) == 1530


def test_sums_of_authorities_keep_their_suppression(latest, cwsw):
    keys = ["unit_id", "time_period", "phase", "metric"]
    parts = latest.panel.loc[latest.panel["group"].isin(["cin", "cpp"])]
    hidden = parts.loc[parts["status"].eq("c"), keys].drop_duplicates()
    sums = cwsw.merge(hidden, on=keys)
    assert len(sums) == len(hidden) > 0
    assert set(sums["status"]) == {"c"}
    assert sums["rate"].isna().all()
    assert not cwsw.duplicated(keys).any()
    assert len(cwsw) == len(parts.drop_duplicates(keys))
