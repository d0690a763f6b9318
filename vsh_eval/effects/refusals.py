"""What is said where schools cannot bear an estimate: what is there, the rule, and what helps."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from vsh_eval import academic_year
from vsh_eval.contracts import DesignError
from vsh_eval.names import NEVER

_NEGLIGIBLE = 1e-9


def why_too_few_trained(asked: pd.DataFrame, *, least: int) -> str:
    """Say why fewer trained schools than needed have years on both sides of training.

    Parameters
    ----------
    asked : DataFrame
        unit_id, time_period and adopted (academic year, 0 = never) of the school-years before
        any were left out for the year of training.
    least : int
        Trained schools that an estimate needs.

    Returns
    -------
    str
        One sentence without numbers of schools: nobody trained in time, too few schools trained,
        trained too early, or without children to count on one side.

    Examples
    --------
    >>> asked = pd.DataFrame({"unit_id": ["1", "1"], "time_period": [202223, 202324],
    ...                       "adopted": 0})
    >>> why_too_few_trained(asked, least=3)  # doctest: +NORMALIZE_WHITESPACE
    'no school with data was trained by 2023/24, the last year, and an estimate needs at least 3;
    record every training with its date in the training log, or wait for a year after training.'
    """
    first, last = int(asked["time_period"].min()), int(asked["time_period"].max())
    adopted = asked.groupby("unit_id")["adopted"].first()
    in_time = adopted[adopted.ne(NEVER) & adopted.le(last)]
    rule = f"and an estimate needs at least {least}"
    if in_time.empty:
        return (
            f"no school with data was trained by {academic_year.label(last)}, the last year, "
            f"{rule}; record every training with its date in the training log, or wait for a year "
            "after training."
        )
    if len(in_time) < least:
        return (
            f"too few schools with data were trained by {academic_year.label(last)}, {rule}, "
            "because no result may hang on one or two of them; wait until more are trained, or "
            "evaluate together with other authorities."
        )
    if in_time.gt(first).sum() < least:
        whose = "every trained school" if in_time.le(first).all() else "nearly every trained school"
        return (
            f"{whose} was trained by {academic_year.label(first)}, the first year with data, so "
            f"there is no year before training to compare with, {rule} that have one; "
            "begin the years earlier."
        )
    return (
        "too few trained schools have children to count both before and after training, "
        f"{rule}; begin the years earlier, or wait for a year after training."
    )


def why_too_few_schools(schools: int, *, least: int) -> str:
    """Say that there are too few schools for any estimate.

    Examples
    --------
    >>> why_too_few_schools(8, least=10)  # doctest: +NORMALIZE_WHITESPACE
    '8 schools are left, and an estimate needs at least 10 for an interval that can be trusted; add
    years or phases, or evaluate together with other authorities.'
    """
    return (
        f"{schools} schools are left, and an estimate needs at least {least} for an interval that "
        "can be trusted; add years or phases, or evaluate together with other authorities."
    )


def why_no_comparison(cells: pd.DataFrame) -> str:
    """Say that nobody is left to compare with once training has begun.

    Parameters
    ----------
    cells : DataFrame
        cohort (0 = never) and adopted of the school-years used.
    """
    years = cells.loc[cells["cohort"].ne(NEVER), "adopted"].unique()
    start = "no untrained school is left in any year after training"
    if len(years) == 1:
        start = (
            f"all schools were trained in the same year, {academic_year.label(int(years[0]))}, so "
            "that no untrained school is left in any year after training"
        )
    return f"{start}, and an estimate needs at least one; add schools trained later or never."


def nobody_left(cells: pd.DataFrame) -> str:
    """Say from which year on every school is trained.

    Parameters
    ----------
    cells : DataFrame
        time, time_period and cohort of the school-years used, none of them never trained.

    Examples
    --------
    >>> cells = pd.DataFrame({"time": [1, 2, 3], "time_period": [202122, 202223, 202324],
    ...                       "cohort": [2, 2, 2]})
    >>> nobody_left(cells)  # doctest: +NORMALIZE_WHITESPACE
    'Every school was trained by 2022/23, so 2022/23 and later years carry no estimate: there is no
    school not yet trained to compare with. Schools that were trained later or never would mend
    that.'
    """
    last = int(cells.loc[cells["time"].eq(cells["cohort"].max()), "time_period"].iloc[0])
    since = academic_year.label(last)
    return (
        f"Every school was trained by {since}, so {since} and later years carry no estimate: there "
        "is no school not yet trained to compare with. Schools that were trained later or never "
        "would mend that."
    )


def superfluous(schools: pd.DataFrame, covariates: Sequence[str]) -> tuple[str, ...]:
    """Return the covariates that can be worked out from those named before them.

    Parameters
    ----------
    schools : DataFrame
        The covariates, without missing values; one row a school or school-year.
    covariates : sequence of str
        Its columns.

    Returns
    -------
    tuple of str
        In the order given; one that is the same in every school is among them.

    Examples
    --------
    >>> table = pd.DataFrame({"fsm": [10.0, 20.0, 25.0], "twice": [20.0, 40.0, 50.0]})
    >>> superfluous(table, ["fsm", "twice"])
    ('twice',)
    """
    kept = np.ones((len(schools), 1))
    added: list[str] = []
    for name in covariates:
        values = schools[name].to_numpy(float)
        spread = values.std()
        if spread > _NEGLIGIBLE * max(np.abs(values).max(initial=0.0), 1.0):
            wider = np.column_stack([kept, (values - values.mean()) / spread])
            if np.linalg.matrix_rank(wider) > kept.shape[1]:
                kept = wider
                continue
        added.append(name)
    return tuple(added)


def why_superfluous(names: Sequence[str]) -> str:
    """Say that covariates add nothing, '' where none is named.

    Examples
    --------
    >>> why_superfluous(["twice"])  # doctest: +NORMALIZE_WHITESPACE
    'twice adds nothing to the other covariates, or is the same in every school, so no estimate can
    be made with it; leave it out of the covariates.'
    """
    if not names:
        return ""
    several = len(names) > 1
    return (
        f"{' and '.join(names)} {'add' if several else 'adds'} nothing to the other covariates, or "
        f"{'are' if several else 'is'} the same in every school, so no estimate can be made with "
        f"{'them' if several else 'it'}; leave {'them' if several else 'it'} out of the covariates."
    )


def refuse_no_variation(prepared: pd.DataFrame) -> None:
    """Refuse school-years that all have the same outcome.

    Parameters
    ----------
    prepared : DataFrame
        outcome of the school-years that passed the gate.

    Raises
    ------
    DesignError
        If they do not vary: an interval would be no wider than nought.
    """
    outcome = prepared["outcome"]
    if outcome.max() - outcome.min() <= _NEGLIGIBLE * max(outcome.abs().max(), 1.0):
        raise DesignError(
            "the gap is the same in every school and year, and only what varies can be compared; "
            "check how the outcome was recorded in the returns."
        )
