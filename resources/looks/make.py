"""Paints the pictures of the page of looks, and the README's example, with the draft network.

Run it as ``python -m resources.looks.make``; it takes about twenty minutes on two cores. With
names it paints only those: ``python -m resources.looks.make 'brushwork-*' example``.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from PIL import Image, ImageOps

from engine.run.stylize import stylize
from engine.spec.job import job_of
from engine.spec.pictures import StyleImage
from engine.storage.images import open_picture
from resources import DRAFT_NETWORK, LOOKS, SAMPLES
from resources.looks.page import PAGE, PAINTINGS, PHOTOGRAPH, SIDE, Shot, page, shots

QUALITY = 85
EXAMPLE = SAMPLES / "example.jpg"
EXAMPLE_QUALITY = 88
EXAMPLE_SIDE = 640
GAP = 8
"""Pixels between the pictures of the example."""


def main() -> None:
    """Writes the page and its pictures beside this file, and the example among the samples."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=["*"], help="of pictures, * for any letters")
    wanted = parser.parse_args().names
    painted = {name: shot for shot, name in shots().items() if _any(wanted, name)}
    if wanted == ["*"]:
        _clear()
    for number, (name, shot) in enumerate(painted.items(), 1):
        print(f"{number} of {len(painted)}: {name}", flush=True)
        _keep(paint(shot), LOOKS / name)
    if _any(wanted, EXAMPLE.name):
        example().save(EXAMPLE, quality=EXAMPLE_QUALITY, optimize=True)
    PAGE.write_text(page(), encoding="utf-8")


def paint(shot: Shot) -> Image.Image:
    """The sample photograph painted as a shot says."""
    style = StyleImage(open_picture(_sample(shot.painting)))
    content = open_picture(_sample(PHOTOGRAPH))
    work = stylize(job_of(content, [style], shot.settings, network_weights=DRAFT_NETWORK))
    while True:
        try:
            next(work)
        except StopIteration as stop:
            outcome = stop.value
            break
    if outcome.error is not None:
        raise outcome.error
    return Image.fromarray(outcome.pastiche.pixels)


def example() -> Image.Image:
    """The photograph above the painting, and beside them what the default makes of the two."""
    look, *_ = shots()
    settings = look.settings.changed(output_size=EXAMPLE_SIDE)
    pastiche = paint(Shot(look.painting, settings))
    height = pastiche.height
    upper = (height - GAP) // 2
    width = math.ceil(upper * pastiche.width / height)
    sheet = Image.new("RGB", (width + GAP + pastiche.width, height), "white")
    with Image.open(_sample(PHOTOGRAPH)) as photograph:
        sheet.paste(_fitted(photograph, (width, upper)), (0, 0))
    with Image.open(_sample(look.painting)) as painting:
        sheet.paste(_fitted(painting, (width, height - GAP - upper)), (0, upper + GAP))
    sheet.paste(pastiche, (width + GAP, 0))
    return sheet


def _clear() -> None:
    """Takes away the pictures of former pages, and puts the samples in their place."""
    for file in LOOKS.glob("*.jpg"):
        file.unlink()
    for name in (PHOTOGRAPH, *PAINTINGS):
        with Image.open(_sample(name)) as sample:
            sample.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
            _keep(sample, LOOKS / f"{name}.jpg")


def _keep(picture: Image.Image, file: Path) -> None:
    # Colours as fine as the pixels: some settings change little else.
    picture.save(file, quality=QUALITY, subsampling=0, optimize=True)


def _sample(name: str) -> Path:
    return SAMPLES / f"{name}.jpg"


def _fitted(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    return ImageOps.fit(picture, size, Image.Resampling.LANCZOS)


def _any(patterns: Sequence[str], name: str) -> bool:
    return any(fnmatch(Path(name).stem, pattern) for pattern in patterns)


if __name__ == "__main__":
    main()
