"""Kernels of a run: the run's own interpreter, forked from a process that has imported it all."""

import locale
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from multiprocessing.util import get_temp_dir
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any, cast
from uuid import uuid4

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

COLD = "VSH_EVAL_COLD_KERNELS"
"""Where this variable of the environment is set, each kernel starts and imports anew."""
_DRAWING = find_spec("matplotlib")
_STYLE = str(Path((_DRAWING and _DRAWING.origin) or "").parent / "mpl-data" / "matplotlibrc")
PLAIN = {
    # Imports start no threads, as only a process of one thread is safe to fork.
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    # Nothing is drawn or read as one user's files, console or machine would have it.
    "MPLBACKEND": "agg",
    "MATPLOTLIBRC": _STYLE,
    "PYTHONUTF8": "1",
    "PYTHONWARNINGS": "",
}
"""What every kernel is told instead of what the user's settings say."""
LAUNCHED = [sys.executable, "-m", "ipykernel_launcher"]
PRELOADED = "vsh_eval.pipeline.execution.preloaded"
FOLDER = "VSH_EVAL_KERNELS_FOLDER"
"""Tells the server which folder it must remove when what runs the notebooks has ended."""


_STARTING = threading.Lock()
"""Two notebooks may begin at once, in threads of one process."""


class ForkedProvisioner(LocalProvisioner):
    """Forks an IPython kernel from a server that has imported what notebooks import.

    The server is `multiprocessing`'s, one for each process that runs notebooks; it ends with
    that process. Where there is no fork (Windows), where it is not safe (macOS), or where the
    environment variable `COLD` is set, kernels start as Jupyter starts them.
    """

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Launch the kernel of a command ``python -m ipykernel_launcher ...``."""
        if sys.platform != "linux" or COLD in os.environ or cmd[1:3] != LAUNCHED[1:]:
            return await super().launch_kernel(cmd, **kwargs)
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([PRELOADED])
        process = context.Process(
            target=_serve, args=(cmd[3:], kwargs.get("env") or dict(os.environ), kwargs.get("cwd"))
        )
        # What libraries read when they are imported is read by the server, before the kernel is.
        with _STARTING, _environment(PLAIN | {FOLDER: get_temp_dir()}), _no_main():
            process.start()
        self.process = cast(Any, _Forked(process))
        self.pid = self.pgid = process.pid
        return self.connection_info


class KernelManager(AsyncKernelManager):
    """Starts the run's own interpreter, whatever kernels, profiles and rc files the user has.

    What a kernel keeps on the disk lies in the temporary folder of multiprocessing, which goes with
    the process that runs the notebooks. On Linux its sockets are there too: a port of the network
    could be taken by another run between its choice and its use.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Short names, as the path of a socket may have about 100 characters.
        self._own = TemporaryDirectory(prefix="k", dir=get_temp_dir(), ignore_cleanup_errors=True)
        self.connection_file = str(Path(self._own.name) / "k.json")
        if sys.platform == "linux":
            self.transport = "ipc"

    @property
    def kernel_spec(self) -> KernelSpec:
        """What is started: never looked up by name, as another kernel may have the same one."""
        return KernelSpec(
            argv=[*LAUNCHED, "-f", "{connection_file}"],
            display_name="Python 3",
            language="python",
            env=PLAIN | {"IPYTHONDIR": self._own.name},
            metadata={"supported_encryption": ["curve"]},
        )

    async def _async_pre_start_kernel(self, **kwargs: Any) -> tuple[list[str], dict[str, Any]]:
        if self.provisioner is None:
            self.provisioner = ForkedProvisioner(
                kernel_id=str(uuid4()), kernel_spec=self.kernel_spec, parent=self
            )
        return await super()._async_pre_start_kernel(**kwargs)


class _Forked:
    """A forked kernel, as a provisioner looks at a process."""

    stdin = stdout = stderr = None

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process
        self.pid = process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def send_signal(self, signum: int) -> None:
        os.kill(cast(int, self.pid), signum)

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


def _serve(arguments: list[str], environment: dict[str, str], folder: str | None) -> None:
    """Become a kernel: a process group, an environment and a folder of its own."""
    import numpy as np
    from ipykernel.kernelapp import launch_new_instance

    os.setsid()
    # What goes wrong before the kernel is there is said by the run, not by a trace on its console.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder or ".")
    # As Python does when it begins: the server may have begun in another environment.
    with suppress(locale.Error):
        locale.setlocale(locale.LC_CTYPE, "")
    # The state that the server drew when it imported numpy is the same in every fork.
    np.random.seed()  # noqa: NPY002
    launch_new_instance(argv=[*arguments, f"--IPKernelApp.parent_handle={os.getppid()}"])


def _end_with_parent() -> None:
    """End the kernel and what it started when the process that runs the notebooks has ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.killpg(os.getpgid(0), signal.SIGKILL)


@contextmanager
def _no_main() -> Generator[None]:
    """Hide the program that runs the notebooks: a child would run it again to know its names."""
    program = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = program


@contextmanager
def _environment(values: dict[str, str]) -> Generator[None]:
    """Set variables of the environment that the server starts with."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
