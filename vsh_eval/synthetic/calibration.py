"""Published figures that the invented authority follows, as data with their source.

**Absence**: percentages, national, England. Groups are as on 31 March (``cin`` is CINO, ``cpp`` is
CPPO, ``cla`` is looked after for twelve months); the invented cohort counts any time in the year
and borrows their levels. No absence was collected in 2019/20.

Sources: DfE, Outcomes for children in need, including children looked after by local authorities in
England: 2018/19 on from the 2025 release, 2016/17 and 2017/18 from the 2023 release (revised since,
not republished). All pupils: DfE, Pupil absence in schools in England; Key stage 2 attainment; Key
stage 4 performance; Suspensions and permanent exclusions; as in the local authority interactive
tool. Good level of development: DfE, Early years foundation stage profile results, by social care
group as in that tool; phonics: DfE, Phonics screening check attainment. Contains public sector
information licensed under the Open Government Licence v3.0.

**Results and exclusions**: one value an academic year, 2016/17 to 2024/25, in per cent, points of
Attainment 8, or points of progress. A dash stands where nothing was assessed or published for
anyone. Figures marked * are not published for the group and year and repeat the nearest one, or
another group's where it says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from vsh_eval import names

GROUPS = (*names.LEAF_GROUPS[:3], names.ALL)
"""Groups with a figure of their own."""
_FIRST_START = 2016

_FIGURES = """
eyfsp_gld             cin   36.7  36.7  36.7    -     -    36.7  38.4  38.3  39.6  * first three
eyfsp_gld             cpp   33.4  33.4  33.4    -     -    33.4  35.8  35.1  33.6  * first three
eyfsp_gld             cla   39.1  39.1  39.1    -     -    39.1  41.3  39.9  42.9  * first three
eyfsp_gld             all   70.7  71.5  71.8    -     -    65.2  67.2  67.7  68.3
phonics_expected      cin   59    60    60      -     -    53    57    58    58    * 22 below all
phonics_expected      cpp   59    60    60      -     -    53    57    58    58    * 22 below all
phonics_expected      cla   59    60    60      -     -    53    57    58    58    * 22 below all
phonics_expected      all   81    82    82      -     -    75    79    80    80
ks2_rwm_expected      cin   31    34    35      -     -    28    29    30    30
ks2_rwm_expected      cpp   35    35    35      -     -    28    29    31    32    * first
ks2_rwm_expected      cla   32    35    37      -     -    31    37    34    35
ks2_rwm_expected      all   62    65    65      -     -    59    60    61    63
ks2_reading_expected  cin   43    48    45      -     -    45    43    45    44
ks2_reading_expected  cpp   48    48    48      -     -    49    46    48    49    * first two
ks2_reading_expected  cla   45    51    49      -     -    52    54    53    51
ks2_reading_expected  all   72    76    74      -     -    75    73    75    76
ks2_writing_expected  cin   45    48    48      -     -    38    40    39    39
ks2_writing_expected  cpp   50    50    50      -     -    40    41    42    42    * first two
ks2_writing_expected  cla   48    49    50      -     -    42    48    46    45
ks2_writing_expected  all   77    79    79      -     -    70    72    72    73
ks2_maths_expected    cin   44    46    48      -     -    39    40    40    40
ks2_maths_expected    cpp   52    52    52      -     -    41    42    42    43    * first two
ks2_maths_expected    cla   46    47    51      -     -    44    51    47    46
ks2_maths_expected    all   75    76    79      -     -    72    73    74    75
ks2_reading_progress  cin   -1.53 -1.53 -1.53   -     -    -2.03 -2.39 -     -     * first two
ks2_reading_progress  cpp   -1.49 -1.49 -1.49   -     -    -1.93 -2.34 -     -     * first two
ks2_reading_progress  cla   -0.67 -0.17 -0.25   -     -    -0.41  0.04 -     -
ks2_reading_progress  all    0.03  0.03  0.03   -     -     0.04  0.04 -     -     * first two
ks2_writing_progress  cin   -1.79 -1.79 -1.79   -     -    -1.99 -2.43 -     -     * first two
ks2_writing_progress  cpp   -2.06 -2.06 -2.06   -     -    -1.85 -2.40 -     -     * first two
ks2_writing_progress  cla   -0.91 -0.81 -0.82   -     -    -0.73 -0.33 -     -
ks2_writing_progress  all    0.03  0.03  0.03   -     -     0.05  0.04 -     -     * first two
ks2_maths_progress    cin   -1.90 -1.90 -1.90   -     -    -2.44 -2.78 -     -     * first two
ks2_maths_progress    cpp   -1.78 -1.78 -1.78   -     -    -2.31 -2.77 -     -     * first two
ks2_maths_progress    cla   -1.07 -0.77 -0.98   -     -    -1.03 -0.63 -     -
ks2_maths_progress    all    0.03  0.03  0.03   -     -     0.04  0.04 -     -     * first two
ks4_attainment8       cin   19.2  19.0  19.3  21.5  22.9   20.8  18.5  17.9  17.3
ks4_attainment8       cpp   19.2  19.2  19.1  21.9  22.9   20.5  17.8  17.1  16.9  * first
ks4_attainment8       cla   19.2  18.6  19.0  21.3  23.2   20.3  19.3  18.2  17.3
ks4_attainment8       all   46.5  46.6  46.7  50.2  50.9   48.8  46.3  45.9  46.0
ks4_progress8         cin   -1.23 -1.46 -1.49   -     -    -1.62 -1.58 -1.59 -
ks4_progress8         cpp   -1.71 -1.71 -1.71   -     -    -1.82 -1.79 -1.86 -     * first two
ks4_progress8         cla   -0.93 -1.24 -1.27   -     -    -1.29 -1.26 -1.31 -
ks4_progress8         all   -0.03 -0.02 -0.03   -     -    -0.03 -0.03 -0.03 -
ks4_basics_94         cin   19.2  19.0  20.3  24.0  27.5   23.6  19.3  19.0  18.1
ks4_basics_94         cpp   18.2  18.2  18.2  22.4  25.6   21.8  16.8  17.3  16.6  * first two
ks4_basics_94         cla   17.3  17.3  17.7  24.3  28.8   22.1  19.8  18.0  17.4
ks4_basics_94         all   64.2  64.4  64.6  71.2  72.2   68.8  65.1  65.0  64.8
ks4_basics_95         cin    8.9   9.5  10.0  12.0  14.4   13.2  10.2  10.1   9.7
ks4_basics_95         cpp    9.1   9.1   9.1  10.7  11.9   12.0   8.0   9.0   8.5  * first two
ks4_basics_95         cla    7.2   7.2   7.2  10.8  12.6   11.0   9.4   8.9   7.9  * first two
ks4_basics_95         all   42.9  43.5  43.2  49.9  51.9   49.8  45.3  45.9  45.4
suspended             cin    9.40  9.48 10.22  8.87  8.64  11.80 13.55 14.24 14.24 * last
suspended             cpp    9.40  9.48 10.22  8.87  8.64  11.80 13.55 14.24 14.24 * as cin
suspended             cla   11.44 11.25 11.30  9.34  9.74  12.17 13.70 14.55 14.55 * last
suspended             all    2.29  2.33  2.44  1.87  2.20   3.02  3.61  4.04  4.04 * last
excluded              cin    0.68  0.73  0.74  0.49  0.38   0.70  0.91  1.03  1.03 * last
excluded              cpp    0.68  0.73  0.74  0.49  0.38   0.70  0.91  1.03  1.03 * as cin
excluded              cla    0.68  0.73  0.74  0.49  0.38   0.70  0.91  1.03  1.03 * as cin
excluded              all   0.096 0.098 0.097 0.061 0.047  0.078 0.111 0.129 0.129 * last
"""


@cache
def yearly_figures() -> dict[tuple[str, str], tuple[float, ...]]:
    """Return the published figures by measure and group.

    Returns
    -------
    dict
        One tuple of nine values a (measure, group), from 2016/17 on; 0 where nothing was assessed.

    Examples
    --------
    >>> yearly_figures()["ks4_progress8", "cin"][-2:]
    (-1.59, 0.0)
    """
    rows = (line.split("*")[0].split() for line in _FIGURES.strip().splitlines())
    return {
        (measure, group): tuple(0.0 if value == "-" else float(value) for value in values)
        for measure, group, *values in rows
    }


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
        (group, stage, measure): tuple(map(float, values))
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
        everyone = table.get((names.ALL, stage, measure))
        shares = np.array(_SHARES[stage]) * scale
        peers = (
            _PEERS_IN_PROVISION * leaves[2]
            if everyone is None
            else _peers(leaves, np.array(everyone), shares)
        )
        out[:, at, known] = _with_previous(leaves, peers)[:, columns] / 100
    return out


def _peers(
    leaves: NDArray[np.float64], everyone: NDArray[np.float64], shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the peers' level, so that the shares' mean is the figure of all pupils."""
    shares = shares * min(1.0, 0.6 / shares.sum())
    rest = 1 - shares.sum()
    known = shares[:3] @ leaves + shares[3] * (1 - _HALFWAY) * leaves[2]
    peers = (everyone - known) / (rest + shares[3] * _HALFWAY)
    # A very large cohort could leave nothing for the peers: they keep a third of all pupils'.
    return np.maximum(peers, everyone / 3)


def _with_previous(leaves: NDArray[np.float64], peers: NDArray[np.float64]) -> NDArray[np.float64]:
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
    columns = [year // 100 - _FIRST_START for year in years]
    figures = yearly_figures()
    *leaves, everyone = (np.array(figures[measure, group]) for group in GROUPS)
    shares = (np.array(_SHARES["primary"]) + np.array(_SHARES["secondary"])) / 2
    known = np.array(leaves)
    return _with_previous(known, _peers(known, everyone, shares))[:, columns]
