"""The one kind of text that may be shown: made by the functions of this folder and nothing else."""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Self

from vsh_eval.contracts import DisclosureError

_SEAL = object()


class SafeText(str):
    """A text that may stand on a page.

    Whatever is done to it (a sum, a join, an f-string) makes a plain text again, which is refused:
    numbers reach a page only through functions that read them from a `SafeTable`.

    Raises
    ------
    DisclosureError
        If made by anything but a function of `vsh_eval.release.text`.
    """

    __slots__ = ()

    def __new__(cls, text: str, seal: object = None) -> Self:
        """Seal a text; only this module holds the seal."""
        if seal is not _SEAL:
            raise DisclosureError(
                "SafeText was made by hand, must come from a function of vsh_eval.release.text; "
                "call the sentence, or add its words to release/text/words/phrases.toml."
            )
        return super().__new__(cls, text)


def sentence[**P](make: Callable[P, str]) -> Callable[P, SafeText]:
    """Mark a function whose text may be shown: it reads safe tables, settings and codes only."""

    @wraps(make)
    def marked(*args: P.args, **kwargs: P.kwargs) -> SafeText:
        return SafeText(make(*args, **kwargs), _SEAL)

    return marked


def sentences[**P](make: Callable[P, Iterable[str]]) -> Callable[P, tuple[SafeText, ...]]:
    """Mark a function whose texts may all be shown."""

    @wraps(make)
    def marked(*args: P.args, **kwargs: P.kwargs) -> tuple[SafeText, ...]:
        return tuple(SafeText(text, _SEAL) for text in make(*args, **kwargs))

    return marked


def paragraphs(*texts: SafeText) -> SafeText:
    """Put safe texts below each other, those that are empty left out.

    Raises
    ------
    DisclosureError
        If one of them is a plain text.
    """
    return SafeText("\n\n".join(require_safe_text(text) for text in texts if text), _SEAL)


def require_safe_text(text: str) -> SafeText:
    """Refuse any text but a `SafeText`.

    Raises
    ------
    DisclosureError
        If the text was written elsewhere.

    Examples
    --------
    >>> require_safe_text("Three children were excluded.")
    Traceback (most recent call last):
    ...
    vsh_eval.contracts.DisclosureError: a plain text was about to leave, must be a SafeText; \
call a function of vsh_eval.release.text, or add the words to release/text/words/phrases.toml.
    """
    if isinstance(text, SafeText):
        return text
    raise DisclosureError(
        "a plain text was about to leave, must be a SafeText; call a function of "
        "vsh_eval.release.text, or add the words to release/text/words/phrases.toml."
    )
