"""XML as systems export it, read as a stream; nothing that a document declares is ever followed."""

from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, iterparse

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from vsh_eval.contracts import ContractError


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


def read(path: Path, name: str, take: Callable[[Element], None]) -> tuple[Element, set[str]]:
    """Read a document as a stream and hand over every element of a name when it is whole.

    Parameters
    ----------
    path : Path
        A document that `root_of` has accepted.
    name : str
        A tag, namespace included.
    take : callable
        Gets each of them once, in order; what they hold is then forgotten, so that the document
        never stands in memory as a whole.

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
    try:
        with path.open("rb") as file:
            # `root_of` has refused what is unsafe.
            events = iterparse(file)  # noqa: S314
            for _, element in events:
                tag = element.tag
                tags.add(tag)
                if tag == name:
                    take(element)
                    element.clear()
            root = events.root  # pyright: ignore[reportAttributeAccessIssue]
    except (ParseError, ValueError, LookupError) as error:
        raise _not_xml(path, error) from error
    return root, tags


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
