"""Do the notebooks run clean wherever they are asked: demo, other returns, published authorities?

    python -m tests.proofs.notebooks_everywhere [--only WORD] [--notebooks 02] [--data FOLDER]

Notebooks and params are copied to an empty project, the cell tagged `parameters` of every copy is
given the run's params file, and nbval runs each cell as a person would who opens the notebooks one
after the other (`pytest --nbval-lax`): a cell that raises is a failed test. The runs are the demo,
the returns of three invented authorities (`vsh-eval synthesise`, another seed, size and effect
each; read as an authority's own, not as the demo's), and DfE's published tables for six
authorities from the smallest to the largest. Beside each run stands what its annual report opens
with. From the root of the repository, one run after the other; needs DfE's files
(``vsh-eval fetch-published``).
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

import nbformat
import pandas as pd
import yaml

from vsh_eval import academic_year
from vsh_eval.pipeline import catalogue

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "proofs" / "notebooks_everywhere.md"
DATA = Path(os.environ.get("VSH_EVAL_SHARED", ROOT.parent / "shared" / "data"))
REPORT = "08_annual_report"
CELL_SECONDS = 600
DEFAULT = re.compile(r'params: str = "[^"]*"')
RAISED = ("failure", "error")
NOT_WORDS = re.compile(r"\bnan\b|\bNaN\b|\bNone\b|\binf\b|<NA>|NaT|\{|\}")
"""What no sentence may hold."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run: a template of params/, what differs from it, and how its returns are invented."""

    name: str
    title: str
    template: str
    changes: tuple[tuple[str, str, Any], ...] = ()
    invented: tuple[str, ...] = ()


def invented(seed: int, schools: int, effect: float) -> Case:
    """Return the case of an invented authority's returns."""
    return Case(
        f"returns-{seed}",
        f"returns, seed {seed}: {schools} schools, planted {effect:+.1f}",
        "returns",
        (("authority", "code", "E06000999"), ("authority", "name", "Invented Borough")),
        ("--schools", str(schools), "--effect", str(effect), "--seed", str(seed)),
    )


def published(name: str, code: str, start: str | None, donors: str) -> Case:
    """Return the case of an authority in DfE's published tables."""
    offer = f"offer from {start}, {donors}" if start else "no offer asked"
    slug = name.lower().replace(" ", "-")
    return Case(
        f"published-{slug}",
        f"published, {name}: {offer}",
        "published",
        (
            ("authority", "code", code),
            ("authority", "name", name),
            ("published", "offer_start", start),
            ("published", "donors", donors),
        ),
    )


CASES = (
    Case("demo", "the demo: 240 schools, planted -3.0", "demo"),
    invented(1, 120, -3.0),
    invented(2, 60, 0.0),
    invented(3, 90, 1.5),
    published("Cheshire East", "E06000049", "2022/23", "neighbours"),
    published("Norfolk", "E10000020", None, "neighbours"),
    published("City of London", "E09000001", "2022/23", "neighbours"),
    published("Rutland", "E06000017", "2022/23", "region"),
    published("Birmingham", "E08000025", "2021/22", "all"),
    published("Kent", "E10000016", "2023/24", "neighbours"),
)


def project(case: Case, folder: Path, *, data: Path) -> Path:
    """Make an empty project with the run's params and the notebooks that are asked, and return it.

    The notebooks are the repository's own, but for the one line that names the params.
    """
    (folder / "outputs").mkdir(parents=True)
    shutil.copytree(ROOT / "params", folder / "params")
    params = folder / "params" / f"{case.name}.yaml"
    settings = yaml.safe_load((folder / "params" / f"{case.template}.yaml").read_text("utf-8"))
    if case.template != "demo":
        settings["name"] = case.name
    if case.template == "published":
        settings["source"]["folder"] = str(data.resolve())
    for section, key, value in case.changes:
        settings[section][key] = value
    if case.invented:
        settings["source"]["folder"] = "../returns"
        asked = [sys.executable, "-m", "vsh_eval", "synthesise", str(folder / "returns")]
        subprocess.run([*asked, *case.invented], check=True, capture_output=True)
    if case.template != "demo":
        params.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    (folder / "notebooks").mkdir()
    for notebook in catalogue.of_kind(settings["source"]["kind"]):
        pages = nbformat.read(catalogue.folder() / f"{notebook.name}.ipynb", as_version=4)
        given = next(c for c in pages.cells if "parameters" in c.metadata.get("tags", []))
        given.source = DEFAULT.sub(f'params: str = "../params/{case.name}.yaml"', given.source)
        nbformat.write(pages, folder / "notebooks" / f"{notebook.name}.ipynb")
    return folder


def by_nbval(folder: Path, *, only: str) -> dict[str, Any]:
    """Run the notebooks of a project under nbval and count cells, failures and seconds."""
    notebooks = sorted((folder / "notebooks").glob(f"{only}*.ipynb"))
    report = folder / "nbval.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval-lax"]
    command += ["--nbval-current-env", f"--nbval-cell-timeout={CELL_SECONDS}"]
    started = time.perf_counter()
    done = subprocess.run(
        [*command, f"--junitxml={report}", "--rootdir", str(folder), *map(str, notebooks)],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - started
    cells = list(ElementTree.parse(report).iter("testcase"))  # noqa: S314 - pytest's own file
    raised = [(cell, found) for cell in cells for found in cell if found.tag in RAISED]
    wrong = [f"{Path(cell.get('classname', '')).stem} {cell.get('name')}" for cell, _ in raised]
    if done.returncode and not wrong:
        raise RuntimeError(f"nbval ended with {done.returncode}: {done.stdout[-2000:]}")
    return {
        "notebooks": len(notebooks),
        "cells": len(cells),
        "failed": wrong,
        "seconds": seconds,
        "first": (raised[0][1].text or "") if raised else "",
    }


def said(folder: Path, case: Case) -> dict[str, str]:
    """Return what the run's annual report opens with: the gap, its change, the training's part."""
    draft = next((folder / "outputs").glob("*-draft"))
    results = draft / "release" / "results.json"
    if not results.is_file():
        return dict.fromkeys(("children", "opens", "effect", "statement", "odd"), "")
    on_record = json.loads(results.read_text(encoding="utf-8"))
    summary = pd.read_parquet(draft / "internal" / "summary.parquet")
    texts = summary["text"].tolist() + summary["detail"].tolist()
    odd = sorted({found for text in texts for found in NOT_WORDS.findall(str(text))})
    gap = last_gap(on_record["gaps"])
    return {
        "children": f"{gap['group_pupils']:,.0f} ({academic_year.label(gap['time_period'])})",
        "opens": summary["text"].iloc[0],
        "effect": effect(on_record["headline"]),
        "statement": on_record["evidence"]["statement"],
        "odd": ", ".join(odd),
    }


def effect(headline: dict[str, Any]) -> str:
    """Return the headline's estimate and interval; a dash where no effect was asked."""
    if "estimate" not in headline:
        return "-"
    shown = [headline[name] for name in ("estimate", "ci_lower", "ci_upper")]
    if None in shown:
        return f"not shown ({headline['status'] or 'x'})"
    return "{:+.2f} ({:+.2f} to {:+.2f})".format(*shown)


def last_gap(gaps: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the last year's row of overall absence, all phases together."""
    rows = [row for row in gaps if row["metric"] == "overall_absence" and row["phase"] == "total"]
    return max(
        (row for row in rows if row["group_pupils"] is not None), key=lambda r: r["time_period"]
    )


def run(case: Case, *, data: Path, only: str) -> dict[str, Any]:
    """Run one case in a folder of its own."""
    with TemporaryDirectory() as parent:
        folder = project(case, Path(parent) / "project", data=data)
        found = by_nbval(folder, only=only)
        return {"case": case} | found | said(folder, case)


def page(rows: list[dict[str, Any]]) -> str:
    """Write what was found."""
    lines = [
        "# The notebooks wherever they are asked",
        "",
        "    python -m tests.proofs.notebooks_everywhere",
        "",
        "Every notebook of the run under nbval (`pytest --nbval-lax`), its `parameters` cell set "
        "to the run's params, in an empty project, one notebook after the other. A cell is a code "
        "cell; it passes when it raises nothing within "
        f"{CELL_SECONDS} seconds. Children: the cohort of the last year as the page shows it.",
        "",
        "| run | children | notebooks | cells | failed | seconds |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['case'].title} | {row['children']} | {row['notebooks']} | {row['cells']} "
        f"| {len(row['failed'])} | {row['seconds']:.0f} |"
        for row in rows
    ]
    lines += [
        "",
        "## What each annual report opens with",
        "",
        "The first sentence of the first page; from `results.json` the headline effect (percentage "
        "points of the gap in overall absence, 95% interval) and the evidence statement.",
        "",
        "| run | it opens with | effect | evidence |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {row['case'].title} | {row['opens']} | {row['effect']} | {row['statement']} |"
        for row in rows
    ]
    lines += ["", "## Reading", "", *reading(rows), ""]
    return "\n".join(lines)


def reading(rows: list[dict[str, Any]]) -> list[str]:
    """Say what failed, and which sentence holds what is no word."""
    cells, failed = sum(row["cells"] for row in rows), [r for r in rows if r["failed"]]
    lines = [
        f"{cells} cells in {len(rows)} runs, "
        + ("none failed." if not failed else f"failures in {len(failed)} runs:")
    ]
    lines += [f"- {row['case'].title}: {', '.join(row['failed'])}" for row in failed]
    odd = [row for row in rows if row["odd"]]
    lines += [""] + [f"- {row['case'].title} writes {row['odd']}" for row in odd]
    if not odd:
        lines.append(
            "No sentence or key figure of a first page holds nan, None or an open bracket."
        )
    return lines


def main(arguments: list[str] | None = None) -> None:
    """Write the page; exit 1 where a cell failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="runs whose name holds this word")
    parser.add_argument("--notebooks", default="", help="notebooks whose name begins so")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of DfE's files")
    parser.add_argument("--output", type=Path, default=PAGE)
    asked = parser.parse_args(arguments)
    cases = [case for case in CASES if asked.only in case.name]
    if not cases:
        parser.error(f"--only must be part of one of {', '.join(case.name for case in CASES)}")
    rows: list[dict[str, Any]] = []
    for case in cases:
        rows.append(run(case, data=asked.data, only=asked.notebooks))
        sys.stderr.write(f"{case.name}: {rows[-1]['cells']} cells, {rows[-1]['failed']}\n")
        sys.stderr.write(rows[-1]["first"])
        asked.output.parent.mkdir(parents=True, exist_ok=True)
        asked.output.write_text(page(rows), encoding="utf-8")
    if any(row["failed"] for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    main()
