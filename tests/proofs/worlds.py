"""What is said where training was, and was not, given by lot?

    python -m tests.proofs.worlds [--draws N] [--stated N] [--with-effect N] [--confident N]
        [--schools S ...] [--children C ...] [--sesoi X] [--seed S] [--only NAME]
        [--results FOLDER] [--output FILE]

Each world is a row of `WORLDS`: the schools of `tests.proofs._school_gaps` with one thing changed,
most often how schools came to be trained. Every draw is estimated by the primary estimator and by
`same_past`, with the package's own arithmetic; the first draws of a world are checked against the
front door, `vsh_eval.effects`. The statement of the report is made of the first draws. With
`--results` a run goes on from what the folder holds, and the page is written from all of it.
"""

import gc
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from tests.proofs._page import Options, interval, options, share, table
from tests.proofs._school_gaps import ADOPTION, Estimate, GapDraw, gridded, plain, primary, second
from vsh_eval import effects
from vsh_eval.contracts import Message
from vsh_eval.effects.sensitivity.composition import (
    COUNTED,
    ENTRANTS_PRIOR,
    LOG_COHORT,
    PRIOR,
    composition_outcomes,
    composition_specifications,
)
from vsh_eval.numerics.inference.significance import (
    equivalence_p_value,
    joint_test,
    minimum_detectable,
    t_p_value,
)

CHECKED = 2
ALPHA = 0.05
EFFECTS = (-1.5, -3.0)
REASSIGNED = 199
USUAL = 6.4
MOST_FALSE = 5.0
ESTIMATORS = {"primary": primary, "same_past": second}
SETTING = ["world", "schools", "children"]
Draw = Callable[..., GapDraw]


def chosen(schools: int, rng: np.random.Generator, *, by: str, r: float, **asked: float) -> GapDraw:
    """Train three schools in five, those that score highest on a value and chance.

    `by`: ``lasting`` (the school's own lasting gap) and ``baseline`` (its mean gap in the years
    before anyone was trained) are ranked once, and the years of training drawn by lot among those
    chosen; ``so_far`` (its mean gap so far) and ``last`` (its gap in the last year) are ranked anew
    in each year, among schools not yet trained. `r`: correlation with the value within the phase.
    """
    drawn = plain(schools, rng, share_trained=0.0, **asked)
    units = pd.Index(drawn.own_gap.index)
    phase = drawn.gaps.groupby("unit_id")["phase"].first().reindex(units)
    adopted = pd.Series(0, index=units)
    if by in {"lasting", "baseline"}:
        value = drawn.own_gap if by == "lasting" else _mean_before(drawn, ADOPTION[0], units)
        most = _highest(value, phase, r, rng)[: 3 * (schools // 5)]
        adopted[most] = rng.permutation(np.repeat(ADOPTION, schools // 5))
    else:
        for year in ADOPTION:
            left = adopted.index[adopted.eq(0)]
            value = _mean_before(drawn, year, left, last=by == "last")
            adopted[_highest(value, phase[left], r, rng)[: schools // 5]] = year
    gaps = drawn.gaps.assign(adopted=drawn.gaps["unit_id"].map(adopted).astype(np.int64))
    return drawn._replace(gaps=gaps, truth=0.0)


def _mean_before(drawn: GapDraw, year: int, units: pd.Index, *, last: bool = False) -> pd.Series:
    before = drawn.gaps[drawn.gaps["time_period"] < year]
    if last:
        before = before.sort_values("time_period").groupby("unit_id").tail(1)
    sums = (before["outcome"] * before["weight"]).groupby(before["unit_id"]).sum()
    return (sums / before.groupby("unit_id")["weight"].sum()).reindex(units)


def _highest(value: pd.Series, phase: pd.Series, r: float, rng: np.random.Generator) -> pd.Index:
    """Order schools by a score whose correlation with the value within the phase is r."""
    within = value.groupby(phase)
    standard = (value - within.transform("mean")) / within.transform("std")
    score = r * standard.fillna(0.0) + np.sqrt(1 - r**2) * rng.standard_normal(len(value))
    return score.sort_values(ascending=False).index


@dataclass(frozen=True, slots=True)
class World:
    """How training came about, and what else happened; none has an effect of its own.

    `chosen_by` is what the protocol says of it; `peers` the share of training's effect on the
    cohort that their peers have too, so that the gap moves by the rest only. `like` names the world
    whose draws these are, where only what the protocol or the effect is differs. `seen`: whether
    what is wrong, if anything, leaves a trace that a rule asks for.
    """

    name: str
    draw: Draw = plain
    asked: dict[str, float] = field(default_factory=dict)
    chosen_by: str = "unknown"
    peers: float = 0.0
    like: str = ""
    seen: bool = True


def _selected(name: str, by: str, r: float, chosen_by: str) -> World:
    return World(f"{name}, r = {r:g}", partial(chosen, by=by, r=r), chosen_by=chosen_by)


BASELINE = "chosen by mean gap over the baseline years"
WORLDS = (
    World("trained by lot", chosen_by="lot"),
    World("trained by lot, which the protocol does not say", like="trained by lot"),
    _selected(BASELINE, "baseline", 0.5, "gap"),
    _selected("volunteers with lastingly narrow gaps", "lasting", -0.5, "volunteers"),
    World("gap closing anyway, 0.3 a year", asked={"pretrend": -0.3}),
    World(
        "milder children newly counted, in equal numbers",
        asked={"milder_entrants": 3.0},
        seen=False,
    ),
    World(
        "milder children newly counted, in equal numbers, and as mild the year before",
        asked={"milder_entrants": 3.0, "milder_before": 3.0},
    ),
    World(
        "trained by lot, peers helped two thirds as much",
        chosen_by="lot",
        peers=2 / 3,
        like="trained by lot",
    ),
    _selected("chosen each year by the gap so far", "so_far", 0.5, "gap"),
    _selected("chosen by last year's gap", "last", 0.3, "gap"),
    _selected("volunteers with lastingly wide gaps", "lasting", 0.5, "volunteers"),
    World("gap opening anyway, 0.3 a year", asked={"pretrend": 0.3}),
    World(
        "more children newly counted, and milder",
        asked={"growth_after_training": 1.0, "milder_entrants": 3.0},
    ),
    World("more children newly counted", asked={"growth_after_training": 1.0}),
    _selected(BASELINE, "baseline", 0.8, "gap"),
    _selected(BASELINE, "baseline", 0.3, "gap"),
    World("gap closing anyway, 0.1 a year", asked={"pretrend": -0.1}),
    World("gap closing anyway, 0.5 a year", asked={"pretrend": -0.5}),
    World("gap opening anyway, 0.1 a year", asked={"pretrend": 0.1}),
    World("gap opening anyway, 0.5 a year", asked={"pretrend": 0.5}),
)


def both(drawn: GapDraw) -> dict[str, float]:
    """Return both estimates of one draw."""
    cells = gridded(drawn.gaps)
    made = {name: estimate(cells) for name, estimate in ESTIMATORS.items()}
    parts = (("estimate", "estimate"), ("error", "std_error"), ("df", "df"))
    return {
        f"{name}_{said}": getattr(of, part) for name, of in made.items() for said, part in parts
    }


def front_door(drawn: GapDraw) -> list[float]:
    """Return both estimates and their errors by the rooms' own functions."""
    exposure = drawn.gaps[["unit_id", "adopted"]].drop_duplicates()
    data = effects.sample.select_sample(drawn.gaps, exposure, min_schools=1).data
    rows = effects.estimators.impute(data, leads=0, draws=1), effects.estimators.same_past(data)
    return [float(value) for one in rows for value in one.loc[0, ["estimate", "std_error"]]]


def draws_of(
    world: World, schools: int, children: float, *, draws: int, seed: int
) -> Iterator[GapDraw]:
    """Draw one world and size, the same draws whatever is asked of them."""
    rng = np.random.default_rng([seed, schools, round(10 * children), *world.name.encode()])
    for _ in range(draws):
        yield world.draw(schools, rng, cohort_per_school=children, **world.asked)


def estimated(world: World, draws: Iterator[GapDraw]) -> Iterator[dict[str, object]]:
    """Estimate every draw by both estimators."""
    for number, drawn in enumerate(draws):
        found = both(drawn)
        if number < CHECKED:
            mine = [
                found[f"{name}_{part}"] for name in ESTIMATORS for part in ("estimate", "error")
            ]
            if not np.allclose(front_door(drawn), mine, rtol=1e-4, atol=1e-4):
                sys.exit(f"{world.name}, draw {number}: the front door gives another number")
        yield {"world": world.name, **found}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the statement on one draw is made of; a constant effect moves the estimates only.

    Attributes
    ----------
    rows : DataFrame
        The primary estimate, and that of `same_past` where a statement could hang on it.
    peers : Series
        The estimate on the peers' own level.
    checks : dict
        Of `effects.evidence.Checks`.
    """

    rows: pd.DataFrame
    peers: pd.Series
    checks: dict[str, object]


def asked_of(drawn: GapDraw, sesoi: float, moves: tuple[float, ...] = (0.0, *EFFECTS)) -> Asked:
    """Make both estimates and what the rules are judged by, from arrays (see `by_the_page`).

    The second estimate decides nothing where the primary one is neither beyond chance nor shown to
    be small under any effect in `moves`, and is not made there.
    """
    cells = gridded(drawn.gaps)
    peers = gridded(drawn.gaps.assign(outcome=drawn.peers)).outcome
    first = primary(cells)
    early = np.arange(len(cells.times)) < cells.onset.min()
    before = (cells.pupils * early).sum(axis=1, keepdims=True) * (cells.weight > 0)
    log_size = replace(
        cells, outcome=np.log(np.maximum(cells.pupils, 1.0)), weight=before, fit_weight=before
    )
    make_up = {LOG_COHORT: log_size} | {
        name: gridded(gaps) for name, gaps in counted(drawn).items()
    }
    who_is_counted = [{"metric": name, **primary(of)._asdict()} for name, of in make_up.items()]
    leads = effects.sensitivity.imputed_leads(cells)
    test = joint_test(leads.estimate, leads.covariance, leads.df)
    estimates = {"imputation": first}
    if any(decides(first._replace(estimate=first.estimate + move), sesoi) for move in moves):
        estimates["same_past"] = second(cells)
    rows = pd.DataFrame(estimates.values()).assign(
        estimator=list(estimates),
        role=["primary", "robustness"][: len(estimates)],
        aggregation="simple",
        metric="overall_absence",
    )
    return Asked(
        rows=moved(rows, 0.0),
        peers=pd.Series(primary(replace(cells, outcome=peers))._asdict()),
        checks={
            "pretrend": effects.sensitivity.Pretrend(pd.DataFrame(), test, Message()),
            "drift": leads.slope(),
            "composition": moved(pd.DataFrame(who_is_counted).assign(aggregation="simple"), 0.0),
            "mde": minimum_detectable(first.std_error, first.df),
        },
    )


def counted(drawn: GapDraw) -> dict[str, pd.DataFrame]:
    """Return who is counted, as `composition_tests` asks for it, in place of the gaps."""
    cohort, peers = (rows for _, rows in drawn.make_up().groupby("group"))
    adopted, year = (drawn.gaps[name].to_numpy() for name in ("adopted", "time_period"))
    made = {}
    for name, (part, whole, _) in COUNTED.items():
        outcome = 100 * (cohort[part] / cohort[whole].where(cohort[whole] > 0)).to_numpy()
        if name == ENTRANTS_PRIOR:
            outcome -= 100 * (peers["prior_missed"] / peers["prior_possible"]).to_numpy()
        weight = cohort[whole].to_numpy(float)
        used = np.isfinite(outcome) & ((name != PRIOR) | (adopted == 0) | (year <= adopted))
        made[name] = drawn.gaps.assign(outcome=outcome, weight=weight)[used]
    return made


def decides(found: Estimate, sesoi: float) -> bool:
    """Tell whether an estimate is beyond chance or shown to be small, so that both are asked."""
    small = equivalence_p_value(*found, margin=sesoi) < ALPHA
    beyond = t_p_value(*(np.array([one]) for one in found))[0] < ALPHA
    return bool(small or beyond)


def by_the_page(drawn: GapDraw, *, reassigned: int = 0) -> Asked:
    """Make the same by the rooms' own functions, as the impact page does.

    With `reassigned` the years of training are also reassigned at random so often, and the schools
    left out counted: what confidence hangs on and the statement does not.
    """
    exposure = drawn.gaps[["unit_id", "adopted"]].drop_duplicates()
    study = effects.specification.Study(
        school_gaps=drawn.gaps,
        exposure=exposure,
        metric="overall_absence",
        min_schools=1,
        composition=composition_outcomes(drawn.make_up()),
    )
    samples: effects.specification.Samples = {}
    sample = effects.specification.sample_of(study, effects.specification.Specification(), samples)
    primary = effects.estimators.fit_imputation(sample.data, draws=1)
    second = effects.estimators.same_past(sample.data, draws=1)
    simple_rows = [one[one["aggregation"].eq("simple")] for one in (primary.rows, second)]
    labels = pd.DataFrame(
        {"role": ["primary", "robustness"], "estimator": ["imputation", "same_past"]}
    )
    rows = pd.concat(simple_rows, ignore_index=True).join(labels).assign(metric=study.metric)
    level = drawn.gaps.assign(peers=drawn.peers).set_index(["unit_id", "time_period"])["peers"]
    cell = pd.MultiIndex.from_frame(sample.data[["unit", "time_period"]])
    peers = sample.data.assign(outcome=level.reindex(cell).to_numpy())
    make_up = dict(composition_specifications(study))
    tests = [
        effects.specification.estimated(study, make_up[name], samples).assign(metric=name)
        for name in (LOG_COHORT, *COUNTED)
    ]
    further: dict[str, object] = {}
    if reassigned:
        found = effects.inference.randomise(sample.data, draws=reassigned)
        further = {
            "randomisation_p": float(found["p_value"].iloc[0]),
            "exclusions": sample.exclusions,
        }
    return Asked(
        rows=rows,
        peers=effects.estimators.impute_parts(peers).iloc[0],
        checks=further
        | {
            "pretrend": effects.sensitivity.pretrend_of(primary),
            "drift": effects.sensitivity.drift(sample.data),
            "composition": pd.concat(tests, ignore_index=True),
            "mde": minimum_detectable(float(rows["std_error"][0]), float(rows["df"][0])),
        },
    )


def refuse_another(asked: Asked, page: Asked) -> None:
    """Stop where the arrays say something else than the rooms' own functions."""
    mine, theirs = read_off(asked), read_off(page)
    differs = [
        name
        for name, value in mine.items()
        if not np.isclose(value, theirs[name], rtol=1e-4, atol=1e-4)
    ]
    if differs:
        sys.exit(f"the impact page gives other numbers: {', '.join(differs)}")


def read_off(asked: Asked) -> dict[str, float]:
    """Return what the rules read."""
    rows = asked.rows.set_index("estimator")
    found = {f"{one}: {part}": float(rows.loc[one, part])
             for one in rows.index for part in ("estimate", "std_error", "df")}  # fmt: skip
    drift, peers = asked.checks["drift"], asked.peers
    return found | {
        "pretrend": asked.checks["pretrend"].test.p_value,
        "drift": drift.slope,
        "error of the drift": drift.std_error,
        "df of the drift": drift.df,
        **{
            f"composition: {test.metric}: {part}": float(getattr(test, part))
            for test in asked.checks["composition"].itertuples()
            for part in ("estimate", "std_error", "p_value")
        },
        "peers": float(peers["estimate"]),
        "error of the peers": float(peers["std_error"]),
        "df of the peers": float(peers["df"]),
        "mde": float(asked.checks["mde"]),
    }


def moved(rows: pd.DataFrame, effect: float) -> pd.DataFrame:
    """Add a constant to estimates."""
    estimate = rows["estimate"] + effect
    p_value = t_p_value(*(one.to_numpy(float) for one in (estimate, rows["std_error"], rows["df"])))
    return rows.assign(estimate=estimate, p_value=p_value)


def stated(
    world: World, draws: Iterator[GapDraw], *, sesoi: float, with_effect: int
) -> Iterator[dict[str, object]]:
    """Say what the report would say of every draw, of each world that has these draws."""
    for number, drawn in enumerate(draws):
        moves = (0.0, *EFFECTS) if number < with_effect else (0.0,)
        asked = asked_of(drawn, sesoi, moves)
        if number < CHECKED:
            refuse_another(asked, by_the_page(drawn))
        for one, effect in product(alike(world), moves):
            peers = moved(asked.peers.to_frame().T, effect * one.peers)
            checks = effects.evidence.Checks(
                **asked.checks, peers_p=float(peers["p_value"].iloc[0]), chosen_by=one.chosen_by
            )
            found = effects.evidence.judge(
                moved(asked.rows, effect * (1 - one.peers)),
                sesoi=sesoi,
                lower_is_better=True,
                checks=checks,
            )
            said = {"statement": found.statement, "decided_by": found.decided_by}
            yield {"world": one.name, "effect": effect, **said}


def confident(
    world: World, draws: Iterator[GapDraw], *, sesoi: float
) -> Iterator[dict[str, object]]:
    """Say how sure the report would be of `EFFECTS[-1]`, by lot and registered in time."""
    if world.chosen_by != "lot":
        return
    for drawn in draws:
        trained = drawn.gaps["adopted"].gt(0) & drawn.gaps["time_period"].ge(drawn.gaps["adopted"])
        gaps = drawn.gaps.assign(outcome=drawn.gaps["outcome"] + EFFECTS[-1] * trained)
        asked = by_the_page(drawn._replace(gaps=gaps), reassigned=REASSIGNED)
        checks = effects.evidence.Checks(
            **asked.checks,
            peers_p=float(asked.peers["p_value"]),
            chosen_by="lot",
            plan="registered",
        )
        found = effects.evidence.judge(asked.rows, sesoi=sesoi, lower_is_better=True, checks=checks)
        said = {"statement": found.statement, "confidence": found.confidence}
        yield {"world": world.name, "effect": EFFECTS[-1], **said}


def alike(world: World) -> list[World]:
    """Return a world and those that have its draws."""
    return [one for one in WORLDS if world.name in {one.name, one.like}]


def intervals(results: pd.DataFrame, effect: float) -> dict[str, tuple[pd.Series, pd.Series]]:
    """Return both estimators' intervals where training has a constant effect.

    Both impute from untrained school-years only, so a constant effect moves an estimate by just
    that and its error not at all (tests/effects/test_same_past.py): one set of draws serves all.
    """
    found = {}
    for name in ESTIMATORS:
        width = stats.t.ppf(1 - ALPHA / 2, results[f"{name}_df"]) * results[f"{name}_error"]
        middle = results[f"{name}_estimate"] + effect
        found[name] = (middle - width, middle + width)
    return found


def shares(results: pd.DataFrame, effect: float) -> dict[str, int]:
    """Count the draws in which each estimator, and both, see a narrowing or a widening."""
    found = intervals(results, effect)
    count = {}
    for sense, seen in (
        ("narrowed", {name: upper < 0 for name, (_, upper) in found.items()}),
        ("widened", {name: lower > 0 for name, (lower, _) in found.items()}),
    ):
        seen["both"] = seen["primary"] & seen["same_past"]
        count |= {f"{name} {sense}": int(flags.sum()) for name, flags in seen.items()}
    return count


def settings(results: pd.DataFrame) -> Iterator[tuple[list[str], pd.DataFrame]]:
    """Go through the results setting by setting, worlds in their order."""
    order = {world.name: place for place, world in enumerate(WORLDS)}
    for key, rows in sorted(
        results.groupby(SETTING), key=lambda one: (order[str(one[0][0])], one[0][2], one[0][1])
    ):
        yield [str(key[0]), f"{key[1]:.0f}", f"{key[2]:g}", str(len(rows))], rows


def without_effect(results: pd.DataFrame) -> str:
    """Write bias, coverage and false findings where training does nothing."""
    head = [*SETTING, "draws", "primary: bias", "SD", "covers %"]
    head += ["same past: bias", "SD", "covers %", "MDE ratio"]
    head += [f"{name}: false {sense} %" for name in ("primary", "same past", "both")
             for sense in ("narrowing", "widening")]  # fmt: skip
    lines = []
    for line, rows in settings(results):
        for name, (lower, upper) in intervals(rows, 0.0).items():
            middle = rows[f"{name}_estimate"]
            error = middle.std() / np.sqrt(len(rows))
            line.append(f"{middle.mean():+.2f} ({error:.2f})")
            line += [f"{middle.std():.2f}", f"{100 * ((lower < 0) & (upper > 0)).mean():.0f}"]
        line.append(f"{rows['same_past_error'].mean() / rows['primary_error'].mean():.2f}")
        counted = shares(rows, 0.0)
        pairs = product((*ESTIMATORS, "both"), ("narrowed", "widened"))
        line += [share(counted[f"{name} {sense}"], len(rows)) for name, sense in pairs]
        lines.append(line)
    return table(lines, head=head)


def with_effect(results: pd.DataFrame) -> str:
    """Write how often a true effect is found."""
    head = [*SETTING, "draws"]
    head += [f"{effect:g}: {name} %" for effect in EFFECTS
             for name in ("primary", "same past", "both")]  # fmt: skip
    lines = []
    for line, rows in settings(results):
        for effect in EFFECTS:
            counted = shares(rows, effect)
            line += [share(counted[f"{name} narrowed"], len(rows))
                     for name in (*ESTIMATORS, "both")]  # fmt: skip
        lines.append(line)
    return table(lines, head=head)


def above(counts: Iterator[tuple[str, str, int, int]]) -> str:
    """Write where a false finding is above the limit beyond chance."""
    lines = []
    for where, sense, count, draws in counts:
        if interval(count, draws)[0] > MOST_FALSE:
            lines.append(f"- {where}: {sense} in {share(count, draws)} % of {draws} draws.")
    return "\n".join(lines) or "- Nowhere."


def false_findings(results: pd.DataFrame) -> Iterator[tuple[str, str, int, int]]:
    """Count what both estimators together find where training does nothing."""
    for (world, schools, children, _), rows in settings(results):
        counted = shares(rows, 0.0)
        for sense in ("narrowed", "widened"):
            where = f"{world}, {schools} schools of {children} children"
            yield where, sense, counted[f"both {sense}"], len(rows)


def false_statements(
    statements: pd.DataFrame, *, seen: bool
) -> Iterator[tuple[str, str, int, int]]:
    """Count what is stated falsely where training does nothing, in worlds seen by a rule or not."""
    worlds = [world.name for world in WORLDS if world.seen == seen]
    asked = statements["effect"].eq(0) & statements["world"].isin(worlds)
    for (world, schools, children, _), rows in settings(statements[asked]):
        for sense in ("narrowed", "widened"):
            count = int(rows["statement"].isin({sense, f"{sense}_below_interest"}).sum())
            yield f"{world}, {schools} schools of {children} children", sense, count, len(rows)


def shares_stated(statements: pd.DataFrame, effect: float) -> str:
    """Write the share of every statement, and which rule kept an effect from being attributed."""
    every = [one for one in effects.evidence.STATEMENTS if statements["statement"].eq(one).any()]
    lines = []
    for line, rows in settings(statements[statements["effect"].eq(effect)]):
        line += [share(int(rows["statement"].eq(one).sum()), len(rows)) for one in every]
        refused = rows.loc[rows["statement"].eq("not_attributable"), "decided_by"].value_counts()
        line.append(", ".join(f"{rule} {count}" for rule, count in refused.items()) or "-")
        lines.append(line)
    head = [*SETTING, "draws", *every, "not attributable because of"]
    return table(lines, head=[one.replace("_", " ") for one in head])


def how_sure(confidence: pd.DataFrame) -> str:
    """Write how often the effect is said to have narrowed the gap, and with which confidence."""
    lines = []
    for size, of in confidence.groupby(SETTING[1:]):
        narrowed = of["statement"].str.startswith("narrowed")
        sure = [narrowed & of["confidence"].eq(one) for one in ("high", "moderate")]
        counts = [share(int(one.sum()), len(of)) for one in (*sure, ~narrowed)]
        lines.append([f"{size[0]:.0f}", f"{size[1]:g}", str(len(of)), *counts])
    head = ["narrowed %: confidence high", "narrowed %: moderate", "another statement %"]
    return table(lines, head=[*SETTING[1:], "draws", *head])


def cost_of_the_drift_rule(statements: pd.DataFrame) -> str:
    """Write how many true effects the drift rule withholds: the same draws with and without it.

    Where the protocol says that lots were drawn the rule is not asked; nothing else differs.
    """
    known, unsaid = (one.name for one in WORLDS[:2])
    lines = []
    for effect in EFFECTS:
        rows = statements[statements["effect"].eq(effect)]
        for size, of in rows.groupby(SETTING[1:]):
            said = {
                world: of.loc[of["world"].eq(world), "statement"].str.startswith("narrowed")
                for world in (known, unsaid)
            }
            draws, found = len(said[known]), int(said[known].sum())
            if not draws or len(said[unsaid]) != draws or not found:
                continue
            lost = found - int(said[unsaid].sum())
            lines.append(
                [f"{size[0]:.0f}", f"{size[1]:g}", str(draws), f"{effect:g}",
                 share(found, draws), share(found - lost, draws), share(lost, found)]
            )  # fmt: skip
    head = [*SETTING[1:], "draws", "effect", "narrowed %: lots known", "narrowed %: not said"]
    return table(lines, head=[*head, "withheld, % of what lots would have shown"])


def not_run(rows: pd.DataFrame) -> str:
    """Name the sizes of the specification that have no row, and those that lack worlds."""
    worlds = rows.groupby(SETTING[1:])["world"].nunique()
    sizes = [
        (f"{schools} schools of {children:g}", worlds.get((schools, children), 0))
        for children, schools in product((USUAL, 25.0), (60, 120, 240, 400))
    ]
    missing = ", ".join(size for size, count in sizes if not count)
    most = worlds.max()
    part = [f"{size} ({count} of {most} worlds)" for size, count in sizes if 0 < count < most]
    return f"{missing or 'none'}; in part: {', '.join(part) or 'none'}"


def written(
    results: pd.DataFrame,
    statements: pd.DataFrame,
    confidence: pd.DataFrame,
    sesoi: float,
) -> str:
    """Return what the page says."""
    return f"""
Percentage points. "primary": each school compared with itself; "same past": compared with untrained
schools that had the same past; "both": both 95 % intervals exclude zero on the same side, which is
what the report asks for. In brackets behind a bias its Monte Carlo standard error, behind a share
its Wilson 95 % interval. "MDE ratio": mean standard error of `same_past` over that of the primary,
which is the ratio of the smallest effects that the two can detect. Schools as in
[primary_coverage.md](primary_coverage.md); three in five are trained, a fifth in each of three
years; r: correlation, within the phase, of the score by which schools are trained.

## The estimates, where training does nothing

{without_effect(results)}

Both together find what is not there in more than {MOST_FALSE:g} % of draws, beyond chance, in:

{above(false_findings(results))}

## The estimates, where training has an effect

The share of draws that narrow, at an effect of {" and ".join(f"{one:g}" for one in EFFECTS)}.
The draws are those above with a constant added to trained school-years, which moves both estimates
by just that. In worlds with a bias above, the share is not power.

{with_effect(results)}

{_statement_part(statements, sesoi)}

## How sure the report would be

An effect of {EFFECTS[-1]:g} where schools were drawn by lot and the protocol was registered before
the last year of data ended, by the rooms' own functions; years of training reassigned {REASSIGNED}
times.

{how_sure(confidence)}

## Limits

- Sizes not run for the estimates: {not_run(results)}.
- Sizes not run for the statement: {not_run(statements)}.
- The column of draws says how many. Where they are fewer than in the command, or a world of
  `WORLDS` is missing, the run was cut short; read the intervals, not the shares.
- The statement is asked of the first draws of a setting. Of who is counted it is told by four
  tests: size of the cohort, entries, absence in the year before of the cohort and of its entrants.
  A run also asks for the share of plans and the number of peers, so that its tests are adjusted for
  six. Entrants have the cohort's level and spread in the year before. Whole authorities, pupil by
  pupil: [newly_counted.md](newly_counted.md).
- Schools, children and absence are invented; selection by a score that is linear in the gap, drift
  that is straight and the same in every trained school, entrants milder by the same amount.
- Effects are constant; spillover between schools and anticipation are in no world.
"""


def _statement_part(statements: pd.DataFrame, sesoi: float) -> str:
    if statements.empty:
        return "## The statement\n\nNot asked in this run."
    parts = [
        f"### {'No effect' if effect == 0 else f'Effect {effect:g}'}\n\n"
        + shares_stated(statements, effect)
        for effect in (0.0, *EFFECTS)
    ]
    return f"""## The statement

`effects.evidence.judge` on the draws, as the impact page asks it; the smallest effect of interest
is {sesoi:g}. How schools came to be trained is registered truly where it is a lot, the gap or
volunteering, and as unknown in the other worlds.

{(chr(10) * 2).join(parts)}

### What the drift rule costs

By lot there is no drift, and the rule is not asked. In the same draws, where the protocol does not
say how schools were chosen, it withholds:

{cost_of_the_drift_rule(statements)}

### The law

At most {MOST_FALSE:g} % in every world without an effect in which a rule could see the artefact.
Falsely stated in more, beyond chance:

{above(false_statements(statements, seen=True))}

Milder children who were no milder in the year before, and are no more than were newly counted
before training, leave no trace that any rule could ask for:

{above(false_statements(statements, seen=False))}"""


def gathered(
    asked: Options,
    kind: str,
    draws: int,
    make: Callable[[World, Iterator[GapDraw]], Iterator[dict[str, object]]],
) -> pd.DataFrame:
    """Make the rows that the folder of results does not hold yet, and return all of a kind."""
    kept = asked.results / f"{kind}.csv" if asked.results else None
    nothing = pd.DataFrame(columns=[*SETTING, "effect", "statement"])
    held = pd.read_csv(kept) if kept and kept.exists() else nothing
    for children, schools, world in product(asked.children, asked.schools, WORLDS):
        setting = {"schools": schools, "children": children}
        there = not held.empty and (
            held[SETTING].eq([world.name, schools, children]).all(axis=1).any()
        )
        if there or world.like or asked.only not in world.name or not draws:
            continue
        drawn = draws_of(world, schools, children, draws=draws, seed=asked.seed)
        new = pd.DataFrame(make(world, drawn)).assign(**setting)
        if new.empty:
            continue
        held = new if held.empty else pd.concat([held, new], ignore_index=True)
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            held.to_csv(kept, index=False)
        sys.stdout.write(f"{kind}: {world.name}, {schools} schools of {children:g}\n")
        sys.stdout.flush()
    return held


def main(arguments: list[str] | None = None) -> int:
    """Run every world and write the page."""
    asked, write = options(
        __file__,
        __doc__,
        arguments,
        draws=2000,
        stated={"type": int, "default": 200, "help": "draws of which a statement is made"},
        with_effect={"type": int, "default": 200, "help": "of these, draws also given an effect"},
        confident={"type": int, "default": 100, "help": "draws by lot: how sure is it said?"},
        schools=[60, 120, 240, 400],
        children=[USUAL, 25.0],
        sesoi={"type": float, "default": 1.5, "help": "smallest effect of interest"},
        seed=20260901,
        only={"default": "", "help": "only worlds whose name holds this"},
        results={"type": Path, "help": "folder from which a run is taken up again"},
    )
    # The Holm test collects garbage at every call; what the imports made need not be looked at.
    gc.freeze()
    state = partial(stated, sesoi=asked.sesoi, with_effect=asked.with_effect)
    tables = (
        gathered(asked, "estimates", asked.draws, estimated),
        gathered(asked, "statements", asked.stated, state),
        gathered(asked, "confidence", asked.confident, partial(confident, sesoi=asked.sesoi)),
    )
    write(written(*tables, asked.sesoi), command=commands(asked, *tables))
    return 0


KINDS = (("--draws",), ("--stated", "--with-effect"), ("--confident",))
"""The options that ask for each kind of rows."""


def commands(asked: Options, *kinds: pd.DataFrame) -> str:
    """Return the commands that make all rows again: one for the sizes that have as many draws."""
    lines = []
    for rows, shown in zip(kinds, KINDS, strict=True):
        of_size = {}
        for size, of in rows.groupby(["schools", "children"]):
            parts = [of]
            if len(shown) > 1:
                parts = [of[of["effect"].eq(effect)] for effect in (0.0, EFFECTS[0])]
            counts = [int(part.groupby("world").size().max()) for part in parts if len(part)]
            of_size.setdefault(tuple(counts), []).append(size)
        for counts, sizes in of_size.items():
            numbers = " ".join(f"{o} {n}" for o, n in zip(shown, counts, strict=False))
            other = " ".join(f"{one[0]} 0" for one in KINDS if one != shown)
            schools = " ".join(f"{one:g}" for one in sorted({schools for schools, _ in sizes}))
            children = " ".join(f"{one:g}" for one in sorted({number for _, number in sizes}))
            lines.append(
                f"python -m tests.proofs.worlds {numbers} {other} --schools {schools} "
                f"--children {children} --seed {asked.seed} --results FOLDER"
            )
    return "\n    ".join(lines)


if __name__ == "__main__":
    sys.exit(main())
