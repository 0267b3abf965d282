"""`render`: from words on the command line to a saved pastiche, with the window's own engine."""

from __future__ import annotations

import argparse
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from engine import weights
from engine.console import JobDisplay, download_with_progress, print_json
from engine.errors import InputError, NetworkMissingError
from engine.images import open_picture
from engine.job import Job, Pastiche, StyleImage
from engine.naming import free_path
from engine.preset_store import preset_named
from engine.recipes import recipe_of
from engine.saving import check_place, save_pixels
from engine.settings import DEFAULTS, Settings, Start
from engine.steering import Control, steer

_SHORTCUTS = ("output_size", "network", "device", "seed")
"""Settings with an option of their own; they win over presets and `--set`."""


def render(arguments: argparse.Namespace) -> int:
    """Make and save one pastiche; returns the exit code.

    Raises:
        InputError: A picture, setting, preset or place cannot be used.
        EngineError: The engine could not go on.
        Cancelled: Interrupted before there was anything to keep.
    """
    check_place(arguments.output, overwrite=arguments.overwrite)
    settings = _settings(arguments)
    display = JobDisplay(quiet=arguments.quiet or arguments.json)
    job = Job(
        content=None if _is_texture(arguments) else open_picture(Path(arguments.content)),
        styles=tuple(_style(text) for text in arguments.style),
        settings=settings,
        network_weights=_network_weights(arguments, settings),
        start=open_picture(arguments.start) if arguments.start else None,
    )
    pastiche = _run(job, display)
    output = _save(arguments, job, pastiche, display)
    display.say(f"Saved {output}")
    if arguments.json:
        print_json(_report(output, pastiche))
    return 0 if pastiche.complete else 130


def _settings(arguments: argparse.Namespace) -> Settings:
    settings = DEFAULTS
    if arguments.preset is not None:
        settings = preset_named(arguments.preset).applied_to(settings)
    named = dict(_assignment(text) for text in arguments.assignments)
    for name in _SHORTCUTS:
        if (value := getattr(arguments, name)) is not None:
            named[name] = value
    if arguments.start is not None:
        named.setdefault("start", Start.PICTURE)
    elif _is_texture(arguments) and settings.start in (Start.CONTENT, Start.MIX):
        # Without a photograph these starts do not exist; the painting's own colours come closest.
        named.setdefault("start", Start.STYLE_NOISE)
    return settings.changed(**named)


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"--set {text} has no value.", "Write --set NAME=VALUE.")
    return name.strip(), value.strip()


def _is_texture(arguments: argparse.Namespace) -> bool:
    return bool(arguments.content == "none")


def _style(text: str) -> StyleImage:
    """Read `FILE` or `FILE:WEIGHT`; a file whose own name ends like that wins."""
    name, colon, weight = text.rpartition(":")
    if colon and not Path(text).exists():
        try:
            return StyleImage(open_picture(Path(name)), float(weight))
        except ValueError:
            pass
    return StyleImage(open_picture(Path(text)))


def _network_weights(arguments: argparse.Namespace, settings: Settings) -> Path:
    try:
        return weights.find_weights(settings.network, arguments.weights)
    except NetworkMissingError:
        if not arguments.download:
            raise
        return Path(download_with_progress(settings.network, quiet=arguments.quiet))


def _run(job: Job, display: JobDisplay) -> Pastiche:
    # Torch takes seconds to load; bad input has been refused before that.
    from engine.stylize import stylize

    control = Control()
    with _interrupts(control), display.live():
        work = steer(stylize(job), control)
        try:
            while True:
                display.show(next(work))
        except StopIteration as finished:
            pastiche: Pastiche = finished.value
    for note in pastiche.notes:
        display.say(note)
    return pastiche


@contextmanager
def _interrupts(control: Control) -> Iterator[None]:
    """Let the first Ctrl-C stop and keep, and the second discard."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, lambda *_: control.discard())
        control.stop()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _save(arguments: argparse.Namespace, job: Job, pastiche: Pastiche, display: JobDisplay) -> Path:
    """Save where asked; if that fails after all, keep the pastiche elsewhere and say where."""
    recipe = recipe_of(job, pastiche, arguments.preset or "")
    output: Path = arguments.output
    try:
        save_pixels(
            pastiche.pixels,
            output,
            recipe=recipe,
            quality=arguments.quality,
            overwrite=arguments.overwrite,
        )
    except InputError as error:
        refuge = free_path(Path(tempfile.gettempdir()) / f"{output.stem}.png")
        save_pixels(pastiche.pixels, refuge, recipe=recipe)
        raise InputError(error.message, f"The pastiche was kept as {refuge}.") from error
    return output


def _report(output: Path, pastiche: Pastiche) -> dict[str, object]:
    progress = pastiche.progress
    height, width = pastiche.pixels.shape[:2]
    return {
        "output": str(output),
        "size": f"{width}x{height}",
        "seconds": round(progress.seconds, 3),
        "steps": progress.step,
        "evaluations": progress.evaluations,
        "total": progress.total,
        "terms": {term.name: term.value for term in progress.terms},
        "peak_memory": pastiche.peak_memory,
        "device": progress.device,
        "complete": pastiche.complete,
    }
