"""How much less children of one school tell than children of many: the design effect.

The composition table knows who the children are and not where they go to school: rows of a school
and a stratum would be single children. So an interval of a stratum starts from the pupils' own
second moments, as if pupils were independent, and is widened by what schools do to the same metric,
phase and year in the panel:

    design effect = variance clustered by school / variance of independent pupils, at least 1

A stratum has fewer children a school than the whole group, so its own design effect is smaller as
a rule: the widened interval is rather too wide than too narrow.
"""

from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from vsh_eval.contracts import ContractError, require_one_vintage
from vsh_eval.metrics.door import Entry, enter
from vsh_eval.metrics.from_returns import school_cells
from vsh_eval.metrics.measured import FloatArray, Measured, difference
from vsh_eval.numerics import proportions, ratios
from vsh_eval.registry import Metric


@dataclass(frozen=True, slots=True)
class Effects:
    """Design effects of one metric and phase, year by year.

    Attributes
    ----------
    group, reference, gap : FloatArray, shape (years,)
        Of the group's level, the reference's level and their gap; 1 or more.
    df : FloatArray
        Degrees of freedom of the gap clustered by school; infinite where schools are not known.
    """

    group: FloatArray
    reference: FloatArray
    gap: FloatArray
    df: FloatArray


@dataclass(frozen=True, slots=True)
class DesignEffects:
    """Design effects of a panel, by metric and phase."""

    years: tuple[int, ...]
    found: MappingProxyType[tuple[str, str], Effects]

    def of(self, metric: str, phase: str) -> Effects:
        """Return a metric's and phase's effects; 1 throughout where the panel has none."""
        one, unlimited = np.ones(len(self.years)), np.full(len(self.years), np.inf)
        return self.found.get((metric, phase), Effects(one, one, one, unlimited))


def design_effects(
    panel: pd.DataFrame | None,
    composition: Entry,
    *,
    groups: tuple[str, str],
    alpha: float,
) -> DesignEffects:
    """Measure the design effects of a gap in the panel that belongs to a composition.

    Parameters
    ----------
    panel : DataFrame or None
        The panel of schools; without it every effect is 1.
    composition : Entry
        The composition that the effects are for.
    groups : tuple of str
        Group and reference: whose gap.
    alpha : float
        For the door; no effect depends on it.

    Raises
    ------
    ContractError
        If panel and composition count different pupils.
    VintageError, CohortRuleError
        If they are of two vintages or cohort rules.
    """
    if panel is None:
        return DesignEffects(composition.years, MappingProxyType({}))
    wanted = [entry.name for entry in composition.metrics]
    schools = panel[panel["metric"].isin(wanted)]
    keys = ["vintage", "cohort_rule"]
    require_one_vintage(pd.concat([schools[keys], composition.panel[keys]]))
    _require_same_pupils(schools, composition)
    entry = enter(schools, groups=groups, metrics=wanted, alpha=alpha)
    found = {}
    for cells in school_cells(entry, unit_id=""):
        first, second = (cells.measure(name, alpha=alpha) for name in groups)
        gap = difference(first, second, metric=cells.metric, same_pupils=True, alpha=alpha)
        parts = (first.estimate, second.estimate, gap.estimate)
        one, two, both = (_effect(_known(part)) for part in parts)
        df = np.where(np.isfinite(gap.df), gap.df, np.inf)
        found[cells.metric.name, cells.phase] = Effects(one, two, both, df)
    return DesignEffects(entry.years, MappingProxyType(found))


def widened(
    measured: Measured, effect: FloatArray, df: FloatArray, *, metric: Metric, alpha: float
) -> Measured:
    """Return a level of pupils with its errors widened by a design effect.

    Parameters
    ----------
    measured : Measured
        Measured as if the authority were one school, so by pupils.
    effect, df : FloatArray
        The design effect, and the schools' degrees of freedom, which bound the pupils' own.
    metric : Metric
        Whose level.
    alpha : float
        One less the coverage of the interval.
    """
    known = _known(measured.estimate)
    units = np.fmin(known.pupils, df + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        # A contrast of two levels multiplies by units / (units - 1): take that out beforehand.
        pupils, kept = (n / (n - 1) for n in (known.pupils, units))
        factor = np.sqrt(effect * pupils / kept)
    estimate = replace(
        known,
        std_error=known.std_error * np.sqrt(effect),
        df=np.where(units >= 2, units - 1, np.nan),
        pupils=units,
        pupil_influence=known.pupil_influence * np.nan_to_num(factor, nan=1.0),
    )
    parts = (estimate.value, estimate.std_error, estimate.df)
    if metric.counts == "children":
        limits = ratios.logit_interval(*parts, alpha=alpha)
        score = proportions.wilson(measured.numerator, measured.denominator, alpha=alpha)
        limits = tuple(
            np.where(measured.certain, own, by_logit)
            for own, by_logit in zip(score, limits, strict=True)
        )
    else:
        limits = ratios.t_interval(*parts, alpha=alpha)
    lowest, highest = metric.lowest / metric.scale, metric.highest / metric.scale
    return replace(
        measured,
        lower=np.maximum(limits[0], lowest),
        upper=np.minimum(limits[1], highest),
        std_error=np.where(measured.certain, np.nan, estimate.std_error),
        df=estimate.df,
        estimate=estimate,
    )


def _known(estimate: ratios.Estimate | None) -> ratios.Estimate:
    """Return an estimate, and refuse that of a published table."""
    if estimate is None:
        raise ContractError("the panel is published, must be returns; design effects need schools.")
    return estimate


def _effect(estimate: ratios.Estimate) -> FloatArray:
    """Return the clustered variance over that of independent pupils, at least 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        n = estimate.pupils
        by_pupil = (estimate.pupil_influence**2).sum(axis=0) * n / (n - 1)
        effect = estimate.std_error**2 / by_pupil
    usable = np.isfinite(effect) & (estimate.clusters >= 2)
    return np.maximum(np.where(usable, effect, 1.0), 1.0)


def _require_same_pupils(panel: pd.DataFrame, composition: Entry) -> None:
    """Refuse a panel that counts other pupils than the composition does."""
    keys = ["metric", "time_period", "phase", "group"]
    counts = [
        table.groupby(keys)["pupils"].sum().astype("int64") for table in (panel, composition.panel)
    ]
    one, two = counts[0].align(counts[1], fill_value=0)
    wrong = int((one != two).sum())
    if wrong:
        raise ContractError(
            f"panel and composition count different pupils in {wrong} of {len(one)} cells, must "
            "count the same; take both from one cohort.build_cohort."
        )
