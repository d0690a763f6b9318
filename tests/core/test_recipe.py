"""CONTRIBUTING's recipe: a metric is added in one place, and every room knows it."""

from dataclasses import replace

import duckdb
import pandas as pd
import pytest

from tests.cohort.tables import rows_of
from vsh_eval import cohort, metrics, registry
from vsh_eval.contracts import RETURNS
from vsh_eval.panel import Comparison
from vsh_eval.registry import known
from vsh_eval.release.disclosure import protected, release_table, rule_named
from vsh_eval.release.files.open_data import Area, write_table
from vsh_eval.release.text.pages.gaps import gap_sentence

NEW = "ks2_maths_expected"
YEARS = (202223, 202324)


@pytest.fixture
def forgotten():
    """A registry that has never heard of the metric; yields the entry that a recipe would write."""
    kept = dict(known._metrics)
    entry = known._metrics.pop(NEW)
    yield replace(entry)
    known._metrics.clear()
    known._metrics.update(kept)


def an_authority():
    """Eight schools with 20 children in year 6 each, 4 of them in need, one year after another."""
    children = [
        (f"P{school}-{child}-{year}", str(school), child, year)
        for school in range(8)
        for child in range(20)
        for year in YEARS
    ]
    day = pd.Timestamp("2020-10-01")
    in_need = [pupil for pupil, _, child, _ in children if child < 4]
    rows = {
        "schools": [(str(s), f"School {s}", "primary", "E06000999", None, None) for s in range(8)],
        "enrolments": [(p, year, urn, 6, "F", 0, "N") for p, urn, _, year in children],
        "attendance": [(p, year, "autumn", urn, 120, 6, 1) for p, urn, _, year in children],
        "attainment": [
            # Of the children in need every second reaches it, of the others three in four.
            (p, year, urn, NEW, float(child % 2 if child < 4 else child % 4 > 0))
            for p, urn, child, year in children
        ],
        "episodes": [(pupil, "CIN", day, None, "episode") for pupil in in_need],
        "training": [("1", "elsa", "targeted", day, 2, 6.0, "teacher", 90.0)],
    }
    connection = duckdb.connect()
    for name in rows:
        frame = pd.DataFrame(rows_of(rows, name), columns=list(RETURNS[name].column_names))
        connection.register("given", frame)
        connection.execute(f"CREATE TABLE {name} AS FROM given")
    connection.execute("ALTER TABLE schools ALTER opened TYPE DATE")
    connection.execute("ALTER TABLE schools ALTER closed TYPE DATE")
    connection.execute("ALTER TABLE episodes ALTER end_date TYPE DATE")
    return connection


def test_an_unknown_measure_is_counted_nowhere(forgotten):
    built = cohort.build_cohort(an_authority(), years=YEARS, secret=bytes(16))
    assert forgotten.name not in set(built.panel["metric"])
    ignored = built.flow.query("step == 'unknown_measure'")
    assert ignored["rows"].tolist() == [320]


def test_a_metric_added_in_one_place_is_measured_protected_and_written(forgotten, tmp_path):
    registry.register(forgotten)

    panel = cohort.build_cohort(an_authority(), years=YEARS, secret=bytes(16)).panel
    comparison = Comparison("cwsw", "peers", metrics=(NEW,), unit_id="E06000999")
    wide = metrics.gaps(panel, comparison)
    total = wide.loc[wide["phase"] == "total"].set_index("time_period").loc[202324]
    assert (total["group_level"], total["reference_level"]) == (50.0, 75.0)
    assert (total["gap"], total["unit"]) == (-25.0, "%")

    rule = rule_named("cellkey")
    safe = release_table(metrics.gaps, protected(panel, rule), comparison, rule=rule)
    text = gap_sentence(safe, metric=NEW, year=202324)
    assert "the expected standard in maths at key stage 2" in text
    assert "% for pupils without a social worker" in text
    assert "percentage points" in text
    area = Area(name="Invented Borough")
    file = write_table(safe, tmp_path, "gaps", areas={"E06000999": area})
    assert f",{NEW}," in file.read_text("utf-8")
