"""The estimate under every defensible set of choices, and which choices they are."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas

from vsh_eval import registry
from vsh_eval.contracts import require_columns
from vsh_eval.release.disclosure.safe import SafeTable
from vsh_eval.release.figures import palette
from vsh_eval.release.figures.base import STAMP_STRIP, Figure, name_axis, to_png
from vsh_eval.release.rows import part_of
from vsh_eval.release.text.labels import metric_in_text, value_label
from vsh_eval.release.text.phrases import limits, number

CHOICES = {
    "group": "Whose gap",
    "reference": "Compared with",
    "covid_years": "Covid years",
    "weights": "Weighted by",
    "year_before": "Year before training",
    "year_effects": "Year effects",
    "estimator": "Estimator",
}
"""The choices that are varied, and what a reader calls them."""
_ROW, _CURVE, _LEFT, _EDGE = 0.25, 3.0, 3.1, 0.15


def draw_specifications(safe: SafeTable, *, metric: str, confidence: float = 95) -> Figure:
    """Draw the estimates in the order of their size, above the choices that each stands for.

    Parameters
    ----------
    safe : SafeTable
        An ``estimates`` table of a specification curve: rank, preregistered, the choices, and
        estimate, ci_lower, ci_upper.
    metric : str
        The outcome.
    confidence : float
        The intervals' confidence in per cent, for the words only.

    Returns
    -------
    Figure
        Above, the estimates with their intervals, the chosen one large; below, a mark wherever an
        estimate makes a choice. Choices that no estimate varies are left out.

    Raises
    ------
    ContractError
        If no row fits or a column is missing.
    """
    data = part_of(safe, metric=metric)
    require_columns(data.frame, ["preregistered", *CHOICES], name="the specification curve")
    shown = data.frame[data.frame["estimate"].notna()].sort_values("estimate", kind="stable")
    shown = shown.reset_index(drop=True)
    kinds = _kinds(shown)
    unit = registry.metric(metric).gap_unit
    strip = STAMP_STRIP if data.stamp else 0.0
    below = _ROW * (sum(len(values) for values in kinds.values()) + len(kinds))
    total = strip + 0.6 + _CURVE + 0.15 + below + 0.15
    with palette.chart_style():
        figure = Canvas(figsize=(palette.WIDTH, total))
        FigureCanvasAgg(figure)
        width = 1 - (_LEFT + _EDGE) / palette.WIDTH
        left = _LEFT / palette.WIDTH
        top = 1 - (strip + 0.6 + _CURVE) / total
        curve = figure.add_axes((left, top, width, _CURVE / total))
        grid = figure.add_axes((left, 0.15 / total, width, below / total))
        _draw_curve(curve, shown)
        _draw_choices(grid, shown, kinds)
        name_axis(curve, f"Effect on the gap in {metric_in_text(metric)} ({unit})")
        png = to_png(figure, data.stamp)
    title = f"Effect on the gap in {metric_in_text(metric)} under {len(shown)} sets of choices"
    marked = f" Marked: {data.stamp}." if data.stamp else ""
    return Figure(
        png=png,
        alt=f"Specification curve. {title}. {_told(shown)}{marked}",
        caption=f"{title}, from the lowest up. Grey: {confidence:g}% intervals. Large point: the "
        "choices of the protocol. Marks below: which choices an estimate makes.",
        data=data,
        name=f"specifications_{metric}",
        columns=("rank", *CHOICES, "estimate", "ci_lower", "ci_upper"),
    )


def _kinds(shown: pd.DataFrame) -> dict[str, list[str]]:
    kinds = {name: list(dict.fromkeys(shown[name].astype(str))) for name in CHOICES}
    return {name: sorted(values) for name, values in kinds.items() if len(values) > 1}


def _draw_curve(axes: Axes, shown: pd.DataFrame) -> None:
    axes.axhline(0, color=palette.TEXT, lw=1.2, zorder=2.5)
    own = shown["preregistered"].astype(bool)
    axes.vlines(shown.index, shown["ci_lower"], shown["ci_upper"], color="#BFBFBF", lw=1.3)
    axes.plot(shown.index, shown["estimate"], ls="none", marker="o", ms=3, color=palette.DARK_BLUE)
    for place in shown.index[own]:
        row = shown.loc[place]
        axes.vlines([place], row["ci_lower"], row["ci_upper"], color=palette.DARK_PINK, lw=2.4)
        axes.plot([place], [row["estimate"]], marker="D", ms=9, color=palette.DARK_PINK)
    axes.set_xlim(-1, len(shown))
    axes.set_xticks([])


def _draw_choices(axes: Axes, shown: pd.DataFrame, kinds: dict[str, list[str]]) -> None:
    axes.grid(visible=False)
    own = shown["preregistered"].astype(bool)
    height = 0
    for name, values in kinds.items():
        _write(axes, height, CHOICES[name], bold=True)
        for value in values:
            height -= 1
            _write(axes, height, value_label(name, value), bold=False)
            made = shown[name].astype(str).eq(value)
            for part, colour in ((made & ~own, palette.DARK_BLUE), (made & own, palette.DARK_PINK)):
                axes.plot(
                    shown.index[part],
                    [height] * int(part.sum()),
                    ls="none",
                    marker="|",
                    ms=8,
                    mew=1.6 if colour == palette.DARK_BLUE else 3.2,
                    color=colour,
                )
        height -= 1
    axes.set_ylim(height + 0.5, 0.6)
    axes.set_xlim(-1, len(shown))
    axes.set_axis_off()


def _write(axes: Axes, height: float, text: str, *, bold: bool) -> None:
    axes.text(
        0.02 - _LEFT / (palette.WIDTH - _LEFT - _EDGE) + (0.0 if bold else 0.03),
        height,
        text,
        transform=axes.get_yaxis_transform(),
        va="center",
        fontsize=10.5,
        fontweight="bold" if bold else "normal",
    )


def _told(shown: pd.DataFrame) -> str:
    if shown.empty:
        return "No estimate is shown."
    low, high = float(shown["estimate"].min()), float(shown["estimate"].max())
    below = int((shown["ci_upper"] < 0).sum())
    above = int((shown["ci_lower"] > 0).sum())
    own = shown[shown["preregistered"].astype(bool)]
    chosen = ""
    if len(own):
        row = own.iloc[0]
        place = int(own.index[0]) + 1
        interval = limits(float(row["ci_lower"]), float(row["ci_upper"]))
        chosen = (
            f" The protocol's choices give {number(float(row['estimate']), signed=True)} "
            f"({interval}), number {place} of {len(shown)}."
        )
    return (
        f"Estimates go from {number(low, signed=True)} to {number(high, signed=True)}; {below} "
        f"intervals lie wholly below nought and {above} wholly above.{chosen}"
    )
