"""How far the offer has reached in each band of need, by phase: whom it passes by."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from vsh_eval import names
from vsh_eval.metrics.need import NOT_KNOWN, Bands
from vsh_eval.metrics.places import find_places
from vsh_eval.metrics.training_reach import add_shares, count_reached

BAND_REACH_COLUMNS = (
    *("time_period", "phase", "group", "schools", "schools_trained", "share_schools", "pupils"),
    *("pupils_reached", "pupils_not_reached", "share_pupils"),
)
"""Columns of `reach_by_band`; the bands' own column stands after the phase."""


def reach_by_band(
    training: pd.DataFrame,
    schools: pd.DataFrame,
    panel: pd.DataFrame,
    bands: Bands,
    *,
    years: Sequence[int],
    group: str,
    by_phase: bool = True,
) -> pd.DataFrame:
    """Count schools and cohort pupils, reached and not, in each band.

    Parameters
    ----------
    training, schools, panel, years, group
        As for `training_reach`.
    bands : Bands
        Schools in bands; a school that it lacks is in `not_known`.
    by_phase : bool
        Whether every band is counted phase by phase as well.

    Returns
    -------
    DataFrame
        `BAND_REACH_COLUMNS` and a column named for the bands (their names, and `total`): all
        phases by band, every phase over all bands, and phase by band where asked for. The trained
        schools of the bands add up to the total, and so do pupils.

    Raises
    ------
    ContractError
        As for `training_reach`.
    """
    places = find_places(training, schools, panel, years=years, group=group)
    band = bands.units.set_index("unit_id")["band"].reindex(places.units).fillna(NOT_KNOWN)
    present = list(bands.order)
    if present and NOT_KNOWN not in present and (band == NOT_KNOWN).any():
        present.append(NOT_KNOWN)
    trained = places.trained(training)
    blocks = []
    for phase in [*places.present, names.TOTAL]:
        for one in [*(present if by_phase or phase == names.TOTAL else ()), names.TOTAL]:
            here = _within(places.phase, phase) & _within(band.to_numpy(object), one)
            found = count_reached(trained, places, here)
            blocks.append(found.assign(phase=phase, group=group, **{bands.name: one}))
    rows = add_shares(pd.concat(blocks, ignore_index=True))
    first, *rest = BAND_REACH_COLUMNS
    return rows[[first, "phase", bands.name, *rest[1:]]]


def _within(values: np.ndarray, wanted: str) -> np.ndarray:
    return np.ones(len(values), dtype=bool) if wanted == names.TOTAL else values == wanted
