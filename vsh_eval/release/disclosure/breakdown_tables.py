"""Gaps by sex, free meals, SEN and key stage, recomputed from the leaves rounded for them."""

from collections import Counter

import pandas as pd

from vsh_eval import names
from vsh_eval.contracts import DisclosureError, require_columns
from vsh_eval.release.disclosure.breakdown_cube import RoundedBreakdowns
from vsh_eval.release.disclosure.guarded import Guarded
from vsh_eval.release.disclosure.leaf_tables import GAP_SHOWN, NOTES, protect_gaps

BREAKDOWN_SHOWN = (
    *(name for name in GAP_SHOWN[: GAP_SHOWN.index("metric")]),
    *("breakdown", "value"),
    *(name for name in GAP_SHOWN[GAP_SHOWN.index("metric") :]),
)
BREAKDOWN_NOTE = "Each characteristic is shown on its own and over all phases; no two are crossed."


def protect_breakdown(table: pd.DataFrame, cubes: RoundedBreakdowns) -> Guarded:
    """Show gaps by one characteristic at a time, as the rounded leaves have them.

    A value stands in the place of a phase: everything that holds for the gaps by phase holds here.

    Raises
    ------
    ContractError
        If a column is missing.
    DisclosureError
        If a row is about a single phase, so that two characteristics would be crossed, or about
        other children than the leaves.
    """
    require_columns(table, ("breakdown", "value", "phase"), name="gaps by a characteristic")
    if (table["phase"] != names.TOTAL).any():
        raise DisclosureError(
            "gaps by a characteristic hold rows of single phases, must be over all phases; no two "
            "characteristics are ever crossed."
        )
    unknown = sorted(set(table["breakdown"]) - set(cubes.cubes))
    if unknown:
        raise DisclosureError(
            f"breakdown is {unknown[0]!r}, must be one of {', '.join(cubes.cubes)}; its leaves "
            "have not been rounded."
        )
    frames, hidden = [], Counter[str]()
    for by, part in table.groupby("breakdown", sort=False):
        rows = part.reset_index(drop=True)
        found = protect_gaps(rows.assign(phase=rows["value"]), cubes.cubes[str(by)])
        frames.append(found.frame.assign(phase=names.TOTAL, breakdown=str(by), value=rows["value"]))
        hidden += found.hidden
    frame = pd.concat(frames, ignore_index=True) if frames else table
    columns = [name for name in BREAKDOWN_SHOWN if name in frame]
    return Guarded(frame[columns], hidden, (*NOTES, BREAKDOWN_NOTE))
