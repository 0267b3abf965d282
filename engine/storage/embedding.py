"""One text inside a picture file: how each format carries it, both ways."""

from __future__ import annotations

from html import escape
from xml.etree import ElementTree

from PIL import Image, TiffImagePlugin
from PIL.PngImagePlugin import PngInfo

from engine.spec.errors import InputError

TEXT_LIMIT = 60_000
"""Bytes; a JPEG's metadata segment holds 65,502 with the packet around the text."""

_KEY = "gramarye"
_NAMESPACE = "urn:gramarye:"
_XMP_TAG, _BYTE, _PREDICTOR_TAG, _HORIZONTAL = 700, 1, 317, 2
_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    f'<rdf:Description rdf:about="" xmlns:{_KEY}="{_NAMESPACE}">'
    f"<{_KEY}:recipe>{{}}</{_KEY}:recipe>"
    '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


def png_chunks(text: str | None) -> PngInfo:
    """The text as a PNG's iTXt chunk, uncompressed: readers give up on large compressed ones."""
    chunks = PngInfo()
    if text is not None:
        chunks.add_itxt(_KEY, _fitting(text))
    return chunks


def xmp_packet(text: str) -> bytes:
    """The text in a minimal XMP packet, for JPEG, WebP and TIFF."""
    return _PACKET.format(escape(_fitting(text), quote=False)).encode()


def tiff_tags(text: str | None) -> TiffImagePlugin.ImageFileDirectory_v2:
    """The tags of a compressed TIFF; Pillow's own `xmp=` does nothing for this format."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[_PREDICTOR_TAG] = _HORIZONTAL
    if text is not None:
        tags[_XMP_TAG] = xmp_packet(text)
        tags.tagtype[_XMP_TAG] = _BYTE
    return tags


def embedded_text(image: Image.Image, name: str) -> str | None:
    """The text a picture carries, or None.

    Raises:
        InputError: There is one, but it is damaged or too long.
    """
    text = image.info.get(_KEY)
    xmp = image.info.get("xmp")
    if not isinstance(text, str) and isinstance(xmp, bytes) and _NAMESPACE.encode() in xmp:
        text = _text_in_packet(xmp, name)
    if not isinstance(text, str):
        return None
    if len(text) > TEXT_LIMIT:
        raise InputError(f"The recipe in {name} is too long to be one of Gramarye's.")
    return text


def fits(text: str) -> bool:
    """Whether every format can carry a text."""
    return len(escape(text, quote=False).encode()) <= TEXT_LIMIT


def _fitting(text: str) -> str:
    if not fits(text):
        raise InputError(
            "The recipe is too long to be stored in the picture.", "Use fewer style images."
        )
    return text


def _text_in_packet(xmp: bytes, name: str) -> str | None:
    damaged = InputError(f"The recipe in {name} is damaged.", "The picture itself can be opened.")
    try:
        text = xmp.strip(b"\0 ").decode()
        # XMP never declares entities; a packet that does is after the parser's memory.
        if "<!DOCTYPE" in text:
            raise damaged
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise damaged from error
    tag = f"{{{_NAMESPACE}}}recipe"
    # Other programs may rewrite a simple property as an attribute.
    found = (element.text if element.tag == tag else element.get(tag) for element in root.iter())
    return next((text for text in found if text), None)
