"""One law: a released table is the metric of protected cells.

Whatever stands in it follows from the levels it shows, and nothing stands where one is hidden.
"""

from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from tests.metrics.invented_offer import log, schools
from tests.release.invented_strata import children, composition_of, moments_of, panel_of
from vsh_eval import metrics, names, registry
from vsh_eval.metrics import characteristics, training
from vsh_eval.panel import GROUPS, Comparison, ProtectedTable, leaves_of
from vsh_eval.release.disclosure import protected, release_table, rule_named
from vsh_eval.release.disclosure.cell_keys import change_of_count

YEARS = (202223, 202324, 202425)
RULE = rule_named("cellkey")
COMPARISON = Comparison("cwsw", "peers", baseline=202223, unit_id="E06000999")
COMPOSED = COMPARISON.of("overall_absence", "persistent_absence", "ks4_attainment8")
KEYS = ["time_period", "phase", "metric", "group"]
ABSENCE = ("overall_absence", "authorised_absence", "unauthorised_absence", "persistent_absence")
SHARES = ("persistent_absence", "severe_absence", "ks2_rwm_expected", "ks2_reading_expected")


@cache
def tables():
    """Return panel, composition and moments of one invented authority with small groups."""
    table = children(3, years=YEARS, size=0.7)
    return panel_of(table), composition_of(table), moments_of(table)


def released(function, *arguments, **keywords):
    """Return a producer's table as released and as it is inside, row by row."""
    shown = release_table(function, *arguments, rule=RULE, **keywords).frame
    exact = [a.frame if isinstance(a, ProtectedTable) else a for a in arguments]
    inside = function(*exact, **keywords).reset_index(drop=True)
    assert len(shown) == len(inside)
    return shown, inside


@cache
def of_panel(function, *metrics_):
    panel = protected(tables()[0], RULE)
    return released(function, panel, COMPARISON.of(*metrics_) if metrics_ else COMPARISON)


@cache
def of_composition(function, by=""):
    _, composition, moments = tables()
    keywords = {"by": by} if by else {}
    return released(function, protected(composition, RULE), moments, COMPOSED, **keywords)


@cache
def levels():
    return released(metrics.levels, protected(tables()[0], RULE), groups=GROUPS)


def numbers(table, *columns):
    return [table[name].to_numpy("float64", na_value=np.nan) for name in columns]


def equal(first, second):
    np.testing.assert_allclose(first, second, atol=1e-9, equal_nan=True)


def level_of(table, group, *, before=False):
    """Return the level of a group that `levels` shows in each row's cell."""
    keys = ["time_period", "phase", "metric"]
    known = levels()[0].query("group == @group").set_index(keys)["level_value"]
    years = table["baseline"] if before else table["time_period"]
    cells = pd.MultiIndex.from_arrays([years, table["phase"], table["metric"]])
    return known.reindex(cells).to_numpy()


def key_sums():
    """Return sums of keys by cell, worked out in Python's own whole numbers."""
    panel = tables()[0]
    sums = {}
    for group in GROUPS:
        rows = panel[panel["group"].isin(leaves_of(group))]
        for phase in (*rows["phase"].unique(), "total"):
            here = rows if phase == "total" else rows[rows["phase"] == phase]
            for (year, metric), cell in here.groupby(["time_period", "metric"]):
                keys = (sum(map(int, cell[name])) for name in names.RECORD_KEYS)
                sums[year, phase, metric, group] = tuple(keys)
    return sums


# --- Levels: the six rules, from the true numbers and keys alone.


def test_a_share_is_that_of_perturbed_numbers_and_hidden_by_the_rules_alone():
    shown, inside = levels()
    keys = key_sums()
    seen = hidden = 0
    for row, true in zip(shown.itertuples(), inside.itertuples(), strict=True):
        if row.metric not in SHARES or true.status:
            continue
        changes = change_of_count(np.array(keys[row.time_period, row.phase, row.metric, row.group]))
        n, y = int(true.pupils), int(true.numerator)
        n_shown, y_shown = n + changes[0], y + changes[1]
        least = min(n, y, n - y, n_shown, y_shown, n_shown - y_shown)
        if least < 10 or true.schools < 3 or true.largest_share > 0.8:
            assert (row.status, pd.isna(row.pupils), np.isnan(row.level_value)) == ("c", True, True)
            hidden += 1
        else:
            assert row.status == ""
            assert row.level_value == pytest.approx(100 * y_shown / n_shown)
            assert row.pupils == 5 * round(n_shown / 5)
            seen += 1
    assert min(seen, hidden) > 50


def test_other_levels_move_by_their_weight_over_the_children():
    shown, inside = levels()
    others = ~shown["metric"].isin(SHARES) & (shown["status"] == "")
    moved = (shown["level_value"] - inside["level_value"])[others].abs()
    weights = shown["metric"][others].map(lambda name: registry.metric(name).noise_weight)
    scales = shown["metric"][others].map(lambda name: registry.metric(name).scale)
    most = 5.5 * weights * scales / inside["pupils"][others].astype(float)
    assert (moved > 0).all()
    assert (moved <= most).all()
    assert not (shown["status"].eq("") & inside["pupils"].lt(RULE.threshold)).any()


def test_the_same_children_have_the_same_number_in_every_table_and_any_order():
    panel = tables()[0]
    for other in (
        panel.sample(frac=1, random_state=1),
        panel.assign(unit_id=panel["unit_id"].replace({"1": "13"})),
    ):
        again = release_table(metrics.levels, protected(other, RULE), groups=GROUPS, rule=RULE)
        columns = [*KEYS, "pupils", "level_value", "status"]
        pd.testing.assert_frame_equal(again.frame[columns], levels()[0][columns])


def test_intervals_are_wider_for_the_noise_and_rest_on_numbers_shown():
    shown, inside = levels()
    seen = shown[shown["status"] == ""].index
    assert (shown.loc[seen, "upper"] > shown.loc[seen, "level_value"]).all()
    assert (shown.loc[seen, "lower"] < shown.loc[seen, "level_value"]).all()
    wide, exact = (t.loc[seen, "upper"] - t.loc[seen, "lower"] for t in (shown, inside))
    assert (wide / exact).median() > 1


def share_of_authorised(table, shield):
    """Return the share of authorised absence in the gap, its error and degrees of freedom."""
    panel = shield(panel_of(table))
    shares = metrics.parts(panel, Comparison("cwsw", "peers", metrics=ABSENCE[:3]))
    row = shares[shares["part"].eq("authorised_absence") & shares["phase"].eq("total")].iloc[0]
    width = (row["share_upper"] - row["share_lower"]) / 2
    return row["share"], width / t.ppf(0.975, row["df"]), row["df"]


def difference_of_girls_and_boys(table, shield):
    """Return by how much the gaps of girls and of boys differ, its error and degrees of freedom."""
    pair = Comparison("cwsw", "peers", metrics=("persistent_absence",))
    cells, moments = shield(composition_of(table)), moments_of(table)
    row = characteristics.differences_by(cells, moments, pair, by="sex").iloc[0]
    return row["difference"], row["difference_std_error"], row["df"]


@pytest.mark.parametrize("number", [share_of_authorised, difference_of_girls_and_boys])
def test_an_error_holds_the_noise_that_other_keys_would_make(number):
    """The error shown is that of the schools, and what the number moves by under other keys."""
    table, rng = children(3, years=YEARS[-1:]), np.random.default_rng(1)
    _, of_schools, df = number(table, lambda cells: cells)
    numbers, errors, dfs = np.transpose(
        [
            number(
                table.assign(key=rng.integers(0, 2**40, len(table))),
                lambda cells: protected(cells, RULE),
            )
            for _ in range(25)
        ]
    )
    fewer = (1 + 1 / dfs) / (1 + 1 / df)  # the correction for few schools counts hidden ones out
    noise = np.sqrt(np.mean(errors**2 - fewer * of_schools**2))
    assert 0.75 < noise / numbers.std() < 1.75


# --- Everything else is worked out from them.


def test_gaps_are_differences_of_the_levels_shown():
    gaps, _ = of_panel(metrics.gaps)
    own, reference, gap, ratio = numbers(gaps, "group_level", "reference_level", "gap", "ratio")
    equal(own, level_of(gaps, "cwsw"))
    equal(reference, level_of(gaps, "peers"))
    equal(gap, own - reference)
    has = gaps["metric"].map(lambda name: registry.metric(name).has_ratio).to_numpy()
    equal(ratio[has], (own / reference)[has])
    assert (gaps["status"].ne("") == np.isnan(gap)).all()


def test_changes_are_of_the_gaps_shown_and_their_verdicts_of_the_intervals_shown():
    changes, _ = of_panel(metrics.changes)
    gap, before, change = numbers(changes, "gap", "baseline_gap", "change")
    equal(gap, level_of(changes, "cwsw") - level_of(changes, "peers"))
    equal(before, level_of(changes, "cwsw", before=True) - level_of(changes, "peers", before=True))
    equal(change, gap - before)
    own, reference = numbers(changes, "group_change", "reference_change")
    equal(own - reference, change)
    lower, upper = numbers(changes, "change_lower", "change_upper")
    better = changes["metric"].map(lambda name: registry.metric(name).lower_is_better).to_numpy()
    falls, rises = upper < 0, lower > 0
    said = np.where(falls, np.where(better, "narrowed", "widened"), "not clear")
    said = np.where(rises, np.where(better, "widened", "narrowed"), said)
    said = np.where(np.isnan(lower) | ~changes["comparable"], "", said)
    assert changes["direction"].tolist() == said.tolist()
    assert set(said) >= {"", "not clear"}


def test_trends_are_lines_through_the_gaps_shown():
    trends, _ = of_panel(metrics.trend)
    gaps, _ = of_panel(metrics.gaps)
    years = np.array(YEARS) // 100
    for row in trends[trends["years"] == len(YEARS)].itertuples():
        series = gaps[(gaps["metric"] == row.metric) & (gaps["phase"] == row.phase)]
        assert row.trend == pytest.approx(np.polyfit(years, series["gap"], 1)[0])
        assert row.trend == pytest.approx(row.group_trend - row.reference_trend)
    assert (trends["years"] == len(YEARS)).sum() > 5
    assert trends.loc[trends["years"] < 3, "trend"].isna().all()


def test_parts_are_the_gaps_and_changes_shown():
    parts, _ = of_panel(metrics.parts, *ABSENCE)
    gaps, changes = (of_panel(f)[0] for f in (metrics.gaps, metrics.changes))
    keys = ["time_period", "phase", "metric"]
    gap, change = gaps.set_index(keys)["gap"], changes.set_index(keys)
    for of, known in (("gap", gap), ("change", change["change"])):
        rows = parts[(parts["of"] == of) & parts["part"].isin(ABSENCE)]
        of_part = rows.assign(metric=rows["part"])
        assert len(rows) > 5
        equal(rows["value"], known.reindex(pd.MultiIndex.from_frame(of_part[keys])))
        equal(rows["whole"], known.reindex(pd.MultiIndex.from_frame(rows[keys])))
    given = parts["share"].notna()
    equal(parts["share"][given], (100 * parts["value"] / parts["whole"])[given])


def test_sizes_and_days_are_of_the_gap_shown():
    sizes, inside = of_panel(metrics.effect_sizes, "ks4_attainment8", "ks2_rwm_expected")
    equal(sizes["gap"], level_of(sizes, "cwsw") - level_of(sizes, "peers"))
    scores = sizes[sizes["measured_by"].eq("hedges_g") & sizes["effect_size"].notna()]
    n = (scores["group_pupils"] + scores["reference_pupils"]).astype(float)
    equal(scores["effect_size"], (1 - 3 / (4 * n - 9)) * scores["gap"] / scores["pooled_sd"])
    assert (sizes.loc[sizes["gap"].isna(), ["pooled_sd", "effect_size", "months"]].isna()).all(
        axis=None
    )
    assert (inside["pooled_sd"] != sizes["pooled_sd"]).all()
    days, _ = of_panel(metrics.sessions_and_days)
    gap, possible, missed, off = numbers(days, "gap", "sessions_possible", "sessions", "days")
    equal(missed, gap / 100 * possible)
    equal(off, missed / 2)
    assert (np.isnan(possible) | (possible == np.round(possible))).all()


@pytest.mark.parametrize("by", sorted(names.BREAKDOWNS))
def test_gaps_by_characteristic_are_of_the_levels_shown_and_rules_hold(by):
    shown, inside = of_composition(characteristics.gaps_by, by)
    own, reference, gap = numbers(shown, "group_level", "reference_level", "gap")
    equal(gap, own - reference)
    few = inside["group_pupils"].fillna(0).lt(10) | inside["group_schools"].fillna(0).lt(3)
    assert shown.loc[few, "group_level"].isna().all()
    assert shown["gap"].notna().sum() > 3


@pytest.mark.parametrize(
    ("function", "parts", "whole"),
    [
        (characteristics.decompose, ["composition", "rates"], "gap"),
        (characteristics.decompose, ["composition_phase", "composition_sen", "composition_fsm6",
         "composition_sex"], "composition"),
    ],
)  # fmt: skip
def test_the_parts_of_a_decomposition_add_up_to_the_gap_shown(function, parts, whole):
    shown, _ = of_composition(function)
    equal(shown[parts].sum(axis=1, skipna=False), shown[whole])
    equal(shown["gap"], level_of(shown, "cwsw") - level_of(shown, "peers"))
    assert shown["gap"].notna().sum() > 20


def test_matched_and_standardised_gaps_stand_beside_the_gap_shown():
    matched, inside = of_composition(characteristics.matched_gap)
    plain = level_of(matched, "cwsw") - level_of(matched, "peers")
    equal(matched["gap"], np.where(matched["gap"].isna(), np.nan, plain))
    equal(matched["matched_gap"], matched["matched_group_level"] - matched["matched_level"])
    assert (matched["matched_group_level"] != inside["matched_group_level"])[
        matched["gap"].notna()
    ].all()
    standardised, _ = of_composition(characteristics.standardised_gap)
    first = standardised[standardised["time_period"] == COMPARISON.baseline]
    assert first["gap"].notna().any()
    unseen = standardised["gap"].isna()
    assert standardised.loc[unseen, "standardised_gap"].isna().all()


def test_barriers_are_gaps_of_the_shares_shown_and_hidden_by_the_threshold():
    shown, inside = of_composition(characteristics.barriers)
    own, reference, gap, ratio = numbers(shown, "group_level", "reference_level", "gap", "ratio")
    equal(gap, own - reference)
    equal(ratio, own / reference)
    n, y = numbers(inside, "group_pupils", "group_numerator")
    few = (n < 10) | (y < 10) | (n - y < 10)
    assert np.isnan(own[few]).all()
    assert min(few.sum(), (~few).sum()) > 3


def test_every_released_number_of_children_is_a_multiple_of_five():
    for function in (metrics.gaps, metrics.changes):
        shown, _ = of_panel(function)
        for name in ("group_pupils", "reference_pupils"):
            assert (shown[name].dropna() % 5 == 0).all()


# --- Reach.


@cache
def reach():
    listed = schools(30, seed=2)
    table = children(4, years=YEARS, size=2.0, schools=30)
    table["unit_id"] = (100001 + table["unit_id"].astype(int)).astype(str)
    panel = panel_of(table.assign(phase=table["unit_id"].map(listed.set_index("unit_id")["phase"])))
    events = log(listed, years=YEARS, programmes=("elsa", "emotion_coaching"))
    return events, listed, panel


@pytest.mark.parametrize(
    ("function", "offer"),
    [(training.training_reach, ["programme", "tier"]), (training.audience_reach, ["audience"])],
)
def test_shares_reached_are_of_protected_numbers_and_hidden_with_them(function, offer):
    events, listed, panel = reach()
    given = {"years": YEARS, "group": "cwsw"}
    shown, inside = released(function, events, listed, protected(panel, RULE), **given)
    people = ["pupils", "pupils_reached", "pupils_not_reached"]
    for name in people:
        few = inside[name].between(1, 9)
        assert shown.loc[few, name].isna().all()
        assert (shown[name].dropna() % 5 == 0).all()
    hidden = shown[people].isna()
    assert hidden["pupils_reached"].equals(hidden["pupils_not_reached"])
    assert shown["status"][hidden.any(axis=1)].eq("c").all()
    known = shown["pupils_reached"].notna() & shown["pupils"].gt(0)
    assert (shown["share_pupils"].notna() == known).all()
    rough = 100 * shown["pupils_reached"] / shown["pupils"]
    assert ((shown["share_pupils"] - rough).abs()[known] <= 100 * 8 / shown["pupils"][known]).all()
    for _, rows in shown.groupby([*offer, "phase"]):
        for before, now in pairwise(rows.itertuples()):
            if now.first_year == before.time_period:
                assert now.growth_share_pupils == pytest.approx(
                    now.share_pupils - before.share_pupils, nan_ok=True
                )
    assert known.sum() >= 10


def test_a_programme_is_not_shown_phase_by_phase():
    """A hidden phase would follow from each programme's total once more, with other noise."""
    events, listed, panel = reach()
    given = {"years": YEARS, "group": "cwsw"}
    shown, inside = released(
        training.training_reach, events, listed, protected(panel, RULE), **given
    )
    any_training = shown["programme"].eq("any") & shown["tier"].eq("any")
    unseen = shown["phase"].ne("total") & ~any_training & inside["pupils_reached"].gt(0)
    reached = ["pupils_reached", "pupils_not_reached", "share_pupils", "pupil_years_reached"]
    assert unseen.sum() > 10
    assert shown.loc[unseen, [*reached, "cost_per_pupil_year"]].isna().all(axis=None)
    assert shown.loc[shown["phase"].ne("total") & any_training, "share_pupils"].notna().any()


def test_reach_by_band_hides_who_is_reached_as_reach_does():
    events, listed, panel = reach()
    bands = training.deprivation_bands(listed)
    given = {"years": YEARS, "group": "cwsw"}
    shown, inside = released(
        training.reach_by_band, events, listed, protected(panel, RULE), bands, **given
    )
    for name in ("pupils_reached", "pupils_not_reached"):
        assert shown.loc[inside[name].between(1, 9), name].isna().all()
    hidden = shown.isna()
    assert hidden["pupils_reached"].equals(hidden["pupils_not_reached"])
    both = shown["pupils_reached"].notna() & shown["pupils"].notna() & shown["pupils"].gt(0)
    assert both.sum() > 5
    assert (shown["share_pupils"].notna() == both).all()
