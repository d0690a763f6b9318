"""Does the training go where need is greatest? Concentration curve and index."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import produces
from vsh_eval.metrics.training.need import Bands
from vsh_eval.metrics.training.places import find_places
from vsh_eval.numerics.arrays import Floats
from vsh_eval.numerics.inference.significance import t_critical

EQUITY_COLUMNS = (
    *("time_period", "need", "counted", "group", "schools", "schools_trained"),
    *("pupils", "pupils_reached", "concentration", "evenness"),
    *("evenness_lower", "evenness_upper", "status"),
)
EQUITY_RELEASED = tuple(name for name in EQUITY_COLUMNS if not name.startswith("pupils"))
_LEAST_SCHOOLS = 10


@produces("equity", EQUITY_RELEASED, gate="schools")
def equity(
    training: pd.DataFrame,
    schools: pd.DataFrame,
    panel: pd.DataFrame,
    needs: Sequence[Bands],
    *,
    years: Sequence[int],
    group: str,
) -> pd.DataFrame:
    """Measure whether trained schools are those of greatest need.

    Parameters
    ----------
    training, schools, panel, years, group
        As for `training_reach`.
    needs : sequence of Bands
        From `deprivation_bands` and `baseline_gap_bands`: each school's need.

    Returns
    -------
    DataFrame
        `EQUITY_COLUMNS`, one row for each year, need and what is counted (`schools`, each one
        alike, or `pupils` of the group). `concentration` is twice the area between the
        concentration curve and the line of equality; `evenness` is the same over the largest it
        could be at that reach: -1 where only the least needy are trained, 0 where training has
        nothing to do with need, 1 where only the neediest are. Its interval deletes one school at
        a time (t with schools - 1 degrees of freedom, on Fisher's scale); missing at -1 and 1.
        Only open schools whose need is known count. Status `x` where there is no such need or
        headcount or there are fewer than ten schools, `z` where all schools or none are trained:
        there is no order.

    Raises
    ------
    ContractError
        As for `training_reach`.
    """
    places = find_places(training, schools, panel, years=years, group=group)
    trained = places.trained(training).astype(np.float64)
    rows = []
    for needed in needs:
        need = needed.units.set_index("unit_id")["need"].reindex(places.units)
        known = need.notna().to_numpy() & needed.known
        for place, year in enumerate(places.years):
            here = known & places.is_open[:, place]
            pupils = places.pupils[here, place]
            same = {"time_period": int(year), "need": needed.name, "group": group}
            reached = trained[here, place]
            counts = {
                "schools": int(here.sum()),
                "schools_trained": int(reached.sum()),
                "pupils": pupils.sum(),
                "pupils_reached": pupils @ reached,
            }
            for counted, weight in (("schools", np.ones(len(pupils))), ("pupils", pupils)):
                index = _measured(need.to_numpy(np.float64)[here], weight, reached)
                rows.append(same | {"counted": counted} | counts | index)
    table = pd.DataFrame(rows, columns=list(EQUITY_COLUMNS))
    people = ["pupils", "pupils_reached"]
    return table.astype(dict.fromkeys(people, "Float64")).astype(dict.fromkeys(people, "Int64"))


def concentration(need: Floats, weight: Floats, reached: Floats) -> float:
    """Return twice the area between the concentration curve and the line of equality.

    Parameters
    ----------
    need : float array, shape (schools,)
        The larger, the more; equal needs share a rank.
    weight : float array, shape (schools,)
        How much each school counts.
    reached : float array, shape (schools,)
        The part of it that is reached, 0 to 1.

    Returns
    -------
    float
        Above 0 where the neediest are reached most; NaN where nothing counts or is reached.

    Notes
    -----
    C = -2 / mean x cov(reached, rank), rank = the share of weight that is needier, the own half.

    Source: Kakwani, Wagstaff and van Doorslaer, Journal of Econometrics 77 (1997).

    Examples
    --------
    >>> one = np.ones(4)
    >>> concentration(np.array([4.0, 3, 2, 1]), one, np.array([1.0, 1, 0, 0]))
    0.5
    """
    total, part = weight.sum(), weight @ reached
    if total <= 0 or part <= 0:
        return float("nan")
    _, at = np.unique(-need, return_inverse=True)
    sizes = np.bincount(at, weights=weight)
    rank = ((np.cumsum(sizes) - sizes / 2) / total)[at]
    mean = part / total
    share = weight / total
    return float(-2 / mean * (share @ ((reached - mean) * (rank - share @ rank))))


def evenness(need: Floats, weight: Floats, reached: Floats) -> float:
    """Return the concentration over the largest it could be where each school is reached or not.

    It is the chance that of two pupils, one in a trained school and one not, the first is in the
    needier school, less the chance that the second is.

    Parameters
    ----------
    need, weight, reached
        As for `concentration`, ``reached`` 0 or 1.

    Returns
    -------
    float
        -1 to 1; NaN where nothing counts, or all or nothing is reached.

    Notes
    -----
    W = C / (1 - mean), for a variable that is 0 or 1.

    Source: Wagstaff, Health Economics 14 (2005).

    Examples
    --------
    >>> one = np.ones(4)
    >>> evenness(np.array([4.0, 3, 2, 1]), one, np.array([1.0, 1, 0, 0]))
    1.0
    """
    total = weight.sum()
    mean = weight @ reached / total if total > 0 else np.nan
    return float(concentration(need, weight, reached) / (1 - mean)) if mean < 1 else float("nan")


def _measured(need: Floats, weight: Floats, reached: Floats) -> dict[str, float | str]:
    """Return the index with its interval, or the symbol that says why there is none."""
    nothing = dict.fromkeys(EQUITY_COLUMNS[-5:-1], float("nan"))
    schools = int((weight > 0).sum())
    if schools < _LEAST_SCHOOLS or np.isnan(weight).any():
        return nothing | {"status": names.UNAVAILABLE}
    mean = weight @ reached / weight.sum()
    if mean in (0.0, 1.0):
        return nothing | {"status": names.NOT_APPLICABLE}
    whole = evenness(need, weight, reached)
    inside = np.flatnonzero(weight > 0)
    without = np.array(
        [evenness(*(np.delete(v, place) for v in (need, weight, reached))) for place in inside]
    )
    error = np.sqrt((schools - 1) / schools * np.nansum((without - np.nanmean(without)) ** 2))
    half = float(t_critical(schools - 1.0)) * error
    return {
        "concentration": concentration(need, weight, reached),
        "evenness": whole,
        **dict(zip(("evenness_lower", "evenness_upper"), _limits(whole, half), strict=True)),
        "status": "",
    }


def _limits(value: float, half: float) -> tuple[float, float]:
    """Return limits within -1 and 1, of the same width on Fisher's scale; none at its ends."""
    if abs(value) > 1 - 1e-9:
        return float("nan"), float("nan")
    middle, reach = np.arctanh(value), half / (1 - value**2)
    return float(np.tanh(middle - reach)), float(np.tanh(middle + reach))
