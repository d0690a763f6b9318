"""The cube's cells beside the rows of a table: what each row may show, and how exactly."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vsh_eval import names, registry
from vsh_eval.contracts import DisclosureError
from vsh_eval.numerics.inference import t_critical
from vsh_eval.release.disclosure.cube import CELL_KEYS, RoundedCube
from vsh_eval.release.disclosure.hiding import traits
from vsh_eval.release.disclosure.rounding import significant

FloatArray = NDArray[np.float64]
STEP_OF_DF = 5
"""Degrees of freedom are taken in steps of as many values as a hidden count keeps."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One group's cells of the cube, row by row of a table.

    Numbers are NaN where the cube has no such cell; ``pupils`` and ``level`` also where hidden.
    ``share`` and ``rounded_n`` are the rounded numerator over N, and N; the ``true_`` ones stay
    inside and only set how wide an interval is. ``counted`` says whether the level is worked out
    from rounded whole numbers: of children, or of ``events``. ``first_published`` marks cells of an
    earlier release, which stay as they were.
    """

    known: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    events: NDArray[np.bool_]
    percent: NDArray[np.bool_]
    pupils: FloatArray
    level: FloatArray
    status: NDArray[np.object_]
    reason: NDArray[np.object_]
    true_pupils: FloatArray
    true_share: FloatArray
    share: FloatArray
    rounded_n: FloatArray
    scale: FloatArray
    first_published: NDArray[np.bool_]

    @classmethod
    def of(cls, table: pd.DataFrame, cube: RoundedCube, column: str) -> Self:
        """Look up the cells of the groups named in a column, row by row."""
        cells = cube._exact.set_index(list(CELL_KEYS))
        keys = table[list(CELL_KEYS)].assign(group=table[column])
        at = cells.index.get_indexer(pd.MultiIndex.from_frame(keys))
        known = at >= 0
        rows = cells.iloc[np.where(known, at, 0)]
        about = traits(table["metric"])

        def number(name: str) -> FloatArray:
            return np.where(known, rows[name].to_numpy("float64", na_value=np.nan), np.nan)

        with np.errstate(divide="ignore", invalid="ignore"):
            return cls(
                known=known,
                counted=about.whole,
                events=about.events,
                percent=about.percent,
                pupils=np.where(rows["pupils_status"] == "", number("pupils"), np.nan),
                level=number("level"),
                status=np.where(known, rows["status"].to_numpy(), ""),
                reason=np.where(known, rows["reason"].to_numpy(), ""),
                true_pupils=number("true_pupils"),
                true_share=np.where(
                    about.whole, number("true_numerator") / number("true_pupils"), np.nan
                ),
                share=number("numerator") / number("pupils"),
                rounded_n=number("pupils"),
                scale=about.scale,
                first_published=known & rows["first_published"].to_numpy(dtype=bool),
            )

    @property
    def shown(self) -> NDArray[np.bool_]:
        """Whether the level may be shown."""
        return np.isfinite(self.level)

    def variances(self, *, true: bool) -> FloatArray:
        """Squared error of a share of independent children or a rate of independent events.

        In the level's unit.
        """
        share, n = (self.true_share, self.true_pupils) if true else (self.share, self.rounded_n)
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.scale**2 * share * np.where(self.events, 1.0, 1 - share) / n

    def log_variances(self, *, true: bool) -> FloatArray:
        """Squared error of the logarithm of such a share or rate."""
        share, n = (self.true_share, self.true_pupils) if true else (self.share, self.rounded_n)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.events, 1.0, 1 - share) / (share * n)


def same_children(pupils: pd.Series, side: Side, cube: RoundedCube) -> None:
    """Refuse a table about other children than the cube's: its rounding would not fit them."""
    counted = pupils.to_numpy("float64", na_value=np.nan)
    there = np.isfinite(counted) & (counted > 0)
    expected = np.where(side.known, side.true_pupils, -1.0)
    strangers = int((there & (expected != counted)).sum())
    if strangers:
        raise DisclosureError(
            f"{strangers} rows are about other children than the cube of cohort rule "
            f"{cube.cohort_rule!r}, must be about the same; make the cube from the panel that the "
            "table was measured on."
        )


def joint_error(sides: Sequence[Side], *, true: bool) -> FloatArray:
    """Return the error of a sum or difference of shares of independent children."""
    return np.sqrt(np.sum([side.variances(true=true) for side in sides], axis=0))


def shown_error(
    error: FloatArray, counted: NDArray[np.bool_], simple: FloatArray, rounded: FloatArray
) -> FloatArray:
    """Return the standard error to show, to two significant figures.

    Where the metric counts children or events, an exact error would give the exact counts away: the
    error of independent ones at the rounded counts stands in, times the design effect's root to one
    decimal.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = np.maximum(np.round(error / simple, 1), 0.1)
    return significant(np.where(counted, effect * rounded, error))


def multiplier(
    table: pd.DataFrame, names_of: tuple[str, str, str, str], counted: NDArray[np.bool_]
) -> FloatArray:
    """Return how many shown standard errors an interval reaches.

    Where the metric counts children or events it is t of 95 %: the reach of the table's own
    interval depends on the exact counts and would give them away. Elsewhere it is that reach, which
    is t at the table's own level of confidence. Either way t is that of the degrees of freedom in
    whole fives, and hence never shorter: they are the number of schools less one, which is not
    shown where schools have one child each, and a limit over a standard error would tell it.

    Parameters
    ----------
    table : DataFrame
        With the columns named, and ``df``.
    names_of : tuple of str
        The columns of the value, its limits and its standard error.
    counted : bool array
        Whether the row's metric counts children or events.
    """
    value, lower, upper, error = names_of
    middle, spread = number_of(table, value), number_of(table, error)
    reach = np.fmax(number_of(table, upper) - middle, middle - number_of(table, lower))
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where(spread > 0, reach / spread, np.nan)
    degrees = number_of(table, "df")
    usable = degrees >= 1
    fives = np.where(degrees >= STEP_OF_DF, degrees // STEP_OF_DF * STEP_OF_DF, degrees)
    told, of_fives = (t_critical(np.where(usable, df, 1.0)) for df in (degrees, fives))
    longer = np.where(usable, of_fives / told, 1.0)
    return np.where(counted, np.where(usable, of_fives, np.nan), own * longer)


def put_share_bounds(
    out: pd.DataFrame, value: str, limits: tuple[str, str], half: FloatArray
) -> None:
    """Put an interval around a shown percentage, of the same width on the logit scale."""
    share = out[value].to_numpy("float64", na_value=np.nan) / 100
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.log(share / (1 - share))
        reach = half / 100 / (share * (1 - share))
        for limit, sign in zip(limits, (-1, 1), strict=True):
            out[limit] = np.round(100 / (1 + np.exp(-(odds + sign * reach))), 2)


def put_bounds(out: pd.DataFrame, value: str, limits: tuple[str, str], half: FloatArray) -> None:
    """Put an interval around a shown value."""
    middle = out[value].to_numpy("float64", na_value=np.nan)
    out[limits[0]], out[limits[1]] = np.round(middle - half, 2), np.round(middle + half, 2)


def row_status(table: pd.DataFrame, sides: Sequence[Side], value: pd.Series) -> NDArray[np.object_]:
    """Return c where anything is hidden; a row that never had a number keeps its own symbol."""
    symbol = table["status"].fillna("").to_numpy(dtype=object) if "status" in table else ""
    own = np.where((symbol == "") & value.isna().to_numpy(), names.UNAVAILABLE, symbol)
    hidden = np.any([side.status == names.CONFIDENTIAL for side in sides], axis=0)
    shown = np.all([side.shown for side in sides], axis=0)
    return np.where(hidden, names.CONFIDENTIAL, np.where(shown, "", own))


def direction(out: pd.DataFrame, name: str, metrics: pd.Series) -> NDArray[np.object_]:
    """Say whether a shown change narrows or widens the gap, by the side of nought its interval is.

    Parameters
    ----------
    out : DataFrame
        The shown limits: ``name`` with ``_lower`` and ``_upper``.
    name : str
        The change: ``change`` or ``trend``.
    metrics : Series
        Each row's metric; the gap of one that is better the lower it is narrows when it falls.

    Returns
    -------
    ndarray of object
        ``narrowed``, ``widened``, ``not clear`` where nought lies between the limits, '' where
        there are none.
    """
    lower, upper = number_of(out, f"{name}_lower"), number_of(out, f"{name}_upper")
    better_low = [registry.metric(str(metric)).lower_is_better for metric in metrics]
    falls, rises = upper < 0, lower > 0
    narrows, widens = np.where(better_low, falls, rises), np.where(better_low, rises, falls)
    silent = np.isnan(lower) | np.isnan(upper)
    said = np.select([silent, narrows, widens], ["", "narrowed", "widened"], default="not clear")
    return said.astype(object)


def hidden_by_reason(sides: Sequence[Side]) -> Counter[str]:
    """Count the hidden levels by reason, for the audit log."""
    return Counter(str(why) for side in sides for why in side.reason if why)


def number_of(table: pd.DataFrame, column: str) -> FloatArray:
    """Return a column as floats; NaN throughout where the table lacks it."""
    if column not in table:
        return np.full(len(table), np.nan)
    return table[column].to_numpy("float64", na_value=np.nan)


def whole_numbers(values: FloatArray) -> pd.Series:
    """Return counts as nullable integers."""
    return pd.Series(values, dtype="Float64").astype("Int64")


def quotient(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return first / second; NaN where that is no number."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = first / second
    return np.where(np.isfinite(ratio), ratio, np.nan)


def select(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return the columns there are, in the order given."""
    return table[[name for name in columns if name in table.columns]].reset_index(drop=True)
