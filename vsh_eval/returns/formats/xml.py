"""XML as systems export it, read as a stream; nothing that a document declares is ever followed."""

from collections.abc import Iterator
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
            f"{path.name} declares a document type, must not, as no return has one; export it again."
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise _not_xml(path, error) from error


def ends(path: Path) -> Iterator[Element]:
    """Yield every element of a document when it ends, as a stream.

    Whoever reads an element calls ``clear()`` on it when it is no longer needed.

    Raises
    ------
    ContractError
        In one sentence with the line, if the document breaks off or is no XML.
    """
    try:
        with path.open("rb") as file:
            for _, element in iterparse(file):  # noqa: S314 - `root_of` has refused what is unsafe
                yield element
    except (ParseError, ValueError, LookupError) as error:
        raise _not_xml(path, error) from error


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
        f"{path.name} cannot be read{where}, must be whole XML; it may have been cut off or edited: "
        "export it again."
    )
