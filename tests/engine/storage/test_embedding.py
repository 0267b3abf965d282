"""A text travels inside every kind of picture file, and a hostile packet costs only itself."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from engine.spec.errors import InputError
from engine.storage.embedding import (
    TEXT_LIMIT,
    embedded_text,
    png_chunks,
    tiff_tags,
    xmp_packet,
)

TEXT = '{"name": "Größe <夜> & \\" 😀"}'


def picture(file_format: str, **options: Any) -> Image.Image:
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2)).save(buffer, file_format, **options)
    return Image.open(buffer)


def with_packet(packet: bytes) -> Image.Image:
    return picture("JPEG", xmp=packet)


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("PNG", {"pnginfo": png_chunks(TEXT)}),
        ("TIFF", {"tiffinfo": tiff_tags(TEXT)}),
        ("JPEG", {"xmp": xmp_packet(TEXT)}),
        ("WEBP", {"xmp": xmp_packet(TEXT)}),
    ],
)
def test_each_format_gives_the_text_back(file_format: str, options: dict[str, Any]) -> None:
    assert embedded_text(picture(file_format, **options), "a") == TEXT


@pytest.mark.parametrize(
    ("file_format", "options"),
    [("PNG", {"pnginfo": png_chunks(None)}), ("TIFF", {"tiffinfo": tiff_tags(None)}), ("JPEG", {})],
)
def test_no_text_is_none(file_format: str, options: dict[str, Any]) -> None:
    assert embedded_text(picture(file_format, **options), "a") is None


@pytest.mark.parametrize("put_in", [xmp_packet, png_chunks, tiff_tags])
def test_a_text_that_is_too_long_once_written_is_refused(put_in: Any) -> None:
    put_in("&" * (TEXT_LIMIT // len("&amp;")))
    with pytest.raises(InputError, match="too long"):
        put_in("&" * (TEXT_LIMIT // len("&amp;") + 1))


DECLARATIONS = {
    "entities": '<!DOCTYPE r [<!ENTITY a "aaaa">]>',
    "a document type alone": '<!DOCTYPE r SYSTEM "http://example.org/r.dtd">',
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("declared", DECLARATIONS.values(), ids=DECLARATIONS.keys())
def test_a_packet_that_declares_anything_is_refused_in_any_encoding(
    declared: str, encoding: str
) -> None:
    # In UTF-16 the bytes of the namespace, by which a packet is known, have to stand in a comment.
    disguised = b"urn:gramarye: ".decode("utf-16-le")
    text = f'{declared}<r xmlns:g="urn:gramarye:"><!--{disguised}--><g:recipe>t</g:recipe></r>'
    with pytest.raises(InputError, match="damaged"):
        embedded_text(with_packet(text.encode(encoding)), "a")
