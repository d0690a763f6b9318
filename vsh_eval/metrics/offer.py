"""The whole training offer in one go: reach, equity, depth, overlap and cost."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from vsh_eval.metrics.equity import equity
from vsh_eval.metrics.need import area_bands, baseline_gap_bands, deprivation_bands
from vsh_eval.metrics.reach_by_band import reach_by_band
from vsh_eval.metrics.training_offer import (
    programme_overlap,
    training_records,
    years_to_second_programme,
)
from vsh_eval.metrics.training_reach import audience_reach, training_reach

_LEAST = 3
"""Combinations of programmes in fewer schools stand together."""


@dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """What the training log, the schools and the panel say of the offer.

    Attributes
    ----------
    reach : DataFrame
        `training_reach`, by programme, tier and phase.
    audiences : DataFrame
        `audience_reach`.
    by_deprivation, by_baseline_gap : DataFrame
        `reach_by_band`; of the baseline gap over all phases only.
    coverage : DataFrame
        `reach_by_band` by area and phase; by deprivation and phase where schools have no areas.
    equity : DataFrame
        `equity` over deprivation and baseline gap.
    overlap, waits, records : DataFrame
        `programme_overlap`, `years_to_second_programme` and `training_records`.
    """

    reach: pd.DataFrame
    audiences: pd.DataFrame
    by_deprivation: pd.DataFrame
    by_baseline_gap: pd.DataFrame
    coverage: pd.DataFrame
    equity: pd.DataFrame
    overlap: pd.DataFrame
    waits: pd.DataFrame
    records: pd.DataFrame


def measure_offer(
    training: pd.DataFrame,
    schools: pd.DataFrame,
    panel: pd.DataFrame,
    *,
    years: Sequence[int],
    metric: str,
    group: str,
    reference: str,
) -> Offer:
    """Measure the training offer.

    Parameters
    ----------
    training, schools, panel, years, group
        As for `training_reach`; ``training`` has `audience` as well.
    metric : str
        The outcome whose gap before any training says which schools had the widest.
    reference : str
        The gap is group minus reference.

    Returns
    -------
    Offer
        Whole for any log, an empty one too; what cannot be told is missing in its tables.

    Raises
    ------
    ContractError
        As for `training_reach` and `baseline_gap_bands`.
    """
    deprivation = deprivation_bands(schools)
    gap = baseline_gap_bands(
        panel, training, schools, metric=metric, group=group, reference=reference
    )
    area = area_bands(schools)
    known = (training, schools, panel)
    by_deprivation = reach_by_band(*known, deprivation, years=years, group=group)
    return Offer(
        reach=training_reach(*known, years=years, group=group),
        audiences=audience_reach(*known, years=years, group=group),
        by_deprivation=by_deprivation,
        by_baseline_gap=reach_by_band(*known, gap, years=years, group=group, by_phase=False),
        # One banding of the same schools, not two: else the difference of two bands is few schools.
        coverage=by_deprivation
        if area.name == deprivation.name
        else reach_by_band(*known, area, years=years, group=group),
        equity=equity(*known, (deprivation, gap), years=years, group=group),
        overlap=programme_overlap(training, least=_LEAST),
        waits=years_to_second_programme(training),
        records=training_records(training),
    )
