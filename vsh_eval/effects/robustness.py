"""The robustness table: every check that could change our mind, each with its verdict."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from vsh_eval.contracts import DesignError
from vsh_eval.effects import attempts as tries
from vsh_eval.effects import variations
from vsh_eval.effects.attempts import CHANCE, EXCLUDED, NOUGHT, Attempt, Primary
from vsh_eval.effects.gate import FEW_SCHOOLS, Prepared
from vsh_eval.effects.make_up import composition_attempts
from vsh_eval.effects.other_estimators import estimator_attempts, trend_attempts, wild_attempts
from vsh_eval.effects.pretrend import pretrend
from vsh_eval.effects.randomise import randomise
from vsh_eval.effects.study import Study
from vsh_eval.effects.tost import tost


def robustness(study: Study, *, draws: int = 999) -> pd.DataFrame:
    """Ask the primary question again in every way that could change our mind.

    Parameters
    ----------
    study : Study
        The question; what it lacks makes checks "not testable", never an error.
    draws : int
        Of randomisation and of the wild bootstrap.

    Returns
    -------
    DataFrame
        `attempts.ROBUSTNESS_COLUMNS`: check (a to k), question and variant in words, the columns
        of an estimate, verdict (agrees, differs, not testable), rule (how the verdict comes
        about) and reason (why it is not testable, or what the number means). Check a has a test
        but no estimate; e and k repeat the primary estimate with another p value (k with its
        ``1 - 2 alpha`` interval); b is against the last year before training; in j the unit is the
        outcome's own.

    Raises
    ------
    ContractError, DesignError
        If the primary estimate itself cannot be made.

    Notes
    -----
    A check that "agrees" has not proved the result; one that differs must be explained. Standard
    errors of differences between checks are not made: they share their data.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> gaps = pd.DataFrame([
    ...     (str(s), "primary", year, rng.normal(), 100.0, 5)
    ...     for s in range(24) for year in (201718, 201819, 202021, 202122, 202223)],
    ...     columns=["unit_id", "phase", "time_period", "outcome", "weight", "pupils"])
    >>> trained = pd.DataFrame({"unit_id": [str(s) for s in range(24)],
    ...                         "adopted": [202122] * 6 + [202223] * 6 + [0] * 12})
    >>> study = Study(school_gaps=gaps, exposure=trained, metric="overall_absence")
    >>> table = robustness(study, draws=99)
    >>> sorted(set(table["check"]))
    ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k']
    """
    prepared = study.prepared()
    primary = primary_of(study, prepared)
    wanted = [
        *_before_training(study, prepared),
        *trend_attempts(study, prepared, primary),
        *variations.early_placebo(study, prepared),
        *variations.own_levels(study),
        *_chance(study, prepared, primary, draws=draws),
        *variations.without_school(study, prepared),
        *variations.without_cohort(study, prepared),
        *variations.without_programme(study),
        *estimator_attempts(study, prepared),
        *variations.without_covid(study),
        *variations.other_definitions(study),
        *composition_attempts(study, prepared),
        Attempt("k", "two one-sided tests", EXCLUDED, partial(_equivalence, study, primary)),
    ]
    rows = [tries.tried(attempt, study, primary) for attempt in wanted]
    return tries.in_order(sorted(rows, key=lambda row: row["check"]))


def primary_of(study: Study, prepared: Prepared) -> Primary:
    """Make the primary simple estimate that the checks are held against.

    Raises
    ------
    DesignError
        If it cannot be made.
    """
    row = variations.simple(prepared, alpha=study.alpha)
    return Primary(float(row["estimate"]), float(row["p_value"]), row)


def _before_training(study: Study, prepared: Prepared) -> list[Attempt]:
    def make() -> Mapping[Any, Any]:
        found = pretrend(prepared, alpha=study.alpha, seed=study.seed)
        if found.reason:
            raise DesignError(f"{found.reason}, so that there is nothing to test.")
        carried = found.rows[found.rows["status"].eq("")]
        return {
            "p_value": found.test.p_value,
            "df": found.test.df_denominator,
            "schools_treated": carried["schools_treated"].min(),
            "schools_comparison": carried["schools_comparison"].min(),
            "pupils": carried["pupils"].min(),
            "largest_share": carried["largest_share"].max(),
            "reason": "a test of several years together: it has a p value and no one estimate",
        }

    return [Attempt("a", "the years before training, together", NOUGHT, make)]


def _chance(study: Study, prepared: Prepared, primary: Primary, *, draws: int) -> list[Attempt]:
    def make() -> Mapping[Any, Any]:
        found = randomise(prepared, draws=draws, seed=study.seed).iloc[0]
        if found["reason"]:
            raise DesignError(f"{found['reason']}.")
        if found["smallest_p"] >= study.alpha:
            raise DesignError(
                "there are too few ways to deal the years of training out for any p value below "
                "alpha."
            )
        return _repeated(primary, float(found["p_value"]), "the primary estimate, p by lot")

    variant = "years of training dealt out by lot within phases"
    attempts = [Attempt("e", variant, CHANCE, make, estimator="randomisation")]
    if prepared.schools < FEW_SCHOOLS:
        attempts += wild_attempts(study, prepared, primary, draws=draws)
    return attempts


def _equivalence(study: Study, primary: Primary) -> Mapping[Any, Any]:
    if primary.row["status"]:
        raise DesignError(f"{primary.row['reason']}.")
    found = tost(
        primary.estimate,
        float(primary.row["std_error"]),
        float(primary.row["df"]),
        margin=study.sesoi,
        alpha=study.alpha,
    ).iloc[0]
    said = "is" if found["equivalent"] else "is not"
    reason = f"an effect of {study.sesoi:g} or more, either way, {said} excluded"
    limits = {"ci_lower": found["lower"], "ci_upper": found["upper"]}
    return {**_repeated(primary, float(found["p_value"]), reason), **limits}


def _repeated(primary: Primary, p_value: float, reason: str) -> Mapping[Any, Any]:
    """Return the primary row with another test's p value and no interval of its own."""
    return {
        **primary.row,
        "ci_lower": np.nan,
        "ci_upper": np.nan,
        "p_value": p_value,
        "reason": reason,
    }
