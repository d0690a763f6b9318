"""Every fault of real files is named, or does no harm."""

import shutil

import pytest

from tests.synthetic.twins import SMALLEST, files_of
from vsh_eval.contracts import RETURNS, ContractError
from vsh_eval.returns import check, open_returns
from vsh_eval.synthetic import Plan, synthesise
from vsh_eval.synthetic.faults import FAULTS, put_into

HARMLESS = [name for name, fault in FAULTS.items() if not fault.said]


def spoilt(twins, folder, names):
    """Open files into which faults were put."""
    folder.mkdir()
    shutil.copytree(twins.folder / "files", folder / "files")
    shutil.copy(twins.folder / "params.yaml", folder)
    put_into(folder / "files", 0.5, seed=1, names=names)
    plan = twins.plan
    return open_returns(None, files=files_of(folder), authority=plan.la_code, years=plan.years)


def test_a_fault_that_does_no_harm_changes_no_table(twins, tmp_path):
    before = twins.read
    with spoilt(twins, tmp_path / "la", HARMLESS) as after:
        for table in RETURNS:
            rows = [of.connection.sql(f"FROM {table} ORDER BY ALL") for of in (before, after)]
            assert rows[0].fetchall() == rows[1].fetchall(), table
        assert [note.code for note in after.notes] == [note.code for note in before.notes]


def test_every_other_fault_is_named(twins, tmp_path):
    harmful = {name: fault.said for name, fault in FAULTS.items() if fault.said}
    with spoilt(twins, tmp_path / "la", harmful) as returns:
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
        synthesise(tmp_path / "la", Plan(**SMALLEST), **options)
    assert not (tmp_path / "la").exists()
