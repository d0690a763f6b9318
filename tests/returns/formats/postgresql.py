"""A PostgreSQL of a test's own, with a reader who has a password, started and stopped by it."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    import sqlalchemy

PASSWORD = "a password only this test knows"  # noqa: S105 - of a database that the test makes


class NoServerError(Exception):
    """There is no PostgreSQL on this machine that this user may start."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that listens on a socket in its folder."""

    folder: Path
    tools: Path
    as_user: dict[str, int] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://reader@/postgres?host={self.folder}"

    @property
    def engine(self) -> "sqlalchemy.Engine":
        import sqlalchemy

        url = sqlalchemy.make_url(self.url).set(password=PASSWORD)
        return sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)

    def call(self, program: str, *arguments: str | Path) -> None:
        command = [self.tools / program, *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder, **self.as_user)

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c fsync=off"
        log = self.folder / "log"
        self.call("pg_ctl", "-D", self.folder / "data", "-o", options, "-l", log, "-w", "start")

    def stop(self, how: str) -> None:
        self.call("pg_ctl", "-D", self.folder / "data", "-m", how, "-w", "stop")

    def signal(self, number: int) -> None:
        """Send a signal to all its processes."""
        first = (self.folder / "data" / "postmaster.pid").read_text().split()[0]
        postmaster = psutil.Process(int(first))
        for process in (postmaster, *postmaster.children()):
            process.send_signal(number)

    def kill(self) -> None:
        """Kill it, and forget its process, which a machine may keep as a zombie."""
        self.signal(signal.SIGKILL)
        for lock in (self.folder / "data" / "postmaster.pid", *self.folder.glob(".s.PGSQL.*")):
            lock.unlink()


def _programs() -> Path:
    """Return the folder of PostgreSQL's programs."""
    found = shutil.which("initdb") or next(
        iter(sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")))), None
    )
    if found is None:
        raise NoServerError("PostgreSQL is not installed here")
    return Path(found).resolve().parent


def _user(folder: Path) -> dict[str, int]:
    """Return who starts the server, as PostgreSQL refuses to be started by root."""
    if os.geteuid() != 0:
        return {}
    try:
        user = pwd.getpwnam("postgres").pw_uid
    except KeyError:
        raise NoServerError("no user postgres, and root may not start PostgreSQL") from None
    temporary = Path(tempfile.gettempdir())
    for path in (folder, *folder.parents):
        if temporary not in path.parents:
            break
        path.chmod(0o755)
    os.chown(folder, user, -1)
    return {"user": user}


@contextmanager
def started(folder: Path) -> Iterator[Server]:
    """Make a server in an empty folder and start it; it is stopped at the end."""
    server = Server(folder, _programs(), _user(folder))
    secret = folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    server.call("initdb", "-D", folder / "data", "-U", "reader", "-A", "scram-sha-256",
                f"--pwfile={secret}", "-E", "UTF8", "--no-locale")  # fmt: skip
    server.start()
    try:
        yield server
    finally:
        server.stop("immediate")
