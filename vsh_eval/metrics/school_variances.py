"""The gap within each school with its sampling variance. Stays internal."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from vsh_eval import names, registry
from vsh_eval.contracts import ContractError
from vsh_eval.metrics.door import Entry, enter, leaves_of, require_returns
from vsh_eval.metrics.gaps import require_two_groups

FEWEST_DEGREES = 10
"""Pupils beyond the first of each school that a variance within schools needs."""

_KEYS = ["metric", "phase", "time_period", "unit_id"]
_SUMS = list(names.PANEL_SUMS)


def school_gaps_with_variance(
    panel: pd.DataFrame, *, group: str, reference: str, metrics: Sequence[str] | None, alpha: float
) -> tuple[Entry, pd.DataFrame]:
    """Measure the gap within each school and year, and how far chance alone moves it.

    Returns
    -------
    Entry, DataFrame
        The panel's entry, and one row for each metric, phase, school and comparable year in which
        both groups have pupils: outcome in the metric's gap unit, variance in its square (NaN
        where it cannot be known), pupils and reference_pupils.

    Raises
    ------
    ContractError
        If the panel is published or lacks the pupils' sums, or the two groups share children.

    Notes
    -----
    A pupil i of a school has y = R_s x + x u, so school s's ratio has the variance
    sigma^2 sum x^2 / (sum x)^2, which for x = 1 is sigma^2 / n: also known for a school with one
    child. sigma^2 is that of pupils of one group, metric, phase and year around their own
    school's ratio, over all schools: sum of squared residuals / sum of (n - 1) / n sum x^2. A
    variance made from the two to six children of one school would be nought by chance where they
    are alike, and would weigh most there. Where a phase has fewer than ten pupils beyond the first
    of each school, or all of them alike, the sigma^2 of all phases stands in. Groups share no
    child, so variances add.
    """
    entry = enter(panel, groups=(group, reference), metrics=metrics, alpha=alpha)
    require_two_groups(group, reference)
    _refuse(entry, group, reference)
    years = {m.name: registry.comparable_years(m.name, entry.years) for m in entry.metrics}
    kept = [
        period in years[name]
        for name, period in zip(entry.panel["metric"], entry.panel["time_period"], strict=True)
    ]
    rows = entry.panel[np.array(kept, dtype=bool)]
    sides = [_side(rows, name) for name in (group, reference)]
    both = sides[0].join(sides[1].add_suffix("_reference"), how="inner").reset_index()
    scale = both["metric"].map({m.name: m.scale for m in entry.metrics}).astype("float64")
    both["outcome"] = scale * (both["level"] - both["level_reference"])
    both["variance"] = scale**2 * (both["error"] + both["error_reference"])
    both["reference_pupils"] = both["pupils_reference"]
    columns = [*_KEYS, "outcome", "variance", "pupils", "reference_pupils"]
    return entry, both[columns].astype({"pupils": "int64", "reference_pupils": "int64"})


def _refuse(entry: Entry, group: str, reference: str) -> None:
    require_returns(entry, "differences between schools")
    if set(leaves_of(group)) & set(leaves_of(reference)):
        raise ContractError(
            f"group {group!r} and reference {reference!r} share children, must not for differences "
            "between schools; choose 'peers' as the reference."
        )
    missing = int(entry.panel[_SUMS].isna().any(axis=1).sum())
    if missing:
        raise ContractError(
            f"sums are missing in {missing} rows of the panel of returns, must be numbers in every "
            "row; build the panel from pupils' returns."
        )


def _side(rows: pd.DataFrame, group: str) -> pd.DataFrame:
    """Return a group's level in each school with its error squared."""
    chosen = rows[rows["group"].isin(leaves_of(group))]
    numbers = chosen.astype(dict.fromkeys(_SUMS, np.float64))
    sums = numbers.groupby(_KEYS, observed=True)[_SUMS].sum()
    sums = sums[sums["denominator"] > 0]
    level = sums["numerator"] / sums["denominator"]
    residual = sums["sum_yy"] - 2 * level * sums["sum_xy"] + level**2 * sums["sum_xx"]
    n = sums["pupils"]
    parts = pd.DataFrame(
        {
            "squares": residual.clip(lower=0.0).where(n > 1, 0.0),
            "room": sums["sum_xx"] * (n - 1) / n,
            "degrees": n - 1,
        }
    )
    own = parts.groupby(level=["metric", "phase", "time_period"], observed=True).transform("sum")
    every = parts.groupby(level=["metric", "time_period"], observed=True).transform("sum")
    # Children who are all alike do not show that chance is nought.
    used = own.where((own["degrees"] >= FEWEST_DEGREES) & (own["squares"] > 0), every)
    known = (used["degrees"] >= FEWEST_DEGREES) & (used["room"] > 0) & (used["squares"] > 0)
    spread = used["squares"] / used["room"].where(known)
    error = spread * sums["sum_xx"] / sums["denominator"] ** 2
    return pd.DataFrame({"level": level, "error": error, "pupils": n})
