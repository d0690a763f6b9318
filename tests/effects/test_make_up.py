"""Who is newly counted: outcomes by hand, refusals, and what the tests see of a planted change."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.effects.conftest import YEARS
from tests.effects.panels import adopted_of, study_of
from vsh_eval import effects
from vsh_eval.contracts import ContractError
from vsh_eval.effects.sensitivity.composition import ENTRANTS_PRIOR, ENTRIES, PRIOR

STUDY = study_of()
COLUMNS = ["unit_id", "phase", "time_period", "metric", "outcome", "weight", "pupils"]


def row(group="cin", year=202223, **counts):
    usual = {
        "pupils": 4, "entrants": 1, "prior_pupils": 3, "prior_missed": 90, "prior_possible": 900,
        "entrants_missed": 6, "entrants_possible": 300,
    }  # fmt: skip
    return (
        {"unit_id": "1", "phase": "primary", "time_period": year, "group": group} | usual | counts
    )


def test_groups_are_added_up_before_dividing():
    table = pd.DataFrame(
        [
            row(),
            row("cpp", pupils=2, entrants=2, entrants_possible=100),
            row("peers", pupils=99, prior_missed=18),
        ]
    )
    found = effects.sensitivity.composition_outcomes(table)
    assert list(found) == [ENTRIES, PRIOR, ENTRANTS_PRIOR]
    assert [list(part.columns) for part in found.values()] == [COLUMNS] * 3
    rows = [part.iloc[0] for part in found.values()]
    assert [r["outcome"] for r in rows] == pytest.approx([50.0, 10.0, 3.0 - 2.0])
    assert [r["weight"] for r in rows] == [6, 1800, 400]
    assert [r["pupils"] for r in rows] == [6, 6, 3]
    alone = effects.sensitivity.composition_outcomes(table, group="cpp")
    assert alone[ENTRIES]["outcome"].tolist() == [100.0]


def test_what_is_not_known_has_no_row():
    told = ["prior_pupils", "prior_missed", "prior_possible", "entrants_missed",
            "entrants_possible"]  # fmt: skip
    table = pd.DataFrame(
        [
            row(year=201920, **dict.fromkeys(["entrants", *told], None)),
            row(year=202021, **dict.fromkeys(told, None)),
            row(year=202122, entrants=0, entrants_missed=0, entrants_possible=0),
            row(year=202223),
            *(row("peers", year=year) for year in (202122, 202223)),
            row(year=202324),
        ]
    ).astype(dict.fromkeys(["pupils", "entrants", *told], "Int64"))
    found = effects.sensitivity.composition_outcomes(table)
    years = {name: part["time_period"].tolist() for name, part in found.items()}
    assert years == {
        ENTRIES: [202021, 202122, 202223, 202324],
        PRIOR: [202122, 202223, 202324],
        ENTRANTS_PRIOR: [202223],
    }  # fmt: skip
    assert found[ENTRIES]["outcome"].tolist() == [25.0, 0.0, 25.0, 25.0]


def test_a_missing_column_and_an_unknown_group_are_refused():
    table = pd.DataFrame([row()])
    with pytest.raises(ContractError, match=r"make_up lacks .*entrants_possible"):
        effects.sensitivity.composition_outcomes(table.drop(columns="entrants_possible"))
    with pytest.raises(ContractError, match="group is 'all_of_them'"):
        effects.sensitivity.composition_outcomes(table, group="all_of_them")


def make_up(*, milder_from=None, fewer_enter=False, entrants_milder=0, peers_helped=0):
    """Counts of 48 schools; absence of the year before falls so many years since training.

    In sessions of 300: how much milder entrants are where schools are trained, and how much less
    everyone else, entrants of the next year too, misses from the first trained year on.
    """
    rng = np.random.default_rng(0)
    rows = []
    for school in range(48):
        adopted = adopted_of(school)
        phase = "secondary" if school % 4 == 0 else "primary"
        for year in YEARS:
            since = YEARS.index(year) - YEARS.index(adopted) if adopted else -9
            entrants = 2 + int(rng.random() < 0.5) - int(fewer_enter and since >= 0)
            milder = milder_from is not None and since >= milder_from
            missed = rng.normal(90, 8) - 60 * milder
            helped = peers_helped * (since >= 1)
            own = rng.normal(40, 2) - entrants_milder * (since >= 0) - helped
            others = 3 * (rng.normal(20, 1) - helped)
            cell = row(year=year, entrants=entrants, prior_missed=missed, entrants_missed=own)
            compared = row("peers", year=year, prior_missed=others)
            rows += [
                one | {"unit_id": f"s{school:03d}", "phase": phase} for one in (cell, compared)
            ]
    return pd.DataFrame(rows)


def p_values(table):
    study = replace(STUDY, composition=effects.sensitivity.composition_outcomes(table))
    tests = effects.sensitivity.composition_tests(study).set_index("metric")
    assert tests.loc[[ENTRIES, PRIOR, ENTRANTS_PRIOR], "status"].eq("").all()
    return tests["p_value"]


def test_children_with_another_year_before_are_noticed():
    found = p_values(make_up(milder_from=0))
    assert found[PRIOR] < 0.001
    assert found[ENTRIES] > 0.01


def test_without_a_year_that_has_the_year_before_it_only_entries_are_tested():
    counted = effects.sensitivity.composition_outcomes(make_up())
    study = replace(STUDY, composition=counted | {PRIOR: counted[PRIOR].iloc[:0].astype(str)})
    tests = effects.sensitivity.composition_tests(study).set_index("metric")
    assert tests.loc[ENTRIES, "status"] == ""
    assert tests.loc[PRIOR, "status"] == "x"


def test_other_entries_are_noticed():
    found = p_values(make_up(fewer_enter=True))
    assert found[ENTRIES] < 0.001
    assert found[PRIOR] > 0.01


def test_a_year_before_that_was_one_of_training_is_no_other_children():
    # Absence falls once training works: seen in the year before from the second year on only.
    assert p_values(make_up(milder_from=1))[PRIOR] > 0.01


def test_new_children_who_were_helped_as_peers_are_no_other_children():
    # Training that helps everyone helps entrants before they enter, as long as they are peers.
    found = (p_values(make_up(peers_helped=helped))[ENTRANTS_PRIOR] for helped in (0, 6))
    assert next(found) == pytest.approx(next(found))
    assert p_values(make_up(peers_helped=6, entrants_milder=6))[ENTRANTS_PRIOR] < 0.001
