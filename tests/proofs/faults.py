"""Does a yearly run survive what machines do to it?

    python -m tests.proofs.faults [--kills N] [--only NAME ...] [--output FILE]

Each fault is done to real runs of a small invented authority, started by the command that a user
gives. After each the last good run is re-hashed against its manifest, the processes that the run
started are looked for, and the next run is made: it must end well and leave nothing of its building
behind. Full and read-only disks need a Linux machine and the right to mount; a lost database needs
PostgreSQL, another clock needs faketime. What cannot be tried is written down as not tried.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from tests.pipeline.project import INVENTED, Project
from tests.proofs._page import options, table
from tests.returns.formats import postgresql
from tests.synthetic.twins import with_upns
from vsh_eval.pipeline.records import manifest
from vsh_eval.synthetic import Plan, invent

ROOT = Path(__file__).resolve().parents[2]
ENDS_WITHIN = 30
"""Seconds in which what a run started must have ended after it."""


class NotTriedError(Exception):
    """A fault that cannot be made on this machine."""


@dataclass(slots=True)
class Count:
    """What was seen of one fault."""

    tried: int = 0
    lost: int = 0
    next_bad: int = 0
    left: int = 0
    sentences: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Trial:
    """A project with a finished run, to which faults are done."""

    project: Project
    count: Count
    number: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()

    @property
    def temporary(self) -> Path:
        """The folder for temporary files that its runs are given; a short path, for sockets."""
        folder = self.project.folder.parent / "t"
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def good(self) -> Path:
        """The folder of the last good run."""
        return self.project.outputs / "small"

    @property
    def shown(self) -> int:
        """The seed of the last good run, which tells it from the run before."""
        written = (self.good / "release" / manifest.NAME).read_text(encoding="utf-8")
        return json.loads(written)["settings"]["seed"]

    def change(self, **keys: Any) -> None:
        """Ask for another run than the last one."""
        self.number += 1
        self.project.write("small", {**INVENTED, "seed": self.number, **keys})

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start a run in a session of its own."""
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        return subprocess.Popen(
            [*self.prefix, sys.executable, "-m", "vsh_eval", "run", "params/small.yaml", *options],
            cwd=self.project.folder,
            env={
                **os.environ,
                "PYTHONPATH": path,
                "TMPDIR": str(self.temporary),
                **self.environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def stopped(self, run: subprocess.Popen[str], *, by_itself: bool = True) -> None:
        """Note how a run ended that should not have ended well."""
        out, err = run.communicate()
        self.count.tried += 1
        if by_itself and run.returncode == 0:
            self.count.problems.append(f"ended well: {out.strip()[:200]}")
        lines = err.strip().splitlines()
        if by_itself and (len(lines) != 1 or "Traceback" in err):
            self.count.problems.append(f"not one sentence: {err.strip()[-300:]}")
        self.count.sentences.update(lines[:1] if by_itself else [])
        self.look()

    def look(self) -> None:
        """Is the last good run whole, and has all ended that was started?"""
        if not (self.good / "release" / manifest.NAME).is_file() or manifest.verify(self.good):
            self.count.lost += 1
        ends = time.monotonic() + ENDS_WITHIN
        while _started_below(self.project.folder) and time.monotonic() < ends:
            time.sleep(0.5)
        still = _started_below(self.project.folder)
        if still:
            self.count.left += 1
            self.count.problems.append(f"still runs: {[p.name() for p in still]}")
            for process in still:
                process.kill()
        temporary = sorted(path.name for path in self.temporary.iterdir())
        if temporary:
            self.count.left += 1
            self.count.problems.append(f"temporary files: {temporary}")
            shutil.rmtree(self.temporary)

    def finish(self, run: subprocess.Popen[str] | None = None) -> None:
        """Make the next run; it must be good and leave nothing behind."""
        out, err = (run or self.start()).communicate()
        # A kill may come when the new run is in its place already: then nothing is left to do.
        ended = out.startswith(("Done: ", "Nothing has changed "))
        if not ended or err or manifest.verify(self.good) or self.shown != self.number:
            self.count.next_bad += 1
            self.count.problems.append(f"next run: {out[:100]} {err.strip()[-300:]}")
        left = {path.name for path in self.project.outputs.iterdir()}
        left -= {"small", "small.log", "lost+found"}
        if left:
            self.count.left += 1
            self.count.problems.append(f"left behind: {sorted(left)}")


def _started_below(folder: Path) -> list[psutil.Process]:
    """Return the running processes whose working folder or arguments lie below a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            places = (process.cwd(), *process.cmdline())
            running = process.status() != psutil.STATUS_ZOMBIE
        except (psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError):
            continue
        if running and any(place.startswith(str(folder)) for place in places):
            found.append(process)
    return found


def _kernel_of(run: subprocess.Popen[str], patience: float = 300) -> psutil.Process | None:
    """Wait for the kernel of a run, which works in the folder of notebooks; None if it ends."""
    ends = time.monotonic() + patience
    while run.poll() is None and time.monotonic() < ends:
        for process in psutil.Process(run.pid).children(recursive=True):
            try:
                if process.cwd().endswith("notebooks"):
                    return process
            except (psutil.NoSuchProcess, FileNotFoundError):
                continue
        time.sleep(0.2)
    return None


# --- The faults


def _spent(run: subprocess.Popen[str], until: float = float("inf")) -> float:
    """Wait until a run and its kernels have spent seconds of a processor; return what they did."""
    seconds: dict[int, float] = {}
    while run.poll() is None and sum(seconds.values()) < until:
        first = psutil.Process(run.pid)
        for process in (first, *first.children(recursive=True)):
            try:
                times = process.cpu_times()
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
            seconds[process.pid] = times.user + times.system
        time.sleep(1)
    return sum(seconds.values())


def killed_often(
    which: tuple[str, ...], times: int, draws: random.Random, usual: float, trial: Trial
) -> None:
    """Kill at several moments; four interruptions in a row, then a run to the end."""
    trial.change()
    while trial.count.tried < times:
        if not killed(which, trial, draws, usual):
            trial.change()  # the run was at its end already
        elif trial.count.tried % 4 == 0:
            trial.finish()
            trial.change()
        sys.stdout.write(f"{' and '.join(which)}: {trial.count.tried} of {times} kills\n")
        sys.stdout.flush()
    trial.finish()


def killed(which: tuple[str, ...], trial: Trial, draws: random.Random, usual: float) -> bool:
    """Kill the runner, the kernel or both at a random moment; False where that was too late.

    The moment is drawn in seconds of a processor, as a run takes longer on a machine that is busy.
    """
    run = trial.start()
    _spent(run, draws.uniform(0, usual))
    kernel = _kernel_of(run) if "kernel" in which and run.poll() is None else None
    if "runner" in which and run.poll() is None:
        run.kill()
    if kernel is not None and kernel.is_running():
        kernel.kill()
    if run.wait() == 0:
        trial.finish(run)
        return False
    trial.stopped(run, by_itself=which == ("kernel",))
    return True


@contextmanager
def tmpfs(folder: Path, size: int) -> Iterator[Callable[[str], None]]:
    """Mount a small file system over a folder, with what was in it; yields how to remount it."""
    aside = folder.with_name(f"{folder.name}-aside")
    shutil.copytree(folder, aside)

    def mount(*arguments: str) -> None:
        done = subprocess.run(["mount", *arguments, str(folder)], capture_output=True, check=False)
        if done.returncode:
            raise NotTriedError("no right to mount a file system here")

    mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs")
    try:
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        yield lambda options: mount("-o", f"remount,{options}")
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        shutil.rmtree(aside)


def full_disk(trial: Trial) -> None:
    """Leave the outputs half the room that a run needs."""
    outputs = trial.project.outputs
    size = sum(path.stat().st_size for path in outputs.rglob("*") if path.is_file())
    with tmpfs(outputs, int(size * 1.9)) as remount:
        trial.change()
        trial.stopped(trial.start())
        remount(f"size={size * 10}")
        trial.finish()


def read_only(trial: Trial) -> None:
    """Make the outputs a file system that cannot be written to."""
    with tmpfs(trial.project.outputs, 10**9) as remount:
        remount("ro")
        trial.change()
        trial.stopped(trial.start())
        remount("rw")
        trial.finish()


def changed_under_way(trial: Trial) -> None:
    """Change the returns while they are evaluated."""
    returns = trial.project.folder / "returns"
    made = trial.project.say("synthesise", "returns", "--schools", 10, "--csv",
                             "--first", "2021/22", "--last", "2023/24")  # fmt: skip
    assert made.code == 0, made.err
    keys = {"source": {"kind": "returns", "folder": "../returns"}}
    trial.change(**keys)
    run = trial.start()
    _kernel_of(run)
    time.sleep(5)
    file = returns / "training.csv"
    file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    trial.stopped(run)
    trial.finish()


def two_at_once(trial: Trial) -> None:
    """Start the same run twice; the second is refused and the first ends well."""
    trial.change()
    first = trial.start()
    _kernel_of(first)
    second = trial.start()
    second.wait()
    if not first.communicate()[0].startswith("Done: "):
        trial.count.next_bad += 1
    trial.stopped(second)


def hangs(trial: Trial) -> None:
    """Stop a kernel without ending it; a cell may take one minute."""
    trial.change(cell_minutes=1)
    run = trial.start()
    kernel = _kernel_of(run)
    assert kernel is not None
    kernel.send_signal(signal.SIGSTOP)
    trial.stopped(run)
    trial.finish()


def _read_from(server: postgresql.Server, run: subprocess.Popen[str]) -> None:
    """Wait until a run reads the children's attendance from a database, and a little more."""
    asked = (
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
        "AND position('FROM attendance' IN query) > 0 AND pid <> pg_backend_pid()"
    )
    reading = False
    while run.poll() is None and not reading:
        with server.engine.connect() as connection:  # one transaction sees the same all the time
            reading = bool(connection.exec_driver_sql(asked).scalar())
        time.sleep(0.5)
    time.sleep(2)


def _disconnected(server: postgresql.Server) -> None:
    """End every connection but this one, as an administrator may."""
    ended = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    with server.engine.connect() as connection:
        connection.exec_driver_sql(ended)


Step = Callable[[postgresql.Server], None]
LOSSES: Mapping[str, tuple[Step, Step, bool]] = {
    "killed": (postgresql.Server.kill, postgresql.Server.start, True),
    "shut down": (lambda server: server.stop("fast"), postgresql.Server.start, False),
    "disconnected": (_disconnected, lambda _: None, True),
}
"""How a database is lost, how it is there again, and whether to a notebook or to the check."""


def lost_database(trial: Trial) -> None:
    """Lose the PostgreSQL that a run reads from, while it checks and while a notebook reads."""
    folder = trial.project.folder.parent / "server"
    folder.mkdir()
    try:
        with postgresql.started(folder) as server:
            tables = with_upns(invent(Plan(schools=10, first=202122, last=202324))).tables
            for name, table in tables.items():
                table.to_sql(name, server.engine, index=False)
            queries = {name: f"SELECT * FROM {name}" for name in tables}  # noqa: S608 - our names
            # Rows that come over ten seconds leave time to lose the server among them.
            pause = 10 / len(tables["attendance"])
            queries["attendance"] += f" WHERE pg_sleep({pause:.6f}) IS NOT NULL"
            database = {"url": server.url, "queries": queries}
            keys = {"source": {"kind": "returns", "files": {"database": database}}}
            trial.environment = {
                "VSH_EVAL_DATABASE_PASSWORD": postgresql.PASSWORD,
                "VSH_EVAL_SECRET": "of the invented authority that is read as a real one",
            }
            for lose, mend, in_notebook in LOSSES.values():
                trial.change(**keys)
                run = trial.start()
                if in_notebook:
                    _kernel_of(run)
                _read_from(server, run)
                lose(server)
                trial.stopped(run)
                mend(server)
            trial.change(**keys)
            trial.finish()
    except postgresql.NoServerError as error:
        raise NotTriedError(str(error)) from error


def out_of_memory(trial: Trial) -> None:
    """Give a kernel no more memory than it has."""
    trial.change()
    run = trial.start()
    kernel = _kernel_of(run)
    assert kernel is not None
    kernel.rlimit(psutil.RLIMIT_AS, (kernel.memory_info().vms, -1))
    trial.stopped(run)
    trial.finish()


def other_clock(trial: Trial) -> None:
    """Put the clock back by 400 days; the last run is then of the future."""
    tool = shutil.which("faketime")
    if tool is None:
        raise NotTriedError("faketime is not installed here")
    trial.change()
    trial.count.tried += 1
    trial.prefix = (tool, "-f", "-400d")
    trial.finish()
    trial.prefix = ()
    trial.change()
    trial.finish()
    trial.look()


def other_locale(trial: Trial) -> None:
    """Run in the C locale, without UTF-8 mode, in a folder with accents in its name."""
    elsewhere = Project.start(trial.project.folder / "Évaluation à Zürich")
    inner = Trial(elsewhere, trial.count, trial.number, prefix=trial.prefix)
    inner.environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    inner.change()
    inner.count.tried += 1
    inner.finish()
    inner.look()


FAULTS: Mapping[str, Callable[[Trial], None]] = {
    "full disk": full_disk,
    "read-only outputs": read_only,
    "returns changed under way": changed_under_way,
    "two runs at once": two_at_once,
    "database lost while it is read": lost_database,
    "kernel that hangs": hangs,
    "kernel without memory": out_of_memory,
    "clock put back": other_clock,
    "C locale, accented folder": other_locale,
}
KILLS = {
    "kill -9 of the runner": ("runner",),
    "kill -9 of the kernel": ("kernel",),
    "kill -9 of both": ("runner", "kernel"),
}


def prove(kills: int, only: list[str]) -> Iterator[dict[str, Count | str]]:
    """Do every fault; after each yield what was seen so far, or why one was not tried."""
    found: dict[str, Count | str] = {}
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        project = Project.start(Path(folder) / "project")
        base = Trial(project, Count())
        base.change()
        first = base.start()
        usual = _spent(first)
        base.finish(first)
        assert not base.count.problems, base.count.problems
        draws = random.Random(20261129)  # noqa: S311  moments, no secrets
        each = -(-kills // len(KILLS))
        faults = {name: partial(killed_often, which, each, draws, usual)
                  for name, which in KILLS.items()} | dict(FAULTS)  # fmt: skip
        for at, name in enumerate(name for name in faults if not only or name in only):
            trial = Trial(project, Count(), 1000 * (at + 1))
            try:
                faults[name](trial)
                found[name] = trial.count
            except NotTriedError as error:
                found[name] = str(error)
            sys.stdout.write(f"{name}: {found[name]}\n")
            sys.stdout.flush()
            yield found


HEAD = ("fault", "tried", "lost", "next run bad", "left behind", "what the user is told")


def body(found: Mapping[str, Count | str]) -> str:
    """Return what the page says."""
    rows = []
    for name, count in found.items():
        if isinstance(count, str):
            rows.append((name, f"not tried: {count}", "", "", "", ""))
            continue
        said = "; ".join(sorted(count.sentences)).replace("|", "\\|")
        rows.append((name, count.tried, count.lost, count.next_bad, count.left, said))
    problems = [
        f"- {name}: {problem}"
        for name, count in found.items()
        if isinstance(count, Count)
        for problem in count.problems
    ]
    return f"""
Real runs of an invented authority of ten schools, started by the command that a user gives. Lost:
times that the last good run no longer agreed with its manifest. Next run bad: times that the run
after the fault did not end well. Left behind: processes, locks, folders or temporary files that
were still there. Kills come at random moments, up to four in a row before a run may end. The
database is a PostgreSQL that is killed, is shut down, or ends its connections while it hands over
the attendance, to the check before a run or to a notebook.

{table(rows, head=HEAD)}

{chr(10).join(["Problems", "", *problems] if problems else [])}
"""


def main(arguments: list[str] | None = None) -> int:
    """Do the faults and write the page; return 1 where a run was lost or left something behind."""
    only = {"nargs": "*", "default": []}
    asked, write = options(__file__, __doc__, arguments, kills=51, only=only)
    found: dict[str, Count | str] = {}
    for found in prove(asked.kills, asked.only):
        write(body(found), "kills")
    counts = [count for count in found.values() if isinstance(count, Count)]
    return int(any(c.lost or c.next_bad or c.left or c.problems for c in counts))


if __name__ == "__main__":
    sys.exit(main())
