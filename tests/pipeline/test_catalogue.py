import pytest

from vsh_eval.pipeline import catalogue


def test_every_notebook_is_in_the_folder_and_the_other_way_round():
    there = {path.stem for path in catalogue.folder().glob("*.ipynb")}
    assert there == {notebook.name for notebook in catalogue.NOTEBOOKS}


@pytest.mark.parametrize("kind", catalogue.EVERY_KIND)
def test_what_a_notebook_needs_was_made_before_it(kind):
    made: set[str] = set()
    anywhere = {name for notebook in catalogue.of_kind(kind) for name in notebook.makes}
    for notebook in catalogue.of_kind(kind):
        assert set(notebook.needs) & anywhere <= made
        made |= set(notebook.makes)


def test_a_table_has_one_maker():
    for kind in catalogue.EVERY_KIND:
        makes = [name for notebook in catalogue.of_kind(kind) for name in notebook.makes]
        assert len(makes) == len(set(makes)), kind
