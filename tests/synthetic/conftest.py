import pandas as pd
import pytest

from tests.synthetic.measured import attended
from vsh_eval.synthetic import Authority, Plan, invent


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
