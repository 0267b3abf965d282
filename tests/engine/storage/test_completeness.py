"""A file of which a part is missing is refused, or noted where the picture may be meant so."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import encoded, painting
from PIL import Image

from engine.spec.errors import InputError
from engine.storage.images import open_bytes

END = b"\xff\xd9"


def jpeg(mode: str, options: dict[str, object]) -> bytes:
    return encoded(painting(320, 240).convert(mode), "JPEG", **options)


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("RGB", {}),
        ("RGB", {"quality": 100, "subsampling": 0}),
        ("RGB", {"progressive": True}),
        ("RGB", {"restart_marker_blocks": 4}),
        ("L", {}),
        ("CMYK", {}),
    ],
)
def test_a_jpeg_cut_and_closed_is_refused(mode: str, options: dict[str, object]) -> None:
    data = jpeg(mode, options)
    scan = data.index(b"\xff\xda") + 20
    for part in range(1, 20):
        cut = data[: scan + part * (len(data) - scan) // 20]
        with pytest.raises(InputError, match="a part of the JPEG is missing"):
            open_bytes(cut + END, "cut.jpg")
    assert not any("is empty" in note for note in open_bytes(data, "whole.jpg").notes)


def test_bytes_that_belong_to_nothing_do_not_keep_a_jpeg_out() -> None:
    data = jpeg("RGB", {})
    picture = open_bytes(data[:-2] + b"extraneous" + END, "x.jpg")
    np.testing.assert_array_equal(picture.pixels, open_bytes(data, "x.jpg").pixels)


def test_where_another_complaint_hides_that_a_part_is_missing_a_doubt_is_told() -> None:
    data = jpeg("RGB", {})
    scan = data.index(b"\xff\xda")
    odd = data[:scan] + b"odd" + data[scan:]
    doubt = "The file is damaged in places; the picture may be incomplete."
    for cut in (odd, odd[: len(odd) // 2] + END):
        assert open_bytes(cut, "odd.jpg").notes == (doubt,)


def test_a_jpeg_of_thousands_of_scans_is_refused_at_once() -> None:
    data = jpeg("L", {"progressive": True})
    last = data.rindex(b"\xff\xda")
    with pytest.raises(InputError, match="too many scans"):
        open_bytes(data[:last] + data[last:-2] * 3000 + END, "scans.jpg")


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("AVIF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("GIF", {}),
    ],
)
def test_a_compressed_picture_filled_up_with_zeros_is_refused_or_noted(
    file_format: str, options: dict[str, object]
) -> None:
    data = encoded(painting(320, 240), file_format, **options)
    assert open_bytes(data, "whole").notes == ()
    for part in range(1, 10):
        kept = part * len(data) // 10
        try:
            notes = open_bytes(data[:kept] + bytes(len(data) - kept), "broken").notes
        except InputError:
            continue
        assert any("the picture may be incomplete" in note for note in notes)


@pytest.mark.parametrize("file_format", ["BMP", "TIFF"])
def test_an_uncompressed_picture_that_ends_in_zeros_may_be_black_and_is_noted(
    file_format: str,
) -> None:
    data = encoded(painting(320, 240), file_format)
    kept = len(data) * 3 // 5
    (note,) = open_bytes(data[:kept] + bytes(len(data) - kept), "half copied").notes
    assert note == "The last 40 % of its file is empty: black, or never copied."


def test_a_dark_edge_is_nothing_to_speak_of() -> None:
    framed = Image.new("RGB", (320, 240))
    framed.paste(painting(316, 236), (2, 2))
    assert open_bytes(encoded(framed, "TIFF"), "framed").notes == ()
