"""Callaway and Sant'Anna's estimator beside the primary one, computed by moderndid.

It compares each cohort of adoption with untrained schools between two years, so it needs schools
with cohort pupils in every year used, and one weight a school.
"""

import warnings
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import DesignError, InfeasibleError, require_columns, require_one_of
from vsh_eval.effects.grid import Floats, Grid, Ints, checked, grid, units_changing
from vsh_eval.effects.rows import messages, with_inference
from vsh_eval.effects.sample.selection import redundant_covariates
from vsh_eval.numerics.arrays import Flags
from vsh_eval.numerics.inference import bands

ControlGroup = Literal["not_yet_treated", "never_treated"]
COMPARISONS: tuple[ControlGroup, ...] = ("not_yet_treated", "never_treated")

AGGREGATED = {"cohort": "group", "calendar": "calendar", "event": "dynamic"}
"""Our aggregations and the library's names for them."""
_CONTROL = {"not_yet_treated": "notyettreated", "never_treated": "nevertreated"}


def att_gt(
    data: pd.DataFrame,
    *,
    comparison: ControlGroup = "not_yet_treated",
    covariates: Sequence[str] = (),
    seed: int = 0,
    draws: int = 999,
) -> pd.DataFrame:
    """Estimate group-time effects and their means as Callaway and Sant'Anna do.

    Parameters
    ----------
    data : DataFrame
        One row per school-year: unit, time, cohort (0 = never), outcome, weight (constant within
        a school); optional pupils. Schools without data in every year are left out.
    comparison : {"not_yet_treated", "never_treated"}
        The schools compared with.
    covariates : sequence of str
        Numeric columns; the first year's value of each school is used.
    seed, draws : int
        Of the multiplier bootstrap that makes the bands simultaneous.

    Returns
    -------
    DataFrame
        Rows as from `impute`, and the mean over cohorts, calendar years and event times as
        `overall_cohort`, `overall_calendar` and `overall_event`. `std_error` is from the
        influence function, `df` schools less one.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        If no trained or no comparison school has data in every year, the weight changes within a
        school, a covariate is missing, or no effect can be estimated.

    Notes
    -----
    Doubly robust; years before training are compared with the year before each. Callaway and
    Sant'Anna (2021), Journal of Econometrics 225(2); moderndid's estimates equal those of R's
    `did`.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "unit": np.repeat(list("abcdef"), 2), "time": [1, 2] * 6,
    ...     "cohort": [2] * 6 + [0] * 6, "weight": 1.0,
    ...     "outcome": [5.0, 3, 7, 6, 6, 3, 8, 9, 9, 11, 7, 7]})
    >>> att_gt(table).loc[0, "estimate"].round(3)
    np.float64(-3.0)
    """
    require_one_of(comparison, _CONTROL, name="comparison")
    require_columns(data, covariates, name="the table of school-years")
    cells = _balanced(checked(data))
    _refuse(cells, covariates, comparison)
    laid_out = grid(cells)
    numbered = _numbered(cells, laid_out, covariates)
    result, aggregated = _moderndid(numbered, covariates, _CONTROL[comparison])
    rows, influence = _library_rows(laid_out, result, aggregated, comparison)
    units = len(laid_out.units)
    critical = {
        name: bands.multiplier_critical(
            influence[rows["aggregation"].eq(name).to_numpy() & rows["std_error"].gt(0).to_numpy()],
            units - 1.0,
            draws=draws,
            seed=seed,
        )
        for name in ("cohort", "calendar", "event", "att_gt")
    }
    return with_inference(rows, critical, size=float(np.abs(laid_out.outcome).max()))


def _balanced(cells: pd.DataFrame) -> pd.DataFrame:
    """Keep schools with data in every year that were not trained before the second of them."""
    times = np.unique(cells["time"])
    years = cells.groupby("unit")["time"].transform("size")
    early = cells["cohort"].ne(names.NEVER) & cells["cohort"].le(times[0])
    return cells[~early & years.eq(len(times))]


def _refuse(cells: pd.DataFrame, covariates: Sequence[str], comparison: ControlGroup) -> None:
    """Refuse what the library would take silently."""
    times = np.unique(cells["time"])
    trained = cells["cohort"].ne(names.NEVER) & cells["cohort"].le(times[-1] if len(times) else 0)
    if not trained.any():
        raise InfeasibleError("no_trained_school_in_every_year")
    if comparison == "never_treated" and trained.all():
        raise InfeasibleError("no_never_trained_school_in_every_year")
    if units_changing(cells, "unit", "weight"):
        raise DesignError(
            "weight changes within a school, must be constant for this estimator; "
            "use the mean cohort pupils before training."
        )
    for column in covariates:
        missing = int(cells.loc[cells[column].isna(), "unit"].nunique())
        if missing:
            raise DesignError(
                f"covariate {column} is missing in {missing} schools, must be given in all; "
                "leave these schools out and count them, never the covariate."
            )
    redundant = redundant_covariates(cells, covariates)
    if redundant:
        raise InfeasibleError("redundant_covariates", covariates=redundant)


def _numbered(cells: pd.DataFrame, laid_out: Grid, covariates: Sequence[str]) -> pd.DataFrame:
    """Name units and years by position, as the library wants numbers without gaps."""
    unit = np.searchsorted(laid_out.units.astype(str), cells["unit"].astype(str).to_numpy())
    onset = laid_out.onset[unit]
    numbered = pd.DataFrame(
        {
            "unit": unit + 1,
            "time": np.searchsorted(laid_out.times, cells["time"].to_numpy(np.int64)) + 1,
            "cohort": np.where(onset < len(laid_out.times), onset + 1, names.NEVER),
            "outcome": cells["outcome"].to_numpy(float),
            "weight": cells["weight"].to_numpy(float),
        }
    )
    for number, column in enumerate(covariates):
        numbered[f"x{number}"] = cells[column].to_numpy(float)
    return numbered.sort_values(["unit", "time"], ignore_index=True)


def _moderndid(
    numbered: pd.DataFrame, covariates: Sequence[str], control_group: str
) -> tuple[Any, dict[str, Any]]:
    """Run the library; its errors become one of ours, its warnings say what our rows count."""
    import moderndid

    formula = "~ " + " + ".join(f"x{number}" for number in range(len(covariates)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = moderndid.att_gt(
                numbered,
                yname="outcome",
                tname="time",
                idname="unit",
                gname="cohort",
                weightsname="weight",
                xformla=formula if covariates else None,
                control_group=control_group,
                cband=False,
            )
            return result, {
                name: moderndid.aggte(result, type=kind, na_rm=True, cband=False)
                for name, kind in {"simple": "simple", **AGGREGATED}.items()
            }
        except (ValueError, IndexError, KeyError) as error:
            raise InfeasibleError("library_finds_no_comparison") from error


def _library_rows(
    laid_out: Grid, result: Any, aggregated: dict[str, Any], comparison: str
) -> tuple[pd.DataFrame, Floats]:
    """Put the library's results into rows, with the influence (K, S) behind each."""
    groups = np.asarray(result.groups, dtype=np.int64)
    times = np.asarray(result.times, dtype=np.int64)
    records: list[tuple[str, int, int, float, float]] = [
        ("simple", 0, 0, aggregated["simple"].overall_att, aggregated["simple"].overall_se)
    ]
    influence = [np.asarray(aggregated["simple"].influence_func_overall)]
    for name in AGGREGATED:
        part = aggregated[name]
        labels = [_label(laid_out, name, int(value)) for value in part.event_times]
        records += [
            (name, 0, *entry)
            for entry in zip(labels, part.att_by_event, part.se_by_event, strict=True)
        ]
        influence += list(np.asarray(part.influence_func).T)
    for name in AGGREGATED:
        part = aggregated[name]
        records.append((f"overall_{name}", 0, 0, part.overall_att, part.overall_se))
        influence.append(np.asarray(part.influence_func_overall))
    records += [
        ("att_gt", int(laid_out.times[g - 1]), int(laid_out.times[t - 1]), att, error)
        for g, t, att, error in zip(groups, times, result.att_gt, result.se_gt, strict=True)
    ]
    influence += list(np.asarray(result.influence_func).T)
    rows = pd.DataFrame(
        records, columns=["aggregation", "cohort", "index", "estimate", "std_error"]
    ).astype({"estimate": float, "std_error": float})
    rows["df"] = len(laid_out.units) - 1.0
    failed = rows["estimate"].isna() | rows["std_error"].isna()
    rows["status"] = np.where(failed, names.UNAVAILABLE, "")
    rows["reason"] = messages(np.where(failed, "no_overlap", ""), rows)
    compared = _compared(laid_out, groups, times, comparison)
    counted = _with_schools(rows, laid_out, groups, times, compared)
    return counted, np.nan_to_num(np.stack(influence))


def _compared(laid_out: Grid, groups: Ints, times: Ints, comparison: str) -> Flags:
    """Return the comparison schools of each cell (cells, S): untrained in its later year."""
    onset, years = laid_out.onset[None, :] + 1, len(laid_out.times)
    untrained = onset > (years if comparison == "never_treated" else times[:, None])
    return untrained & (onset != groups[:, None])


def _label(laid_out: Grid, name: str, value: int) -> int:
    """Return the year behind a position; event times are their own label."""
    return value if name == "event" else int(laid_out.times[value - 1])


def _with_schools(
    rows: pd.DataFrame, laid_out: Grid, groups: Ints, times: Ints, compared: Flags
) -> pd.DataFrame:
    """Count the schools and pupils behind each row."""
    treated = laid_out.onset[None, :] + 1 == groups[:, None]
    weight = laid_out.weight[:, 0]
    pupils = laid_out.pupils[:, times - 1].T
    columns = [
        _schools_behind(_cells_of(row, laid_out, groups, times), treated, compared, weight, pupils)
        for row in rows.itertuples()
    ]
    counted = pd.DataFrame(
        columns, columns=["schools_treated", "schools_comparison", "pupils", "largest_share"]
    )
    counted["pupils"] = counted["pupils"].astype("Float64").round().astype("Int64")
    return pd.concat([rows, counted], axis=1)


def _cells_of(row: Any, laid_out: Grid, groups: Ints, times: Ints) -> Flags:
    """Return which group-time cells a row is made of."""
    after = times >= groups
    if row.aggregation == "event":
        return times - groups == row.index
    if row.aggregation == "cohort":
        return after & (laid_out.times[groups - 1] == row.index)
    if row.aggregation == "calendar":
        return after & (laid_out.times[times - 1] == row.index)
    if row.aggregation == "att_gt":
        return (laid_out.times[groups - 1] == row.cohort) & (laid_out.times[times - 1] == row.index)
    return after


def _schools_behind(
    inside: Flags, treated: Flags, compared: Flags, weight: Floats, pupils: Floats
) -> tuple[int, int, float, float]:
    """Count trained and comparison schools, pupils, and the largest share in either arm."""
    trained, untrained = treated[inside], compared[inside]
    shares = [
        (flags * weight).sum(axis=0).max(initial=0.0) / max((flags * weight).sum(), 1e-300)
        for flags in (trained, untrained)
    ]
    return (
        int(trained.any(axis=0).sum()),
        int((untrained.any(axis=0) & ~trained.any(axis=0)).sum()),
        float(np.where(trained, pupils[inside], 0.0).sum()),
        float(max(shares)),
    )
