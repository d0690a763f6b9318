"""The reach in bands adds up, hides the few, and tells nobody more by subtraction."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from tests.metrics import invented_offer as invented
from vsh_eval.contracts import ContractError, DisclosureError
from vsh_eval.metrics import (
    baseline_gap_bands,
    deprivation_bands,
    measure_offer,
    reach_by_band,
    training_reach,
)
from vsh_eval.release import protect, round_leaves, rule_named

STRICT, NONE = rule_named("strict10"), rule_named("none")
ASKED = {"years": [202324], "group": "cwsw"}
SHOWN = ["schools", "schools_trained", "pupils", "pupils_reached", "pupils_not_reached"]


class Authority:
    """The tables of the reach of one invented authority, true and protected."""

    def __init__(self, seed, *, count=60, size=5.0, share=0.6):
        self.schools = invented.schools(count, seed=seed)
        self.panel = invented.panel(self.schools, seed=seed, size=size)
        self.log = invented.log(self.schools, seed=seed, share=share)
        known = (self.log, self.schools, self.panel)
        dep = deprivation_bands(self.schools)
        gap = baseline_gap_bands(
            self.panel, self.log, self.schools,
            metric="overall_absence", group="cwsw", reference="peers",
        )  # fmt: skip
        self.bands = {"deprivation": dep, "baseline_gap": gap}
        self.true = {
            "phase": training_reach(*known, **ASKED),
            "deprivation": reach_by_band(*known, dep, **ASKED),
            "baseline_gap": reach_by_band(*known, gap, by_phase=False, **ASKED),
        }
        self.cube = round_leaves(self.panel, STRICT, seed=seed)
        self.safe = {name: self.shown(table) for name, table in self.true.items()}

    def shown(self, table):
        return protect(table, STRICT, kind="reach", cube=self.cube).frame


@pytest.fixture(scope="module")
def authority():
    return Authority(3)


def test_bands_and_phases_have_one_total(authority):
    whole = authority.safe["phase"].query("phase == 'total' and programme == 'any'").iloc[0]
    for name in ("deprivation", "baseline_gap"):
        frame = authority.safe[name]
        total = frame[(frame["phase"] == "total") & (frame[name] == "total")].iloc[0]
        assert total[SHOWN].tolist() == whole[SHOWN].tolist()
    by_phase = authority.safe["phase"].query("programme == 'any' and tier == 'any'")
    by_phase = by_phase.set_index("phase")
    frame = authority.safe["deprivation"].query("deprivation == 'total'").set_index("phase")
    columns = ["schools_trained", "pupils", "pupils_reached"]
    for phase in ("primary", "secondary"):
        assert frame.loc[phase, columns].equals(by_phase.loc[phase, columns])


def test_bands_of_pupils_add_up_to_the_total(authority):
    frame = authority.safe["deprivation"].query("phase == 'total'").set_index("deprivation")
    bands = frame.drop(index="total")
    assert bands["pupils_reached"].notna().all()
    for column in ("pupils", "pupils_reached"):
        assert abs(bands[column].sum() - frame.loc["total", column]) <= 10
        assert (bands[column] % 5 == 0).all()
    share = 100 * bands["pupils_reached"] / bands["pupils"]
    assert bands["share_pupils"].tolist() == pytest.approx(share.tolist(), abs=1e-4)


def test_what_is_shown_describes_ten_or_more(authority):
    for name in ("deprivation", "baseline_gap"):
        keys = ["phase", name]
        frame = authority.safe[name].set_index(keys)
        frame = frame[~frame.index.get_level_values("phase").isin(["other_phases"])]
        true = authority.true[name].set_index(keys).loc[frame.index]
        for column in ("pupils", "pupils_reached", "pupils_not_reached"):
            seen = frame[column].notna() & (frame[column] > 0)
            assert (true.loc[seen, column] >= 10).all()
        trained = frame["schools_trained"].dropna()
        assert not trained.isin([1, 2]).any()


def atoms_of(authority):
    """Return the kinds of school, reached and not, and the true number of children in each."""
    listed = authority.schools.set_index("unit_id")
    kinds = pd.DataFrame({"phase": listed["phase"]})
    for name, bands in authority.bands.items():
        kinds[name] = bands.units.set_index("unit_id")["band"]
    rows = authority.panel.query("time_period == 202324 and group in ('cin', 'cpp')")
    pupils = rows.groupby("unit_id")["pupils"].sum().reindex(kinds.index, fill_value=0)
    both = [kinds.drop_duplicates().assign(reached=value) for value in (True, False)]
    atoms = pd.concat(both, ignore_index=True)
    kinds["reached"] = kinds.index.isin(authority.log["unit_id"])
    sums = pupils.astype(float).groupby([kinds[name] for name in atoms]).sum()
    return atoms, sums.reindex(pd.MultiIndex.from_frame(atoms), fill_value=0).to_numpy()


def people(value):
    """Return what a count outside the cube may truly be."""
    return {0: (0, 4), 5: (5, 9), 10: (10, 12)}.get(value, (value - 2, value + 2))


def limits_of(authority, atoms):
    """Yield the atoms of every cell, and limits of their sum where a number of it is shown."""
    merged = atoms["phase"].where(atoms["phase"].isin(["primary", "secondary"]), "other_phases")
    for name, frame in authority.safe.items():
        rows = frame.query("programme == 'any' and tier == 'any'") if name == "phase" else frame
        numbers = rows[["pupils", "pupils_reached"]].astype("float64")
        for row, pupils, reached in zip(
            rows.to_dict("records"), numbers["pupils"], numbers["pupils_reached"], strict=True
        ):
            phases = atoms["phase"] if name == "phase" else merged
            here = (phases == row["phase"]).to_numpy() | (row["phase"] == "total")
            margin = row.get(name) == "total" or name == "phase"
            here &= margin | (atoms.get(name, phases) == row.get(name)).to_numpy()
            part = here & atoms["reached"].to_numpy()
            # The margins come from the cube, two groups a phase; the rest from leaves of a band.
            leaves = 1 if row["phase"] != "total" or name == "baseline_gap" else 3
            off = 4 * (2 * atoms.loc[here, "phase"].nunique() if margin else leaves)
            yield here, pupils - off, pupils + off
            alone = margin and row["phase"] in atoms["phase"].to_numpy() and reached != pupils
            yield part, *(people(reached) if alone else (reached - off, reached + off))
            yield here & ~part, np.nan, np.nan


def candidates(authority):
    """Return, for every true number under ten, how many values the whole release leaves it."""
    atoms, truth = atoms_of(authority)
    cells, low, high = (np.array(x) for x in zip(*limits_of(authority, atoms), strict=True))
    known = ~np.isnan(low)
    matrix, low, high = cells[known].astype(float), low[known], high[known]
    assert ((matrix @ truth >= low) & (matrix @ truth <= high)).all()
    small = {cell.tobytes(): cell for cell in cells if 0 < truth[cell].sum() < 10}
    bounds = {"A_ub": np.vstack([matrix, -matrix]), "b_ub": [*high, *-low], "method": "highs"}
    found = []
    for cell in small.values():
        least, most = (linprog(sign * cell, **bounds).fun * sign for sign in (1, -1))
        found.append(np.floor(most + 1e-6) - np.ceil(least - 1e-6) + 1)
    return found


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_no_number_under_ten_follows_from_all_tables_together(seed):
    found = candidates(Authority(seed))
    assert len(found) > 0
    assert min(found) >= 5


def test_a_single_hidden_cell_takes_another_of_its_band_with_it(authority):
    frame = authority.safe["deprivation"]
    inner = frame[(frame["deprivation"] != "total") & (frame["schools"].fillna(3) > 0)]
    for _, line in inner[inner["phase"] != "total"].groupby("phase"):
        hidden = line["schools_trained"].isna()
        margin = frame[
            (frame["phase"] == line["phase"].iloc[0]) & (frame["deprivation"] == "total")
        ]
        assert hidden.sum() != 1 or margin["schools_trained"].isna().all()


def gap_rows(trained, *, schools=20):
    """Return one year of three bands of the gap with so many trained schools each."""
    rows = [
        {"phase": "total", "baseline_gap": band, "schools": schools, "schools_trained": count,
         "pupils": 200, "pupils_reached": 10 * count}
        for band, count in zip("abc", trained, strict=True)
    ]  # fmt: skip
    whole = {
        "schools": 3 * schools, "schools_trained": sum(trained), "pupils": 600,
        "pupils_reached": 10 * sum(trained), "baseline_gap": "total",
    }  # fmt: skip
    rows += [{"phase": "primary", **whole}, {"phase": "total", **whole}]
    return pd.DataFrame(rows).assign(
        time_period=202324, share_schools=50.0, share_pupils=50.0, pupils_not_reached=0
    )


def test_a_band_of_the_gap_all_or_none_of_which_is_trained_is_hidden():
    frame = protect(gap_rows([20, 10, 12]), STRICT, kind="reach").frame.set_index("baseline_gap")
    assert frame.loc[["a", "b"], ["schools_trained", "pupils_reached"]].isna().all().all()
    assert frame.loc["c", "schools_trained"] == 12
    frame = protect(gap_rows([0, 10, 12]), STRICT, kind="reach").frame.set_index("baseline_gap")
    assert frame.loc[["a", "b"], "schools_trained"].isna().all()
    public = gap_rows([20, 10, 12]).rename(columns={"baseline_gap": "deprivation"})
    frame = protect(public, STRICT, kind="reach").frame.set_index("deprivation")
    assert frame["schools_trained"].notna().all()


@pytest.mark.parametrize("trained", [[0, 0, 0], [20, 20, 20]])
def test_where_all_or_no_schools_at_all_are_trained_nothing_is_secret(trained):
    frame = protect(gap_rows(trained), STRICT, kind="reach").frame
    assert frame["schools_trained"].notna().all()
    assert (frame["status"] == "").all()


def test_years_without_headcount_are_unknown(authority):
    panel = authority.panel[authority.panel["time_period"] != 202223]
    table = reach_by_band(
        authority.log, authority.schools, panel, authority.bands["deprivation"],
        years=[202223, 202324], group="cwsw",
    )  # fmt: skip
    frame = protect(table, STRICT, kind="reach", cube=round_leaves(panel, STRICT)).frame
    row = frame.query("time_period == 202223 and phase == 'total'").iloc[0]
    assert pd.isna(row["pupils"])
    assert row["status"] == ""
    assert frame.query("time_period == 202324")["pupils"].notna().any()


def test_an_internal_table_is_exact(authority):
    frame = protect(authority.true["deprivation"], NONE, kind="reach").frame
    pd.testing.assert_frame_equal(
        frame[SHOWN], authority.true["deprivation"][SHOWN], check_dtype=False
    )


def test_impossible_and_incomplete_tables_are_refused():
    with pytest.raises(DisclosureError, match="schools_trained is larger"):
        protect(gap_rows([21, 1, 1]), STRICT, kind="reach")
    with pytest.raises(ContractError, match="reach lacks the column pupils"):
        protect(gap_rows([9, 9, 9]).drop(columns="pupils"), STRICT, kind="reach")


# --- Tables of the log and of equity


def test_one_or_two_schools_take_a_second_row_with_them():
    table = pd.DataFrame({"combination": ["a", "b", "c"], "schools": [9, 4, 2]})
    frame = protect(table, STRICT, kind="offer").frame
    assert frame["schools"].isna().tolist() == [False, True, True]
    assert frame["status"].tolist() == ["", "c", "c"]
    assert protect(table, NONE, kind="offer").frame["schools"].tolist() == [9, 4, 2]


def test_numbers_of_trainings_are_no_secret():
    table = pd.DataFrame({"programme": ["any"], "trainings": [2], "with_cost": [1]})
    frame = protect(table, STRICT, kind="offer").frame
    assert (frame["trainings"].item(), frame["status"].item()) == (2, "")


EQUITY = {
    "time_period": 202324, "need": "deprivation", "counted": "pupils", "schools": 60,
    "schools_trained": 30, "pupils": 400, "pupils_reached": 200, "concentration": 0.1234,
    "evenness": 0.2468, "evenness_lower": -0.1, "evenness_upper": 0.59, "status": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, ""),
        ({"schools": 9, "schools_trained": 5}, "c"),
        ({"schools_trained": 2}, "c"),
        ({"schools_trained": 58}, "c"),
        ({"pupils_reached": 9}, "c"),
        ({"pupils_reached": 391}, "c"),
        ({"evenness": np.nan, "concentration": np.nan, "status": "x"}, "x"),
    ],
)
def test_an_index_needs_schools_and_children_of_both_kinds(changed, status):
    frame = protect(pd.DataFrame([EQUITY | changed]), STRICT, kind="equity").frame
    assert "pupils" not in frame
    assert frame["status"].item() == status
    assert np.isnan(frame["evenness"].item()) == bool(status)
    if not status:
        assert frame["evenness"].item() == 0.25


def test_the_index_of_everyone_trained_says_so():
    row = EQUITY | {"schools_trained": 60, "pupils_reached": 400, "status": "z"}
    row |= dict.fromkeys(("concentration", "evenness", "evenness_lower", "evenness_upper"), np.nan)
    frame = protect(pd.DataFrame([row]), STRICT, kind="equity").frame
    assert frame["status"].item() == "z"
    assert frame["schools_trained"].item() == 60


def test_growth_after_a_hidden_year_is_hidden_too(authority):
    log = authority.log.iloc[:1].assign(time_period=202122)
    more = authority.log.iloc[5:30].assign(time_period=202324)
    table = training_reach(
        pd.concat([log, more]), authority.schools, authority.panel,
        years=invented.YEARS, group="cwsw",
    )  # fmt: skip
    frame = authority.shown(table)
    rows = frame.query("programme == 'any' and tier == 'any' and phase == 'total'")
    last = rows.set_index("time_period").loc[202324]
    assert pd.notna(last["schools_trained"])
    assert last[["growth_share_schools", "cost_per_pupil_year"]].isna().all()
    assert last["status"] == "c"


def test_the_whole_offer_passes_the_door(authority):
    offer = measure_offer(
        authority.log, authority.schools, authority.panel,
        metric="overall_absence", reference="peers", **ASKED,
    )  # fmt: skip
    for name in ("reach", "audiences", "by_deprivation", "by_baseline_gap"):
        assert len(authority.shown(getattr(offer, name))) > 0
