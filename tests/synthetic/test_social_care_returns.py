"""The twin: an authority's episodes are the same from its returns and from the ready table."""

import pandas as pd
import pytest

from vsh_eval.returns.formats import Options
from vsh_eval.returns.formats.social_care import cin_census, ssda903
from vsh_eval.synthetic import Plan, invent
from vsh_eval.synthetic.social_care_returns import write_social_care

COLUMNS = ["pupil_id", "status", "start_date", "end_date", "basis"]


def texts(table):
    """Return a table's rows as sorted text."""
    days = {name: table[name].dt.strftime("%Y-%m-%d") for name in ("start_date", "end_date")}
    rows = table.assign(**days)[COLUMNS].fillna("").astype("str")
    return rows.sort_values(COLUMNS, ignore_index=True)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_episodes_come_back_as_they_went(tmp_path, seed):
    plan = Plan(schools=10, seed=seed, first=202122, last=202425, adoption=(202324,))
    episodes = invent(plan).tables["episodes"]
    write_social_care(tmp_path, episodes)
    for path in tmp_path.glob("ssda903/*_episodes.csv"):
        assert pd.read_csv(path)["DECOM"].notna().all()
    census = cin_census.read(sorted(tmp_path.glob("cin_census/*.xml")), options=Options())
    care = ssda903.read(sorted(tmp_path.glob("ssda903/*.csv")), options=Options())
    found = pd.concat([census.tables["episodes"], care.tables["episodes"]])
    pd.testing.assert_frame_equal(texts(found), texts(episodes))
    assert {note.code for note in (*census.notes, *care.notes)} <= {
        "upn_check_letter",
        "elements_of_another_year",
    }
