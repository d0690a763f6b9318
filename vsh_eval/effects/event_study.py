"""An event study of the caller's own: its event times and their covariance, checked."""

import numpy as np
import pandas as pd

from vsh_eval.contracts import DesignError, require_columns
from vsh_eval.effects.grid import Floats

_SINGULAR = 1e-10
"""Smallest eigenvalue of the correlations that is not nought."""


def event_rows(data: pd.DataFrame) -> pd.DataFrame:
    """Return the event rows, by whole event times, of a table with `index`.

    Raises
    ------
    ContractError
        If there is no column `index`.

    Examples
    --------
    >>> table = pd.DataFrame({"aggregation": ["simple", "event"], "index": [0.0, -2.0]})
    >>> event_rows(table)["index"].tolist()
    [-2]
    """
    require_columns(data, ("index",), name="the event study")
    rows = data[data["aggregation"].eq("event")] if "aggregation" in data else data
    return rows.astype({"index": int})


def event_covariance(rows: pd.DataFrame, covariance: pd.DataFrame | Floats) -> pd.DataFrame:
    """Return the covariance of event rows, by event time in their order.

    Parameters
    ----------
    rows : DataFrame
        From `event_rows`.
    covariance : DataFrame or array (K, K)
        By event time, or in the order of the rows.

    Raises
    ------
    DesignError
        If an event time stands twice, or the covariance is not of these event times.

    Examples
    --------
    >>> event_covariance(pd.DataFrame({"index": [-2, 0]}), np.eye(2)).loc[-2, 0].item()
    0.0
    """
    labels = rows["index"].tolist()
    if len(set(labels)) != len(labels) or len(labels) != len(covariance):
        raise DesignError(
            f"the event study has {len(labels)} rows of {len(set(labels))} event times and a "
            f"covariance of {len(covariance)}, must be one row for each event time; select one "
            "event study."
        )
    if not isinstance(covariance, pd.DataFrame):
        return pd.DataFrame(covariance, index=labels, columns=labels, dtype=float)
    matrix = covariance.rename(index=int, columns=int)
    absent = [label for label in labels if label not in matrix.index or label not in matrix.columns]
    if absent:
        raise DesignError(
            f"the covariance lacks the event times {', '.join(map(str, absent))}, must have all of "
            "the event study; give the covariance of the same rows."
        )
    return matrix.loc[labels, labels].astype(float)


def refuse_singular(matrix: Floats, *, name: str) -> None:
    """Refuse a covariance with a missing number or without full rank.

    Parameters
    ----------
    matrix : array (K, K)
        The covariance.
    name : str
        Of what, in the plural.

    Raises
    ------
    DesignError
        If a number is missing or the covariance is singular.
    """
    if not np.isfinite(matrix).all():
        raise DesignError(
            f"a covariance of the {len(matrix)} {name} is missing, must be given for all; "
            "leave out what has no error."
        )
    error = np.sqrt(np.clip(np.diag(matrix), 0.0, None))
    scale = np.where(error > 0, error, 1.0)
    lowest = float(np.linalg.eigvalsh((matrix + matrix.T) / 2 / np.outer(scale, scale)).min())
    if (error <= 0).any() or lowest < _SINGULAR:
        raise DesignError(
            f"the covariance of the {len(matrix)} {name} is singular, must have full rank: too few "
            f"schools for so many {name}, or outcomes that do not vary; use fewer years."
        )
