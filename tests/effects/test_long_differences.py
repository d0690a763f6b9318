"""Every year against the last before training: by hand, by a library, leaving schools out."""

import numpy as np
import pandas as pd
import pytest

from tests.effects.conftest import cells_of
from vsh_eval.contracts import DesignError
from vsh_eval.effects.estimators.long_differences import long_differences


def test_one_cohort_is_callaway_and_santanna_with_a_universal_base():
    cells = cells_of(11, schools=30, absent=0.0, cohorts=(0, 4)).assign(weight=1.0)
    ours = long_differences(cells).rows.set_index("index")["estimate"]
    library = pytest.importorskip("moderndid")
    numbered = cells.assign(unit=pd.factorize(cells["unit"])[0] + 1)
    fitted = library.att_gt(
        numbered[["unit", "time", "cohort", "outcome"]], yname="outcome", tname="time",
        idname="unit", gname="cohort", base_period="universal", cband=False,
    )  # fmt: skip
    event = library.aggte(fitted, type="dynamic", na_rm=True, cband=False)
    theirs = dict(zip(map(int, event.event_times), event.att_by_event, strict=True))
    assert theirs.pop(-1) == 0
    assert ours.to_dict() == pytest.approx(theirs, abs=1e-9)


def test_means_by_hand_where_weights_and_schools_differ():
    cells = cells_of(3, schools=24, absent=0.0, cohorts=(0, 4))
    weight = cells.groupby("unit")["weight"].transform("first")
    found = long_differences(cells.assign(weight=weight)).rows.set_index("index")
    wide = cells.pivot_table(index="unit", columns="time", values="outcome")
    own = cells.groupby("unit")["cohort"].first().eq(4)
    weight = cells.groupby("unit")["weight"].first()
    for time in (1, 2, 4, 5, 6):
        change = wide[time] - wide[3]
        expected = np.average(change[own], weights=weight[own]) - np.average(
            change[~own], weights=weight[~own]
        )
        assert found.loc[time - 4, "estimate"] == pytest.approx(expected)
        pupils = cells.query("time == @time and cohort == 4")["pupils"].sum()
        assert found.loc[time - 4, "pupils"] == pupils


@pytest.mark.parametrize("stratum", [False, True])
def test_the_error_is_that_of_leaving_schools_out(stratum):
    cells = cells_of(4, schools=18)
    cells = cells.assign(stratum=cells["phase"]) if stratum else cells
    found = long_differences(cells)
    labels = found.rows["index"].tolist()
    without = [
        long_differences(cells[cells["unit"] != unit]).rows.set_index("index")["estimate"]
        for unit in cells["unit"].unique()
    ]
    moved = np.stack([one.reindex(labels).to_numpy() for one in without])
    deviation = moved - found.rows["estimate"].to_numpy()
    schools = found.rows["df"].to_numpy() + 1
    scale = (schools - 1) / schools
    assert found.rows["std_error"].to_numpy() == pytest.approx(
        np.sqrt(scale * (deviation**2).sum(axis=0)), rel=1e-9
    )
    root = deviation * np.sqrt(scale)
    assert found.covariance.to_numpy() == pytest.approx(root.T @ root, rel=1e-8, abs=1e-10)


def test_schools_without_the_last_year_before_are_left_out():
    cells = cells_of(6, schools=30, absent=0.0)
    hole = cells["unit"].eq("s001") & cells["time"].eq(3)
    found = long_differences(cells[~hole])
    without = long_differences(cells[cells["unit"] != "s001"])
    first = found.rows.set_index("index").loc[0]
    other = without.rows.set_index("index").loc[0]
    assert first["schools_treated"] == other["schools_treated"]


def test_a_cohort_without_its_last_year_before_is_left_out():
    cells = cells_of(6, schools=30, absent=0.0)
    hole = cells["cohort"].eq(5) & cells["time"].eq(4)
    found = long_differences(cells[~hole])
    assert found.rows["schools_treated"].tolist() == [10] * len(found.rows)


def test_years_of_a_single_school_are_left_out():
    cells = cells_of(6, schools=30, absent=0.0)
    lonely = cells[cells["cohort"].ne(5) | cells["unit"].eq("s002")]
    found = long_differences(lonely)
    assert -4 not in found.rows["index"].tolist()


def test_an_influence_function_stands_in_where_leaving_out_is_singular():
    cells = cells_of(9, schools=12, absent=0.0, cohorts=(0, 4))
    only = cells["cohort"].eq(4) | cells["unit"].eq("s000")
    found = long_differences(cells[only])
    assert (found.rows["std_error"] > 0).all()


def test_nothing_to_compare_is_refused(cells):
    with pytest.raises(DesignError, match="no year around training"):
        long_differences(cells[cells["cohort"].eq(0)])
    with pytest.raises(DesignError, match="no year around training"):
        long_differences(cells[cells["cohort"].eq(0) | cells["unit"].eq("s001")])
    first = cells.assign(cohort=np.where(cells["cohort"] > 0, 1, 0))
    with pytest.raises(DesignError, match="no year around training"):
        long_differences(first)
