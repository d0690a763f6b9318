"""The metrics that are known, by name."""

from types import MappingProxyType

from vsh_eval.contracts import ContractError, nearest
from vsh_eval.registry import attainment, attendance
from vsh_eval.registry.entry import Metric, Topic

_metrics: dict[str, Metric] = {
    entry.name: entry for entry in (*attendance.ENTRIES, *attainment.ENTRIES)
}
METRICS = MappingProxyType(_metrics)
"""Every metric, by name, in the order of the report."""


def metric(name: str) -> Metric:
    """Return the registry's entry for a metric.

    Raises
    ------
    ContractError
        If no metric has that name, listing the names there are, and the nearest.

    Examples
    --------
    >>> metric("overall_absence").unit
    '%'
    """
    try:
        return METRICS[name]
    except KeyError:
        raise ContractError(
            f"metric is {name!r}, must be one of {', '.join(METRICS)}"
            + (nearest(name, METRICS) or "; add a new one with vsh_eval.registry.register.")
        ) from None


def register(entry: Metric) -> None:
    """Add a metric; every room knows it from then on.

    Raises
    ------
    ContractError
        If the name is taken.
    """
    if entry.name in METRICS:
        raise ContractError(f"metric {entry.name!r} is registered already; choose another name.")
    _metrics[entry.name] = entry


def of_topic(topic: Topic) -> tuple[Metric, ...]:
    """Return the metrics of one topic, in the order of the report.

    Examples
    --------
    >>> [m.name for m in of_topic("suspension")]
    ['suspension_rate', 'pupils_suspended', 'permanent_exclusion']
    """
    return tuple(entry for entry in METRICS.values() if entry.topic == topic)
