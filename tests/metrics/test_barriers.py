import pandas as pd
import pytest

from vsh_eval import names
from vsh_eval.contracts import CohortRuleError, ContractError
from vsh_eval.metrics import BARRIER_COLUMNS, barriers

PAIR = {"group": "cwsw", "reference": "peers"}


def composition(rows, **constant):
    """Make a composition: phase, group, metric, sen, fsm6, pupils, numerator."""
    columns = ["phase", "group", "metric", "sen", "fsm6", "pupils", "numerator"]
    table = pd.DataFrame(rows, columns=columns).assign(
        **{
            "source": "returns",
            "vintage": "2026",
            "cohort_rule": "any_time_in_year",
            "level": "la",
            "unit_id": "E06000049",
            "time_period": 202425,
            "sex": "F",
            "year_group": 4,
            "denominator": lambda made: made["pupils"],
            "sum_yy": 0.0,
            "sum_xy": 0.0,
            "sum_xx": 0.0,
            "rate": float("nan"),
            "status": "",
        }
        | constant
    )
    return table[list(names.COMPOSITION_COLUMNS)]


ROWS = [
    ("primary", "cin", "overall_absence", "N", 1, 30, 900.0),
    ("primary", "cpp", "overall_absence", "K", 0, 10, 300.0),
    ("secondary", "cin", "overall_absence", "E", 1, 20, 900.0),
    ("primary", "peers", "overall_absence", "N", 0, 800, 9_000.0),
    ("primary", "peers", "overall_absence", "K", 1, 150, 2_000.0),
    ("secondary", "peers", "overall_absence", "E", 0, 50, 900.0),
    ("primary", "cin", "pupils_suspended", "N", 1, 30, 3.0),
    ("secondary", "cin", "pupils_suspended", "E", 1, 22, 7.0),
    ("primary", "peers", "pupils_suspended", "N", 0, 900, 9.0),
]


def row(table, barrier, phase="total"):
    found = table[(table["barrier"] == barrier) & (table["phase"] == phase)]
    assert len(found) == 1
    return found.iloc[0]


def test_shares_by_hand():
    table = barriers(composition(ROWS), **PAIR)
    assert tuple(table.columns) == BARRIER_COLUMNS
    assert list(dict.fromkeys(table["barrier"])) == [
        "sen_support",
        "ehc_plan",
        "fsm6",
        "pupils_suspended",
    ]
    for barrier, mine, theirs in (
        ("sen_support", 10 / 60, 150 / 1000),
        ("ehc_plan", 20 / 60, 50 / 1000),
        ("fsm6", 50 / 60, 150 / 1000),
        ("pupils_suspended", 10 / 52, 9 / 900),
    ):
        found = row(table, barrier)
        assert found["group_level"] == pytest.approx(100 * mine)
        assert found["reference_level"] == pytest.approx(100 * theirs)
        assert found["gap"] == pytest.approx(100 * (mine - theirs))
        assert found["ratio"] == pytest.approx(mine / theirs)
        assert found["gap_lower"] < found["gap"] < found["gap_upper"]
    assert row(table, "fsm6")["group_pupils"] == 60
    assert row(table, "fsm6", "primary")["group_numerator"] == 30


def test_intervals_are_wilson_and_newcombe():
    from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

    found = row(barriers(composition(ROWS), **PAIR), "fsm6")
    wilson = proportion_confint(50, 60, method="wilson")
    assert found["group_level_lower"] == pytest.approx(100 * wilson[0])
    newcombe = confint_proportions_2indep(50, 60, 150, 1000, method="newcomb")
    assert (found["gap_lower"], found["gap_upper"]) == pytest.approx(
        tuple(100 * end for end in newcombe)
    )


def test_a_phase_without_the_group_is_z():
    found = row(barriers(composition(ROWS), **PAIR), "pupils_suspended", "secondary")
    assert found["status"] == "z"
    assert found[["reference_level", "gap", "gap_lower", "ratio"]].isna().all()
    assert found["reference_pupils"] == 0


def test_another_population_and_whole_groups():
    table = barriers(composition(ROWS), group="cin", reference="all", population="pupils_suspended")
    assert row(table, "ehc_plan")["group_level"] == pytest.approx(100 * 22 / 52)
    assert row(table, "ehc_plan")["reference_level"] == pytest.approx(100 * 22 / 952)


def test_strata_and_order_of_rows_do_not_matter():
    whole = composition(ROWS)
    halves = pd.concat([whole.assign(sex=sex, pupils=whole["pupils"] // 2) for sex in "FM"])
    halves = halves.assign(denominator=halves["pupils"], numerator=halves["numerator"] / 2)
    pd.testing.assert_frame_equal(
        barriers(halves.sample(frac=1, random_state=1), **PAIR), barriers(whole, **PAIR)
    )


@pytest.mark.parametrize(
    ("change", "given", "match"),
    [
        ({}, PAIR | {"population": "ks4_attainment8"}, "no row of ks4_attainment8"),
        ({}, PAIR | {"population": "absence"}, "metric is 'absence'"),
        ({}, {"group": "cwsw", "reference": "cwsw"}, "must differ"),
        ({}, {"group": "cwsw", "reference": "others"}, "group is 'others'"),
    ],
)
def test_what_cannot_be_counted_is_refused(change, given, match):
    with pytest.raises(ContractError, match=match):
        barriers(composition(ROWS, **change), **given)


def test_two_cohort_rules_are_refused():
    mixed = pd.concat([composition(ROWS), composition(ROWS, cohort_rule="at_31_march")])
    with pytest.raises(CohortRuleError, match="at_31_march"):
        barriers(mixed, **PAIR)
