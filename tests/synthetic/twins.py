"""One invented authority held in several ways, and the panel that each of them gives."""

from dataclasses import fields
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import yaml

from tests import frames
from vsh_eval.cohort import build_cohort
from vsh_eval.returns import Returns
from vsh_eval.settings import Files
from vsh_eval.synthetic import Authority, Plan
from vsh_eval.synthetic.as_returns import upns_of

SECRET = bytes(range(32))
SMALLEST = {"schools": 10, "first": 202324, "last": 202425, "adoption": (202425,)}
"""The smallest authority with censuses of both kinds, a conversion, and every table."""


class Twins(NamedTuple):
    """One plan, the folder of what was made of it, and both ways of opening it."""

    plan: Plan
    folder: Path
    ready: Returns
    read: Returns


def files_of(folder: Path) -> Files:
    """Return the files that the params of a folder of invented files name."""
    params = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    section = params["source"]["files"]
    return Files.model_validate({name: str(folder / where) for name, where in section.items()})


def with_upns(authority: Authority) -> Authority:
    """Return an authority whose children have the UPNs that its files name."""
    tables = {
        name: table.assign(pupil_id=upns_of(table["pupil_id"])) if "pupil_id" in table else table
        for name, table in authority.tables.items()
    }
    return Authority(tables, authority.truth)


def counted(returns, plan: Plan) -> dict[str, pd.DataFrame]:
    """Return every table that the returns are counted into, the panel first."""
    built = build_cohort(
        returns.connection,
        years=plan.years,
        secret=SECRET,
        other_rule_metrics=("overall_absence",),
    )
    return {field.name: getattr(built, field.name) for field in fields(built)}


def assert_the_same(found, plan: Plan, wanted: dict[str, pd.DataFrame]) -> None:
    """Compare what returns are counted into with that of the tables that are ready."""
    got = counted(found, plan)
    assert len(got["panel"]) > 500
    for name, table in wanted.items():
        columns = [column for column in table if column in got[name]]  # GIAS has one covariate
        frames.assert_the_same(got[name][columns], table[columns], name)
