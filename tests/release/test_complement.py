"""A hidden mean must not follow from the means that are shown."""

import numpy as np
import pandas as pd
import pytest

from vsh_eval.release.disclosure.complement import complement
from vsh_eval.release.disclosure.rules import rule_named

STRICT = rule_named("strict10")


def cells(rows, metric="ks4_attainment8"):
    table = pd.DataFrame(rows, columns=["phase", "group", "true_pupils", "status"])
    hidden = table["status"] == "c"
    return table.assign(
        time_period=202425,
        metric=metric,
        level=np.where(hidden, np.nan, 20.0),
        reason=np.where(hidden, "threshold", ""),
    )


def hidden_of(rows, **kwargs):
    judged = complement(cells(rows, **kwargs), kwargs.get("rule", STRICT))
    hidden = judged[judged["status"] == "c"]
    assert hidden["level"].isna().all()
    return set(hidden["phase"] + "/" + hidden["group"])


def phases(*counts, group="peers"):
    names = ("primary", "secondary", "special", "alternative_provision")
    rows = [(name, group, n, "c" if n < 10 else "") for name, n in zip(names, counts, strict=False)]
    return [*rows, ("total", group, sum(counts), "")]


def test_one_hidden_phase_takes_the_smallest_shown_one_with_it():
    assert hidden_of(phases(200, 80, 15, 5)) == {"alternative_provision/peers", "special/peers"}


def test_two_hidden_phases_with_ten_children_between_them_are_enough():
    assert hidden_of(phases(200, 80, 6, 5)) == {"special/peers", "alternative_provision/peers"}


def test_two_hidden_phases_with_fewer_children_take_a_third():
    found = hidden_of(phases(200, 80, 4, 5))
    assert found == {"secondary/peers", "special/peers", "alternative_provision/peers"}


def test_where_every_part_is_hidden_or_empty_the_total_goes_too():
    assert hidden_of(phases(0, 0, 0, 5)) >= {"total/peers"}


def test_nothing_hidden_stays_nothing_hidden():
    assert hidden_of(phases(200, 80, 15, 12)) == set()


def test_a_hidden_group_takes_its_sister_with_it():
    rows = [
        ("total", "cin", 60, ""),
        ("total", "cpp", 8, "c"),
        ("total", "cwsw", 68, ""),
    ]
    assert hidden_of(rows) == {"total/cpp", "total/cin"}


@pytest.mark.parametrize("metric", ["persistent_absence", "ks2_rwm_expected"])
def test_metrics_that_count_children_are_left_to_their_rounded_counts(metric):
    assert hidden_of(phases(200, 80, 15, 5), metric=metric) == {"alternative_provision/peers"}


def test_an_exact_rule_hides_nothing_more():
    judged = complement(cells(phases(200, 80, 15, 5)), rule_named("none"))
    assert (judged["status"] == "c").sum() == 1


def test_everyones_mean_rank_is_known_though_it_is_hidden():
    rows = [("total", "cla", 8, "c"), ("total", "cwsw", 40, ""), ("total", "previous", 30, ""),
            ("total", "peers", 300, ""), ("total", "all", 378, "c")]  # fmt: skip
    assert hidden_of(rows) == {"total/cla", "total/all"}
    found = hidden_of(rows, metric="ks4_attainment8_rank")
    assert found == {"total/cla", "total/all", "total/previous"}


def test_a_phase_does_not_follow_from_the_mean_rank_of_everyone():
    rows = [*phases(200, 80, 15, 5, group="all")[:-1], ("total", "all", 300, "c")]
    found = hidden_of(rows, metric="ks4_attainment8_rank")
    assert found == {"alternative_provision/all", "special/all", "total/all"}


def test_a_group_of_few_among_thousands_needs_no_other():
    """A twentieth of a point of 3,000 children is ten points and more of eight."""
    rows = [("total", "cla", 8, "c"), ("total", "cwsw", 40, ""), ("total", "previous", 30, ""),
            ("total", "peers", 3000, ""), ("total", "all", 3078, "")]  # fmt: skip
    assert hidden_of(rows, metric="ks4_attainment8_rank") == {"total/cla"}


@pytest.mark.parametrize("shown", [("peers", "cla", "previous"), ("peers", "cla", "ever_cwsw")])
def test_a_hidden_group_does_not_follow_from_wider_ones(shown):
    sizes = {"cla": 12, "cwsw": 6, "previous": 20, "peers": 300, "ever_cwsw": 26, "all": 338}
    rows = [
        ("total", group, sizes[group], "c" if group == "cwsw" else "")
        for group in (*shown, "cwsw", "all")
    ]
    if "previous" not in shown:
        assert hidden_of(rows) == {"total/cwsw"}
        rows.append(("total", "previous", 20, ""))
        assert hidden_of(rows) == {"total/cwsw", "total/ever_cwsw", "total/all"}
    else:
        assert hidden_of(rows) == {"total/cwsw", "total/all"}


def test_one_kind_of_absence_does_not_follow_from_the_other():
    kinds = ("overall_absence", "authorised_absence", "unauthorised_absence")
    rows = pd.concat(
        [
            cells([("total", "cwsw", 40, "c" if metric == kinds[2] else "")], metric=metric)
            for metric in kinds
        ],
        ignore_index=True,
    )
    assert complement(rows, STRICT)["status"].tolist() == ["", "c", "c"]
    rows = rows.assign(status=["c", "", ""], reason=["dominance", "", ""])
    assert (complement(rows, STRICT)["status"] == "c").sum() == 2
