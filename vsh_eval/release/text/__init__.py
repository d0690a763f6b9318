"""All English for readers; whatever it hands out is a `SafeText`.

`pages` holds the sentences of one page each (`pages.page` those around every page), `findings` what
is said in the same words wherever a result, a rule or a reason stands, `phrases` the names of
codes, columns, tables and charts and how numbers are written; `words` holds the sentences, labels
and titles that need no code, one row each.
"""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

_FOLDERS = ("pages", "findings", "phrases")


def __getattr__(name: str) -> ModuleType:
    """Load a module below this folder when it is asked for, as in ``text.gaps``."""
    places = (name, *(f"{folder}.{name}" for folder in _FOLDERS))
    for module in (f"{__name__}.{place}" for place in places if not name.startswith("_")):
        if find_spec(module) is not None:
            return import_module(module)
    raise AttributeError(f"module {__name__} has no attribute {name}")
