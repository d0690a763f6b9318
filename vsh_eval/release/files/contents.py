"""Everything a released file says: its text, and what is packed inside it.

Pages carry pictures as base64, pictures carry text in their metadata, workbooks are zipped XML. A
file that cannot be opened like this cannot be checked, and so may not be released.
"""

import base64
import binascii
import html
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from vsh_eval.contracts import ContractError

TEXT = frozenset(
    {".html", ".htm", ".css", ".js", ".svg", ".xml", ".json", ".ipynb", ".csv", ".tsv", ".txt"}
    | {".md", ".yaml", ".yml", ".toml", ".log", ".rels", ".vml"}
)
PACKED = frozenset({".xlsx", ".zip", ".docx", ".ods"})
PICTURES = frozenset({".png"})
_PNG = b"\x89PNG\r\n\x1a\n"
_DATA_URI = re.compile(r"data:([\w./+-]*)(?:;[\w=.-]+)*;base64,([A-Za-z0-9+/=\s%\\]+)")
_IPYNB_PICTURE = re.compile(r'"image/png":\s*"([A-Za-z0-9+/=\\n]+)"')


class UnreadableError(ContractError):
    """A file's kind is not one that can be read through."""


def texts(name: str, content: bytes) -> Iterator[str]:
    """Yield every text in a file, what is packed in it included.

    Parameters
    ----------
    name : str
        The file's name; its ending says how it is read.
    content : bytes
        The whole file.

    Yields
    ------
    str
        The file's own text without embedded pictures, then the pictures' metadata and the packed
        members, each read the same way.

    Raises
    ------
    UnreadableError
        If the file is of another kind, or is not what its ending says.

    Examples
    --------
    >>> list(texts("note.txt", b"fifteen"))
    ['fifteen']
    """
    last = PurePosixPath(name.lower()).name
    ending = PurePosixPath(f"name{last}" if last.startswith(".") else last).suffix
    if ending in TEXT:
        yield from _text(content.decode("utf-8", errors="replace"))
    elif ending in PACKED:
        yield from _members(name, content)
    elif ending in PICTURES:
        yield from _png(name, content)
    else:
        raise UnreadableError(
            f"{name} is of a kind that cannot be read through, must be one of "
            f"{', '.join(sorted(TEXT | PACKED | PICTURES))}; leave it out of the release."
        )


def _text(written: str) -> Iterator[str]:
    pictures: list[tuple[str, str]] = _DATA_URI.findall(written)
    pictures += [("image/png", picture) for picture in _IPYNB_PICTURE.findall(written)]
    plain = _IPYNB_PICTURE.sub(" ", _DATA_URI.sub(" ", written))
    yield plain
    if "&" in plain:
        yield html.unescape(plain)
    for kind, packed in pictures:
        yield from _embedded(kind, packed)


def _embedded(kind: str, packed: str) -> Iterator[str]:
    clean = re.sub(r"\\n|\\|%0A|\s", "", packed)
    try:
        content = base64.b64decode(clean + "=" * (-len(clean) % 4))
    except (binascii.Error, ValueError):
        yield packed
        return
    if content.startswith(_PNG):
        yield from _png("embedded picture", content)
    elif kind.startswith("text/") or "xml" in kind or "json" in kind:
        yield from _text(content.decode("utf-8", errors="replace"))
    else:
        yield content.decode("latin-1")


def _members(name: str, content: bytes) -> Iterator[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for member in packed.infolist():
                yield member.filename
                if not member.is_dir():
                    yield from texts(member.filename, packed.read(member))
    except zipfile.BadZipFile:
        raise UnreadableError(
            f"{name} is not the packed file its ending says, must be one; write it again."
        ) from None


def _png(name: str, content: bytes) -> Iterator[str]:
    """Yield the texts of a picture's metadata (tEXt, zTXt, iTXt, eXIf)."""
    if not content.startswith(_PNG):
        raise UnreadableError(
            f"{name} is not the picture its ending says, must be a PNG; write it again."
        )
    at = len(_PNG)
    while at + 8 <= len(content):
        size, kind = struct.unpack(">I4s", content[at : at + 8])
        chunk = content[at + 8 : at + 8 + size]
        at += 12 + size
        if kind in (b"tEXt", b"eXIf"):
            yield chunk.decode("latin-1")
        elif kind in (b"zTXt", b"iTXt"):
            yield _unpacked(chunk)
        if kind == b"IEND":
            yield content[at:].decode("latin-1")
            return


def _unpacked(chunk: bytes) -> str:
    """Return a picture's text, whichever part of it is compressed."""
    for start in range(len(chunk) - 1):
        if chunk[start : start + 1] == b"\x78":
            try:
                text = zlib.decompress(chunk[start:])
            except zlib.error:
                continue
            return (chunk[:start] + b" " + text).decode("utf-8", errors="replace")
    return chunk.decode("utf-8", errors="replace")
