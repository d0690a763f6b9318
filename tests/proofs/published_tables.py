"""Does the package give back every figure of the published tables that the project rests on?

    python -m tests.proofs.published_tables [--data FOLDER] [--output FILE]

The tables are those of notes/domain.md, sections 1.1 to 1.5 and 2, figure by figure. The files are
DfE's own, read by `returns.published.read_published`; levels, limits and gaps are made by
`metrics.levels` and `metrics.gap_table`. What the package does not read is taken from the file, and
the page says which lines those are. From the root of the repository; needs DfE's files
(``vsh-eval fetch-published``).
"""

import argparse
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd

from tests.proofs import _authority_figures as authority_figures
from tests.proofs._printed_figures import LINES, Figure, Line
from vsh_eval import metrics, names, registry
from vsh_eval.panel import Comparison
from vsh_eval.returns.published import Published, read_published

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "proofs" / "published_tables.md"
DATA = Path(os.environ.get("VSH_EVAL_SHARED", ROOT.parent / "shared" / "data"))
ENGLAND = "E92000001"
GROUPS = (names.CIN, names.CPP, names.CLA, names.CWSW)
LATEST, EARLIER = "2024/25 release", "2022/23 release"
ALONE = "Attainment 8, latest release alone: between, residual"
OVER_AUTHORITIES = (
    "overall_absence",
    "persistent_absence",
    "severe_absence",
    "ks4_attainment8",
    "ks4_progress8",
)
KEYS = ["metric", "group", "phase", "time_period"]
Key = tuple[str, str, str, int]
Rows = dict[Key, dict[str, float]]
LAST_DIGIT = 1e-9
"""What a last binary digit may add to a rounding."""
NOT_HERE = (
    (
        "1.1, 1.3",
        "children in need of other releases (2021/22: 119,950 pupils, 16.4, 48.5; 2020/21: 133,320 "
        "pupils, 510 excluded, 11,640 suspended); all pupils excluded and suspended in 2021/22 "
        "(6,520; 262,530)",
        "read from previews of data sets that are not among the files",
    ),
    (
        "1.3",
        "children in need at 31 March 2025 and in the year (402,400; 704,430); the release of "
        "2018/19 (35 %; 18.5); phonics of children in need",
        "no such file here",
    ),
    (
        "1.3",
        "1.6 million children in 2012 to 2018; 69,246 children of one cohort",
        "quoted from reports, not from tables",
    ),
    (
        "1.4",
        "Attainment 8 gap of authorities: between 3.43, residual 2.88",
        '"both vintages": the earlier release\'s key stage 4 file is not here; from the latest '
        "alone {between:.2f} and {residual:.2f}",
    ),
    ("2.3", "8.7 % of authorities' counts end in 0", "the notes do not say which counts"),
)
"""Printed figures that cannot be worked out from these files, and why."""
FROM_THE_FILE = ("1.2 disadvantage", "1.3 other")
"""Tables whose measures the package does not read."""


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """What the package makes of the published files, for England and by name."""

    levels: Rows
    gaps: Rows
    earlier: Rows
    named: dict[str, list[float]]


@lru_cache(maxsize=1)
def releases(data: Path) -> tuple[Published, Published]:
    """Read the latest release and the one before."""
    return read_published(data, vintage=LATEST), read_published(data, vintage=EARLIER)


@lru_cache(maxsize=1)
def read(data: Path) -> Tables:
    """Read the files and make every table that the figures need."""
    latest, before = releases(data)
    panel = latest.panel
    asked = panel["metric"].isin({figure.metric for line in LINES for figure in line.figures})
    england = panel[panel["unit_id"].eq(ENGLAND) & asked]
    local = panel[
        panel["level"].eq(names.LA)
        & panel["phase"].eq(names.TOTAL)
        & panel["metric"].isin(OVER_AUTHORITIES)
    ]
    local_levels = metrics.levels(local, groups=GROUPS)
    local_gaps = metrics.gaps(local, Comparison(names.CWSW, names.ALL))
    named = {
        **authority_figures.from_the_tool(data),
        **authority_figures.of_authorities(local_gaps, local_levels),
        ALONE: authority_figures.attainment_alone(local),
        **authority_figures.of_vintages(before.panel, panel),
        **authority_figures.of_methods(panel, limits(local_levels, data=data), latest.areas),
    }
    apart = [*OVER_AUTHORITIES[:3], "ks4_attainment8"]
    return Tables(
        levels=by_key(metrics.levels(england, groups=(*GROUPS, names.ALL))),
        gaps=by_key(
            metrics.gap_table(
                england, groups=(names.CIN, names.CWSW), references=(names.ALL,), metrics=apart
            )
        ),
        earlier=by_key(
            metrics.levels(
                before.panel[before.panel["unit_id"].eq(ENGLAND)],
                groups=GROUPS,
                metrics=OVER_AUTHORITIES[:2],
            )
        ),
        named=named,
    )


def by_key(table: pd.DataFrame) -> Rows:
    """Return a table's rows by metric, group, phase and year."""
    numbers = table.drop(columns="time_period").select_dtypes("number").astype(float)
    keys = zip(*(table[key].tolist() for key in KEYS), strict=True)
    rows = zip(*(numbers[name].tolist() for name in numbers), strict=True)
    columns = [str(name) for name in numbers]
    return {key: dict(zip(columns, row, strict=True)) for key, row in zip(keys, rows, strict=True)}


def limits(levels: pd.DataFrame, *, data: Path) -> pd.DataFrame:
    """Set every authority's printed limits of Progress 8 beside the package's."""
    groups = {
        "CINO at 31 March": names.CIN,
        "CPPO at 31 March": names.CPP,
        "CLA 12 months at 31 March": names.CLA,
    }
    ends = {"lower": "p8score_CI_low", "upper": "p8score_CI_upp"}
    file = pd.read_csv(data / "ees_cino" / "ks4_la.csv", dtype="str", encoding="utf-8-sig")
    file = file[file["geographic_level"].eq("Local authority")]
    printed = pd.DataFrame(
        {
            "unit_id": file["new_la_code"],
            "time_period": file["time_period"].astype("int64"),
            "group": file["social_care_group"].map(groups),
            **{
                f"printed_{end}": pd.to_numeric(file[c], errors="coerce") for end, c in ends.items()
            },
        }
    ).dropna()
    own = levels[levels["metric"].eq("ks4_progress8")]
    found = printed.merge(own, on=["unit_id", "time_period", "group"], how="left")
    same = [found[end].round(2).eq(found[f"printed_{end}"]) for end in ends]
    return found.assign(reproduced=same[0] & same[1])


def worked_out(figure: Figure, tables: Tables) -> float:
    """Return a figure as the package makes it; NaN where it says there is none."""
    if not figure.group:
        return tables.named[figure.metric][figure.year]
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


def page(tables: Tables) -> str:
    """Write the lines table by table, what is not here, and what it comes to."""
    values = {line: [worked_out(figure, tables) for figure in line.figures] for line in LINES}
    lines = [
        "# The published tables, worked out again",
        "",
        "    python -m tests.proofs.published_tables",
        "",
        "Every figure of notes/domain.md, tables 1.1 to 1.5 and what section 2 verifies, from "
        f"DfE's own files ({LATEST}, {EARLIER}) through `read_published`, `metrics.levels` "
        "and `metrics.gap_table`. England unless said otherwise; cin is CINO, cpp CPPO, cla CLA of "
        "twelve months, cwsw the sum of cin and cpp; order of the numbers as in the notes. x: no "
        "number, and none is made. Difference: worked out less printed; `!` where it is more than "
        "the printed number's rounding.",
    ]
    for table, part in groupby(LINES, key=lambda line: line.table):
        read_from = " (from the file, not by the package)" if table in FROM_THE_FILE else ""
        lines += ["", f"## Table {table}{read_from}", "", *heading(table)]
        lines += ["| line | printed | worked out | difference |", "|---|---|---|---|"]
        lines += [row(line, values[line]) for line in part]
    lines += ["", "## What is not worked out", "", "| table | figures | why |", "|---|---|---|"]
    alone = dict(zip(("between", "residual"), tables.named[ALONE], strict=True))
    lines += [f"| {table} | {what} | {why.format(**alone)} |" for table, what, why in NOT_HERE]
    return "\n".join([*lines, "", "## Reading", "", *reading(values, tables), ""])


def heading(table: str) -> list[str]:
    """Say what the numbers of a table's lines are, where their names do not."""
    orders = {
        "1.1": "pupils (not of all), overall, authorised, unauthorised, persistent, severe absence",
        "1.1 earlier vintage": "pupils (CINO), overall, persistent absence",
        "1.1 by phase": "by year; groups: overall, persistent and severe absence in each year",
        "1.2": "lines of a year: pupils, Attainment 8, basics 9-5, basics 9-4, Progress 8 with its "
        "limits, pupils with Progress 8; other lines: by year",
        "1.3": "by year",
        "1.4": "pupils, overall, persistent, severe absence, the three gaps to all pupils, ratio "
        "of persistent absence",
        "1.4 by phase": "overall, persistent, severe absence",
    }
    return [f"Numbers: {orders[table]}.", ""] if table in orders else []


def reading(values: dict[Line, list[float]], tables: Tables) -> list[str]:
    """Say how many figures agree, and what of it holds by construction."""
    flat = [
        (figure, value)
        for line, found in values.items()
        for figure, value in zip(line.figures, found, strict=True)
    ]
    outside = [figure for figure, value in flat if not within(figure, value)]
    numbers = [figure for figure, value in flat if not np.isnan(value)]
    moved = [apart for figure, _ in flat if (apart := out_of_rate(figure, tables)) > LAST_DIGIT]
    counted = sum(not np.isnan(out_of_rate(figure, tables)) for figure, _ in flat)
    return [
        f"{len(flat)} figures in {len(values)} lines: {len(numbers)} numbers and "
        f"{len(flat) - len(numbers)} that are not available, "
        + ("all as printed but for their rounding." if not outside else "but for these:"),
        *(f"- {figure.metric}, {figure.group} {figure.year}" for figure in outside),
        "",
        "England's counts are rounded to 10, so a ratio of two of them may leave the printed "
        f"rate's own rounding: {len(moved)} of {counted} levels do, by up to {max(moved):.3f}. The "
        "package then takes the rate's nearest end (a difference of half the last decimal above), "
        "and such a line shows that the rate was read, not that it follows from the counts. For "
        "the same "
        "reason limits of Progress 8 and Attainment 8 gaps are allowed one rounding more. "
        "Authorities' counts are not rounded: there every rate follows from its counts, and all "
        "1,636 pairs of limits are exact.",
        "",
        "Definitions the notes leave open, as they had to be read: between is the standard "
        "deviation of authority effects beside year effects, residual that of what both leave, "
        "with the degrees of freedom that remain, over authority-years with children in both "
        "groups; adjacent years begin with 2021/22 (2018/19 with 2021/22 holds together less); "
        "medians and quartiles that end in .5 are printed rounded up or down.",
    ]


def out_of_rate(figure: Figure, tables: Tables) -> float:
    """Return how far a level's ratio of counts leaves the rate; NaN where it is no such level."""
    if not figure.group or figure.quantity != "level" or figure.group == names.CWSW:
        return float("nan")
    found = tables.levels[figure.metric, figure.group, figure.phase, figure.year]
    if not found["denominator"] > 0:
        return float("nan")
    raw = registry.metric(figure.metric).scale * found["numerator"] / found["denominator"]
    return abs(raw - found["level_value"])


def row(line: Line, values: Iterable[float]) -> str:
    pairs = list(zip(line.figures, values, strict=True))
    cells = (
        "; ".join(figure.printed for figure, _ in pairs),
        "; ".join(written(value, figure) for figure, value in pairs),
        "; ".join(difference(figure, value) for figure, value in pairs),
    )
    return f"| {line.name} | {' | '.join(cells)} |"


def main(arguments: list[str] | None = None) -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of DfE's files")
    parser.add_argument("--output", type=Path, default=PAGE)
    asked = parser.parse_args(arguments)
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    asked.output.write_text(page(read(asked.data)), encoding="utf-8")


if __name__ == "__main__":
    main()
