"""The figures of notes/domain.md, tables 1.1 to 1.5 and section 2, as they are printed there.

A line is what one line of a table says; each of its figures names what the package is to work out
(quantity, metric, group, phase, year) and keeps the printed number as text, because its decimals
say how well it is known.
"""

from collections.abc import Sequence
from dataclasses import dataclass

X = "x"
"""What a table prints where there is no number."""
ABSENCE = tuple(
    f"{kind}_absence" for kind in ("overall", "authorised", "unauthorised", "persistent", "severe")
)
THREE = ("overall_absence", "persistent_absence", "severe_absence")
KS4 = (201819, 201920, 202021, 202122, 202223, 202324, 202425)
EXAMINED = (201819, 202122, 202223, 202324, 202425)


@dataclass(frozen=True, slots=True)
class Figure:
    """One printed number and what it is a number of."""

    quantity: str
    metric: str
    group: str
    year: int
    printed: str
    phase: str = "total"

    @property
    def decimals(self) -> int:
        """Decimals of the printed number."""
        return len(self.printed.partition(".")[2])

    @property
    def number(self) -> float:
        """The printed number, NaN where none is."""
        return float("nan") if self.printed == X else float(self.printed.replace(",", ""))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table."""

    table: str
    name: str
    figures: tuple[Figure, ...]


def label(year: int) -> str:
    return f"{year // 100}/{year % 100}"


def across(table: str, rows: str, columns: Sequence[tuple[str, str]]) -> tuple[Line, ...]:
    """Read lines of a year, a group and a number for each (quantity, metric)."""
    return tuple(
        Line(
            table,
            f"{group} {label(int(year))}",
            tuple(
                Figure(*column, group, int(year), printed)
                for column, printed in zip(columns, numbers, strict=True)
            ),
        )
        for year, group, *numbers in (row.split() for row in rows.strip().splitlines())
    )


def along(
    table: str, metric: str, rows: str, years: Sequence[int] = EXAMINED, quantity: str = "level"
) -> tuple[Line, ...]:
    """Read lines of a group (and phase) and a number for each year."""
    lines = []
    for row in rows.strip().splitlines():
        who, *numbers = row.split()
        group, _, phase = who.partition(":")
        figures = tuple(
            Figure(quantity, metric, group, year, printed, phase or "total")
            for year, printed in zip(years, numbers, strict=True)
        )
        name = f"{group} {phase} {metric}" if phase else f"{group} {metric}"
        lines.append(Line(table, name if quantity == "level" else f"{name}, {quantity}", figures))
    return tuple(lines)


def triples(rows: str) -> tuple[Line, ...]:
    """Read lines of a group and phase and overall/persistent/severe for each year."""
    return tuple(
        Line(
            "1.1 by phase",
            f"{group} {phase}",
            tuple(
                Figure("level", metric, group, year, printed, phase)
                for year, cell in zip(EXAMINED, cells, strict=True)
                for metric, printed in zip(THREE, cell.split("/"), strict=True)
            ),
        )
        for group, phase, *cells in (row.split() for row in rows.strip().splitlines())
    )


def named(table: str, quantity: str, rows: str) -> tuple[Line, ...]:
    """Read lines of a name and numbers, which the proof works out under that name."""
    lines = []
    for row in rows.strip().splitlines():
        name, _, numbers = row.rpartition(":")
        figures = tuple(
            Figure(quantity, name.strip(), "", place, printed)
            for place, printed in enumerate(numbers.split())
        )
        lines.append(Line(table, name.strip(), figures))
    return tuple(lines)


RATES = [("pupils", "overall_absence"), *(("level", metric) for metric in ABSENCE)]
ABSENCE_LINES = across(
    "1.1",
    """
201819 cin 129,150 11.5 6.6 4.9 33.3 5.1
202021 cin 118,190 13.6 9.3 4.3 41.6 5.6
202122 cin 127,570 16.2 9.4 6.9 48.1 8.4
202223 cin 126,190 17.4 9.3 8.1 48.5 10.2
202324 cin 118,960 17.7 9.2 8.5 47.8 11.2
202425 cin 120,250 17.4 9.2 8.2 46.0 11.3
201819 cpp 27,330 13.9 6.4 7.5 39.3 7.3
202021 cpp 26,290 17.4 10.6 6.8 52.6 8.2
202122 cpp 27,410 19.4 9.0 10.3 56.1 11.2
202223 cpp 28,280 21.5 9.0 12.5 57.5 14.6
202324 cpp 26,850 22.2 8.8 13.4 57.1 15.5
202425 cpp 26,840 21.8 8.9 12.8 55.4 15.4
201819 cla 33,380 5.1 3.5 1.7 12.1 2.3
202021 cla 35,480 9.1 7.7 1.5 30.3 3.0
202122 cla 35,240 7.8 5.5 2.3 19.1 3.9
202223 cla 35,090 8.3 5.3 3.0 20.0 4.9
202324 cla 34,660 8.8 5.4 3.4 20.8 5.7
202425 cla 33,930 9.0 5.5 3.5 20.3 6.4
201920 cin x x x x x x
201920 cpp x x x x x x
201920 cla x x x x x x
""",
    RATES,
) + across(
    "1.1",
    """
201617 all 4.65 3.39 1.26 10.79 0.70
201718 all 4.81 3.45 1.36 11.17 0.77
201819 all 4.73 3.31 1.41 10.86 0.85
202021 all 4.62 3.36 1.25 12.08 1.13
202122 all 7.55 5.49 2.06 22.51 1.65
202223 all 7.37 4.95 2.42 21.22 2.03
202324 all 7.15 4.68 2.47 19.95 2.30
202425 all 6.78 4.48 2.30 18.14 2.39
""",
    RATES[1:],
)

EARLIER_LINES = across(
    "1.1 earlier vintage",
    """
201617 cin 130,110 10.5 31.4
201718 cin 132,740 11.1 32.7
""",
    [
        ("earlier pupils", "overall_absence"),
        ("earlier level", "overall_absence"),
        ("earlier level", "persistent_absence"),
    ],
) + across(
    "1.1 earlier vintage",
    """
201617 cpp 12.6 37.5
201718 cpp 13.7 39.6
201617 cla 4.7 11.2
201718 cla 5.0 11.8
""",
    [("earlier level", "overall_absence"), ("earlier level", "persistent_absence")],
)

PHASE_LINES = (
    along("1.1 by phase", "overall_absence", "all:primary 4.03 6.26 5.90 5.53 5.20")
    + along("1.1 by phase", "persistent_absence", "all:primary 8.25 17.70 16.21 14.56 12.99")
    + along("1.1 by phase", "severe_absence", "all:primary 0.39 0.64 0.75 0.85 0.93")
    + along("1.1 by phase", "overall_absence", "all:secondary 5.49 8.99 9.01 8.89 8.44")
    + along("1.1 by phase", "persistent_absence", "all:secondary 13.69 27.71 26.52 25.56 23.37")
    + along("1.1 by phase", "severe_absence", "all:secondary 1.32 2.74 3.40 3.81 3.88")
    + triples(
        """
cin primary 7.4/22.8/1.1 10.6/37.1/1.9 10.9/36.7/2.5 11.0/36.0/2.9 10.9/34.3/3.3
cin secondary 15.5/44.6/8.5 22.7/61.6/15.0 25.2/63.3/18.4 25.8/63.0/19.9 25.5/61.0/20.1
cin special 11.5/31.9/5.0 14.7/42.3/6.9 14.7/40.7/7.3 14.6/39.1/7.8 14.2/37.5/7.5
cin alternative_provision 43.6/87.7/41.5 45.2/87.8/44.0 50.3/92.1/51.7 52.2/91.7/54.3 52.5/92.3/54.5
cpp primary 8.5/27.7/1.3 12.5/45.5/2.6 13.0/44.5/3.5 13.2/44.3/4.0 13.0/43.0/4.0
cpp secondary 19.8/52.9/13.1 27.6/69.0/20.6 31.5/72.5/26.3 32.9/72.4/28.0 32.2/69.8/27.8
"""
    )
)

KS4_COUNTS = [
    ("pupils", "ks4_attainment8"),
    ("level", "ks4_attainment8"),
    ("level", "ks4_basics_95"),
    ("level", "ks4_basics_94"),
    ("level", "ks4_progress8"),
    ("lower", "ks4_progress8"),
    ("upper", "ks4_progress8"),
]
KS4_LINES = (
    across(
        "1.2",
        """
201819 cin 12,280 19.3 10.0 20.3 -1.49 -1.52 -1.47 10,900
201920 cin 12,830 21.5 12.0 24.0 x x x x
202021 cin 12,520 22.9 14.4 27.5 x x x x
202122 cin 13,300 20.8 13.2 23.6 -1.62 -1.65 -1.60 11,610
202223 cin 13,560 18.5 10.2 19.3 -1.58 -1.61 -1.56 11,740
202324 cin 12,980 17.9 10.1 19.0 -1.59 -1.62 -1.56 11,130
202425 cin 13,260 17.3 9.7 18.1 x x x x
""",
        [*KS4_COUNTS, ("pupils", "ks4_progress8")],
    )
    + across(
        "1.2",
        """
201819 cpp 1,830 19.1 9.1 18.2 -1.71 -1.77 -1.65
202122 cpp 2,070 20.5 12.0 21.8 -1.82 -1.88 -1.76
202223 cpp 2,260 17.8 8.0 16.8 -1.79 -1.85 -1.73
202324 cpp 2,130 17.1 9.0 17.3 -1.86 -1.92 -1.80
202425 cpp 2,160 16.9 8.5 16.6 x x x
""",
        KS4_COUNTS,
    )
    + along("1.2", "ks4_attainment8", "cla 5,510 6,120", (201819, 202425), "pupils")
    + along(
        "1.2",
        "ks4_attainment8",
        """
cla 19.0 21.3 23.2 20.3 19.3 18.2 17.3
all 46.7 50.2 50.9 48.8 46.3 45.9 46.0
""",
        KS4,
    )
    + along(
        "1.2",
        "ks4_basics_95",
        """
cla 7.2 10.8 12.6 11.0 9.4 8.9 7.9
all 43.2 49.9 51.9 49.8 45.3 45.9 45.4
""",
        KS4,
    )
    + along(
        "1.2",
        "ks4_basics_94",
        """
cla 17.7 24.3 28.8 22.1 19.8 18.0 17.4
all 64.6 71.2 72.2 68.8 65.1 65.0 64.8
""",
        KS4,
    )
    + along(
        "1.2",
        "ks4_progress8",
        """
cla -1.27 x x -1.29 -1.26 -1.31 x
all -0.03 x x -0.03 -0.03 -0.03 x
""",
        KS4,
    )
    + along(
        "1.2", "ks4_attainment8", "cin 27.4 28.7 28.0 28.0 27.8 28.0 28.7", KS4, "points behind"
    )
    + named(
        "1.2 disadvantage",
        "all pupils, tool's file",
        """
DAP_KS4_ATT8 2019-2025: 36.7 40.2 40.3 37.6 35.0 34.6 34.9
NonDAP_KS4_ATT8 2019-2025: 50.3 53.7 54.7 52.8 50.3 50.0 50.4
""",
    )
)

KS2_LINES = (
    along(
        "1.3",
        "ks2_rwm_expected",
        """
cin 35 28 29 30 30
cpp 35 28 29 31 32
cla 37 31 37 34 35
all 65 59 60 61 63
""",
    )
    + along(
        "1.3",
        "ks2_rwm_expected",
        "cin 12,060 11,330 11,060 10,270 10,480\ncpp 2,520 2,570 2,590 2,410 2,390",
        quantity="pupils",
    )
    + along("1.3", "ks2_reading_progress", "cin -1.53 -2.03 -2.39 x x")
    + along("1.3", "ks2_writing_progress", "cin -1.79 -1.99 -2.43 x x")
    + along("1.3", "ks2_maths_progress", "cin -1.90 -2.44 -2.78 x x")
    + along(
        "1.3",
        "eyfsp_gld",
        "cin 36.7 38.4 38.3 39.6\ncpp 33.4 35.8 35.1 33.6\nall 65.2 67.2 67.7 68.3",
        EXAMINED[1:],
    )
    + along("1.3", "eyfsp_gld", "all 71.8", (201819,))
    + along("1.3", "phonics_expected", "all 82 75 79 80 80")
)
SUSPENDED = (201819, 201920, 202021, 202122, 202223, 202324)
ALL_SUSPENDED = (201516, 201617, 201718, *SUSPENDED)
OTHER_LINES = (
    along(
        "1.3",
        "pupils_suspended",
        "cin 10.22 8.87 8.64 11.80 13.55 14.24\ncla 11.30 9.34 9.74 12.17 13.70 14.55",
        SUSPENDED,
    )
    + along(
        "1.3",
        "pupils_suspended",
        "all 2.11 2.29 2.33 2.44 1.87 2.20 3.02 3.61 4.04",
        ALL_SUSPENDED,
    )
    + along("1.3", "permanent_exclusion", "cin .74 .49 .38 .70 .91 1.03", SUSPENDED)
    + along(
        "1.3",
        "permanent_exclusion",
        "all .084 .096 .098 .097 .061 .047 .078 .111 .129",
        ALL_SUSPENDED,
    )
    + named(
        "1.3 other",
        "all pupils, tool's file",
        """
DAP_NEW_KS2_RWM 2019, 2022-2025: 51 43 44 46 48
NonDAP_NEW_KS2_RWM 2019, 2022-2025: 72 66 67 68 70
CINFixedExclusion 2016-2018: 8.87 9.40 9.48
LAC_Fixed_ Ex 2016-2018: 11.04 11.44 11.25
CINPermExclusion 2016-2018: .61 .68 .73
CINFSM 2017, 2019, 2021, 2023-2025: 44.5 47.5 55.9 59.0 60.3 61.7
CINStatement 2017, 2025: 24.4 31.4
CINSEN_SUP 2017, 2025: 22 22
CIN 2016, 2018, 2021, 2022, 2025: 339.8 345.4 329.6 343.7 330.3
CPP_Num 2019, 2025: 52,260 49,420
""",
    )
)

CWSW_LINES = across(
    "1.4",
    """
201819 cwsw 156,480 11.87 34.36 5.50 7.14 23.50 4.65 3.16
202021 cwsw 144,480 14.31 43.63 6.09 9.69 31.55 4.96 3.61
202122 cwsw 154,980 16.79 49.55 8.89 9.24 27.04 7.24 2.20
202223 cwsw 154,470 18.14 50.14 11.02 10.77 28.92 8.99 2.36
202324 cwsw 145,810 18.55 49.52 12.00 11.40 29.57 9.70 2.48
202425 cwsw 147,090 18.21 47.69 12.05 11.43 29.55 9.66 2.63
""",
    [
        ("pupils", "overall_absence"),
        *(("level", metric) for metric in THREE),
        *(("gap", metric) for metric in THREE),
        ("ratio", "persistent_absence"),
    ],
) + tuple(
    Line(
        "1.4 by phase",
        f"cwsw {phase} {label(year)}",
        tuple(
            Figure("level", metric, "cwsw", year, printed, phase)
            for metric, printed in zip(THREE, numbers, strict=True)
        ),
    )
    for phase, year, numbers in (
        ("primary", 201819, ("7.58", "23.86", "1.10")),
        ("primary", 202223, ("11.37", "38.42", "2.71")),
        ("primary", 202425, ("11.36", "36.26", "3.44")),
        ("secondary", 201819, ("16.26", "46.03", "9.30")),
        ("secondary", 202223, ("26.40", "65.00", "19.86")),
        ("secondary", 202425, ("26.72", "62.66", "21.51")),
    )
)

AUTHORITY_LINES = named(
    "1.4 authorities",
    "authorities",
    """
overall_absence: between, residual, adjacent low, high, first with last: 1.76 1.15 .77 .83 .55
persistent_absence: between, residual, adjacent low, high, first with last: 3.69 2.53 .72 .81 .55
severe_absence: between, residual, adjacent low, high, first with last: 2.18 1.42 .70 .80 .51
pupils of an authority 2024/25: least, quartiles, most: 9 586 811 1,158 4,396
pupils at key stage 4, 2024/25: median CINO, CPPO, CLA: 75 14 34
possible sessions a pupil: mean, SD: 351 9
""",
)

VINTAGE_LINES = named(
    "1.5",
    "vintages",
    """
CINO pupils 2018/19: authorities changed, of: 105 150
CINO pupils 2022/23: authorities changed, of, most pupils: 144 149 686
CINO persistent 2020/21: authorities changed, of, most points: 147 147 9.5
CPPO persistent 2020/21: most points: 23.5
CPPO overall 2022/23: most points: 8.4
CPPO overall 2022/23, Enfield: earlier, later: 27.0 18.6
England persistent 2020/21, earlier: CINO, CPPO, CLA: 47.2 57.2 32.1
England persistent 2020/21, later: CINO, CPPO, CLA: 41.6 52.6 30.3
CINO pupils 2022/23, England: earlier, later: 120,300 126,190
""",
)

METHOD_LINES = named(
    "2",
    "files",
    """
Progress 8 limits reproduced 2018/19, 2021/22-2023/24, pairs: 401 407 415 413 1,636
Progress 8 spread of pupils 2018/19, 2021/22-2023/24: 1.2826 1.4083 1.4140 1.4159
key stage 2 spread of pupils, reading 2018/19, 2021/22, 2022/23: 6.17 6.29 6.29
key stage 2 spread of pupils, writing 2018/19, 2021/22, 2022/23: 5.69 6.04 6.05
key stage 2 spread of pupils, maths 2018/19, 2021/22, 2022/23: 5.39 5.85 5.91
Attainment 8: largest distance of points over pupils from the mean: .05
Progress 8: largest distance of scores over pupils from the mean: .005
regions that add up to England, and with the parts of London: 9 11
smallest count of pupils of an authority that is not 0: 6
absence cells suppressed, all phases, %: 0.3
absence cells suppressed, alternative provision and special, %: 41 42
severe absence of CLA suppressed, authorities 2018/19 and 2024/25: 84 27
Attainment 8 of CPPO suppressed, authorities, least and most years: 21 30
basics 9-5 suppressed, authorities, CINO least and most, CLA least and most: 30 62 99 131
""",
)

LINES: tuple[Line, ...] = (
    *ABSENCE_LINES,
    *EARLIER_LINES,
    *PHASE_LINES,
    *KS4_LINES,
    *KS2_LINES,
    *OTHER_LINES,
    *CWSW_LINES,
    *AUTHORITY_LINES,
    *VINTAGE_LINES,
    *METHOD_LINES,
)
"""Every line, in the order of the notes."""
