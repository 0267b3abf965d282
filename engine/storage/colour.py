"""Whatever a picture file holds, as 8-bit sRGB, with a sentence for everything that was changed."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageFile

SRGB_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
"""The ICC profile of what the engine makes."""

_MODE_OF_SPACE = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_PHOTOMETRIC, _BITS_PER_SAMPLE = 262, 258

_STRIP = 1 << 18
"""Pixels that are converted at a time: their copies stay in the processor's cache."""

Step = Callable[[Image.Image], Image.Image]


def is_deep(image: ImageFile.ImageFile) -> bool:
    """Whether a picture not yet decoded has 12 or 16 bits per channel.

    Pillow reduces colour to 8 bits by itself; only the raw mode tells, until it is decoded.
    """
    return any(re.search(";1[26]", str(tile.args)) for tile in image.tile)


def strips(image: Image.Image) -> Iterator[tuple[int, int]]:
    """The rows of a picture in bands: where each begins and ends."""
    rows = max(1, _STRIP // image.width)
    for top in range(0, image.height, rows):
        yield top, min(top + rows, image.height)


class Conversion:
    """How a decoded picture becomes sRGB on white, band by band.

    Args:
        image: Upright or not; decoded.
        deep: What `is_deep` said before it was.

    Raises:
        ValueError: It holds values that are not numbers.
    """

    def __init__(self, image: Image.Image, *, deep: bool) -> None:
        self._image = image
        self._reduce, stretched = _to_eight_bits(image)
        probe, _ = _split_alpha(self._reduce(image.crop((0, 0, 1, 1))))
        self._colour, changed = _through_profile(probe.mode, image.info.get("icc_profile"))
        self._notes = (
            *stretched,
            *(("Reduced to 8 bits per channel.",) if deep else ()),
            *changed,
        )
        self._filled = False

    def band(self, top: int, bottom: int) -> npt.NDArray[np.uint8]:
        """Rows of the picture, shape (bottom - top, W, 3)."""
        part = self._image.crop((0, top, self._image.width, bottom))
        colour, alpha = _split_alpha(self._reduce(part))
        colour = self._colour(colour)
        if alpha is not None:
            self._filled = True
            white = Image.new("RGB", colour.size, "white")
            white.paste(colour, mask=alpha)
            colour = white
        return np.asarray(colour)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to all bands so far, one sentence each."""
        filled = ("Filled its transparent parts with white.",) if self._filled else ()
        return self._notes + filled


def _to_eight_bits(image: Image.Image) -> tuple[Step, tuple[str, ...]]:
    """What makes an image of more bits one of eight; as it is where it has no more."""
    if image.mode.startswith("I;16"):
        tags = getattr(image, "tag_v2", {})
        bits = tags.get(_BITS_PER_SAMPLE, (16,))[0]
        # Pillow obeys "0 is white" for 8 bits only.
        negative = tags.get(_PHOTOMETRIC) == 0
        return partial(_sixteen_bit_grey, white=2**bits - 1, negative=negative), ()
    if image.mode not in ("I", "F"):
        return lambda part: part, ()
    low, high = _range(image)
    if image.mode == "F" and low >= 0 and high <= 1:
        return partial(_stretched, low=0.0, high=1.0), ("Reduced to 8 bits per channel.",)
    note = f"Stretched its values from {low:g}..{high:g} to black..white."
    return partial(_stretched, low=low, high=high), (note,)


def _sixteen_bit_grey(part: Image.Image, *, white: int, negative: bool) -> Image.Image:
    values = np.asarray(part).astype(np.float32) / white
    return _from_unit(1 - values if negative else values)


def _range(image: Image.Image) -> tuple[float, float]:
    """The least and the largest of grey values, which have no agreed meaning beyond 0..1."""
    lows, highs = [], []
    for top, bottom in strips(image):
        values = np.asarray(image.crop((0, top, image.width, bottom)))
        if not np.isfinite(values).all():
            raise ValueError("the picture holds values that are not numbers")
        lows.append(float(values.min()))
        highs.append(float(values.max()))
    return min(lows), max(highs)


def _stretched(part: Image.Image, *, low: float, high: float) -> Image.Image:
    values = np.asarray(part).astype(np.float64)
    return _from_unit((values - low) / ((high - low) or 1))


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
    return _in_mode(image, "L" if grey else "RGB"), alpha


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    """An image in a mode; Pillow would copy one that is in it already."""
    return image if image.mode == mode else image.convert(mode)


def _through_profile(mode: str, icc: bytes | None) -> tuple[Step, list[str]]:
    """What turns colours of a mode into sRGB as a profile says, and what there is to say of it."""
    plain = partial(_in_mode, mode="RGB")
    naive = ["Converted from CMYK without a colour profile."] if mode == "CMYK" else []
    if not icc:
        return plain, naive
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        space = _MODE_OF_SPACE.get(profile.profile.xcolor_space.strip(), "")
        if mode != space and (mode, space) != ("L", "RGB"):
            return plain, ["Ignored its colour profile, which is of another kind."]
        transform = ImageCms.buildTransform(
            profile,
            ImageCms.createProfile("sRGB"),
            space,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        if _leaves_alone(transform, space):
            return plain, []
    except (ImageCms.PyCMSError, OSError):
        return plain, ["Ignored its colour profile, which is damaged.", *naive]
    source = "CMYK by its" if space == "CMYK" else "its"
    return (
        lambda part: _transformed(_in_mode(part, space), transform),
        [f"Converted from {source} colour profile to sRGB."],
    )


def _transformed(image: Image.Image, transform: ImageCms.ImageCmsTransform) -> Image.Image:
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None, "it is not done in place"
    return converted


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
    moved = _transformed(probe, transform)
    difference = np.asarray(moved, np.int16) - np.asarray(probe.convert("RGB"), np.int16)
    return bool(np.abs(difference).max() <= 1)
