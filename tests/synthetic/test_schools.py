import pandas as pd
import pytest

from vsh_eval.synthetic import Plan, invent
from vsh_eval.synthetic.schools import phase_counts


@pytest.mark.parametrize("schools", [10, 37, 120, 1001])
def test_phases_add_up_and_every_authority_has_primaries_and_a_secondary(schools):
    counts = phase_counts(schools)
    assert sum(counts) == schools
    assert counts[0] == pytest.approx(0.8 * schools, abs=1)
    assert counts[1] >= 1


def test_one_school_converts_and_its_pupils_go_on(trained):
    tables = trained.tables
    schools = tables["schools"].set_index("urn")
    link = tables["school_links"].iloc[0]
    old, new = schools.loc[link["urn"]], schools.loc[link["successor_urn"]]
    assert old["closed"] == link["date"] - pd.Timedelta(days=1)
    assert new["opened"] == link["date"]
    assert old["pct_fsm"] == new["pct_fsm"]
    years = tables["enrolments"].groupby("urn")["academic_year"].agg(["min", "max"])
    assert years.loc[link["urn"], "max"] // 100 == link["date"].year - 1
    assert years.loc[link["successor_urn"], "min"] // 100 == link["date"].year
    assert link["urn"] in set(tables["training"]["urn"])
    assert len(schools) == 121


def test_covariates_are_numbers_that_go_together(borough):
    schools = borough.tables["schools"]
    assert schools["pct_fsm"].between(0, 100).all()
    assert schools["idaci"].between(0, 1).all()
    assert schools[["pct_fsm", "idaci"]].corr().iloc[0, 1] > 0.7
    pupils = borough.tables["enrolments"].groupby("urn")["fsm6"].mean()
    primary = schools[schools["phase"] == "primary"].set_index("urn")["pct_fsm"]
    assert primary.corr(100 * pupils.loc[primary.index]) > 0.8


@pytest.mark.parametrize(
    ("plan", "year"),
    [
        (Plan(schools=12, first=202122, share_trained=0.0), 2023),
        (Plan(schools=12, first=202122, adoption=(202425,)), 2023),
        (Plan(schools=12, first=202122, adoption=(202223,)), 2023),
    ],
)
def test_a_school_converts_whether_or_not_it_is_trained(plan, year):
    assert invent(plan).tables["school_links"]["date"].iloc[0].year == year
