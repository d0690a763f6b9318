"""Products over schools equal those worked out pupil by pupil, and name no school."""

from collections import Counter, defaultdict

import numpy as np
import pandas as pd
import pytest

from tests.cohort import oracle
from tests.cohort.invented import random_returns
from tests.cohort.tables import attendance, build, enrolment, episode, school
from tests.frames import FIRST_CODES
from vsh_eval import names

YEARS = (201819, 202021)
KEYS = [*names.MOMENT_KEYS[4:]]
SUMS = ("numerator", "denominator")
GROUPS = {leaf: (leaf,) for leaf in names.LEAF_GROUPS} | dict(names.GROUP_SUMS)


@pytest.fixture(scope="module")
def returned():
    """Movers, three phases in two authorities, attainment in hundredths."""
    return random_returns(2026, pupils=50)


@pytest.fixture(scope="module")
def built(returned):
    return build(returned, years=YEARS)


@pytest.fixture(scope="module")
def told(returned):
    """Every pupil's enrolments: where, metric, y in hundredths where it is attainment, x."""
    return list(oracle.outcomes(returned, YEARS, "any_time_in_year", "episode", 6))


def words(where):
    """The stratum of a pupil in either family, and the value of every breakdown."""
    sen, fsm6, sex, year_group = where[5:]
    found = FIRST_CODES | {"sex": sex, "fsm6": fsm6, "sen": sen, "year_group": year_group}
    value = {by: of.codes[found[of.column]] for by, of in names.CHARACTERISTICS.items()}
    strata = {by: "/".join(value[a] for a in axes) for by, axes in names.MOMENT_AXES.items()}
    return strata, value | {names.ANY: names.ANY}


def school_sums(told):
    """Sums of y and x of every school, year, phase, metric and family, by group and stratum."""
    schools = defaultdict(lambda: defaultdict(lambda: np.zeros(2)))
    for _, where, metric, y, x, per in told:
        unit, la, phase, period, group = where[:5]
        for by, stratum in words(where)[0].items():
            schools[unit, la, period, phase, metric, by, per][group, stratum] += (y, x)
    return schools


def test_products_equal_those_of_every_two_strata_of_every_school(built, told):
    expected = defaultdict(lambda: np.zeros(4))
    for (_, *block, per), sums in school_sums(told).items():
        for one, (y, x) in sums.items():
            for two, (v, w) in sums.items():
                value = (y * v / per**2, y * w / per, x * v / per, x * w)
                expected[(*block, *one, *two)] += value
    keys = built.moments[KEYS].astype(object)
    values = built.moments[list(names.MOMENT_PRODUCTS)].to_numpy()
    found = dict(zip(keys.itertuples(index=False, name=None), values, strict=True))
    assert len(found) == len(built.moments)
    back = {(*k[:5], *k[7:], *k[5:7]): v[[0, 2, 1, 3]] for k, v in found.items()}
    assert all(k[5:7] == k[7:] for k in set(found) & set(back)), "each pair once"
    found |= back
    assert set(found) == set(expected)
    np.testing.assert_allclose(
        [found[key] for key in expected], list(expected.values()), rtol=1e-12
    )


def test_schools_and_the_largest_are_counted_by_every_value(built, told):
    counts = defaultdict(Counter)
    for _, where, metric, *_ in told:
        unit, la, phase, period, leaf = where[:5]
        for by, value in words(where)[1].items():
            for group, leaves in GROUPS.items():
                if leaf in leaves:
                    counts[la, period, phase, metric, by, value, group][unit] += 1
    keys = list(names.SPREAD_KEYS[4:])
    found = {
        tuple(row[name] for name in keys): (row["pupils"], row["schools"], row["largest"])
        for row in built.spread.to_dict("records")
    }
    assert found == {
        key: (each.total(), len(each), max(each.values())) for key, each in counts.items()
    }


def test_a_table_by_hand():
    """Two schools: 10 of 100 missed and 4 of 100 by peers; 5 of 50 by a child in need in one."""
    tables = {
        "schools": [school("100"), school("200")],
        "enrolments": [enrolment("P1"), enrolment("P2", urn="200"), enrolment("P3", sen="K")],
        "attendance": [
            attendance("P1", auth=10, unauth=0),
            attendance("P2", urn="200", auth=4, unauth=0),
            attendance("P3", possible=50, auth=5, unauth=0),
        ],
        "episodes": [episode("P3", "2023-10-01")],
    }
    rows = build(tables).moments.query("metric == 'overall_absence' and by == 'make_up'")
    pairs = rows.set_index(["group", "other_group"])[list(names.MOMENT_PRODUCTS)]
    assert pairs.loc[("peers", "peers")].tolist() == [116, 1400, 1400, 20_000]
    assert pairs.loc[("cin", "cin")].tolist() == [25, 250, 250, 2500]
    assert pairs.loc[("cin", "peers")].tolist() == [50, 500, 500, 5000]
    assert len(pairs) == 3


def test_no_row_names_a_school_and_text_is_short(built):
    assert tuple(built.moments.columns) == names.MOMENT_COLUMNS
    assert tuple(built.spread.columns) == names.SPREAD_COLUMNS
    for table in (built.moments, built.spread):
        assert set(table["unit_id"]) == {"E1", "E2"}
        text = table.drop(columns=["time_period"]).select_dtypes("category").columns
        assert len(text) == len(table.columns) - 5 + (table is built.spread)
        assert not set(built.schools["unit_id"]) & set(table[text].astype("str").to_numpy().ravel())


def test_one_authority_has_the_sum_of_two(returned, built):
    """Schools of two authorities: products and schools add up, the largest is the larger one."""
    joined = {**returned, "schools": [(*row[:3], "E1", *row[4:]) for row in returned["schools"]]}
    one = build(joined, years=YEARS)
    for name, numbers in (("moments", names.MOMENT_PRODUCTS), ("spread", ("pupils", "schools"))):
        table = getattr(built, name)
        keys = [key for key in table.columns if key not in {*numbers, "unit_id", "largest"}]
        both, alone = (
            part.groupby(keys, observed=True)[list(numbers)].sum().sort_index()
            for part in (table, getattr(one, name))
        )
        pd.testing.assert_frame_equal(both, alone, rtol=1e-12)


def test_a_year_without_pupils_has_no_row():
    tables = {"schools": [school("100")], "enrolments": [enrolment("P1")]}
    built = build(tables)
    assert built.moments.empty
    assert built.spread.empty
    assert tuple(built.moments.columns) == names.MOMENT_COLUMNS
    assert built.moments["yy"].dtype == "float64"
