"""Published results and exclusions by social care group, England, as data with their source.

One value an academic year, 2016/17 to 2024/25: per cent, points of Attainment 8, or points of
progress. A dash stands where nothing was assessed or published for anyone. Figures marked * are not
published for the group and year and repeat the nearest one, or another group's where it says so.

Sources: as in `calibration`; good level of development: DfE, Early years foundation stage profile
results, by social care group as in the local authority interactive tool; phonics: DfE, Phonics
screening check attainment. Contains public sector information licensed under the Open Government
Licence v3.0.
"""

from functools import cache

from vsh_eval import names

GROUPS = (*names.LEAF_GROUPS[:3], names.ALL)
"""Groups with a figure of their own."""
FIRST = 2016
"""Calendar year in which the first academic year starts."""

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
