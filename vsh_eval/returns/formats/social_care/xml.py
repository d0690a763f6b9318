"""XML as systems export it, read as a stream; nothing that a document declares is ever followed."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import chain, compress
from operator import attrgetter
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

import defusedxml.ElementTree
import numpy as np
import pyarrow as pa
from defusedxml import DefusedXmlException

from vsh_eval.contracts import ContractError

_CHUNK = 1 << 14
"""Bytes parsed at a time: what they become is still in the processor's cache when it is read."""
_OTHER = 255
_TAG, _TEXT = attrgetter("tag"), attrgetter("text")


def root_of(path: Path) -> str:
    """Return the tag of a document's root, namespace included, and refuse a document type.

    A document type is where entities are declared, which make bombs and reach other files; it can
    only stand before the root, so that what follows needs no such check.

    Raises
    ------
    ContractError
        In one sentence, if there is a document type or the file is no XML.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.xml")
    ...     _ = path.write_text('<a:Message xmlns:a="urn:x"><Child/></a:Message>')
    ...     root_of(path)
    '{urn:x}Message'
    """
    try:
        with path.open("rb") as file:
            events = defusedxml.ElementTree.iterparse(file, ("start",), forbid_dtd=True)
            return next((element.tag for _, element in events), "")
    except DefusedXmlException as error:
        raise ContractError(
            f"{path.name} declares a document type, must not, as no return has one; export it "
            "again."
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise _not_xml(path, error) from error


@dataclass(frozen=True, slots=True)
class Elements:
    """What was asked for of a document, in its order.

    Attributes
    ----------
    root : Element
        The root with all that is no item.
    tags : frozenset of str
        Every tag of the document.
    names : tuple of str
        The tags that were asked for; the first is that of the items.
    kinds : ndarray of int
        Of each element, the place of its tag among `names`.
    texts : StringArray
        The text of each element, null where it has none.
    """

    root: Element
    tags: frozenset[str]
    names: tuple[str, ...]
    kinds: np.ndarray
    texts: pa.StringArray

    def at(self, name: str) -> np.ndarray:
        """Return where the elements of a name stand."""
        return np.flatnonzero(self.kinds == self.names.index(name))

    def before(self, at: np.ndarray, name: str) -> np.ndarray:
        """Return the number of the last element of a name before each place; -1 without one.

        One of an earlier item is none.
        """
        owners, items = self.at(name), self.at(self.names[0])
        last = np.searchsorted(owners, at, side="right") - 1
        begins = np.searchsorted(items, at, side="right") - 1
        there = (last >= 0) & (begins >= 0)
        there[there] = owners[last[there]] >= items[begins[there]]
        return np.where(there, last, -1)

    def text(self, owner: str, name: str) -> pa.Array:
        """Return the first text of a name within each element of another one, null without one."""
        at = self.at(name)
        of = self.before(at, owner)
        first = (of >= 0) & (np.diff(of, prepend=-1) != 0)
        positions = np.full(len(self.at(owner)), -1)
        positions[of[first]] = at[first]
        return self.texts.take(pa.array(positions, mask=positions < 0))

    def further(self, owner: str, name: str) -> tuple[pa.Array, pa.Array]:
        """Return every text of a name after the first within an element, and whose it is."""
        at = self.at(name)
        of = self.before(at, owner)
        again = (of >= 0) & (np.diff(of, prepend=-1) == 0)
        return pa.array(of[again]), self.texts.take(pa.array(at[again]))


class _Places(dict[str, int]):
    """The place of each tag that is wanted; any other tag that is met gets the last place."""

    def __missing__(self, tag: str) -> int:
        self[tag] = _OTHER
        return _OTHER


@dataclass(slots=True)
class _Wanted:
    """What is kept of the items of a document while it is read."""

    item: str
    places: _Places
    kinds: list[np.ndarray] = field(default_factory=lambda: [np.empty(0, dtype="uint8")])
    texts: list[pa.Array] = field(default_factory=lambda: [pa.array([], pa.string())])

    def take(self, parent: Element, whole: Sequence[Element]) -> None:
        """Keep what is wanted of those elements that are items, and forget them."""
        items = [element for element in whole if element.tag == self.item]
        if not items:
            return
        # Every element passes here, so that none of these lines is a loop of Python's.
        parts = [*chain.from_iterable(map(Element.iter, items))]
        kinds = np.frombuffer(bytes(map(self.places.__getitem__, map(_TAG, parts))), dtype="uint8")
        wanted = kinds != _OTHER
        self.kinds.append(kinds[wanted])
        self.texts.append(pa.array([*map(_TEXT, compress(parts, wanted.tobytes()))], pa.string()))
        for element in items:
            parent.remove(element)


def read(path: Path, item: str, names: Collection[str]) -> Elements:
    """Read a document as a stream, and keep the text of what is asked for.

    Parameters
    ----------
    path : Path
        A document that `root_of` has accepted.
    item : str
        A tag, namespace included. Such an element is forgotten once it is whole, so that the
        document never stands in memory as a whole.
    names : collection of str
        The tags of which the text is kept, namespace included; 254 at most.

    Returns
    -------
    Elements
        The items and the elements of these names within them, in the order of the document.

    Raises
    ------
    ContractError
        In one sentence with the line, if the document breaks off or is no XML.
    """
    keys = (item, *names)
    wanted = _Wanted(item, _Places(zip(keys, range(_OTHER), strict=False)))
    # An element that is begun by hand holds the root while the parser builds it; events for each
    # element, as of iterparse, would cost more than all that is done with them.
    builder = TreeBuilder()
    document = builder.start("document", {})
    parser = XMLParser(target=builder)  # noqa: S314 - `root_of` has refused what is unsafe
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                parser.feed(chunk)
                for parent in (*document, *(part[-1] for part in document if len(part))):
                    wanted.take(parent, parent[:-1])
        parser.close()
    except (ParseError, ValueError, LookupError) as error:
        raise _not_xml(path, error) from error
    root = document[0]
    for parent in list(root.iter()):
        wanted.take(parent, parent[:])
    kinds = np.concatenate(wanted.kinds)
    there = {keys[place] for place in np.unique(kinds)}
    other = {tag for tag, place in wanted.places.items() if place == _OTHER}
    return Elements(
        root,
        frozenset(there | other | {part.tag for part in root.iter()}),
        keys,
        kinds,
        pa.chunked_array(wanted.texts).combine_chunks(),
    )


def namespace_of(tag: str) -> str:
    """Return the namespace of a tag as it stands before the name.

    Examples
    --------
    >>> namespace_of("{urn:x}Message"), namespace_of("Message")
    ('{urn:x}', '')
    """
    return tag[: tag.index("}") + 1] if tag.startswith("{") else ""


def _not_xml(path: Path, error: Exception) -> ContractError:
    line, _ = getattr(error, "position", (0, 0))
    where = f" from line {line:,} on" if line else ""
    return ContractError(
        f"{path.name} cannot be read{where}, must be whole XML; it may have been cut off or "
        "edited: export it again."
    )
