"""Every fault of real files is named, or does no harm."""

import shutil

import pytest
import yaml

from tests.synthetic.twins import SMALLEST
from vsh_eval.contracts import RETURNS, ContractError
from vsh_eval.returns import check, open_returns
from vsh_eval.settings import Files
from vsh_eval.synthetic import Plan, authority, invent, synthesise
from vsh_eval.synthetic.faults import FAULTS, put_into

PLAN = Plan(**SMALLEST, seed=6)
HARMLESS = [name for name, fault in FAULTS.items() if not fault.said]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The files of an authority in which nothing went wrong."""
    folder = tmp_path_factory.mktemp("whole")
    authority._write_returns(folder, invent(PLAN), PLAN, name="twin")
    return folder


def opened(folder):
    params = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    section = params["source"]["files"]
    files = Files.model_validate({name: str(folder / where) for name, where in section.items()})
    return open_returns(None, files=files, authority=PLAN.la_code, years=PLAN.years)


def spoilt(whole, folder, names):
    shutil.copytree(whole, folder)
    put_into(folder / "files", 0.5, seed=1, names=names)
    return opened(folder)


def test_a_fault_that_does_no_harm_changes_no_table(whole, tmp_path):
    with opened(whole) as before, spoilt(whole, tmp_path / "la", HARMLESS) as after:
        for table in RETURNS:
            rows = [of.connection.sql(f"FROM {table} ORDER BY ALL") for of in (before, after)]
            assert rows[0].fetchall() == rows[1].fetchall(), table
        assert [note.code for note in after.notes] == [note.code for note in before.notes]


def test_every_other_fault_is_named(whole, tmp_path):
    harmful = {name: fault.said for name, fault in FAULTS.items() if fault.said}
    with spoilt(whole, tmp_path / "la", harmful) as returns:
        named = {note.code for note in returns.notes}
        findings = check(returns)
        named |= set(findings.loc[findings["result"] != "pass", "check"])
    assert set(harmful.values()) <= named


@pytest.mark.parametrize(
    ("options", "said"),
    [({"faults": 0.1}, "faults are of files"), ({"faults": 5, "layout": "returns"}, "faults is 5")],
)
def test_faults_that_cannot_be_put_anywhere_are_refused(tmp_path, options, said):
    with pytest.raises(ContractError, match=said):
        synthesise(tmp_path / "la", PLAN, **options)
    assert not (tmp_path / "la").exists()
