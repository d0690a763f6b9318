"""Which way a gap has moved: by its interval and the metric's direction, not by the sign alone."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vsh_eval import registry
from vsh_eval.metrics.measured import FloatArray


def direction(
    lower: FloatArray,
    upper: FloatArray,
    metric: registry.Metric,
    *,
    comparable: NDArray[np.bool_],
) -> NDArray[np.object_]:
    """Say on which side of zero the interval of a gap's change lies.

    Parameters
    ----------
    lower, upper : FloatArray
        Limits of the change, or of the change a year.
    metric : Metric
        A fall narrows where lower is better, a rise where higher is.
    comparable : bool array
        Whether the years may be compared at all.

    Returns
    -------
    array of str
        narrowed, widened, not clear where the interval spans zero, '' where there is no interval
        or the years cannot be compared.

    Examples
    --------
    >>> ends = np.array([-2.0, -1.0]), np.array([-0.5, 1.0])
    >>> direction(*ends, registry.metric("overall_absence"), comparable=np.array([True, True]))
    array(['narrowed', 'not clear'], dtype=object)
    """
    falls, rises = upper < 0, lower > 0
    narrows, widens = (falls, rises) if metric.lower_is_better else (rises, falls)
    unknown = ~comparable | np.isnan(lower) | np.isnan(upper)
    return np.select(
        [unknown, narrows, widens], ["", "narrowed", "widened"], default="not clear"
    ).astype(object)


def definition_changed(
    metric: registry.Metric, spans: Sequence[tuple[int, int]]
) -> NDArray[np.bool_]:
    """Return whether the series was redefined after the earlier year of each span of two years.

    Examples
    --------
    >>> definition_changed(registry.metric("overall_absence"), [(202223, 202324), (202324, 202425)])
    array([False,  True])
    """
    breaks = [
        entry.time_period for entry in registry.breaks_of(metric.name) if entry.kind == "definition"
    ]
    return np.array(
        [any(min(span) < changed <= max(span) for changed in breaks) for span in spans],
        dtype=bool,
    )
