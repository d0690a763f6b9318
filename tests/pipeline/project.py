"""A project in a folder of its own, and the commands as a user would give them."""

import contextlib
import hashlib
import io
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import yaml

from vsh_eval import cli
from vsh_eval.pipeline.workspace import Run
from vsh_eval.settings import load


@dataclass(frozen=True, slots=True)
class Said:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.err.splitlines()


def say(*words: object, cwd: Path) -> Said:
    """Give a command in this process, from a folder."""
    out, err = io.StringIO(), io.StringIO()
    code: object = None
    with (
        patch.object(sys, "argv", ["vsh-eval", *map(str, words)]),
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            cli.main()
        except SystemExit as stopped:
            code = stopped.code
    assert isinstance(code, int)
    return Said(code, out.getvalue(), err.getvalue())


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with params, data and outputs."""

    folder: Path

    @classmethod
    def start(cls, folder: Path) -> "Project":
        (folder / "params").mkdir(parents=True)
        (folder / "outputs").mkdir()
        return cls(folder)

    @property
    def outputs(self) -> Path:
        return self.folder / "outputs"

    def write(self, name: str, keys: Mapping[str, object]) -> Path:
        path = self.folder / "params" / f"{name}.yaml"
        path.write_text(yaml.safe_dump({"name": name, **keys}), encoding="utf-8")
        return path

    def say(self, *words: object) -> Said:
        return say(*words, cwd=self.folder)

    def run(self, name: str, *, interactive: bool = False) -> Run:
        params = self.folder / "params" / f"{name}.yaml"
        return Run(load(params), params, self.outputs / name, interactive=interactive)


def state(folder: Path) -> dict[str, str]:
    """Return the hash of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


SMALL = {
    "authority": {"code": "E06000999", "name": "Invented Borough"},
    "source": {"kind": "returns", "folder": "../returns"},
    "years": {"first": "2018/19", "last": "2023/24", "baseline": "2018/19"},
}
TWO_YEARS = {
    "authority": {"code": "E06000049", "name": "Cheshire East"},
    "source": {"kind": "returns", "folder": "../returns"},
    "years": {"first": "2021/22", "last": "2022/23", "baseline": "2021/22"},
}
PUBLISHED = {
    "authority": {"code": "E06000049", "name": "Cheshire East"},
    "source": {"kind": "published", "folder": "../published"},
    "years": {"first": "2019/20", "last": "2024/25", "baseline": "2023/24"},
    "cohort": {"rule": "at_31_march", "group": "cwsw", "reference": "all"},
}
INVENTED = {
    "authority": {"code": "E06000999", "name": "Invented Borough"},
    "source": {"kind": "synthetic", "schools": 10, "effect": -1.0, "seed": 3},
    "years": {"first": "2021/22", "last": "2023/24", "baseline": "2021/22"},
}
