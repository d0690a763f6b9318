"""All English for readers: labels, phrases, and one module of sentences a page.

`labels` names codes and columns, `phrases` writes numbers, `findings` says a number with its
interval, `fixed` holds what is said without a number, `page` the words around a page; the other
modules hold the sentences of one page or of one kind of table. Whatever they hand out is a
`SafeText`.
"""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    """Load a module of this folder when it is asked for, as in ``text.gaps``."""
    module = f"{__name__}.{name}"
    if name.startswith("_") or find_spec(module) is None:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return import_module(module)
