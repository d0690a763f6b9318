"""Randomisation inference is exact, and says where it cannot be made."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from tests.effects.conftest import cells_of
from vsh_eval import effects
from vsh_eval.contracts import DesignError
from vsh_eval.numerics.inference import permutation


def small(seed=0, *, schools=7):
    rng = np.random.default_rng(seed)
    cohort = np.repeat([2, 2, 2, 0, 0, 0, 0], 3)[: 3 * schools]
    return pd.DataFrame(
        {
            "unit": np.repeat(np.arange(schools), 3),
            "time": np.tile([1, 2, 3], schools),
            "cohort": cohort,
            "outcome": rng.normal(size=3 * schools),
            "weight": rng.integers(1, 9, 3 * schools).astype(float),
        }
    )


def test_it_is_exact_over_all_allocations_of_a_small_design():
    design = effects.inference.reassignments(small())
    every = np.array(sorted(set(permutations(design.actual))))
    assert len(every) == round(np.exp(design.log_number)) == 35
    found = permutation.batch(design.terms, every)
    value = np.abs(found.estimate / found.influence_error)
    # The p value that each allocation would have, had it been the real one.
    p_values = (value[None, :] >= value[:, None] * (1 - 1e-9)).mean(axis=1)
    for level in np.arange(1, 36) / 35:
        assert (p_values <= level + 1e-12).mean() <= level + 1e-12
    assert (p_values <= 0.2).mean() == pytest.approx(0.2)
    actual = int(np.flatnonzero((every == design.actual).all(axis=1))[0])
    drawn = effects.inference.randomise(small(), draws=4_999, seed=1)
    assert drawn.loc[0, "p_value"] == pytest.approx(p_values[actual], abs=0.03)


def test_its_estimate_is_the_primary_estimate():
    cells = cells_of(3, effect=-2.0)
    row = effects.inference.randomise(cells, draws=99).iloc[0]
    simple = effects.estimators.impute(cells, draws=1).iloc[0]
    assert row["estimate"] == pytest.approx(simple["estimate"], abs=1e-12)
    assert row["p_value"] <= 0.05


def test_schools_keep_their_block():
    cells = cells_of(1)
    design = effects.inference.reassignments(cells)
    drawn = design.draw(50, seed=1)
    for block in design.blocks:
        assert (np.sort(drawn[:, block], axis=1) == np.sort(design.actual[block])).all()
    assert (drawn != design.actual).any(axis=1).all()


def test_one_trained_school_cannot_give_a_small_p_value():
    cells = cells_of(1, schools=12).assign(phase="primary")
    cells["cohort"] = np.where(cells["unit"].eq("s001"), 4, 0)
    row = effects.inference.randomise(cells, draws=199).iloc[0]
    assert row["allocations"] == pytest.approx(12)
    assert row["smallest_p"] == pytest.approx(1 / 12)
    assert row["p_value"] >= 1 / 12 - 0.05


def test_a_constant_shift_or_scale_changes_nothing():
    cells = cells_of(2)
    other = cells.assign(outcome=7 * cells["outcome"] + 100, weight=3 * cells["weight"])
    first, second = (
        effects.inference.randomise(table, draws=99).iloc[0] for table in (cells, other)
    )
    assert first["statistic"] == pytest.approx(second["statistic"], rel=1e-7)
    assert first["p_value"] == second["p_value"]


def test_what_cannot_be_tested_says_why():
    cells = cells_of(1)
    still = effects.inference.randomise(cells.assign(outcome=3.0), draws=99).iloc[0]
    assert (still["status"], np.isnan(still["p_value"])) == ("x", True)
    assert still["reason"].code == "no_variation"
    with pytest.raises(DesignError, match="one assignment only"):
        effects.inference.randomise(cells.assign(phase=cells["cohort"]))
    with pytest.raises(DesignError, match="nobody trained in years"):
        effects.inference.randomise(cells.assign(cohort=0))
    with pytest.raises(DesignError, match="nothing imputed"):
        effects.inference.randomise(cells.assign(cohort=np.where(cells["cohort"].eq(4), 1, 2)))
    with pytest.raises(DesignError, match="draws is 9, must be at least 99"):
        effects.inference.randomise(cells, draws=9)
