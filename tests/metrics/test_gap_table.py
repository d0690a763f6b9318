import pandas as pd
import pytest

from tests.metrics.panels import invented_pupils, published_panel, pupils_panel
from vsh_eval.contracts import ContractError
from vsh_eval.metrics import GAP_COLUMNS, gap_table, gaps
from vsh_eval.metrics.from_returns import SchoolCells

GROUPS = ("cin", "cpp", "cwsw", "previous", "ever_cwsw", "cla")


@pytest.fixture(scope="module")
def panel():
    metrics = ("overall_absence", "persistent_absence")
    return pd.concat([pupils_panel(invented_pupils(3, metric=name)) for name in metrics])


def test_each_pair_is_as_gaps_measures_it(panel):
    table = gap_table(panel, groups=GROUPS, references=["peers", "all"], unit_id="E1")
    assert tuple(table.columns) == GAP_COLUMNS
    assert len(table) == 12 * len(gaps(panel, group="cin", reference="peers"))
    for group, reference in (("cwsw", "peers"), ("cla", "all")):
        mine = table[(table["group"] == group) & (table["reference"] == reference)]
        alone = gaps(panel, group=group, reference=reference, unit_id="E1")
        pd.testing.assert_frame_equal(mine.reset_index(drop=True), alone)


def test_rows_come_in_the_order_asked_for(panel):
    table = gap_table(panel, groups=["cwsw", "cin"], references=["all", "peers"])
    first = table[(table["metric"] == "overall_absence") & (table["phase"] == "total")]
    assert first[["group", "reference", "time_period"]].to_numpy().tolist() == [
        [group, reference, year]
        for group in ("cwsw", "cin")
        for reference in ("all", "peers")
        for year in (202324, 202425)
    ]


def test_each_group_is_measured_once(panel, monkeypatch):
    asked = []
    measure = SchoolCells.measure

    def counted(self, group, *, alpha):
        asked.append((self.metric.name, self.phase, group))
        return measure(self, group, alpha=alpha)

    monkeypatch.setattr(SchoolCells, "measure", counted)
    gap_table(panel, groups=GROUPS, references=["peers", "all"])
    assert len(asked) == len(set(asked)) == 2 * 3 * 8


def test_pairs_that_cannot_be_are_left_out(panel):
    table = gap_table(panel, groups=["cin", "peers"], references=["peers", "cin"])
    pairs = set(table[["group", "reference"]].itertuples(index=False, name=None))
    assert pairs == {("cin", "peers"), ("peers", "cin")}
    rows = [
        (202425, "total", group, "persistent_absence", 100, y, 100, None, "")
        for group, y in (("cin", 46), ("cpp", 55))
    ] + [(202425, "total", "all", "persistent_absence", None, None, None, 18.1, "")]
    published = gap_table(published_panel(rows), groups=GROUPS, references=["peers", "all"])
    assert set(published["group"]) == {"cin", "cpp", "cwsw"}
    assert set(published["reference"]) == {"all"}


@pytest.mark.parametrize(
    ("groups", "references", "match"),
    [
        (["cin"], ["cin"], "make no pair"),
        ([], ["peers"], "make no pair"),
        (["cim"], ["peers"], "group is 'cim'"),
        (["cin"], ["everyone"], "group is 'everyone'"),
    ],
)
def test_no_pair_and_unknown_names_are_refused(panel, groups, references, match):
    with pytest.raises(ContractError, match=match):
        gap_table(panel, groups=groups, references=references)
