"""The shield of the cell key method: what may be shown of exact cells.

Six rules, which are the whole of it: threshold, perturbation, group disclosure, dominance, degrees
of freedom (of estimates, in `estimates`) and consistency (the same key, the same change).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.cells.exact import level_limits
from vsh_eval.cells.level import FloatArray, Level, quotient
from vsh_eval.numerics.arrays import Flags
from vsh_eval.numerics.levels.ratios import Estimate
from vsh_eval.numerics.rounding import significant
from vsh_eval.panel import GROUPS
from vsh_eval.registry import Metric
from vsh_eval.release.disclosure.cell_keys import VARIANCE, change_of_count, smooth_change
from vsh_eval.release.disclosure.rules import Rule

_DF = np.array([2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0])
"""Degrees of freedom as they are used: exact ones tell in how many schools the children are."""
_SMOOTH = VARIANCE + 1 / 12


@dataclass(frozen=True, slots=True)
class CellKeyShield:
    """Protects numbers of children by the cell key method (`vsh_eval.cells.shield.Shield`).

    Attributes
    ----------
    rule : Rule
        Its thresholds.

    Notes
    -----
    N' = N + e(key of N), Y' = Y + e(key of Y), e whole numbers of variance 1; a share of children
    is Y' / N'. Any other level gets w eps(key of N, metric) / N, w being the metric's noise
    weight. Hidden (c) where N, Y, N - Y, N', Y' or N' - Y' is under the threshold, where under
    three schools have the children or one more than 80 % of them, where one child makes more than
    80 % of a sum (sqrt(sum y^2) > .8 sum y), or where a mean is so close to the end of its scale
    that it tells each child's value: N x room / (a tenth of the range) under the threshold.
    Errors: a share's is its design effect to one decimal times sqrt(p' (1 - p') / N'), any other
    level's own to two figures; the variance of the noise is added: (1 + p'^2) / N'^2, or
    w^2 (1 + 1/12) / N'^2. Everything worked out from levels uses these.
    """

    rule: Rule

    def level(self, level: Level, metric: Metric, group: str) -> Level:
        """Return a group's level as it may be shown."""
        if level.estimate is None:
            return level
        n = np.nan_to_num(level.pupils)
        shown_n = n + change_of_count(level.key_n)
        hidden = self._few(n) | self._few(shown_n) | self._dominated(level, metric)
        if metric.counts == "children":
            y = np.nan_to_num(level.numerator)
            shown_y = y + change_of_count(level.key_y)
            counts = (y, n - y, shown_y, shown_n - shown_y)
            hidden |= np.any([self._few(count) for count in counts], axis=0)
            value = quotient(shown_y, np.where(hidden, 0.0, shown_n))
            sampling, noise = _errors_of_share(level, value, shown_n)
        else:
            hidden |= self._near_the_end(level, metric, n)
            shown_y = np.full_like(n, np.nan)
            added = metric.noise_weight * smooth_change(level.key_n, metric.name)
            value = np.where(hidden, np.nan, level.level + quotient(added, n))
            value = np.clip(value, metric.lowest / metric.scale, metric.highest / metric.scale)
            sampling = significant(level.std_error)
            noise = quotient(np.full_like(n, metric.noise_weight * np.sqrt(_SMOOTH)), shown_n)
        estimate = _shown(level.estimate, value, sampling, noise, group)
        denominator = np.where(hidden, np.nan, shown_n)
        lower, upper = level_limits(metric, estimate, shown_y, denominator)
        unknown = np.full_like(n, np.nan)
        pupils = np.where(hidden, np.nan, self.shown_pupils(shown_n))
        per_pupil = np.round(quotient(np.nan_to_num(level.denominator), n))
        lowest, highest = metric.lowest / metric.scale, metric.highest / metric.scale
        return replace(
            level,
            pupils=pupils,
            schools=unknown,
            numerator=unknown,
            denominator=pupils * per_pupil,
            level=value,
            lower=np.clip(lower, lowest, highest),
            upper=np.clip(upper, lowest, highest),
            std_error=estimate.std_error,
            df=estimate.df,
            largest_share=unknown,
            certain=np.zeros(n.shape, dtype=bool),
            status=_hidden_status(level.status, hidden),
            estimate=estimate,
            sum_yy=unknown,
        )

    def count(
        self,
        pupils: FloatArray,
        keys: NDArray[np.int64],
        *,
        schools: FloatArray,
        largest: FloatArray,
    ) -> FloatArray:
        """Return numbers of children as they may be shown; NaN where one may not."""
        shown = pupils + change_of_count(keys)
        hidden = self._few(pupils) | self._few(shown) | (schools < self.rule.min_schools)
        hidden |= largest > self.rule.dominance * pupils
        return np.where(hidden, np.nan, shown)

    def statistic(self, base: Level, metric: Metric, name: str) -> tuple[FloatArray, FloatArray]:
        """Return what to add to a statistic of the children behind a level, and its noise."""
        shown = metric.noise_weight * smooth_change(base.key_n, f"{metric.name}/{name}")
        sd = metric.noise_weight * np.sqrt(_SMOOTH)
        added = quotient(shown, np.where(base.pupils > 0, base.pupils, 0.0))
        return added, quotient(np.full_like(shown, sd), np.nan_to_num(base.pupils))[None]

    def rounded(self, values: FloatArray) -> FloatArray:
        """Return what describes all children together to two significant figures."""
        return significant(values)

    def shown_pupils(self, pupils: FloatArray) -> FloatArray:
        """Return protected numbers of children to the nearest five."""
        return self.rule.base * np.round(pupils / self.rule.base)

    def adults(self, people: FloatArray) -> FloatArray:
        """Return numbers of adults to the nearest five; NaN where there are few."""
        few = (people > 0) & (people < self.rule.threshold)
        return np.where(few, np.nan, self.shown_pupils(people))

    def of_schools(self, values: FloatArray, schools: FloatArray) -> FloatArray:
        """Return sums over schools; NaN where one or two schools make them."""
        return np.where((schools > 0) & (schools < self.rule.min_schools), np.nan, values)

    def _few(self, counts: FloatArray) -> Flags:
        return counts < self.rule.threshold

    def _dominated(self, level: Level, metric: Metric) -> Flags:
        """Mark cells of few schools, and those that one school or one child makes."""
        schools, share = np.nan_to_num(level.schools), np.nan_to_num(level.largest_share)
        of_schools = (schools < self.rule.min_schools) | (share > self.rule.dominance)
        if metric.lowest < 0:
            return of_schools  # scores that may be negative have no sum to dominate
        most = self.rule.dominance * np.nan_to_num(level.numerator)
        return of_schools | (np.sqrt(np.maximum(level.sum_yy, 0.0)) > most)

    def _near_the_end(self, level: Level, metric: Metric, n: FloatArray) -> Flags:
        """Mark means so near an end of their scale that each child's value follows."""
        lowest, highest = metric.lowest / metric.scale, metric.highest / metric.scale
        room = np.minimum(level.level - lowest, highest - level.level)
        width = highest - lowest if np.isfinite(highest) else 3 * metric.noise_weight
        return ~(n * room >= self.rule.threshold * width / 10)


def _errors_of_share(
    level: Level, value: FloatArray, shown_n: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return a share's error by its design effect to one decimal, and that of its noise."""
    plain = np.sqrt(quotient(level.level * (1 - level.level), np.nan_to_num(level.pupils)))
    effect = np.round(quotient(np.nan_to_num(level.std_error), np.nan_to_num(plain)), 1)
    sampling = effect * np.sqrt(quotient(value * (1 - value), shown_n))
    noise = np.sqrt(VARIANCE * (1 + value**2)) / np.where(shown_n > 0, shown_n, np.nan)
    return sampling, noise


def _shown(
    exact: Estimate, value: FloatArray, sampling: FloatArray, noise: FloatArray, group: str
) -> Estimate:
    """Return an estimate with the errors shown: schools go together as they do, but no further."""
    cells = len(value)
    df = _DF[
        np.maximum(np.searchsorted(_DF, np.nan_to_num(exact.clusters) - 1, side="right"), 1) - 1
    ]
    clusters = np.where(np.isnan(value), np.nan, df + 1)
    squares = (exact.influence**2).sum(axis=0) * clusters / (clusters - 1)
    scale = np.nan_to_num(quotient(sampling, np.sqrt(squares)))
    rows = np.zeros((len(GROUPS), cells, cells))
    rows[GROUPS.index(group)] = np.diag(np.nan_to_num(noise))
    total = np.where(np.isnan(value), np.nan, np.hypot(sampling, noise))
    return Estimate(
        value,
        total,
        clusters - 1,
        clusters,
        np.full(cells, np.nan),
        np.nan_to_num(exact.influence * scale),
        np.full((1, cells), np.nan),
        rows.reshape(-1, cells),
    )


def _hidden_status(status: NDArray[np.object_], hidden: Flags) -> NDArray[np.object_]:
    """Return c where a number is hidden; a year without data stays x."""
    unseen = hidden & (status != names.UNAVAILABLE)
    return np.where(unseen, names.CONFIDENTIAL, status).astype(object)
