"""Checks that lean on other estimators and on sensitivity to trends."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from vsh_eval.contracts import DesignError
from vsh_eval.effects.attempts import CHANCE, SAME, STANDS, TOLD, Attempt, Primary
from vsh_eval.effects.bacon import ALREADY_TRAINED, bacon
from vsh_eval.effects.gate import FEW_SCHOOLS, Prepared
from vsh_eval.effects.honest import honest
from vsh_eval.effects.imputation import donut
from vsh_eval.effects.pretrend_power import pretrend_power
from vsh_eval.effects.staggered import att_gt
from vsh_eval.effects.strata import BY_PHASE, COMMON, ESTIMATORS
from vsh_eval.effects.study import Study
from vsh_eval.effects.sun_abraham import sun_abraham
from vsh_eval.effects.two_way import two_way_fixed_effects
from vsh_eval.effects.variations import simple
from vsh_eval.effects.wild_cluster import wild_cluster

BOUNDS = (0.5, 1.0, 1.5, 2.0)
"""Sizes of trend differences asked about, relative to the largest before training."""
SEEN = 0.80
"""Probability with which a trend must be seen to count as one that the test sees."""
FIRST_YEAR, ALL_YEARS, STRAIGHT = "first_year", "all_years", "straight"
_SURVIVES = {
    FIRST_YEAR: "in the first year after training the result survives trend differences up to "
    "{:.1f} times the largest seen before training",
    ALL_YEARS: "averaged over all years the result survives trend differences up to {:.1f} times "
    "the largest seen before training",
    STRAIGHT: "the result survives trends whose slope changes by {:.2g} a year",
}
"""What the breakdown says, by the path that is questioned."""
_SHARED = {COMMON: "common to all phases", BY_PHASE: "by phase, every phase its own"}
_SAMPLE = ("schools_treated", "schools_comparison", "pupils", "largest_share", "df")


def trend_attempts(study: Study, prepared: Prepared, primary: Primary) -> list[Attempt]:
    """Ask how far the result survives trends that are not parallel (Rambachan and Roth)."""
    asked: dict[str, pd.DataFrame] = {}

    def make(path: str, place: int = 0) -> Mapping[Any, Any]:
        if not primary.found(study.alpha):
            raise DesignError("the primary test finds no effect, so there is nothing to undo.")
        if path not in asked:
            asked[path] = _honest(study, prepared, path)
        row = asked[path].iloc[place]
        return {
            **{name: primary.row[name] for name in _SAMPLE},
            "estimate": row["estimate"],
            "std_error": row["std_error"],
            "ci_lower": row["lower"],
            "ci_upper": row["upper"],
            "reason": _SURVIVES[path].format(float(row["breakdown"])),
            "holds": bool(row["excludes_zero"])
            and np.sign(row["estimate"]) == np.sign(primary.estimate),
        }

    return [
        Attempt("b", "first year: trend differences up to 1 times the largest before training",
                STANDS, partial(make, FIRST_YEAR), estimator="honest"),
        *(
            Attempt("b", f"trend differences up to {bound:g} times the largest before training",
                    STANDS, partial(make, ALL_YEARS, place), estimator="honest")
            for place, bound in enumerate(BOUNDS)
        ),
        Attempt("b", "trend differences that stay on one straight line", STANDS,
                partial(make, STRAIGHT), estimator="honest"),
        Attempt("a", "what a trend just seen in earlier years would add", TOLD,
                partial(_pretrend_power, study, prepared, primary), estimator="pretrend_power"),
    ]  # fmt: skip


def _honest(study: Study, prepared: Prepared, path: str) -> pd.DataFrame:
    """Question the first year after training, the mean of all years, or that along a line."""
    ask = partial(honest, prepared.data, alpha=study.alpha, seed=study.seed)
    if path == FIRST_YEAR:
        return ask(bounds=(1.0,), target=0)
    return ask(bounds=BOUNDS) if path == ALL_YEARS else ask(method="smoothness")


def breakdown(study: Study, prepared: Prepared) -> float:
    """Return up to how many times the largest trend break before training the result survives.

    Asked of the first year after training, the default of Rambachan and Roth's own software: over
    later years breaks add up, and there even large effects cannot withstand them.

    Parameters
    ----------
    study : Study
        The question.
    prepared : Prepared
        Its school-years.

    Returns
    -------
    float
        As `honest` gives it, for `Checks.breakdown`.

    Raises
    ------
    DesignError
        As `honest`.
    """
    return float(_honest(study, prepared, FIRST_YEAR)["breakdown"].iloc[0])


def estimator_attempts(study: Study, prepared: Prepared) -> list[Attempt]:
    """Estimate by everything that stands beside the primary estimator."""
    table = prepared.data
    constant = table.assign(weight=table["base_pupils"])
    options = {"alpha": study.alpha, "seed": study.seed}

    def first(
        make: Callable[..., pd.DataFrame], *arguments: Any, **named: Any
    ) -> Mapping[Any, Any]:
        return _simple(make(*arguments, **named))

    attempts = [
        Attempt("g", "without the year before training", SAME,
                partial(first, donut, table, **options), estimator="donut")
    ]  # fmt: skip
    attempts += [
        Attempt("g", f"year effects {_SHARED[kind]}", SAME,
                partial(simple, prepared.by_phase(stratified=kind == BY_PHASE), alpha=study.alpha),
                estimator=ESTIMATORS[kind])
        for kind in prepared.other_year_effects
    ]  # fmt: skip
    for comparison, against in (
        ("not_yet_treated", "schools not yet trained"),
        ("never_treated", "schools never trained"),
    ):
        make = partial(first, att_gt, constant, comparison=comparison,
                       covariates=prepared.covariates, **options)  # fmt: skip
        attempts.append(
            Attempt("g", f"Callaway and Sant'Anna against {against}", SAME, make,
                    estimator="callaway_santanna", comparison=comparison)
        )  # fmt: skip
    return [*attempts, *_regressions(study, prepared)]


def wild_attempts(
    study: Study, prepared: Prepared, primary: Primary, *, draws: int
) -> list[Attempt]:
    """Put a wild cluster bootstrap beside the interval of few schools."""

    def make() -> Mapping[Any, Any]:
        found = wild_cluster(prepared.data, alpha=study.alpha, draws=draws, seed=study.seed).iloc[0]
        ends = np.isfinite(found[["ci_lower", "ci_upper"]].to_numpy(float)).all()
        return {
            **{name: primary.row[name] for name in _SAMPLE},
            **{name: found[name] for name in ("estimate", "std_error", "ci_lower", "ci_upper")},
            "p_value": found["p_value"],
            "reason": "" if ends else "with so few trained schools its interval has no end",
        }

    variant = f"wild cluster bootstrap, as there are fewer than {FEW_SCHOOLS} schools"
    return [Attempt("e", variant, CHANCE, make, estimator="wild_cluster")]


def _regressions(study: Study, prepared: Prepared) -> list[Attempt]:
    """Estimate by the regressions that stand beside as references."""
    table, alpha = prepared.data, study.alpha

    def averaged() -> Mapping[Any, Any]:
        return _simple(sun_abraham(table, alpha=alpha, seed=study.seed))

    def two_way() -> Mapping[Any, Any]:
        rows = two_way_fixed_effects(table, alpha=alpha)
        return {**_simple(rows), "reason": _already_trained(table)}

    return [
        Attempt("g", "Sun and Abraham", SAME, averaged, estimator="sun_abraham"),
        Attempt("g", "two-way fixed effects, for reference", SAME, two_way,
                estimator="two_way_fixed_effects"),
    ]  # fmt: skip


def _already_trained(table: pd.DataFrame) -> str:
    """Say how much of the two-way estimate leans on schools that were trained already."""
    try:
        pairs = bacon(table)
    except DesignError:
        return "its weights cannot be taken apart: no school has data in every year"
    forbidden = pairs["type"].isin(ALREADY_TRAINED)
    share = float(pairs.loc[forbidden, "weight"].sum())
    return f"{share:.0%} of its weight compares with schools that were trained already"


def _simple(rows: pd.DataFrame) -> Mapping[Any, Any]:
    return rows[rows["aggregation"].eq("simple")].iloc[0].to_dict()


def _pretrend_power(study: Study, prepared: Prepared, primary: Primary) -> Mapping[Any, Any]:
    """Return what the trend that the pre-trend test sees four times in five would add."""
    seen = pretrend_power(
        prepared.data, test="joint", power=(SEEN,), alpha=study.alpha, seed=study.seed
    ).iloc[0]
    bias = float(seen["bias"])
    if not np.isfinite(bias):
        raise DesignError("no trend, however steep, is seen four times in five.")
    return {
        **{name: primary.row[name] for name in _SAMPLE},
        "estimate": bias,
        "reason": f"a drift of {abs(float(seen['slope'])):.2g} a year is seen four times in five "
        f"and would add {abs(bias):.2g}",
        "holds": abs(bias) <= abs(primary.estimate),
    }
