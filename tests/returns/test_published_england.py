"""DfE's own files, read through the room, against what DfE publishes."""

import pytest

from vsh_eval import registry
from vsh_eval.contracts import ContractError
from vsh_eval.returns.published import Published

ENGLAND = "E92000001"


@pytest.fixture(scope="module")
def latest(published) -> Published:
    return published


@pytest.fixture(scope="module")
def earlier(published_before) -> Published:
    return published_before


def rows(panel, *, metric, year, group, phase="total", unit=ENGLAND):
    return panel.loc[
        panel["metric"].eq(metric)
        & panel["time_period"].eq(year)
        & panel["group"].eq(group)
        & panel["phase"].eq(phase)
        & panel["unit_id"].eq(unit)
    ]


def cell(panel, **where):
    found = rows(panel, **where)
    assert len(found) == 1
    return found.iloc[0]


def test_no_group_is_given_years_of_an_earlier_release(latest):
    counted = latest.panel.loc[latest.panel["group"].ne("all")]
    assert counted["time_period"].min() == 201819
    assert latest.panel["time_period"].min() < 201819


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


def test_regions_count_london_once(latest):
    regions = latest.panel.query(
        "level == 'region' and group == 'cin' and metric == 'persistent_absence' "
        "and phase == 'total' and time_period == 202425"
    )
    assert len(regions) == 9
    assert "E12000007" in set(regions["unit_id"])
    england = cell(latest.panel, metric="persistent_absence", year=202425, group="cin")
    assert regions["numerator"].sum() == pytest.approx(england["numerator"], abs=50)


def test_areas_keep_the_codes_of_reorganised_authorities(latest):
    areas = latest.areas.set_index("unit_id")
    assert areas.index.is_unique
    assert areas["level"].value_counts().to_dict() == {"la": 158, "region": 11, "national": 1}
    own = ["Cheshire East", "895", "la", "E12000002", "North West"]
    assert areas.loc["E06000049"].tolist() == own
    assert {"E10000006", "E06000063", "E06000064"} <= set(areas.index)
    hackney = areas.loc["E09000012"]
    assert (hackney["region_id"], hackney["region_name"]) == ("E12000007", "London")


@pytest.mark.parametrize(
    ("code", "first", "last"),
    [
        ("E06000063", 202324, 202425),  # Cumberland
        ("E06000064", 202324, 202425),  # Westmorland and Furness
        ("E10000006", 201819, 202223),  # Cumbria
        ("E06000061", 202122, 202425),  # North Northamptonshire
        ("E06000049", 201819, 202425),
    ],
)
def test_figures_of_a_reorganised_authority_begin_with_it(latest, code, first, last):
    years = latest.years_of(code)
    assert (years[0], years[-1]) == (first, last)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("940", "'940', must be an area of the published files: write E06000061 for North Nor"),
        ("E10000027", "'E10000027', must be an area of the published files: write E06000066 for"),
        ("E06999999", "'E06999999', must be an area of the published files, by its nine"),
        ("", "must be an area"),
    ],
)
def test_a_code_that_is_no_area_is_refused_with_the_one_that_is(latest, code, said):
    with pytest.raises(ContractError, match=said):
        latest.years_of(code)


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
    assert ", ".join(named) == (
        "Gloucestershire, Warwickshire, North Yorkshire, Warrington, Wiltshire, Hampshire, "
        "Cheshire West and Chester, Oxfordshire, Worcestershire, Leicestershire"
    )
    assert len(latest.neighbours) == 1530
