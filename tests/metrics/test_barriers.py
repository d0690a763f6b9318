import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from tests.metrics.children import children, composition_of, moments_of, panel_of
from vsh_eval import metrics, names
from vsh_eval.contracts import CohortRuleError, ContractError
from vsh_eval.metrics import BARRIER_COLUMNS, Moments, barriers
from vsh_eval.metrics.barriers import TRAITS

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
        name: barriers(composition_made, group="cwsw", reference=name, moments=moments)
        for name in ("peers", "all")
    }


@pytest.fixture(scope="module")
def clustered(against):
    return against["peers"]


def renamed(table):
    """Let the children who are often absent be the suspended ones."""
    return table.assign(metric=table["metric"].replace({"persistent_absence": "pupils_suspended"}))


@pytest.mark.parametrize("schools", [1, 2, 20])
def test_an_event_is_measured_as_gaps_measures_its_metric(schools):
    pupils = alike(schools=schools)
    made = moments_of(pupils, ["persistent_absence"])
    made = Moments(renamed(made.products), renamed(made.spread))
    composition = renamed(composition_of(pupils, ["persistent_absence"]))
    panel = renamed(panel_of(pupils, ["persistent_absence"]))
    keys = ["phase", "time_period"]
    for reference in ("peers", "all"):
        pair = {"group": "cwsw", "reference": reference, "alpha": 0.1}
        found = barriers(composition, moments=made, population="pupils_suspended", **pair)
        found = found[found["barrier"] == "pupils_suspended"]
        direct = metrics.gaps(panel, **pair).set_index(keys)
        direct = direct.loc[pd.MultiIndex.from_frame(found[keys])]
        assert set(found["phase"]) >= {"secondary", "total"}
        shares, others = (of[LIMITS[:-1]].to_numpy(float) / 100 for of in (found, direct))
        np.testing.assert_allclose(shares, others, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(found["df"], direct["df"])


def by_hand(pupils, trait, reference):
    """Both shares, their errors and that of their gap, school by school."""
    column, value = TRAITS[trait]
    sides = []
    for mine in (pupils["group"].isin(["cin", "cpp"]), pupils["group"].isin(reference)):
        counts = pupils[mine].groupby("school").size().reindex(range(20), fill_value=0)
        has = pupils[mine & (pupils[column] == value)].groupby("school").size()
        has = has.reindex(range(20), fill_value=0)
        share = has.sum() / counts.sum()
        sides.append((share, (has - share * counts) / counts.sum(), (counts > 0).sum()))
    (p, e, g), (q, f, h) = sides
    least = min(g, h)
    errors = [
        np.sqrt(n / (n - 1) * (part**2).sum()) for n, part in ((g, e), (h, f), (least, e - f))
    ]
    return 100 * np.array([p, q, p - q, *errors])


@pytest.mark.parametrize("reference", [["peers"], list(names.LEAF_GROUPS)])
@pytest.mark.parametrize("phase", ["total", "primary"])
@pytest.mark.parametrize("trait", list(TRAITS))
def test_a_trait_is_that_of_its_schools(pupils, against, trait, phase, reference):
    name = "peers" if reference == ["peers"] else "all"
    table = against[name]
    table = table[(table["barrier"] == trait) & (table["phase"] == phase)]
    assert table["time_period"].tolist() == list(YEARS)
    for found in table.to_dict("records"):
        mine = pupils[pupils["time_period"] == found["time_period"]]
        mine = mine if phase == "total" else mine[mine["phase"] == phase]
        columns = ["group_level", "reference_level", "gap"]
        columns += ["group_std_error", "reference_std_error", "gap_std_error"]
        expected = by_hand(mine, trait, reference)
        np.testing.assert_allclose([found[name] for name in columns], expected, rtol=1e-10)


def test_a_share_is_weighted_least_squares_by_school(pupils, clustered):
    last = pupils[pupils["time_period"] == YEARS[-1]]
    own = (last["group"] != "peers").to_numpy(float)
    poor = last["fsm6"].to_numpy(float)
    found = row(clustered[clustered["time_period"] == YEARS[-1]], "fsm6")
    for name, kept, design in (
        ("group_std_error", own == 1, np.ones((int(own.sum()), 1))),
        ("gap_std_error", own >= 0, np.column_stack([own, np.ones(len(last))])),
    ):
        fit = sm.OLS(poor[kept], design).fit(
            cov_type="cluster", cov_kwds={"groups": last["school"][kept], "df_correction": True}
        )
        # statsmodels counts pupils for its small-sample factor too.
        factor = np.sqrt((kept.sum() - 1) / (kept.sum() - design.shape[1]))
        assert found[name] == pytest.approx(100 * fit.bse[0] / factor, rel=1e-10)


def test_limits_are_those_of_a_share_of_children_measured_by_gaps(pupils, clustered):
    """Let those with a trait be the suspended ones: `gaps` knows the schools themselves."""
    for trait, (column, value) in TRAITS.items():
        traits = pupils.assign(y=pupils["x"] * (pupils[column] == value))
        direct = metrics.gaps(renamed(panel_of(traits, ["persistent_absence"])), **PAIR)
        found = clustered[clustered["barrier"] == trait]
        keys = ["phase", "time_period"]
        direct = direct.set_index(keys).loc[pd.MultiIndex.from_frame(found[keys])]
        np.testing.assert_allclose(found[LIMITS], direct[LIMITS], rtol=1e-11, atol=1e-11)


def test_moments_move_no_share_and_widen_what_goes_with_schools(composition_made, clustered):
    plain = barriers(composition_made, **PAIR)
    kept = [name for name in BARRIER_COLUMNS if name not in SPREAD]
    pd.testing.assert_frame_equal(clustered[kept], plain[kept])
    assert plain[["group_std_error", "gap_std_error", "df"]].isna().all(axis=None)
    wide, narrow = (row(of[of["time_period"] == YEARS[-1]], "fsm6") for of in (clustered, plain))
    reach = "reference_level_upper", "reference_level_lower"
    assert wide[reach[0]] - wide[reach[1]] > 1.5 * (narrow[reach[0]] - narrow[reach[1]])


def test_none_all_or_one_school_keep_the_score_interval():
    """Everybody has a plan, nobody has free meals, and one school has all of the cohort."""
    pupils = alike(years=(202425,))
    own = pupils["group"] != "peers"
    certain = pupils.assign(
        sen=np.where(own, "E", pupils["sen"]), fsm6=np.where(own, 0, pupils["fsm6"])
    )
    together = pupils.assign(school=np.where(own, 1, pupils["school"]), phase="primary")
    for changed, traits in ((certain, ("ehc_plan", "fsm6")), (together, ("sen_support", "fsm6"))):
        made = composition_of(changed, ["persistent_absence"])
        asked = {"population": "persistent_absence", **PAIR}
        clustered = barriers(made, moments=moments_of(changed, ["persistent_absence"]), **asked)
        for trait in traits:
            found, plain = row(clustered, trait), row(barriers(made, **asked), trait)
            for end in ("group_level_lower", "group_level_upper"):
                assert found[end] == pytest.approx(plain[end], rel=1e-12)
            assert found["gap_lower"] < found["gap"] < found["gap_upper"]
            assert found["reference_level_upper"] != pytest.approx(plain["reference_level_upper"])


def test_authorities_have_schools_of_their_own(composition_made, moments, clustered):
    other, there = alike(7, cohort=100, peers=900), {"unit_id": "E06000998"}
    theirs = moments_of(other)
    both = Moments(
        pd.concat([moments.products, theirs.products.assign(**there)]),
        pd.concat([moments.spread, theirs.spread.assign(**there)]),
    )
    composition = pd.concat([composition_made, composition_of(other).assign(**there)])
    found = barriers(composition, moments=both, **PAIR)
    mine = found[found["unit_id"] != there["unit_id"]].reset_index(drop=True)
    pd.testing.assert_frame_equal(mine, clustered)


def test_without_a_metric_that_counts_each_child_once_children_are_independent(
    composition_made, moments
):
    sessions = composition_made["metric"] == "overall_absence"
    for kept in (sessions, sessions | (composition_made["sex"] == "F")):
        some = composition_made[kept]
        pd.testing.assert_frame_equal(
            barriers(some, moments=moments, **PAIR), barriers(some, **PAIR)
        )


def test_moments_of_other_children_are_refused(pupils, moments):
    with pytest.raises(ContractError, match="count different pupils"):
        barriers(composition_of(pupils[5:]), moments=moments, **PAIR)
