"""The log of a run: what began, ended and stopped, and when; never a value of the data."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

LOGGER = logging.getLogger("vsh_eval.run")
LARGEST, KEPT = 1_000_000, 3
"""Bytes after which a log is put aside, and how many of those are kept."""


class _Quiet(RotatingFileHandler):
    """A log that cannot be written never stops the run that it is about."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Leave the line out."""
        del record


@contextmanager
def written_to(file: Path) -> Generator[None]:
    """Write what `LOGGER` is told to a file as well, until the block ends.

    An error that leaves the block is logged by its kind alone: its sentence may quote the data,
    and stands on the console.

    Parameters
    ----------
    file : Path
        The log; lines are added to those of earlier runs.
    """
    handler = _Quiet(file, maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8", delay=True)
    form = "%(asctime)s %(levelname)s %(message)s"
    handler.setFormatter(logging.Formatter(form, datefmt="%Y-%m-%dT%H:%M:%S%z"))
    LOGGER.setLevel(logging.INFO)
    LOGGER.addHandler(handler)
    try:
        yield
    except BaseException as error:
        LOGGER.error("stopped: %s", type(error).__name__)  # noqa: TRY400  a trace quotes values
        raise
    finally:
        LOGGER.removeHandler(handler)
        handler.close()
