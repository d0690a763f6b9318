import numpy as np
import pandas as pd
import pytest

from vsh_eval import names
from vsh_eval.synthetic import calibration
from vsh_eval.synthetic.calibration import (
    ABSENCE_YEARS,
    STAGES,
    absence_levels,
    published_absence,
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
    for at, year in enumerate(range(2017, 2026)):
        value = float(england.loc[("AVG_Attain8_Score", str(year)), "Values"])
        found = calibration._YEARLY["ks4_attainment8", "all"][at]
        assert found == pytest.approx(value, abs=1e-9)


def test_attainment_8_of_children_in_need_is_the_published_one(shared_data):
    table = pd.read_csv(shared_data / "ees_cino" / "ks4_la.csv", dtype=str)
    table = table.query("geographic_level == 'National'").set_index(
        ["social_care_group", "time_period"]
    )
    for published, group in GROUPS.items():
        for year in (201819, 201920, 202021, 202122, 202223, 202324, 202425):
            found = yearly_levels("ks4_attainment8", [year])[names.LEAF_GROUPS.index(group), 0]
            assert found == float(table.loc[(published, str(year)), "avg_att8"])


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
