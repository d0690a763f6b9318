"""What may stand between exact sums and what is shown of them; here the one that changes nothing.

Every number that is measured of children passes one of three methods, so that a released table is
the same function of protected cells as an internal one is of exact cells.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vsh_eval.cells.level import FloatArray, Level
from vsh_eval.registry import Metric


class Shield(Protocol):
    """Protects numbers of children before anything is worked out from them."""

    def level(self, level: Level, metric: Metric, group: str) -> Level:
        """Return a group's level as it may be shown."""
        ...

    def count(
        self,
        pupils: FloatArray,
        keys: NDArray[np.int64],
        *,
        schools: FloatArray,
        largest: FloatArray,
    ) -> FloatArray:
        """Return numbers of children as they may be shown; NaN where one may not.

        ``schools`` is how many schools they are in, ``largest`` how many are in one school.
        """
        ...

    def statistic(self, base: Level, metric: Metric, name: str) -> tuple[FloatArray, FloatArray]:
        """Return what to add to a statistic of the children behind a level, and its noise.

        The noise is as in `vsh_eval.numerics.levels.ratios.Estimate`: rows of standard deviations.
        """
        ...

    def rounded(self, values: FloatArray) -> FloatArray:
        """Return what describes all children together, as finely as it may be shown."""
        ...

    def shown_pupils(self, pupils: FloatArray) -> FloatArray:
        """Return protected numbers of children as tables display them."""
        ...

    def adults(self, people: FloatArray) -> FloatArray:
        """Return numbers of adults, who have no record keys, as they may be shown."""
        ...

    def of_schools(self, values: FloatArray, schools: FloatArray) -> FloatArray:
        """Return sums over schools; NaN where too few schools make them."""
        ...


class _Exact:
    """Shows everything as it is: for use inside the authority, and for published figures."""

    def level(self, level: Level, metric: Metric, group: str) -> Level:
        del metric, group
        return level

    def count(
        self,
        pupils: FloatArray,
        keys: NDArray[np.int64],
        *,
        schools: FloatArray,
        largest: FloatArray,
    ) -> FloatArray:
        del keys, schools, largest
        return pupils

    def statistic(self, base: Level, metric: Metric, name: str) -> tuple[FloatArray, FloatArray]:
        del metric, name
        return np.zeros(len(base.level)), np.zeros((0, len(base.level)))

    def rounded(self, values: FloatArray) -> FloatArray:
        return values

    def shown_pupils(self, pupils: FloatArray) -> FloatArray:
        return pupils

    def adults(self, people: FloatArray) -> FloatArray:
        return people

    def of_schools(self, values: FloatArray, schools: FloatArray) -> FloatArray:
        del schools
        return values


EXACT: Shield = _Exact()
"""The shield that changes nothing."""
