"""Every column of a released table is declared once, and readers can tell all of them apart."""

from vsh_eval import columns
from vsh_eval.release.text.phrases.labels import column_label, decimals_of, interval_label


def test_no_column_has_two_roles():
    declared = [
        name
        for table in (columns._WITH_INTERVAL, columns._WITHOUT)
        for names in table.values()
        for name in names.split()
    ]
    assert len(declared) == len(set(declared))


def test_every_column_has_a_heading_of_its_own():
    headings = {name: column_label(name) for name in columns.ROLES}
    assert len(set(headings.values())) == len(headings)


def test_whole_numbers_have_no_decimals():
    counted = [name for name, role in columns.ROLES.items() if role in columns.COUNTS]
    assert counted
    assert {decimals_of(name) for name in counted} == {0}


def test_every_interval_has_a_heading_and_decimals():
    lower = [name for name in columns.ROLES if name == "lower" or name.endswith("_lower")]
    for name in lower:
        stem = name.removesuffix("lower").removesuffix("_")
        assert f"{stem}_upper".removeprefix("_") in columns.ROLES
        assert interval_label(stem)
        decimals_of(name)
