"""Everything that only a graphics card can show, measured once and held against marks.

    python -m tests.benchmarks.device --weights FILE --images FOLDER --out FILE.json
        [--seconds 420] [--device cuda] [--section NAME ...]

Each section runs in a process of its own with a time-out: a crash, a poisoned CUDA context or a
hang costs that section alone, and what it had found by then is kept. FILE.json is rewritten after
each. With `--device cpu` the same sections run on small pictures, and what needs a card is said to
be not shown. Exit code 1 says that a mark was missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.benchmarks.device.marks import Mark, marks
from tests.benchmarks.device.sections import SECTIONS, Section, deadlines

_ROOT = Path(__file__).resolve().parents[3]
_SAID = 3000
"""Characters of what a section printed that are kept, from the end."""

_GRACE = 10.0
"""Seconds that a section may overrun before its process is ended."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sections, write and print; returns the exit code."""
    options = _options(arguments)
    if options.notes is not None:
        return _alone(options)
    wanted = [section for section in SECTIONS if section.name in (options.section or _NAMES)]
    report: dict[str, Any] = {"device": options.device, "seconds": options.seconds, "sections": {}}
    began = time.monotonic()
    ends = deadlines(wanted, options.seconds, card=options.device != "cpu")
    with _own_folders() as environment:
        for section, end in zip(wanted, ends, strict=True):
            left = end - (time.monotonic() - began)
            report["sections"][section.name] = _run(section, options, left, environment)
            _write(report, options.out)
    found = marks(report)
    report["marks"] = [asdict(mark) for mark in found]
    report["taken"] = time.monotonic() - began
    _write(report, options.out)
    _print(found)
    return 1 if any(mark.holds is False for mark in found) else 0


_NAMES = tuple(section.name for section in SECTIONS)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.device",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--weights", type=Path, required=True, metavar="FILE", help="of VGG-19")
    add("--images", type=Path, required=True, metavar="FOLDER", help="content/*.jpg, style/*.jpg")
    add("--out", type=Path, metavar="FILE", help="where the JSON goes (device.json)")
    add("--seconds", type=float, default=420, metavar="N", help="in all (420)")
    add("--device", choices=("cuda", "cpu"), default="cuda", help="what is measured (cuda)")
    add("--section", action="append", choices=_NAMES, help="only this one; may be repeated")
    add("--notes", type=Path, help=argparse.SUPPRESS)  # where a section's own process writes
    options = parser.parse_args(arguments)
    options.out = options.out or Path("device.json")
    return options


def _alone(options: argparse.Namespace) -> int:
    """Measure one section in this process; imports torch."""
    from tests.benchmarks.device.bench import Bench

    (name,) = options.section
    section = next(section for section in SECTIONS if section.name == name)
    bench = Bench(options.device, options.weights, options.images, options)
    section.load()(bench)
    bench.run()
    return 0


@contextmanager
def _own_folders() -> Iterator[Mapping[str, str]]:
    """An environment in which the program keeps its files in a folder that goes away."""
    with tempfile.TemporaryDirectory() as folder:
        named = ("HOME", "APPDATA", "LOCALAPPDATA", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
        homes = dict.fromkeys((*named, "XDG_STATE_HOME", "GRAMARYE_NETWORKS"), folder)
        yield {**os.environ, **homes, "PYTHONUNBUFFERED": "1"}


def _run(
    section: Section, options: argparse.Namespace, left: float, environment: Mapping[str, str]
) -> dict[str, Any]:
    """What a section found in a process of its own, and how that ended."""
    if section.needs_card and options.device == "cpu":
        return {"ended": "needs a graphics card", "taken": 0.0, "found": {}}
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        notes, said = Path(folder) / "notes.json", Path(folder) / "said.txt"
        asked: Mapping[str, object] = {
            "section": section.name,
            "weights": options.weights.resolve(),
            "images": options.images.resolve(),
            "device": options.device,
            "seconds": left,
            "notes": notes,
        }
        words = [f"--{name}={value}" for name, value in asked.items()]
        with said.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.benchmarks.device", *words],
                cwd=_ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                code = process.wait(max(left, 0) + _GRACE)
                ended = "finished" if code == 0 else f"ended with code {code}"
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                ended = "ran out of time"
        noted = json.loads(notes.read_text()) if notes.exists() else {"found": {}}
        text = said.read_text(errors="replace")[-_SAID:]
    taken = time.monotonic() - began
    print(f"{section.name}: {ended}, {taken:.0f} s", flush=True)
    if ended != "finished":
        print(text, flush=True)
    return {"ended": ended, "taken": taken, **noted, "said": text}


def _write(report: Mapping[str, Any], path: Path) -> None:
    """Replace the file whole."""
    written = path.with_name(f"{path.name}.part")
    written.write_text(json.dumps(report, indent=1))
    written.replace(path)


def _print(found: Sequence[Mark]) -> None:
    rows = [
        (mark.name, mark.wanted, textwrap.shorten(mark.found, 70), str(mark.holds).lower())
        for mark in found
    ]
    rows = [("mark", "wanted", "found", "holds"), *rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)))


if __name__ == "__main__":
    sys.exit(main())
