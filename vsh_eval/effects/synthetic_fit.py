"""Units against their mixtures, and the same where nothing happened."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from vsh_eval.effects.synthetic_panel import LEAST_DONORS, Balanced
from vsh_eval.numerics import placebos
from vsh_eval.numerics.synthetic import Method, Mixture, Solver, mixture

Floats = npt.NDArray[np.float64]

MOST_DRAWS = 200
"""Placebo draws where several units are treated; a single one has each donor as a placebo."""
MATERIAL = 0.05
"""Weight from which on a donor is left out once, to see whether the result hangs on it."""


class Fit(NamedTuple):
    """The treated units of each cohort against their mixture."""

    mixtures: dict[int, Mixture]
    units: dict[int, int]

    def average(self) -> float:
        """Return the mean effect over treated units and periods."""
        values = [one.estimate for one in self.mixtures.values()]
        weights = [
            self.units[first] * (len(one.effects) - one.before)
            for first, one in self.mixtures.items()
        ]
        return float(np.average(values, weights=weights))

    def events(self) -> pd.Series:
        """Return the effect by periods since treatment, those before negative."""
        total: dict[int, tuple[float, int]] = {}
        for first, one in self.mixtures.items():
            for place, effect in enumerate(one.effects):
                value, count = total.get(place - one.before, (0.0, 0))
                total[place - one.before] = (
                    value + self.units[first] * float(effect),
                    count + self.units[first],
                )
        return pd.Series({index: total[index][0] / total[index][1] for index in sorted(total)})

    def rmspe(self, *, before: bool) -> float:
        """Return the root mean squared distance, cohorts weighted by their units."""
        parts = [
            (one.rmspe_before if before else one.rmspe_after) for one in self.mixtures.values()
        ]
        return float(np.sqrt(np.average(np.square(parts), weights=list(self.units.values()))))


def fit_units(
    panel: Balanced, treated: Mapping[str, int], method: Method, solver: Solver = "exact"
) -> Fit:
    """Set each cohort of treated units against the mixture of its donors."""
    cohorts: dict[int, list[str]] = {}
    for unit, first in treated.items():
        cohorts.setdefault(first, []).append(unit)
    found = {}
    for first, units in sorted(cohorts.items()):
        pool = [name for name in panel.pools[units[0]] if name not in treated]
        found[first] = mixture(
            panel.rows(pool),
            panel.rows(units).mean(axis=0),
            panel.before(first),
            method=method,
            solver=solver,
            treated_units=len(units),
        )
    return Fit(found, {first: len(units) for first, units in cohorts.items()})


def placebo_fits(panel: Balanced, method: Method, seed: int) -> dict[str, Fit]:
    """Make the same estimate where nothing happened: each donor once, or draws of as many."""
    donors = [unit for unit in panel.units if unit not in panel.cohorts]
    if len(panel.cohorts) == 1:
        (first,) = panel.cohorts.values()
        able = [unit for unit in donors if len(panel.pools[unit]) >= LEAST_DONORS]
        return {unit: fit_units(panel, {unit: first}, method) for unit in able}
    if len(donors) < len(panel.cohorts) + LEAST_DONORS:
        return {}
    rng = np.random.default_rng(seed)
    found = {}
    for draw in range(MOST_DRAWS):
        chosen = rng.choice(donors, size=len(panel.cohorts), replace=False)
        treated = dict(zip(map(str, chosen), panel.cohorts.values(), strict=True))
        found[f"draw {draw + 1}"] = fit_units(panel, treated, method)
    return found


def placebo_table(panel: Balanced, others: Mapping[str, Fit], *, alpha: float) -> pd.DataFrame:
    """List the placebos: estimate, distances before and after, scale, compared or not."""
    table = pd.DataFrame(
        {
            "unit": list(others),
            "estimate": [fit.average() for fit in others.values()],
            "rmspe_before": [fit.rmspe(before=True) for fit in others.values()],
            "rmspe_after": [fit.rmspe(before=False) for fit in others.values()],
        }
    ).astype({"unit": "str"})
    sizes = _known_sizes(panel, table)
    if sizes is None:
        return table.assign(scale=1.0, compared=True)
    at, own = sizes
    spread = placebos.size_spread(
        table["estimate"].to_numpy(np.float64), at, np.concatenate([at, [own]])
    )
    scale = spread[-1] / spread[:-1] if (spread > 0).all() else np.ones(len(at))
    return table.assign(scale=scale, compared=placebos.nearest_sizes(at, own, alpha=alpha))


def _known_sizes(panel: Balanced, table: pd.DataFrame) -> tuple[Floats, float] | None:
    """Return the placebos' sizes and the unit's own; none where placebos cannot be told by size."""
    if panel.sizes is None or len(panel.cohorts) != 1 or len(table) < LEAST_DONORS:
        return None
    sizes = pd.Series(panel.sizes, index=list(panel.units))
    at = np.asarray(sizes[table["unit"]], dtype=np.float64)
    own = float(sizes[next(iter(panel.cohorts))])
    return (at, own) if (at > 0).all() and own > 0 else None


def leave_one_out(panel: Balanced, own: Fit, method: Method) -> pd.DataFrame:
    """Leave out each donor of some weight, to see whether one of them carries the result."""
    rows = []
    if len(panel.cohorts) == 1 and len(panel.pools[next(iter(panel.cohorts))]) > LEAST_DONORS:
        ((unit, first),) = panel.cohorts.items()
        pool = panel.pools[unit]
        (one,) = own.mixtures.values()
        for place, name in enumerate(pool):
            if one.weights[place] >= MATERIAL:
                rest = [other for other in pool if other != name]
                treated = panel.rows([unit])[0]
                again = mixture(panel.rows(rest), treated, panel.before(first), method=method)
                rows.append((name, again.estimate))
    return pd.DataFrame(rows, columns=["unit", "estimate"])
