"""Decomposed, matched and standardised gaps: hand tables, and errors by second methods."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.children import children, composition_of, measured
from tests.metrics.panels import PAIR
from vsh_eval.contracts import ContractError
from vsh_eval.metrics.characteristics import decompose, kitagawa, matched_gap, standardised_gap
from vsh_eval.metrics.characteristics.linearised import slopes
from vsh_eval.metrics.characteristics.strata import Sums
from vsh_eval.names import FACTORS

ALIKE = ["phase", "fsm6", "sen"]
PARTS = [f"composition_{factor}" for factor in FACTORS]


def sums(x, y):
    return Sums(x, y, x)


def cells(draw_from, shape):
    counts = st.lists(draw_from, min_size=int(np.prod(shape)), max_size=int(np.prod(shape)))
    return counts.map(lambda values: np.array(values, dtype=float).reshape(shape))


SHAPE = (1, 2, 3, 2)


@settings(max_examples=50, deadline=None)
@given(cells(st.integers(0, 30), (2, *SHAPE)), cells(st.floats(0, 1), (2, *SHAPE)))
def test_the_parts_add_up_to_the_gap_whatever_is_empty(x, share):
    y = x * share
    if not x[0].any() or not x[1].any():
        return
    mix = kitagawa.mix_of(sums(x[0], y[0]), sums(x[1], y[1]))
    gap = y[0].sum() / x[0].sum() - y[1].sum() / x[1].sum()
    whole, composed, rates = (
        part(mix).value[0] for part in (kitagawa.whole, kitagawa.composition, kitagawa.rates)
    )
    assert abs(whole - gap) < 1e-12
    assert abs(composed + rates - gap) < 1e-12
    assert abs(sum(part.value[0] for part in kitagawa.by_factor(mix)) - composed) < 1e-12
    back = kitagawa.mix_of(sums(x[1], y[1]), sums(x[0], y[0]))
    assert abs(kitagawa.composition(back).value[0] + composed) < 1e-12
    for one, other in zip(kitagawa.by_factor(mix), kitagawa.by_factor(back), strict=True):
        assert abs(one.value[0] + other.value[0]) < 1e-12


def test_a_table_by_hand():
    """Shares 1/2, 1/2 and 4/5, 1/5; rates 0.2, 0.4 and 0.1, 0.3."""
    mix = kitagawa.mix_of(
        sums(np.array([[20.0, 20.0]]), np.array([[4.0, 8.0]])),
        sums(np.array([[400.0, 100.0]]), np.array([[40.0, 30.0]])),
    )
    assert kitagawa.composition(mix).value[0] == pytest.approx(-0.3 * 0.15 + 0.3 * 0.35)
    assert kitagawa.rates(mix).value[0] == pytest.approx(0.65 * 0.1 + 0.35 * 0.1)


def test_a_stratum_that_one_group_lacks_is_composition():
    mix = kitagawa.mix_of(
        sums(np.array([[10.0, 0.0]]), np.array([[2.0, 0.0]])),
        sums(np.array([[10.0, 10.0]]), np.array([[2.0, 9.0]])),
    )
    assert kitagawa.rates(mix).value[0] == 0
    assert kitagawa.composition(mix).value[0] == pytest.approx(0.2 - 0.55)


def test_the_factors_are_the_mean_over_every_order():
    rng = np.random.default_rng(2)
    x = rng.integers(0, 9, (2, *SHAPE)).astype(float)
    x[0, 0, 0], x[1, 0, 1, 2] = 0, 0
    y = x * rng.random((2, *SHAPE))
    mix = kitagawa.mix_of(sums(x[0], y[0]), sums(x[1], y[1]))
    mean = (mix.r + mix.s) / 2
    told = [part.value[0] for part in kitagawa.by_factor(mix)]
    expected = np.zeros(3)
    orders = list(permutations(range(3)))
    for order in orders:
        for sign, taken, kept in ((1, mix.p, mix.q), (-1, mix.q, mix.p)):
            before = (kept * mean).sum()
            for place, factor in enumerate(order):
                after = exchanged(taken, kept, mean, order[: place + 1])
                expected[factor] += sign * (after - before) / (2 * len(orders))
                before = after
    assert told == pytest.approx(list(expected), abs=1e-12)


def exchanged(taken, kept, mean, chosen):
    """Sum over strata one by one: share taken of the chosen values, rest as those kept."""
    total = 0.0
    for place in np.ndindex(*taken.shape[1:]):
        same = tuple(at if axis in chosen else slice(None) for axis, at in enumerate(place))
        t, k = taken[0][same].sum(), kept[0][same].sum()
        share = t * kept[0][place] / k if k > 0 else taken[0][place]
        total += share * mean[0][place]
    return total


def values(x_one, y_one, x_two, y_two):
    mix = kitagawa.mix_of(sums(x_one, y_one), sums(x_two, y_two))
    parts = [kitagawa.whole, kitagawa.composition, kitagawa.rates]
    return [part(mix) for part in parts] + kitagawa.by_factor(mix)


def test_slopes_are_those_of_small_steps():
    rng = np.random.default_rng(5)
    x = rng.integers(2, 12, (2, *SHAPE)).astype(float)
    x[0, 0, 0, 1], x[1, 0, 1, 0] = 0, 0
    y = x * rng.random((2, *SHAPE))
    arguments = [x[0], y[0], x[1], y[1]]
    found = values(*arguments)
    step = 1e-6
    for side, which in ((0, ("by_p", "by_r")), (1, ("by_q", "by_s"))):
        for place in zip(*np.nonzero(x[side]), strict=True):
            for offset, name in ((0, "x"), (1, "y")):
                ends = []
                for sign in (1, -1):
                    moved = [a.copy() for a in arguments]
                    moved[2 * side + offset][place] += sign * step
                    ends.append([part.value[0] for part in values(*moved)])
                steps = (np.array(ends[0]) - np.array(ends[1])) / (2 * step)
                own = sums(x[side], y[side])
                told = [
                    getattr(slopes(own, *(getattr(part, w) for w in which)), name)[place]
                    for part in found
                ]
                assert told == pytest.approx(list(steps), abs=1e-7)


@pytest.fixture(scope="module")
def pupils():
    return children(8, cohort=240, peers=1600, schools=24)


def test_a_table_of_children_is_decomposed_as_its_strata_one_by_one(pupils):
    found = decompose(composition_of(pupils), None, PAIR)
    for metric in ("overall_absence", "persistent_absence"):
        y, x = measured(pupils, metric)
        table = pupils.assign(y=y, x=x, own=pupils["group"] != "peers")
        gap = composed = 0.0
        sums_of = table.pivot_table(
            index=list(FACTORS), columns="own", values=["x", "y"], aggfunc="sum", fill_value=0
        )
        size = {own: sums_of["x", own].sum() for own in (True, False)}
        for _, row in sums_of.iterrows():
            p, q = (row["x", own] / size[own] for own in (True, False))
            rates = [row["y", o] / row["x", o] if row["x", o] else None for o in (True, False)]
            r, s = (mine if mine is not None else other for mine, other in (rates, rates[::-1]))
            gap += p * r - q * s
            composed += (p - q) * (r + s) / 2
        row = found[(found["metric"] == metric) & (found["phase"] == "total")].iloc[0]
        assert row["gap"] == pytest.approx(100 * gap, abs=1e-10)
        assert row["composition"] == pytest.approx(100 * composed, abs=1e-10)
        assert row["strata"] == (sums_of["x", True] > 0).sum()
    shown = found[found["status"] == ""]
    parts = shown["composition"] + shown["rates"]
    assert (shown["gap"] - parts).abs().max() < 1e-12
    assert (shown[PARTS].sum(axis=1) - shown["composition"]).abs().max() < 1e-12
    single = shown[shown["phase"] != "total"]
    assert (single["composition_phase"].abs() < 1e-12).all()


def test_errors_are_near_those_of_children_drawn_anew(pupils):
    """Four hundred draws stand where the years stand, so that all are decomposed at once."""
    rng = np.random.default_rng(3)
    found = decompose(composition_of(pupils, ["persistent_absence"]), None, PAIR)
    row = found[found["phase"] == "total"].iloc[0]
    y, x = measured(pupils, "persistent_absence")
    codes = [pd.factorize(pupils[factor], sort=True) for factor in FACTORS]
    shape = tuple(len(labels) for _, labels in codes)
    place = np.ravel_multi_index([code for code, _ in codes], shape)
    sides = []
    for own in (True, False):
        at = np.flatnonzero((pupils["group"] != "peers") == own)
        drawn = [np.bincount(rng.choice(len(at), len(at)), minlength=len(at)) for _ in range(400)]
        sides += [
            np.array([np.bincount(place[at], n * what[at], int(np.prod(shape))) for n in drawn])
            for what in (x, y)
        ]
    drawn = values(*(side.reshape(-1, *shape) for side in sides))
    names = ["gap", "composition", "rates", *PARTS]
    for name, part in zip(names, drawn, strict=True):
        if abs(row[name]) > 0.2:
            spread = 100 * part.value.std(ddof=1)
            assert 0.8 < row[f"{name}_std_error"] / spread < 1.25, name


def test_empty_groups_and_years_without_data_have_their_symbols():
    pupils = children(2, years=(201819, 201920, 202122))
    gone = (pupils["group"] != "peers") & (pupils["time_period"] == 202122)
    found = decompose(composition_of(pupils[~gone]), None, PAIR)
    found = found[found["phase"] == "total"].set_index(["metric", "time_period"])
    assert found.loc[("overall_absence", 202122), "status"] == "z"
    assert found.loc[("overall_absence", 201920), "status"] == "x"
    assert found.loc[("overall_absence", 201819), "status"] == ""
    assert np.isnan(found.loc[("overall_absence", 202122), "composition"])


@pytest.fixture(scope="module")
def two_years():
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
def test_the_matched_gap_is_that_of_each_child_against_those_alike(two_years, metric):
    some = two_years[two_years["time_period"] == 202425]
    some = some[~((some["group"] == "peers") & (some["sen"] == "E") & (some["fsm6"] == 1))]
    found = matched_gap(composition_of(some, [metric]), None, PAIR)
    row = found[found["phase"] == "total"].iloc[0]
    own, alike, count, coverage = matched_by_hand(some, metric)
    assert row["matched_group_level"] == pytest.approx(100 * own, abs=1e-10)
    assert row["matched_level"] == pytest.approx(100 * alike, abs=1e-10)
    assert row["matched_gap"] == pytest.approx(100 * (own - alike), abs=1e-10)
    assert row["matched_pupils"] == count < row["group_pupils"]
    assert row["coverage"] == pytest.approx(coverage, abs=1e-12)
    assert row["matched_gap_lower"] < row["matched_gap"] < row["matched_gap_upper"]


def test_nobody_alike_is_not_applicable(two_years):
    peers = two_years["group"] == "peers"
    apart = two_years[(peers & (two_years["sen"] == "N")) | (~peers & (two_years["sen"] != "N"))]
    found = matched_gap(composition_of(apart, ["overall_absence"]), None, PAIR)
    assert (found.loc[found["time_period"].isin([201819, 202425]), "status"] == "z").all()
    assert found["matched_gap"].isna().all()


def test_the_standardised_gap_keeps_the_baselines_children(two_years):
    metric = "persistent_absence"
    found = standardised_gap(
        composition_of(two_years, [metric]), None, replace(PAIR, baseline=201819)
    )
    found = found[found["phase"] == "total"].set_index("time_period")
    y, x = measured(two_years, metric)
    table = two_years.assign(y=y, x=x, own=two_years["group"] != "peers")
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


def test_a_standardised_gap_is_comparable_where_both_years_are(two_years):
    cells = composition_of(two_years, ["overall_absence"]).assign(metric="ks4_attainment8")
    cells["time_period"] = cells["time_period"].replace({202425: 201920})
    found = standardised_gap(cells, None, replace(PAIR, baseline=201819))
    found = found[found["phase"] == "total"].set_index("time_period")
    assert found["comparable"].to_dict() == {201819: True, 201920: False}


def test_a_group_that_the_baseline_did_not_have_is_not_applicable(two_years):
    gone = (two_years["time_period"] == 201819) & (two_years["group"] != "peers")
    found = standardised_gap(composition_of(two_years[~gone]), None, replace(PAIR, baseline=201819))
    total = found[found["phase"] == "total"].set_index(["metric", "time_period"])
    assert total.loc[("overall_absence", 202425), "status"] == "z"
    assert np.isnan(total.loc[("overall_absence", 202425), "standardised_gap"])


@pytest.mark.parametrize("baseline", [201718, None])
def test_a_baseline_that_is_not_there_is_refused(two_years, baseline):
    with pytest.raises(ContractError, match=f"baseline is {baseline or 'missing'}"):
        standardised_gap(composition_of(two_years), None, replace(PAIR, baseline=baseline))
