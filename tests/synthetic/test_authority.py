from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.synthetic.measured import attended, groups, levels
from vsh_eval import registry
from vsh_eval.contracts import RETURNS
from vsh_eval.returns import check, open_returns
from vsh_eval.synthetic import Plan, invent, synthesise
from vsh_eval.synthetic.calibration import ABSENCE_YEARS, published_absence, yearly_figures

# Rows and sums of the 120 schools of seed 1, from before the other measures were drawn.
FIRST_TABLES = {
    "attendance": (828300, 3968038, 1759739),
    "ks2_rwm_expected": (19406, 12126.0),
    "ks4_attainment8": (27185, 1293401.32),
}


def test_invented_returns_pass_every_check_and_have_every_table_and_measure(tmp_path):
    folder = synthesise(tmp_path / "returns", Plan(schools=15, first=201819))
    with open_returns(folder) as returns:
        findings = check(returns)
        measures = returns.connection.execute("FROM attainment SELECT DISTINCT measure").fetchall()
    assert set(findings["table"]) == set(RETURNS)
    assert findings.query("result != 'pass'")["check"].tolist() == []
    assert {name for (name,) in measures} == {m.name for m in registry.returned_measures()}


def test_the_effect_changes_attendance_alone(borough, trained):
    for name, table in borough.tables.items():
        same = table.equals(trained.tables[name])
        assert same == (name != "attendance")


def test_identifiers_are_plainly_invented(borough):
    tables = borough.tables
    assert tables["enrolments"]["pupil_id"].str.fullmatch(r"P\d{7}").all()
    assert tables["schools"]["urn"].str.fullmatch(r"9\d{5}").all()
    assert tables["schools"]["name"].is_unique
    assert tables["schools"]["name"].str.endswith("(invented)").all()


def test_absence_by_group_phase_and_year_is_near_the_published(borough_rows):
    rows = borough_rows
    tolerance = {"overall": 1.0, "unauthorised": 0.7, "persistent": 3.5, "severe": 1.5}
    for stage, phase in (("primary", "primary"), ("secondary", "secondary")):
        for year_at, year in enumerate(ABSENCE_YEARS):
            at = rows[(rows["phase"] == phase) & (rows["academic_year"] == year)]
            everyone = levels(at)
            for measure, allowed in tolerance.items():
                published = published_absence()["all", stage, measure][year_at]
                assert everyone[measure] == pytest.approx(published, abs=allowed / 2)
        for group, slack in (("cin", 1.0), ("cpp", 2.5), ("cla", 2.0)):
            at = rows[(rows["phase"] == phase) & (rows["group"] == group)]
            found = levels(at)
            share = at["academic_year"].value_counts(normalize=True)
            for measure, allowed in tolerance.items():
                by_year = dict(
                    zip(ABSENCE_YEARS, published_absence()[group, stage, measure], strict=True)
                )
                published = sum(share[year] * by_year[year] for year in share.index)
                assert found[measure] == pytest.approx(published, abs=slack * allowed)


def test_cohort_size_and_the_children_in_it(borough_rows, borough):
    rows = borough_rows.drop_duplicates(["pupil_id", "academic_year"])
    cohort = rows["group"].isin(["cin", "cpp"])
    a_year = rows["academic_year"].nunique()
    counts = borough.tables["schools"]["phase"].value_counts()
    assert 6 <= cohort.sum() / a_year / 120 <= 7
    by_phase = rows[cohort]["phase"].value_counts() / a_year / counts
    assert 3.6 <= by_phase["primary"] <= 5.4
    assert 11 <= by_phase["secondary"] <= 17
    peers = rows[rows["group"] == "peers"]
    assert rows[cohort]["fsm6"].mean() == pytest.approx(0.60, abs=0.06)
    assert peers["fsm6"].mean() == pytest.approx(0.24, abs=0.04)
    sen = [part["sen"].value_counts(normalize=True) for part in (rows[cohort], peers)]
    assert (sen[0]["K"], sen[0]["E"]) == pytest.approx((0.22, 0.31), abs=0.05)
    assert (sen[1]["K"], sen[1]["E"]) == pytest.approx((0.13, 0.04), abs=0.02)
    assert ((rows["sen"] == "E") & (rows["group"] == "peers")).any()


def test_possible_sessions_are_near_351_and_fewer_in_year_11(borough_rows):
    rows = borough_rows
    year = rows.groupby(["pupil_id", "academic_year", "year_group"])["sess_possible"].sum()
    assert year.mean() == pytest.approx(351, abs=3)
    by_age = year.groupby("year_group")
    assert by_age.mean().loc[1:10].between(350, 362).all()
    assert by_age.mean().loc[11] == pytest.approx(308, abs=4)
    assert by_age.std().loc[5] == pytest.approx(9, abs=2)


def test_a_pupils_absence_is_remembered_from_year_to_year(borough_rows):
    rows = borough_rows
    rows = rows[(rows["phase"] == "secondary") & (rows["group"] == "peers")]
    rate = (rows["missed"] / rows["sess_possible"]).set_axis(
        pd.MultiIndex.from_frame(rows[["pupil_id", "academic_year"]])
    )
    rate = rate[~rate.index.duplicated(keep=False)]
    one, two = (rate.xs(year, level="academic_year") for year in (202223, 202324))
    found = one.corr(two)
    assert found == pytest.approx(0.6, abs=0.08)


def test_suspensions_are_near_the_published(borough):
    keys = ["pupil_id", "academic_year"]
    rows = borough.tables["suspensions"].query("suspensions > 0")[keys].drop_duplicates()
    pupils = groups(borough).merge(rows.assign(suspended=100.0), how="left", on=keys)
    pupils = pupils.fillna({"suspended": 0.0})
    everyone = pupils.groupby("academic_year")["suspended"].mean()
    assert everyone[201617] == pytest.approx(2.29, abs=0.6)
    assert everyone[202324] == pytest.approx(4.04, abs=0.9)
    assert pupils.query("group == 'cin'")["suspended"].mean() == pytest.approx(11.1, abs=2.5)
    assert borough.tables["suspensions"]["permanent_exclusions"].sum() > 0


def test_the_attainment_effect_reaches_the_trained_cohort_alone():
    plain, better = (
        invent(Plan(schools=30, first=202021, attainment_effect=a)) for a in (0.0, 8.0)
    )
    both = plain.tables["attainment"].merge(
        better.tables["attainment"], on=["pupil_id", "academic_year", "measure", "urn"]
    )
    both = both.merge(groups(plain)).assign(gain=lambda rows: rows["value_y"] - rows["value_x"])
    cohort = both["group"].isin(["cin", "cpp"])
    assert (both.loc[~cohort, "gain"] == 0).all()
    assert (both.loc[both["academic_year"] < 202122, "gain"] == 0).all()
    points = both[cohort & (both["measure"] == "ks4_attainment8") & (both["gain"] != 0)]
    assert points["gain"].mean() == pytest.approx(8.0, abs=1.0)


# How far all pupils and children in need may be off beyond chance: schools differ.
SLACK = {
    **{f"{subject}_progress": (0.2, 1.0) for subject in ("reading", "writing", "maths")},
    "attainment8": (0.5, 2.0),
    "progress8": (0.1, 0.4),
}


def test_every_level_of_attainment_is_near_the_published(borough):
    results = borough.tables["attainment"].merge(groups(borough))
    figures = yearly_figures()
    for entry in registry.returned_measures():
        if (entry.name, "all") not in figures:
            continue
        scale = 100 if entry.whole else 1
        rows = results[results["measure"] == entry.name]
        for group, allowed in zip(("all", "cin"), SLACK.get(entry.name[4:], (1.5, 8)), strict=True):
            mine = rows if group == "all" else rows[rows["group"] == group]
            by_year = mine.groupby("academic_year")["value"].agg(["mean", "size", "std"])
            published = [figures[entry.name, group][year // 100 - 2016] for year in by_year.index]
            off = np.average(scale * by_year["mean"] - published, weights=by_year["size"])
            error = scale * mine["value"].std() / np.sqrt(len(mine))
            assert abs(off) < allowed + 4 * error, (entry.name, group)


def test_results_of_a_pupil_agree_with_one_another(borough):
    wide = borough.tables["attainment"].pivot_table(
        index=["pupil_id", "academic_year"], columns="measure", values="value"
    )
    ks2 = wide.dropna(subset=["ks2_rwm_expected"])
    subjects = [f"ks2_{subject}_expected" for subject in ("reading", "writing", "maths")]
    assert ((ks2[subjects] == 1).all(axis=1) == (ks2["ks2_rwm_expected"] == 1)).all()
    for subject in ("reading", "maths"):
        reached = ks2[f"ks2_{subject}_expected"] == 1
        assert ((ks2[f"ks2_{subject}_score"] >= 100) == reached).all()
    ks4 = wide.dropna(subset=["ks4_attainment8"])
    assert (ks4["ks4_basics_95"] <= ks4["ks4_basics_94"]).all()
    assert ks4["ks4_attainment8"].corr(ks4["ks4_progress8"]) > 0.5
    assert ks2["ks2_maths_score"].corr(ks2["ks2_reading_score"]) > 0.6


def test_more_absence_goes_with_lower_results(borough, borough_rows):
    absent = borough_rows.groupby(["pupil_id", "academic_year"])[["missed", "sess_possible"]].sum()
    rate = (absent["missed"] / absent["sess_possible"]).rename("absent").reset_index()
    both = borough.tables["attainment"].merge(rate)
    for measure in ("phonics_expected", "ks2_maths_score", "ks2_reading_progress", "ks4_progress8"):
        rows = both[both["measure"] == measure]
        assert rows["value"].corr(rows["absent"]) < -0.1


def test_the_other_measures_leave_absence_and_the_first_two_as_they_were(borough):
    tables = borough.tables
    rows = tables["attendance"]
    assert len(rows) == FIRST_TABLES["attendance"][0]
    sums = (int(rows["sess_authorised"].sum()), int(rows["sess_unauthorised"].sum()))
    assert sums == FIRST_TABLES["attendance"][1:]
    for measure in ("ks2_rwm_expected", "ks4_attainment8"):
        value = tables["attainment"].query("measure == @measure")["value"]
        assert (len(value), round(value.sum(), 2)) == FIRST_TABLES[measure]


def test_planted_effect_is_what_the_tables_carry(borough_rows, trained_rows, trained):
    without, with_effect = borough_rows, trained_rows
    treated = treated_rows(trained, without)
    cohort = without["group"].isin(["cin", "cpp"])
    difference = levels(with_effect[treated & cohort])["overall"]
    difference -= levels(without[treated & cohort])["overall"]
    simple = trained.truth.query("metric == 'overall_absence' and aggregation == 'simple'").iloc[0]
    assert difference == pytest.approx(simple["effect"], abs=0.03)
    assert simple["planted"] == -3.0
    assert simple["pupils"] == (treated & cohort).sum()
    assert simple["sessions"] == without[treated & cohort]["sess_possible"].sum()
    persistent = trained.truth.query("metric == 'persistent_absence'").iloc[0]["effect"]
    in_tables = levels(with_effect[treated & cohort])["persistent"]
    in_tables -= levels(without[treated & cohort])["persistent"]
    assert in_tables == pytest.approx(persistent, abs=1e-9)


def test_no_child_outside_the_treated_cohort_is_touched(borough_rows, trained_rows, trained):
    without, with_effect = borough_rows, trained_rows
    treated = treated_rows(trained, without) & without["group"].isin(["cin", "cpp"])
    assert (without["missed"] == with_effect["missed"])[~treated].all()
    assert (without["missed"] > with_effect["missed"])[treated].any()
    assert (without["missed"] >= with_effect["missed"])[treated].all()


def test_an_effect_on_peers_moves_them_and_not_the_cohort():
    plan = Plan(schools=20, seed=3, effect=0.0, first=202122)
    authorities = [invent(replace(plan, effect_on_peers=by)) for by in (0.0, -2.0)]
    without, helped = (attended(one) for one in authorities)
    treated, cohort = treated_rows(authorities[0], without), without["group"].isin(["cin", "cpp"])
    assert (without["missed"] == helped["missed"])[~treated | cohort].all()
    moved = levels(helped[treated & ~cohort])["overall"]
    moved -= levels(without[treated & ~cohort])["overall"]
    assert moved == pytest.approx(-2.0, abs=0.1)


def treated_rows(authority, rows):
    links = authority.tables["school_links"].set_index("successor_urn")["urn"]
    log = authority.tables["training"].assign(urn=lambda t: t["urn"].replace(links.to_dict()))
    first = log.groupby("urn")["start_date"].min()
    start = first.dt.year - (first.dt.month < 9)
    late = (first.dt.month >= 11) | (first.dt.month < 9)
    adopted = (start + late).rename("adopted")
    stable = rows["urn"].replace(links.to_dict())
    return rows["academic_year"] // 100 >= stable.map(adopted).fillna(9999)


def test_mean_planted_effect_over_seeds_is_the_plans():
    drawn = []
    for seed in range(6):
        truth = invent(Plan(schools=12, seed=seed, effect=-2.0, first=202223)).truth
        drawn.append(truth.loc[0, "effect"])
    error = np.std(drawn, ddof=1) / np.sqrt(len(drawn))
    assert error < 0.2
    assert np.mean(drawn) == pytest.approx(-2.0, abs=4 * error)


def test_without_training_there_is_no_truth_and_no_log():
    authority = invent(Plan(schools=10, first=202122, share_trained=0.0))
    assert authority.truth.empty
    assert authority.tables["training"].empty
    assert set(authority.tables["training"]) == set(RETURNS["training"].column_names)
    assert len(authority.tables["school_links"]) == 1


@pytest.mark.parametrize("cohort", [3.0, 25.0])
def test_cohort_size_follows_the_plan(cohort):
    authority = invent(Plan(schools=120, cohort_per_school=cohort, first=202324))
    rows = attended(authority).drop_duplicates(["pupil_id", "academic_year"])
    found = rows["group"].isin(["cin", "cpp"]).sum() / rows["academic_year"].nunique() / 120
    assert found == pytest.approx(cohort, rel=0.15)


def test_pretrend_growth_and_milder_entrants_do_what_they_say():
    plan = Plan(schools=20, effect=0.0, first=201819)
    asked = ({}, {"pretrend": 1.0}, {"growth_after_training": 3.0}, {"milder_entrants": 3.0})
    usual, drifting, growing, milder = (attended(invent(replace(plan, **one))) for one in asked)
    cohort = usual["group"].isin(["cin", "cpp"])
    moved = (drifting["missed"] - usual["missed"]) / usual["sess_possible"]
    assert (moved[~cohort] == 0).all()
    by_year = moved[cohort].groupby(usual["academic_year"]).mean()
    assert by_year[201819] < -0.01 < 0.005 < by_year[202425]
    sizes = [
        part[part["group"].isin(["cin", "cpp"])].groupby("academic_year").size()
        for part in (usual, growing)
    ]
    assert sizes[0][202021] == sizes[1][202021]
    assert sizes[1][202425] > 1.2 * sizes[0][202425]
    fewer = (milder["missed"] < usual["missed"]).groupby(usual["academic_year"]).sum()
    assert fewer[202021] == 0
    assert fewer[202425] > 20
