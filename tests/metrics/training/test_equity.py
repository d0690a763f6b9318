import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics import invented_offer as invented
from vsh_eval.metrics.training import deprivation_bands, equity
from vsh_eval.metrics.training.equity import concentration, evenness

SCHOOLS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 9), st.booleans()), min_size=4, max_size=30
)


def pairs(need, weight, reached):
    """Second method: every pair of a pupil reached and one not."""
    total = won = 0.0
    for first, a, one in zip(need, weight, reached, strict=True):
        for second, b, other in zip(need, weight, reached, strict=True):
            if one and not other:
                total += a * b
                won += a * b * np.sign(first - second)
    return won / total


def area(need, weight, reached):
    """Second method: the curve by trapezes, equal needs in one step."""
    order = sorted(set(need), reverse=True)
    x = np.cumsum([0, *(weight[need == one].sum() for one in order)])
    y = np.cumsum([0, *((weight * reached)[need == one].sum() for one in order)])
    return 2 * np.trapezoid(y / y[-1], x / x[-1]) - 1


@settings(max_examples=50, deadline=None)
@given(SCHOOLS)
def test_the_index_is_the_area_and_the_pairs(rows):
    need, weight, reached = np.array(rows, dtype=float).T
    part = weight @ reached
    if not 0 < part < weight.sum():
        return
    assert concentration(need, weight, reached) == pytest.approx(area(need, weight, reached))
    assert evenness(need, weight, reached) == pytest.approx(pairs(need, weight, reached))
    assert evenness(-need, weight, reached) == pytest.approx(-evenness(need, weight, reached))
    assert -1 - 1e-9 <= evenness(need, weight, reached) <= 1 + 1e-9


def test_nothing_to_measure_is_no_number():
    one = np.ones(3)
    assert np.isnan(concentration(one, one, 0 * one))
    assert np.isnan(evenness(one, one, one))
    assert np.isnan(evenness(one, 0 * one, one))


def table(share=0.5, listed=None, panel=None, **changed):
    listed = invented.schools() if listed is None else listed
    panel = invented.panel(listed) if panel is None else panel
    log = changed.pop("log", invented.log(listed, share=share))
    found = equity(
        log, listed, panel, (deprivation_bands(listed),), years=[202324], group="cwsw", **changed
    )
    return found.set_index("counted")


def test_training_of_the_neediest_only():
    listed = invented.schools()
    neediest = listed.nlargest(20, "pct_fsm")
    log = invented.log(neediest, share=1.0)
    found = table(listed=listed, log=log)
    assert found["evenness"].tolist() == pytest.approx([1, 1])
    assert found[["evenness_lower", "evenness_upper"]].isna().all().all()
    assert found.loc["schools", "concentration"] == pytest.approx(1 - 20 / 48)


def test_the_interval_is_the_jackknifes():
    listed, panel = invented.schools(), None
    found = table(listed=listed, panel=panel)
    need = listed["pct_fsm"].to_numpy(float)
    log = invented.log(listed, share=0.5)
    reached = listed["unit_id"].isin(log["unit_id"]).to_numpy(float)
    one = np.ones(48)
    without = [pairs(*(np.delete(v, place) for v in (need, one, reached))) for place in range(48)]
    error = np.sqrt(47 / 48 * np.sum((without - np.mean(without)) ** 2))
    row = found.loc["schools"]
    reach = 2.01174 * error / (1 - row["evenness"] ** 2)
    for limit, sign in (("evenness_lower", -1), ("evenness_upper", 1)):
        moved = np.arctanh(row[limit]) - np.arctanh(row["evenness"])
        assert moved == pytest.approx(sign * reach, rel=1e-4)


@pytest.mark.parametrize(("share", "status"), [(0.0, "z"), (1.0, "z")])
def test_all_or_none_have_no_order(share, status):
    assert table(share)["status"].tolist() == [status] * 2


def test_no_measure_of_need_no_headcount_and_few_schools_are_unknown():
    listed = invented.schools()
    bare = listed.drop(columns="pct_fsm")
    assert set(table(listed=bare)["status"]) == {"x"}
    panel = invented.panel(listed, years=(202122,))
    found = table(listed=listed, panel=panel)
    assert found["status"].to_dict() == {"schools": "", "pupils": "x"}
    assert np.isnan(found.loc["pupils", "evenness"])
