import pandas as pd
import pytest

from tests.synthetic.measured import attended
from tests.synthetic.twins import SMALLEST, Twins, files_of, with_upns
from vsh_eval.returns import open_returns
from vsh_eval.synthetic import Authority, Plan, authority, invent


@pytest.fixture(scope="session")
def borough() -> Authority:
    """An invented authority of the usual size without an effect."""
    return invent(Plan(schools=120, effect=0.0))


@pytest.fixture(scope="session")
def trained() -> Authority:
    """The same with an effect of three points."""
    return invent(Plan(schools=120, effect=-3.0))


@pytest.fixture(scope="session")
def borough_rows(borough) -> pd.DataFrame:
    """The year sums of every pupil and school of the authority without an effect."""
    return attended(borough)


@pytest.fixture(scope="session")
def trained_rows(trained) -> pd.DataFrame:
    """The same of the authority with an effect."""
    return attended(trained)


@pytest.fixture(scope="session")
def twins(tmp_path_factory):
    """Yield the smallest authority opened from tables and from files."""
    plan = Plan(**SMALLEST, seed=6)
    made, folder = invent(plan), tmp_path_factory.mktemp("twins")
    authority._write_tables(folder, with_upns(made), "parquet")
    authority._write_returns(folder, made, plan, name="twin")
    with (
        open_returns(folder, years=plan.years) as ready,
        open_returns(
            None, files=files_of(folder), authority=plan.la_code, years=plan.years
        ) as read,
    ):
        yield Twins(plan, folder, ready, read)
