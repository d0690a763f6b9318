"""Published figures that the invented authority follows, as data with their source.

Percentages, national, England. Groups are as on 31 March (``cin`` is CINO, ``cpp`` is CPPO, ``cla``
is looked after for twelve months); the invented cohort counts any time in the year and borrows
their levels. No absence was collected in 2019/20.

Sources: DfE, Outcomes for children in need, including children looked after by local authorities in
England: 2018/19 on from the 2025 release, 2016/17 and 2017/18 from the 2023 release (revised since,
not republished). All pupils: DfE, Pupil absence in schools in England; Key stage 2 attainment; Key
stage 4 performance; Suspensions and permanent exclusions; as in the local authority interactive
tool. Contains public sector information licensed under the Open Government Licence v3.0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.synthetic.yearly_figures import FIRST, GROUPS, yearly_figures

STAGES = ("primary", "secondary", "special", "alternative_provision")
"""Where a child is taught: an all-through school has two of them."""
MEASURES = ("overall", "unauthorised", "persistent", "severe")
ABSENCE_YEARS = (201617, 201718, 201819, 202021, 202122, 202223, 202324, 202425)

_ABSENCE = """
cin primary               overall       7.0   7.3   7.4   9.0  10.6  10.9  11.0  10.9
cin primary               unauthorised  2.5   2.7   2.8   2.7   3.8   4.4   4.6   4.5
cin primary               persistent   22.0  22.8  22.8  30.0  37.1  36.7  36.0  34.3
cin primary               severe        0.8   0.9   1.1   1.4   1.9   2.5   2.9   3.3
cin secondary             overall      14.1  14.7  15.5  17.7  22.7  25.2  25.8  25.5
cin secondary             unauthorised  6.9   7.5   8.2   7.1  11.8  14.3  15.0  14.4
cin secondary             persistent   42.3  43.0  44.6  51.5  61.6  63.3  63.0  61.0
cin secondary             severe        6.7   7.4   8.5   9.1  15.0  18.4  19.9  20.1
cin special               overall      10.6  11.5  11.5  15.0  14.7  14.7  14.6  14.2
cin special               unauthorised  1.9   2.2   2.2   2.0   2.8   3.2   3.4   3.3
cin special               persistent   30.2  32.2  31.9  45.9  42.3  40.7  39.1  37.5
cin special               severe        3.9   4.7   5.0   5.8   6.9   7.3   7.8   7.5
cin alternative_provision overall      40.3  41.8  43.6  43.0  45.2  50.3  52.2  52.5
cin alternative_provision unauthorised 21.6  22.3  23.8  19.3  23.5  26.7  27.8  27.8
cin alternative_provision persistent   85.0  87.5  87.7  86.8  87.8  92.1  91.7  92.3
cin alternative_provision severe       36.6  36.8  41.5  41.1  44.0  51.7  54.3  54.5
cpp primary               overall       8.1   8.5   8.5  11.7  12.5  13.0  13.2  13.0
cpp primary               unauthorised  3.5   3.8   3.8   4.0   5.5   6.4   6.8   6.6
cpp primary               persistent   26.8  28.4  27.7  40.8  45.5  44.5  44.3  43.0
cpp primary               severe        1.1   1.1   1.3   2.2   2.6   3.5   4.0   4.0
cpp secondary             overall      18.1  19.5  19.8  24.5  27.6  31.5  32.9  32.2
cpp secondary             unauthorised 10.7  12.0  12.2  10.5  16.7  20.6  22.1  21.1
cpp secondary             persistent   51.1  52.8  52.9  68.1  69.0  72.5  72.4  69.8
cpp secondary             severe       10.9  12.5  13.1  14.5  20.6  26.3  28.0  27.8
cpp special               overall      16.5  19.2  19.2  22.4  24.6  25.2  24.3  25.1
cpp special               unauthorised  7.1   8.3   8.5   7.4  10.4  11.1  11.1  11.1
cpp special               persistent   45.4  48.9  48.2  57.3  59.1  59.1  58.0  58.4
cpp special               severe       11.1  13.2  13.4  14.5  18.3  19.0  18.5  20.1
cpp alternative_provision overall      45.8  46.8  48.3  47.3  51.7  55.0  58.0  56.6
cpp alternative_provision unauthorised 25.7  26.6  27.4  22.4  30.1  30.8  35.3  32.4
cpp alternative_provision persistent   89.1  89.0  90.4  90.4  90.9  93.5  93.3  94.1
cpp alternative_provision severe       43.4  44.9  45.3  46.0  51.4  57.1  60.8  60.2
cla primary               overall       2.5   2.6   2.6   4.8   4.3   3.9   3.9   3.8
cla primary               unauthorised  0.3   0.4   0.4   0.4   0.5   0.6   0.7   0.6
cla primary               persistent    3.8   4.1   4.1  16.4   8.4   7.8   7.9   7.5
cla primary               severe        0.2   0.1   0.2   0.3   0.3   0.5   0.6   0.8
cla secondary             overall       5.1   5.5   5.8  11.4   9.5  10.7  11.5  12.0
cla secondary             unauthorised  1.8   2.0   2.2   2.1   3.5   4.7   5.3   5.6
cla secondary             persistent   13.4  14.1  14.7  38.3  24.2  27.0  27.9  27.5
cla secondary             severe        1.8   2.2   2.5   3.8   5.2   7.0   8.2   9.5
cla special               overall       6.7   7.1   7.2  11.2  10.0  10.2  11.0  11.2
cla special               unauthorised  1.4   1.7   1.8   1.5   2.1   2.6   2.8   3.1
cla special               persistent   16.2  17.0  17.3  35.8  25.9  24.0  26.2  25.8
cla special               severe        2.4   3.4   3.3   4.1   5.1   6.0   7.0   7.7
cla alternative_provision overall      30.6  31.2  32.4  33.6  33.9  36.0  39.2  39.9
cla alternative_provision unauthorised 13.6  14.5  16.1  11.5  15.2  16.8  19.4  18.4
cla alternative_provision persistent   69.2  70.1  71.5  73.3  67.8  67.8  71.2  74.2
cla alternative_provision severe       24.8  27.8  30.2  33.2  36.0  38.3  41.3  41.6
all primary               overall       4.03  4.17  4.03  3.64  6.26  5.90  5.53  5.20
all primary               unauthorised  1.05  1.13  1.14  0.92  1.46  1.65  1.63  1.50
all primary               persistent    8.32  8.67  8.25  8.78 17.70 16.21 14.56 12.99
all primary               severe        0.35  0.37  0.39  0.72  0.64  0.75  0.85  0.93
all secondary             overall       5.35  5.53  5.49  5.49  8.99  9.01  8.89  8.44
all secondary             unauthorised  1.51  1.65  1.75  1.65  2.79  3.37  3.47  3.22
all secondary             persistent   13.54 13.91 13.69 14.83 27.71 26.52 25.56 23.37
all secondary             severe        1.07  1.17  1.32  1.48  2.74  3.40  3.81  3.88
all special               overall       9.73 10.22 10.13 15.21 13.18 13.02 13.01 12.76
all special               unauthorised  2.08  2.24  2.31  2.09  2.85  3.15  3.31  3.38
all special               persistent   28.47 29.65 28.85 48.94 40.36 38.33 37.21 35.26
all special               severe        4.03  4.40  4.58  5.58  5.82  6.24  6.70  6.91
"""

# Shares of pupils in the leaf groups cla, cpp, cin and previous that the invented authority settles
# at; they turn the figures of all pupils into those of the peers.
_SHARES = {
    "primary": (0.004, 0.006, 0.019, 0.043),
    "secondary": (0.005, 0.003, 0.012, 0.050),
    "special": (0.026, 0.022, 0.110, 0.110),
    "alternative_provision": (0.04, 0.05, 0.20, 0.15),
}
# Not published: a child who had a social worker lies halfway between a child in need and a peer,
# and alternative provision's other pupils miss this share of what its children in need miss.
_HALFWAY = 0.5
_PEERS_IN_PROVISION = 0.8


@dataclass(frozen=True, slots=True)
class AbsenceLevels:
    """Absence of every leaf group, stage and year, as proportions.

    Attributes
    ----------
    overall, unauthorised, persistent, severe : ndarray, shape (groups, stages, years)
        In the order of `vsh_eval.names.LEAF_GROUPS` and `STAGES`; NaN in a year without absence.
    """

    overall: NDArray[np.float64]
    unauthorised: NDArray[np.float64]
    persistent: NDArray[np.float64]
    severe: NDArray[np.float64]


@cache
def published_absence() -> dict[tuple[str, str, str], tuple[float, ...]]:
    """Return the published percentages by group, stage and measure.

    Returns
    -------
    dict
        One tuple of percentages a (group, stage, measure), in the order of `ABSENCE_YEARS`.

    Examples
    --------
    >>> published_absence()["cin", "primary", "overall"][-1]
    10.9
    """
    rows = (line.split() for line in _ABSENCE.strip().splitlines())
    return {
        (group, stage, measure): tuple(float(value) for value in values)
        for group, stage, measure, *values in rows
    }


def absence_levels(years: Sequence[int], *, scale: float = 1.0) -> AbsenceLevels:
    """Turn the published figures into the levels of the leaf groups.

    Parameters
    ----------
    years : sequence of int
        Academic years, for example 202425.
    scale : float
        Cohort size relative to the usual one: how much of all pupils' absence is the cohort's.

    Returns
    -------
    AbsenceLevels
        Proportions. Peers are what is left of all pupils when the other groups are taken out;
        children with a social worker before are halfway between peers and children in need.

    Examples
    --------
    >>> levels = absence_levels([201920, 202425])
    >>> levels.overall[2, 0].round(3).tolist()  # children in need, primary
    [nan, 0.109]
    """
    return AbsenceLevels(*(_levels(measure, years, scale) for measure in MEASURES))


def _levels(measure: str, years: Sequence[int], scale: float) -> NDArray[np.float64]:
    """Leaf groups x stages x years of one measure."""
    table = published_absence()
    out = np.full((len(names.LEAF_GROUPS), len(STAGES), len(years)), np.nan)
    known = [place for place, year in enumerate(years) if year in ABSENCE_YEARS]
    columns = [ABSENCE_YEARS.index(years[place]) for place in known]
    for at, stage in enumerate(STAGES):
        leaves = np.array([table[group, stage, measure] for group in names.LEAF_GROUPS[:3]])
        everyone = table.get(("all", stage, measure))
        with_previous = (
            _complete(leaves, np.array(everyone), np.array(_SHARES[stage]) * scale)
            if everyone is not None
            else _complete_provision(leaves)
        )
        out[:, at, known] = with_previous[:, columns] / 100
    return out


def _complete(
    leaves: NDArray[np.float64], everyone: NDArray[np.float64], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Add previous and peers, so that the shares' mean is the figure of all pupils."""
    shares = shares * min(1.0, 0.6 / shares.sum())
    rest = 1 - shares.sum()
    named = shares[:3] @ leaves + shares[3] * (1 - _HALFWAY) * leaves[2]
    peers = (everyone - named) / (rest + shares[3] * _HALFWAY)
    # A very large cohort could leave nothing for the peers: they keep a third of all pupils'.
    peers = np.maximum(peers, everyone / 3)
    return np.vstack([leaves, _HALFWAY * peers + (1 - _HALFWAY) * leaves[2], peers])


def _complete_provision(leaves: NDArray[np.float64]) -> NDArray[np.float64]:
    peers = _PEERS_IN_PROVISION * leaves[2]
    return np.vstack([leaves, _HALFWAY * peers + (1 - _HALFWAY) * leaves[2], peers])


def yearly_levels(measure: str, years: Sequence[int]) -> NDArray[np.float64]:
    """Attainment and exclusion levels of the leaf groups, all stages together.

    Parameters
    ----------
    measure : str
        A measure of attainment, "suspended" or "excluded" (`yearly_figures`).
    years : sequence of int
        Academic years.

    Returns
    -------
    ndarray, shape (groups, years)
        Points or percentages, in the order of `vsh_eval.names.LEAF_GROUPS`; 0 where nothing was
        assessed.

    Examples
    --------
    >>> yearly_levels("ks4_attainment8", [202425]).round(1).ravel().tolist()
    [17.3, 16.9, 17.3, 32.4, 47.4]
    """
    columns = [year // 100 - FIRST for year in years]
    figures = yearly_figures()
    *leaves, everyone = (np.array(figures[measure, group]) for group in GROUPS)
    shares = (np.array(_SHARES["primary"]) + np.array(_SHARES["secondary"])) / 2
    return _complete(np.array(leaves), everyone, shares)[:, columns]
