"""What can a reader of a whole release work out? An attack on every table beside every other one.

Invented authorities of several sizes go through the rounding and the door, then a reader with
integer programming takes all of it together. With --release a run's folder is attacked as well,
from its CSV files alone. Run from the root of the repository, it writes docs/proofs/attack.md:

    python -m tests.proofs.attack [--seeds N] [--most N] [--sizes X ...]
        [--release FOLDER] [--output FILE]
"""

import argparse
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from tests.release.attacker import MEMBERS, nearest
from tests.release.invented_strata import children, composition_of, moments_of, panel_of
from tests.release.test_disclosure import estimates
from tests.release.whole_release import (
    BY_PHASE,
    NUMBER,
    SHARE,
    a_part_left_out,
    empty_reader,
    fewest,
    joint,
    limits_of,
    schools_that_fit,
    sum_of,
    width_of_few,
)
from vsh_eval import metrics, names
from vsh_eval.release import BARRIERS, protect, round_breakdowns, round_leaves, rule_named

STRICT = rule_named("strict10")
PAIR = {"group": "cwsw", "reference": "peers"}
LAST = 202425
SIZES = (0.1, 0.2)
SEEDS = 1
MOST = 8
"""Numbers attacked in each authority, drawn at random."""
SHOWN = (13, 18, 23)
"""Numbers that are rounded up by two, which leaves least to what stands beside them."""
PAGE = Path(__file__).resolve().parents[2] / "docs" / "proofs" / "attack.md"
BEFORE = {
    "numbers of schools, from the limits of intervals": "1",
    "a hidden adoption cohort beside two shown and the total": "2",
    "a hidden phase in the differences between schools": "2",
    "a hidden phase beside a programme of all trained schools": "2",
    "a run of demo-small, its CSV files": "15",
    "rows": "6 of 15",
    "points": "0.26",
}
"""Fewest values left, by the same commands, before the leaks below were closed."""


def released(pupils, *, ledgers=(None, None)):
    """Return cube, breakdowns and barriers of an authority's children."""
    composition = composition_of(pupils)
    cube = round_leaves(panel_of(pupils), STRICT, ledger=ledgers[0])
    spread = moments_of(pupils).spread
    broken = round_breakdowns(composition, STRICT, cube=cube, ledger=ledgers[1], spread=spread)
    found = metrics.barriers(composition, **PAIR)
    asked = found[(found["phase"] == "total") & found["barrier"].isin(BARRIERS)]
    barriers = protect(asked.reset_index(drop=True), STRICT, kind="barriers", cube=broken).frame
    return cube, broken, barriers


def of_one_release(args, *, told_all):
    leaves, left = 0, []
    for size, seed in product(args.sizes, range(1, args.seeds + 1)):
        cube, broken, barriers = released(children(seed, size=size, years=(LAST,)))
        reader, targets = joint(cube, broken, LAST, barriers=barriers, told_all=told_all)
        asked = _some(targets, seed, args.most)
        leaves += len(asked)
        left.append(fewest(reader, asked))
    return leaves, min(left)


def _some(targets, seed, most):
    """Draw numbers of the groups that leave the authority."""
    asked = [t for t in targets if t[0][0] == BY_PHASE or t[0][2] in PAIR.values()]
    drawn = np.random.default_rng(seed).permutation(len(asked))[:most]
    return [asked[at] for at in drawn]


def of_two_releases(args):
    """A child left, one changed status, a school closed, and a year was added."""
    leaves, left = 0, []
    for size, seed in product(args.sizes[-3:], range(1, args.seeds + 1)):
        before = children(seed, size=size, years=(202324,))
        after = before.copy()
        cin = after.index[after["group"] == "cin"]
        after.loc[cin[:1], "group"] = "cpp"
        after.loc[after["unit_id"] == "11", ["unit_id", "phase"]] = ["9", "primary"]
        new = children(seed + 50, size=size, years=(LAST,))
        after = pd.concat([after.drop(index=cin[1:2]), new], ignore_index=True)
        first = released(before)
        cube, broken, barriers = released(after, ledgers=(first[0].ledger, first[1].ledger))
        reader, targets = joint(cube, broken, LAST, barriers=barriers)
        asked = _some(targets, seed, args.most)
        leaves += len(asked)
        left.append(fewest(reader, asked))
    return leaves, min(left)


def of_hidden_rows(args):
    """Numbers of children beside a barrier that is hidden for having too few of them."""
    rows = told = 0
    for size, seed in product((0.03, *args.sizes), range(1, args.seeds + 1)):
        *_, barriers = released(children(seed, size=size))
        hidden = barriers[barriers["status"] == "c"]
        rows += len(hidden)
        told += int((hidden["group_pupils"].fillna(10) < 10).sum())
    return rows, told


def of_limits():
    """Numbers of schools, from 6 to 59, behind an interval with three errors."""
    left = [
        len(schools_that_fit(12.34, *limits_of(12.34, error, schools)))
        for error, schools in product((0.83, 1.7, 4.3), range(6, 60))
    ]
    return len(left), min(left)


def of_parts(kind):
    """A part of 1 to 9 children beside two that are shown and their total."""
    left = []
    for first, second, few in product(SHOWN, SHOWN, range(1, 10)):
        table = _parts(kind, [first, second, few, first + second + few])
        shown = protect(table, STRICT, kind=kind).frame
        column = "pupils" if kind == "estimates" else "group_pupils"
        if column not in shown:
            left.append(10)
            continue
        *parts, _, whole = [None if pd.isna(n) else int(n) for n in shown[column]]
        low, high = a_part_left_out(whole, parts)
        left.append(high - low + 1)
    return len(left), min(left)


def _parts(kind, pupils):
    schools = [12, 11, 1, 24]
    if kind == "estimates":
        rows = zip(("cohort", "cohort", "cohort", "simple"), range(4), schools, pupils, strict=True)
        return pd.concat(
            [estimates(aggregation=a, index=i, schools_treated=s, pupils=n) for a, i, s, n in rows]
        )
    tau = dict.fromkeys(("tau", "tau_lower", "tau_upper", "tau_dl", "tau_pm"), 1.0)
    text = {"phase": ["a", "b", "c", "total"], "status": "", "reason": ""}
    return pd.DataFrame({"schools": schools, "group_pupils": pupils, **text, **tau})


def of_programmes():
    """One of three phases reached, beside a programme that trained all the trained schools."""
    left = []
    for first, second, few in product(SHOWN, SHOWN, range(1, 10)):
        whole = first + second + few
        rows = [("any", "primary", 30, 9, first), ("any", "secondary", 20, 8, second),
                ("any", "special", 5, 3, few), ("any", "total", 55, 20, whole),
                ("elsa", "total", 55, 20, whole)]  # fmt: skip
        columns = ["programme", "phase", "schools", "schools_trained", "pupils_reached"]
        table = pd.DataFrame(rows, columns=columns).assign(
            time_period=LAST, tier="any", group="cwsw", status="", pupils=200
        )
        shown = protect(table, STRICT, kind="reach").frame["pupils_reached"]
        if shown[3] == shown[4]:  # one number, the sum of the phases' own
            left.append(5)
            continue
        low, high = a_part_left_out(int(shown[4]), [nearest(first), nearest(second)])
        left.append(high - low + 1)
    return len(left), min(left)


def of_cohort_rules(seeds):
    """Points within which the mean of four children is known who are in one cohort only."""
    left = []
    for seed in range(1, 3 * seeds + 1):
        pupils = children(seed, size=0.4, years=(LAST,))
        cin = pupils.index[pupils["group"] == "cin"]
        moved = pupils.assign(group=pupils["group"].mask(pupils.index.isin(cin[:4]), "previous"))
        first = round_leaves(panel_of(pupils), STRICT)
        panel = panel_of(moved).assign(cohort_rule="on_census_day")
        second = round_leaves(panel, STRICT, ledger=first.ledger)
        unseen = [
            (n, cube.cells.set_index(["phase", "group", "metric"]).loc[CELL, "status"] == "")
            for n, cube in ((len(cin), first), (len(cin) - 4, second))
        ]
        left.append(min(width_of_few(*unseen, 4), 100.0))
    return len(left), min(left)


CELL = ("total", "cin", "overall_absence")


def of_folder(folder, year):
    """Hidden numbers of children of a run's release, from its CSV files alone."""
    tables = {
        name: pd.read_csv(folder / "tables" / f"{name}.csv", dtype=str)
        for name in ("levels", "gaps", "attendance_breakdowns", "barriers")
    }
    tables = {name: t[t["time_period"] == str(year)] for name, t in tables.items()}
    cells = dict(_cells_of(tables["levels"], BY_PHASE, "phase", "group", ("pupils", "level_value")))
    for name, by, value in (("gaps", None, "phase"), ("attendance_breakdowns", "by", "value")):
        for side in ("group", "reference"):
            groups = tables[name].groupby("breakdown") if by else [(BY_PHASE, tables[name])]
            for found, rows in groups:
                columns = (f"{side}_pupils", f"{side}_level")
                cells |= dict(_cells_of(rows, found, value, side, columns))
    reader, hidden = _reader_of(cells)
    ends = [reader.bounds(terms) for terms in hidden]
    return len(ends), min((high - low + 1 for low, high in ends), default=10)


def _reader_of(cells):
    """Return a reader of cells as shown, and the sums behind the numbers that are not."""
    values = {}
    for by, value, _ in cells:
        if value != names.TOTAL:
            values.setdefault(by, {})[value] = None
    reader, hidden = empty_reader({by: list(inside) for by, inside in values.items()}), []
    for (by, value, group), (n, y) in cells.items():
        where = list(values[by]) if value == names.TOTAL else [value]
        true = {w: sum_of("true", w, by, where, MEMBERS[group]) for w in (NUMBER, SHARE)}
        for what, shown in ((NUMBER, n), (SHARE, y)):
            if shown is not None:
                multiple = sum_of("multiple", what, by, where, MEMBERS[group])
                reader.fact(multiple, shown // 5, shown // 5)
                reader.fact(true[what], low=10)
        if y is not None:
            reader.fact({**true[NUMBER], **dict.fromkeys(true[SHARE], -1)}, low=10)
        if n is None:
            hidden.append(true[NUMBER])
    return reader, hidden


def _cells_of(rows, by, value, group, columns):
    """Yield each cell's children and numerator as a table shows them, None where it does not."""
    for row in rows[rows["metric"] == SHARE].to_dict("records"):
        n, level = (pd.to_numeric(row[column], errors="coerce") for column in columns)
        n = None if np.isnan(n) else int(n)
        y = None if n is None or np.isnan(level) else 5 * round(n * level / 500)
        yield (by, row[value], row[group]), (n, y)


def attacks(args):
    """Return a row for every kind of attack: what it is, how many numbers, fewest left."""
    return [
        ("phases, characteristics and barriers: what is shown",
         *of_one_release(args, told_all=False)),
        ("the same, every rounded number and reason told", *of_one_release(args, told_all=True)),
        ("the same, the second of two yearly releases", *of_two_releases(args)),
        ("numbers of schools, from the limits of intervals", *of_limits()),
        ("a hidden adoption cohort beside two shown and the total", *of_parts("estimates")),
        ("a hidden phase in the differences between schools", *of_parts("between_schools")),
        ("a hidden phase beside a programme of all trained schools", *of_programmes()),
    ]  # fmt: skip


def page(args):
    """Write the page."""
    rows = attacks(args)
    if args.release:
        rows.append(("a run of demo-small, its CSV files", *of_folder(args.release, LAST)))
    hidden, told = of_hidden_rows(args)
    pairs, points = of_cohort_rules(args.seeds)
    command = f"python -m tests.proofs.attack --seeds {args.seeds}"
    command += " --release outputs/demo-small/release" if args.release else ""
    lines = [
        "# What can be worked out from a whole release?",
        "",
        f"    {command}",
        "",
        "Every number of 1 to 9 children (and of children counted, and of those not counted) must",
        "keep five possible values, whatever stands beside it.",
        "",
        "| attack | numbers | fewest values left before | fewest values left |",
        "|---|---|---|---|",
        *(f"| {name} | {n} | {BEFORE.get(name, '')} | {left} |" for name, n, left in rows),
        "",
        "| other finds | cases | before | now |",
        "|---|---|---|---|",
        f"| hidden barriers that show a number under 10 | {hidden} | {BEFORE.get('rows', '')} | "
        f"{told} |",
        "| points within which the mean of four children is known, from two cohort rules | "
        f"{pairs} | {BEFORE.get('points', '')} | {points:.2f} |",
        "",
        READING,
    ]
    return "\n".join(lines)


READING = """## Reading

"Before" was measured by the same functions on the code before these finds were closed; where it is
empty it was not. The first three rows draw numbers at random from invented authorities; the fourth
counts the numbers of schools that explain an interval; the next three put one small number beside
two that are shown, at the residues that leave least. "10" is everything that a hidden number of
children may be. The programme's row is an attack by a reader who is told the rounded phases; its 5
is not solved for but follows from the rule once the programme repeats the total's number. Hidden
numbers of a run are seldom small, so its row says little of the smallest ones.

What is not closed. Pupils reached, and rows in findings, are rounded to the nearest five outside
the ledger: a year that is counted again after a correction may move by five. Intervals of an old
year are worked out again. A reader who is told every rounded number of every characteristic, hidden
ones too, was once left with four values (one of 656 numbers, four authorities); a reader of what is
shown keeps five in that authority.
"""


def main(argv=None):
    """Attack, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--most", type=int, default=MOST)
    parser.add_argument("--sizes", type=float, nargs="+", default=SIZES)
    parser.add_argument("--release", type=Path)
    parser.add_argument("--output", type=Path, default=PAGE)
    args = parser.parse_args(argv)
    args.output.write_text(page(args), encoding="utf-8")


if __name__ == "__main__":
    main()
