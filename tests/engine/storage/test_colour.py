"""Whatever colours and depths a file has, it opens in 8-bit sRGB."""

import io
import struct
import zlib

import numpy as np
import pytest
from drawn import encoded, painting
from PIL import Image, ImageCms, TiffImagePlugin

from engine.spec.errors import InputError
from engine.storage import colour
from engine.storage.decoding import decoded_here
from engine.storage.images import open_bytes

GRADIENT = np.arange(256, dtype=np.uint8).reshape(1, 256)


def deep_png(values: np.ndarray) -> bytes:
    """A PNG of 16 bits per channel, which Pillow cannot write in colour; values (H, W, C)."""
    height, width, channels = values.shape
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def grey(row: np.ndarray) -> np.ndarray:
    return np.repeat(row[..., np.newaxis], 3, axis=2)


def test_sixteen_bit_grey_png_keeps_its_gradient() -> None:
    picture = open_bytes(deep_png(GRADIENT[..., np.newaxis].astype(np.uint16) * 257), "x")
    np.testing.assert_array_equal(picture.pixels, grey(GRADIENT))
    assert picture.notes == ("Reduced to 8 bits per channel.",)


@pytest.mark.parametrize("compression", ["raw", "tiff_adobe_deflate"])
def test_sixteen_bit_grey_tiff_keeps_its_gradient(compression: str) -> None:
    image = Image.fromarray(GRADIENT.astype(np.uint16) * 257)
    picture = open_bytes(encoded(image, "TIFF", compression=compression), "x")
    np.testing.assert_array_equal(picture.pixels, grey(GRADIENT))


def test_sixteen_bit_tiff_where_zero_is_white_is_no_negative() -> None:
    image = Image.fromarray(GRADIENT.astype(np.uint16) * 257)
    picture = open_bytes(encoded(image, "TIFF", tiffinfo={262: 0}), "x")
    np.testing.assert_array_equal(picture.pixels, grey(255 - GRADIENT))


def test_twelve_bit_grey_tiff_keeps_its_gradient() -> None:
    white = tiff_of(b"\xff\xf0\x00\x7f\xf8\x00", width=2, height=2, bits=(12,))
    picture = open_bytes(white, "x")
    assert picture.pixels[..., 0].tolist() == [[255, 0], [127, 128]]
    assert picture.notes == ("Reduced to 8 bits per channel.",)


def test_sixteen_bit_colour_png_keeps_its_gradient() -> None:
    ramp = np.stack([GRADIENT, GRADIENT[:, ::-1], GRADIENT // 2], axis=2)
    picture = open_bytes(deep_png(ramp.astype(np.uint16) * 257), "x")
    np.testing.assert_array_equal(picture.pixels, ramp)
    assert picture.notes == ("Reduced to 8 bits per channel.",)


def test_sixteen_bit_colour_tiff_keeps_its_gradient() -> None:
    ramp = np.stack([GRADIENT, GRADIENT[:, ::-1], GRADIENT // 2], axis=2)
    deep = (ramp.astype("<u2") * 257).tobytes()
    data = tiff_of(deep, width=256, height=1, bits=(16, 16, 16))
    picture = open_bytes(data, "x")
    np.testing.assert_array_equal(picture.pixels, ramp)
    assert picture.notes == ("Reduced to 8 bits per channel.",)


def tiff_of(raw: bytes, width: int, height: int, bits: tuple[int, ...]) -> bytes:
    """An uncompressed little-endian TIFF around raw samples, grey or RGB."""
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    photometric = 1 if len(bits) == 1 else 2
    for tag, value in {
        256: width, 257: height, 258: bits, 259: 1, 262: photometric, 273: 0, 277: len(bits),
        278: height, 279: len(raw),
    }.items():  # fmt: skip
        tags[tag] = value
    return b"II*\0" + struct.pack("<I", 8) + tags.tobytes(8) + raw  # 273 counts from here


def test_float_tiff_from_0_to_1_runs_from_black_to_white() -> None:
    image = Image.fromarray(GRADIENT.astype(np.float32) / 255)
    picture = open_bytes(encoded(image, "TIFF"), "x")
    np.testing.assert_array_equal(picture.pixels, grey(GRADIENT))
    assert picture.notes == ("Reduced to 8 bits per channel.",)


def test_float_tiff_within_0_to_1_is_not_stretched() -> None:
    image = Image.fromarray(np.array([[0.2, 0.6]], np.float32))
    assert open_bytes(encoded(image, "TIFF"), "x").pixels[0, :, 0].tolist() == [51, 153]


@pytest.mark.filterwarnings("error")
def test_a_picture_of_one_value_without_an_agreed_range_is_black() -> None:
    image = Image.fromarray(np.full((2, 2), 7, np.int32))
    assert open_bytes(encoded(image, "TIFF"), "x").pixels.max() == 0


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_values_without_an_agreed_range_are_stretched_and_say_so(dtype: type) -> None:
    image = Image.fromarray(GRADIENT.astype(dtype) * 10 - 100)
    picture = open_bytes(encoded(image, "TIFF"), "x")
    np.testing.assert_array_equal(picture.pixels, grey(GRADIENT))
    assert picture.notes == ("Stretched its values from -100..2450 to black..white.",)


def test_float_tiff_with_nan_is_refused() -> None:
    with pytest.raises(InputError, match="not numbers"):
        open_bytes(encoded(Image.fromarray(np.full((2, 2), np.nan, np.float32)), "TIFF"), "x")


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_greyscale_and_palette_pictures_come_out_as_they_look(mode: str) -> None:
    image = painting().convert(mode)
    picture = open_bytes(encoded(image, "PNG"), "x")
    np.testing.assert_array_equal(picture.pixels, np.asarray(image.convert("RGB")))
    assert picture.notes == ()


def test_cmyk_without_profile_is_converted_and_noted() -> None:
    inks = Image.merge("CMYK", [Image.new("L", (4, 4), ink) for ink in (255, 0, 0, 0)])
    picture = open_bytes(encoded(inks, "TIFF"), "x")
    assert picture.pixels[0, 0].tolist() == [0, 255, 255]
    assert picture.notes == ("Converted from CMYK without a colour profile.",)


def test_cmyk_jpeg_is_not_inverted() -> None:
    paper = Image.new("CMYK", (16, 16), (0, 0, 0, 0))
    assert open_bytes(encoded(paper, "JPEG"), "x").pixels.min() > 250


@pytest.mark.parametrize(("mode", "file_format"), [("RGBA", "PNG"), ("LA", "PNG"), ("PA", "TIFF")])
def test_transparency_becomes_white_and_is_noted(mode: str, file_format: str) -> None:
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 0, 0))
    picture = open_bytes(encoded(image.convert(mode), file_format), "x")
    assert picture.pixels.tolist() == [[[0, 0, 0], [255, 255, 255]]]
    assert picture.notes == ("Filled its transparent parts with white.",)


def test_half_transparent_black_on_white_is_mid_grey() -> None:
    picture = open_bytes(encoded(Image.new("RGBA", (1, 1), (0, 0, 0, 128)), "PNG"), "x")
    assert picture.pixels[0, 0].tolist() == [127, 127, 127]


@pytest.mark.parametrize(("mode", "key"), [("P", 0), ("L", 0), ("RGB", (0, 0, 0)), ("1", 0)])
def test_a_transparent_key_colour_becomes_white(mode: str, key: object) -> None:
    image = Image.new(mode, (2, 2), 0)
    picture = open_bytes(encoded(image, "PNG", transparency=key), "x")
    assert picture.pixels.min() == 255


def test_an_opaque_alpha_channel_goes_without_a_word() -> None:
    picture = open_bytes(encoded(painting().convert("RGBA"), "PNG"), "x")
    np.testing.assert_array_equal(picture.pixels, np.asarray(painting()))
    assert picture.notes == ()


def entries_of(profile: bytes) -> dict[str, int]:
    """Where the entries of an ICC profile's tag table begin (ICC.1:2022, 7.3)."""
    return {profile[at : at + 4].decode(): at for at in range(132, 132 + 12 * profile[131], 12)}


def srgb_profile_with(tag: str, data: bytes) -> bytes:
    """The sRGB profile with other bytes at the beginning of one tag's data."""
    profile = srgb_profile()
    entry = entries_of(profile)[tag]
    offset, size = struct.unpack(">II", profile[entry + 4 : entry + 12])
    assert len(data) <= size
    return profile[:offset] + data + profile[offset + len(data) :]


def curve(*values: int) -> bytes:
    """A tone curve through points of 16 bits; the straight line where there is none."""
    return b"curv" + struct.pack(f">II{len(values)}H", 0, len(values), *values)


def grey_profile() -> bytes:
    """A profile for grey in linear light."""
    header = bytearray(srgb_profile()[:128])
    header[16:20] = b"GRAY"
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)  # D50
    tags = {b"wtpt": white, b"kTRC": curve()}
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(data))
        body += data
    profile = bytes(header) + table + body
    return struct.pack(">I", len(profile)) + profile[4:]


def wide_gamut_profile() -> bytes:
    """The sRGB profile with red and green exchanged: a conversion nobody can overlook."""
    profile = bytearray(srgb_profile())
    entries = entries_of(profile)
    red, green = entries["rXYZ"] + 4, entries["gXYZ"] + 4
    profile[red : red + 4], profile[green : green + 4] = (
        profile[green : green + 4],
        profile[red : red + 4],
    )
    return bytes(profile)


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_a_colour_profile_is_obeyed_and_noted(file_format: str) -> None:
    red = Image.new("RGB", (16, 16), (255, 0, 0))
    data = encoded(red, file_format, icc_profile=wide_gamut_profile(), quality=100)
    picture = open_bytes(data, "x")
    assert np.abs(picture.pixels[8, 8].astype(int) - [0, 255, 0]).max() <= 3
    assert picture.notes == ("Converted from its colour profile to sRGB.",)


def test_a_colour_profile_is_obeyed_under_an_alpha_channel() -> None:
    red = Image.new("RGBA", (1, 1), (255, 0, 0, 255))
    red = Image.fromarray(np.concatenate([np.asarray(red), np.zeros((1, 1, 4), np.uint8)]))
    picture = open_bytes(encoded(red, "PNG", icc_profile=wide_gamut_profile()), "x")
    assert picture.pixels[:, 0].tolist() == [[0, 255, 0], [255, 255, 255]]


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_an_srgb_profile_changes_nothing(mode: str) -> None:
    image = painting().convert(mode)
    picture = open_bytes(encoded(image, "PNG", icc_profile=srgb_profile()), "x")
    np.testing.assert_array_equal(picture.pixels, np.asarray(image.convert("RGB")))
    assert picture.notes == ()


def test_a_profile_that_differs_little_from_srgb_is_obeyed_all_the_same() -> None:
    # The exponent of the tone curve is 2.4 in sRGB; some levels of a dark grey come from 2.3.
    profile = srgb_profile_with("rTRC", b"para" + struct.pack(">IHHi", 0, 3, 0, int(2.3 * 65536)))
    grey_picture = Image.new("RGB", (1, 1), (60, 60, 60))
    picture = open_bytes(encoded(grey_picture, "PNG", icc_profile=profile), "x")
    assert 62 <= picture.pixels.min() <= picture.pixels.max() <= 68
    assert picture.notes == ("Converted from its colour profile to sRGB.",)


def test_white_stays_white_whatever_white_a_profile_is_of() -> None:
    bluish = b"XYZ \0\0\0\0" + struct.pack(">3i", 60000, 65536, 80000)
    profile = bytearray(srgb_profile_with("wtpt", bluish))
    entries = entries_of(bytes(profile))
    red, green = entries["rXYZ"] + 4, entries["gXYZ"] + 4
    profile[red : red + 4], profile[green : green + 4] = (
        profile[green : green + 4],
        profile[red : red + 4],
    )
    white = Image.new("RGB", (1, 1), "white")
    picture = open_bytes(encoded(white, "PNG", icc_profile=bytes(profile)), "x")
    assert picture.pixels[0, 0].tolist() == [255, 255, 255]
    assert picture.notes == ("Converted from its colour profile to sRGB.",)


def test_black_stays_black_where_a_profile_says_it_is_grey() -> None:
    lifted = curve(3000, 6000, 12000, 20000, 30000, 40000, 52000, 65535)
    black = Image.new("RGB", (1, 1), "black")
    data = encoded(black, "PNG", icc_profile=srgb_profile_with("rTRC", lifted))
    assert open_bytes(data, "x").pixels.max() <= 2


def test_a_grey_profile_is_obeyed_and_noted() -> None:
    half = Image.new("L", (1, 1), 128)
    picture = open_bytes(encoded(half, "PNG", icc_profile=grey_profile()), "x")
    assert picture.pixels[0, 0].tolist() == [188, 188, 188]
    assert picture.notes == ("Converted from its colour profile to sRGB.",)


DAMAGED = "Ignored its colour profile, which is damaged."


@pytest.mark.parametrize(
    ("mode", "profile", "notes"),
    [
        ("RGB", b"no profile at all", (DAMAGED,)),
        ("RGB", srgb_profile()[:300], (DAMAGED,)),
        ("L", grey_profile()[:140], (DAMAGED,)),
        ("CMYK", b"none", (DAMAGED, "Converted from CMYK without a colour profile.")),
        ("CMYK", srgb_profile(), ("Ignored its colour profile, which is of another kind.",)),
    ],
)
def test_a_useless_profile_is_left_out_and_noted(
    mode: str, profile: bytes, notes: tuple[str, ...]
) -> None:
    image = painting().convert(mode)
    picture = open_bytes(encoded(image, "TIFF", icc_profile=profile), "x")
    np.testing.assert_array_equal(picture.pixels, np.asarray(image.convert("RGB")))
    assert picture.notes == notes


def half_transparent() -> Image.Image:
    image = painting().convert("RGBA")
    image.paste((0, 0, 0, 60), (0, 40, 64, 48))
    return image


LARGE = {
    "colour.jpg": lambda exif: encoded(painting(), "JPEG", exif=exif),
    "inks.jpg": lambda exif: encoded(painting().convert("CMYK"), "JPEG", exif=exif),
    "profile.png": lambda exif: encoded(
        painting(), "PNG", icc_profile=wide_gamut_profile(), exif=exif
    ),
    "alpha.png": lambda exif: encoded(half_transparent(), "PNG", exif=exif),
    "palette.png": lambda exif: encoded(painting().convert("P"), "PNG", transparency=0, exif=exif),
    "bits.png": lambda exif: encoded(painting().convert("1"), "PNG", exif=exif),
    "deep.tif": lambda exif: encoded(
        Image.fromarray(np.asarray(painting().convert("L")).astype(np.uint16) * 257),
        "TIFF",
        exif=exif,
    ),
    "values.tif": lambda exif: encoded(
        Image.fromarray(np.asarray(painting().convert("L")).astype(np.float32) * 9),
        "TIFF",
        exif=exif,
    ),
}


@pytest.mark.parametrize("orientation", [1, 2, 6, 7])
@pytest.mark.parametrize("name", LARGE)
def test_a_picture_too_large_for_one_band_is_the_same(
    name: str, orientation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = LARGE[name](exif)
    whole, facts = decoded_here(io.BytesIO(data), name)
    monkeypatch.setattr(colour, "_STRIP", 5 * 64)
    bands, of_bands = decoded_here(io.BytesIO(data), name)
    np.testing.assert_array_equal(bands, whole)
    assert of_bands == facts
