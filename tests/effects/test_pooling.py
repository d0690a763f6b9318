"""Several authorities together: against hand work, metafor's numbers, and laws."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsh_eval.contracts import InfeasibleError
from vsh_eval.effects import evidence, pooling
from vsh_eval.effects.sensitivity.composition import ENTRANTS_PRIOR, LOG_COHORT
from vsh_eval.numerics.inference.significance import minimum_detectable

BCG = np.array(
    [
        (4, 119, 11, 128),
        (6, 300, 29, 274),
        (3, 228, 11, 209),
        (62, 13536, 248, 12619),
        (33, 5036, 47, 5761),
        (180, 1361, 372, 1079),
        (8, 2537, 10, 619),
        (505, 87886, 499, 87892),
        (29, 7470, 45, 7232),
        (17, 1699, 65, 1600),
        (186, 50448, 141, 27197),
        (5, 2493, 3, 2338),
        (27, 16886, 29, 17825),
    ],
    dtype=float,
)
"""Tuberculosis and none, vaccinated and not: Colditz et al. (1994), JAMA 271, 698-702."""


def test_it_agrees_with_a_meta_analysis_by_hand():
    # Variances 1, 1, 4 and estimates 0, 4, 2. With w = 1/(1+t), 1/(1+t), 1/(4+t) the mean is 2 by
    # symmetry, and sum w (y - 2)^2 = 8 / (1 + t) = k - 1 = 2 at t = 3. The weights are 1/4, 1/4,
    # 1/7, their sum 9/14, the error sqrt(14/9); t(0.975, 2) = 4.302652729911275.
    found = pooling.combine([0.0, 4.0, 2.0], [1.0, 1.0, 2.0])
    error = math.sqrt(14 / 9)
    assert found.tau_squared == pytest.approx(3.0, abs=1e-6)
    assert found.estimate == pytest.approx(2.0, abs=1e-6)
    assert found.std_error == pytest.approx(error, abs=1e-6)
    assert found.ci_upper == pytest.approx(2 + 4.302652729911275 * error, abs=1e-6)
    assert found.weights == pytest.approx((7 / 18, 7 / 18, 4 / 18), abs=1e-6)
    # One degree of freedom: t(0.975, 1) = 12.706204736174694.
    assert found.next_lower == pytest.approx(
        2 - 12.706204736174694 * math.sqrt(3 + 14 / 9), abs=1e-5
    )
    # Q at 0: weights 1, 1, 1/4 give the mean 2 again and 4 + 4 = 8.
    assert found.q == pytest.approx(8.0, abs=1e-9)
    # Typical variance (k - 1) sum w / ((sum w)^2 - sum w^2) = 2 (9/4) / (81/16 - 33/16) = 1.5.
    assert found.i_squared == pytest.approx(100 * 3 / 4.5, abs=1e-5)


def test_the_bcg_trials_come_out_as_metafor_prints_them():
    """Log risk ratios of 13 trials.

    Q and the limits of tau^2 and I^2: metafor's reference pages of rma.uni and confint.rma.uni
    (Viechtbauer 2010, Journal of Statistical Software 36(3)), which show Q = 152.2330, 0.1197 to
    1.1115 and 81.92 to 97.68. tau^2 = 0.3181 is what metafor's own tests (test_misc_rma_uni)
    demand of its iterated estimators, whose fixed point is Paule and Mandel's.
    """
    treated, control = BCG[:, 0] + BCG[:, 1], BCG[:, 2] + BCG[:, 3]
    values = np.log(BCG[:, 0] / treated) - np.log(BCG[:, 2] / control)
    variances = 1 / BCG[:, 0] - 1 / treated + 1 / BCG[:, 2] - 1 / control
    found = pooling.combine(values, np.sqrt(variances))
    assert found.q == pytest.approx(152.2330, abs=5e-5)
    assert found.tau_squared == pytest.approx(0.3181, abs=5e-5)
    assert found.tau_squared_lower == pytest.approx(0.1197, abs=5e-5)
    assert found.tau_squared_upper == pytest.approx(1.1115, abs=5e-5)
    assert found.i_squared_lower == pytest.approx(81.92, abs=5e-3)
    assert found.i_squared_upper == pytest.approx(97.68, abs=5e-3)
    # Knapp and Hartung's interval with this tau^2 by the published formula, written out here.
    weights = 1 / (variances + found.tau_squared)
    mean = (weights * values).sum() / weights.sum()
    error = math.sqrt((weights * (values - mean) ** 2).sum() / 12 / weights.sum())
    assert (found.estimate, found.std_error) == pytest.approx((mean, error), abs=1e-7)
    assert found.ci_lower == pytest.approx(mean - 2.1788128296634177 * error, abs=1e-7)


def test_equal_estimates_are_no_certainty():
    found = pooling.combine([1.0, 1.0], [0.5, 0.5])
    assert found.std_error == pytest.approx(0.5 / math.sqrt(2))
    assert found.tau_squared == 0
    assert math.isnan(found.next_lower)


@pytest.mark.parametrize("k", [0, 1])
def test_one_authority_is_no_pool(k):
    with pytest.raises(InfeasibleError, match=f"too few authorities .authorities {k}, least 2"):
        pooling.combine([1.0] * k, [1.0] * k)


NUMBERS = st.tuples(st.floats(-5, 5), st.floats(0.1, 3))


@settings(max_examples=40, deadline=None)
@given(st.lists(NUMBERS, min_size=3, max_size=8), st.floats(-3, 3), st.randoms())
def test_order_origin_and_sign_of_the_estimates_change_nothing_else(rows, shift, chance):
    values, errors = map(np.array, zip(*rows, strict=True))
    order = list(range(len(rows)))
    chance.shuffle(order)
    found = pooling.combine(values, errors)
    other = pooling.combine(shift - values[order], errors[order])
    assert other.estimate == pytest.approx(shift - found.estimate, abs=1e-6)
    assert other.std_error == pytest.approx(found.std_error, abs=1e-6)
    assert other.ci_lower == pytest.approx(shift - found.ci_upper, abs=1e-5)
    assert other.tau_squared == pytest.approx(found.tau_squared, abs=1e-6)


def test_more_authorities_are_as_many_as_the_detectable_effect_asks():
    found = pooling.combine([-1.0, -2.0, -0.5, -1.5], [1.0] * 4)
    more = pooling.more_needed(found, 1.0)
    error = found.std_error * math.sqrt(4 / (4 + more))
    assert minimum_detectable(error, 3 + more) <= 1.0
    before = found.std_error * math.sqrt(4 / (3 + more))
    assert minimum_detectable(before, 2 + more) > 1.0


def rows_of(
    name, value, *, error=1.0, slope=0.0, bias=3.0, lead=0.0, peers=0.0, other=-1.0, size=0.0,
    unsure=1.0,
):  # fmt: skip
    """What one authority gives."""
    base = {"name": name, "metric": "overall_absence", "index": 0, "aggregation": "simple"}
    base |= {"target": "gap", "role": "primary", "estimator": "imputation", "std_error": error}
    base |= {"schools_treated": 40, "schools_comparison": 20, "pupils": 500}
    again = {"role": "robustness", "estimator": "same_past"}
    hidden = dict.fromkeys(pooling.COUNTS)
    return [
        base | {"estimate": value},
        base | again | hidden | {"estimate": value},
        base | {"aggregation": "event", "index": -2, "estimate": lead, "std_error": 0.3},
        base | {"role": "secondary", "metric": "persistent_absence", "estimate": other},
        base | {"role": "secondary", "metric": "severe_absence", "estimate": value / 2},
        base
        | {
            "role": "robustness",
            "target": "drift",
            "estimate": slope,
            "std_error": 0.05,
            "bias": bias,
        },
        base | {"role": "robustness", "target": "reference_level", "estimate": peers},
        base | {"role": "robustness", "target": LOG_COHORT, "estimate": size, "std_error": 0.1},
        base
        | {
            "role": "robustness",
            "target": ENTRANTS_PRIOR,
            "estimate": 0.0,
            "std_error": unsure,
        },
    ]


def table_of(*authorities):
    rows = [row for one in authorities for row in one]
    return pd.DataFrame(rows).reindex(columns=["name", *pooling.GIVEN_COLUMNS])


def eight(**changes):
    spread = np.linspace(-0.6, 0.6, 8)
    return table_of(*(rows_of(f"a{i}", -3.0 + s, **changes) for i, s in enumerate(spread)))


def the(table, **where):
    for column, value in where.items():
        table = table[table[column].eq(value)]
    return table.iloc[0] if len(table) == 1 else table


def test_a_pool_adds_up_its_own_authorities_and_shows_the_others():
    out = rows_of("left out", 9.0)
    given_rows = pd.concat([eight(), table_of(out)], ignore_index=True)
    table = pooling.pooled(given_rows, {f"a{i}" for i in range(8)})
    overall = {"role": "primary", "aggregation": "simple"}
    pool = the(table, variant="included", **overall)
    assert pool["authorities"] == 8
    assert pool["estimate"] == pytest.approx(-3.0)
    assert pool["pupils"] == 4000
    assert the(table, variant="every", **overall)["authorities"] == 9
    assert the(table, variant="every", **overall)["estimate"] > -3.0
    own = the(table, variant="own", **overall).set_index("name")
    assert own["weight"].drop("left out").sum() == pytest.approx(1.0)
    assert math.isnan(own["weight"]["left out"])
    left = the(table, variant="without", estimator="imputation")
    assert sorted(left["name"]) == [f"a{i}" for i in range(8)]
    again = the(table, variant="included", estimator="same_past", aggregation="simple")
    assert pd.isna(again["pupils"])


def test_the_secondary_outcomes_are_adjusted_together():
    table = pooling.pooled(eight(), {f"a{i}" for i in range(8)})
    found = the(table, variant="included", role="secondary")
    assert found["p_adjusted"].max() == pytest.approx(found["p_value"].max())
    assert found["p_adjusted"].min() == pytest.approx(
        min(2 * found["p_value"].min(), found["p_value"].max())
    )


def judged(given_rows, *, chosen_by=("volunteers",), registered=(True,)):
    table = pooling.pooled(given_rows, set(given_rows["name"]))
    return pooling.judge(
        table,
        sesoi=0.5,
        lower_is_better=True,
        chosen_by=chosen_by,
        registered=registered,
    )


def test_a_pool_is_judged_by_the_rules_of_each_authority():
    found = judged(eight())
    assert (found.statement, found.decided_by) == (evidence.NARROWED, "")
    assert found.rules["rule"].tolist() == list(pooling.RULES)
    assert found.confidence == evidence.MODERATE
    by_lot = judged(eight(), chosen_by=("lot",))
    assert (by_lot.statement, by_lot.confidence) == (evidence.NARROWED, evidence.HIGH)


@pytest.mark.parametrize(
    ("changes", "statement", "decided_by"),
    [
        ({"slope": -1.1}, evidence.NOT_ATTRIBUTABLE, "drift"),
        ({"slope": -0.8}, evidence.NARROWED, ""),
        ({"slope": -0.8, "bias": 4.0}, evidence.NOT_ATTRIBUTABLE, "drift"),
        ({"lead": -1.0}, evidence.NOT_ATTRIBUTABLE, "pretrend"),
        ({"peers": -2.0}, evidence.WHOLE_SCHOOL_MOVED, "peers"),
        ({"size": 0.15}, evidence.NOT_ATTRIBUTABLE, "composition"),
        ({"unsure": 8.0}, evidence.NARROWED, ""),
        ({"unsure": 12.0}, evidence.NOT_ATTRIBUTABLE, "entrants"),
        ({"error": 9.0}, evidence.INCONCLUSIVE, ""),
    ],
)
def test_what_one_authority_cannot_see_the_pool_can(changes, statement, decided_by):
    found = judged(eight(**changes))
    assert (found.statement, found.decided_by) == (statement, decided_by)


@pytest.mark.parametrize(
    ("statement", "failed", "out"),
    [
        ("not_attributable", ["drift"], ""),
        ("not_attributable", ["entrants"], ""),
        ("not_attributable", ["drift", "composition"], "composition"),
        ("not_attributable", ["pretrend", "composition"], "pretrend"),
        ("not_estimable", [], "not_estimable"),
        ("narrowed", ["registered", "chosen_by"], ""),
    ],
)
def test_no_rule_that_is_asked_of_clear_estimates_alone_leaves_an_authority_out(
    statement, failed, out
):
    verdicts = {rule: "fail" if rule in failed else "pass" for rule in evidence.RULES}
    assert pooling.left_out_by(statement, verdicts) == out


def test_how_schools_were_chosen_counts_only_where_every_authority_chose_in_one_way():
    for ways, verdict, reason in (
        (("lot",), "pass", "chosen_by_lot"),
        (("gap",), "fail", "chosen_by_gap"),
        (("lot", "gap"), "not_testable", "chosen_by_not_all"),
        (("unknown",), "not_testable", "chosen_by_not_all"),
    ):
        rule = judged(eight(), chosen_by=ways).rules.set_index("rule").loc["chosen_by"]
        assert (rule["verdict"], rule["reason"].code) == (verdict, reason)


def test_a_registration_counts_only_where_every_authority_kept_one():
    for registered, verdict in (
        ((True, True), "pass"),
        ((True, False), "fail"),
        ((None,), "fail"),
    ):
        rules = judged(eight(), registered=registered).rules.set_index("rule")
        assert rules.loc["registered", "verdict"] == verdict
