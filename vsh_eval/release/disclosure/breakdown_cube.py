"""From the composition to rounded leaves by sex, free meals, SEN and key stage, beside the cube.

Each breakdown is a cube of its own whose parts are its values in place of the phases, over all
phases. No two characteristics are ever crossed. Parts are rounded so that they add up to the cube's
rounded totals: a reader with both tables knows no more of a total than from one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names, registry
from vsh_eval.contracts import DisclosureError, require_columns, require_one_vintage
from vsh_eval.release.disclosure import ledger as ledgers
from vsh_eval.release.disclosure.complement import TELLS_NOTHING, complement
from vsh_eval.release.disclosure.cube import RoundedCube, sealed
from vsh_eval.release.disclosure.hiding import judge
from vsh_eval.release.disclosure.leaves import GROUPS, SUMS, with_data
from vsh_eval.release.disclosure.nested import NESTED, rounding_order
from vsh_eval.release.disclosure.part_rounding import Whole, round_parts
from vsh_eval.release.disclosure.rounding import GROUP_MEMBERS, Counts, add_up
from vsh_eval.release.disclosure.rules import Rule

Arrays = Mapping[str, NDArray[np.float64]]
_RULES = ["vintage", "cohort_rule"]


@dataclass(frozen=True, slots=True, eq=False)
class RoundedBreakdowns:
    """The rounded leaves of every breakdown of one composition.

    Attributes
    ----------
    rule : Rule
        The rule they were rounded by.
    cubes : mapping of str to RoundedCube
        A cube a breakdown; its column ``phase`` holds the breakdown's values.
    ledger : DataFrame
        What to store with the release and hand to the next one: a ledger with ``breakdown``.
    """

    rule: Rule
    cubes: Mapping[str, RoundedCube] = field(repr=False)
    ledger: pd.DataFrame = field(repr=False)


def round_breakdowns(
    composition: pd.DataFrame,
    rule: Rule,
    *,
    cube: RoundedCube,
    spread: pd.DataFrame | None = None,
    ledger: pd.DataFrame | None = None,
    seed: int = 0,
) -> RoundedBreakdowns:
    """Round the leaves of a composition once a breakdown, in line with the cube of the panel.

    Parameters
    ----------
    composition : DataFrame
        Strata of the authority's pupils (`vsh_eval.names.COMPOSITION_COLUMNS`): leaf groups only.
    rule : Rule
        The disclosure rule.
    cube : RoundedCube
        From `round_leaves`, of the panel of the same pupils and by the same rule.
    spread : DataFrame, optional
        In how many schools the same pupils are, and how many of them in the largest
        (`vsh_eval.names.SPREAD_COLUMNS`).
    ledger : DataFrame, optional
        What the last release stored: its years stay as first published.
    seed : int
        Decides between roundings that would do equally well.

    Returns
    -------
    RoundedBreakdowns
        Leaves: group x value x year, over all phases. A cell in fewer than three schools, or of
        which one school has too many, is hidden. Without the spread a cell counts as in enough
        schools only where it has more than twice as many children as one school can have.

    Raises
    ------
    ContractError
        If a column is missing.
    VintageError, CohortRuleError
        If two vintages or cohort rules stand side by side.
    DisclosureError
        If composition, cube and spread are about different children, or the cube has another rule.
    """
    require_columns(composition, names.COMPOSITION_COLUMNS, name="composition")
    require_one_vintage(composition)
    if spread is not None:
        require_columns(spread, names.SPREAD_COLUMNS, name="spread")
        both = [table[_RULES].drop_duplicates().astype("str") for table in (composition, spread)]
        require_one_vintage(pd.concat(both, ignore_index=True))
    if cube.rule != rule:
        raise DisclosureError(
            f"the cube was rounded by rule {cube.rule.name!r}, must be {rule.name!r}; make it with "
            "the rule of the release."
        )
    rows = _plain(with_data(composition))
    old = _read(ledger, rule)
    of_cube = _plain(cube._exact)
    cubes, stores = {}, []
    for by in names.BREAKDOWNS:
        known = old.loc[old["breakdown"] == by].drop(columns="breakdown")
        exact = _exact_by(rows, by, rule, of_cube, spread, seed)
        cubes[by] = sealed(exact, rule, cube.cohort_rule, known)
        stores.append(cubes[by].ledger.assign(breakdown=by))
    return RoundedBreakdowns(rule, cubes, pd.concat(stores, ignore_index=True))


def _read(ledger: pd.DataFrame | None, rule: Rule) -> pd.DataFrame:
    if ledger is None or rule.exact:
        empty = ledgers.read_ledger(None, rule)
        return empty.assign(breakdown=pd.Series(dtype="str"))
    require_columns(ledger, ("breakdown",), name="ledger of breakdowns")
    return pd.concat(
        [
            ledgers.read_ledger(part, rule).assign(breakdown=str(by))
            for by, part in ledger.groupby("breakdown", sort=False)
        ],
        ignore_index=True,
    )


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose keys are plain objects, which are looked up faster."""
    return table.astype(dict.fromkeys(("phase", "group", "metric"), object))


def _exact_by(
    rows: pd.DataFrame,
    by: str,
    rule: Rule,
    of_cube: pd.DataFrame,
    spread: pd.DataFrame | None,
    seed: int,
) -> pd.DataFrame:
    """Return the judged cells of a breakdown, all metrics below one another."""
    named = rows[names.BREAKDOWN_SOURCES[by]].map(dict(names.BREAKDOWNS[by])).astype(object)
    values = [v for v in dict.fromkeys(names.BREAKDOWNS[by].values()) if v in set(named)]
    years = sorted(int(year) for year in rows["time_period"].unique())
    pieces, rounded = [], {}
    for metric in sorted(rows["metric"].unique(), key=rounding_order):
        mine = rows["metric"] == metric
        cells = of_cube[of_cube["metric"] == metric]
        whole = cells[cells["phase"] == names.TOTAL].set_index(["group", "time_period"])
        sums = _sums(rows[mine], named[mine], values, years)
        holders = [rounded[name] for name in NESTED.get(metric, ()) if name in rounded]
        n, y = _round(str(metric), sums, whole, years, holders, rule, seed)
        rounded[metric] = y
        piece = _cells(str(metric), sums, (n, y), (values, years))
        if spread is None:
            largest = _largest(rows[mine], named[mine], cells, (values, years))
            piece["largest"] = np.minimum(largest, piece["true_pupils"])
            enough = piece["true_pupils"] > 2 * largest
            piece["schools"] = np.where(enough, max(rule.min_schools, 3), 0)
        else:
            piece = _with_schools(piece, by, spread)
        with_numbers = set(whole.index.get_level_values("time_period"))
        pieces.append(piece[piece["time_period"].isin(with_numbers)])
    totals = of_cube[of_cube["phase"] == names.TOTAL]
    return _judged(pd.concat(pieces, ignore_index=True), totals, rule)


def _with_schools(piece: pd.DataFrame, by: str, spread: pd.DataFrame) -> pd.DataFrame:
    """Return one metric's cells with their schools and the most children that one school has."""
    mine = spread[(spread["breakdown"] == by) & (spread["metric"] == piece["metric"].iloc[0])]
    mine = mine[mine["time_period"].isin(piece["time_period"])].assign(
        group=mine["group"].astype("str"), value=mine["value"].astype("str")
    )
    known = mine.groupby(["group", "value", "time_period"]).agg(
        {"pupils": "sum", "schools": "sum", "largest": "max"}
    )
    found = known.reindex(pd.MultiIndex.from_frame(piece[["group", "phase", "time_period"]]))
    found = found.fillna(0.0).reset_index(drop=True)
    wrong = int((found["pupils"] != piece["true_pupils"]).sum())
    if wrong:
        raise DisclosureError(
            f"the spread counts other children than the composition in {wrong} cells by {by}, must "
            "count the same; take both from one cohort."
        )
    return piece.assign(schools=found["schools"], largest=found["largest"])


def _largest(
    rows: pd.DataFrame, named: pd.Series, cells: pd.DataFrame, axes: tuple[list[str], list[int]]
) -> NDArray[np.float64]:
    """Return the most children of a cell that one school can have, from what the cube knows.

    A school has one phase: it holds no more of a cell than its phase does, and no more than the
    largest school of the group in that phase.
    """
    values, years = axes
    phases = [phase for phase in names.PHASES if phase in set(rows["phase"])]
    children = np.stack(
        [
            _sums(rows[at], named[at], values, years)["pupils"]
            for at in (rows["phase"] == phase for phase in phases)
        ]
    )
    inside = np.tensordot(children, GROUP_MEMBERS.astype(np.float64), axes=(1, 1))
    inside = np.moveaxis(inside, -1, 1)  # phases x groups x values x years
    wanted = pd.MultiIndex.from_product([phases, GROUPS, years])
    largest = cells.set_index(["phase", "group", "time_period"])["largest"].reindex(wanted)
    most = largest.fillna(0).to_numpy("float64").reshape(len(phases), len(GROUPS), 1, len(years))
    return np.minimum(inside, most).max(axis=0).ravel()


def _sums(rows: pd.DataFrame, named: pd.Series, values: list[str], years: list[int]) -> Arrays:
    """Return the sums of one metric as arrays of leaf groups x values x years."""
    at = (
        pd.Index(names.LEAF_GROUPS).get_indexer(pd.Index(rows["group"])),
        pd.Index(values).get_indexer(pd.Index(named)),
        pd.Index(years).get_indexer(pd.Index(rows["time_period"])),
    )
    out = {}
    for column in SUMS:
        out[column] = np.zeros((len(names.LEAF_GROUPS), len(values), len(years)))
        numbers = rows[column].astype("Float64").to_numpy("float64", na_value=np.nan)
        np.add.at(out[column], at, numbers)
    return out


def _of_total(
    totals: pd.DataFrame, column: str, groups: tuple[str, ...], years: list[int]
) -> NDArray[np.float64]:
    """Return a column of the cube's totals as groups x years; nought where it has none."""
    wanted = pd.MultiIndex.from_product([groups, years])
    numbers = totals[column].astype("Float64").reindex(wanted).fillna(0)
    return np.asarray(numbers, dtype=np.float64).reshape(len(groups), len(years))


def _round(
    metric: str,
    sums: Arrays,
    totals: pd.DataFrame,
    years: list[int],
    holders: Sequence[Counts],
    rule: Rule,
    seed: int,
) -> tuple[Counts, Counts | None]:
    """Round children and, where the metric counts children or events, numerators, by year."""
    true_n = sums["pupils"].astype(np.int64)
    leaves = names.LEAF_GROUPS
    same = _of_total(totals, "true_pupils", leaves, years) == true_n.sum(axis=1)
    if not same.all():
        raise DisclosureError(
            f"the composition counts other children of {metric} than the cube in "
            f"{int((~same).sum())} cells, must count the same; take both from one cohort."
        )
    whole_n = _of_total(totals, "pupils", leaves, years).astype(np.int64)
    n = np.zeros_like(true_n)
    for at in range(len(years)):
        n[:, :, at] = round_parts(true_n[:, :, at], whole_n[:, at], rule, seed=seed)
    counts = registry.metric(metric).counts
    if counts not in {"children", "events"}:
        return n, None
    true_y = sums["numerator"].astype(np.int64)
    whole_y = _of_total(totals, "numerator", leaves, years).astype(np.int64)
    y = np.zeros_like(true_y)
    for at in range(len(years)):
        above = [held[:, :, at] for held in holders if held[:, :, at].any()]
        y[:, :, at] = round_parts(
            true_y[:, :, at],
            whole_y[:, at],
            rule,
            # One child may have many events.
            whole=Whole(true_n[:, :, at], n[:, :, at]) if counts == "children" else None,
            ceiling=np.minimum.reduce(above) if above else None,
            seed=seed,
        )
    return n, y


def _cells(
    metric: str,
    sums: Arrays,
    rounded: tuple[Counts, Counts | None],
    axes: tuple[list[str], list[int]],
) -> pd.DataFrame:
    """Return every cell of a metric by value: rounded counts, and the true sums behind them."""
    values, years = axes
    n, y = rounded
    index = pd.MultiIndex.from_product(
        [GROUPS, [*values, names.TOTAL], years, [metric]],
        names=["group", "phase", "time_period", "metric"],
    )
    cells = pd.DataFrame(index=index)
    cells["pupils"] = add_up(n).ravel()
    cells["numerator"] = pd.NA if y is None else add_up(y).ravel()
    for column in SUMS:
        cells[f"true_{column}"] = add_up(sums[column]).ravel()
    cells = _plain(cells.reset_index()).astype({"pupils": "Int64", "numerator": "Int64"})
    return cells[cells["phase"] != names.TOTAL].reset_index(drop=True)


def _judged(cells: pd.DataFrame, totals: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Decide what is shown; then hide further means that would tell a hidden one."""
    judged = judge(cells, rule)
    both = pd.concat([judged, totals[judged.columns]], ignore_index=True)
    # A part so small that its mean cannot be worked out from two decimals needs no second one.
    counted = np.where(hides_itself(both), 0, both["true_pupils"])
    checked = complement(both.assign(true_pupils=counted), rule)
    checked = checked.assign(true_pupils=both["true_pupils"])
    return checked.loc[checked["phase"] != names.TOTAL]


def hides_itself(cells: pd.DataFrame) -> NDArray[np.bool_]:
    """Mark hidden parts whose mean would be known no closer than ten points either side."""
    keys = ["group", "time_period", "metric"]
    whole = cells.loc[cells["phase"] == names.TOTAL, [*keys, "true_pupils"]]
    joined = cells[keys].merge(whole, how="left", on=keys)["true_pupils"].to_numpy("float64")
    part = cells["true_pupils"].to_numpy("float64")
    with np.errstate(divide="ignore", invalid="ignore"):
        # Half a hundredth in the total and in the other parts, in units of the part's mean.
        error = 0.01 * joined / part
    return (cells["status"] != "").to_numpy() & (part > 0) & (error >= TELLS_NOTHING)
