import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from tests.frames import one_row
from tests.metrics.children import children, composition_of, moments_of, panel_of
from tests.metrics.panels import PAIR
from vsh_eval import names
from vsh_eval.contracts import CohortRuleError, ContractError
from vsh_eval.metrics import Comparison, gaps
from vsh_eval.metrics.characteristics import Moments, barriers
from vsh_eval.metrics.characteristics.barriers import TRAITS


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
            "key_n": 0,
            "key_y": 0,
        }
        | constant
    )
    return table.reindex(columns=list(names.COMPOSITION_COLUMNS))


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
    return one_row(table, barrier=barrier, phase=phase)


def test_shares_by_hand():
    table = barriers(composition(ROWS), None, PAIR)
    assert list(dict.fromkeys(table["barrier"])) == ["sen_support", "ehc_plan", "fsm6",
        "pupils_suspended"]  # fmt: skip
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


def test_a_phase_without_the_group_is_z():
    found = row(barriers(composition(ROWS), None, PAIR), "pupils_suspended", "secondary")
    assert found["status"] == "z"
    assert found[["reference_level", "gap", "gap_lower", "ratio"]].isna().all()
    assert found["reference_pupils"] == 0


def test_strata_and_order_of_rows_do_not_matter():
    whole = composition(ROWS)
    halves = pd.concat([whole.assign(sex=sex, pupils=whole["pupils"] // 2) for sex in "FM"])
    halves = halves.assign(denominator=halves["pupils"], numerator=halves["numerator"] / 2)
    pd.testing.assert_frame_equal(
        barriers(halves.sample(frac=1, random_state=1), None, PAIR), barriers(whole, None, PAIR)
    )


def test_what_cannot_be_counted_is_refused():
    events = [row for row in ROWS if row[2] == "pupils_suspended"]
    with pytest.raises(ContractError, match="no row of overall_absence"):
        barriers(composition(events), None, PAIR)
    with pytest.raises(ContractError, match="group is 'others'"):
        barriers(composition(ROWS), None, Comparison("cwsw", "others"))
    mixed = pd.concat([composition(ROWS), composition(ROWS, cohort_rule="at_31_march")])
    with pytest.raises(CohortRuleError, match="at_31_march"):
        barriers(mixed, None, PAIR)


# --- Clustered by school.

YEARS = (202324, 202425)
LIMITS = [
    *("group_level", "group_level_lower", "group_level_upper", "group_std_error"),
    *("reference_level", "reference_level_lower", "reference_level_upper", "reference_std_error"),
    *("gap", "gap_lower", "gap_upper", "gap_std_error", "df"),
]
SPREAD = LIMITS[1:4] + LIMITS[5:8] + LIMITS[9:]


def alike(seed=6, **changed):
    """Children whose free meals and SEN go with their school."""
    made = {"cohort": 180, "peers": 1500, "years": YEARS, "schools": 20}
    pupils = children(seed, **{**made, **changed})
    rng = np.random.default_rng(seed)
    poor = rng.random(len(pupils)) < 0.1 + 0.04 * (pupils["school"] % 10)
    pupils["fsm6"] = np.maximum(pupils["fsm6"], poor)
    pupils.loc[(rng.random(len(pupils)) < 0.5) & (pupils["school"] % 4 == 1), "sen"] = "K"
    return pupils


@pytest.fixture(scope="module")
def pupils():
    return alike()


@pytest.fixture(scope="module")
def composition_made(pupils):
    return composition_of(pupils)


@pytest.fixture(scope="module")
def moments(pupils):
    return moments_of(pupils)


@pytest.fixture(scope="module")
def against(composition_made, moments):
    return {
        name: barriers(composition_made, moments, Comparison("cwsw", name))
        for name in ("peers", "all")
    }


@pytest.fixture(scope="module")
def clustered(against):
    return against["peers"]


def renamed(table):
    """Let the children who are often absent be the suspended ones."""
    often = table["metric"] == "persistent_absence"
    return table[often].assign(metric="pupils_suspended")


@pytest.mark.parametrize("schools", [1, 2])
def test_an_event_is_measured_as_gaps_measures_its_metric(schools):
    pupils = alike(schools=schools)
    composition, made = composition_of(pupils), moments_of(pupils)
    made = Moments(*(pd.concat([of, renamed(of)]) for of in (made.products, made.spread)))
    composition = pd.concat([composition, renamed(composition)])
    panel = renamed(panel_of(pupils, ["persistent_absence"]))
    keys = ["phase", "time_period"]
    for reference in ("peers", "all"):
        pair = Comparison("cwsw", reference)
        found = barriers(composition, made, pair)
        found = found[found["barrier"] == "pupils_suspended"]
        direct = gaps(panel, pair).set_index(keys)
        direct = direct.loc[pd.MultiIndex.from_frame(found[keys])]
        assert set(found["phase"]) >= {"secondary", "total"}
        shares, others = (of[LIMITS[:-1]].to_numpy(float) / 100 for of in (found, direct))
        np.testing.assert_allclose(shares, others, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(found["df"], direct["df"])


@pytest.mark.parametrize("reference", ["peers", "all"])
def test_a_trait_is_measured_as_gaps_measures_a_share_of_children(pupils, against, reference):
    """Let those with a trait be the suspended ones: `gaps` knows the schools themselves."""
    for trait, (column, value) in TRAITS.items():
        traits = pupils.assign(y=pupils["x"] * (pupils[column] == value))
        panel = renamed(panel_of(traits, ["persistent_absence"]))
        found = against[reference][against[reference]["barrier"] == trait]
        keys = ["phase", "time_period"]
        direct = gaps(panel, Comparison("cwsw", reference)).set_index(keys)
        direct = direct.loc[pd.MultiIndex.from_frame(found[keys])]
        np.testing.assert_allclose(found[LIMITS], direct[LIMITS], rtol=1e-11, atol=1e-11)


def test_none_all_or_one_school_have_the_score_interval():
    """Everybody has a plan, nobody has free meals, and one school has all of the cohort."""
    pupils = alike(years=(202425,))
    own = pupils["group"] != "peers"
    certain = pupils.assign(
        sen=np.where(own, "E", pupils["sen"]), fsm6=np.where(own, 0, pupils["fsm6"])
    )
    together = pupils.assign(school=np.where(own, 1, pupils["school"]), phase="primary")
    for changed, traits in ((certain, ("ehc_plan", "fsm6")), (together, ("sen_support", "fsm6"))):
        clustered = barriers(composition_of(changed), moments_of(changed), PAIR)
        for trait in traits:
            found = row(clustered, trait)
            counts = found["group_numerator"], found["group_pupils"]
            score = proportion_confint(*map(int, counts), method="wilson")
            limits = found[["group_level_lower", "group_level_upper"]].astype(float).tolist()
            assert limits == pytest.approx([100 * end for end in score], abs=1e-10)
            assert found["gap_lower"] < found["gap"] < found["gap_upper"]


def test_a_metric_that_does_not_count_each_child_once_gives_no_moments(composition_made, moments):
    sessions = composition_made["metric"] == "overall_absence"
    for chosen in (sessions, sessions | (composition_made["sex"] == "F")):
        some = composition_made[chosen]
        pd.testing.assert_frame_equal(barriers(some, moments, PAIR), barriers(some, None, PAIR))


def test_moments_of_other_children_are_refused(pupils, moments):
    with pytest.raises(ContractError, match="count different pupils"):
        barriers(composition_of(pupils[5:]), moments, PAIR)
