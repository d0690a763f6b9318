"""Bad input, one example of each check: a sentence, and nothing else."""

import re

import pytest

from tests.pipeline.project import state
from tests.returns.tiny import PUPILS, added, changed, header_only, without, write
