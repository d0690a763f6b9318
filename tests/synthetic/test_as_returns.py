"""The same panel from the files that an authority would hold as from the tables that are ready."""

import pytest
import yaml

from tests import frames
from tests.synthetic.twins import SMALLEST, assert_the_same, counted, with_upns
from vsh_eval.contracts import RETURNS
from vsh_eval.returns import open_returns
from vsh_eval.settings import Files
from vsh_eval.synthetic import Plan, authority, invent


@pytest.fixture(scope="module", params=[1, 2, 3])
def twins(request, tmp_path_factory):
    """Yield a plan, and its authority opened from tables and from files."""
    plan = Plan(**SMALLEST, seed=request.param)
    made, folder = invent(plan), tmp_path_factory.mktemp("twins")
    authority._write_tables(folder, with_upns(made), "parquet")
    authority._write_returns(folder, made, plan, name="twin")
    params = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    section = params["source"]["files"]
    files = Files.model_validate({name: str(folder / where) for name, where in section.items()})
    with (
        open_returns(folder, years=plan.years) as ready,
        open_returns(None, files=files, authority=made.la_code, years=plan.years) as read,
    ):
        yield plan, ready, read


def test_files_give_the_tables_that_are_ready(twins):
    _, ready, read = twins
    for name in RETURNS:
        both = [of.connection.execute(f"FROM {name} ORDER BY ALL").df() for of in (ready, read)]
        columns = [column for column in both[0] if column in both[1]]
        assert set(RETURNS[name].column_names) <= set(columns)
        frames.assert_the_same(both[1][columns], both[0][columns], name)


def test_files_give_the_panel_of_the_tables_that_are_ready(twins):
    plan, ready, read = twins
    assert_the_same(read, plan, counted(ready, plan))


def test_nothing_is_left_out_on_the_way(twins):
    said = {(note.details["family"], note.code) for note in twins[2].notes}
    assert said == {("school_census", "free_meals_since")}
