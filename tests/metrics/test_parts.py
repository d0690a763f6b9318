from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.panels import PAIR, invented_pupils, published_panel, pupils_panel
from vsh_eval.contracts import ContractError
from vsh_eval.metrics import Comparison, changes, gaps, parts


def absence_panel(seed, *, schools=12):
    """Absence with its two parts, and suspensions."""
    pupils = invented_pupils(seed, schools=schools)
    rng = np.random.default_rng(seed)
    unauthorised = np.rint(pupils["y"] * rng.beta(2, 3, len(pupils)))
    suspended = (rng.random(len(pupils)) < 0.1 + 0.1 * (pupils["group"] != "peers")).astype(float)
    tables = [
        pupils,
        pupils.assign(metric="authorised_absence", y=pupils["y"] - unauthorised),
        pupils.assign(metric="unauthorised_absence", y=unauthorised),
        pupils.assign(metric="pupils_suspended", y=suspended, x=1.0),
    ]
    return pd.concat([pupils_panel(table) for table in tables], ignore_index=True)


def rows_of(table, of, metric="overall_absence", phase="total", year=202425):
    where = {"of": of, "metric": metric, "phase": phase, "time_period": year}
    return table[np.logical_and.reduce([table[name] == value for name, value in where.items()])]


def test_authorised_and_unauthorised_make_the_gap_and_its_change():
    panel = absence_panel(1, schools=40)
    table = parts(panel, replace(PAIR, baseline=202324, unit_id="E1"))
    gap = gaps(panel, replace(PAIR, metrics=("overall_absence",)))
    gap = gap[(gap["phase"] == "total") & (gap["time_period"] == 202425)].iloc[0]
    found = rows_of(table, "gap")
    assert found["part"].tolist() == ["authorised_absence", "unauthorised_absence"]
    assert found["value"].sum() == pytest.approx(gap["gap"], abs=1e-12)
    assert found["whole"].tolist() == pytest.approx([gap["gap"]] * 2)
    assert found["share"].sum() == pytest.approx(100)
    assert (found["share_lower"] < found["share"]).all()
    assert (found["baseline"] == 0).all()
    moved = rows_of(table, "change")
    by_kind = moved[moved["part"].isin(["authorised_absence", "unauthorised_absence"])]
    own = moved[moved["part"].isin(["group", "reference"])]
    whole = changes(panel, replace(PAIR, baseline=202324, metrics=("overall_absence",)))
    whole = whole[(whole["phase"] == "total") & (whole["time_period"] == 202425)].iloc[0]
    for split in (by_kind, own):
        assert split["value"].sum() == pytest.approx(whole["change"], abs=1e-12)
        assert (split["baseline"] == 202324).all()
    theirs = own[own["part"] == "reference"].iloc[0]
    assert theirs["value"] == pytest.approx(-whole["reference_change"])
    assert theirs["value_upper"] == pytest.approx(-whole["reference_change_lower"])
    assert theirs["value_std_error"] == pytest.approx(whole["reference_change_std_error"])


def test_suspensions_stand_beside_and_are_part_of_nothing():
    table = parts(absence_panel(2), PAIR)
    found = rows_of(table, "separate", "pupils_suspended").iloc[0]
    assert found["part"] == "pupils_suspended"
    assert found[["whole", "share", "share_lower"]].isna().all()
    assert found["value_lower"] < found["value"] < found["value_upper"]
    assert set(table["of"]) == {"gap", "separate"}


def test_a_share_of_what_may_be_nothing_is_missing():
    table = parts(absence_panel(3), replace(PAIR, baseline=202324))
    base = rows_of(table, "change", year=202324)
    assert base["value"].tolist() == pytest.approx([0.0] * len(base))
    assert base[["share", "share_lower", "share_upper"]].isna().all(axis=None)
    clear = table[(table["of"] == "gap") & (table["phase"] == "total")]
    assert clear["share"].notna().all()


def test_one_school_has_shares_without_intervals():
    found = rows_of(parts(absence_panel(4, schools=1), PAIR), "gap")
    assert found["value"].sum() == pytest.approx(found["whole"].iloc[0])
    assert found["share_lower"].isna().all()


def test_published_parts_by_area():
    rows = [
        (202425, phase, group, f"{kind}_absence", n, y, x, rate, "")
        for phase in ("total", "primary")
        for kind, y, theirs in (
            ("overall", 6_000, 6.78),
            ("authorised", 3_500, 4.48),
            ("unauthorised", 2_500, 2.30),
        )
        for group, n, y, x, rate in (
            ("cin", 100, y, 35_000, None),
            ("all", None, None, None, theirs),
        )
        if (phase, kind) != ("primary", "unauthorised")
    ]
    table = parts(published_panel(rows), Comparison("cin", "all"))
    found = rows_of(table, "gap")
    assert found["value"].tolist() == pytest.approx([10 - 4.48, 100 * 2_500 / 35_000 - 2.30])
    assert found["share"].sum() == pytest.approx(100)
    assert found["share_lower"].isna().all()
    primary = rows_of(table, "gap", phase="primary").set_index("part")["value"]
    assert primary["authorised_absence"] == pytest.approx(10 - 4.48)
    assert np.isnan(primary["unauthorised_absence"])


def test_what_cannot_be_split_is_refused():
    panel = absence_panel(5)
    with pytest.raises(ContractError, match="have no parts without a baseline"):
        parts(panel, replace(PAIR, metrics=("overall_absence",)))
    with pytest.raises(ContractError, match="baseline is 201819"):
        parts(panel, replace(PAIR, baseline=201819))
    wrong = panel["metric"].eq("authorised_absence") & panel["group"].eq("cin")
    other = panel.assign(denominator=panel["denominator"].mask(wrong, panel["denominator"] + 1))
    with pytest.raises(ContractError, match="authorised_absence has other possible sessions"):
        parts(other, PAIR)


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["peers", "all"]))
def test_parts_make_the_whole(seed, reference):
    table = parts(absence_panel(seed, schools=4), Comparison("cin", reference, baseline=202324))
    split = table[table["of"] != "separate"]
    kind = split["part"].isin(["group", "reference"])
    keys = ["of", "metric", "phase", "time_period", kind.rename("own")]
    sums = split.groupby(keys)["value"].agg(lambda values: values.sum(skipna=False))
    wholes = split.groupby(keys)["whole"].first()
    assert sums.tolist() == pytest.approx(wholes.tolist(), abs=1e-10, nan_ok=True)
