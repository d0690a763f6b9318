"""The gaps of several groups against several references, each group measured once."""

from collections.abc import Sequence
from itertools import chain, product

import pandas as pd

from vsh_eval.contracts import ContractError, require_one_of
from vsh_eval.metrics.door import GROUPS, PUBLISHED, PUBLISHED_GROUPS, enter
from vsh_eval.metrics.gaps import GAP_COLUMNS, gap_blocks
from vsh_eval.metrics.tables import cells_of, table


def gap_table(
    panel: pd.DataFrame,
    *,
    groups: Sequence[str],
    references: Sequence[str],
    metrics: Sequence[str] | None = None,
    unit_id: str = "",
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Measure every gap between some groups and some references, in one table.

    Parameters
    ----------
    panel : DataFrame
        The panel, from an authority's returns (schools) or from published tables (areas).
    groups, references : sequence of str
        Each gap is group minus reference. Pairs that cannot be are left out: a group with itself,
        and groups that a published table does not have.
    metrics : sequence of str, optional
        Metrics by name; all of the panel's if not given.
    unit_id : str
        The authority's code, for a panel of returns. Published rows keep their own.
    alpha : float
        One less the coverage of the intervals.

    Returns
    -------
    DataFrame
        `GAP_COLUMNS`, as `gaps` gives them: the rows of each pair that can be, in the order area,
        metric, phase, group, reference, year.

    Raises
    ------
    ContractError
        If no pair can be, or a name or the panel is against its contract.
    VintageError, CohortRuleError
        If the panel holds two vintages or two cohort rules.

    Examples
    --------
    >>> panel = pd.DataFrame({
    ...     "source": "returns", "vintage": "2026", "cohort_rule": "any_time_in_year",
    ...     "level": "school", "unit_id": ["1", "1", "2", "2"], "time_period": 202425,
    ...     "phase": "primary", "group": ["cin", "peers"] * 2, "metric": "overall_absence",
    ...     "pupils": [2, 20, 3, 30], "numerator": [60.0, 300.0, 120.0, 450.0],
    ...     "denominator": [600.0, 6000.0, 900.0, 9000.0],
    ...     "sum_yy": 0.0, "sum_xy": 0.0, "sum_xx": 0.0, "rate": float("nan"), "status": "",
    ... })
    >>> found = gap_table(panel, groups=["cin", "cwsw"], references=["peers", "all"])
    >>> found.loc[found["phase"] == "total", ["group", "reference", "gap"]].round(2)
      group reference   gap
    4   cin     peers  7.00
    5   cin       all  6.36
    6  cwsw     peers  7.00
    7  cwsw       all  6.36
    """
    entry = enter(panel, groups=(), metrics=metrics, alpha=alpha)
    pairs = _pairs(groups, references, published=entry.source == PUBLISHED)
    enter(panel, groups=sorted(set(chain.from_iterable(pairs))), metrics=metrics, alpha=alpha)
    blocks = [
        block
        for cells in cells_of(entry, unit_id=unit_id)
        for block in gap_blocks(cells, pairs, alpha=alpha)
    ]
    return table(blocks, GAP_COLUMNS, entry=entry, groups=groups, references=references)


def _pairs(
    groups: Sequence[str], references: Sequence[str], *, published: bool
) -> list[tuple[str, str]]:
    """Return the pairs that can be compared, in the order asked for."""
    for name in (*groups, *references):
        require_one_of(name, GROUPS, name="group")
    known = set(PUBLISHED_GROUPS if published else GROUPS)
    found = [
        (group, reference)
        for group, reference in product(groups, references)
        if group != reference and {group, reference} <= known
    ]
    if not found:
        raise ContractError(
            f"groups {list(groups)} and references {list(references)} make no pair, must make one "
            f"of two different groups that the panel has; choose from {', '.join(sorted(known))}."
        )
    return found
