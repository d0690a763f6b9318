"""The reach in bands of schools, made safe: leaves of phase and band are rounded, then added up.

The margin of the phases is the one that the reach by phase shows already, so that one number of
children is never rounded twice.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.contracts import require_columns
from vsh_eval.release.disclosure.counts import (
    FloatArray,
    counts_of,
    few_settings,
    put,
    refuse_parts,
    with_status,
)
from vsh_eval.release.disclosure.cube import RoundedCube
from vsh_eval.release.disclosure.descent import Limits, descend
from vsh_eval.release.disclosure.guarded import Guarded
from vsh_eval.release.disclosure.reach import derive, few_reached, protect_reach, shown_people
from vsh_eval.release.disclosure.rounding import Counts, Flags, bounds
from vsh_eval.release.disclosure.rules import Rule

BANDS = ("deprivation", "baseline_gap", "area")
"""Columns that put schools into bands; a table of the reach has one of them at most."""
OF_CHILDREN = frozenset({"baseline_gap"})
"""Bands that rest on children's results: which school is in which must not follow."""
OTHER_PHASES = "other_phases"
NOT_KNOWN = "not_known"
NOTE = (
    "Numbers of pupils are rounded to 5 phase by phase and band by band and hidden (c) under 10, "
    "as are those not reached; one or two schools are hidden with what would tell them. Rounded "
    "parts may miss their total by a few."
)
_OWN = ("primary", "secondary", OTHER_PHASES)
_COUNTS = ("schools", "schools_trained", "pupils", "pupils_reached")


def protect_bands(table: pd.DataFrame, rule: Rule, cube: RoundedCube | None = None) -> Guarded:
    """Show how many schools and pupils the offer reached in each band, over all phases and by them.

    Phases other than primary and secondary stand together. Bands of the baseline gap are shown
    over all phases only, and a band of them in which all schools or none are trained is hidden.

    Parameters
    ----------
    table : DataFrame
        time_period, phase, one of `BANDS`, schools, schools_trained, pupils, pupils_reached, and
        the shares; every phase over all bands must be there.
    rule : Rule
        The disclosure rule.
    cube : RoundedCube, optional
        As for `protect_reach`.

    Raises
    ------
    ContractError
        If a column is missing.
    DisclosureError
        If a count is negative, or a part larger than its whole.
    """
    band = band_of(table)
    require_columns(table, ("time_period", "phase", *_COUNTS), name="reach")
    whole, trained = counts_of(table, "schools"), counts_of(table, "schools_trained")
    pupils, reached = counts_of(table, "pupils"), counts_of(table, "pupils_reached")
    refuse_parts(((trained, whole, "schools_trained"), (reached, pupils, "pupils_reached")))
    hidden = Counter[str]()
    if rule.exact:
        out = table.reset_index(drop=True).copy()
        nothing = np.zeros(len(out), dtype=np.bool_)
        put(out, "schools", counts_of(out, "schools"), nothing, hidden, "schools")
        return with_status(out, hidden, ())
    base = table[table[band] == names.TOTAL].drop(columns=band).reset_index(drop=True)
    shown = dict(zip(("pupils", "pupils_reached"), shown_people(base, rule, cube), strict=True))
    seen = protect_reach(base, rule, cube).frame["schools_trained"].notna()
    base = base.assign(unseen=~seen, **{f"shown_{name}": value for name, value in shown.items()})
    blocks = [
        _shown_block(table[table["time_period"] == year], base[base["time_period"] == year], rule)
        for year in sorted(table["time_period"].unique())
    ]
    out = pd.concat(blocks, ignore_index=True)
    for column, unseen in (
        ("schools", "few_schools"),
        ("schools_trained", "unseen"),
        ("pupils", "few_pupils"),
        ("pupils_reached", "unseen_pupils"),
    ):
        put(out, column, counts_of(out, column), out[unseen].to_numpy(bool), hidden, "threshold")
    derive(out)
    return with_status(out[[name for name in table if name in out] + ["status"]], hidden, (NOTE,))


def band_of(table: pd.DataFrame) -> str:
    """Return the column that puts schools into bands, '' where there is none."""
    return next((name for name in BANDS if name in table), "")


@dataclass(slots=True, eq=False)
class _Grid:
    """Counts of one year by phase (rows) and band (columns), the totals last."""

    phases: list[str]
    bands: list[str]
    true: dict[str, FloatArray]
    shown: dict[str, FloatArray]
    unseen: Flags

    @property
    def lines(self) -> list[NDArray[np.intp]]:
        """Every row and band as places of the flat grid: the last one adds the others up."""
        shape = len(self.phases), len(self.bands)
        at = np.arange(shape[0] * shape[1]).reshape(shape)
        return [*at, *at.T[:-1]]


def _shown_block(rows: pd.DataFrame, base: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Round and hide one year."""
    band = band_of(rows)
    grid = _grid(rows, base, band)
    _round(grid, rule)
    flags = _hide(grid, rule, of_children=band in OF_CHILDREN)
    out = pd.DataFrame(
        {
            "phase": np.repeat(grid.phases, len(grid.bands)),
            band: np.tile(grid.bands, len(grid.phases)),
            "schools": grid.true["schools"].ravel(),
            "schools_trained": grid.true["schools_trained"].ravel(),
            **{name: values.ravel() for name, values in grid.shown.items()},
            **{name: flag.ravel() for name, flag in flags.items()},
        }
    ).assign(time_period=int(rows["time_period"].iloc[0]))
    out = out.assign(share_schools=np.nan, share_pupils=np.nan, pupils_not_reached=np.nan)
    if "group" in rows:
        out["group"] = rows["group"].iloc[0]
    inside = (out["phase"] != names.TOTAL) & (out[band] != names.TOTAL)
    return out[~(inside & (out["schools"] == 0))]


def _grid(rows: pd.DataFrame, base: pd.DataFrame, band: str) -> _Grid:
    """Lay out the true counts; phases that stand together are added up, margins are as shown."""
    crossed = bool(((rows["phase"] != names.TOTAL) & (rows[band] != names.TOTAL)).any())
    bands = [name for name in dict.fromkeys(rows[band]) if name != names.TOTAL]
    by_phase = crossed or not bands
    phases = [p for p in _OWN if p in set(_own(rows["phase"]))] if by_phase else []
    keys = [_own(rows["phase"]), rows[band]]
    sums = rows[list(_COUNTS)].astype("float64").groupby(keys, sort=False).sum(min_count=1)
    index = pd.MultiIndex.from_product([[*phases, names.TOTAL], [*bands, names.TOTAL]])
    shape = (len(phases) + 1, len(bands) + 1)
    wide = sums.reindex(index).to_numpy(np.float64)
    true = {name: wide[:, place].reshape(shape) for place, name in enumerate(_COUNTS)}
    margin = base.groupby(_own(base["phase"]), sort=False)
    shown = {name: np.full(shape, np.nan) for name in ("pupils", "pupils_reached")}
    for name, values in shown.items():
        sums_shown = margin[f"shown_{name}"].sum(min_count=1)
        values[:, -1] = sums_shown.reindex([*phases, names.TOTAL]).to_numpy(np.float64)
    unseen = np.zeros(shape, dtype=np.bool_)
    # As in the reach by phase; of phases that stand together the sum follows from it anyway.
    several = margin["unseen"].size() > 1
    alone = (margin["unseen"].all() & ~several).reindex([*phases, names.TOTAL])
    unseen[:, -1] = alone.to_numpy(bool)
    return _Grid([*phases, names.TOTAL], [*bands, names.TOTAL], true, shown, unseen)


def _own(phases: pd.Series) -> pd.Series:
    own = phases.isin([*_OWN, names.TOTAL])
    return phases.where(own, OTHER_PHASES)


def _round(grid: _Grid, rule: Rule) -> None:
    """Round the leaves towards the margins shown; the totals of bands are sums of leaves."""
    if len(grid.bands) == 1 or np.isnan(grid.true["pupils"]).any():
        return
    inner = (slice(None, -1) if len(grid.phases) > 1 else slice(None), slice(None, -1))
    ceiling: Counts | None = None
    for name in ("pupils", "pupils_reached"):
        true = grid.true[name][inner].astype(np.int64)
        all_of_it = true == grid.true["pupils"][inner]
        leaves = _rounded(true, grid, name, rule, ceiling=ceiling, fixed=all_of_it)
        grid.shown[name][inner] = leaves
        if len(grid.phases) > 1:
            grid.shown[name][-1, :-1] = leaves.sum(axis=0)
        ceiling = leaves


def _rounded(
    true: Counts, grid: _Grid, name: str, rule: Rule, *, ceiling: Counts | None, fixed: Flags
) -> Counts:
    """Return the leaves at adjacent multiples that bring all margins closest."""
    low, may_rise = bounds(true, rule, ceiling=ceiling)
    if ceiling is not None:
        low, may_rise = np.where(fixed, ceiling, low), may_rise & ~fixed
    rows, columns = true.shape
    totals = np.vstack(
        [
            np.eye(true.size, dtype=np.int64),
            np.kron(np.eye(rows, dtype=np.int64), np.ones((1, columns), dtype=np.int64)),
            np.kron(np.ones((1, rows), dtype=np.int64), np.eye(columns, dtype=np.int64)),
            np.ones((1, true.size), dtype=np.int64),
        ]
    )
    margin = grid.shown[name][:, -1].astype(np.int64)
    by_row = margin[:-1] if len(grid.phases) > 1 else margin
    aims = np.concatenate([true.ravel(), by_row, true.sum(axis=0), margin[-1:]])
    order = np.flatnonzero(may_rise)
    start = (2 * (true - low) >= rule.base).ravel() & may_rise.ravel()
    error = totals @ (low.ravel() + rule.base * start) - aims
    limits = Limits(np.zeros((0, order.size)), np.zeros(0))
    pull, gram = (totals.T @ error)[order], (totals.T @ totals)[np.ix_(order, order)]
    raised = start.copy()
    raised[order] = descend(start[order], pull, gram, limits, base=rule.base)
    return low + rule.base * raised.reshape(true.shape)


def _hide(grid: _Grid, rule: Rule, *, of_children: bool) -> dict[str, Flags]:
    """Decide what of each cell is hidden: schools, those trained, pupils, those reached.

    Rounded leaves need no second one hidden; numbers of schools are exact, and so do.
    """
    schools, trained = grid.true["schools"], grid.true["schools_trained"]
    pupils, reached = grid.true["pupils"], grid.true["pupils_reached"]
    shown = (grid.shown["pupils"], grid.shown["pupils_reached"])
    few_schools = few_settings(schools, rule)
    few_pupils = (np.minimum(pupils, shown[0]) < rule.threshold) | few_schools
    unseen = few_reached(pupils, reached, shown, rule) & (trained != 0)
    unseen |= few_pupils | few_settings(trained, rule) | few_settings(schools - trained, rule)
    if of_children and 0 < trained[-1, -1] < schools[-1, -1]:
        unseen[:, :-1] |= ((trained == 0) | (trained == schools))[:, :-1]
    unseen &= schools > 0
    unseen_pupils = unseen | grid.unseen
    grid.unseen[:, :-1] |= unseen[:, :-1]
    _hide_seconds(grid, counts=(trained > 0) | of_children)
    return {
        "few_schools": few_schools,
        "few_pupils": few_pupils & (schools > 0),
        "unseen": grid.unseen,
        "unseen_pupils": unseen_pupils | grid.unseen if of_children else unseen_pupils,
    }


def _hide_seconds(grid: _Grid, *, counts: Flags) -> None:
    """Hide a second cell of every row and band that has a single one, until none has.

    The margin of the phases is shown elsewhere and stays as it is. Cells that do not count (no
    school trained, which is no secret) neither need a second one nor serve as one.
    """
    unseen, trained = grid.unseen.ravel(), grid.true["schools_trained"].ravel()
    unknown = np.tile(np.array(grid.bands) == NOT_KNOWN, len(grid.phases))
    margin = np.tile(np.arange(len(grid.bands)) == len(grid.bands) - 1, len(grid.phases))
    changed = True
    while changed:
        changed = False
        for line in grid.lines:
            given = line[counts.ravel()[line] & ~unknown[line]]
            alone, others = given[unseen[given]], given[~(unseen | margin)[given]]
            if len(alone) == 1 and len(others):
                unseen[others[np.argmin(trained[others])]] = changed = True
    grid.unseen = unseen.reshape(grid.unseen.shape)
