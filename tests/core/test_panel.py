import pandas as pd
import pytest

from tests.metrics.panels import invented_pupils, published_panel, pupils_panel, returns_panel
from vsh_eval import names
from vsh_eval.contracts import CohortRuleError, ContractError, VintageError
from vsh_eval.metrics import gaps, levels
from vsh_eval.metrics.training import training_reach
from vsh_eval.panel import (
    SCHOOL_GAP_COLUMNS,
    Comparison,
    slice_for,
    validate_panel,
    within_school_gaps,
)

PAIR = {"metric": "overall_absence", "group": "cwsw", "reference": "peers"}


@pytest.fixture(scope="module")
def panel():
    return pupils_panel(invented_pupils(1, schools=3))


@pytest.mark.parametrize(
    ("column", "other", "error", "named"),
    [
        (
            "vintage",
            "2024",
            VintageError,
            "vintage is both '2024' and '2026'.*; take the "
            "files of '2024' out of the folder, or download them again as of '2026'",
        ),
        ("cohort_rule", "ever_6", CohortRuleError, "both 'any_time_in_year' and 'ever_6'"),
        ("source", "published", ContractError, "source is both 'published' and 'returns'"),
    ],
)
def test_every_comparison_refuses_a_mixture_and_names_both(panel, column, other, error, named):
    mixed = panel.copy()
    mixed.loc[mixed.index[-1], column] = other
    columns = "unit_id programme tier start_date time_period staff_trained hours cost"
    log = pd.DataFrame(columns=columns.split())
    schools = pd.DataFrame(columns=["unit_id", "phase", "opened", "closed"])
    for call in (
        lambda: levels(mixed, groups=["cwsw"]),
        lambda: slice_for(mixed, Comparison("cwsw", "peers")),
        lambda: within_school_gaps(mixed, **PAIR),
        lambda: training_reach(log, schools, mixed, years=[202324], group="cwsw"),
    ):
        with pytest.raises(error, match=named):
            call()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"level": "la"}, "level in a panel of returns is 'la'"),
        ({"group": "cwsw"}, "group in a panel of returns is 'cwsw'"),
        ({"phase": "total"}, "phase in a panel of returns is 'total'"),
        ({"numerator": float("nan")}, "numerator is missing in 1 row"),
        ({"metric": "absnce"}, "metric is 'absnce'"),
    ],
)
def test_returns_against_their_contract_are_refused(panel, change, message):
    wrong = panel.copy()
    for column, value in change.items():
        wrong.loc[wrong.index[0], column] = value
    with pytest.raises(ContractError, match=message):
        validate_panel(wrong, groups=["cin"])


def test_panels_that_cannot_be_compared_are_refused(panel):
    for wrong, group, message in (
        (panel.assign(source="guessed"), "cin", "source is 'guessed'"),
        (panel[panel["group"] != "peers"], "all", "'all' needs the peers"),
        (panel.drop(columns="rate"), "cin", "panel lacks the column rate"),
        (panel.head(0), "cin", "panel has no rows"),
        (panel, "send", "group is 'send'"),
    ):
        with pytest.raises(ContractError, match=message):
            validate_panel(wrong, groups=[group])


def test_a_comparison_is_of_two_groups_and_a_year_of_the_panel(panel):
    with pytest.raises(ContractError, match="group and reference are both 'cin'"):
        Comparison("cin", "cin")
    with pytest.raises(ContractError, match=r"baseline is 201819, .* 2023/24 to 2024/25"):
        slice_for(panel, Comparison("cin", "peers", baseline=201819))


def test_published_panels_have_the_groups_that_dfe_counts_and_no_schools_and_no_row_twice():
    panel = published_panel([(202425, "total", "cin", "overall_absence", 10, 1, 9, None, "")])
    for group in {*names.LEAF_GROUPS, "ever_cwsw"} - {"cin", "cpp", "cla"}:
        with pytest.raises(ContractError, match="published tables only have 'all'"):
            validate_panel(panel, groups=[group])
    with pytest.raises(ContractError, match="1 row twice"):
        validate_panel(pd.concat([panel, panel]), groups=["cin"])
    with pytest.raises(ContractError, match="published tables have no schools"):
        within_school_gaps(panel, metric="overall_absence", group="cin", reference="all")


def test_gaps_within_schools_by_hand():
    rows = [
        ("2", 202324, "primary", "cin", "overall_absence", 2, 60, 600),
        ("2", 202324, "primary", "cpp", "overall_absence", 1, 60, 300),
        ("2", 202324, "primary", "peers", "overall_absence", 20, 300, 6000),
        ("1", 202425, "secondary", "cin", "overall_absence", 2, 60, 600),
        ("1", 202425, "secondary", "peers", "overall_absence", 20, 900, 6000),
        ("3", 202425, "primary", "cin", "overall_absence", 2, 60, 600),
        ("4", 202425, "primary", "peers", "overall_absence", 20, 900, 6000),
        ("5", 202425, "primary", "cin", "overall_absence", 0, 0, 0),
        ("5", 202425, "primary", "peers", "overall_absence", 20, 900, 6000),
    ]
    found = within_school_gaps(returns_panel(rows), **PAIR)
    assert tuple(found.columns) == SCHOOL_GAP_COLUMNS
    assert found["unit_id"].tolist() == ["1", "2"]
    assert found["group_level"].tolist() == pytest.approx([10, 100 * 120 / 900])
    assert found["reference_level"].tolist() == pytest.approx([15, 5])
    assert found["outcome"].tolist() == pytest.approx([10 - 15, 100 * 120 / 900 - 5])
    assert found["weight"].tolist() == [600, 900]
    assert found["pupils"].tolist() == [2, 3]
    assert found["reference_pupils"].tolist() == [20, 20]
    assert found["phase"].tolist() == ["secondary", "primary"]


def test_gaps_within_schools_keep_comparable_years_only():
    rows = [
        ("1", year, "secondary", group, "ks4_attainment8", 2, 60.5, 2)
        for year in (201819, 201920, 202021, 202122)
        for group in ("cin", "peers")
    ]
    found = within_school_gaps(
        returns_panel(rows), metric="ks4_attainment8", group="cin", reference="peers"
    )
    assert found["time_period"].tolist() == [201819, 202122]


@pytest.mark.parametrize("reference", ["peers", "all"])
def test_the_gap_within_the_only_school_is_the_authoritys(reference):
    panel = pupils_panel(invented_pupils(1, schools=1))
    found = within_school_gaps(panel, **PAIR | {"reference": reference})
    wide = gaps(panel, Comparison("cwsw", reference)).query("phase == 'total'")
    assert found["outcome"].tolist() == pytest.approx(wide["gap"].tolist())
    assert found["reference_pupils"].tolist() == wide["reference_pupils"].tolist()
