"""The same panel from the files that an authority would hold as from the tables that are ready."""

from tests import frames
from tests.synthetic.twins import assert_the_same, counted
from vsh_eval.contracts import RETURNS


def test_files_give_the_tables_that_are_ready(twins):
    for name in RETURNS:
        both = [
            of.connection.execute(f"FROM {name} ORDER BY ALL").df()
            for of in (twins.ready, twins.read)
        ]
        columns = [column for column in both[0] if column in both[1]]
        assert set(RETURNS[name].column_names) <= set(columns)
        frames.assert_the_same(both[1][columns], both[0][columns], name)


def test_files_give_the_panel_of_the_tables_that_are_ready(twins):
    assert_the_same(twins.read, twins.plan, counted(twins.ready, twins.plan))


def test_nothing_is_left_out_on_the_way(twins):
    said = {(note.details["family"], note.code) for note in twins.read.notes}
    assert said == {("school_census", "free_meals_since")}
