"""The robustness table: every check that could change our mind, each variant with its verdict."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import ContractError, InfeasibleError, Message
from vsh_eval.effects.estimators.callaway_santanna import COMPARISONS
from vsh_eval.effects.estimators.estimate import adjust
from vsh_eval.effects.estimators.imputation import fit_imputation
from vsh_eval.effects.estimators.two_way import ALREADY_TRAINED, bacon, two_way_fixed_effects
from vsh_eval.effects.inference.randomisation import randomise
from vsh_eval.effects.inference.wild_bootstrap import wild_bootstrap
from vsh_eval.effects.rows import (
    CHECK_COLUMNS,
    ESTIMATE_COLUMNS,
    PRIMARY,
    SAMPLE_COLUMNS,
    infeasible_row,
    messages,
    simple_row,
)
from vsh_eval.effects.sample.selection import COVID_YEARS, FEW_SCHOOLS, AnalysisSample
from vsh_eval.effects.sample.year_effects import ESTIMATORS
from vsh_eval.effects.sensitivity.composition import composition_specifications
from vsh_eval.effects.sensitivity.honest_did import honest
from vsh_eval.effects.sensitivity.pretrend import drift, pretrend
from vsh_eval.effects.specification import Ask, Specification, Study, estimated, tabulate
from vsh_eval.numerics.inference.significance import ALPHA, equivalence_p_value

CHECKS = (
    *("pretrend", "trend_breaks", "early_placebo", "own_levels", "chance", "leave_out"),
    *("estimators", "covid_years", "definitions", "composition", "equivalence"),
)
"""The checks, in order."""

AGREES, DIFFERS, NOT_TESTABLE = "agrees", "differs", "not_testable"
SAME, NOTHING_FOUND, SAME_TEST = "same_estimate", "nothing_found", "same_test"
NOTHING_IN_ALL = "nothing_found_in_all"
SURVIVES, NOT_EXCLUDED, DRIFT_SMALL = "survives", "not_excluded", "drift_small"
RULES = (SAME, NOTHING_FOUND, NOTHING_IN_ALL, SAME_TEST, SURVIVES, NOT_EXCLUDED, DRIFT_SMALL)
"""How a verdict comes about: what "agrees" demands of

- the same estimate: its interval holds the primary estimate and, if the primary interval excludes
  zero, it has the same sign;
- nothing found: p is at least alpha;
- nothing found in all: the same, p adjusted for the number of such rows (Holm), as the evidence is;
- the same test: p is below alpha where the primary p is, and only there;
- survives: under a trend difference as large as the largest before training zero is excluded;
- not excluded: unless the primary test finds an effect and this one excludes one of interest;
- drift seen: the test would detect, four times in five, a drift that adds up to the estimate.
"""

ROBUSTNESS_COLUMNS = ("check", "variant", *CHECK_COLUMNS, "verdict", "rule", "reason")
"""The robustness table; variant and reason are `Message`."""

BOUNDS = (0.5, 1.0, 1.5, 2.0)
"""Sizes of trend differences asked about, relative to the largest before training."""
EARLY = 2
"""Used years by which the placebo pretends training came early."""
FIRST_YEAR, ALL_YEARS, STRAIGHT = "first_year", "all_years", "straight"
"""What trend differences are asked about: the first year after training, the mean of all years, or
trends that stay on a straight line."""
_RULE_OF = dict.fromkeys(CHECKS, SAME) | {
    **dict.fromkeys(("pretrend", "early_placebo", "own_levels"), NOTHING_FOUND),
    **{"composition": NOTHING_IN_ALL},
    **{"trend_breaks": SURVIVES, "chance": SAME_TEST, "equivalence": NOT_EXCLUDED},
}
_P_VALUE_RULES = frozenset({NOTHING_FOUND, NOTHING_IN_ALL, SAME_TEST, NOT_EXCLUDED})


@dataclass(frozen=True, slots=True)
class RobustnessCheck:
    """One variant of one check.

    Attributes
    ----------
    check : str
        One of `CHECKS`.
    variant : Message
        What is done.
    ask : Specification or callable
        How the estimate is made; a callable returns one row or raises `ContractError`.
    rule : str
        One of `RULES`, '' for the check's usual one.
    estimator, metric : str
        Written into the row; the specification's where ''.
    """

    check: str
    variant: Message
    ask: Ask
    rule: str = ""
    estimator: str = ""
    metric: str = ""


@dataclass(frozen=True, slots=True)
class Primary:
    """What the checks are held against."""

    estimate: float
    p_value: float
    row: Mapping[str, Any]

    def found(self) -> bool:
        """Tell whether the primary test finds an effect."""
        return bool(self.p_value < ALPHA)

    @property
    def sample(self) -> dict[str, Any]:
        """The schools and children behind it."""
        return {name: self.row[name] for name in SAMPLE_COLUMNS}


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
        `ROBUSTNESS_COLUMNS`: check (of `CHECKS`) and variant, the columns of an estimate, verdict
        (agrees, differs, not_testable), rule (of `RULES`) and reason (why it is not testable, or
        what the number means). The pre-trend has a test but no estimate; chance and equivalence
        repeat the primary estimate with another p value (equivalence with its ``1 - 2 alpha``
        interval); trend breaks are against the last year before training and rest on the schools
        of that comparison; in composition the unit is the outcome's own.

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
    >>> tuple(robustness(study, draws=99)["check"].unique()) == CHECKS
    True
    """
    sample = study.sample()
    primary = primary_of(study)
    wanted = [
        *_trends(study, sample, primary),
        *_placebos(),
        *_chance(study, sample, primary, draws=draws),
        *_left_out(study, sample),
        *_estimators(sample),
        *_definitions(study),
        *(RobustnessCheck("composition", Message("composition", outcome=name), one, metric=name)
          for name, one in composition_specifications(study)),
        RobustnessCheck(
            "equivalence", Message("two_one_sided_tests"), partial(_equivalence, study, primary)
        ),
    ]  # fmt: skip
    return run(study, primary, sorted(wanted, key=lambda check: CHECKS.index(check.check)))


def run(study: Study, primary: Primary, checks: list[RobustnessCheck]) -> pd.DataFrame:
    """Run checks and judge each by its rule.

    Parameters
    ----------
    study : Study
        The question.
    primary : Primary
        What they are held against.
    checks : list of RobustnessCheck
        What is asked.

    Returns
    -------
    DataFrame
        `ROBUSTNESS_COLUMNS`. A check that cannot be made has no numbers, status ``x``, verdict
        ``not_testable`` and the reason.
    """
    items = [(check.ask, _labels(check)) for check in checks]
    rows = _adjusted(tabulate(study, items, role="robustness", columns=ROBUSTNESS_COLUMNS))
    verdicts = [_verdict(row, primary) for row in rows.to_dict("records")]
    # No table can hold infinity: an interval that has no end is written without one.
    return rows.assign(verdict=verdicts)[list(ROBUSTNESS_COLUMNS)].replace(
        {np.inf: np.nan, -np.inf: np.nan}
    )


def _adjusted(rows: pd.DataFrame) -> pd.DataFrame:
    """Add p_adjusted: of the rows that are one family adjusted for their number, with a reason."""
    family = rows["rule"].eq(NOTHING_IN_ALL) & rows["p_value"].notna()
    together = adjust(rows[family].assign(role="secondary"))["p_adjusted"]
    adjusted = rows.assign(p_adjusted=together.reindex(rows.index).fillna(rows["p_value"]))
    why = [Message("adjusted_p", p=float(p), tests=len(together)) for p in together]
    adjusted.loc[family, "reason"] = pd.Series(why, index=together.index, dtype=object)
    return adjusted


def primary_of(study: Study) -> Primary:
    """Make the primary simple estimate that the checks are held against.

    Raises
    ------
    DesignError
        If it cannot be made.
    """
    row = simple_row(estimated(study, Specification()))
    return Primary(float(row["estimate"]), float(row["p_value"]), row)


def breakdown(study: Study, sample: AnalysisSample) -> float:
    """Return up to how many times the largest trend break before training the headline survives.

    Asked of the average of all years after training, which is what the headline estimates. Over
    later years breaks add up, so that few effects withstand them: the number is shown and does not
    gate.

    Parameters
    ----------
    study : Study
        The question.
    sample : AnalysisSample
        Its school-years.

    Returns
    -------
    float
        As `honest` gives it, for `evidence.Checks.breakdown`.

    Raises
    ------
    DesignError
        As `honest`.
    """
    return float(_honest(study, sample, ALL_YEARS)["breakdown"].iloc[0])


def _labels(check: RobustnessCheck) -> dict[str, Any]:
    labels: dict[str, Any] = {"check": check.check, "variant": check.variant}
    labels["rule"] = check.rule or _RULE_OF[check.check]
    given = {"estimator": check.estimator, "metric": check.metric}
    return labels | {name: value for name, value in given.items() if value}


def _verdict(row: Mapping[Any, Any], primary: Primary) -> str:
    """Judge a row by its rule."""
    if row["rule"] in {SURVIVES, DRIFT_SMALL}:
        if not isinstance(row["holds"], bool):
            return NOT_TESTABLE
        return AGREES if row["holds"] else DIFFERS
    needed = "p_value" if row["rule"] in _P_VALUE_RULES else "ci_lower"
    if row["status"] == names.UNAVAILABLE or not np.isfinite(float(row[needed])):
        return NOT_TESTABLE
    significant = row["p_adjusted"] < ALPHA
    if row["rule"] in {NOTHING_FOUND, NOTHING_IN_ALL}:
        holds = not significant
    elif row["rule"] == SAME_TEST:
        holds = significant == primary.found()
    elif row["rule"] == NOT_EXCLUDED:
        holds = not (significant and primary.found())
    else:
        inside = row["ci_lower"] <= primary.estimate <= row["ci_upper"]
        same_sign = np.sign(row["estimate"]) == np.sign(primary.estimate)
        holds = inside and (same_sign or not primary.found())
    return AGREES if holds else DIFFERS


def _trends(study: Study, sample: AnalysisSample, primary: Primary) -> Iterator[RobustnessCheck]:
    """Test the years before training, and ask how far the result survives other trends."""
    yield RobustnessCheck(
        "pretrend", Message("years_before_together"), partial(_pretrend, study, sample)
    )
    yield RobustnessCheck(
        "pretrend",
        Message("drift_not_excluded"),
        partial(_drift_not_excluded, study, sample, primary),
        rule=DRIFT_SMALL,
        estimator="drift",
    )
    tables: dict[str, pd.DataFrame] = {}

    def survives(path: str, place: int = 0) -> Mapping[str, Any]:
        if not primary.found():
            raise InfeasibleError("nothing_to_undo")
        if path not in tables:
            tables[path] = _honest(study, sample, path)
        row = tables[path].iloc[place]
        same_sign = np.sign(row["estimate"]) == np.sign(primary.estimate)
        undone = row["breakdown"] == 0 and not row["excludes_zero"]
        return {
            **{name: row[name] for name in ("estimate", "std_error", *SAMPLE_COLUMNS)},
            "ci_lower": row["lower"],
            "ci_upper": row["upper"],
            "reason": Message(
                f"{'undone' if undone else 'survives'}_{path}", breakdown=float(row["breakdown"])
            ),
            "holds": bool(row["excludes_zero"] and same_sign),
        }

    variants = [(FIRST_YEAR, 0, 1.0), *((ALL_YEARS, i, b) for i, b in enumerate(BOUNDS))]
    for path, place, bound in [*variants, (STRAIGHT, 0, 0.0)]:
        variant = Message(f"trend_breaks_{path}", bound=bound)
        ask = partial(survives, path, place)
        yield RobustnessCheck("trend_breaks", variant, ask, estimator="honest")


def _honest(study: Study, sample: AnalysisSample, path: str) -> pd.DataFrame:
    """Question the first year after training, the mean of all years, or that along a line."""
    ask = partial(honest, sample.data, seed=study.seed)
    if path == FIRST_YEAR:
        return ask(bounds=(1.0,), target=0)
    return ask(bounds=BOUNDS) if path == ALL_YEARS else ask(bounds=(0.0,), method="smoothness")


def _pretrend(study: Study, sample: AnalysisSample) -> Mapping[str, Any]:
    joint_test = pretrend(sample.data, seed=study.seed)
    if joint_test.reason:
        raise InfeasibleError(joint_test.reason.code)
    test = {"p_value": joint_test.test.p_value, "df": joint_test.test.df_denominator}
    return {**joint_test.sample, **test, "reason": Message("joint_test")}


def _drift_not_excluded(
    study: Study, sample: AnalysisSample, primary: Primary
) -> Mapping[str, Any]:
    """Return what the largest drift that the years before training do not exclude would add."""
    trend, claimed = drift(sample.data), primary.found()
    sign = np.sign(primary.estimate)
    slope = max(trend.largest_not_excluded(sign=sign if claimed else 0.0), 0.0)
    bias = slope * abs(trend.bias)
    if not np.isfinite(bias):
        raise InfeasibleError("no_drift_known")
    return {
        **pretrend(sample.data, seed=study.seed).sample,
        "estimate": sign * bias,
        "reason": Message("drift_adds", slope=slope, bias=bias),
        # Where no effect is claimed there is none that a drift could make.
        "holds": bool(not claimed or bias <= abs(primary.estimate)),
    }


def _placebos() -> Iterator[RobustnessCheck]:
    """Pretend that training came early, and estimate the effect on either group's own level."""
    early = Specification(change=lambda _, data: pretended_early(data))
    yield RobustnessCheck("early_placebo", Message("trained_early", years=EARLY), early)
    peers, own = Specification(level="reference"), Specification(level="group")
    yield RobustnessCheck("own_levels", Message("peers_level"), peers)
    yield RobustnessCheck("own_levels", Message("cohort_level"), own, rule=SAME)


def pretended_early(data: pd.DataFrame) -> pd.DataFrame:
    """Move training `EARLY` used years earlier and leave out the years from the true training on.

    Parameters
    ----------
    data : DataFrame
        Of an `AnalysisSample`.

    Returns
    -------
    DataFrame
        School-years before training, of schools with a year before the pretended one too, and of
        schools never trained.

    Raises
    ------
    InfeasibleError
        If no trained school has that many years before training and one more.

    Examples
    --------
    >>> table = pd.DataFrame({"unit": ["a"] * 4 + ["b"] * 4, "time": [1, 2, 3, 4] * 2,
    ...                       "cohort": [4] * 4 + [0] * 4})
    >>> pretended_early(table)["cohort"].tolist()
    [2, 2, 2, 0, 0, 0, 0]
    """
    never = data["cohort"].eq(names.NEVER)
    untreated = data[never | data["time"].lt(data["cohort"])]
    moved = (untreated["cohort"] - EARLY).where(untreated["cohort"].ne(names.NEVER), names.NEVER)
    trained = moved.ne(names.NEVER)
    before = (trained & untreated["time"].lt(moved)).groupby(untreated["unit"]).transform("any")
    after = (trained & untreated["time"].ge(moved)).groupby(untreated["unit"]).transform("any")
    usable = untreated["cohort"].eq(names.NEVER) | (before & after)
    if not (usable & untreated["cohort"].ne(names.NEVER)).any():
        raise InfeasibleError("too_few_years_before", years=EARLY)
    return untreated.assign(cohort=moved)[usable]


def _chance(
    study: Study, sample: AnalysisSample, primary: Primary, *, draws: int
) -> Iterator[RobustnessCheck]:
    """Reassign the years of training; few schools have a wild cluster bootstrap beside."""
    lot = partial(_randomised, study, sample, primary, draws)
    yield RobustnessCheck("chance", Message("reassigned"), lot, estimator="randomisation")
    if sample.schools < FEW_SCHOOLS:
        wild = partial(_wild, study, sample, primary, draws)
        variant = Message("wild_bootstrap", limit=FEW_SCHOOLS)
        yield RobustnessCheck("chance", variant, wild, estimator="wild_cluster")


def _randomised(
    study: Study, sample: AnalysisSample, primary: Primary, draws: int
) -> Mapping[str, Any]:
    randomisation = randomise(sample.data, draws=draws, seed=study.seed).iloc[0]
    if randomisation["reason"]:
        raise InfeasibleError(randomisation["reason"].code)
    if randomisation["smallest_p"] >= ALPHA:
        raise InfeasibleError("too_few_assignments")
    return _repeated(primary, float(randomisation["p_value"]), Message("p_by_reassignment"))


def _wild(study: Study, sample: AnalysisSample, primary: Primary, draws: int) -> Mapping[str, Any]:
    bootstrap = wild_bootstrap(sample.data, draws=draws, seed=study.seed).iloc[0]
    ends = np.isfinite(bootstrap[["ci_lower", "ci_upper"]].to_numpy(float)).all()
    own = ("estimate", "std_error", "ci_lower", "ci_upper", "p_value")
    return {
        **primary.sample,
        **{name: bootstrap[name] for name in own},
        "reason": Message() if ends else Message("interval_without_end"),
    }


def _left_out(study: Study, sample: AnalysisSample) -> Iterator[RobustnessCheck]:
    """Leave out one school to either side, one year of training and one programme at a time."""
    for side in ("lowest", "highest"):
        one = Specification(change=partial(_without_school, side))
        yield RobustnessCheck("leave_out", Message(f"without_{side}_school"), one)
    periods = [int(period) for period in sample.cohorts["cohort_period"]]
    for period in periods:
        one = Specification(change=partial(_without_cohort, period))
        yield RobustnessCheck("leave_out", Message("without_cohort", year=period), one)
    try:
        first = study.first_kind("programme")
    except ContractError as error:
        yield _impossible("leave_out", "without_programme", error)
        return
    programmes = sorted(set(first[first.ne("")]))
    if len(programmes) < 2:
        yield _impossible("leave_out", "without_programme", InfeasibleError("one_programme"))
        return
    for name in programmes:
        variant = Message("without_first_programme", programme=name)
        yield RobustnessCheck("leave_out", variant, Specification(without_first=name))


def _without_school(side: str, _: Study, data: pd.DataFrame) -> pd.DataFrame:
    """Leave out the school without which the estimate is lowest or highest."""
    left = fit_imputation(data, leads=0, draws=1).leave_one_out
    left = left[left["estimate"].notna()]
    if left.empty:
        raise InfeasibleError("no_school_can_be_left_out")
    values = left["estimate"].to_numpy()
    extreme = values.argmin() if side == "lowest" else values.argmax()
    return data[data["unit"].astype(str).ne(str(left["unit"].iloc[extreme]))]


def _without_cohort(period: int, _: Study, data: pd.DataFrame) -> pd.DataFrame:
    trained = data.loc[data["cohort"].ne(names.NEVER), "cohort_period"]
    if trained.nunique() < 2:
        raise InfeasibleError("one_year_of_training")
    return data[data["cohort_period"].ne(period)]


def _estimators(sample: AnalysisSample) -> Iterator[RobustnessCheck]:
    """Estimate with other year effects and by other estimators."""
    yield RobustnessCheck("estimators", Message("same_past"), Specification(estimator="same_past"))
    for kind in sample.other_year_effects:
        one = Specification(year_effects=kind)
        variant = Message("year_effects", kind=kind)
        yield RobustnessCheck("estimators", variant, one, estimator=ESTIMATORS[kind])
    for comparison in COMPARISONS:
        one = Specification(
            estimator="callaway_santanna", comparison=comparison, weights="pupils_before",
            covariates=True,
        )  # fmt: skip
        yield RobustnessCheck("estimators", Message(f"against_{comparison}"), one)
    two_way = partial(_two_way, sample)
    variant = Message("two_way_fixed_effects")
    yield RobustnessCheck("estimators", variant, two_way, estimator="two_way_fixed_effects")


def _two_way(sample: AnalysisSample) -> Mapping[str, Any]:
    """Make the two-way estimate; how much of it leans on schools that were trained already."""
    row = simple_row(two_way_fixed_effects(sample.data))
    try:
        pairs = bacon(sample.data)
    except InfeasibleError:
        return row | {"reason": Message("weights_not_known")}
    trained = pairs["type"].isin(ALREADY_TRAINED)
    return row | {
        "reason": Message("weight_on_trained", share=float(pairs.loc[trained, "weight"].sum()))
    }


def _definitions(study: Study) -> Iterator[RobustnessCheck]:
    """Leave out the covid years, compare with another reference, count by another rule."""
    variant = Message("without_years", first=COVID_YEARS[0], last=COVID_YEARS[-1])
    yield RobustnessCheck("covid_years", variant, Specification(without_years=COVID_YEARS))
    other = names.ALL if study.reference == names.PEERS else names.PEERS
    variant = Message("other_reference", reference=other)
    yield RobustnessCheck("definitions", variant, Specification(reference=other))
    for rule, gaps in study.other_gaps.items():
        one = Specification(gaps=partial(_given, gaps))
        yield RobustnessCheck("definitions", Message("other_rule", rule=rule), one)
    if not study.other_gaps:
        yield _impossible("definitions", "another_rule", InfeasibleError("one_rule_only"))


def _given(gaps: pd.DataFrame, _: Study) -> pd.DataFrame:
    return gaps


def _equivalence(study: Study, primary: Primary) -> Mapping[str, Any]:
    if primary.row["status"]:
        raise InfeasibleError(primary.row["reason"].code)
    error, df = float(primary.row["std_error"]), float(primary.row["df"])
    p_value = equivalence_p_value(primary.estimate, error, df, margin=study.sesoi)
    excluded = p_value < ALPHA
    reason = Message("excluded" if excluded else "not_excluded", sesoi=study.sesoi)
    return _repeated(primary, p_value, reason)


def _repeated(primary: Primary, p_value: float, reason: Message) -> Mapping[str, Any]:
    """Return the primary row with another test's p value and no interval of its own."""
    own = {"ci_lower": np.nan, "ci_upper": np.nan, "p_value": p_value, "reason": reason}
    return {**primary.row, **own}


def _impossible(check: str, variant: str, error: ContractError) -> RobustnessCheck:
    def refuse() -> Mapping[str, Any]:
        raise error

    return RobustnessCheck(check, Message(variant), refuse)


def not_estimable(metric: str, *, role: str = "primary", reason: Message) -> pd.DataFrame:
    """Return the one row that says of an outcome that its effect cannot be estimated.

    Parameters
    ----------
    metric : str
        The outcome.
    role : str
        Of the estimate that is missing.
    reason : Message
        Why.

    Returns
    -------
    DataFrame
        The estimates contract and `reason`: one simple row without numbers, status ``x``.

    Examples
    --------
    >>> row = not_estimable("overall_absence", reason=Message("no_school_year"))
    >>> row[["metric", "estimate", "status"]].values.tolist()
    [['overall_absence', nan, 'x']]
    """
    columns = [*ESTIMATE_COLUMNS, "reason"]
    row = infeasible_row(tuple(columns), reason)
    return row.assign(**PRIMARY, role=role, metric=metric)[columns]


def nothing_to_check(metric: str, *, reason: Message) -> pd.DataFrame:
    """Return the robustness table of an effect that cannot be estimated.

    Parameters
    ----------
    metric : str
        The outcome.
    reason : Message
        Why.

    Returns
    -------
    DataFrame
        `ROBUSTNESS_COLUMNS`: one row a check, not testable, without numbers.

    Examples
    --------
    >>> nothing_to_check("overall_absence", reason=Message())["verdict"].unique().tolist()
    ['not_testable']
    """
    row = not_estimable(metric, role="robustness", reason=reason)
    variant = messages("every_variant", row)
    rows = [
        row.assign(check=check, variant=variant, verdict=NOT_TESTABLE, rule=_RULE_OF[check])
        for check in CHECKS
    ]
    return pd.concat(rows, ignore_index=True)[list(ROBUSTNESS_COLUMNS)]
