import pandas as pd
import pytest

from vsh_eval import contracts, names
from vsh_eval.contracts import CohortRuleError, ContractError, VintageError


def panel(**columns):
    return pd.DataFrame({"vintage": ["a", "a"], "cohort_rule": ["r", "r"], **columns})


def test_two_vintages_are_refused_by_name():
    with pytest.raises(VintageError, match="'2024 release' and '2026 release'"):
        contracts.require_one_vintage(panel(vintage=["2026 release", "2024 release"]))


def test_two_cohort_rules_are_refused_by_name():
    with pytest.raises(CohortRuleError, match="'any_time_in_year' and 'at_31_march'"):
        contracts.require_one_vintage(panel(cohort_rule=["at_31_march", "any_time_in_year"]))


def test_missing_columns_are_named_with_those_there_are():
    with pytest.raises(ContractError, match=r"schools lacks the columns name, phase; it has urn\."):
        contracts.require_columns(
            pd.DataFrame({"urn": []}), ["urn", "name", "phase"], name="schools"
        )


def test_a_value_outside_its_list_is_refused():
    with pytest.raises(ContractError, match="reference is 'england', must be one of all, peers"):
        contracts.require_one_of("england", ("peers", "all"), name="reference")


def test_every_key_of_a_return_is_one_of_its_columns():
    for table in contracts.RETURNS.values():
        assert set(table.keys) <= set(table.column_names), table.name


def test_phases_and_statuses_of_the_contract_are_the_dictionarys():
    phases = next(c for c in contracts.RETURNS["schools"].columns if c.name == "phase")
    statuses = next(c for c in contracts.RETURNS["episodes"].columns if c.name == "status")
    assert phases.allowed == names.PHASES
    assert statuses.allowed == names.STATUSES
