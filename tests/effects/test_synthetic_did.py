from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effects.stepwise import stepwise_weights
from vsh_eval.contracts import ContractError, DesignError
from vsh_eval.effects import published
from vsh_eval.effects.rows import ROW_COLUMNS
from vsh_eval.numerics.estimators import synthetic

FIRST = 6


def panel(seed=4, *, units=30, years=9, effect=0.0, noise=0.3):
    """Units that share two courses, each to its own degree; the first is treated from year 6."""
    rng = np.random.default_rng(seed)
    courses = rng.normal(size=(2, years)).cumsum(axis=1)
    level = 5 + rng.normal(size=(units, 2)) @ courses + rng.normal(0, noise, (units, years))
    level[0, FIRST:] += effect
    return pd.DataFrame(
        [
            (f"u{unit:02d}", year, level[unit, year])
            for unit in range(units)
            for year in range(years)
        ],
        columns=["unit", "time", "outcome"],
    )


def fit_synthetic(data, donors=None, *, unit="u00", start=FIRST, **options):
    """Compare the first unit, with all others unless donors are named."""
    units = sorted(set(data["unit"]))
    asked = dict.fromkeys(units, units) if donors is None else donors
    return published.fit_synthetic(data, asked, unit=unit, start=start, **options)


def simple(rows):
    return rows[rows["aggregation"].eq("simple")].iloc[0]


def events(rows):
    return rows[rows["aggregation"].eq("event")].set_index("index")["estimate"]


# --- Outside references


def by_steps(monkeypatch, data, *, unit="u00", start=FIRST):
    """Compare as `fit_synthetic` does, the weights being found as the reference finds them."""
    wide = data.pivot_table(index="unit", columns="time", values="outcome")
    others, before = wide.drop(index=unit).to_numpy(), int((wide.columns < start).sum())
    stop = 1e-5 * synthetic.yearly_noise(others, before)
    with monkeypatch.context() as patched:
        patched.setattr(synthetic, "nearest_weights", partial(stepwise_weights, stop=stop))
        return synthetic.synthetic_unit(others, wide.loc[unit].to_numpy(), before)


def test_the_estimate_is_that_of_another_implementation(monkeypatch):
    """diff-diff's synthetic DiD, itself equal to R's on Proposition 99 (`notes/did.md`)."""
    from diff_diff import SyntheticDiD

    for seed in (1, 4):
        data = panel(seed, units=15)
        other = SyntheticDiD(n_bootstrap=2, seed=1).fit(
            data.assign(treated=data["unit"].eq("u00").astype(int)),
            outcome="outcome", treatment="treated", unit="unit", time="time",
            post_periods=list(range(FIRST, 9)),
        )  # fmt: skip
        assert by_steps(monkeypatch, data).estimate == pytest.approx(other.att, abs=1e-9)


def test_proposition_99_is_what_the_paper_says(shared_data, monkeypatch):
    """R's synthdid: -15.60383."""
    path = shared_data / "reference" / "california_prop99.csv"
    if not path.is_file():
        pytest.skip("california_prop99.csv (R's synthdid, BSD) is not among the reference data")
    data = pd.read_csv(path, sep=";")
    data.columns = ["unit", "time", "outcome", "treated"]
    asked = {"unit": "California", "start": 1989}
    assert by_steps(monkeypatch, data, **asked).estimate == pytest.approx(-15.60383, abs=1e-5)
    found = fit_synthetic(data, **asked)
    assert simple(found.rows)["std_error"] == pytest.approx(9.3684, abs=1e-3)


# --- What it must do


def test_the_weighted_distance_of_the_periods_before_is_zero():
    wide = panel().pivot_table(index="unit", columns="time", values="outcome").to_numpy()
    own = synthetic.synthetic_unit(wide[1:], wide[0], FIRST)
    assert own.period_weights.sum() == pytest.approx(1)
    assert own.period_weights @ own.effects[:FIRST] == pytest.approx(0)


def test_an_effect_is_found_and_its_absence_is_not():
    found = simple(fit_synthetic(panel(effect=-3.0)).rows)
    assert found["estimate"] == pytest.approx(-3.0, abs=0.5)
    assert found["p_value"] == pytest.approx(1 / 30)
    assert found["ci_upper"] < 0
    nothing = simple(fit_synthetic(panel()).rows)
    assert nothing["ci_lower"] < 0 < nothing["ci_upper"]


def test_the_rows_hold_to_the_contract_and_agree_with_each_other():
    found = fit_synthetic(panel(effect=-2.0))
    rows = found.rows
    assert list(rows.columns) == list(ROW_COLUMNS)
    after = events(rows).loc[0:]
    assert simple(rows)["estimate"] == pytest.approx(after.mean())
    assert sorted(events(rows).index) == list(range(-FIRST, 3))
    path = found.path.set_index("time")
    assert (path["outcome"] - path["synthetic"]).tolist() == pytest.approx(events(rows).tolist())
    before = path[path["before"]]
    assert found.weights["weight"].sum() == pytest.approx(1)
    assert found.rmspe_before == pytest.approx(np.sqrt((before["effect"] ** 2).mean()))
    inside = rows[rows["index"].ge(0)]
    assert (inside["band_lower"] <= inside["ci_lower"] + 1e-12).all()
    assert len(found.placebos) == 29
    assert simple(rows)["std_error"] == pytest.approx(found.placebos["estimate"].std(ddof=0))
    assert (simple(rows)["schools_treated"], simple(rows)["schools_comparison"]) == (1, 29)


def test_an_effect_moves_the_estimate_by_itself_and_nothing_else():
    plain, moved = (fit_synthetic(panel(effect=e)) for e in (0.0, 2.5))
    difference = simple(moved.rows)["estimate"] - simple(plain.rows)["estimate"]
    assert difference == pytest.approx(2.5)
    pd.testing.assert_frame_equal(plain.placebos, moved.placebos)
    assert moved.mde == plain.mde


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 1000), level=st.floats(-50, 50), scale=st.floats(0.1, 20))
def test_order_names_level_and_unit_of_measurement_do_not_matter(seed, level, scale):
    data = panel(seed, units=8)
    first = simple(fit_synthetic(data).rows)
    shuffled = data.sample(frac=1, random_state=seed).assign(
        outcome=lambda t: level + scale * t["outcome"], unit=lambda t: "x" + t["unit"]
    )
    other = simple(fit_synthetic(shuffled, unit="xu00").rows)
    assert other["estimate"] == pytest.approx(scale * first["estimate"], rel=1e-5, abs=1e-5)
    assert other["p_value"] == pytest.approx(first["p_value"])


def test_each_unit_has_donors_of_its_own():
    data = panel()
    wanted = [f"u{n:02d}" for n in range(1, 6)]
    found = fit_synthetic(data, dict.fromkeys(sorted(set(data["unit"])), wanted) | {"u09": ["u10"]})
    assert set(found.weights["unit"]) <= set(wanted)
    assert len(found.placebos) == 28, "a unit with a single donor is no placebo"


def test_few_placebos_give_an_estimate_without_an_interval():
    found = fit_synthetic(panel(units=10))
    row = simple(found.rows)
    assert row["status"] == "x"
    assert row["reason"].code == "too_few_placebos"
    assert np.isfinite(row["estimate"])
    assert np.isnan(row["ci_lower"])
    assert row["p_value"] >= 0.1
    assert np.isinf(found.mde)


def test_a_donor_that_carries_the_result_shows_when_it_is_left_out():
    data = panel(noise=0.01)
    spoilt = data["unit"].eq("u01") & data["time"].ge(FIRST)
    data.loc[spoilt, "outcome"] += 30
    found = fit_synthetic(data, {"u00": ["u01", "u02", "u03", "u04"]})
    without = found.leave_one_out.set_index("unit")["estimate"]
    others = without.drop("u01")
    assert "u01" in without.index
    assert (abs(without["u01"] - others) > 1).all()


# --- Size of the units


def test_placebos_of_small_units_are_scaled_to_the_unit():
    rng = np.random.default_rng(6)
    pupils = pd.Series({f"u{n:02d}": 200.0 if n % 2 else 5000.0 for n in range(60)})
    data = panel(units=60, noise=0.0)
    data["pupils"] = data["unit"].map(pupils)
    data["outcome"] += rng.normal(size=len(data)) * np.sqrt(400 / data["pupils"])
    found = fit_synthetic(data)
    scale = found.placebos.set_index("unit")["scale"]
    assert scale["u01"] < 0.6 < scale["u02"]
    plain = fit_synthetic(data.drop(columns="pupils"))
    assert plain.placebos["scale"].eq(1).all()
    assert found.mde < plain.mde, "u00 is large"
    unknown = fit_synthetic(data.assign(pupils=np.nan))
    assert unknown.placebos["scale"].eq(1).all()


def test_only_placebos_of_about_the_same_size_are_compared_with():
    rng = np.random.default_rng(3)
    pupils = pd.Series(np.geomspace(100, 3000, 90), index=[f"u{n:02d}" for n in range(90)])
    pupils["u00"] = 2000.0
    data = panel(units=90, noise=0.0)
    data["pupils"] = data["unit"].map(pupils)
    data["outcome"] += rng.normal(size=len(data)) * np.sqrt(400 / data["pupils"])
    found = fit_synthetic(data)
    near = found.placebos[found.placebos["compared"]]
    distance = np.log(pupils.drop("u00") / 2000).abs()
    assert set(near["unit"]) == set(distance.nsmallest(59).index)
    scaled = near["estimate"] * near["scale"]
    assert simple(found.rows)["std_error"] == pytest.approx(scaled.std(ddof=0))
    assert simple(found.rows)["df"] == 58
    own = abs(simple(found.rows)["estimate"])
    assert simple(found.rows)["p_value"] == pytest.approx((1 + (scaled.abs() >= own).sum()) / 60)
    same = fit_synthetic(data.assign(pupils=500.0))
    assert same.placebos["compared"].all(), "all are as near as the last"


# --- Gaps in the data, and refusals


def test_years_without_data_are_taken_out_and_said():
    data = panel()
    data.loc[data["time"].eq(3), "outcome"] = np.nan
    found = fit_synthetic(data)
    assert found.path["time"].tolist() == [0, 1, 2, 4, 5, 6, 7, 8]
    absent = fit_synthetic(data[data["time"].ne(3)])
    pd.testing.assert_frame_equal(found.rows, absent.rows)
    own = panel()
    own.loc[own["unit"].eq("u00") & own["time"].eq(3), "outcome"] = np.nan
    pd.testing.assert_frame_equal(fit_synthetic(own).rows, absent.rows)


def test_donors_with_a_hidden_year_are_left_out_and_counted():
    data = panel()
    data.loc[data["unit"].eq("u05") & data["time"].eq(7), "outcome"] = np.nan
    short = data[~(data["unit"].eq("u06") & data["time"].eq(0))]
    found = fit_synthetic(short)
    assert found.dropped == ("u05", "u06")
    assert len(found.placebos) == 27
    kept = data[~data["unit"].isin(["u05", "u06"])]
    without = fit_synthetic(kept)
    pd.testing.assert_frame_equal(found.rows, without.rows)


REFUSED = {
    "no unit": (lambda d: fit_synthetic(d, unit="nobody"), "unit is 'nobody' and has no row"),
    "start too early": (lambda d: fit_synthetic(d, start=1),
        "too few years before start .years 9, before 1"),
    "start too late": (lambda d: fit_synthetic(d, start=20), "no treated unit"),
    "twice": (lambda d: fit_synthetic(pd.concat([d, d])), "270 rows of data stand twice"),
    "one donor": (lambda d: fit_synthetic(d[d["unit"].isin(["u00", "u01"])]),
        "too few donors .donors 1"),
    "no data": (lambda d: fit_synthetic(d.assign(outcome=d["outcome"].where(d["unit"].eq("u00")))),
        "no year with outcome"),
}  # fmt: skip


@pytest.mark.parametrize(("ask", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_compared_is_refused_in_a_sentence(ask, said):
    with pytest.raises(DesignError, match=said) as refused:
        ask(panel())
    assert "\n" not in str(refused.value)


def test_missing_columns_are_refused():
    with pytest.raises(ContractError, match="lacks the column"):
        fit_synthetic(panel().drop(columns="outcome"))
