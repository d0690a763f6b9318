"""Does the tutorial work, command by command?

    python -m tests.proofs.tutorial [--output FILE]

Builds the wheel, makes a new folder with nothing but it and the pins, and gives every command of
docs/tutorial/index.md as it stands, one after another in one shell. Packages are installed by pip.
What each step printed is printed again, for whoever looks for sentences that the tutorial lacks.
"""

import ctypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from textwrap import shorten
from typing import NamedTuple

from tests.proofs._page import options, table

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "tutorial" / "index.md"
BLOCK = re.compile(r"^```(sh|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "\x1e"
"""Ends what a command prints; no command prints it."""
NOT_OF_A_USER = ("PYTHONPATH", "VIRTUAL_ENV", "VSH_EVAL_SECRET")


class Step(NamedTuple):
    """One command of the tutorial, or a file that it asks to be saved."""

    text: str
    saves: str = ""

    @property
    def script(self) -> str:
        """What the shell is given."""
        return f"cat > {self.saves} <<'END'\n{self.text}END" if self.saves else self.text


class Done(NamedTuple):
    """A step that was made, its seconds, its processor seconds and what it printed."""

    step: Step
    code: int
    seconds: float
    processor: float
    printed: str

    @property
    def last(self) -> str:
        """Its last line."""
        lines = [line.strip() for line in re.split(r"[\n\r]", self.printed) if line.strip()]
        return lines[-1] if lines else ""


def steps() -> list[Step]:
    """Return what the tutorial asks for, in order; a file names itself in its first line."""
    found = []
    for kind, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "yaml":
            found.append(Step(text, saves=text.splitlines()[0].removeprefix("# ")))
        else:
            found += [Step(line) for line in text.splitlines()]
    return found


def make(folder: Path, wanted: list[Step], *, pause: float = 2) -> list[Done]:
    """Make the steps in one shell that begins in a folder, up to the first that fails.

    Kernels outlive the command that forked them by a moment: the seconds that they used are asked
    for after a pause (seconds).
    """
    stamp = (
        f"printf '{MARK}%s %s ' $code $EPOCHREALTIME; sleep {pause}; "
        "printf '%s ' $EPOCHREALTIME; times"
    )
    ask = "".join(
        f"{s.script}\ncode=$?; {stamp}; printf '{MARK}'; test $code = 0 || exit\n" for s in wanted
    )
    environment = {k: v for k, v in os.environ.items() if k not in NOT_OF_A_USER}
    said = subprocess.run(
        ["bash", "-c", f"code=0; {stamp}; printf '{MARK}'\n{ask}"], cwd=folder, env=environment,
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        preexec_fn=_become_reaper,
    ).stdout.split(MARK)  # fmt: skip
    ends = [_Stamp.read(line) for line in said[1::2]]
    return [
        Done(step, end.code, end.ended - before.begins, end.used - before.used, printed)
        for step, before, end, printed in zip(wanted, ends[:-1], ends[1:], said[2::2], strict=False)
    ]


def _become_reaper() -> None:
    """Let the shell be the parent of what its commands leave behind, so that it counts it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


class _Stamp(NamedTuple):
    """What the shell says between two steps."""

    code: int
    ended: float
    begins: float
    used: float

    @classmethod
    def read(cls, line: str) -> "_Stamp":
        """Read exit code, two times, and bash's minutes and seconds of itself and its children."""
        code, ended, begins, *_, user, system = line.split()
        spent = [part.rstrip("s").split("m") for part in (user, system)]
        used = sum(60 * float(minutes) + float(seconds) for minutes, seconds in spent)
        return cls(int(code), float(ended), float(begins), used)


def start(folder: Path) -> None:
    """Put into a folder what the tutorial says is in it: the wheel and the pins."""
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT], check=True
    )
    shutil.copy(ROOT / "constraints.txt", folder)


def body(made: list[Done], asked: int) -> str:
    """Return what the page says."""
    rows = [
        {
            "step": f"`{done.step.saves or done.step.text}`",
            "exit code": done.code,
            "seconds passed": done.seconds,
            "processor seconds": done.processor,
            "its last line": shorten(done.last.replace("|", " "), 110),
        }
        for done in made
    ]
    minutes = sum(done.seconds for done in made) / 60
    return f"""
From an empty folder that holds the wheel and the pins: {len(made)} of {asked} steps were made, in
{minutes:.0f} minutes on a machine with {os.cpu_count()} cores. Seconds that pass depend on what
else it does; processor seconds are those of all processes of the step.

{table(rows, ".0f")}
"""


def main(arguments: list[str] | None = None) -> int:
    """Make every step of the tutorial and write the page."""
    _, write = options(__file__, __doc__, arguments)
    wanted = steps()
    with tempfile.TemporaryDirectory() as folder:
        start(Path(folder))
        made = make(Path(folder), wanted)
    sys.stdout.writelines(f"$ {done.step.script}\n{done.printed}\n" for done in made)
    write(body(made, len(wanted)))
    return int(len(made) < len(wanted) or any(done.code for done in made))


if __name__ == "__main__":
    sys.exit(main())
