"""What do the evidence rules say of authorities whose truth they do not know?

    python -m tests.proofs.blind_authorities [--authorities N] [--schools S] [--output FILE]

Each authority is drawn with `tests.proofs._school_gaps` and judged by the very functions
the impact page calls, which see school gaps and years of training and nothing of the truth. The
smallest effect of interest is the design's own minimum detectable effect, so that the rule on power
can be passed; the protocol counts as registered.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from tests.proofs._school_gaps import GapDraw
from tests.proofs.hard_cases import chosen_by_last_gap, plain
from vsh_eval import effects
from vsh_eval.contracts import DesignError
from vsh_eval.effects.evidence import NARROWED_FRAGILE, NARROWED_ROBUST, STATEMENTS
from vsh_eval.numerics.proportions import wilson
from vsh_eval.release.text.evidence import STATEMENT_NAMES

OUTPUT = Path(__file__).resolve().parents[2] / "docs" / "proofs" / "blind_authorities.md"
WORLDS = {
    "no effect": plain,
    "effect of the minimum detectable size": partial(plain, effect="mde"),
    "effect of twice that size": partial(plain, effect="twice"),
    "no effect, gap closing before training by 1.5 a year": partial(plain, pretrend=-1.5),
    "no effect, more and milder children counted after training": partial(
        plain, milder_entrants=3.0, growth_after_training=1.0
    ),
    "no effect, schools chosen by their last gap": chosen_by_last_gap,
}
MUST_NOT = ("no effect",)
MOST_FALSE, LEAST_FOUND = 5.0, 80.0


def judged(drawn: GapDraw, *, sesoi: float, seed: int) -> effects.evidence.Evidence:
    """Say what the impact page would say."""
    exposure = drawn.gaps[["unit_id", "adopted"]].drop_duplicates()
    study = effects.specification.Study(
        school_gaps=drawn.gaps,
        exposure=exposure,
        metric="overall_absence",
        sesoi=sesoi,
        seed=seed,
    )
    prepared = study.sample()
    checks = effects.evidence.Checks(
        registered=True,
        balance=effects.sample.balance_table(prepared),
        exclusions=prepared.exclusions,
        composition=effects.sensitivity.composition_tests(study),
        breakdown=_or_none(lambda: effects.sensitivity.breakdown(study, prepared)),
        randomisation_p=_or_none(
            lambda: float(
                effects.inference.randomise(prepared, draws=999, seed=seed)["p_value"].iloc[0]
            )
        ),
    )
    rows = effects.estimators.impute(prepared.data, leads=0, draws=1)
    return effects.evidence.judge(
        rows.assign(role="primary"),
        pretrend=effects.sensitivity.pretrend(prepared),
        mde=effects.sample.design_mde(prepared).mde,
        sesoi=sesoi,
        lower_is_better=True,
        checks=checks,
    )


def _or_none(make):
    try:
        return make()
    except DesignError:
        return None


def design_mde(schools: int, seed: int) -> float:
    """Return the minimum detectable effect of such authorities: the mean over twenty designs."""
    rng = np.random.default_rng([seed, schools])
    found = []
    for _ in range(20):
        drawn = plain(schools, rng)
        exposure = drawn.gaps[["unit_id", "adopted"]].drop_duplicates()
        found.append(
            effects.sample.design_mde(effects.sample.select_sample(drawn.gaps, exposure)).mde
        )
    return float(np.mean(found))


def world(name: str, *, authorities: int, schools: int, mde: float, seed: int) -> pd.DataFrame:
    """Judge the authorities of one world."""
    rng = np.random.default_rng([seed, *name.encode()])
    draw = WORLDS[name]
    effect = {"effect of the minimum detectable size": -mde, "effect of twice that size": -2 * mde}
    if name in effect:
        draw = partial(plain, effect=effect[name])
    answers = []
    for number in range(authorities):
        found = judged(draw(schools, rng), sesoi=1.25 * mde, seed=number)
        verdicts = found.rules.set_index("rule")["verdict"]
        answers.append({"statement": found.statement, **verdicts.to_dict()})
    return pd.DataFrame(answers)


def counted(answers: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Count the statements of each world."""
    rows = []
    for name, found in answers.items():
        share = found["statement"].value_counts(normalize=True)
        shares = {STATEMENT_NAMES[code]: 100 * share.get(code, 0.0) for code in STATEMENTS[:-1]}
        rows.append({"world": name} | shares)
    return pd.DataFrame(rows)


def failed(answers: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Count how often each rule is not passed."""
    rows = []
    for name, found in answers.items():
        rules = found.drop(columns="statement")
        rows.append({"world": name} | (100 * rules.ne("pass").mean()).to_dict())
    return pd.DataFrame(rows)


def table(rows: pd.DataFrame) -> str:
    """Write shares as a table."""
    lines = ["| " + " | ".join(rows.columns) + " |", "|" + "---|" * len(rows.columns)]
    for row in rows.to_dict("records"):
        cells = [v if isinstance(v, str) else f"{v:.0f}" for v in row.values()]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def limits(answers: dict[str, pd.DataFrame]) -> list[str]:
    """Say whether the two promises are kept."""
    said = []
    null = answers["no effect"]["statement"]
    false = int(null.eq(NARROWED_ROBUST).sum())
    low, high = wilson(np.array([false]), np.array([len(null)]), alpha=0.05)
    kept = "kept" if 100 * false / len(null) <= MOST_FALSE else "MISSED"
    said.append(
        f'- False "narrowed (robust)" where there is no effect, at most {MOST_FALSE:g} %: '
        f"{false} of {len(null)} (interval {100 * low[0]:.1f} to {100 * high[0]:.1f} %), {kept}."
    )
    twice = answers["effect of twice that size"]["statement"]
    found = int(twice.isin([NARROWED_ROBUST, NARROWED_FRAGILE]).sum())
    low, high = wilson(np.array([found]), np.array([len(twice)]), alpha=0.05)
    kept = "kept" if 100 * found / len(twice) >= LEAST_FOUND else "MISSED"
    said.append(
        f"- Narrowing found, robust or fragile, at twice the minimum detectable effect, at least "
        f"{LEAST_FOUND:g} %: {found} of {len(twice)} (interval {100 * low[0]:.1f} to "
        f"{100 * high[0]:.1f} %), {kept}; robust: {int(twice.eq(NARROWED_ROBUST).sum())}."
    )
    return said


def written(answers: dict[str, pd.DataFrame], command: str, *, schools: int, mde: float) -> str:
    """Return the committed page."""
    count = len(next(iter(answers.values())))
    return f"""# What do the evidence rules say of authorities whose truth they do not know?

    {command}

{count} authorities in each world, {schools} schools each; the minimum detectable effect of such a
design is {mde:.1f} percentage points, and the smallest effect of interest is set to a quarter more,
so that the rule on power can be passed. Shares in per cent.

## What is stated

{table(counted(answers))}

{chr(10).join(limits(answers))}

## Which rules are not passed

{table(failed(answers))}

"narrowed (robust)" asks for every rule. A gap that was closing anyway, or other children being
counted, must not earn it.
"""


def main(arguments: list[str] | None = None) -> int:
    """Judge every world, write the page, and return 1 where a promise is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--authorities", type=int, default=100)
    parser.add_argument("--schools", type=int, default=120)
    parser.add_argument("--seed", type=int, default=20260901)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    asked = parser.parse_args(arguments)
    mde = design_mde(asked.schools, asked.seed)
    answers = {
        name: world(
            name,
            authorities=asked.authorities,
            schools=asked.schools,
            mde=mde,
            seed=asked.seed,
        )
        for name in WORLDS
    }
    command = (
        f"python -m tests.proofs.blind_authorities --authorities {asked.authorities} "
        f"--schools {asked.schools} --seed {asked.seed}"
    )
    page = written(answers, command, schools=asked.schools, mde=mde)
    asked.output.write_text(page, encoding="utf-8")
    sys.stdout.write(page)
    return 1 if any("MISSED" in line for line in limits(answers)) else 0


if __name__ == "__main__":
    sys.exit(main())
