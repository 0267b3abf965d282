"""Picture files open upright whatever they are called, and what is none is refused by name."""

import errno
import hashlib
import io
import os
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from drawn import encoded, painting
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from engine.spec.errors import InputError
from engine.storage import decoding
from engine.storage.decoding import decoded_here
from engine.storage.images import open_bytes, open_picture, picture_from_pixels
from engine.storage.opening import FILE_LIMIT, opened


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_lossless_formats_open_with_their_exact_pixels(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"Gemälde 夜{suffix}"
    painting().save(path)
    picture = open_picture(path)
    np.testing.assert_array_equal(picture.pixels, np.asarray(painting()))
    assert picture.name == path.name
    assert picture.path == path
    assert picture.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert picture.notes == ()


@pytest.mark.parametrize("file_format", ["JPEG", "WEBP", "AVIF", "GIF"])
def test_lossy_formats_open_close_to_what_was_saved(file_format: str) -> None:
    pixels = open_bytes(encoded(painting(), file_format, quality=95), "x").pixels
    difference = pixels.astype(int) - np.asarray(painting(), dtype=int)
    assert np.abs(difference).mean() < 12


def test_pixels_cannot_be_changed_by_accident() -> None:
    for picture in (
        open_bytes(encoded(painting(), "PNG"), "x"),
        picture_from_pixels(np.zeros((2, 2, 3), np.uint8), "pasted"),
    ):
        with pytest.raises(ValueError, match="read-only"):
            picture.pixels[0, 0] = 1


def test_a_pasted_picture_is_a_copy_known_by_its_pixels() -> None:
    pixels = np.zeros((2, 3, 3), np.uint8)
    picture = picture_from_pixels(pixels, "pasted")
    pixels[:] = 9
    assert picture.pixels.max() == 0
    assert picture.size == (3, 2)
    assert picture.sha256 == picture_from_pixels(np.zeros((2, 3, 3), np.uint8), "again").sha256
    assert picture.sha256 != picture_from_pixels(np.zeros((3, 2, 3), np.uint8), "other").sha256


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_every_exif_orientation_comes_out_upright(file_format: str, orientation: int) -> None:
    lie_down = {  # the inverse of what the viewer is told to do
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = painting() if orientation == 1 else painting().transpose(lie_down[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = open_bytes(encoded(stored, file_format, exif=exif, quality=100), "photo")
    assert picture.size == painting().size
    difference = np.abs(picture.pixels.astype(int) - np.asarray(painting(), dtype=int))
    assert difference.mean() < 8
    assert ("Turned upright." in picture.notes) == (orientation != 1)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_exif_does_not_cost_the_picture() -> None:
    data = encoded(painting(), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    np.testing.assert_array_equal(open_bytes(data, "x").pixels, np.asarray(painting()))


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1)])
def test_the_thinnest_pictures_open(size: tuple[int, int]) -> None:
    assert open_bytes(encoded(Image.new("RGB", size, "red"), "PNG"), "x").size == size


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_opens(file_format: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], file_format, save_all=True, append_images=frames[1:], lossless=True)
    assert open_bytes(data, "x").pixels[4, 4].tolist() == [255, 0, 0]


def test_a_png_named_jpg_just_opens(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(encoded(painting(), "PNG"))
    assert open_picture(tmp_path / "photo.jpg").size == painting().size


def test_a_name_of_250_characters_opens(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 246 + ".png")
    painting().save(path)
    assert open_picture(path).name == path.name


def test_a_name_that_is_no_unicode_can_still_be_shown(tmp_path: Path) -> None:
    try:
        path = Path(os.fsdecode(bytes(tmp_path) + b"/caf\xe9.png"))
        path.write_bytes(encoded(painting(), "PNG"))
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    assert open_picture(path).name == "caf�.png"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.jpg", None, "There is no file none.jpg."),
        ("empty.jpg", b"", "empty.jpg is empty."),
        ("text.jpg", b"Dear diary, " * 100, "text.jpg is not a picture Gramarye can open."),
        ("book.pdf", b"%PDF-1.4\n%", "book.pdf is not a picture Gramarye can open."),
        ("x" * 300 + ".jpg", None, "could not be read: File name too long."),
        ("nul\0.jpg", None, "could not be read"),
    ],
)
def test_what_is_no_picture_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as refused:
        open_picture(tmp_path / name)
    assert message in refused.value.message
    assert refused.value.remedy


def test_a_file_too_large_for_any_picture_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "film.png"
    path.write_bytes(encoded(painting(), "PNG"))
    os.truncate(path, FILE_LIMIT)
    assert open_picture(path).size == (64, 48)
    os.truncate(path, FILE_LIMIT + 1)
    with pytest.raises(InputError, match=r"film\.png is too large"):
        open_picture(path)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        open_picture(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(InputError, match=r"pipe\.png is a pipe\."):
        open_picture(tmp_path / "pipe.png")


def test_a_file_that_may_not_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbid(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    painting().save(tmp_path / "secret.png")
    monkeypatch.setattr(os, "open", forbid)
    with (
        pytest.raises(InputError, match=r"secret\.png may not be read"),
        opened(tmp_path / "secret.png", "secret.png"),
    ):
        pass


@pytest.mark.filterwarnings("ignore:Corrupt EXIF", "ignore:Truncated File Read")
@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {}),
        ("BMP", {}),
        ("AVIF", {}),
    ],
)
def test_a_truncated_picture_is_refused_wherever_it_breaks_off(
    file_format: str, options: dict[str, object]
) -> None:
    data = encoded(painting(), file_format, **options)
    for length in {1, 12, len(data) // 3, len(data) // 2, len(data) - 40}:
        with pytest.raises(InputError):
            open_bytes(data[:length], "broken")


@pytest.mark.parametrize(
    ("file_format", "options"), [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {})]
)
def test_a_half_copied_picture_filled_up_with_zeros_is_refused(
    file_format: str, options: dict[str, object]
) -> None:
    data = encoded(painting(), file_format, **options)
    for missing in (10, 100, len(data) // 2):
        with pytest.raises(InputError, match="damaged or incomplete"):
            open_bytes(data[:-missing] + bytes(missing), "broken")


def test_a_jpeg_with_junk_after_its_end_opens() -> None:
    picture = open_bytes(encoded(painting(), "JPEG") + b"appended by a camera", "x")
    assert picture.size == painting().size


def test_a_thumbnails_end_is_not_taken_for_the_pictures() -> None:
    thumbnail = b"Exif\0\0" + encoded(painting(16, 16), "JPEG")
    data = encoded(painting(), "JPEG", exif=thumbnail)
    assert open_bytes(data, "x").size == painting().size
    with pytest.raises(InputError, match="the end of the JPEG is missing"):
        open_bytes(data[:-2] + bytes(2), "broken")


def test_a_decompression_bomb_is_refused_before_it_is_decoded() -> None:
    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    chunk = (
        struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    )
    data = b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 9) + b"IDAT" + bytes(13)
    with pytest.raises(InputError, match=r"100000 × 100000 pixels"):
        open_bytes(data, "bomb.png")


def test_pictures_up_to_the_limit_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "PIXEL_LIMIT", 64 * 48)
    decoded_here(io.BytesIO(encoded(painting(64, 48), "PNG")), "x")
    with pytest.raises(InputError, match="too large"):
        decoded_here(io.BytesIO(encoded(painting(64, 49), "PNG")), "x")


def test_running_out_of_memory_is_told_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhaust(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(decoding, "Conversion", exhaust)
    with pytest.raises(InputError, match=r"big\.png is too large for this machine's memory"):
        decoded_here(io.BytesIO(encoded(painting(), "PNG")), "big.png")


def test_large_metadata_does_not_keep_a_picture_out() -> None:
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", "x" * 3_000_000)
    assert open_bytes(encoded(painting(), "PNG", pnginfo=info), "x").size == painting().size


def test_heic_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    data = struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic" + bytes(100)
    with pytest.raises(InputError, match="pi-heif"):
        decoded_here(io.BytesIO(data), "IMG_1234.HEIC")


def test_a_broken_heic_is_refused_when_its_package_is_there() -> None:
    pytest.importorskip("pi_heif")
    data = struct.pack(">I", 24) + b"ftypheic" + bytes(4) + b"mif1heic" + bytes(100)
    with pytest.raises(InputError, match=r"IMG_1234\.HEIC"):
        open_bytes(data, "IMG_1234.HEIC")
