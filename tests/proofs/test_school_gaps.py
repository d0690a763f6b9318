import numpy as np
import pandas as pd
import pytest

from tests.proofs._school_gaps import _rate_tables, _rates, draw_school_gaps
from vsh_eval.synthetic import Plan


def draws(plan, many, seed=1, **options):
    rng = np.random.default_rng(seed)
    return [draw_school_gaps(plan, rng, **options) for _ in range(many)]


@pytest.fixture(scope="module")
def null():
    return pd.concat([d.gaps for d in draws(Plan(effect=0.0, first=201718), 150)], keys=range(150))


def test_a_draw_keeps_the_contract_of_school_gaps():
    gaps, truth, *_ = draws(Plan(schools=60, effect=-1.5), 1)[0]
    assert not gaps.duplicated(["unit_id", "time_period"]).any()
    assert (gaps["pupils"] > 0).all()
    assert (gaps["weight"] > 300 * gaps["pupils"]).all()
    assert gaps["outcome"].between(-100, 100).all()
    assert 201920 not in set(gaps["time_period"])
    assert set(gaps["adopted"]) == {0, 202122, 202223, 202324}
    assert gaps.groupby("unit_id")["adopted"].nunique().max() == 1
    assert set(gaps["phase"]) == {"primary", "secondary"}
    assert truth == pytest.approx(-1.5, abs=0.05)


def test_the_same_generator_state_gives_the_same_draw():
    one, two = (draws(Plan(schools=30), 1, seed=5)[0] for _ in range(2))
    pd.testing.assert_frame_equal(one.gaps, two.gaps)
    assert one.truth == two.truth


def test_cells_are_as_small_as_in_the_simulations_notes(null):
    cells = 150 * 120 * 7
    assert null["pupils"].sum() / cells == pytest.approx(6.4, abs=0.15)
    assert 1 - len(null) / cells == pytest.approx(0.10, abs=0.02)
    assert 1 - (null["pupils"] > 2).sum() / cells == pytest.approx(0.33, abs=0.03)
    by_phase = null.groupby("phase")["pupils"].sum() / (150 * 7)
    assert by_phase["primary"] / 96 == pytest.approx(4.5, abs=0.2)
    assert by_phase["secondary"] / 24 == pytest.approx(14, abs=0.7)
    assert (null["weight"] / null["pupils"]).mean() == pytest.approx(351, abs=1)


def test_larger_cohorts_leave_fewer_schools_without():
    large = pd.concat([d.gaps for d in draws(Plan(cohort_per_school=25.0, first=201718), 30)])
    cells = 30 * 120 * 7
    assert large["pupils"].sum() / cells == pytest.approx(25, abs=1)
    assert 1 - len(large) / cells == pytest.approx(0.02, abs=0.012)


def test_rates_have_the_spread_and_memory_of_the_notes():
    rng = np.random.default_rng(3)
    for phase, mean, spread in ((0, 0.107, 0.121), (1, 0.257, 0.220)):
        rates = _rates(np.full(200_000, phase), np.full(200_000, mean), rng.normal(size=200_000))
        assert rates.mean() == pytest.approx(mean, abs=0.002)
        assert rates.std() == pytest.approx(spread, abs=0.003)
    assert np.all(np.diff(_rate_tables(), axis=1) >= 0)


def test_gaps_follow_the_published_ones_phase_by_phase(null):
    by = null.groupby(["phase", "time_period"])[["outcome", "weight"]]
    gap = by.apply(lambda rows: np.average(rows["outcome"], weights=rows["weight"]))
    assert gap["primary", 202425] == pytest.approx(6.4, abs=0.4)
    assert gap["secondary", 202425] == pytest.approx(19.0, abs=0.7)
    assert gap["secondary", 202425] - gap["secondary", 201718] == pytest.approx(8.6, abs=0.9)
    assert gap["primary", 202425] - gap["primary", 201718] == pytest.approx(2.8, abs=0.6)


def test_the_effect_is_in_the_treated_rows_and_the_truth_says_so():
    effect, without = (draws(Plan(schools=200, effect=e), 1, seed=8)[0] for e in (-2.0, 0.0))
    both = effect.gaps.merge(without.gaps, on=["unit_id", "time_period"])
    treated = (both["adopted_x"] > 0) & (both["time_period"] >= both["adopted_x"])
    moved = both["outcome_x"] - both["outcome_y"]
    assert (moved[~treated] == 0).all()
    found = np.average(moved[treated], weights=both["weight_x"][treated])
    assert found == pytest.approx(-2.0, abs=0.25)
    assert effect.truth == pytest.approx(-2.0, abs=0.05)
    assert without.truth == 0.0


def test_truth_is_missing_where_nobody_is_trained():
    assert np.isnan(draws(Plan(schools=20, share_trained=0.0), 1)[0].truth)


def test_pretrend_growth_and_milder_entrants_reach_the_draw():
    base = draws(Plan(schools=200, effect=0.0), 1, seed=4)[0].gaps
    drift = draws(Plan(schools=200, effect=0.0, pretrend=1.0), 1, seed=4)[0].gaps
    moved = (drift["outcome"] - base["outcome"])[base["adopted"] > 0]
    since = (base["time_period"] // 100 - base["adopted"] // 100)[base["adopted"] > 0]
    assert np.polyfit(since, moved, 1)[0] == pytest.approx(1.0, abs=0.25)
    grown = draws(Plan(schools=200, effect=0.0, growth_after_training=2.0), 20)
    usual = draws(Plan(schools=200, effect=0.0), 20)
    last = [
        pd.concat([d.gaps for d in many]).query("time_period == 202425 and adopted > 0")["pupils"]
        for many in (grown, usual)
    ]
    assert last[0].sum() > 1.3 * last[1].sum()
    milder = draws(Plan(schools=200, effect=0.0, milder_entrants=3.0), 1, seed=4)[0].gaps
    lower = base["outcome"] - milder["outcome"]
    treated = (base["adopted"] > 0) & (base["time_period"] >= base["adopted"])
    assert (lower[~treated] == 0).all()
    assert np.average(lower[treated], weights=base["weight"][treated]) > 0.8


def test_the_make_up_counts_who_is_new_and_what_they_missed_before():
    def of_cohort(drawn):
        made = drawn.make_up()
        pd.testing.assert_frame_equal(made, drawn.make_up())
        return drawn.gaps.join(made[made["group"].eq("cin")].iloc[:, 4:])

    rows = of_cohort(draws(Plan(schools=200, effect=0.0), 1, seed=4)[0])
    assert rows["entrants"].isna().eq(rows["time_period"].eq(201617)).all()
    known = rows["prior_missed"].notna()
    assert known.eq(~rows["time_period"].isin({201617, 202021})).all()
    assert (rows["entrants"].dropna() <= rows["pupils"][rows["entrants"].notna()]).all()
    # A child counted in both years was counted last year, with last year's sessions.
    sums = rows.groupby("time_period")[["pupils", "entrants", "prior_pupils", "prior_missed"]].sum()
    assert (sums["prior_pupils"] == sums["pupils"])[202122]
    rate = (rows["prior_missed"].sum() / rows["prior_possible"].sum(), rows["outcome"].mean() / 100)
    assert rate[0] > rate[1]
    new = rows[known]["entrants_missed"].sum() / rows[known]["entrants_possible"].sum()
    assert new == pytest.approx(rate[0], abs=0.02)
    milder = of_cohort(draws(Plan(schools=200, effect=0.0), 1, seed=4, milder_before=3.0)[0])
    pd.testing.assert_series_equal(milder["outcome"], rows["outcome"])
    off = (rows["entrants_missed"] - milder["entrants_missed"]) / rows["entrants_possible"]
    late = rows["adopted"].gt(0) & rows["time_period"].ge(rows["adopted"])
    assert (off[~late & known].dropna() == 0).all()
    assert off[late].mean() == pytest.approx(0.03, abs=0.004)
