"""A run's tables as the reader of `_reader` sees them: which cells are shown, and what they bind.

Every cell of children is here: phases, groups and their sums, characteristics, barriers and reach.
What is worked out from levels (gaps, changes, trends, parts, sizes) adds no number of children.
"""

import tempfile
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from tests.proofs._reader import ANY, ENOUGH, ROUNDED, SHOWN, SMALL, TEN, THRESHOLD, Reader
from vsh_eval import cohort, metrics, names, registry, returns, synthetic
from vsh_eval.academic_year import span
from vsh_eval.metrics import characteristics, training
from vsh_eval.panel import GROUPS, Comparison, leaves_of
from vsh_eval.release.disclosure import protected, release_table, rule_named
from vsh_eval.release.disclosure.cell_keys import change_of_count

RULE, EXACT = rule_named("cellkey"), rule_named("none")
SECRET = bytes(range(32))
UNIT = "E06000999"
YEARS = tuple(span(201617, 202425))
CHILDREN = tuple(m.name for m in registry.METRICS.values() if m.counts == "children")
COHORT, PEERS, TOTAL = names.CWSW, names.PEERS, names.TOTAL
COMPARISON = Comparison(COHORT, PEERS, metrics=CHILDREN, baseline=201819, unit_id=UNIT)
HEADCOUNT = "persistent_absence"
"""Counts each child of overall absence once: the population of barriers and reach."""


@dataclass
class Run:
    """The tables of an invented authority, with record keys."""

    panel: pd.DataFrame
    other_rule: pd.DataFrame
    composition: pd.DataFrame
    moments: characteristics.Moments
    schools: pd.DataFrame
    training: pd.DataFrame

    @cached_property
    def by_characteristic(self):
        """Exact and released gaps by each characteristic."""
        return {by: self._twice(characteristics.gaps_by, by=by) for by in names.BREAKDOWNS}

    @cached_property
    def barriers(self):
        """Exact and released barriers."""
        return self._twice(characteristics.barriers)

    @cached_property
    def reach(self):
        """Exact and released reach, by programme and tier and by audience."""
        years = sorted(self.panel["time_period"].unique())
        given = {"years": years, "group": COHORT}
        start = self.training, self.schools
        return {
            label: (
                function(*start, self.panel, **given),
                release_table(
                    function, *start, protected(self.panel, RULE), rule=RULE, **given
                ).frame,
            )
            for function, label in (
                (training.training_reach, "programme"),
                (training.audience_reach, "audience"),
            )
        }

    def _twice(self, function, **given):
        safe = protected(self.composition, RULE)
        shown = release_table(function, safe, self.moments, COMPARISON, rule=RULE, **given)
        return function(self.composition, self.moments, COMPARISON, **given), shown.frame


def invented(schools, seed):
    """Invent an authority and count it as a run does."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "returns"
        synthetic.synthesise(path, synthetic.Plan(schools=schools, seed=seed))
        opened = returns.open_returns(path, years=YEARS)
        built = cohort.build_cohort(
            opened.connection, years=YEARS, secret=SECRET, other_rule_metrics=CHILDREN
        )
    moments = [table.assign(unit_id=UNIT) for table in (built.moments, built.spread)]
    return Run(
        built.panel,
        built.other_rule_panel,
        built.composition.assign(unit_id=UNIT),
        characteristics.Moments(*moments),
        built.schools,
        built.training,
    )


def with_new_keys(table, multiplier):
    """Return a table in which every child has another record key: its own times an odd number.

    Sums modulo 2^64 stay sums, so all tables of a run stay consistent.
    """
    with np.errstate(over="ignore"):
        keys = {name: table[name].to_numpy(np.int64) * multiplier for name in names.RECORD_KEYS}
    return table.assign(**keys)


def multipliers(rng, draws):
    """Return odd numbers below 2^63."""
    return rng.integers(0, 2**62, draws) * 2 + 1


# --- Every cell of a run: its true numbers, its keys, and whether it is shown.

KEYS = ["time_period", "metric", "phase", "group"]


def cells_of_panel(panel, groups=GROUPS, metrics_=CHILDREN):
    """Return the cells of `levels`: metric, phase, group, year."""
    given = {"groups": list(groups), "metrics": list(metrics_), "unit_id": UNIT}
    exact = metrics.levels(panel, **given)
    shown = release_table(metrics.levels, protected(panel, RULE), rule=RULE, **given).frame
    sums = panel[panel["metric"].isin(metrics_)].groupby(KEYS)[list(names.RECORD_KEYS)].sum()
    keys = _summed(sums.reset_index(), groups)
    both = exact.merge(shown[[*KEYS, "level_value", "status"]], on=KEYS, suffixes=("", "_shown"))
    both = both[both["status"] == ""].merge(keys, on=KEYS)
    return _cells(
        both.rename(columns={"numerator": "y", "largest_share": "largest"}), "level_value_shown"
    )


def _summed(sums, groups):
    """Return sums of keys by group and phase, sums of groups and of phases made."""
    every = pd.concat([sums, sums.assign(phase=TOTAL)])
    blocks = [every[every["group"].isin(leaves_of(name))].assign(group=name) for name in groups]
    return pd.concat(blocks).groupby(KEYS)[list(names.RECORD_KEYS)].sum().reset_index()


def _cells(table, shown):
    """Return true and perturbed numbers of each cell, and check that the table shows these."""
    n, y = (table[name].astype(float).to_numpy() for name in ("pupils", "y"))
    n_shown = n + change_of_count(table["key_n"].to_numpy(np.int64))
    y_shown = y + change_of_count(table["key_y"].to_numpy(np.int64))
    level = table[shown].astype(float).to_numpy()
    seen = ~np.isnan(level)
    assert np.allclose(level[seen], 100 * y_shown[seen] / n_shown[seen])
    spread_out = table["schools"].fillna(0).to_numpy(float) >= RULE.min_schools
    spread_out &= table["largest"].fillna(1).to_numpy(float) <= RULE.dominance
    counts = {"n": n, "y": y, "n_shown": n_shown, "y_shown": y_shown}
    return table.assign(
        **{name: values.astype(int) for name, values in counts.items()},
        seen=seen,
        spread_out=spread_out,
    )


def cells_by_characteristic(run, by, year):
    """Return the cells of `gaps_by`: metric, value, group."""
    exact, shown = run.by_characteristic[by]
    rows = run.composition[run.composition["time_period"] == year]
    column = "year_group" if by == "key_stage" else by
    rows = rows.assign(value=rows[column].map(names.BREAKDOWNS[by]), phase=TOTAL)
    found = []
    for side, name in (("group", COHORT), ("reference", PEERS)):
        kept = rows[rows["group"].isin(leaves_of(name))]
        keys = kept.groupby(["metric", "value"])[list(names.RECORD_KEYS)].sum().reset_index()
        one = exact.assign(level_shown=shown[f"{side}_level"])
        one = one[(one["time_period"] == year) & one["gap"].notna()]
        one = one.rename(
            columns={
                f"{side}_pupils": "pupils",
                f"{side}_schools": "schools",
                f"{side}_largest_share": "largest",
            }
        )
        one = one.assign(group=name, y=(one[f"{side}_level"] * one["pupils"] / 100).round())
        found.append(_cells(one.merge(keys, on=["metric", "value"]), "level_shown"))
    return pd.concat(found)


def cells_of_barriers(run, year):
    """Return the cells of `barriers` that are traits: trait, phase, group; Y has the trait."""
    exact, shown = run.barriers
    rows = run.composition
    rows = rows[(rows["time_period"] == year) & (rows["metric"] == HEADCOUNT)]
    rows = pd.concat([rows, rows.assign(phase=TOTAL)])
    found = []
    traits = {"sen_support": ("sen", "K"), "ehc_plan": ("sen", "E"), "fsm6": ("fsm6", 1)}
    for (trait, (column, code)), (side, name) in product(
        traits.items(), (("group", COHORT), ("reference", PEERS))
    ):
        kept = rows[rows["group"].isin(leaves_of(name))]
        has = kept["key_n"].where(kept[column] == code, 0)
        keys = kept.assign(key_y=has).groupby("phase")[list(names.RECORD_KEYS)].sum().reset_index()
        here = (exact["time_period"] == year) & (exact["barrier"] == trait)
        one = exact.assign(level_shown=shown[f"{side}_level"])[here]
        one = one.assign(
            group=name,
            pupils=one[f"{side}_pupils"],
            y=one[f"{side}_numerator"],
            schools=3,
            largest=0.0,
        )
        found.append(_cells(one[one["pupils"] > 0].merge(keys, on="phase"), "level_shown"))
    return pd.concat(found)


def reach_of(run, year):
    """Return exact and shown rows of every table of reach, with the offer's name."""
    blocks = []
    for label, (exact, shown) in run.reach.items():
        offer = exact[label] + "/" + (exact.get("tier", label))
        columns = ["pupils_reached", "pupils_not_reached", "share_pupils"]
        both = exact.assign(offer=offer).join(shown[columns], rsuffix="_shown")
        blocks.append(both[both["time_period"] == year])
    return pd.concat(blocks)


# --- What the reader of one year and one population of children knows.


@dataclass
class Population:
    """A reader of one year of the metrics of the same children, and the cells to attack."""

    reader: Reader
    targets: list[tuple[str, int]]
    n: dict[tuple[str, str], int]
    """The number that is sought for each leaf group and phase."""
    y: dict[tuple[str, str, str], int]


def populations(cells):
    """Return the metrics that count the same children, by comparing their keys."""
    found = defaultdict(list)
    for metric, rows in cells.groupby("metric", sort=False):
        found[tuple(rows.sort_values(KEYS)["key_n"])].append(str(metric))
    return list(found.values())


def read_cells(cells, same):
    """Let a reader see the phases, groups and sums of one year and population."""
    reader = Reader()
    rows = cells[cells["metric"].isin(same)]
    phases = [p for p in names.PHASES if p in set(rows["phase"])]
    at = rows.set_index(["metric", "phase", "group"])
    n, y, targets = {}, {}, []
    for leaf, phase in product(names.LEAF_GROUPS, phases):
        there = (same[0], phase, leaf) in at.index
        n[leaf, phase] = reader.number(at.loc[(same[0], phase, leaf), "n"] if there else 0)
        for metric in same:
            y[metric, leaf, phase] = reader.number(
                at.loc[(metric, phase, leaf), "y"] if there else 0
            )
            reader.cell({n[leaf, phase]: 1, y[metric, leaf, phase]: -1})
            for whole in set(registry.metric(metric).subset_of) & set(same):
                if same.index(whole) < same.index(metric):
                    pair = {y[whole, leaf, phase]: 1, y[metric, leaf, phase]: -1}
                    targets.append((f"between {whole} and {metric}", reader.cell(pair)))
    for row in rows.itertuples():
        leaves = leaves_of(row.group)
        where = phases if row.phase == TOTAL else [row.phase]
        of_n = {n[leaf, phase]: 1 for leaf, phase in product(leaves, where)}
        of_y = {y[row.metric, leaf, phase]: 1 for leaf, phase in product(leaves, where)}
        label = f"{row.group}, {row.phase}"
        targets += see(reader, row, of_n, of_y, label, first=row.metric == same[0])
    return Population(reader, targets, n, y)


def see(reader, row, of_n, of_y, label, *, first=True):
    """Let a reader see one cell: N, Y and N - Y."""
    targets = []
    if first:
        targets.append((f"N of {label}", reader.cell(of_n, *number(row.n, row.n_shown, row))))
    rest = {**of_n, **{at: -factor for at, factor in of_y.items()}}
    if row.seen:
        of_rest = (TEN, 0)
        counted = SHOWN, row.y_shown
    elif row.spread_out and min(row.n, row.n_shown) >= THRESHOLD:
        counted = (SMALL if min(row.y, row.y_shown) < THRESHOLD else ENOUGH), 0
        few = row.n - row.y < THRESHOLD
        of_rest = (SMALL if few else ANY), 0
    else:
        counted = of_rest = ANY, 0
    return [
        *targets,
        (f"Y of {label}", reader.cell(of_y, *counted)),
        (f"N - Y of {label}", reader.cell(rest, *of_rest)),
    ]


def number(true, shown, row):
    """Return what is seen of a number of children wherever any table shows it."""
    if not row.spread_out:
        return ANY, 0
    return (SHOWN, shown) if min(true, shown) >= THRESHOLD else (SMALL, 0)


def read_characteristics(population, run, year, same):
    """Add the values of each characteristic: the same children, divided otherwise."""
    reader = population.reader
    for by in names.BREAKDOWNS:
        rows = cells_by_characteristic(run, by, year)
        rows = rows[rows["metric"].isin(same)]
        for group in (COHORT, PEERS):
            of_group = rows[rows["group"] == group]
            values = list(dict.fromkeys(of_group["value"]))
            if not values or set(of_group["metric"]) != set(same):
                continue
            whole = _whole(population.n, group)
            n = _divided(reader, of_group[of_group["metric"] == same[0]], "n", whole, values)
            for metric in same:
                mine = of_group[of_group["metric"] == metric].set_index("value")
                whole_y = _whole(
                    {k[1:]: v for k, v in population.y.items() if k[0] == metric}, group
                )
                y = _divided(reader, mine.reset_index(), "y", whole_y, values)
                for value in values:
                    label = f"{group}, {value}"
                    first = metric == same[0]
                    population.targets += see(
                        reader, mine.loc[value], n[value], y[value], label, first=first
                    )


def _whole(numbers, group):
    return {at: 1 for (leaf, _), at in numbers.items() if leaf in leaves_of(group)}


def _divided(reader, rows, column, whole, values):
    """Return each value's terms; the largest one is what the others leave of the whole."""
    true = rows.set_index("value")[column].reindex(values, fill_value=0)
    rest = true.idxmax()
    left = reader.truth(whole) - int(true.sum())
    others = {value: {reader.number(true[value]): 1} for value in values if value != rest}
    if left:  # children whose value is not in the table
        others[None] = {reader.number(left): 1}
        reader.cell(others[None])
    taken = {at: -1 for terms in others.values() for at in terms}
    return {**others, rest: {**whole, **taken}}


def read_barriers(population, run, year):
    """Add traits by phase: children with SEN support, a plan, free meals."""
    reader, rows = population.reader, cells_of_barriers(run, year)
    for (group, trait), block in rows.groupby(["group", "barrier"]):
        by_phase = {
            row.phase: reader.number(row.y) for row in block.itertuples() if row.phase != TOTAL
        }
        for row in block.itertuples():
            where = list(by_phase) if row.phase == TOTAL else [row.phase]
            of_n = {
                at: 1
                for (leaf, phase), at in population.n.items()
                if leaf in leaves_of(group) and phase in where
            }
            of_y = {by_phase[phase]: 1 for phase in where}
            label = f"{group}, {row.phase}, {trait}"
            population.targets += see(reader, row, of_n, of_y, label, first=False)


def read_reach(population, run, year, cells):
    """Add who is in trained schools, offer by offer; the share tells the perturbed number."""
    reader = population.reader
    heads = cells[(cells["metric"] == HEADCOUNT) & (cells["group"] == COHORT)]
    perturbed = heads.set_index("phase")["n_shown"]
    offers = {
        offer: rows.set_index("phase") for offer, rows in reach_of(run, year).groupby("offer")
    }
    known = {}
    for offer in sorted(offers, key=_narrowness):
        rows = offers[offer]
        trained = rows.index[(rows["schools_trained"] > 0) & (rows["pupils"] > 0)]
        phases = [p for p in trained if p != TOTAL] or list(trained)
        for phase in phases:
            known[offer, phase] = _reached_terms(population, offers, known, offer, phase)
        for phase in dict.fromkeys([*phases, *trained]):
            inside = phases if phase == TOTAL else [phase]
            of_y = {at: 1 for p in inside for at in known[offer, p]}
            rest = _less(_cohort(population, phase), of_y)
            label, row = f"{COHORT}, {phase}, {offer}", rows.loc[phase]
            seen = other = (ANY, 0)
            if phase == TOTAL or offer == ANY_OFFER:
                seen, other = _reached(row, perturbed[phase]), _not_reached(row)
            population.targets += [
                (f"reached of {label}", reader.cell(of_y, *seen)),
                (f"not reached of {label}", reader.cell(rest, *other)),
            ]


ANY_OFFER = "any/any"


def _narrowness(offer):
    """Order offers so that what holds another comes before it."""
    return (offer != ANY_OFFER, "any" not in offer.split("/"), offer)


def _reached_terms(population, offers, known, offer, phase):
    """Return the terms of those reached: new ones, or those of an offer in the same schools."""
    row, (name, _) = offers[offer].loc[phase], offer.split("/")
    if not row["pupils_not_reached"]:  # shown as nought: all are reached
        return _cohort(population, phase)
    reader, found = population.reader, None
    for wider in (f"{name}/any", ANY_OFFER):
        if wider == offer or (wider, phase) not in known:
            continue
        if offers[wider].loc[phase, "schools_trained"] == row["schools_trained"]:
            return known[wider, phase]
        found = found or {reader.number(row["pupils_reached"]): 1}
        reader.cell(_less(known[wider, phase], found))
    return found or {reader.number(row["pupils_reached"]): 1}


def _cohort(population, phase):
    """Return the terms of the cohort in a phase, or in all."""
    return {
        at: 1
        for (leaf, p), at in population.n.items()
        if leaf in leaves_of(COHORT) and phase in (TOTAL, p)
    }


def _less(whole, part):
    return {at: whole.get(at, 0) - part.get(at, 0) for at in {**whole, **part}}


def _reached(row, perturbed):
    share = row["share_pupils_shown"]
    if pd.notna(share):
        return SHOWN, round(share * perturbed / 100)
    return (SMALL, 0) if row["pupils_reached"] < THRESHOLD else (ANY, 0)


def _not_reached(row):
    shown = row["pupils_not_reached_shown"]
    if pd.notna(shown) and shown > 0:
        return ROUNDED, int(shown)
    return (SMALL, 0) if pd.isna(shown) and row["pupils_not_reached"] < THRESHOLD else (ANY, 0)


def read_other_rule(population, other, same):
    """Add the cohort under another rule: part of the run's, or of its children looked after.

    Who was looked after for a part of the year may be in need on the day that the other rule asks.
    """
    leaves = (*leaves_of(COHORT), names.CLA)
    reader = population.reader
    rows = other[(other["group"] == COHORT) & other["metric"].isin(same)]
    phases = [p for p in dict.fromkeys(rows["phase"]) if p != TOTAL]
    at = rows.set_index(["metric", "phase"])
    n = {p: reader.number(at.loc[(same[0], p), "n"]) for p in phases}
    y = {(m, p): reader.number(at.loc[(m, p), "y"]) for m in same for p in phases}
    for row in rows.itertuples():
        where = phases if row.phase == TOTAL else [row.phase]
        of_n = {n[p]: 1 for p in where}
        of_y = {y[row.metric, p]: 1 for p in where}
        label = f"{COHORT} under the other rule, {row.phase}"
        population.targets += see(reader, row, of_n, of_y, label, first=row.metric == same[0])
        own = {k: v for k, v in population.n.items() if k[0] in leaves and k[1] in where}
        mine = {
            k: v
            for k, v in population.y.items()
            if k[0] == row.metric and k[1] in leaves and k[2] in where
        }
        for what, numbers, theirs in (("N", own, of_n), ("Y", mine, of_y)):
            terms = {**dict.fromkeys(numbers.values(), 1), **dict.fromkeys(theirs, -1)}
            population.targets.append(
                (f"{what} between two rules, {row.phase}", reader.cell(terms))
            )
