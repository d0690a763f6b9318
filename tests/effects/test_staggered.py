"""Callaway and Sant'Anna's estimator against R's numbers, and against means taken by hand."""

import numpy as np
import pandas as pd
import pytest

from tests.effects.conftest import cells_of
from vsh_eval import effects
from vsh_eval.contracts import ContractError, DesignError

SPECIFICATIONS = {
    "mpdta_nev_dr": {"comparison": "never_treated"},
    "mpdta_nyt_dr": {"comparison": "not_yet_treated"},
    "sim_nev_dr": {"comparison": "never_treated", "covariates": ["X"]},
}
NAMES = {"group": "cohort", "dynamic": "event", "calendar": "calendar"}


@pytest.fixture(scope="module")
def panels(shared_data):
    """The two panels of R's numbers: county employment and a simulated one."""
    moderndid = pytest.importorskip("moderndid")
    counties = moderndid.load_mpdta().to_pandas()
    names = {"countyreal": "unit", "year": "time", "first.treat": "cohort", "lemp": "outcome"}
    simulated = pd.read_csv(shared_data / "reference" / "did_sim_data.csv")
    columns = {"id": "unit", "period": "time", "G": "cohort", "Y": "outcome"}
    return {
        "mpdta": counties.rename(columns=names).assign(weight=1.0),
        "sim": simulated.rename(columns=columns).assign(weight=1.0),
    }


@pytest.mark.parametrize("specification", SPECIFICATIONS)
def test_the_numbers_of_r(specification, panels, shared_data):
    panel = panels[specification.split("_")[0]]
    rows = effects.estimators.att_gt(panel, **SPECIFICATIONS[specification], draws=99)
    rows = rows.set_index(["aggregation", "cohort", "index"])
    reference = {
        name: table[table["scenario"].eq(specification)]
        for name in ("attgt", "aggte")
        for table in [pd.read_csv(shared_data / "reference" / f"csdid_ref_{name}.csv")]
    }
    assert len(reference["attgt"]) == len(rows.loc["att_gt"])
    for cell in reference["attgt"].itertuples():
        ours = rows.loc[("att_gt", cell.group, cell.t)]
        assert (ours["estimate"], ours["std_error"]) == pytest.approx((cell.att, cell.se), abs=1e-6)
    for part in reference["aggte"].itertuples():
        if part.type == "simple":
            overall = rows.loc[("simple", 0, 0)]
        else:
            overall = rows.loc[(f"overall_{NAMES[part.type]}", 0, 0)]
            ours = rows.loc[(NAMES[part.type], 0, int(part.egt))]
            expected = (part.att_egt, part.se_egt)
            assert (ours["estimate"], ours["std_error"]) == pytest.approx(expected, abs=1e-6)
        expected = (part.overall_att, part.overall_se)
        assert (overall["estimate"], overall["std_error"]) == pytest.approx(expected, abs=1e-6)


@pytest.fixture
def balanced():
    cells = cells_of(11, schools=30, absent=0.0)
    mean = cells.groupby("unit")["pupils"].transform("mean")
    return cells.assign(weight=mean)


@pytest.mark.parametrize("comparison", ["not_yet_treated", "never_treated"])
def test_two_by_two_means_by_hand(balanced, comparison):
    rows = effects.estimators.att_gt(balanced, comparison=comparison)
    wide = balanced.pivot_table(index="unit", columns="time", values="outcome")
    school = balanced.groupby("unit")[["cohort", "weight"]].first()
    for row in rows[rows["aggregation"].eq("att_gt")].itertuples():
        g, t = row.cohort, row.index
        base = g - 1 if t >= g else t - 1
        change = wide[t] - wide[base]
        own = school["cohort"].eq(g)
        rest = school["cohort"].eq(0)
        if comparison == "not_yet_treated":
            rest |= school["cohort"].gt(max(t, base)) & ~own
        expected = np.average(change[own], weights=school["weight"][own]) - np.average(
            change[rest], weights=school["weight"][rest]
        )
        assert row.estimate == pytest.approx(expected, abs=1e-9)
        assert (row.schools_treated, row.schools_comparison) == (own.sum(), rest.sum())
        shares = [school["weight"][arm].max() / school["weight"][arm].sum() for arm in (own, rest)]
        assert row.largest_share == pytest.approx(max(shares))


def test_counts_behind_the_means(balanced):
    rows = effects.estimators.att_gt(balanced).set_index(["aggregation", "index"])
    after = balanced[balanced["cohort"].gt(0) & balanced["time"].ge(balanced["cohort"])]
    assert rows.loc[("simple", 0), "pupils"] == after["pupils"].sum()
    assert rows.loc[("cohort", 5), "pupils"] == after.query("cohort == 5")["pupils"].sum()
    assert rows.loc[("calendar", 6), "pupils"] == after.query("time == 6")["pupils"].sum()
    assert rows.loc[("event", 2), "schools_treated"] == 10
    assert rows.loc[("simple", 0), "df"] == 29


def test_bands_contain_the_intervals_and_are_seeded(balanced):
    rows = effects.estimators.att_gt(balanced, seed=4)
    assert (rows["band_lower"] <= rows["ci_lower"]).all()
    event = rows[rows["aggregation"].eq("event")]
    assert (event["band_upper"] > event["ci_upper"]).all()
    pd.testing.assert_frame_equal(rows, effects.estimators.att_gt(balanced, seed=4))
    other = effects.estimators.att_gt(balanced, seed=5)
    assert not rows["band_upper"].equals(other["band_upper"])
    pd.testing.assert_series_equal(rows["ci_upper"], other["ci_upper"])


def test_schools_without_a_year_or_trained_before_are_left_out(balanced):
    hole = balanced["unit"].eq("s000") & balanced["time"].eq(2)
    early = balanced["unit"].eq("s001")
    table = balanced[~hole].assign(cohort=balanced["cohort"].mask(early, 1))
    kept = balanced[~balanced["unit"].isin(["s000", "s001"])]
    pd.testing.assert_frame_equal(
        effects.estimators.att_gt(table, draws=99), effects.estimators.att_gt(kept, draws=99)
    )


def test_schools_trained_after_the_last_year_count_as_untrained(balanced):
    later = balanced.assign(cohort=balanced["cohort"].replace({0: 9}))
    pd.testing.assert_frame_equal(
        effects.estimators.att_gt(later, comparison="never_treated"),
        effects.estimators.att_gt(balanced, comparison="never_treated"),
    )


def test_without_never_trained_schools_later_ones_compare():
    cells = cells_of(2, absent=0.0, cohorts=(4, 6)).assign(weight=1.0)
    rows = effects.estimators.att_gt(cells)
    assert rows.loc[rows["aggregation"].eq("calendar"), "index"].tolist() == [4, 5]
    with pytest.raises(DesignError, match="no never trained school in every year"):
        effects.estimators.att_gt(cells, comparison="never_treated")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.assign(cohort=0), "no trained school in every year"),
        (lambda t: t[t["time"].ne(t["unit"].str[-1].astype(int) % 6 + 1)], "in every year"),
        (lambda t: t.assign(weight=t["pupils"]), "weight changes within a school"),
        (lambda t: t[t["cohort"].eq(4)], "library finds no comparison"),
    ],
)
def test_what_the_library_would_take_silently_is_refused(balanced, change, message):
    with pytest.raises(DesignError, match=message) as caught:
        effects.estimators.att_gt(change(balanced))
    assert str(caught.value).endswith(".")


def test_covariates_must_be_known_and_named(balanced):
    gap = balanced.assign(size=balanced["pupils"].where(balanced["unit"].ne("s003")))
    with pytest.raises(DesignError, match="covariate size is missing in 1 schools"):
        effects.estimators.att_gt(gap, covariates=["size"])
    with pytest.raises(ContractError, match="lacks the column wealth"):
        effects.estimators.att_gt(balanced, covariates=["wealth"])
    with pytest.raises(ContractError, match="comparison is 'treated'"):
        effects.estimators.att_gt(balanced, comparison="treated")


def test_the_librarys_warnings_are_kept_from_the_page(balanced, recwarn):
    few = balanced[balanced["cohort"].ne(5) | balanced["unit"].isin(["s002", "s005"])]
    effects.estimators.att_gt(few, draws=99)
    assert not [w for w in recwarn if "group" in str(w.message)]
