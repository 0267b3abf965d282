"""Puts what the benchmark of a graphics card needs into one small folder, to be copied to it.

    python -m tests.benchmarks.bundle --weights FILE --images FOLDER --to FOLDER

It holds VGG-19 in float16 (40 MB, and 5e-4 from its own numbers at most) and the first photographs
and paintings at no more than 1024 px.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import save_file

from engine.spec.choices import NetworkName
from engine.weights.checkpoints import read_weights

_LONGEST = 1024
_PICTURES = 2
"""Of each kind."""

_QUALITY = 92


def main() -> None:
    """Write the folder."""
    options = _options()
    options.to.mkdir(parents=True, exist_ok=True)
    write_weights(options.weights, options.to / "vgg19.safetensors")
    for kind in ("content", "style"):
        paths = sorted((options.images / kind).glob("*.jpg"))
        for path in paths[:_PICTURES]:
            write_picture(path, options.to / kind / path.name)
    size = sum(path.stat().st_size for path in options.to.rglob("*") if path.is_file())
    print(f"{options.to}: {size / 1e6:.1f} MB")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--weights", type=Path, required=True, metavar="FILE", help="of VGG-19")
    add("--images", type=Path, required=True, metavar="FOLDER", help="content/*.jpg, style/*.jpg")
    add("--to", type=Path, required=True, metavar="FOLDER", help="written to; made if need be")
    return parser.parse_args()


def write_weights(source: Path, target: Path) -> None:
    """Keep VGG-19's convolutions in float16, under the names that the engine reads."""
    read = read_weights(source, NetworkName.VGG19)
    halves = {name: tensor.to(torch.float16) for name, tensor in read.tensors.items()}
    save_file(halves, target)


def write_picture(source: Path, target: Path) -> None:
    """Keep a picture at no more than 1024 px."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(source) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((_LONGEST, _LONGEST), Image.Resampling.LANCZOS)
    picture.save(target, quality=_QUALITY)


if __name__ == "__main__":
    main()
