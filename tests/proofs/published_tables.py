"""Does the package give back England's published figures?

    python -m tests.proofs.published_tables [--data FOLDER] [--output FILE]

The printed figures are those of printed_figures.csv. The files are DfE's own, read by
`returns.published.read_published`; levels, limits and gaps are made by `metrics.levels` and
`metrics.gap_table`. Needs DfE's files (``vsh-eval fetch-published``).
"""

import sys
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd

from tests.proofs._page import DATA, options, table
from tests.proofs._printed_figures import LINES, Figure, Line
from vsh_eval import academic_year, metrics, names, registry
from vsh_eval.returns.published import Published, read_published

ENGLAND = "E92000001"
GROUPS = (names.CIN, names.CPP, names.CLA, names.CWSW)
LATEST, EARLIER = "2024/25 release", "2022/23 release"
KEYS = ["metric", "group", "phase", "time_period"]
Key = tuple[str, str, str, int]
Rows = dict[Key, dict[str, float]]
LAST_DIGIT = 1e-9
"""What a last binary digit may add to a rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """What the package makes of the published files for England, and authorities' limits."""

    levels: Rows
    gaps: Rows
    earlier: Rows
    limits: pd.DataFrame


@lru_cache(maxsize=1)
def releases(data: Path) -> tuple[Published, Published]:
    """Read the latest release and the one before."""
    return read_published(data, vintage=LATEST), read_published(data, vintage=EARLIER)


@lru_cache(maxsize=1)
def read(data: Path) -> Tables:
    """Read the files and make every table that the figures need."""
    latest, before = (_england(release) for release in releases(data))
    asked = {figure.metric for line in LINES for figure in line.figures}
    latest = latest[latest["metric"].isin(asked)]
    apart = ("overall_absence", "persistent_absence", "severe_absence", "ks4_attainment8")
    return Tables(
        levels=by_key(metrics.levels(latest, groups=(*GROUPS, names.ALL))),
        gaps=by_key(
            metrics.gap_table(
                latest, groups=(names.CIN, names.CWSW), references=(names.ALL,), metrics=apart
            )
        ),
        earlier=by_key(metrics.levels(before, groups=GROUPS, metrics=apart[:2])),
        limits=limits(data),
    )


def _england(release: Published) -> pd.DataFrame:
    return release.panel[release.panel["unit_id"].eq(ENGLAND)]


def by_key(rows: pd.DataFrame) -> Rows:
    """Return a table's rows by metric, group, phase and year."""
    numbers = rows.drop(columns="time_period").select_dtypes("number").astype(float)
    keys = zip(*(rows[key].tolist() for key in KEYS), strict=True)
    return dict(zip(keys, numbers.to_dict("records"), strict=True))


def limits(data: Path) -> pd.DataFrame:
    """Set every authority's printed limits of Progress 8 beside the package's."""
    groups = {
        "CINO at 31 March": names.CIN,
        "CPPO at 31 March": names.CPP,
        "CLA 12 months at 31 March": names.CLA,
    }
    ends = {"lower": "p8score_CI_low", "upper": "p8score_CI_upp"}
    file = pd.read_csv(data / "ees_cino" / "ks4_la.csv", dtype="str", encoding="utf-8-sig")
    file = file[file["geographic_level"].eq("Local authority")]
    printed = {f"printed_{end}": pd.to_numeric(file[c], errors="coerce") for end, c in ends.items()}
    keys = {
        "unit_id": file["new_la_code"],
        "time_period": file["time_period"].astype("int64"),
        "group": file["social_care_group"].map(groups),
    }
    panel = releases(data)[0].panel
    own = metrics.levels(
        panel[panel["level"].eq(names.LA) & panel["metric"].eq("ks4_progress8")], groups=GROUPS
    )
    found = pd.DataFrame(keys | printed).dropna().merge(own, on=list(keys), how="left")
    same = [found[end].round(2).eq(found[f"printed_{end}"]) for end in ends]
    return found.assign(reproduced=same[0] & same[1])


def worked_out(figure: Figure, tables: Tables) -> float:
    """Return a figure as the package makes it; NaN where it says there is none."""
    quantity = figure.quantity.removeprefix("earlier ")
    key = (figure.metric, figure.group, figure.phase, figure.year)
    if quantity == "points behind":
        return -tables.gaps[key]["gap"]
    if quantity in ("gap", "ratio"):
        return tables.gaps[key][quantity]
    rows = tables.earlier if figure.quantity != quantity else tables.levels
    return rows[key]["level_value" if quantity == "level" else quantity]


def allowed(figure: Figure) -> float:
    """Return how far a printed number may lie from the exact one: half its last decimal.

    England's counts are rounded to 10, so a level is known to its own printed rate only: a limit of
    Progress 8, and an Attainment 8 gap between two printed means, to one rounding more.
    """
    roundings = 2 if figure.quantity in ("lower", "upper", "points behind") else 1
    return roundings * 0.5 * 10.0**-figure.decimals + LAST_DIGIT


def within(figure: Figure, value: float) -> bool:
    """Say whether a worked-out number is the printed one but for its rounding."""
    if np.isnan(figure.number):
        return bool(np.isnan(value))
    return bool(abs(value - figure.number) <= allowed(figure))


def written(value: float, figure: Figure) -> str:
    if np.isnan(value):
        return "x"
    places = 0 if figure.quantity.endswith("pupils") else figure.decimals + 2
    return f"{value:,.{places}f}"


def difference(figure: Figure, value: float) -> str:
    if np.isnan(value) or np.isnan(figure.number):
        return "." if np.isnan(value) and np.isnan(figure.number) else "!"
    apart = round(value - figure.number, figure.decimals + 2)
    mark = "" if within(figure, value) else "!"
    return "0" if apart == 0 else f"{apart:+.{figure.decimals + 2}f}{mark}"


def row(line: Line, values: list[float]) -> dict[str, str]:
    """Write a line of the page."""
    pairs = list(zip(line.figures, values, strict=True))
    return {
        "what": line.name,
        "years": ", ".join(academic_year.label(figure.year) for figure in line.figures),
        "printed": "; ".join(figure.printed for figure in line.figures),
        "worked out": "; ".join(written(value, figure) for figure, value in pairs),
        "difference": "; ".join(difference(figure, value) for figure, value in pairs),
    }


def body(tables: Tables) -> str:
    """Return what the page says: the lines table by table, and what it comes to."""
    values = {line: [worked_out(figure, tables) for figure in line.figures] for line in LINES}
    parts = [
        f"## {name}\n\n{table([row(line, values[line]) for line in lines])}"
        for name, lines in groupby(LINES, key=lambda line: line.table)
    ]
    flat = [
        pair for line, found in values.items() for pair in zip(line.figures, found, strict=True)
    ]
    outside = [figure for figure, value in flat if not within(figure, value)]
    leaves = [out_of_rate(figure, tables) for figure, _ in flat]
    counted = [apart for apart in leaves if not np.isnan(apart)]
    moved = [apart for apart in counted if apart > LAST_DIGIT]
    missed = "".join(f"\n- {figure.metric}, {figure.group} {figure.year}" for figure in outside)
    return f"""
England, from DfE's own files ({LATEST}, {EARLIER}) through `read_published`, `metrics.levels` and
`metrics.gap_table`; cin is CINO, cpp CPPO, cla CLA of twelve months, cwsw the sum of cin and cpp.
x: no number, and none is made. Difference: worked out less printed; `!` where it is more than the
printed number's rounding.

{(chr(10) * 2).join(parts)}

## Reading

{len(flat)} figures in {len(values)} lines, {sum(np.isnan(value) for _, value in flat)} of them not
available: {"but for these all" if outside else "all"} as printed but for their rounding.{missed}

England's counts are rounded to 10, so a ratio of two of them may leave the printed rate's own
rounding: {len(moved)} of {len(counted)} levels do, by up to {max(moved):.3f}. The package then
takes the rate's nearest end (a difference of half the last decimal above), and such a line shows
that the rate was read, not that it follows from the counts. For the same reason limits of Progress
8 and Attainment 8 gaps are allowed one rounding more. Authorities' counts are not rounded: there
every rate follows from its counts, and of {len(tables.limits):,} printed pairs of limits of
Progress 8 {int(tables.limits["reproduced"].sum()):,} are given back exactly.
"""


def out_of_rate(figure: Figure, tables: Tables) -> float:
    """Return how far a level's ratio of counts leaves the rate; NaN where it is no such level."""
    if figure.quantity != "level" or figure.group == names.CWSW:
        return float("nan")
    found = tables.levels[figure.metric, figure.group, figure.phase, figure.year]
    if not found["denominator"] > 0:
        return float("nan")
    raw = registry.metric(figure.metric).scale * found["numerator"] / found["denominator"]
    return abs(raw - found["level_value"])


def main(arguments: list[str] | None = None) -> int:
    """Write the page."""
    data = {"type": Path, "default": DATA, "help": "the folder of DfE's files"}
    asked, write = options(__file__, __doc__, arguments, data=data)
    write(body(read(asked.data)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
