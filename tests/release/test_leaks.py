"""Leaks that an attacker found in whole releases, each closed and kept here as an example."""

import numpy as np
import pandas as pd
import pytest

from tests.release.test_disclosure import estimates
from vsh_eval import metrics
from vsh_eval.release.disclosure.cube import round_leaves
from vsh_eval.release.disclosure.door import protect
from vsh_eval.release.disclosure.rules import rule_named

STRICT = rule_named("strict10")
BOUNDS = [
    *("group_level_lower", "group_level_upper", "gap_lower", "gap_upper"),
    *("ratio_lower", "ratio_upper"),
]


@pytest.fixture(scope="module")
def panel():
    """Forty schools, cohort and peers, persistent and overall absence."""
    rng = np.random.default_rng(3)
    rows = []
    for school in range(40):
        for group, size in (("cin", 6), ("cpp", 2), ("peers", 90)):
            n = int(rng.poisson(size)) + 1
            persistent = int(rng.binomial(n, 0.4))
            missed = float(rng.integers(20, 60) * n)
            possible = 350 * n
            shared = {"unit_id": f"{school}", "group": group, "pupils": n}
            rows.append(
                shared | {"metric": "persistent_absence", "numerator": float(persistent),
                          "denominator": n, "sum_yy": float(persistent),
                          "sum_xy": float(persistent), "sum_xx": float(n)}
            )  # fmt: skip
            rows.append(
                shared | {"metric": "overall_absence", "numerator": missed,
                          "denominator": possible, "sum_yy": missed**2 / n,
                          "sum_xy": missed * 350.0, "sum_xx": 350.0**2 * n}
            )  # fmt: skip
    return pd.DataFrame(rows).assign(
        source="returns", vintage="returns", cohort_rule="any_time_in_year", level="school",
        time_period=202425, phase="primary", rate=np.nan, status="",
    )  # fmt: skip


def test_an_interval_of_shares_of_children_does_not_carry_the_tables_own_reach(panel):
    """That reach is a function of the exact counts; what is shown may depend on rounded ones."""
    table = metrics.gaps(panel, group="cwsw", reference="peers", unit_id="E06000999")
    cube = round_leaves(panel, STRICT)
    shown = protect(table, STRICT, kind="gaps", cube=cube).frame
    stretched = table.copy()
    for bound in BOUNDS:
        stretched[bound] = stretched[bound] * 1.5
    again = protect(stretched, STRICT, kind="gaps", cube=cube).frame
    counted = shown["metric"] == "persistent_absence"
    assert counted.any()
    assert shown.loc[counted, BOUNDS].notna().all().all()
    pd.testing.assert_frame_equal(shown.loc[counted, BOUNDS], again.loc[counted, BOUNDS])


def test_a_rate_of_events_tells_no_more_than_its_rounded_numbers(panel):
    """Two panels whose exact sums differ and whose rounded ones do not look the same."""
    children = panel[panel["metric"] == "persistent_absence"]
    rows = [children.assign(metric="pupils_suspended")]
    events = children.assign(metric="suspension_rate", numerator=3 * children["numerator"])
    rows.append(events.assign(sum_yy=9 * children["sum_yy"], sum_xy=events["numerator"]))
    panels = [pd.concat(rows, ignore_index=True)]
    more = panels[0].copy()
    of_one = more["unit_id"].eq("7") & more["metric"].eq("suspension_rate")
    more.loc[of_one & more["group"].eq("peers"), "numerator"] += 1
    cubes = [round_leaves(panel, STRICT) for panel in (panels[0], more)]
    levels = [cube.frame["numerator"].tolist() for cube in cubes]
    assert levels[0] == levels[1]
    shown = []
    for whole, cube in zip((panels[0], more), cubes, strict=True):
        table = metrics.gaps(whole, group="cwsw", reference="peers", unit_id="E06000999")
        table[BOUNDS] = table[BOUNDS] * (1.0 if whole is more else 1.5)
        shown.append(protect(table, STRICT, kind="gaps", cube=cube).frame)
    seen = shown[0][shown[0]["metric"] == "suspension_rate"]
    assert seen["gap"].notna().all()
    assert (seen["group_level_upper"] > seen["group_level"]).all()
    pd.testing.assert_frame_equal(*shown)


def test_the_number_of_schools_is_not_shown_where_each_holds_one_child(panel):
    """A school that knows its own children could otherwise subtract them."""
    alone = panel[panel["group"] == "cpp"].assign(pupils=1, denominator=1, sum_xx=1.0)
    alone = alone[alone["metric"] == "persistent_absence"]
    alone = alone.assign(numerator=(np.arange(len(alone)) % 2).astype(float))
    alone = alone.assign(sum_yy=alone["numerator"], sum_xy=alone["numerator"])
    rest = panel[(panel["group"] != "cpp") & (panel["metric"] == "persistent_absence")]
    whole = pd.concat([rest, alone], ignore_index=True)
    table = metrics.levels(whole, groups=("cin", "cpp"), unit_id="E06000999")
    frame = protect(table, STRICT, kind="levels", cube=round_leaves(whole, STRICT)).frame
    frame = frame[frame["phase"] == "primary"].set_index("group")
    assert pd.isna(frame.loc["cpp", "schools"])
    assert frame.loc["cin", "schools"] == 40


def test_only_the_first_of_several_estimators_says_what_it_rests_on():
    table = pd.concat(
        [
            estimates(estimator="imputation", schools_treated=44, pupils=2761),
            estimates(estimator="donut", role="robustness", schools_treated=43, pupils=2757),
        ]
    )
    frame = protect(table, STRICT, kind="estimates").frame
    sample = ["schools_treated", "schools_comparison", "pupils", "df"]
    assert frame.loc[0, sample].notna().all()
    assert frame.loc[1, sample].isna().all()
    assert frame["estimate"].notna().all()


def test_a_hidden_step_does_not_follow_from_what_the_account_began_with():
    losses = pd.DataFrame(
        {
            "step": ["panel", "no year before", "used"],
            "schools": [236, 1, 235],
            "school_years": [1732, 2, 1730],
            "pupils": [12695, 4, 12691],
        }
    )
    frame = protect(losses, STRICT, kind="design").frame.set_index("step")
    assert frame.loc[["panel", "no year before"], ["schools", "pupils"]].isna().all().all()
    assert frame.loc["used", "pupils"] == 12690
