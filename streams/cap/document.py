"""XML from outside as a tree, within bounds, with the place of every element: a fault names line and column.

Two passes: expat tells where each element begins, and stops at a DTD, at too much and at too deep before anything is built;
lxml then builds the tree that the schema and the signature need.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from xml.parsers import expat

from lxml import etree

from domain.errors import Fault, InvalidInput

MAX_BYTES = 2 * 1024 * 1024
"""The longest real warnings, with the outlines of a whole province, take some hundred kB."""
MAX_DEPTH = 32
"""CAP with a signature is eight deep, a feed around it four more."""
MAX_ELEMENTS = 50_000
ROOT = "document"
_DECLARATION = re.compile(
    rb"^(?:\xef\xbb\xbf)?<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']"
)
_CHINESE_ENCODINGS = frozenset({"gb2312", "gbk", "gb18030", "cp936"})
_BREAKS_OFF = frozenset(
    expat.errors.codes[name]
    for name in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
)


@dataclass(frozen=True, eq=False)
class Document:
    """A tree and where its elements begin: (line, column), both from 1, in document order."""

    root: etree._Element
    places: tuple[tuple[int, int], ...]

    @cached_property
    def _numbers(self) -> dict[etree._Element, int]:
        return {element: number for number, element in enumerate(self.root.iter("*"))}

    def where(self, element: etree._Element) -> str:
        """Say where an element begins."""
        line, column = self.places[self._numbers[element]]
        return f"line {line}, column {column}"

    def fault(self, element: etree._Element, reason: str) -> Fault:
        """Make a fault of an element, by its path and place."""
        return Fault(path_of(element), f"{self.where(element)}: {reason}")


def path_of(element: etree._Element) -> str:
    """Name an element as a field: `info[1].area[0].polygon[2]`; the root is the document."""
    parts: list[str] = []
    while (parent := element.getparent()) is not None:
        name = etree.QName(element).localname
        like = [child for child in parent if child.tag == element.tag]
        repeats = len(like) > 1 or name in ("info", "area")
        parts.append(f"{name}[{like.index(element)}]" if repeats else name)
        element = parent
    return ".".join(reversed(parts)) or ROOT


def parse(data: bytes, max_bytes: int = MAX_BYTES) -> Document:
    """Read XML; InvalidInput with line and column for what is no XML, has a DTD, or breaks a bound."""
    if len(data) > max_bytes:
        raise InvalidInput([Fault(ROOT, f"has {len(data)} bytes, at most {max_bytes} are read")])
    data = _to_utf8(data)
    places = _survey(data)
    try:
        root = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as error:  # such as an undeclared prefix, which expat lets pass
        line, column = error.position
        raise InvalidInput([_fault(line, max(column, 1), f"is not XML: {error.msg}")]) from error
    return Document(root, tuple(places))


def _parser() -> etree.XMLParser:
    """Make a parser that fetches nothing and replaces nothing, whatever the document asks for."""
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )


def _fault(line: int, column: int, reason: str) -> Fault:
    return Fault(ROOT, f"line {line}, column {column}: {reason}")


def _to_utf8(data: bytes) -> bytes:
    """Turn the Chinese encodings, which expat does not know, into UTF-8; a signature is over characters, not bytes."""
    found = _DECLARATION.match(data)
    if found is None or found[1].decode().lower() not in _CHINESE_ENCODINGS:
        return data
    head, tail = data[: found.start(1)], data[found.end(1) :]
    try:
        return head + b"UTF-8" + tail.decode("gb18030").encode()
    except UnicodeDecodeError as error:
        before = tail[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise InvalidInput([_fault(line, column, f"is not {found[1].decode()}")]) from error


def _survey(data: bytes) -> list[tuple[int, int]]:
    """Find where the elements begin; InvalidInput at the first thing that must not be."""
    reader = expat.ParserCreate()
    places: list[tuple[int, int]] = []
    depth = 0

    def refuse(reason: str) -> InvalidInput:
        return InvalidInput([_fault(reader.CurrentLineNumber, reader.CurrentColumnNumber + 1, reason)])

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise refuse(f"is nested deeper than {MAX_DEPTH} elements")
        if len(places) >= MAX_ELEMENTS:
            raise refuse(f"has more than {MAX_ELEMENTS} elements")
        places.append((reader.CurrentLineNumber, reader.CurrentColumnNumber + 1))

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1

    def doctype(*_: object) -> None:
        raise refuse("has a DTD (DOCTYPE): entities are not read, send the message without it")

    reader.StartElementHandler = begin
    reader.EndElementHandler = end
    reader.StartDoctypeDeclHandler = doctype
    try:
        reader.Parse(data, True)
    except expat.ExpatError as error:
        words = expat.ErrorString(error.code)
        reason = f"breaks off: {words}" if error.code in _BREAKS_OFF else f"is not XML: {words}"
        raise InvalidInput([_fault(error.lineno, error.offset + 1, reason)]) from error
    return places
