"""A school stays one school through academisation and merger."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsh_eval.cohort import stable_schools
from vsh_eval.contracts import ContractError


def schools(*rows, **covariates):
    table = pd.DataFrame(rows, columns=["urn", "name", "phase", "la_code", "opened", "closed"])
    for column in ("opened", "closed"):
        table[column] = pd.to_datetime(table[column])
    return table.assign(**covariates)


def row(urn, *, phase="primary", opened=None, closed=None):
    return (urn, f"School {urn}", phase, "E1", opened, closed)


def links(*pairs):
    return pd.DataFrame(list(pairs), columns=["urn", "successor_urn"], dtype="str")


def units(stable):
    return dict(zip(stable.urns["urn"], stable.urns["unit_id"], strict=True))


def test_a_chain_leads_to_the_last_successor():
    stable = stable_schools(
        schools(
            row("A", opened="1990-09-01", closed="2016-08-31"),
            row("B", opened="2016-09-01", closed="2020-08-31"),
            row("C", phase="all_through", opened="2020-09-01"),
        ),
        links(("A", "B"), ("B", "C")),
    )
    assert units(stable) == {"A": "C", "B": "C", "C": "C"}
    (school,) = stable.schools.to_dict("records")
    assert (school["unit_id"], school["name"], school["phase"]) == ("C", "School C", "all_through")
    assert school["opened"] == pd.Timestamp("1990-09-01")
    assert pd.isna(school["closed"])


def test_the_stable_school_closed_when_its_successor_did():
    stable = stable_schools(
        schools(row("A", closed="2016-08-31"), row("B", closed="2022-08-31")), links(("A", "B"))
    )
    assert stable.schools["closed"].tolist() == [pd.Timestamp("2022-08-31")]
    assert stable.schools["opened"].isna().all()


def test_a_merger_makes_one_school_of_two():
    stable = stable_schools(
        schools(row("A"), row("B"), row("C"), row("D")), links(("A", "C"), ("B", "C"))
    )
    assert units(stable) == {"A": "C", "B": "C", "C": "C", "D": "D"}
    assert stable.schools["unit_id"].tolist() == ["C", "D"]


def test_covariates_are_the_successors_else_the_nearest_predecessors():
    stable = stable_schools(
        schools(
            row("A"), row("B"), row("C"),
            pct_fsm=[10.0, 20.0, None], places=[1.0, None, None], size=[7, 8, 9],
            head=["x", "y", "z"],
        ),
        links(("A", "B"), ("B", "C")),
    )  # fmt: skip
    assert stable.schools[["pct_fsm", "places", "size"]].to_numpy().tolist() == [[20.0, 1.0, 9]]
    assert "head" not in stable.schools


def test_a_successor_without_a_row_takes_its_predecessors():
    stable = stable_schools(schools(row("A", closed="2020-08-31")), links(("A", "Z")))
    (school,) = stable.schools.to_dict("records")
    assert (school["unit_id"], school["name"]) == ("Z", "School A")
    assert pd.isna(school["closed"])
    assert units(stable) == {"A": "Z", "Z": "Z"}


def test_links_among_schools_that_are_not_listed_make_no_school():
    stable = stable_schools(schools(row("A")), links(("Y", "Z")))
    assert units(stable) == {"A": "A"}


def test_a_school_split_in_two_stays_itself():
    stable = stable_schools(
        schools(row("A"), row("B"), row("C")), links(("A", "B"), ("A", "C"), ("A", "B"))
    )
    assert units(stable) == {"A": "A", "B": "B", "C": "C"}


@pytest.mark.parametrize(
    ("pairs", "named"),
    [
        ([("A", "A")], "A"),
        ([("A", "B"), ("B", "A")], "A"),
        ([("A", "B"), ("B", "C"), ("C", "B")], "B"),
    ],
)
def test_a_circle_is_refused_by_name(pairs, named):
    with pytest.raises(ContractError, match=f"lead from URN {named} back to itself"):
        stable_schools(schools(row("A"), row("B"), row("C")), links(*pairs))


def test_a_urn_listed_twice_is_refused():
    with pytest.raises(ContractError, match="schools holds URN A more than once"):
        stable_schools(schools(row("A"), row("A")), links())


def test_a_missing_column_is_refused():
    with pytest.raises(ContractError, match="schools lacks the column phase"):
        stable_schools(schools(row("A")).drop(columns="phase"), links())


@given(successors=st.lists(st.integers(0, 11), min_size=12, max_size=12))
@settings(max_examples=25, deadline=None)
def test_following_again_changes_nothing_and_every_urn_has_one_school(successors):
    urns = [f"U{n:02d}" for n in range(12)]
    # A link to a later URN only: no circle is possible.
    pairs = [(urns[n], urns[s]) for n, s in enumerate(successors) if s > n]
    stable = stable_schools(schools(*(row(urn) for urn in urns)), links(*pairs))
    found = units(stable)
    assert set(found) == set(urns)
    assert all(found[unit] == unit for unit in found.values())
    assert sorted(set(found.values())) == stable.schools["unit_id"].tolist()
