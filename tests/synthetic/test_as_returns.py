"""The same tables from the files that an authority would hold as from the tables that are ready."""

import pandas as pd
import pytest

from vsh_eval.contracts import RETURNS
from vsh_eval.returns.formats import read_files
from vsh_eval.settings import Files
from vsh_eval.synthetic import Plan, invent
from vsh_eval.synthetic.as_returns import upns_of, write_files

TABLES = (
    "schools",
    "school_links",
    "enrolments",
    "attendance",
    "suspensions",
    "attainment",
    "training",
)


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    authority = invent(Plan(schools=10, seed=5, first=202223, last=202425, adoption=(202324,)))
    section = write_files(folder, authority)
    files = Files.model_validate({name: str(folder / where) for name, where in section.items()})
    return authority, read_files(files, authority=authority.la_code)


def ordered(table, name):
    columns = [c for c in [*RETURNS[name].column_names, "pct_fsm"] if c in table]
    rows = table[columns].assign(
        **{c: table[c].astype("datetime64[s]") for c in columns if table[c].dtype.kind == "M"},
        **{
            c: table[c].astype("float64")
            for c in columns
            if pd.api.types.is_numeric_dtype(table[c])
        },
    )
    return rows.sort_values(columns, ignore_index=True)


@pytest.mark.parametrize("name", TABLES)
def test_files_give_the_tables_that_are_ready(twins, name):
    authority, found = twins
    ready = authority.tables[name]
    if "pupil_id" in ready:
        ready = ready.assign(pupil_id=upns_of(ready["pupil_id"]))
    ready, read = ordered(ready, name), ordered(found.tables[name], name)
    pd.testing.assert_frame_equal(read, ready, check_dtype=False)


def test_nothing_is_left_out_on_the_way(twins):
    said = {(note.details["family"], note.code) for note in twins[1].notes}
    assert said == {("school_census", "free_meals_since")}
