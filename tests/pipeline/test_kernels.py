"""A forked kernel is what a cold one is, and ends when it should."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from vsh_eval.pipeline.execution.kernels import COLD, KernelManager

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")

FACTS = """
import json, locale, os, sys
import matplotlib.pyplot as plt, numpy as np, pandas as pd, duckdb, seaborn, statsmodels
from vsh_eval.release import figures
fresh = "a_mark" not in vars(pd)
pd.a_mark = True
print(json.dumps({
    "executable": sys.executable, "folder": os.getcwd(), "name": __name__,
    "environment": {k: v for k, v in os.environ.items() if k not in OWN_TO_EACH},
    "backend": plt.get_backend(), "settings": {k: str(v) for k, v in plt.rcParams.items()},
    "options": str(pd.options.d).lower(),
    "locale": locale.setlocale(locale.LC_ALL), "errors": np.geterr(), "fresh": fresh,
    "sum": duckdb.sql("select sum(range)::int from range(9)").fetchall()[0][0],
    "solved": np.linalg.solve(np.eye(300) * 2, np.ones(300)).sum(),
    "group": os.getpgid(0) == os.getpid(),
}))
""".replace(
    "OWN_TO_EACH",
    "{'JPY_PARENT_PID', 'PYDEVD_USE_FRAME_EVAL', 'IPYTHONDIR', COLD}",
)
PARENT = """
import os
parent = os.getppid()
command = open(f"/proc/{parent}/cmdline").read().split(chr(0))[1:4]
print(command, len(os.listdir(f"/proc/{parent}/task")))
print(np.random.random())
"""


def run(*cells: str, folder: Path) -> list[str]:
    """Run cells in one kernel and return what each printed."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(
        book,
        kernel_name="python3",
        kernel_manager_class=KernelManager,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    return ["".join(o.get("text", "") for o in cell["outputs"]) for cell in client.nb.cells]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kernels")


def test_it_is_what_a_cold_kernel_is(folder, monkeypatch):
    """Interpreter, folder, environment, settings of the libraries; nothing of another kernel."""
    helper = f"COLD = {COLD!r}"
    forked = [json.loads(run(helper, FACTS, folder=folder)[1]) for _ in range(2)]
    monkeypatch.setenv(COLD, "1")
    cold = json.loads(run(helper, FACTS, folder=folder)[1])
    assert forked[0]["executable"] == sys.executable
    assert forked[0]["fresh"]
    for fact in cold:
        assert forked[0][fact] == forked[1][fact] == cold[fact], fact


def test_it_is_forked_from_a_process_of_one_thread(folder):
    """A fork is safe only there, and a kernel that silently starts cold would be told by it."""
    parents, draws = zip(
        *(run("import numpy as np" + PARENT, folder=folder)[0].splitlines() for _ in range(2)),
        strict=True,
    )
    for parent in parents:
        assert "multiprocessing.forkserver" in parent
        assert parent.endswith("] 1")
    assert draws[0] != draws[1]


def test_what_kernels_are_forked_from_needs_no_package_of_the_tests():
    """A plain install lacks cvxpy: all else is imported, and no module is left to be missing."""
    look = (
        "import sys; sys.modules['cvxpy'] = None\n"
        "import importlib.util as util; find = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'cvxpy' else find(name, *more)\n"
        "import vsh_eval.pipeline.execution.preloaded\n"
        "print('vsh_eval.release.pages' in sys.modules, sys.modules.get('polars', 'not there'))"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "not", "there"]


def test_a_kernel_that_dies_is_noticed(folder):
    with pytest.raises(DeadKernelError):
        run("import os; os.kill(os.getpid(), 9)", folder=folder)


def test_kernels_end_with_what_runs_them(folder):
    """A runner that is killed leaves neither a kernel, nor the server, nor a file behind.

    It is a plain script, which a kernel must not run again. It talks to the kernel by
    files of its own, and not by five ports that another run could take.
    """
    temporary = folder / "t"
    temporary.mkdir()
    runner = folder / "runner.py"
    runner.write_text(
        "from pathlib import Path\nfrom tests.pipeline.test_kernels import run\n"
        "run('import os, time; "
        'open("started", "w").write(f"{os.getpid()} {os.getppid()}"); time.sleep(600)\','
        " folder=Path('.'))\n",
        encoding="utf-8",
    )
    started = folder / "started"
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [sys.executable, str(runner)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path, "TMPDIR": str(temporary)},
    )
    while not started.is_file() or not started.read_text().strip():
        assert process.poll() is None
        time.sleep(0.1)
    below = [int(pid) for pid in started.read_text().split()]
    assert len([path for path in temporary.rglob("*") if path.is_socket()]) == 5 + 1  # the server's
    process.kill()
    process.wait()
    gone = time.monotonic() + 30
    while any(_runs(pid) for pid in below) or list(temporary.iterdir()):
        assert time.monotonic() < gone
        time.sleep(0.1)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
