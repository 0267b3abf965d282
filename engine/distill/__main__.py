"""`python -m engine.distill`: the command line that makes the draft network."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

import torch
from safetensors.torch import save

from engine.distill.networks import Design, Student, Teacher
from engine.distill.pictures import Pictures
from engine.distill.training import Course, Distillation
from engine.spec.choices import NetworkName
from engine.spec.errors import GramaryeError
from engine.storage.paths import replacing
from engine.weights.checkpoints import DRAFT_FORMAT, digest_beside, read_weights

_COURSE = {
    "imitations": "times the student begins anew with more pictures",
    "steps": "steps of the optimiser after that",
    "seed": "of everything random",
    "patch": "side of a lesson's pictures in pixels, a multiple of 16",
    "episodes": "groups of disturbed pictures",
    "painters": "pictures the student paints in a round",
}
"""What of a course can be chosen on the command line."""


def write_student(student: Student, path: Path, origin: dict[str, str]) -> None:
    """Keep a student's weights in half precision, its architecture and origin in the header.

    Beside the file lies its SHA-256, as `sha256sum` writes it.

    Raises:
        InputError: The place cannot be written to.
    """
    design = student.design
    header = {
        "format": DRAFT_FORMAT,
        "network": "draft",
        "convolutions": ",".join(map(str, design.convolutions)),
        "widths": ",".join(map(str, design.widths)),
        "directions": ",".join(map(str, design.directions)),
        **origin,
    }
    tensors = {
        name: tensor.detach().half().cpu().contiguous()
        for name, tensor in student.tensors().items()
    }
    data = save(tensors, header)
    for place, content in (
        (path, data),
        (digest_beside(path), f"{hashlib.sha256(data).hexdigest()}  {path.name}\n".encode()),
    ):
        with replacing(place) as temporary:
            temporary.write_bytes(content)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        _distil(options)
    except GramaryeError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def _distil(options: argparse.Namespace) -> None:
    name = options.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    course = Course(**{name: getattr(options, name) for name in _COURSE})
    weights = read_weights(options.teacher, NetworkName.VGG19)
    teacher = Teacher(weights.tensors).moved(device)
    pictures = Pictures(options.images, course.patch)
    folder = options.out.with_name(f"{options.out.name}.state")
    folder.mkdir(parents=True, exist_ok=True)
    distillation = Distillation(course, Design(), teacher, pictures, folder, device, _say)
    student = distillation.run()
    origin = {
        "teacher_sha256": weights.sha256,
        "steps": str(course.steps),
        "seed": str(course.seed),
    }
    write_student(student, options.out, origin)
    _say(f"Wrote {options.out}; {folder} can be deleted.")


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    usual = Course()
    parser = argparse.ArgumentParser(
        prog="python -m engine.distill",
        description="Make the draft network: teach a small network to see as VGG-19 does. Killed, "
        "the same command goes on where it was; its state lies in a folder beside OUT.",
    )
    parser.add_argument("--teacher", type=Path, required=True, help="VGG-19's weights")
    parser.add_argument("--images", type=Path, required=True, help="photographs and paintings")
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    for option, words in _COURSE.items():
        default = getattr(usual, option)
        parser.add_argument(
            f"--{option}", type=int, default=default, help=f"{words} (usually {default})"
        )
    return parser


if __name__ == "__main__":
    sys.exit(main())
