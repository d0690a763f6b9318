"""Small safe tables that the tests of charts, sentences and pages share."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from unittest.mock import patch

import nbformat
import numpy as np
import pandas as pd

from vsh_eval.contracts import Gate, produces
from vsh_eval.release.disclosure import SafeTable, release_table, rule_named
from vsh_eval.release.disclosure.safe_table import read_back
from vsh_eval.release.figures import draw_event_study, draw_levels
from vsh_eval.release.pages.report import Card, KeyFigure, Summary, render_index, render_page
from vsh_eval.release.pages.show import show_figure, show_statement, show_table, show_text
from vsh_eval.release.text.pages.gaps import gap_sentence
from vsh_eval.release.text.safe_text import sentence

NAN = float("nan")
YEARS = (201819, 201920, 202021, 202122, 202223, 202324, 202425)
AUTHORITY = "E06000049"
POWER_CURVE = {"effect": [0.0, 0.5, 2.0], "share_found": [5.0, 20.0, 90.0],
               "share_found_lower": [3.0, 15.0, 85.0],
               "share_found_upper": [8.0, 25.0, 93.0]}  # fmt: skip
spoken = sentence(str)
"""Seals a text made by hand, as if a function of `vsh_eval.release.text` had said it."""


def sealed(frame: pd.DataFrame, kind: str, *, stamp: str = "", gate: Gate = "cells") -> SafeTable:
    """Seal a small table made by hand, as if a producer of that kind had made it.

    Columns that no released table has are refused, as at the door; the rule ``none`` changes no
    number, so what the frame holds is what is shown. The stamp is the one given.
    """
    columns = tuple(map(str, frame.columns))
    made = release_table(produces(kind, columns)(lambda: frame), rule=rule_named("none"))
    return read_back(made.frame, kind, stamp, gate)


def safe(rows: object, *, stamp: str = "") -> SafeTable:
    """Seal rows made by hand."""
    return sealed(pd.DataFrame(rows), "gaps", stamp=stamp)


def gap_rows(
    metric: str = "overall_absence",
    *,
    group: Sequence[float] = (12.1, NAN, 12.9, 15.8, 17.0, 17.4, 18.4),
    reference: Sequence[float] = (4.7, NAN, 4.6, 7.6, 7.4, 7.2, 6.8),
    status: str = "x",
    pupils: int = 640,
) -> pd.DataFrame:
    """Return rows of gaps, the intervals a point either side, for the seven years."""
    one, other = np.array(group), np.array(reference)
    frame = pd.DataFrame(
        {
            "geographic_level": "la",
            "unit_id": AUTHORITY,
            "time_period": YEARS,
            "phase": "total",
            "metric": metric,
            "group": "cwsw",
            "reference": "peers",
            "group_pupils": pd.array([pupils] * len(YEARS), dtype="Int64"),
            "reference_pupils": pd.array([9000] * len(YEARS), dtype="Int64"),
        }
    )
    for name, values in {
        "group_level": one,
        "reference_level": other,
        "gap": one - other,
        "ratio": one / np.where(other == 0, NAN, other),
    }.items():
        frame[name] = values
        frame[f"{name}_lower"], frame[f"{name}_upper"] = values - 1, values + 1
    hidden = frame["gap"].isna()
    return frame.assign(
        unit="%" if metric != "ks4_attainment8" else "points",
        cohort_rule="any_time_in_year",
        vintage="2026",
        status=np.where(hidden, status, ""),
    )


def arm_rows() -> pd.DataFrame:
    """Return the gaps of trained and untrained schools, the first trained in 2021/22."""
    trained = gap_rows(group=(10.9, NAN, 11.5, 13.4, 14.0, 14.0, 13.3)).assign(
        arm="trained", schools=136, schools_trained=[0, NAN, 0, 24, 60, 110, 136]
    )
    untrained = gap_rows().assign(arm="untrained", schools=104, schools_trained=0.0)
    return pd.concat([trained, untrained], ignore_index=True)


def estimate_row(**changes: object) -> dict[str, object]:
    """Return one estimate: the primary one unless changed."""
    return {"role": "primary", "metric": "overall_absence", "programme": "any", "tier": "any",
            "phase": "total", "estimator": "imputation", "comparison": "not_yet_treated",
            "aggregation": "simple", "index": NAN, "estimate": -1.4, "std_error": 0.6, "df": 119.0,
            "ci_lower": -2.6, "ci_upper": -0.2, "band_lower": NAN, "band_upper": NAN,
            "p_value": 0.021, "p_adjusted": NAN, "schools_treated": 60, "schools_comparison": 60,
            "pupils": 800, "status": ""} | changes  # fmt: skip


def event_rows() -> list[dict[str, object]]:
    """Return estimates three years before training to two after, the last before hidden."""
    values = {-3: 0.2, -2: -0.1, -1: NAN, 0: -0.6, 1: -1.2, 2: -1.7}
    return [
        estimate_row(
            aggregation="event",
            index=float(time),
            estimate=value,
            ci_lower=value - 1,
            ci_upper=value + 1,
            band_lower=value - 1.6,
            band_upper=value + 1.6,
            status="c" if np.isnan(value) else "",
        )
        for time, value in values.items()
    ]


def reach_rows(programmes: Sequence[str] = ("any", "elsa")) -> list[dict[str, object]]:
    """Return the reach of programmes, each growing by ten points a year."""
    return [
        {
            "time_period": year,
            "programme": programme,
            "tier": "any",
            "phase": "total",
            "schools": 120,
            "schools_trained": 12 * place,
            "schools_first_trained": 12 if place else 0,
            "share_schools": 10.0 * place,
            "pupils": 800,
            "pupils_reached": 90 * place,
            "share_pupils": 11.25 * place,
            "status": "",
        }
        for programme in programmes
        for place, year in enumerate(YEARS)
    ]


def outputs_of(*calls: Callable[[], None]) -> list[nbformat.NotebookNode]:
    """Return what the calls display, as a notebook keeps it."""
    kept: list[nbformat.NotebookNode] = []

    def keep(data: dict[str, str], *, metadata: dict[str, object], raw: bool) -> None:
        assert raw
        sent = json.loads(json.dumps({"data": data, "metadata": metadata}))
        kept.append(nbformat.v4.new_output("display_data", **sent))

    with patch("IPython.display.display", keep):
        for call in calls:
            call()
    return kept


def code_cell(
    source: str, outputs: Sequence[nbformat.NotebookNode] = (), *tags: str
) -> nbformat.NotebookNode:
    """Return a code cell that has been run."""
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)})


@cache
def sample_cells() -> list[nbformat.NotebookNode]:
    """Return cells with every kind of output that a page may have."""
    gaps = safe(gap_rows(), stamp="SYNTHETIC")
    estimates = safe([estimate_row(), *event_rows()], stamp="SYNTHETIC")
    metric = "overall_absence"
    said = nbformat.v4.new_output("stream", name="stdout", text="pupil A123 loaded")
    return [
        nbformat.v4.new_markdown_cell("# Is the gap closing?\n\nWhat *would* change our mind."),
        code_cell('folder = "/srv/returns/2025"  # where', (), "parameters"),
        code_cell("year = 202425", (), "injected-parameters"),
        nbformat.v4.new_markdown_cell("## How wide is it?\n\n# Another title\n\n#### Deep"),
        code_cell(
            "show_figure(draw_levels(gaps))",
            [
                said,
                *outputs_of(
                    lambda: show_statement(spoken("It widened."), spoken("By <how> much?")),
                    lambda: show_figure(draw_levels(gaps, metric=metric)),
                ),
            ],
        ),
        code_cell(""),
        nbformat.v4.new_markdown_cell("## How wide is it?\n\n- a list\n- with `code`"),
        code_cell(
            "show_table(estimates)",
            outputs_of(
                lambda: show_text(gap_sentence(gaps, metric=metric, year=202425)),
                lambda: show_table(estimates, spoken("Estimates")),
                lambda: show_table(estimates, spoken("Estimates")),
                lambda: show_figure(draw_event_study(estimates, metric=metric)),
            ),
        ),
    ]


def sample_notebook(folder: Path, *more: nbformat.NotebookNode) -> Path:
    """Write a small executed notebook, with more cells at its end."""
    cells = [*sample_cells(), *more]
    path = folder / "04_attendance_gap.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


NAVIGATION = (
    ("index.html", "Summary"),
    ("04_attendance_gap.html", "Attendance gap"),
    ("06_impact.html", "Impact"),
)
FOOTER = {"Run": "demo", "Rule": "cellkey"}
TITLE = "Evaluation of the training offer"


def sample_page(folder: Path, *more: nbformat.NotebookNode) -> Path:
    """Render the small notebook as a page."""
    page = folder / "04_attendance_gap.html"
    render_page(
        sample_notebook(folder, *more),
        page,
        title=TITLE,
        navigation=NAVIGATION,
        stamp="SYNTHETIC",
        footer=FOOTER,
    )
    return page


def sample_index(folder: Path) -> Path:
    """Render a small index."""
    page = folder / "index.html"
    figures = (
        KeyFigure("Gap", "11.6 points", "percentage points"),
        KeyFigure("Schools trained", "45%"),
    )
    render_index(
        page,
        title=TITLE,
        summary=Summary(
            "The gap <widened>.",
            ("It is wide.",),
            key_figures=figures,
            decisions=(("Draw lots.", "They are fair."),),
        ),
        cards=[Card("04_attendance_gap.html", "Is the gap closing?", "Levels and gaps.")],
        downloads=[("tables/gaps.csv", "Levels and gaps")],
        navigation=NAVIGATION,
        stamp="SYNTHETIC",
        footer=FOOTER,
    )
    return page
