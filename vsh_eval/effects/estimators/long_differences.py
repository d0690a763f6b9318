"""An event study whose years are all compared with the last before training, on both sides alike.

The imputation's leads and effects rest on different years, so they do not make one path; questions
about that path (`honest`) need every year against the same one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsh_eval.contracts import InfeasibleError, Message
from vsh_eval.effects.grid import Floats, Grid, checked, grid
from vsh_eval.effects.rows import with_inference
from vsh_eval.numerics.estimators import imputation as numeric

REFERENCE = -1
"""Event time that all others are compared with: the last year with data before training."""
FEWEST_TREATED = 2
"""Trained schools below which an event time has no error and is left out."""


@dataclass(frozen=True, slots=True)
class LongDifferences:
    """Differences from the last year before training.

    Attributes
    ----------
    rows : DataFrame
        One row an event time (`rows.ROW_COLUMNS`), the reference left out.
    covariance : DataFrame
        Jackknife covariance of the rows, by event time.
    target : Series
        Weight of the trained school-years behind each event time.
    behind : DataFrame
        school, index, weight, pupils, deviates: what each school adds to each event time; of
        schools that add anything. Internal: never released.
    """

    rows: pd.DataFrame
    covariance: pd.DataFrame
    target: pd.Series
    behind: pd.DataFrame

    def sample(self, index: Sequence[int], target: Sequence[int]) -> dict[str, float]:
        """Return the sample behind event times: `rows.SAMPLE_COLUMNS`.

        Parameters
        ----------
        index : sequence of int
            All event times that are used.
        target : sequence of int
            Those of them that the estimate is about.

        Returns
        -------
        dict
            df (the smallest of the rows used), schools_treated and pupils (trained schools of the
            target), schools_comparison (schools that only serve as comparison), largest_share (of
            one school in the target's weight).
        """
        used = self.behind[self.behind["index"].isin(index)]
        trained = used[used["index"].isin(target) & used["weight"].gt(0)]
        about = set(used.loc[used["weight"].gt(0), "school"])
        weight = trained.groupby("school")["weight"].sum()
        rows = self.rows[self.rows["index"].isin(index)]
        return {
            "df": float(rows["df"].min()),
            "schools_treated": trained["school"].nunique(),
            "schools_comparison": len(set(used.loc[used["deviates"], "school"]) - about),
            "pupils": float(trained["pupils"].sum(skipna=False)),
            "largest_share": float(weight.max() / weight.sum()),
        }


@dataclass(frozen=True, slots=True)
class _Cohort:
    """One cohort's event times: estimates, and what leaving a school out does to them."""

    events: npt.NDArray[np.int64]
    weight: Floats
    estimates: numeric.Estimates


def long_differences(data: pd.DataFrame) -> LongDifferences:
    """Compare every year around training with the last year before it.

    Parameters
    ----------
    data : DataFrame
        As for `impute`. A trained school without data in its last year before training is left
        out.

    Returns
    -------
    LongDifferences
        Its rows as from `impute`, aggregation ``event`` only, by years since training; -1 is the
        reference and has no row.

    Raises
    ------
    ContractError
        If a column is missing.
    DesignError
        If no event time is carried by two trained schools.

    Notes
    -----
    For each cohort of adoption g, school and year effects are fitted to the untrained cells of all
    other schools and to the cohort's cells of its last year before training; every other cell
    of the cohort is imputed from them. Cohorts are averaged by their target weight. With weights
    of one, no absent cells and one cohort this is Callaway and Sant'Anna's estimate with a
    universal base period; here the panel may have gaps and weights may change. The error is the
    delete-one-school jackknife. Why: docs/adr/0007-honest-leads.md; Roth (2026), Japanese
    Economic Review, "Interpreting event-studies from recent difference-in-differences methods".

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "unit": np.repeat(list("abcd"), 3), "time": [1, 2, 3] * 4,
    ...     "cohort": [3] * 6 + [0] * 6, "weight": 1.0,
    ...     "outcome": [5.0, 6, 4, 7, 9, 7, 8, 9, 10, 6, 6, 9]})
    >>> long_differences(table).rows[["index", "estimate"]].round(6).values.tolist()
    [[-2.0, -1.0], [0.0, -4.0]]
    """
    cells = grid(checked(data))
    cohorts = [_cohort(cells, onset) for onset in np.unique(cells.onset[cells.ever]) if onset > 0]
    cohorts = [cohort for cohort in cohorts if cohort is not None]
    events = np.unique(np.concatenate([cohort.events for cohort in cohorts] or [[]])).astype(int)
    differences = [(event, *_event(cohorts, event)) for event in events]
    usable = [one for one in differences if (one[3] > 0).sum() >= FEWEST_TREATED]
    if not usable:
        raise InfeasibleError("no_year_around_training")
    deviations = np.stack([deviation for _, _, deviation, _ in usable])
    weight = np.stack([by_school for *_, by_school in usable])
    rows = _rows(cells, usable, deviations, weight)
    labels = rows["index"].to_list()
    return LongDifferences(
        rows=with_inference(rows, {}, size=float(np.abs(cells.outcome).max())),
        covariance=pd.DataFrame(deviations @ deviations.T, index=labels, columns=labels),
        target=pd.Series(weight.sum(axis=1), index=labels, name="weight"),
        behind=_behind(cells, labels, deviations, weight),
    )


def _cohort(cells: Grid, onset: int) -> _Cohort | None:
    """Impute one cohort's years from its last year before training and the other schools."""
    member = (cells.onset == onset)[:, None]
    base = member & (cells.event == REFERENCE)
    anchored = (base & (cells.fit_weight > 0)).any(axis=1)[:, None]
    fitted = numeric.fit(
        cells.outcome, cells.fit_weight, (cells.treated | member) & ~base, cells.stratum
    )
    wanted = member & ~base & anchored & numeric.imputable(fitted)
    target = np.where(wanted, cells.weight, 0.0)
    events = np.unique(cells.event[target > 0])
    if not events.size:
        return None
    weights = np.stack([np.where(cells.event == event, target, 0.0) for event in events])
    return _Cohort(events, weights.sum(axis=2), numeric.estimate(fitted, weights))


def _event(cohorts: list[_Cohort], event: int) -> tuple[float, Floats, Floats]:
    """Average one event time over cohorts: estimate, schools' deviations (S,), weights (S,)."""
    parts = [
        (cohort, int(np.flatnonzero(cohort.events == event)[0]))
        for cohort in cohorts
        if event in cohort.events
    ]
    weight = np.stack([cohort.weight[at] for cohort, at in parts])
    total = weight.sum(axis=1)
    estimates = np.array([cohort.estimates.estimate[at] for cohort, at in parts])
    without = np.stack([cohort.estimates.leave_one_out[at] for cohort, at in parts])
    influence = np.stack([cohort.estimates.influence[at] for cohort, at in parts])
    touched = np.stack([cohort.estimates.contributes[at] for cohort, at in parts]).any(axis=0)
    estimate = float(total @ estimates / total.sum())
    left = total[:, None] - weight
    left = np.where(left > 1e-12 * total[:, None], left, 0.0)
    summed = np.where(left > 0, left * np.where(left > 0, without, 0.0), 0.0).sum(axis=0)
    remaining = left.sum(axis=0)
    alone = summed / np.where(remaining > 0, remaining, np.nan)
    schools = max(int(touched.sum()), 2)
    jackknife = np.sqrt((schools - 1) / schools) * (alone - estimate)
    if np.isnan(jackknife[touched]).any():
        own = weight * (estimates[:, None] - estimate)
        psi = (total[:, None] * influence + own).sum(axis=0) / total.sum()
        jackknife = -np.sqrt(schools / (schools - 1)) * psi
    return estimate, np.where(touched, jackknife, 0.0), weight.sum(axis=0)


def _rows(
    cells: Grid, usable: list[tuple[int, float, Floats, Floats]], deviations: Floats, weight: Floats
) -> pd.DataFrame:
    treated = weight > 0
    rows = pd.DataFrame(
        {
            "aggregation": "event",
            "cohort": 0,
            "index": [int(event) for event, *_ in usable],
            "estimate": [estimate for _, estimate, *_ in usable],
            "std_error": np.sqrt((deviations**2).sum(axis=1)),
            "df": (deviations != 0).sum(axis=1) - 1.0,
            "schools_treated": treated.sum(axis=1),
            "schools_comparison": ((deviations != 0) & ~treated).sum(axis=1),
            "largest_share": weight.max(axis=1) / weight.sum(axis=1),
            "status": "",
            "reason": Message(),
        }
    )
    pupils = [
        _pupils(cells, event)[flags].sum()
        for event, flags in zip(rows["index"], treated, strict=True)
    ]
    rows["pupils"] = pd.Series(pupils, dtype="Float64").round().astype("Int64")
    return rows


def _pupils(cells: Grid, event: int) -> Floats:
    """Return each school's pupils at an event time, (S,)."""
    return np.where(cells.event == event, cells.pupils, 0.0).sum(axis=1)


def _behind(cells: Grid, labels: list[int], deviations: Floats, weight: Floats) -> pd.DataFrame:
    """List what each school adds to each event time, (K, S) laid out long."""
    pupils = np.stack([_pupils(cells, event) for event in labels])
    table = pd.DataFrame(
        {
            "school": np.tile(np.arange(len(cells.units)), len(labels)),
            "index": np.repeat(labels, len(cells.units)),
            "weight": weight.ravel(),
            "pupils": pupils.ravel(),
            "deviates": (deviations != 0).ravel(),
        }
    )
    return table[table["deviates"] | table["weight"].gt(0)].reset_index(drop=True)
