"""How far the offer has reached, made safe: margins only, and none that tells a hidden one."""

from collections import Counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.contracts import require_columns
from vsh_eval.release.counts import (
    counts_of,
    few_settings,
    floats,
    put,
    refuse_parts,
    rounded_by_phase,
    with_status,
)
from vsh_eval.release.cube import RoundedCube
from vsh_eval.release.guarded import Guarded
from vsh_eval.release.rounding import people, significant
from vsh_eval.release.rules import Rule

FloatArray = NDArray[np.float64]
Flags = NDArray[np.bool_]

ANY = "any"
HEADCOUNT = "overall_absence"
"""The metric whose pupils are the headcount of the reach."""
PER_100 = {
    "staff_per_100_pupils": ("staff_trained", "pupils"),
    "hours_per_100_pupils": ("hours", "pupils"),
}
NOTE = (
    "Numbers of pupils and staff are rounded to the nearest 5 and hidden (c) under 10, with "
    "whatever would tell them; shares and rates are worked out from the numbers shown."
)


def protect_reach(table: pd.DataFrame, rule: Rule, cube: RoundedCube | None = None) -> Guarded:
    """Show how many schools and pupils the offer reached.

    Only margins are shown: programmes and tiers over all phases, phases over all programmes. The
    numbers of a row's offer are hidden together: where one or two schools are trained, or all but
    one or two; where the pupils reached, or what is shown for them, are fewer than the threshold;
    where all but fewer than the threshold are reached. Where one row of a margin is hidden, so is
    a second one, the smallest: else it would follow from the total. No school trained means no
    pupil reached: that nought is shown.

    Parameters
    ----------
    table : DataFrame
        Reach: time_period, phase, schools, schools_trained, pupils, pupils_reached, and of
        programme, tier, group and the depth columns what it distinguishes.
    rule : Rule
        The disclosure rule.
    cube : RoundedCube, optional
        Where given (and the table has ``group``), pupils are the cube's rounded ones, so that one
        number of children is never rounded twice.

    Raises
    ------
    ContractError
        If a column is missing.
    DisclosureError
        If a count is negative, or a part larger than its whole.
    """
    require_columns(table, ("schools", "schools_trained", "pupils", "pupils_reached"), name="reach")
    out = (table if rule.exact else table[_is_margin(table)]).reset_index(drop=True).copy()
    hidden = Counter[str]()
    schools, trained = counts_of(out, "schools"), counts_of(out, "schools_trained")
    pupils, reached = counts_of(out, "pupils"), counts_of(out, "pupils_reached")
    refuse_parts(((trained, schools, "schools_trained"), (reached, pupils, "pupils_reached")))
    shown = _headcount(out, rule, cube)
    shown_reached = np.where(
        reached == pupils, shown, np.minimum(rounded_by_phase(out, "pupils_reached", rule), shown)
    )
    few_schools = few_settings(schools, rule)
    few_pupils = ~(np.minimum(pupils, shown) >= rule.threshold) | few_schools
    few_reached = ~(np.minimum(reached, shown_reached) >= rule.threshold) & (trained != 0)
    rest = np.minimum(pupils - reached, shown - shown_reached)
    unseen = few_reached | few_pupils | ((pupils > reached) & (rest < rule.threshold))
    unseen |= few_settings(trained, rule) | few_settings(schools - trained, rule) | few_schools
    if "staff_trained" in out:
        staff = counts_of(out, "staff_trained")
        unseen |= (staff > 0) & (staff < rule.threshold)
    if not rule.exact:
        _hide_seconds(out, unseen, trained)
    put(out, "schools", schools, few_schools, hidden, "schools")
    put(out, "schools_trained", trained, unseen & (trained != 0), hidden, "schools")
    put(out, "pupils", shown, few_pupils, hidden, "threshold")
    put(out, "pupils_reached", shown_reached, unseen, hidden, "threshold")
    _depth(out, rule, unseen & (trained != 0), hidden)
    _shares(out)
    return with_status(out, hidden, (NOTE,))


def _is_margin(table: pd.DataFrame) -> Flags:
    """Keep programmes and tiers over all phases, and phases over all programmes and tiers."""
    everything = np.ones(len(table), dtype=np.bool_)
    total, programme, tier = (
        (table[column] == whole).to_numpy(dtype=bool) if column in table else everything
        for column, whole in (("phase", names.TOTAL), ("programme", ANY), ("tier", ANY))
    )
    return (total & programme) | (total & tier) | (programme & tier)


def _headcount(out: pd.DataFrame, rule: Rule, cube: RoundedCube | None) -> FloatArray:
    """Return the pupils shown: the cube's where there is one, else rounded phase by phase."""
    if rule.exact or cube is None or "group" not in out:
        return rounded_by_phase(out, "pupils", rule)
    cells = cube.cells[cube.cells["metric"] == HEADCOUNT]
    keys = ["time_period", "phase", "group"]
    known = out[keys].merge(cells[[*keys, "pupils"]], how="left", on=keys, validate="many_to_one")
    return np.where(np.isnan(counts_of(out, "pupils")), np.nan, floats(known, "pupils"))


def _hide_seconds(out: pd.DataFrame, unseen: Flags, trained: FloatArray) -> None:
    """Hide a second row of every margin that has one hidden; the total where none is left."""
    for whole, parts in _margins(out):
        given = parts[trained[parts] > 0]
        alone = given[unseen[given]]
        if len(alone) == 1 and not unseen[whole]:
            others = given[~unseen[given]]
            unseen[others[np.argmin(trained[others])] if len(others) else whole] = True


def _margins(out: pd.DataFrame) -> list[tuple[int, NDArray[np.intp]]]:
    """Return every total with the rows that add up to it, year by year, as positions."""
    given = [name for name in ("phase", "programme", "tier") if name in out]
    is_whole = {
        name: (out[name] == (names.TOTAL if name == "phase" else ANY)).to_numpy(dtype=bool)
        for name in given
    }
    margins = []
    for _, block in out.groupby("time_period") if "time_period" in out else [("", out)]:
        here = out.index.isin(block.index)
        top = here & np.all(list(is_whole.values()), axis=0) if given else here & False
        for name in given:
            others = [is_whole[other] for other in given if other != name]
            parts = here & ~is_whole[name] & np.all(others, axis=0) if others else here & ~top
            if top.any() and parts.any():
                margins.append((int(np.flatnonzero(top)[0]), np.flatnonzero(parts)))
    return margins


def _depth(out: pd.DataFrame, rule: Rule, unseen: Flags, hidden: Counter[str]) -> None:
    """Hide and round staff, hours and cost: one or two schools' training is theirs alone."""
    if "staff_trained" in out:
        staff = counts_of(out, "staff_trained")
        put(out, "staff_trained", people(staff, rule), unseen, hidden, "threshold")
    for column in ("hours", "cost"):
        if column in out:
            value = counts_of(out, column)
            value = value if rule.exact else significant(value, 3)
            put(out, column, value, unseen & (value != 0), hidden, "schools", whole=False)


def _shares(out: pd.DataFrame) -> None:
    """Work shares and rates out again, from the counts shown."""
    ratios = {
        "share_schools": ("schools_trained", "schools", _scale_of(out, "share_schools")),
        "share_pupils": ("pupils_reached", "pupils", _scale_of(out, "share_pupils")),
        **{name: (*parts, 100.0) for name, parts in PER_100.items()},
    }
    for name, (part, whole, scale) in ratios.items():
        if name in out and part in out:
            with np.errstate(divide="ignore", invalid="ignore"):
                ratio = floats(out, part) / floats(out, whole)
            out[name] = np.round(scale * np.where(np.isfinite(ratio), ratio, np.nan), 4)


def _scale_of(out: pd.DataFrame, column: str) -> float:
    """Return 100 where the table's shares are percentages, 1 where they are proportions."""
    return 100.0 if column in out and (floats(out, column) > 1).any() else 1.0
