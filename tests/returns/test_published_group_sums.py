import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsh_eval import names
from vsh_eval.contracts import CohortRuleError, ContractError
from vsh_eval.returns.published import combined

NUMBERS = ("pupils", "numerator", "denominator", "rate")


def row(group: str, *numbers: float | None, status: str = "", **keys) -> dict[str, object]:
    return {
        "source": "published",
        "vintage": "2024/25 release",
        "cohort_rule": "at_31_march",
        "level": "la",
        "unit_id": "E06000049",
        "time_period": 202425,
        "phase": "total",
        "group": group,
        "metric": "overall_absence",
        **dict.fromkeys(names.PANEL_SUMS),
        **dict(zip(NUMBERS, numbers, strict=True)),
        "status": status,
        **keys,
    }


def panel(*rows: dict[str, object]) -> pd.DataFrame:
    table = pd.DataFrame(rows)[list(names.PANEL_COLUMNS)]
    kinds = dict.fromkeys(("numerator", "sum_yy", "sum_xy", "sum_xx", "rate"), "float64")
    return table.astype({"pupils": "Int64", "denominator": "Int64", **kinds})


CIN = row("cin", 60, 2100, 21000, 10.0)


def total(*rows: dict[str, object]) -> pd.Series:
    (found,) = (series for _, series in combined(panel(*rows)).iterrows())
    return found


def test_counts_are_added_and_the_rate_is_made_from_them():
    found = total(CIN, row("cpp", 20, 1400, 7000, 20.0))
    assert found[list(NUMBERS)].tolist() == [80, 3500.0, 28000, 12.5]
    assert (found["group"], found["status"]) == ("cwsw", "")


def test_points_are_not_percentages():
    keys = {"metric": "ks4_attainment8"}
    found = total(
        row("cin", 2, 30.5, 2, 15.3, **keys),
        row("cpp", 1, 20.0, 1, 20.0, **keys),
    )
    assert found["rate"] == pytest.approx(50.5 / 3)


def test_the_columns_and_their_kinds_are_the_panels():
    given_panel = panel(CIN, row("cpp", 20, 1400, 7000, 20.0))
    summed = combined(given_panel)
    assert tuple(summed.columns) == names.PANEL_COLUMNS
    assert summed.dtypes.astype(str).to_dict() == given_panel.dtypes.astype(str).to_dict()


@pytest.mark.parametrize("symbol", ["c", "x", "u", "low"])
def test_a_sum_with_a_part_that_is_not_shown_is_not_shown(symbol):
    found = total(CIN, row("cpp", 20, None, 7000, None, status=symbol))
    assert found["status"] == symbol
    assert pd.isna(found["numerator"])
    assert pd.isna(found["rate"])
    assert found["pupils"] == 80


@pytest.mark.parametrize("other", ["x", "u", "z", "low"])
def test_suppressed_stands_before_every_other_symbol(other):
    hidden = row("cin", None, None, None, None, status="c")
    found = total(hidden, row("cpp", None, None, None, None, status=other))
    assert found["status"] == "c"
    assert found[list(NUMBERS)].isna().all()


def test_a_part_without_pupils_adds_nothing():
    found = total(CIN, row("cpp", 0, None, None, None, status="z"))
    assert found[list(NUMBERS)].tolist() == [60, 2100.0, 21000, 10.0]
    assert found["status"] == ""


def test_a_sum_without_pupils_is_not_applicable():
    nobody = [row(group, 0, None, None, None, status="z") for group in ("cin", "cpp")]
    found = total(*nobody)
    assert (found["pupils"], found["status"]) == (0, "z")
    assert found[["numerator", "denominator", "rate"]].isna().all()


def test_a_low_rate_with_its_counts_is_added():
    found = total(row("cin", 60, 1, 21000, None, status="low"), row("cpp", 20, 3, 7000, 0.1))
    assert (found["status"], found["numerator"]) == ("", 4)


def test_a_part_without_a_row_makes_the_sum_unavailable():
    other = {"unit_id": "E06000050"}
    found = combined(panel(CIN, row("cpp", 20, 1, 2, 3.0), row("cin", 1, 1, 1, 1.0, **other)))
    assert found["status"].tolist() == ["", "x"]
    assert pd.isna(found.loc[1, "pupils"])


def test_second_moments_are_added_where_they_are():
    found = total(
        {**CIN, "sum_yy": 5.0, "sum_xy": 6.0, "sum_xx": 7.0},
        {**row("cpp", 20, 1400, 7000, 20.0), "sum_yy": 1.0, "sum_xy": 1.0, "sum_xx": 1.0},
    )
    assert found[["sum_yy", "sum_xy", "sum_xx"]].tolist() == [6.0, 7.0, 8.0]


def test_a_group_without_its_parts_is_refused():
    with pytest.raises(ContractError, match=r"ever_cwsw is the sum .* no rows of previous"):
        combined(panel(CIN, row("cpp", 20, 1400, 7000, 20.0)), group="ever_cwsw")


def test_a_leaf_is_no_sum():
    with pytest.raises(ContractError, match="group is 'cin', must be one of all, cwsw, ever_cwsw"):
        combined(panel(CIN), group="cin")


def test_repeated_rows_are_refused():
    with pytest.raises(ContractError, match="panel repeats 1 rows of the parts of cwsw"):
        combined(panel(CIN, CIN, row("cpp", 20, 1400, 7000, 20.0)))


def test_two_cohort_rules_are_refused():
    with pytest.raises(CohortRuleError):
        combined(panel(CIN, row("cpp", 1, 1, 1, 1.0, cohort_rule="any_time_in_year")))


def test_a_missing_column_is_refused():
    with pytest.raises(ContractError, match="panel lacks the column status"):
        combined(panel(CIN).drop(columns="status"))


counts = st.integers(1, 10**6)
cells = st.one_of(
    st.builds(lambda n, y: (n, y, n, 100.0 * y / n, ""), counts, counts),
    st.sampled_from(
        [(None, None, None, None, "c"), (None, None, None, None, "x"), (0, None, None, None, "z")]
    ),
)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=8))
def test_the_order_of_the_parts_and_of_the_rows_does_not_matter(pairs):
    def rows(*groups):
        return [
            row(group, *cell[:4], status=cell[4], unit_id=f"E0600000{unit}")
            for unit, pair in enumerate(pairs)
            for group, cell in zip(groups, pair, strict=True)
        ]

    expected = combined(panel(*rows("cin", "cpp")))
    pd.testing.assert_frame_equal(expected, combined(panel(*rows("cpp", "cin"))))
    pd.testing.assert_frame_equal(expected, combined(panel(*rows("cin", "cpp")[::-1])))
    shown = expected["status"].eq("")
    assert (expected["numerator"].notna() == shown).all()
    assert (expected["rate"].notna() == shown).all()
