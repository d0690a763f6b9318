"""An authority's comparison as rows of the estimates contract."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.effects.rows import ROW_COLUMNS
from vsh_eval.effects.suppressed_range import SuppressedRange
from vsh_eval.effects.synthetic_did import Synthetic

EXTRA_COLUMNS = (
    *("donors", "placebos", "mde", "rmspe_before"),
    *("leave_one_out_lower", "leave_one_out_upper", "left_out", "suppressed", "own_suppressed"),
    "reason",
)
"""What an authority's estimates add to the contract, on simple rows: donors with a weight and
placebos compared with (their numbers), the smallest detectable effect, the distance before, the
range of the estimate without each donor, donors left out for a hidden or absent year, suppressed
numbers given every value they could have (rows of the range only), the authority's own suppressed
numbers, and why there is no estimate."""


def found_rows(found: Synthetic, *, donors: Collection[str]) -> pd.DataFrame:
    """Tabulate a comparison.

    Parameters
    ----------
    found : Synthetic
        From `fit_authority` or `suppressed_range`.
    donors : collection of str
        The authority's pool.
    """
    simple = found.rows["aggregation"].eq("simple")
    others = found.leave_one_out["estimate"]
    numbers = {
        "donors": len(found.weights),
        "placebos": int(found.placebos["compared"].sum()),
        "mde": found.mde if np.isfinite(found.mde) else np.nan,
        "rmspe_before": found.rmspe_before,
        "leave_one_out_lower": others.min(),
        "leave_one_out_upper": others.max(),
        "left_out": int(found.dropped["unit"].isin(set(donors)).sum()),
        "suppressed": np.nan,
    }
    rows = found.rows.assign(**numbers, p_adjusted=np.nan)
    rows.loc[~simple, list(numbers)] = np.nan
    schools = ["schools_treated", "schools_comparison"]
    return rows.assign(**dict.fromkeys(schools, np.nan))


def range_rows(span: SuppressedRange, *, donors: Collection[str], pool: str) -> pd.DataFrame:
    """Tabulate the lowest and the highest estimate that suppressed numbers allow.

    Parameters
    ----------
    span : SuppressedRange
        From `suppressed_range`.
    donors : collection of str
        The authority's pool.
    pool : str
        Its name, which `comparison` carries with ``_lowest`` and ``_highest``.
    """
    ends = {"lowest": span.lowest, "highest": span.highest}
    tables = [
        found_rows(found, donors=donors)
        .query("aggregation == 'simple'")
        .assign(comparison=f"{pool}_{end}", suppressed=span.numbers)
        for end, found in ends.items()
    ]
    return pd.concat(tables, ignore_index=True)


def impossible_row(reason: str) -> pd.DataFrame:
    """Return one simple row without numbers that says why.

    Parameters
    ----------
    reason : str
        In a sentence.
    """
    row = dict.fromkeys((*ROW_COLUMNS, *EXTRA_COLUMNS, "p_adjusted"), np.nan) | {
        "aggregation": "simple",
        "index": 0,
        "status": names.UNAVAILABLE,
        "reason": reason,
    }
    return pd.DataFrame([row]).astype({"pupils": "Int64"})
