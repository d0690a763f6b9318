from itertools import product

import numpy as np
import pandas as pd
import pytest

from vsh_eval import names, registry
from vsh_eval.synthetic import calibration
from vsh_eval.synthetic.calibration import (
    ABSENCE_YEARS,
    STAGES,
    absence_levels,
    published_absence,
    yearly_figures,
    yearly_levels,
)

PHASES = {
    "State-funded primary": "primary",
    "State-funded secondary": "secondary",
    "Special": "special",
    "State-funded alternative provision school": "alternative_provision",
    "State-funded AP school": "alternative_provision",
}
GROUPS = {
    "CINO at 31 March": "cin",
    "CPPO at 31 March": "cpp",
    "CLA 12 months at 31 March": "cla",
}
COLUMNS = {
    "overall": "pt_overall",
    "unauthorised": "pt_sess_unauthorised",
    "persistent": "pt_pupils_pa_10_exact",
    "severe": "pt_pupils_pa_50_exact",
}
ALL_PUPILS = {
    ("primary", "overall"): "PriTotAbs",
    ("primary", "unauthorised"): "PriUnauth",
    ("primary", "persistent"): "SFPriPerAbNew",
    ("primary", "severe"): "SFPriSevPerAbNew",
    ("secondary", "overall"): "SecTotAbs",
    ("secondary", "unauthorised"): "SecUnauth",
    ("secondary", "persistent"): "SFSecPerAbNew",
    ("secondary", "severe"): "SFSecSevPerAbNew",
    ("special", "overall"): "total_absence_special",
    ("special", "unauthorised"): "unauthorised_absence_special",
    ("special", "persistent"): "SpecPerAbNew",
    ("special", "severe"): "SpecSevPerAbNew",
}


@pytest.mark.parametrize(
    ("file", "phase", "years"),
    [
        ("ees_cino/absence_la.csv", "phase_type_grouping", ABSENCE_YEARS[2:]),
        (
            "ees_cino_2024_release/absence_six_half_terms_la.csv",
            "school_type",
            ABSENCE_YEARS[:2],
        ),
    ],
)
def test_absence_figures_are_the_published_ones(shared_data, file, phase, years):
    table = pd.read_csv(shared_data / file, dtype=str).query("geographic_level == 'National'")
    table = table.assign(
        stage=table[phase].map(PHASES), group=table["social_care_group"].map(GROUPS)
    )
    table = table.dropna(subset=["stage", "group"]).set_index(["group", "stage", "time_period"])
    for (group, stage, measure), values in published_absence().items():
        if group == "all":
            continue
        for year in years:
            value = float(table.loc[(group, stage, str(year)), COLUMNS[measure]])
            assert values[ABSENCE_YEARS.index(year)] == value


def test_all_pupils_figures_are_the_published_ones(shared_data):
    table = pd.read_parquet(shared_data / "lait" / "bds_long_0.parquet").astype(str)
    england = table[table["LA and Regions"] == "England"].set_index(["Short Desc", "Years"])
    for (stage, measure), item in ALL_PUPILS.items():
        for at, year in enumerate(ABSENCE_YEARS):
            value = float(england.loc[(item, str(year // 100 + 1)), "Values"])
            assert published_absence()["all", stage, measure][at] == pytest.approx(value, abs=5e-3)


YEARLY = {
    ("eyfsp_gld", "all"): "FSP_NEW_GOODDEV",
    ("eyfsp_gld", "cin"): "CIN_Good _Develop",
    ("eyfsp_gld", "cpp"): "CPP_Good_Develop",
    ("eyfsp_gld", "cla"): "LAC_Good_Develop",
    ("ks2_rwm_expected", "all"): "KS2RWM_Expected_STD",
    ("ks2_reading_expected", "all"): "KS2R_Expected_STD",
    ("ks2_reading_expected", "cin"): "CIN_KS2_ExpStd_R",
    ("ks2_reading_expected", "cla"): "LAC_KS2_ExpStd_R",
    ("ks2_writing_expected", "all"): "KS2W_Teacher_Assess",
    ("ks2_writing_expected", "cin"): "CIN_KS2_ExpStd_W",
    ("ks2_writing_expected", "cla"): "LAC_KS2_ExpStd_W",
    ("ks2_maths_expected", "all"): "KS2M_Expected_STD",
    ("ks2_maths_expected", "cin"): "CIN_KS2_ExpStd_M",
    ("ks2_maths_expected", "cla"): "LAC_KS2_ExpStd_M",
    ("ks2_maths_progress", "cla"): "LAC_KS2_AVG_Prog8_M",
    ("ks4_attainment8", "all"): "AVG_Attain8_Score",
    ("ks4_progress8", "all"): "AVG_Prog8_Score",
    ("ks4_progress8", "cin"): "CINProgKS2-4_Avg_Prog8",
    ("ks4_basics_94", "all"): "EngMaths9-4",
    ("ks4_basics_94", "cin"): "CIN_EngMaths9-4",
    ("ks4_basics_95", "all"): "EngMaths9-5",
    ("ks4_basics_95", "cin"): "CIN_EngMaths9-5",
    ("excluded", "cin"): "CINPermExclusion",
}


def test_yearly_figures_are_the_published_ones_where_they_are_published(shared_data):
    table = pd.read_parquet(shared_data / "lait" / "bds_long_0.parquet").astype(str)
    england = table[table["LA and Regions"] == "England"].set_index(["Short Desc", "Years"])
    compared = 0
    for (measure, group), item in YEARLY.items():
        for at, year in enumerate(range(2017, 2026)):
            published = england["Values"].get((item, str(year)), "-")
            if published in ("-", "nan"):
                continue
            found = yearly_figures()[measure, group][at]
            assert found == pytest.approx(float(published), abs=1e-6), (measure, group, year)
            compared += 1
    assert compared > 140


def test_every_measure_that_the_authority_returns_has_figures_for_every_group():
    figures = yearly_figures()
    measures = {measure for measure, _ in figures}
    assert measures < {e.name for e in registry.returned_measures()} | {"suspended", "excluded"}
    assert set(figures) == set(product(measures, calibration.GROUPS))
    assert {len(values) for values in figures.values()} == {9}


IN_NEED = {
    "ks4_la.csv": {
        "ks4_attainment8": "avg_att8",
        "ks4_progress8": "avg_p8score",
        "ks4_basics_94": "pt_l2basics_94",
        "ks4_basics_95": "pt_l2basics_95",
    },
    "ks2_la.csv": {
        "ks2_rwm_expected": "pt_rwm_met_expected_standard",
        "ks2_reading_expected": "pt_read_met_expected_standard",
        "ks2_writing_expected": "pt_writta_met_expected_standard",
        "ks2_maths_expected": "pt_mat_met_expected_standard",
        "ks2_reading_progress": "avg_read_progress_score",
        "ks2_writing_progress": "avg_writta_progress_score",
        "ks2_maths_progress": "avg_mat_progress_score",
    },
}


@pytest.mark.parametrize("file", IN_NEED)
def test_results_of_children_in_need_are_the_published_ones(shared_data, file):
    table = pd.read_csv(shared_data / "ees_cino" / file, dtype=str)
    table = table.query("geographic_level == 'National'").set_index(
        ["social_care_group", "time_period"]
    )
    for measure, column in IN_NEED[file].items():
        for published, group in GROUPS.items():
            for year in (201819, 201920, 202021, 202122, 202223, 202324, 202425):
                shown = table.loc[(published, str(year)), column]
                found = yearly_levels(measure, [year])[names.LEAF_GROUPS.index(group), 0]
                assert found == (0.0 if shown == "x" else float(shown)), (measure, group, year)


def test_leaf_groups_add_up_to_all_pupils():
    levels = absence_levels(ABSENCE_YEARS).overall
    for stage in ("primary", "secondary", "special"):
        shares = np.array(calibration._SHARES[stage])
        weights = np.append(shares, 1 - shares.sum())
        found = 100 * weights @ levels[:, STAGES.index(stage)]
        assert found == pytest.approx(np.array(published_absence()["all", stage, "overall"]))


@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0, 6.0])
def test_every_level_is_a_share_and_severe_is_part_of_persistent(scale):
    levels = absence_levels(ABSENCE_YEARS, scale=scale)
    assert np.all((levels.overall > 0) & (levels.overall < 1))
    assert np.all((levels.severe > 0) & (levels.severe < levels.persistent))
    assert np.all(levels.unauthorised < levels.overall)


def test_no_absence_in_2019_20_and_no_key_stage_2_without_tests():
    assert np.isnan(absence_levels([201920]).overall).all()
    assert not yearly_levels("ks2_rwm_expected", [201920, 202021]).any()
