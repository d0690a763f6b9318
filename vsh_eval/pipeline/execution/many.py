"""Runs of many params files, several at a time: one that stops leaves the others as they are."""

import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from vsh_eval.contracts import SettingsError
from vsh_eval.pipeline.records import manifest
from vsh_eval.pipeline.workspace import outputs_folder
from vsh_eval.settings import load


@dataclass(frozen=True, slots=True)
class Ended:
    """How one run ended.

    Attributes
    ----------
    params : Path
        Its params file.
    code : int
        The exit code of its command.
    seconds : float
        How long it took.
    message : str
        The first line of what it printed, or the sentence that it stopped with.
    statement : str
        The code of the report's evidence statement, '' where there is no report.
    new : bool
        Whether the report is a new one.
    """

    params: Path
    code: int
    seconds: float
    message: str
    statement: str
    new: bool = False


def run_all(
    params: Sequence[Path],
    *,
    jobs: int,
    force: bool = False,
    ended: Callable[[Ended], object] = lambda _: None,
) -> list[Ended]:
    """Run each params file in a process of its own.

    Parameters
    ----------
    params : sequence of Path
        The params files.
    jobs : int
        How many run at a time.
    force : bool
        As for `yearly.run`.
    ended : callable
        Called with each as it ends.

    Returns
    -------
    list of Ended
        In the order of `params`, whatever they ended with.

    Raises
    ------
    SettingsError
        If two of them have one name, and would write one folder; nothing is run then.
    """
    _require_own_folders(params)
    runs: dict[Path, Ended] = {}
    with ThreadPoolExecutor(jobs) as pool:
        started = [pool.submit(_run, path, force=force) for path in params]
        for future in as_completed(started):
            one = future.result()
            runs[one.params] = one
            ended(one)
    return [runs[path] for path in params]


def _require_own_folders(params: Iterable[Path]) -> None:
    names: Counter[Path] = Counter()
    for path in params:
        try:
            names[outputs_folder(path) / load(path).name] += 1
        except SettingsError:
            continue  # its own run says what is wrong with it
    twice = [folder.name for folder, times in names.items() if times > 1]
    if twice:
        raise SettingsError(
            f"name is {twice[0]} in more than one params file, must be another in each; rename one."
        )


def _run(params: Path, *, force: bool) -> Ended:
    began, before = time.monotonic(), _made(params)
    command = [sys.executable, "-m", "vsh_eval", "run", str(params), *(["--force"] * force)]
    process = subprocess.run(  # noqa: S603  this interpreter and this package
        command, capture_output=True, text=True, encoding="utf-8", check=False
    )
    seconds = time.monotonic() - began
    if process.returncode:
        lines = [line for line in process.stderr.splitlines() if line.startswith("vsh-eval: ")]
        message = (lines or process.stderr.splitlines() or [f"ended with {process.returncode}"])[-1]
        return Ended(params, process.returncode, seconds, message.removeprefix("vsh-eval: "), "")
    message = process.stdout.splitlines()[0]
    return Ended(params, 0, seconds, message, _statement(params), _made(params) != before)


def _made(params: Path) -> int:
    """Return the time at which the report was made, 0 where there is none or no name for it."""
    try:
        return (_release(params) / manifest.NAME).stat().st_mtime_ns
    except (OSError, SettingsError):
        return 0


def _release(params: Path) -> Path:
    return outputs_folder(params) / load(params).name / "release"


def _statement(params: Path) -> str:
    results = _release(params) / "results.json"
    evidence = json.loads(results.read_text(encoding="utf-8"))["evidence"]
    return str(evidence["statement"]) if evidence else ""


def as_table(runs: Sequence[Ended]) -> list[str]:
    """Return the lines of a table of runs: params, result, minutes, what the report states.

    Examples
    --------
    >>> from pathlib import Path
    >>> done = Ended(Path("a.yaml"), 0, 90.0, "Done: open outputs/a", "inconclusive", new=True)
    >>> stopped = Ended(Path("long.yaml"), 1, 3.0, "no school is trained; add one.", "")
    >>> for line in as_table([done, stopped]):
    ...     print(line)
    params     result   minutes  statement
    a.yaml     done     1.5      inconclusive
    long.yaml  stopped  0.1      no school is trained; add one.
    """
    rows = [("params", "result", "minutes", "statement")]
    for one in runs:
        result = "stopped" if one.code else "done" if one.new else "unchanged"
        last = one.message if one.code else one.statement
        rows.append((one.params.name, result, f"{one.seconds / 60:.1f}", re.sub(r"\s+", " ", last)))
    widths = [max(len(row[at]) for row in rows) for at in range(3)]
    return [
        "  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]))
        for row in rows
    ]
