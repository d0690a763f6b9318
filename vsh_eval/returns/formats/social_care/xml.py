"""XML as systems export it, read as a stream; nothing that a document declares is ever followed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from vsh_eval.contracts import ContractError

_CHUNK = 1 << 19


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


def read(
    path: Path, name: str, take: Callable[[Sequence[Element]], None]
) -> tuple[Element, set[str]]:
    """Read a document as a stream and hand over every element of a name when it is whole.

    Parameters
    ----------
    path : Path
        A document that `root_of` has accepted.
    name : str
        A tag, namespace included.
    take : callable
        Gets some of them at a time, each once and in order; they are then forgotten, so that the
        document never stands in memory as a whole.

    Returns
    -------
    root : Element
        The root with all that has another name.
    tags : set of str
        Every tag of the document.

    Raises
    ------
    ContractError
        In one sentence with the line, if the document breaks off or is no XML.
    """
    tags: set[str] = set()

    def hand_over(parent: Element, whole: Sequence[Element]) -> None:
        found = [element for element in whole if element.tag == name]
        if found:
            take(found)
        for element in found:
            tags.update([part.tag for part in element.iter()])
            parent.remove(element)

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
                    hand_over(parent, parent[:-1])
        parser.close()
    except (ParseError, ValueError, LookupError) as error:
        raise _not_xml(path, error) from error
    root = document[0]
    for parent in list(root.iter()):
        hand_over(parent, parent[:])
    return root, tags | {part.tag for part in root.iter()}


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
