"""A reader with integer programming: breaks what leaks, and cannot break strict10."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from vsh_eval import registry
from vsh_eval.release.disclosure import cube as cubes
from vsh_eval.release.disclosure import hiding, rounding
from vsh_eval.release.disclosure.cube import round_leaves
from vsh_eval.release.disclosure.rules import rule_named

from .attacker import (
    YEARS,
    Attacker,
    Reader,
    authority,
    authority_with,
    hidden_means,
    key_stage_2,
    key_stage_4,
    nearest,
    nearest_window,
    random_leaves,
    scores,
    sensitive,
    suspensions,
    window,
    with_mean_of_50,
)

STRICT = rule_named("strict10")


# --- The attacker has teeth: every leak that is known is found.


def test_a_hidden_sum_is_the_difference_of_two_published_ones():
    reader = Attacker()
    for name in ("others", "cin", "cpp"):
        reader.number(name)
    reader.fact({"others": 1}, 760, 760)
    reader.fact({"others": 1, "cin": 1, "cpp": 1}, 812, 812)
    assert reader.bounds({"cin": 1, "cpp": 1}) == (52, 52)


def test_hiding_small_cells_alone_leaves_exact_counts():
    counts = {"primary": 31, "secondary": 24, "special": 4}
    reader = Attacker()
    for phase, count in counts.items():
        reader.number(phase, *((1, 9) if count < 10 else (count, count)))
    reader.fact(dict.fromkeys(counts, 1), 59, 59)
    assert reader.bounds({"special": 1}) == (4, 4)


def test_totals_rounded_on_their_own_give_the_parts_away():
    reader = Attacker()
    for phase in range(4):
        reader.number(phase, *nearest_window(nearest(3)))
    reader.fact(dict.fromkeys(range(4), 1), *nearest_window(nearest(12)))
    assert [reader.bounds({phase: 1}) for phase in range(4)] == [(3, 3)] * 4


def test_the_same_four_phases_rounded_together_keep_five_candidates():
    counts = np.zeros((5, 4, 1), dtype=np.int64)
    counts[2] = 3
    leaves = rounding.round_controlled(counts, STRICT)[2, :, 0]
    reader = Attacker()
    for phase, rounded in enumerate(leaves):
        reader.number(phase, *window(int(rounded)))
    reader.fact(dict.fromkeys(range(4), 1), low=10)  # shown, hence ten or more
    assert min(reader.candidates({phase: 1}) for phase in range(4)) >= 5


@pytest.mark.parametrize(("n", "places", "alone"), [(43, 1, True), (499, 1, True), (210, 0, False)])
def test_an_exact_rate_beside_n_tells_a_hidden_numerator(n, places, alone):
    fits = [
        sum(round(100 * x / n, places) == round(100 * y / n, places) for y in range(n + 1))
        for x in range(1, 10)
    ]
    assert (max(fits) == 1) is alone


def test_a_rate_of_true_counts_beside_a_rounded_n_tells_most_numerators():
    found = total = 0
    for n, x in itertools.product(range(30, 200, 7), range(1, 10)):
        rate = round(100 * x / n, 1)
        low, high = nearest_window(nearest(n))
        fits = {y for m in range(low, high + 1) for y in range(10) if round(100 * y / m, 1) == rate}
        found += fits == {x}
        total += 1
    assert found / total > 0.9


def test_a_gap_beside_the_other_level_tells_a_hidden_numerator():
    n, x, reference = 180, 7, 12.3
    gap = round(100 * x / n - reference, 1)
    fits = [y for y in range(n + 1) if round(100 * y / n - reference, 1) == gap]
    assert fits == [x]


def test_an_interval_of_true_counts_tells_counts_that_are_not_published():
    z = norm.ppf(0.975)

    def wilson(x, n):
        centre, half = (x + z**2 / 2), z * np.sqrt(x * (n - x) / n + z**2 / 4)
        return tuple(np.round(100 * (centre + sign * half) / (n + z**2), 1) for sign in (-1, 1))

    told = 0
    cases = [(x, n) for n in range(12, 50, 6) for x in range(1, 10)]
    for x, n in cases:
        seen = (round(100 * x / n, 1), *wilson(x, n))
        fits = {
            y
            for m in range(10, 60)
            for y in range(m)
            if (round(100 * y / m, 1), *wilson(y, m)) == seen
        }
        told += fits == {x}
    assert told == len(cases)


def test_two_pooled_totals_tell_the_one_year_between_them():
    reader = Attacker()
    for year in range(8):
        reader.number(year)
    reader.fact(dict.fromkeys(range(7), 1), 96, 96)
    reader.fact(dict.fromkeys(range(8), 1), 103, 103)
    assert reader.bounds({7: 1}) == (7, 7)


def test_a_late_child_flips_a_deterministic_rounding_and_tells_the_count():
    flips = [count for count in range(100) if nearest(count) != nearest(count + 1)]
    assert len(flips) == 20
    reader = Attacker()
    reader.number("then", *nearest_window(nearest(12)))
    reader.fact({"then": 1}, nearest_window(nearest(13))[0] - 1, nearest_window(nearest(13))[1] - 1)
    assert reader.bounds({"then": 1}) == (12, 12)


def test_rounding_again_with_another_seed_takes_a_candidate_away():
    reader = Attacker()
    low, high = (max(a, b) for a, b in zip(window(5), window(0), strict=True))
    reader.number("leaf", low, min(high, window(0)[1]))
    assert reader.candidates({"leaf": 1}) == 4


def test_two_tables_of_the_same_children_tell_a_cell_by_difference():
    reader = Attacker()
    reader.number("cpp secondary", 1, 9)
    reader.number("other", 25, 25)
    reader.fact({"cpp secondary": 1, "other": 1}, 29, 29)
    assert reader.bounds({"cpp secondary": 1}) == (4, 4)


def test_a_saturated_model_is_a_table_of_counts():
    n = np.array([37, 24])
    x = np.array([6, 2])
    group = np.repeat([0.0, 1.0], n)
    y = np.concatenate([np.arange(count) < events for count, events in zip(n, x, strict=True)])
    design = np.column_stack([np.ones(n.sum()), group])
    told = np.round(np.linalg.lstsq(design, y.astype(float), rcond=None)[0], 3)
    assert np.round(n * [told[0], told.sum()]).tolist() == x.tolist()


def test_what_contradicts_itself_is_noticed():
    reader = Attacker()
    reader.number("leaf", 1, 4)
    reader.fact({"leaf": 1}, 6, 9)
    with pytest.raises(AssertionError, match="contradicts"):
        reader.bounds({"leaf": 1})


# --- strict10 withstands it.


@pytest.mark.parametrize(("seed", "size"), [(0, 0.3), (1, 0.6), (2, 1.0), (3, 2.0), (4, 0.6)])
def test_strict10_leaves_five_candidates_for_every_small_number(seed, size):
    cube = round_leaves(authority(random_leaves(seed, size=size), seed=seed), STRICT)
    found = 0
    for cell, true, (low, high) in sensitive(cube, YEARS[-1]):
        assert low <= true <= high, cell
        assert high - low + 1 >= 5, cell
        found += 1
    assert found > 20


def test_two_yearly_releases_together_tell_no_more_than_one():
    years = (*YEARS, 202425)
    leaves = random_leaves(7, size=0.6, years=3)
    first = round_leaves(authority(leaves[:, :, :2], seed=7), STRICT)
    late = leaves.copy()
    late[2, 0, 0] += 1  # a late child
    late[3, 1, 1] -= 1  # a child moves from one phase to another
    late[3, 0, 1] += 1
    panel = authority(late, seed=8, years=years)
    second = round_leaves(panel, STRICT, ledger=first.ledger)
    old = second.ledger[second.ledger["time_period"].isin(YEARS)].reset_index(drop=True)
    pd.testing.assert_frame_equal(old, first.ledger)
    keys = ["time_period", "phase", "group", "metric"]
    both = first.cells.merge(second.cells, on=keys, suffixes=("", "_later"))
    assert len(both) == len(first.cells)
    for column in ("pupils", "pupils_status", "level", "status"):
        same = both[column].eq(both[f"{column}_later"]) | both[column].isna()
        assert same.all(), column
    for cell, true, (low, high) in sensitive(second, 202425):
        assert low <= true <= high, cell
        assert high - low + 1 >= 5, cell


def test_pooled_years_of_two_releases_differ_by_a_rounded_year():
    years = (*YEARS, 202425)
    leaves = random_leaves(9, years=3)
    first = round_leaves(authority(leaves[:, :, :2], seed=9), STRICT)
    second = round_leaves(authority(leaves, seed=9, years=years), STRICT, ledger=first.ledger)
    pooled = [
        cube.frame.groupby(["phase", "group", "metric"])["pupils"].sum() for cube in (first, second)
    ]
    difference = (pooled[1] - pooled[0]).dropna()
    assert (difference % 5 == 0).all()


# --- So it does with every metric that counts children or events, whatever holds it.


def small_counts(make, seed, size):
    leaves = random_leaves(seed, size=size, years=1)[:, :, 0]
    cube = round_leaves(authority_with(leaves, make, seed=seed), STRICT)
    return [*Reader(cube, YEARS[-1]).sensitive()]


@pytest.mark.parametrize(
    ("make", "seed", "size"),
    [
        (suspensions, 0, 0.5),
        (suspensions, 1, 1.0),
        (key_stage_2, 1, 1.0),
        (key_stage_2, 2, 2.0),
        (key_stage_4, 1, 1.0),
        (key_stage_4, 3, 4.0),
    ],
)
def test_five_candidates_stay_where_numerators_hold_one_another(make, seed, size):
    found = small_counts(make, seed, size)
    for cell, true, (low, high) in found:
        assert low <= true <= high, cell
        assert high - low + 1 >= 5, cell
    assert len(found) > 20


@pytest.mark.parametrize(
    ("name", "instead", "make"),
    [("NESTED", {}, suspensions), ("_held_by", lambda *_: None, key_stage_2)],
)
def test_the_attacker_uses_what_holds_what(monkeypatch, name, instead, make):
    monkeypatch.setattr(cubes, name, instead)
    found = small_counts(make, 2, 2.0)
    assert min(high - low + 1 for _, _, (low, high) in found) < 5


@pytest.mark.parametrize("metric", ["ks4_attainment8", "ks4_progress8", "ks4_attainment8_rank"])
@pytest.mark.parametrize(("seed", "size"), [(0, 0.5), (1, 1.0), (5, 0.3)])
def test_no_mean_of_few_follows_from_all_the_others(metric, seed, size):
    leaves = random_leaves(seed, size=size, years=1)[:, :, 0]
    panel = authority_with(leaves, scores, seed=seed)
    cube = round_leaves(with_mean_of_50(panel, "ks4_attainment8_rank"), STRICT)
    entry = registry.metric(metric)
    found = [*hidden_means(cube, metric, YEARS[-1])]
    for cell, mean, (low, high) in found:
        assert low - 1e-6 <= mean <= high + 1e-6, cell
        assert high - low >= 0.05 * (entry.highest - entry.lowest), cell
    assert len(found) > 5


def test_a_mean_rank_is_known_where_its_complement_is_shown(monkeypatch):
    """The attacker has teeth: without the complement means of few follow."""
    monkeypatch.setattr(cubes, "complement", lambda cells, _: cells)
    leaves = random_leaves(1, years=1)[:, :, 0]
    panel = with_mean_of_50(authority_with(leaves, scores, seed=1), "ks4_attainment8_rank")
    cube = round_leaves(panel, STRICT)
    found = [*hidden_means(cube, "ks4_attainment8_rank", YEARS[-1])]
    assert min(high - low for _, _, (low, high) in found) < 2


def test_a_rate_of_events_is_that_of_rounded_numbers():
    """The true one to two decimals would tell how many suspensions there were."""
    leaves = random_leaves(1, size=2.0, years=1)[:, :, 0]
    cells = round_leaves(authority_with(leaves, suspensions, seed=1), STRICT).cells
    shown = cells[(cells["metric"] == "suspension_rate") & (cells["status"] == "")]
    assert len(shown) > 10
    assert (shown["numerator"] % 5 == 0).all()
    expected = (100 * shown["numerator"] / shown["pupils"]).astype(float).round(2)
    assert shown["level"].tolist() == expected.tolist()


def test_events_are_hidden_with_the_children_who_had_them():
    leaves = random_leaves(1, size=2.0, years=1)[:, :, 0]
    panel = authority_with(leaves, suspensions, seed=1)
    keys = ["phase", "group"]

    def status(panel, metric):
        cells = round_leaves(panel, STRICT).cells
        return cells[cells["metric"] == metric].set_index(keys)["status"]

    children, events = (status(panel, name) for name in ("pupils_suspended", "suspension_rate"))
    assert (events[children == "c"] == "c").all()
    assert (events == "").sum() > 5
    # On their own, at least ten children must have had one whatever the number of events.
    alone = panel[panel["metric"] == "suspension_rate"].copy()
    assert (status(alone, "suspension_rate")[children == "c"] == "c").all()
    alone["sum_yy"] = alone["numerator"] ** 2
    assert (status(alone, "suspension_rate") == "c").sum() > (events == "c").sum()


def test_few_children_between_a_share_and_a_part_of_it_hide_the_later_one():
    rows = {"true_pupils": 60.0, "pupils": 60, "schools": 9, "largest": 9.0, "phase": "total",
            "true_denominator": 60.0, "true_sum_yy": 1.0, "time_period": 202425,
            "group": "cwsw"}  # fmt: skip
    cells = pd.DataFrame(
        [
            rows | {"metric": metric, "numerator": y, "true_numerator": float(y)}
            for metric, y in {
                "ks4_basics_94": 30, "ks4_basics_95": 25, "persistent_absence": 40,
                "severe_absence": 20, "ks2_rwm_expected": 20, "ks2_reading_expected": 25,
                "ks2_maths_expected": 35,
            }.items()
        ]
    )  # fmt: skip
    judged = hiding.judge(cells, STRICT).set_index("metric")["status"]
    assert set(judged.index[judged == "c"]) == {"ks4_basics_95", "ks2_reading_expected"}
    assert (hiding.judge(cells, rule_named("none"))["status"] == "").all()


def test_scores_about_nought_are_not_taken_for_nothing():
    rows = {"true_pupils": 60.0, "pupils": 60, "schools": 9, "largest": 9.0, "phase": "total",
            "true_denominator": 60.0, "time_period": 202425, "numerator": pd.NA,
            "true_numerator": 0.0}  # fmt: skip
    cells = pd.DataFrame(
        [
            rows | {"group": "cin", "metric": "ks4_progress8", "true_sum_yy": 80.0},
            rows | {"group": "cpp", "metric": "ks4_progress8", "true_sum_yy": 0.0},
            rows | {"group": "cin", "metric": "ks4_attainment8", "true_sum_yy": 0.0},
        ]
    )
    assert hiding.judge(cells, STRICT)["status"].tolist() == ["", "c", "c"]
