"""Whatever a picture file holds, as 8-bit sRGB, with a sentence for everything that was changed."""

from __future__ import annotations

import io
import re

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageFile

from engine.spec.pictures import Pixels

SRGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
"""The ICC profile of what the engine makes."""

_MODE_OF_SPACE = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_PHOTOMETRIC, _BITS_PER_SAMPLE = 262, 258


def is_deep(image: ImageFile.ImageFile) -> bool:
    """Whether a picture not yet decoded has 12 or 16 bits per channel.

    Pillow reduces colour to 8 bits by itself; only the raw mode tells, until it is decoded.
    """
    return any(re.search(";1[26]", str(tile.args)) for tile in image.tile)


def to_srgb(image: Image.Image, deep: bool) -> tuple[Image.Image, tuple[str, ...]]:
    """The picture in mode RGB as sRGB on white, and what was done to it, one sentence each.

    Args:
        image: Upright or not, decoded or not.
        deep: What `is_deep` said of it.

    Raises:
        Exception: Whatever Pillow raises when the data is damaged.
    """
    notes = []
    icc = image.info.get("icc_profile")
    image.load()
    if image.mode.startswith("I;16"):
        image = _sixteen_bit_grey(image)
    elif image.mode in ("I", "F"):
        image, note = _unbounded_grey(image)
        notes.append(note)
    if deep:
        notes.append("Reduced to 8 bits per channel.")
    colour, alpha = _split_alpha(image)
    colour, done = _through_profile(colour, icc)
    notes += done
    if alpha is not None:
        white = Image.new("RGB", colour.size, "white")
        white.paste(colour, mask=alpha)
        colour = white
        notes.append("Filled its transparent parts with white.")
    return colour, tuple(notes)


def _sixteen_bit_grey(image: Image.Image) -> Image.Image:
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(_BITS_PER_SAMPLE, (16,))[0]
    values = np.asarray(image).astype(np.float32) / (2**bits - 1)
    # Pillow obeys "0 is white" for 8 bits only.
    return _from_unit(1 - values if tags.get(_PHOTOMETRIC) == 0 else values)


def _unbounded_grey(image: Image.Image) -> tuple[Image.Image, str]:
    """Grey of 32 bits: 0..1 is black to white; any other range has no agreed meaning."""
    values = np.asarray(image).astype(np.float64)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(values).all():
        raise ValueError("the picture holds values that are not numbers")
    if image.mode == "F" and low >= 0 and high <= 1:
        return _from_unit(values), "Reduced to 8 bits per channel."
    grey = _from_unit((values - low) / ((high - low) or 1))
    return grey, f"Stretched its values from {low:g}..{high:g} to black..white."


def _from_unit(values: npt.NDArray[np.floating]) -> Image.Image:
    return Image.fromarray(np.rint(values * 255).astype(np.uint8))


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Colour in mode L, RGB, CMYK or LAB, and the alpha channel unless everything is opaque."""
    alpha = None
    grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        if alpha.getextrema()[0] == 255:
            alpha = None
    if image.mode in ("CMYK", "LAB"):
        return image, alpha
    return image.convert("L" if grey else "RGB"), alpha


def _through_profile(colour: Image.Image, icc: bytes | None) -> tuple[Image.Image, list[str]]:
    naive = ["Converted from CMYK without a colour profile."] if colour.mode == "CMYK" else []
    if not icc:
        return colour.convert("RGB"), naive
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        mode = _MODE_OF_SPACE.get(profile.profile.xcolor_space.strip(), "")
        if colour.mode == "L" and mode == "RGB":
            colour = colour.convert("RGB")
        if colour.mode != mode:
            return colour.convert("RGB"), ["Ignored its colour profile, which is of another kind."]
        transform = ImageCms.buildTransform(
            profile,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        if _leaves_alone(transform, mode):
            return colour.convert("RGB"), []
        converted = ImageCms.applyTransform(colour, transform)
    except (ImageCms.PyCMSError, OSError):
        return colour.convert("RGB"), ["Ignored its colour profile, which is damaged.", *naive]
    assert converted is not None
    source = "CMYK by its" if mode == "CMYK" else "its"
    return converted, [f"Converted from {source} colour profile to sRGB."]


def _leaves_alone(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether the profile is sRGB in all but name, as most cameras' are."""
    if mode == "CMYK":
        return False
    ramp = np.linspace(0, 255, 9).astype(np.uint8)
    if mode == "RGB":
        ramp = np.stack(np.meshgrid(ramp, ramp, ramp), axis=-1).reshape(27, 27, 3)
    else:
        ramp = ramp[np.newaxis]
    probe = Image.fromarray(ramp)
    moved = ImageCms.applyTransform(probe, transform)
    assert moved is not None
    difference = np.asarray(moved, np.int16) - np.asarray(probe.convert("RGB"), np.int16)
    return bool(np.abs(difference).max() <= 1)


def pixels_of(image: Image.Image) -> Pixels:
    """The pixels of an image in mode RGB, read-only as Pillow hands them out."""
    pixels: Pixels = np.asarray(image)
    return pixels
