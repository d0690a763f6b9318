import numpy as np
import pandas as pd
import pytest

from vsh_eval import metrics
from vsh_eval.contracts import ContractError, DesignError
from vsh_eval.effects import (
    ESTIMATE_COLUMNS,
    NATIONAL_DUTY,
    authority_course,
    authority_estimates,
    authority_panel,
    donor_pools,
    fit_authority,
    with_suppressed_values,
)
from vsh_eval.release import protect, rule_named
from vsh_eval.returns.published import read_published

OWN, START = "a00", 202223
YEARS = (201819, 201920, 202021, 202122, 202223, 202324, 202425)
METRIC = "overall_absence"


def areas(count=45):
    units = [f"a{n:02d}" for n in range(count)]
    local = pd.DataFrame({"unit_id": units, "level": "la", "region_id": [u[-1] for u in units]})
    england = pd.DataFrame({"unit_id": ["E"], "level": ["national"], "region_id": [""]})
    return pd.concat([england, local], ignore_index=True)


def neighbours(count=45):
    return pd.DataFrame(
        [
            (f"a{n:02d}", f"a{(n + step) % count:02d}", step)
            for n in range(count)
            for step in range(1, 11)
        ],
        columns=["unit_id", "neighbour_id", "rank"],
    )


def gaps(effect=0.0, seed=1):
    rng = np.random.default_rng(seed)
    rows = []
    for unit in areas()["unit_id"].iloc[1:]:
        level, year_effect = rng.normal(10, 2), 0.0
        for year in YEARS:
            year_effect += 0.5
            value = level + year_effect + rng.normal(0, 0.4)
            value += effect * (unit == OWN and year >= START)
            hidden = year == 201920
            rows.append((unit, year, np.nan if hidden else value, "x" if hidden else ""))
    table = pd.DataFrame(rows, columns=["unit_id", "time_period", "gap", "status"])
    return table.assign(
        geographic_level="la",
        phase="total",
        metric=METRIC,
        group="cwsw",
        group_pupils=pd.array([800] * len(table), dtype="Int64"),
        comparable=table["time_period"].ne(201920),
    )


def asked(table, **changes):
    options = {"authority": OWN, "offer_start": START, "metrics": [METRIC]} | changes
    return authority_estimates(table, areas(), neighbours(), **options)


def simple(rows, **where):
    for column, value in {"aggregation": "simple", **where}.items():
        rows = rows[rows[column].eq(value)]
    return rows


def test_the_pools_are_who_they_say():
    near = donor_pools(areas(), neighbours(), donors="neighbours")
    assert near[OWN] == tuple(f"a{n:02d}" for n in range(1, 11))
    region = donor_pools(areas(), neighbours(), donors="region")
    assert region[OWN] == ("a10", "a20", "a30", "a40")
    everyone = donor_pools(areas(), neighbours(), donors="all")
    assert len(everyone[OWN]) == 44
    assert all(unit not in own for pool in (near, region, everyone) for unit, own in pool.items())
    lonely = donor_pools(areas(), neighbours().query("unit_id != @OWN"), donors="neighbours")
    assert lonely[OWN] == ()
    with pytest.raises(ContractError, match="donors is 'friends', must be one of all"):
        donor_pools(areas(), neighbours(), donors="friends")


def test_the_rows_keep_the_contract_and_pass_the_door_as_published():
    rows = asked(gaps(effect=-3.0))
    assert tuple(rows.columns[: len(ESTIMATE_COLUMNS)]) == ESTIMATE_COLUMNS
    assert simple(rows, role="primary")["estimator"].tolist() == ["synthetic_did"]
    assert simple(rows, role="primary")["comparison"].tolist() == ["neighbours"]
    assert len(simple(rows, role="robustness")) == 5
    assert set(rows["estimator"]) == {"synthetic_did", "synthetic_control"}
    assert set(rows["comparison"]) == {"neighbours", "region", "all"}
    assert rows["schools_treated"].isna().all()
    primary = simple(rows, role="primary").iloc[0]
    assert primary["estimate"] == pytest.approx(-3.0, abs=0.6)
    assert primary["p_value"] == pytest.approx(1 / 45)
    assert primary["placebos"] == 44
    assert primary["donors"] <= 10
    assert primary["leave_one_out_lower"] <= primary["leave_one_out_upper"]
    assert 0 < primary["mde"] < 3
    safe = protect(rows, rule_named("strict10"), kind="published")
    assert safe.frame["estimate"].tolist() == rows["estimate"].tolist()


def test_the_donors_of_the_params_carry_the_role_and_other_outcomes_are_secondary():
    both = pd.concat([gaps(), gaps(seed=2).assign(metric="severe_absence")])
    rows = asked(both, metrics=[METRIC, "severe_absence"], donors="all")
    assert simple(rows, role="primary")["comparison"].tolist() == ["all"]
    assert simple(rows, role="secondary")["metric"].tolist() == ["severe_absence"]


def test_ten_neighbours_can_reject_because_every_other_authority_is_a_placebo():
    found = fit_authority(
        authority_panel(gaps(effect=-3.0), metric=METRIC),
        donor_pools(areas(), neighbours(), donors="neighbours"),
        authority=OWN,
        offer_start=START,
    )
    assert len(found.placebos) == 44
    assert found.rows.loc[0, "status"] == ""
    assert set(found.weights["unit"]) <= {f"a{n:02d}" for n in range(1, 11)}


def test_a_suppressed_year_drops_the_donor_and_never_counts_as_nought():
    table = gaps()
    hidden = table["unit_id"].eq("a03") & table["time_period"].eq(202324)
    table.loc[hidden, ["gap", "status"]] = [np.nan, "c"]
    panel = authority_panel(table, metric=METRIC)
    pools = donor_pools(areas(), neighbours(), donors="neighbours")
    found = fit_authority(panel, pools, authority=OWN, offer_start=START)
    assert found.dropped["unit"].tolist() == ["a03"]
    assert "a03" not in set(found.weights["unit"]) | set(found.placebos["unit"])
    assert 201920 not in set(found.path["time"])


def test_what_cannot_be_compared_has_a_row_that_says_why():
    rows = asked(gaps(), offer_start=202021)
    assert rows["status"].eq("x").all()
    assert rows["estimate"].isna().all()
    assert rows["reason"].str.contains("of 6 years with data 1 lie before the start, 2020/21").all()
    protect(rows, rule_named("strict10"), kind="published")


def test_an_outcome_that_is_not_published_is_refused():
    with pytest.raises(ContractError, match="gaps have no row of ks2_rwm_expected for cwsw"):
        authority_panel(gaps(), metric="ks2_rwm_expected")


def test_an_authority_that_is_not_there_is_refused():
    with pytest.raises(DesignError, match="unit is 'b1' and has no row"):
        fit_authority(authority_panel(gaps(), metric=METRIC), {}, authority="b1", offer_start=START)


def test_the_course_is_the_fit_year_by_year():
    found = fit_authority(
        authority_panel(gaps(effect=-3.0), metric=METRIC),
        donor_pools(areas(), neighbours(), donors="neighbours"),
        authority=OWN,
        offer_start=START,
    )
    course = authority_course(found, metric=METRIC, comparison="neighbours")
    assert course["time_period"].tolist() == [year for year in YEARS if year != 201920]
    assert (course["outcome"] - course["synthetic"]).tolist() == pytest.approx(
        course["effect"].tolist()
    )
    events = found.rows[found.rows["aggregation"].eq("event")]
    beyond = course["effect"].abs() > course["placebo_upper"]
    assert beyond.tolist() == (events["p_value"] <= 0.05).tolist()
    assert (course["placebo_lower"] == -course["placebo_upper"]).all()


def test_what_is_compared_is_said():
    assert "September 2021" in NATIONAL_DUTY
    assert "not with no offer" in NATIONAL_DUTY


def test_the_published_files_give_the_illustration(shared_data):
    """Cheshire East with a pretended start in 2022/23: worked out once and kept."""
    release = read_published(shared_data)
    panel = release.panel[release.panel["metric"].eq(METRIC)]
    table = metrics.gaps(panel, group="cwsw", reference="all")
    found = fit_authority(
        authority_panel(table, metric=METRIC),
        donor_pools(release.areas, release.neighbours, donors="neighbours"),
        authority="E06000049",
        offer_start=START,
    )
    row = found.rows.iloc[0]
    assert row["estimate"] == pytest.approx(-3.08, abs=0.005)
    assert (row["ci_lower"], row["ci_upper"]) == pytest.approx((-6.21, 0.06), abs=0.005)
    assert row["p_value"] == pytest.approx(4 / 60)
    assert found.mde == pytest.approx(4.38, abs=0.05)
    assert found.period_weights["time"].tolist() == [201819, 202021, 202122]


# --- Suppressed numbers


def counts(table):
    """The panel behind invented gaps: two groups of 400 whose shares make the gap over 5 %."""
    rows = []
    for row in table.itertuples():
        for group in ("cin", "cpp"):
            shown = not np.isnan(row.gap)
            count = 4 * (row.gap + 5) if shown else np.nan
            rows.append((row.unit_id, row.time_period, group, count, "" if shown else row.status))
    frame = pd.DataFrame(rows, columns=["unit_id", "time_period", "group", "numerator", "status"])
    return frame.assign(
        level="la", phase="total", metric=SHARE, denominator=400.0,
        pupils=pd.array([400] * len(frame), dtype="Int64"),
    )  # fmt: skip


SHARE = "persistent_absence"


def bounded(table, panel):
    return with_suppressed_values(table, panel, areas())


def suppressed(effect=0.0, *, unit="a03", year=202324):
    table = gaps(effect=effect).assign(metric=SHARE, reference_level=5.0)
    panel = counts(table)
    cell = panel["unit_id"].eq(unit) & panel["time_period"].eq(year)
    hidden = cell & panel["group"].eq("cpp")
    panel.loc[hidden, ["numerator", "status"]] = [np.nan, "c"]
    gone = table["unit_id"].eq(unit) & table["time_period"].eq(year)
    table.loc[gone, ["gap", "status"]] = [np.nan, "c"]
    return table, panel


def test_a_suppressed_donor_is_kept_at_every_value_it_could_have():
    table, panel = suppressed(effect=-3.0)
    rows = simple(asked(bounded(table, panel), metrics=[SHARE]))
    ends = rows[rows["suppressed"].notna()].set_index("comparison")
    assert list(ends.index) == [
        f"{pool}_{end}" for pool in ("neighbours", "all") for end in ("lowest", "highest")
    ], "a03 is not of the region"
    assert (ends["role"] == "robustness").all()
    assert (ends["suppressed"] == 1).all()
    assert (ends["left_out"] == 0).all()
    primary = simple(rows, role="primary").iloc[0]
    assert primary["left_out"] == 1
    assert (rows["own_suppressed"] == 0).all()
    both = ends.loc[["neighbours_lowest", "neighbours_highest"], "estimate"]
    assert both.iloc[0] < both.iloc[1]
    without = simple(asked(table, metrics=[SHARE]))
    assert without["suppressed"].isna().all()
    assert len(without) == 6
    protect(rows, rule_named("strict10"), kind="published")


def test_the_range_is_that_of_every_whole_number_tried():
    table, panel = suppressed()
    rows = simple(asked(bounded(table, panel), metrics=[SHARE])).set_index("comparison")
    known = panel["unit_id"].eq("a03") & panel["time_period"].eq(202324) & panel["group"].eq("cin")
    tried = []
    for count in range(1, 6):
        value = 100 * (panel.loc[known, "numerator"].iloc[0] + count) / 800 - 5
        cell = table["unit_id"].eq("a03") & table["time_period"].eq(202324)
        whole = table.assign(gap=table["gap"].mask(cell, value))
        found = fit_authority(
            authority_panel(whole, metric=SHARE),
            donor_pools(areas(), neighbours(), donors="neighbours"),
            authority=OWN,
            offer_start=START,
        )
        tried.append(found.rows.loc[0, "estimate"])
    assert rows.loc["neighbours_lowest", "estimate"] == pytest.approx(min(tried))
    assert rows.loc["neighbours_highest", "estimate"] == pytest.approx(max(tried))


def test_an_authority_with_a_suppressed_number_is_estimated_without_that_year_and_with_it():
    table, panel = suppressed(unit=OWN)
    rows = simple(asked(bounded(table, panel), metrics=[SHARE]))
    assert (rows["own_suppressed"] == 1).all()
    assert len(rows) == 6 + 6, "every pool has a range"
    primary = simple(rows, role="primary").iloc[0]
    short = table[table["time_period"].ne(202324)]
    same = simple(asked(short, metrics=[SHARE]), role="primary").iloc[0]
    assert primary["estimate"] == pytest.approx(same["estimate"])
    ends = rows.set_index("comparison")["estimate"]
    own = (4 - 0) / 8 / 3  # Four children more of 800, in one of three years.
    assert ends["all_highest"] - ends["all_lowest"] == pytest.approx(own)


def test_an_authority_hidden_throughout_still_says_why():
    table, panel = suppressed(unit=OWN)
    gone = table["unit_id"].eq(OWN)
    table.loc[gone, ["gap", "status"]] = [np.nan, "c"]
    panel.loc[panel["unit_id"].eq(OWN), ["numerator", "denominator", "status"]] = [
        np.nan, np.nan, "c",
    ]  # fmt: skip
    rows = simple(asked(bounded(table, panel), metrics=[SHARE]))
    assert rows["status"].eq("x").all()
    assert rows["own_suppressed"].eq(6).all()
    assert len(rows) == 6
