"""How far the offer has reached, made safe: margins only, and none that tells a hidden one."""

from collections import Counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names
from vsh_eval.contracts import require_columns
from vsh_eval.release.disclosure.counts import (
    Flags,
    FloatArray,
    counts_of,
    few_settings,
    floats,
    put,
    refuse_parts,
    rounded_by_phase,
    with_status,
)
from vsh_eval.release.disclosure.cube import RoundedCube
from vsh_eval.release.disclosure.guarded import Guarded
from vsh_eval.release.disclosure.rounding import people, significant
from vsh_eval.release.disclosure.rules import Rule

ANY = "any"
HEADCOUNT = "overall_absence"
"""The metric whose pupils are the headcount of the reach."""
PER = {
    "staff_per_100_pupils": ("staff_trained", "pupils", 100.0),
    "hours_per_100_pupils": ("hours", "pupils", 100.0),
    "staff_per_school": ("staff_trained", "schools_ever", 1.0),
    "hours_per_school": ("hours", "schools_ever", 1.0),
    "cost_per_school": ("cost", "schools_ever", 1.0),
    "cost_per_pupil_year": ("cost", "pupil_years_reached", 1.0),
}
"""Ratios of shown numbers: part, whole and scale."""
WHOLES = {"phase": names.TOTAL, "programme": ANY, "tier": ANY, "audience": ANY}
"""What a row holds that singles nothing out."""
NOTE = (
    "Numbers of pupils and staff are rounded to the nearest 5 and hidden (c) under 10, with "
    "whatever would tell them; shares and rates are worked out from the numbers shown."
)


def protect_reach(table: pd.DataFrame, rule: Rule, cube: RoundedCube | None = None) -> Guarded:
    """Show how many schools and pupils the offer reached.

    Only margins are shown: programmes, tiers and audiences over all phases, phases over all
    programmes. The numbers of a row's offer are hidden together: where one or two schools are
    trained, or all but one or two; where the pupils reached, or what is shown for them, are fewer
    than the threshold; where all but fewer than the threshold are reached. Where one row of a
    margin is hidden, so is a second one, the smallest: else it would follow from the total. No
    school trained means no pupil reached: that nought is shown. A number of pupils that is not
    known (a year without headcount) is missing without being hidden. Pupil-years, growth and
    everything per pupil or school are worked out from the numbers shown.

    Parameters
    ----------
    table : DataFrame
        Reach: time_period, phase, schools, schools_trained, pupils, pupils_reached, and of
        programme, tier, audience, group and the depth columns what it distinguishes.
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
    shown, shown_reached = shown_people(out, rule, cube)
    few_schools = few_settings(schools, rule)
    few_pupils = (np.minimum(pupils, shown) < rule.threshold) | few_schools
    unseen = few_reached(pupils, reached, (shown, shown_reached), rule) & (trained != 0)
    unseen |= few_pupils | few_settings(trained, rule) | few_settings(schools - trained, rule)
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
    derive(out)
    _growth_from_hidden(out)
    return with_status(out, hidden, (NOTE,))


def shown_people(
    out: pd.DataFrame, rule: Rule, cube: RoundedCube | None
) -> tuple[FloatArray, FloatArray]:
    """Return the numbers of pupils shown, all and those reached, before any is hidden."""
    pupils, reached = counts_of(out, "pupils"), counts_of(out, "pupils_reached")
    shown = _headcount(out, rule, cube)
    rounded = np.minimum(rounded_by_phase(out, "pupils_reached", rule), shown)
    if not rule.exact:
        _round_once(out, rounded)
    return shown, np.where(reached == pupils, shown, rounded)


def _round_once(out: pd.DataFrame, rounded: FloatArray) -> None:
    """Give a part that has trained every school of its whole the whole's number of pupils.

    The same number of schools are the same schools, and of them the same pupils: a second number
    beside the first would narrow both, and the phases that the first is the sum of.
    """
    trained, reached = counts_of(out, "schools_trained"), counts_of(out, "pupils_reached")
    for whole, parts in _margins(out):
        same = parts[(trained[parts] == trained[whole]) & (reached[parts] == reached[whole])]
        rounded[same] = rounded[whole]


def few_reached(
    pupils: FloatArray, reached: FloatArray, shown: tuple[FloatArray, FloatArray], rule: Rule
) -> Flags:
    """Mark where those reached, or those not reached, are few, truly or as shown."""
    rest = np.minimum(pupils - reached, shown[0] - shown[1])
    few = np.minimum(reached, shown[1]) < rule.threshold
    return few | ((pupils > reached) & (rest < rule.threshold))


def _is_margin(table: pd.DataFrame) -> Flags:
    """Keep rows that single out at most one of phase, programme, tier and audience."""
    singled_out = np.zeros(len(table), dtype=np.int64)
    for column, whole in WHOLES.items():
        if column in table:
            singled_out += (table[column] != whole).to_numpy(dtype=np.int64)
    return singled_out <= 1


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
    given = [name for name in WHOLES if name in out]
    is_whole = {name: (out[name] == WHOLES[name]).to_numpy(dtype=bool) for name in given}
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
    if "schools_ever" in out:
        ever = counts_of(out, "schools_ever")
        put(out, "schools_ever", ever, unseen | few_settings(ever, rule), hidden, "schools")


def derive(out: pd.DataFrame) -> None:
    """Work out what follows from the counts shown: those not reached, shares, ratios, growth."""
    if "pupils_not_reached" in out:
        out["pupils_not_reached"] = out["pupils"] - out["pupils_reached"]
    if "pupil_years_reached" in out:
        out["pupil_years_reached"] = _pupil_years(out)
    _shares(out)
    for column in [name for name in out if str(name).startswith("growth_")]:
        out[column] = _growth(out, str(column).removeprefix("growth_"))


def _keys(out: pd.DataFrame) -> list[str]:
    return [name for name in (*WHOLES, "group") if name in out]


def _pupil_years(out: pd.DataFrame) -> pd.Series:
    """Add the pupils reached, as shown, up to each year; missing once one of them is not shown."""
    begun = out["time_period"].ge(out["first_year"]) & (out["first_year"] > 0)
    unknown = out["pupil_years_reached"].isna() & begun
    reached = out["pupils_reached"].astype("Float64").mask(~begun, 0.0).mask(unknown)
    order = out.sort_values("time_period", kind="stable").index
    sums = reached[order].groupby([out.loc[order, key] for key in _keys(out)], dropna=False)
    missing = reached[order].isna().groupby([out.loc[order, key] for key in _keys(out)])
    total = sums.cumsum().mask(missing.cummax())
    return total.reindex(out.index).astype("Int64")


def _growth(out: pd.DataFrame, share: str) -> FloatArray:
    """Return a shown share less what is shown of it for the offer's first year."""
    keys = _keys(out)
    first = out.loc[out["time_period"] == out["first_year"], [*keys, share]]
    start = out[keys].merge(first, how="left", on=keys, validate="many_to_one")[share]
    begun = (out["first_year"] > 0) & (out["time_period"] >= out["first_year"])
    return np.where(begun, np.round(floats(out, share) - start.to_numpy("float64"), 4), np.nan)


def _growth_from_hidden(out: pd.DataFrame) -> None:
    """Mark rows in which a number is missing because one of an earlier year is hidden."""
    if not {"first_year", "growth_share_schools"} <= set(out):
        return
    keys = _keys(out)
    hidden = out[(out["status"] == names.CONFIDENTIAL) & out["schools_trained"].isna()]
    earliest = hidden.groupby(keys, dropna=False)["time_period"].min().rename("_hidden")
    since = out[keys].merge(earliest.reset_index(), how="left", on=keys)["_hidden"]
    later = (out["time_period"] > since.to_numpy()) & out["growth_share_schools"].isna()
    out["status"] = out["status"].mask(later & (out["status"] == ""), names.CONFIDENTIAL)


def _shares(out: pd.DataFrame) -> None:
    """Work shares and rates out again, from the counts shown."""
    shares = {
        "share_schools": ("schools_trained", "schools"),
        "share_pupils": ("pupils_reached", "pupils"),
    }
    for name, (part, whole) in shares.items():
        if name in out and part in out:
            ratio = _quotient(out, part, whole)
            out[name] = np.round(_scale_of(floats(out, name), ratio) * ratio, 4)
    for name, (part, whole, scale) in PER.items():
        if name in out and part in out and whole in out:
            out[name] = np.round(scale * _quotient(out, part, whole), 4)


def _quotient(out: pd.DataFrame, part: str, whole: str) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = floats(out, part) / floats(out, whole)
    return np.where(np.isfinite(ratio), ratio, np.nan)


def _scale_of(given: FloatArray, ratio: FloatArray) -> float:
    """Return 1 where the table's shares are proportions, 100 where they are percentages."""
    both = np.isfinite(given) & np.isfinite(ratio) & (ratio > 0)
    apart = [np.abs(given[both] - scale * ratio[both]).sum() for scale in (1.0, 100.0)]
    return 1.0 if both.any() and apart[0] < apart[1] else 100.0
