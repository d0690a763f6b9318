"""The schools that a world trains, and rows that are taken up again."""

import numpy as np
import pandas as pd
import pytest

from tests.proofs import worlds
from tests.proofs._school_gaps import ADOPTION
from vsh_eval.effects import evidence


def trained(drawn):
    return drawn.gaps.groupby("unit_id")["adopted"].first()


@pytest.mark.parametrize("by", ["lasting", "baseline", "so_far", "last"])
def test_a_fifth_of_the_schools_is_trained_in_each_year(by):
    drawn = worlds.chosen(100, np.random.default_rng(1), by=by, r=0.5)
    counts = trained(drawn).value_counts()
    assert counts[list(ADOPTION)].tolist() == pytest.approx([20, 20, 20], abs=1)
    assert not drawn.gaps[["unit_id", "adopted"]].drop_duplicates().duplicated("unit_id").any()


@pytest.mark.parametrize("r", [-0.5, 0.0, 0.8])
def test_the_lasting_gap_goes_with_training_as_much_as_asked(r):
    rng = np.random.default_rng(2)
    differences = []
    for _ in range(15):
        drawn = worlds.chosen(100, rng, by="lasting", r=r)
        chosen = trained(drawn).gt(0)
        gap = drawn.own_gap.reindex(chosen.index)
        differences.append((gap[chosen].mean() - gap[~chosen].mean()) / gap.std())
    # three fifths highest of a normal score: means apart by phi(z) / (0.6 * 0.4), z = -0.2533
    assert np.mean(differences) == pytest.approx(r * 0.3863 / 0.24, abs=0.15)


def test_schools_chosen_by_the_baseline_had_wide_gaps_in_those_years_only():
    rng = np.random.default_rng(3)
    before, after = [], []
    for _ in range(10):
        gaps = worlds.chosen(120, rng, by="baseline", r=0.8).gaps
        gaps = gaps[gaps["phase"].eq("primary")]
        for early, apart in ((True, before), (False, after)):
            rows = gaps[gaps["time_period"].lt(ADOPTION[0]).eq(early)]
            mean = rows.groupby(rows["adopted"].gt(0))["outcome"].mean()
            apart.append(mean[True] - mean[False])
    assert np.mean(before) > 2 * np.mean(after) > 0


def test_a_run_is_taken_up_again_and_gives_the_rows_of_one_run(tmp_path):
    base = ["--draws", "1", "--stated", "0", "--children", "6.4", "--only", "narrow"]
    page = str(tmp_path / "page.md")
    for sizes in (["60"], ["60", "80"]):
        asked = [*base, "--results", str(tmp_path / "kept"), "--output", page, "--schools", *sizes]
        worlds.main(asked)
    worlds.main([*base, "--results", str(tmp_path / "once"), "--output", page, "--schools", "80"])
    kept, once = (
        pd.read_csv(tmp_path / name / "estimates.csv").query("schools == 80").reset_index(drop=True)
        for name in ("kept", "once")
    )
    pd.testing.assert_frame_equal(kept, once)


def test_a_false_statement_is_counted_whatever_its_size():
    said = ["narrowed", "narrowed_below_interest", "inconclusive", "widened"]
    assert set(said) <= set(evidence.STATEMENTS)
    rows = pd.DataFrame({"statement": said, "effect": 0.0}).assign(
        world="trained by lot", schools=60, children=6.4
    )
    found = {sense: (count, of) for _, sense, count, of in worlds.false_statements(rows, seen=True)}
    assert found == {"narrowed": (2, 4), "widened": (1, 4)}


@pytest.mark.parametrize("world", ["trained by lot", "gap closing anyway, 0.5 a year"])
def test_the_arrays_lead_to_the_statement_of_the_impact_page(world):
    asked_world = next(one for one in worlds.WORLDS if one.name == world)
    for drawn in worlds.draws_of(asked_world, 60, 6.4, draws=2, seed=3):
        quick, page = worlds.asked_of(drawn, 1.5), worlds.by_the_page(drawn)
        worlds.refuse_another(quick, page)
        for effect in (0.0, *worlds.EFFECTS):
            statements = {
                evidence.judge(
                    worlds.moved(asked.rows, effect),
                    sesoi=1.5,
                    lower_is_better=True,
                    checks=evidence.Checks(**asked.checks, peers_p=0.5),
                ).statement
                for asked in (quick, page)
            }
            assert len(statements) == 1
