import numpy as np
import pandas as pd
import pytest

from vsh_eval import metrics
from vsh_eval.contracts import ContractError, DesignError, Message
from vsh_eval.effects.published import (
    authority_estimates,
    authority_panel,
    authority_trajectory,
    donor_pools,
    fit_synthetic,
)
from vsh_eval.effects.rows import ESTIMATE_COLUMNS
from vsh_eval.panel import Comparison
from vsh_eval.release.text.findings.reasons import sentence

OWN, START, AREAS = "a00", 202223, 31
YEARS = (201819, 201920, 202021, 202122, 202223, 202324, 202425)
METRIC = "overall_absence"


def areas(count=AREAS):
    units = [f"a{n:02d}" for n in range(count)]
    local = pd.DataFrame({"unit_id": units, "level": "la", "region_id": [u[-1] for u in units]})
    england = pd.DataFrame({"unit_id": ["E"], "level": ["national"], "region_id": [""]})
    return pd.concat([england, local], ignore_index=True)


def neighbours(count=AREAS):
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
    assert region[OWN] == ("a10", "a20", "a30")
    everyone = donor_pools(areas(), neighbours(), donors="all")
    assert len(everyone[OWN]) == AREAS - 1
    assert all(unit not in own for pool in (near, region, everyone) for unit, own in pool.items())
    lonely = donor_pools(areas(), neighbours().query("unit_id != @OWN"), donors="neighbours")
    assert lonely[OWN] == ()
    with pytest.raises(ContractError, match="donors is 'friends', must be one of all"):
        donor_pools(areas(), neighbours(), donors="friends")


def test_the_rows_keep_the_contract_of_estimates():
    rows = asked(gaps(effect=-3.0))
    assert tuple(rows.columns[: len(ESTIMATE_COLUMNS)]) == ESTIMATE_COLUMNS
    assert simple(rows, role="primary")["estimator"].tolist() == ["synthetic_did"]
    assert simple(rows, role="primary")["comparison"].tolist() == ["neighbours"]
    assert len(simple(rows, role="robustness")) == 2
    assert set(rows["estimator"]) == {"synthetic_did"}
    assert set(rows["comparison"]) == {"neighbours", "region", "all"}
    assert rows["schools_treated"].isna().all()
    primary = simple(rows, role="primary").iloc[0]
    assert primary["estimate"] == pytest.approx(-3.0, abs=0.6)
    assert primary["p_value"] == pytest.approx(1 / AREAS)
    assert primary["placebos"] == AREAS - 1
    assert primary["donors"] <= 10
    assert primary["leave_one_out_lower"] <= primary["leave_one_out_upper"]
    assert 0 < primary["mde"] < 3


def test_the_donors_of_the_params_carry_the_role_and_other_outcomes_are_secondary():
    both = pd.concat([gaps(), gaps(seed=2).assign(metric="severe_absence")])
    rows = asked(both, metrics=[METRIC, "severe_absence"], donors="all")
    assert simple(rows, role="primary")["comparison"].tolist() == ["all"]
    assert simple(rows, role="secondary")["metric"].tolist() == ["severe_absence"]


@pytest.fixture(scope="module")
def found():
    return fit_synthetic(
        authority_panel(gaps(effect=-3.0), metric=METRIC),
        donor_pools(areas(), neighbours(), donors="neighbours"),
        unit=OWN,
        start=START,
    )


def test_ten_neighbours_can_reject_because_every_other_authority_is_a_placebo(found):
    assert len(found.placebos) == AREAS - 1
    assert found.rows.loc[0, "status"] == ""
    assert set(found.weights["unit"]) <= {f"a{n:02d}" for n in range(1, 11)}


def test_a_suppressed_year_drops_the_donor_and_never_counts_as_nought():
    table = gaps()
    hidden = table["unit_id"].eq("a03") & table["time_period"].eq(202324)
    table.loc[hidden, ["gap", "status"]] = [np.nan, "c"]
    panel = authority_panel(table, metric=METRIC)
    pools = donor_pools(areas(), neighbours(), donors="neighbours")
    found = fit_synthetic(panel, pools, unit=OWN, start=START)
    assert found.dropped == ("a03",)
    assert "a03" not in set(found.weights["unit"]) | set(found.placebos["unit"])
    assert 201920 not in set(found.path["time"])


def test_what_cannot_be_compared_has_a_row_that_says_why():
    rows = asked(gaps(), offer_start=202021)
    assert rows["status"].eq("x").all()
    assert rows["estimate"].isna().all()
    expected = Message("too_few_years_before_start", years=6, before=1, start=202021, least=2)
    assert set(rows["reason"]) == {expected}
    assert sentence(expected).startswith("of 6 years with data 1 lie before the start, 2020/21,")


def test_an_outcome_that_is_not_published_is_refused():
    with pytest.raises(ContractError, match="gaps have no row of ks2_rwm_expected for cwsw"):
        authority_panel(gaps(), metric="ks2_rwm_expected")


def test_an_authority_that_is_not_there_is_refused():
    with pytest.raises(DesignError, match="unit is 'b1' and has no row"):
        fit_synthetic(authority_panel(gaps(), metric=METRIC), {}, unit="b1", start=START)


def test_the_course_is_the_fit_year_by_year(found):
    course = authority_trajectory(found, metric=METRIC, comparison="neighbours")
    assert course["time_period"].tolist() == [year for year in YEARS if year != 201920]
    assert (course["outcome"] - course["synthetic"]).tolist() == pytest.approx(
        course["distance"].tolist()
    )
    own = found.weights.set_index("unit")["weight"]
    donors = gaps(effect=-3.0).pivot_table("gap", "time_period", "unit_id")[own.index]
    mean = (donors * own).sum(axis=1).reindex(course["time_period"])
    assert course["donor_mean"].tolist() == pytest.approx(mean.tolist())
    assert (course["synthetic"] - course["donor_mean"]).std() == pytest.approx(0, abs=1e-9)
    events = found.rows[found.rows["aggregation"].eq("event")]
    beyond = course["distance"].abs() > course["placebo_upper"]
    assert beyond.tolist() == (events["p_value"] <= 0.05).tolist()
    assert (course["placebo_lower"] == -course["placebo_upper"]).all()


def test_the_published_files_give_the_illustration(published):
    """Cheshire East with a pretended start in 2022/23: worked out once and kept."""
    panel = published.panel[published.panel["metric"].eq(METRIC)]
    table = metrics.gaps(panel, Comparison("cwsw", "all"))
    found = fit_synthetic(
        authority_panel(table, metric=METRIC),
        donor_pools(published.areas, published.neighbours, donors="neighbours"),
        unit="E06000049",
        start=START,
    )
    row = found.rows.iloc[0]
    assert row["estimate"] == pytest.approx(-3.08, abs=0.005)
    assert (row["ci_lower"], row["ci_upper"]) == pytest.approx((-6.21, 0.06), abs=0.005)
    assert row["p_value"] == pytest.approx(4 / 60)
    assert found.mde == pytest.approx(4.38, abs=0.05)
    before = found.path.loc[found.path["before"], "time"]
    assert before.tolist() == [201819, 202021, 202122]


def test_suppressed_numbers_are_counted_the_donors_and_the_authoritys_own():
    table = gaps(effect=-3.0)
    donor = table["unit_id"].eq("a03") & table["time_period"].eq(202324)
    table.loc[donor, ["gap", "status"]] = [np.nan, "c"]
    primary = simple(asked(table), role="primary").iloc[0]
    assert (primary["left_out"], primary["own_suppressed"]) == (1, 0)
    own = gaps()
    cell = own["unit_id"].eq(OWN) & own["time_period"].eq(202324)
    own.loc[cell, ["gap", "status"]] = [np.nan, "c"]
    rows = simple(asked(own))
    assert (rows["own_suppressed"] == 1).all()
    short = own[own["time_period"].ne(202324)]
    expected = simple(asked(short), role="primary")["estimate"].item()
    assert simple(rows, role="primary")["estimate"].item() == pytest.approx(expected)


def test_an_authority_hidden_throughout_still_says_why():
    table = gaps()
    table.loc[table["unit_id"].eq(OWN), ["gap", "status"]] = [np.nan, "c"]
    rows = simple(asked(table))
    assert rows["status"].eq("x").all()
    assert rows["own_suppressed"].eq(7).all() or rows["own_suppressed"].eq(6).all()
