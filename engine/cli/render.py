"""`render`: from words on the command line to a saved pastiche, with the window's own engine."""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

from engine.cli.arguments import job_asked_for, settings_asked_for
from engine.cli.console import JobDisplay, download_with_progress, print_json
from engine.run.control import Control, steer
from engine.spec.choices import NetworkName
from engine.spec.errors import EngineError, InputError, NetworkMissingError
from engine.spec.job import Job, Pastiche, Picture, Progress
from engine.spec.settings import Settings
from engine.storage.images import open_picture
from engine.storage.naming import free_path
from engine.storage.preset_store import preset_named
from engine.storage.recipes import Recipe, recipe_of
from engine.storage.saving import check_place, save_pixels
from engine.weights import installed


def render(arguments: argparse.Namespace) -> int:
    """Make and save one pastiche; returns the exit code.

    Raises:
        InputError: A picture, setting, preset or place cannot be used.
        EngineError: The engine could not go on.
        Cancelled: Interrupted before there was anything to keep.
    """
    _check_output(arguments.output, arguments.overwrite)
    preset, notes = (None, ()) if arguments.preset is None else preset_named(arguments.preset)
    display = JobDisplay(quiet=arguments.quiet)
    for note in notes:
        display.say(note)
    job = _job(arguments, settings_asked_for(arguments, preset), display)
    # Torch takes seconds to load; bad input has been refused before that.
    from engine.run.stylize import stylize

    control = Control()
    name = preset.name if preset else ""
    with _interrupts(control, display):
        try:
            pastiche = _run(steer(stylize(job), control), display)
        except EngineError as error:
            if error.pastiche is not None:
                _save(arguments, job, error.pastiche, name)
                error.remedy = f"{error.remedy} The pastiche so far: {arguments.output}".strip()
            raise
        _save(arguments, job, pastiche, name)
    display.say(f"{'Saved' if pastiche.complete else 'Stopped early; saved'} {arguments.output}")
    if arguments.json:
        print_json(_report(arguments.output, pastiche))
    return 0 if pastiche.complete else 130


def _check_output(output: Path, overwrite: bool) -> None:
    """Refuse at once what could not be saved after hours of work."""
    check_place(output, overwrite=True)
    if not overwrite and os.path.lexists(output):
        raise InputError(
            f"{output} exists already.", "Choose another name, or replace it with --overwrite."
        )


def _job(arguments: argparse.Namespace, settings: Settings, display: JobDisplay) -> Job:
    def opened(path: Path) -> Picture:
        picture = open_picture(path)
        for note in picture.notes:
            display.say(f"{picture.name}: {note}")
        return picture

    job = job_asked_for(arguments, settings, opened)
    network, path = _network(arguments, settings.network)
    if network is NetworkName.DRAFT and settings.network is NetworkName.AUTO:
        display.say("Painting with the draft network; --download fetches VGG-19, which is finer.")
    return replace(job, settings=settings.on(network), network_weights=path)


def _network(arguments: argparse.Namespace, wanted: NetworkName) -> tuple[NetworkName, Path]:
    """The network to use and its file, fetched if that was asked for."""
    network = NetworkName.VGG19
    if wanted is not NetworkName.AUTO or not arguments.download:
        network = installed.resolve_network(wanted, arguments.weights)
    try:
        return network, installed.find_weights(network, arguments.weights)
    except NetworkMissingError:
        if not arguments.download:
            raise
        return network, Path(download_with_progress(network, quiet=arguments.quiet))


def _run(work: Generator[Progress, None, Pastiche], display: JobDisplay) -> Pastiche:
    with display.live():
        try:
            while True:
                display.show(next(work))
        except StopIteration as finished:
            pastiche: Pastiche = finished.value
    for note in pastiche.notes:
        display.say(note)
    return pastiche


@contextmanager
def _interrupts(control: Control, display: JobDisplay) -> Iterator[None]:
    """Let the first Ctrl-C stop and keep, and the second discard; saving goes through."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, lambda *_: control.discard())
        control.stop()
        display.show_stopping()

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _save(arguments: argparse.Namespace, job: Job, pastiche: Pastiche, preset: str) -> None:
    """Save where asked; if that fails after all, keep the pastiche elsewhere and say where."""
    recipe = None
    try:
        recipe = recipe_of(job, pastiche, preset)
        save_pixels(
            pastiche.pixels,
            arguments.output,
            recipe=recipe,
            quality=arguments.quality,
            overwrite=arguments.overwrite,
        )
    # Whatever it is, hours of work are at stake.
    except Exception as error:
        refuge = _refuge(pastiche, arguments.output.stem, recipe)
        message = error.message if isinstance(error, InputError) else f"It was not saved: {error}"
        raise InputError(message, f"The pastiche was kept as {refuge}.") from error


def _refuge(pastiche: Pastiche, name: str, recipe: Recipe | None) -> Path:
    path = free_path(Path(tempfile.gettempdir()) / f"{name}.png")
    try:
        save_pixels(pastiche.pixels, path, recipe=recipe)
    except Exception:
        # A recipe too long to be stored may be the very trouble.
        save_pixels(pastiche.pixels, path)
    return path


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
        "notes": list(pastiche.notes),
        "complete": pastiche.complete,
    }
