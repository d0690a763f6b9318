import pandas as pd
import pytest

from tests.metrics.panels import invented_pupils, published_panel, pupils_panel
from vsh_eval import names
from vsh_eval.contracts import CohortRuleError, ContractError, VintageError
from vsh_eval.metrics import changes, gaps, levels, school_gaps, training_reach


@pytest.fixture(scope="module")
def panel():
    return pupils_panel(invented_pupils(1, schools=3))


def compare_all(panel):
    columns = "unit_id programme tier start_date time_period staff_trained hours cost"
    log = pd.DataFrame(columns=columns.split())
    schools = pd.DataFrame(columns=["unit_id", "phase", "opened", "closed"])
    pair = {"group": "cwsw", "reference": "peers"}
    yield lambda: levels(panel, groups=["cwsw"])
    yield lambda: gaps(panel, **pair)
    yield lambda: changes(panel, **pair, baseline=202324)
    yield lambda: school_gaps(panel, metric="overall_absence", **pair)
    yield lambda: training_reach(log, schools, panel, years=[202324], group="cwsw")


@pytest.mark.parametrize(
    ("column", "other", "error", "named"),
    [
        ("vintage", "2024", VintageError, "vintage is both '2024' and '2026'"),
        ("cohort_rule", "ever_6", CohortRuleError, "both 'any_time_in_year' and 'ever_6'"),
        ("source", "published", ContractError, "source is both 'published' and 'returns'"),
    ],
)
def test_every_comparison_refuses_a_mixture_and_names_both(panel, column, other, error, named):
    mixed = panel.copy()
    mixed.loc[mixed.index[-1], column] = other
    for call in compare_all(mixed):
        with pytest.raises(error, match=named):
            call()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"level": "la"}, "level in a panel of returns is 'la'"),
        ({"group": "cwsw"}, "group in a panel of returns is 'cwsw'"),
        ({"phase": "total"}, "phase in a panel of returns is 'total'"),
        ({"numerator": float("nan")}, "numerator is missing in 1 rows"),
        ({"metric": "absnce"}, "metric is 'absnce'"),
    ],
)
def test_returns_against_their_contract_are_refused(panel, change, message):
    wrong = panel.copy()
    for column, value in change.items():
        wrong.loc[wrong.index[0], column] = value
    with pytest.raises(ContractError, match=message):
        levels(wrong, groups=["cin"])


def test_a_source_that_is_neither_is_refused(panel):
    with pytest.raises(ContractError, match="source is 'guessed'"):
        levels(panel.assign(source="guessed"), groups=["cin"])


def test_all_needs_the_peers(panel):
    with pytest.raises(ContractError, match="'all' needs the peers"):
        gaps(panel[panel["group"] != "peers"], group="cwsw", reference="all")


@pytest.mark.parametrize("alpha", [0, 1, 5])
def test_alpha_is_a_share(panel, alpha):
    with pytest.raises(ContractError, match=r"alpha is .* between 0 and 1"):
        levels(panel, groups=["cin"], alpha=alpha)


def test_names_are_checked(panel):
    with pytest.raises(ContractError, match="group is 'send'"):
        levels(panel, groups=["send"])
    with pytest.raises(ContractError, match="group and reference are both 'cin'"):
        gaps(panel, group="cin", reference="cin")
    with pytest.raises(ContractError, match=r"baseline is 201819, .* 2023/24 to 2024/25"):
        changes(panel, group="cin", reference="peers", baseline=201819)
    with pytest.raises(ContractError, match="panel lacks the column rate"):
        levels(panel.drop(columns="rate"), groups=["cin"])
    with pytest.raises(ContractError, match="panel has no rows"):
        levels(panel.head(0), groups=["cin"])


def test_published_groups_are_those_that_dfe_counts():
    panel = published_panel([(202425, "total", "cin", "overall_absence", 10, 1, 9, None, "")])
    for group in set(names.LEAF_GROUPS) - {"cin", "cpp", "cla"}:
        with pytest.raises(ContractError, match="published tables only have"):
            levels(panel, groups=[group])
