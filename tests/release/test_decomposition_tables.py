"""Decomposed gaps beside the released one: what is shown, and what a reader can solve from it."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from tests.release.invented_strata import children, composition_of, moments_of, panel_of
from vsh_eval import metrics, names
from vsh_eval.contracts import ContractError, DisclosureError
from vsh_eval.metrics import kitagawa
from vsh_eval.metrics.strata import FACTORS, Sums
from vsh_eval.release import protect, round_breakdowns, round_leaves, rule_named
from vsh_eval.release.disclosure.decomposition_tables import FEWEST, FEWEST_FOR_FACTORS

STRICT = rule_named("strict10")
ASKED = {"group": "cwsw", "reference": "peers"}
KEYS = ["time_period", "phase", "metric"]


@pytest.fixture(scope="module")
def pupils():
    return children(2)


@pytest.fixture(scope="module")
def cube(pupils):
    return round_leaves(panel_of(pupils), STRICT)


@pytest.fixture(scope="module")
def tables(pupils):
    composition, asked = composition_of(pupils), {"moments": moments_of(pupils), **ASKED}
    return {
        "decomposed": metrics.decompose(composition, **asked),
        "matched": metrics.matched_gap(composition, **asked),
        "standardised": metrics.standardised_gap(composition, baseline=202324, **asked),
    }


def shown(table, cube):
    return protect(table, STRICT, kind="decomposition", cube=cube)


def test_the_gap_shown_is_the_released_one_and_the_parts_add_up_to_it(tables, pupils, cube):
    frame = shown(tables["decomposed"], cube).frame
    released = protect(
        metrics.gaps(panel_of(pupils), **ASKED), STRICT, kind="gaps", cube=cube
    ).frame
    both = frame.merge(released, on=KEYS, suffixes=("", "_released"))
    there = both[both["status"] == ""]
    assert len(there) > 6
    assert (there["gap"] - there["gap_released"].round(1)).abs().max() < 0.051
    assert (there["gap"] - there["composition"] - there["rates"]).abs().max() < 1e-9
    true = there.merge(tables["decomposed"], on=KEYS, suffixes=("", "_true"))
    assert (true["composition"] - true["composition_true"]).abs().max() <= 0.05 + 1e-9


def test_the_true_parts_do_not_sum_to_what_is_shown(tables, cube):
    """The rates' part is the released gap less the composition: not the true one."""
    frame = shown(tables["decomposed"], cube).frame
    both = frame.merge(tables["decomposed"], on=KEYS, suffixes=("", "_true"))
    counted = both[(both["metric"] == "persistent_absence") & (both["status"] == "")]
    off = (counted["rates"] - counted["rates_true"]).abs()
    expected = (counted["gap"] - counted["gap_true"]).abs()
    assert (off - expected).abs().max() < 0.11
    assert off.max() > 0.2


def test_changing_a_true_rate_changes_nothing_that_is_shown_of_it(tables, cube):
    table = tables["decomposed"]
    moved = table.assign(gap=table["gap"] + 1, rates=table["rates"] + 1)
    pd.testing.assert_frame_equal(
        shown(table, cube).frame.drop(columns=["rates_lower", "rates_upper"]),
        shown(moved, cube).frame.drop(columns=["rates_lower", "rates_upper"]),
    )


def test_limits_are_to_one_decimal_and_never_narrower(tables, cube):
    table = tables["decomposed"]
    both = shown(table, cube).frame.merge(table, on=KEYS, suffixes=("", "_true"))
    both = both[both["status"] == ""]
    for name in ("composition", "rates"):
        width = both[f"{name}_upper"] - both[f"{name}_lower"]
        true = both[f"{name}_upper_true"] - both[f"{name}_lower_true"]
        assert (width >= true - 1e-9).all()
        assert (width <= true + 0.2 + 1e-9).all()
        assert np.allclose(both[f"{name}_upper"], both[f"{name}_upper"].round(1))


def test_small_groups_are_hidden_and_their_factors_sooner(cube, tables):
    frame = shown(tables["decomposed"], cube).frame
    n = frame["group_pupils"].astype("Float64").fillna(0).astype(float)
    assert (frame.loc[n < FEWEST, "status"] == "c").all()
    factors = frame[[f"composition_{factor}" for factor in FACTORS]]
    assert factors[n < FEWEST_FOR_FACTORS].isna().all().all()
    assert factors[(n >= FEWEST_FOR_FACTORS) & (frame["status"] == "")].notna().all().all()
    hidden = frame[frame["status"] == "c"]
    assert hidden[["gap", "composition", "rates_lower"]].isna().all().all()


def test_few_strata_are_hidden(cube, tables):
    table = tables["decomposed"].assign(strata=9.0)
    assert (shown(table, cube).frame["status"] == "c").all()


def test_a_matched_gap_is_the_released_level_less_that_of_those_alike(tables, cube):
    frame = shown(tables["matched"], cube).frame
    there = frame[frame["status"] == ""]
    assert len(there) > 4
    assert (there["group_level"] - there["matched_level"] - there["matched_gap"]).abs().max() < 1e-9
    apart = tables["matched"].assign(coverage=0.9)
    assert set(shown(apart, cube).frame["status"]) <= {"u", "c"}


def test_a_standardised_gap_moves_the_released_one(tables, cube):
    table = tables["standardised"]
    frame = shown(table, cube).frame
    both = frame.merge(table, on=KEYS, suffixes=("", "_true"))
    both = both[both["status"] == ""]
    moved = both["standardised_gap_true"] - both["gap_true"]
    assert (both["standardised_gap"] - both["gap"] - moved).abs().max() < 0.051
    base = both[both["time_period"] == 202324]
    assert (base["standardised_gap"] == base["gap"]).all()
    gone = table.assign(reference_coverage=0.7)
    assert set(shown(gone, cube).frame["status"]) <= {"u", "c"}


def test_an_unmeasured_row_is_not_applicable(tables, cube):
    table = tables["standardised"].assign(standardised_gap=np.nan, status="")
    assert set(shown(table, cube).frame["status"]) <= {"z", "c"}


def test_an_exact_rule_shows_true_parts(tables, pupils):
    exact = rule_named("none")
    cube = round_leaves(panel_of(pupils), exact)
    for table in tables.values():
        frame = protect(table, exact, kind="decomposition", cube=cube).frame
        assert (frame["gap"].dropna() == table["gap"].dropna()).all()


def test_what_does_not_fit_is_refused(tables, pupils, cube):
    table = tables["decomposed"]
    breakdowns = round_breakdowns(composition_of(pupils), STRICT, cube=cube)
    for wrong in (None, breakdowns):
        with pytest.raises(DisclosureError, match="without a cube"):
            protect(table, STRICT, kind="decomposition", cube=wrong)
    with pytest.raises(ContractError, match="df"):
        shown(table.drop(columns="df"), cube)
    with pytest.raises(DisclosureError, match="other children"):
        shown(table.assign(group_pupils=table["group_pupils"] + 1), cube)
    with pytest.raises(DisclosureError, match="twice"):
        shown(pd.concat([table, table]), cube)


# --- The reader who knows every number of children in every stratum and all the peers' outcomes.


def strata(pupils):
    """Return the cohort's and the peers' children and persistent absentees, stratum by stratum."""
    axes = [sorted(pupils[factor].unique()) for factor in FACTORS]
    grid = pd.MultiIndex.from_product(axes, names=FACTORS)
    found = []
    for groups in (("cin", "cpp"), ("peers",)):
        mine = pupils[pupils["group"].isin(groups)]
        sums = mine.groupby(list(FACTORS))["persistent"].agg(["size", "sum"]).reindex(grid)
        shape = (1, *map(len, axes))
        found += [sums[c].fillna(0).to_numpy(float).reshape(shape) for c in ("size", "sum")]
    return found


class Reader:
    """Unknown are the cohort's numerators only; the parts shown are linear in them."""

    def __init__(self, pupils, *, factors):
        n, y, peers_n, peers_y = strata(pupils)
        mix = kitagawa.mix_of(Sums(n, y, n, n, n, n), Sums(peers_n, peers_y, *[peers_n] * 4))
        parts = [kitagawa.composition(mix), *(kitagawa.by_factor(mix) if factors else [])]
        self.live = np.flatnonzero(n.ravel() > 0)
        self.n, self.y = n.ravel()[self.live], y.ravel()[self.live]
        self.place = np.array(np.unravel_index(self.live, n.shape[1:]))
        self.limits = []
        for phase in np.unique(self.place[0]):  # the rounded leaf of each phase
            inside = (self.place[0] == phase) * 1.0
            rounded = 5 * np.round(inside @ self.y / 5)
            self.limits.append((inside, rounded - 4, rounded + 4))
        self.leaves = list(self.limits)
        for part in parts:
            slope = 100 * part.by_r.ravel()[self.live] / self.n
            true = 100 * part.value[0]
            rest = true - slope @ self.y
            self.limits.append(
                (slope, np.round(true, 1) - 0.05 - rest, np.round(true, 1) + 0.05 - rest)
            )

    def candidates(self, weights, limits):
        matrix, low, high = (np.array(side) for side in zip(*limits, strict=True))
        ends = []
        for sign in (1, -1):
            found = milp(
                sign * weights,
                constraints=LinearConstraint(matrix, low - 1e-9, high + 1e-9),
                bounds=Bounds(np.zeros_like(self.n), self.n),
                integrality=np.ones_like(self.n),
                options={"time_limit": 2.0},
            )
            # Out of time, the best numbers found so far are candidates all the same.
            ends.append(sign * (weights @ self.y * sign if found.x is None else found.fun))
        return round(ends[1] - ends[0]) + 1

    def sums(self):
        """All absentees, and those of every phase and SEN status."""
        yield "all", np.ones_like(self.n)
        for axis, factor in enumerate(FACTORS[:2]):
            for value in np.unique(self.place[axis]):
                yield f"{factor} {value}", (self.place[axis] == value) * 1.0


def told(pupils, *, factors):
    """Yield every sum with its candidates without and with the decomposition."""
    reader = Reader(pupils, factors=factors)
    for name, weights in reader.sums():
        before = reader.candidates(weights, reader.leaves)
        yield name, before, reader.candidates(weights, reader.limits)


@pytest.mark.parametrize(
    ("size", "factors"), [(FEWEST / 210, False), (FEWEST_FOR_FACTORS / 210, True), (1.0, True)]
)
def test_a_reader_who_knows_all_but_the_outcomes_keeps_five_candidates(size, factors):
    pupils = cohort_of(round(size * 210), seed=6)
    found = list(told(pupils, factors=factors))
    assert len(found) == 7
    for name, before, after in found:
        assert after >= min(before, 5), name


def test_the_reader_has_teeth_under_the_threshold():
    """Where there are few children, four factors to one decimal tell their number."""
    worst = [
        after
        for seed in range(3)
        for name, before, after in told(cohort_of(16, seed=seed), factors=True)
        if before >= 5
    ]
    assert min(worst) < 5


def test_a_true_gap_to_one_decimal_tells_the_true_number():
    """Why no exact parts leave: with N known, one decimal leaves one numerator of 150."""
    n, peers = 150, 16.2
    fits = {
        y for y in range(n + 1) if round(100 * y / n - peers, 1) == round(100 * 61 / n - peers, 1)
    }
    assert fits == {61}


def cohort_of(count, *, seed):
    """The first children of a cohort beside all peers."""
    pupils = children(seed, years=(202425,), size=1.2)
    own = pupils["group"].isin(["cin", "cpp"])
    kept = pupils[own].sample(count, random_state=seed)
    return pd.concat([kept, pupils[pupils["group"] == "peers"]], ignore_index=True)


def test_the_notes_say_that_composition_is_no_cause(tables, cube):
    notes = " ".join(shown(tables["decomposed"], cube).notes)
    assert "not what causes what" in notes
    assert names.CONFIDENTIAL in notes
