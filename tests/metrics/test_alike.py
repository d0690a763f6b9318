"""Matched and standardised gaps, child by child."""

import numpy as np
import pytest

from tests.metrics.children import children, composition_of, measured, moments_of
from vsh_eval import metrics
from vsh_eval.contracts import ContractError

ASKED = {"group": "cwsw", "reference": "peers"}
ALIKE = ["phase", "fsm6", "sen"]
FACTORS = ["phase", "sen", "fsm6", "sex"]


@pytest.fixture(scope="module")
def pupils():
    return children(11, cohort=180, peers=1500, years=(201819, 202425), schools=20)


def matched_by_hand(pupils, metric):
    """Every child of the group against the rate of the peers alike; None where there are none."""
    y, x = measured(pupils, metric)
    table = pupils.assign(y=y, x=x)
    peers = table[table["group"] == "peers"].groupby(ALIKE)[["y", "x"]].sum()
    rate = (peers["y"] / peers["x"]).to_dict()
    own = table[table["group"] != "peers"]
    expected = own.apply(lambda c: rate.get((c["phase"], c["fsm6"], c["sen"])), axis=1)
    there = expected.notna()
    size = own.loc[there, "x"].sum()
    alike = (own.loc[there, "x"] * expected[there].astype(float)).sum() / size
    return own.loc[there, "y"].sum() / size, alike, there.sum(), size / own["x"].sum()


@pytest.mark.parametrize("metric", ["overall_absence", "persistent_absence"])
def test_the_matched_gap_is_that_of_each_child_against_those_alike(pupils, metric):
    some = pupils[pupils["time_period"] == 202425]
    some = some[~((some["group"] == "peers") & (some["sen"] == "E") & (some["fsm6"] == 1))]
    found = metrics.matched_gap(composition_of(some, [metric]), **ASKED)
    row = found[found["phase"] == "total"].iloc[0]
    own, alike, count, coverage = matched_by_hand(some, metric)
    assert row["group_level"] == pytest.approx(100 * own, abs=1e-10)
    assert row["matched_level"] == pytest.approx(100 * alike, abs=1e-10)
    assert row["matched_gap"] == pytest.approx(100 * (own - alike), abs=1e-10)
    assert row["matched_pupils"] == count < row["group_pupils"]
    assert row["coverage"] == pytest.approx(coverage, abs=1e-12)
    assert row["matched_gap_lower"] < row["matched_gap"] < row["matched_gap_upper"]


def test_matched_errors_are_near_those_of_children_drawn_anew(pupils):
    rng = np.random.default_rng(1)
    some = pupils[pupils["time_period"] == 202425].reset_index(drop=True)
    found = metrics.matched_gap(composition_of(some, ["overall_absence"]), **ASKED)
    row = found[found["phase"] == "total"].iloc[0]
    y, x = measured(some, "overall_absence")
    stratum = some.groupby(ALIKE).ngroup().to_numpy()
    cells = stratum.max() + 1
    sides = [np.flatnonzero((some["group"] != "peers") == own) for own in (True, False)]
    draws = []
    for _ in range(400):
        sums = []
        for at in sides:
            drawn = rng.choice(at, len(at))
            sums += [np.bincount(stratum[drawn], what[drawn], cells) for what in (x, y)]
        own_x, own_y, peer_x, peer_y = sums
        there = peer_x > 0
        alike = (own_x[there] * peer_y[there] / peer_x[there]).sum() / own_x[there].sum()
        level = own_y[there].sum() / own_x[there].sum()
        draws.append((level - alike, alike, level))
    spread = 100 * np.std(draws, axis=0, ddof=1)
    for name, expected in zip(("matched_gap", "matched_level", "group_level"), spread, strict=True):
        assert 0.85 < row[f"{name}_std_error"] / expected < 1.18, name


def test_schools_that_differ_widen_the_matched_gap_and_never_move_it(pupils):
    apart = pupils.assign(y=np.minimum(pupils["x"], pupils["y"] + 20 * (pupils["school"] % 5)))
    composition, asked = composition_of(apart), {"metrics": ["overall_absence"], **ASKED}
    plain = metrics.matched_gap(composition, **asked).query("phase == 'total' and status == ''")
    wide = metrics.matched_gap(composition, moments=moments_of(apart), **asked).loc[plain.index]
    assert (wide["matched_level_std_error"] > 1.5 * plain["matched_level_std_error"]).all()
    assert (wide["group_level_std_error"] > 1.5 * plain["group_level_std_error"]).all()
    assert (wide["df"] == 19).all()
    assert wide["matched_gap"].to_numpy() == pytest.approx(plain["matched_gap"].to_numpy())


def test_nobody_alike_is_not_applicable(pupils):
    peers = pupils["group"] == "peers"
    apart = pupils[(peers & (pupils["sen"] == "N")) | (~peers & (pupils["sen"] != "N"))]
    found = metrics.matched_gap(composition_of(apart, ["overall_absence"]), **ASKED)
    assert (found.loc[found["time_period"].isin([201819, 202425]), "status"] == "z").all()
    assert found["matched_gap"].isna().all()


def test_the_standardised_gap_keeps_the_baselines_children(pupils):
    metric = "persistent_absence"
    found = metrics.standardised_gap(composition_of(pupils, [metric]), baseline=201819, **ASKED)
    found = found[found["phase"] == "total"].set_index("time_period")
    y, x = measured(pupils, metric)
    table = pupils.assign(y=y, x=x, own=pupils["group"] != "peers")
    levels = []
    for own in (True, False):
        sums = table[table["own"] == own].groupby(["time_period", *FACTORS])[["x", "y"]].sum()
        then, now = sums.loc[201819], sums.loc[202425]
        both = then.add_suffix("_then").join(now.add_suffix("_now"), how="inner")
        rate = both["y_now"] / both["x_now"]
        levels.append((both["x_then"] * rate).sum() / both["x_then"].sum())
    row = found.loc[202425]
    assert row["standardised_gap"] == pytest.approx(100 * (levels[0] - levels[1]), abs=1e-10)
    first = found.loc[201819]
    assert first["standardised_gap"] == pytest.approx(first["gap"], abs=1e-10)
    assert first["group_coverage"] == 1
    assert 0 < row["group_coverage"] <= 1


def test_a_standardised_gap_is_comparable_where_both_years_are(pupils):
    cells = composition_of(pupils, ["overall_absence"]).assign(metric="ks4_attainment8")
    cells["time_period"] = cells["time_period"].replace({202425: 201920})
    found = metrics.standardised_gap(cells, baseline=201819, **ASKED)
    found = found[found["phase"] == "total"].set_index("time_period")
    assert found["comparable"].to_dict() == {201819: True, 201920: False}


def test_a_group_that_the_baseline_did_not_have_is_not_applicable(pupils):
    gone = (pupils["time_period"] == 201819) & (pupils["group"] != "peers")
    found = metrics.standardised_gap(composition_of(pupils[~gone]), baseline=201819, **ASKED)
    total = found[found["phase"] == "total"].set_index(["metric", "time_period"])
    assert total.loc[("overall_absence", 202425), "status"] == "z"
    assert np.isnan(total.loc[("overall_absence", 202425), "standardised_gap"])


def test_a_baseline_that_is_not_there_is_refused(pupils):
    with pytest.raises(ContractError, match="baseline is 201718"):
        metrics.standardised_gap(composition_of(pupils), baseline=201718, **ASKED)
