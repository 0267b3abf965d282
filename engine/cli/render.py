"""`render`: from words on the command line to a saved pastiche, with the window's own engine."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

from engine.cli.asking import job_asked_for, settings_asked_for
from engine.cli.console import JobDisplay, download_with_progress
from engine.cli.failing import DONE
from engine.cli.options import RenderOptions
from engine.cli.printing import print_json
from engine.cli.remake import job_of_recipe
from engine.plan.loading import refuse_unless_loadable
from engine.plan.resolve import choose_network
from engine.run.control import Control, steer
from engine.spec.choices import NetworkName
from engine.spec.errors import EngineError, GramaryeError, InputError
from engine.spec.job import Job
from engine.spec.outcome import Ending, Outcome, Pastiche
from engine.spec.pictures import Picture
from engine.spec.progress import Progress
from engine.storage.images import open_picture
from engine.storage.naming import free_path, shown_name
from engine.storage.places import Places
from engine.storage.recipes import Recipe, recipe_of
from engine.storage.saving import check_place, save_pixels
from engine.system.signals import Interrupted, handled
from engine.weights.installed import find_weights, networks_here


@dataclass(frozen=True)
class _Commission:
    """What is to be made, and where it goes."""

    job: Job
    preset: str
    output: Path


def render(options: RenderOptions) -> int:
    """Make and save one pastiche; returns the exit code.

    Raises:
        InputError: A picture, setting, preset or place cannot be used.
        EngineError: The engine could not go on; the picture so far is saved.
        Interrupted: A signal came before there was anything to keep, or Ctrl-C twice.
    """
    if options.output is not None:
        _check_output(options.output, options.overwrite)
    refuse_unless_loadable()
    display = JobDisplay(quiet=options.quiet)
    commission = _commission(options, display)
    # Torch takes seconds to load; bad input has been refused before that.
    from engine.run.stylize import stylize

    control = Control()
    with _interrupts(control, display) as signals:
        outcome = _run(steer(stylize(commission.job, ending=control.ending), control), display)
        if control.discarded:  # perhaps only while a stopped job's picture was being made
            raise Interrupted(signals[0] if signals else signal.SIGINT)
        if outcome.pastiche is not None:
            _save(options, commission, outcome, outcome.pastiche)
        _tell(options, commission.output, outcome, display)
        interrupted = Interrupted(signals[0] if signals else signal.SIGINT)
        if outcome.pastiche is None:
            raise interrupted
        return DONE if outcome.ending is Ending.FINISHED else interrupted.exit_code


def _tell(options: RenderOptions, output: Path, outcome: Outcome, display: JobDisplay) -> None:
    """Say how the job ended; the exit code speaks of the picture, not of what is said of it.

    Raises:
        Exception: What the job failed of, with where the pastiche is.
    """
    pastiche, error = outcome.pastiche, outcome.error
    if error is not None:
        if pastiche is not None and isinstance(error, GramaryeError):
            error.remedy = f"{error.remedy} The pastiche so far: {output}".strip()
        elif pastiche is not None:
            display.say(f"The pastiche so far: {output}")
        raise error
    if pastiche is None:
        return
    finished = outcome.ending is Ending.FINISHED
    display.say(f"{'Saved' if finished else 'Stopped early; saved'} {output}")
    if options.json:
        try:
            print_json(_report(output, outcome, pastiche))
        except EngineError as unprinted:
            print(f"gramarye: {unprinted}", file=sys.stderr)


def _check_output(output: Path, overwrite: bool) -> None:
    """Refuse at once what could not be saved after hours of work."""
    check_place(output, overwrite=True)
    if not overwrite and os.path.lexists(output):
        raise InputError(
            f"{shown_name(output)} exists already.",
            "Choose another name, or replace it with --overwrite.",
        )


def _commission(options: RenderOptions, display: JobDisplay) -> _Commission:
    def opened(path: Path) -> Picture:
        picture = open_picture(path)
        for note in picture.notes:
            display.say(f"{picture.name}: {note}")
        return picture

    if options.recipe is not None:
        job, preset = job_of_recipe(options, opened, display.say)
        beside = options.recipe.with_suffix(".png")
        output = options.output or free_path(beside)
        _check_output(output, options.overwrite)
    else:
        assert options.output is not None, "argparse asks for it where there is no recipe"
        settings, preset = settings_asked_for(options.asked, display.say)
        job, output = job_asked_for(options.asked, settings, opened), options.output
    decided = job.plan.network if job.plan is not None else job.request.settings.network
    weights = _network_weights(options, decided, display)
    return _Commission(replace(job, network_weights=weights), preset, output)


def _network_weights(
    options: RenderOptions, wanted: NetworkName, display: JobDisplay
) -> Path | None:
    """The file that was named, or fetched because it was missing; None to look for it as usual."""
    here = networks_here(wanted, options.weights)
    network = choose_network(wanted, here)
    if options.download and wanted is NetworkName.AUTO:
        network = NetworkName.VGG19
    if network not in here:
        if not options.download:
            find_weights(network)  # says what is missing, and how to get it
        return Path(download_with_progress(network, quiet=options.quiet))
    if network is NetworkName.DRAFT and wanted is NetworkName.AUTO:
        display.say("Painting with the draft network; --download fetches VGG-19, which is finer.")
    return options.weights


def _run(work: Generator[Progress, None, Outcome], display: JobDisplay) -> Outcome:
    with display.live():
        try:
            while True:
                display.show(next(work))
        except StopIteration as finished:
            outcome: Outcome = finished.value
    for note in outcome.notes:
        display.say(note)
    return outcome


@contextmanager
def _interrupts(control: Control, display: JobDisplay) -> Iterator[list[int]]:
    """Let signals stop and keep, and a second Ctrl-C discard; saving goes through.

    Yields:
        The signals that have come.
    """
    came: list[int] = []

    def interrupt(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        # A logout sends several signals of other kinds in a row, and is not to discard.
        if came.count(signal.SIGINT) > 1:
            control.discard()
            display.show_stopping("stopping")
        else:
            control.stop()
            pressed = signal.SIGINT in came
            display.show_stopping("stopping; Ctrl-C again discards" if pressed else "stopping")

    with handled(interrupt):
        yield came


def _save(
    options: RenderOptions, commission: _Commission, outcome: Outcome, pastiche: Pastiche
) -> None:
    """Save where asked; if that fails after all, keep the pastiche elsewhere and say where."""
    recipe, output = None, commission.output
    try:
        recipe = recipe_of(outcome, commission.preset)
        save_pixels(
            pastiche.pixels,
            output,
            recipe=recipe,
            quality=options.quality,
            overwrite=options.overwrite,
        )
    # Whatever it is, hours of work are at stake.
    except Exception as error:
        refuge = _refuge(pastiche, output.stem, recipe)
        message = error.message if isinstance(error, InputError) else f"It was not saved: {error}"
        raise InputError(message, f"The pastiche was kept as {refuge}.") from error
    found = {sha256: picture.path for sha256, picture in commission.job.pictures.items()}
    Places().remember({sha256: path for sha256, path in found.items() if path is not None})


def _refuge(pastiche: Pastiche, name: str, recipe: Recipe | None) -> Path:
    path = free_path(Path(tempfile.gettempdir()) / f"{name}.png")
    try:
        save_pixels(pastiche.pixels, path, recipe=recipe)
    except Exception:
        # A recipe too long to be stored may be the very trouble.
        save_pixels(pastiche.pixels, path)
    return path


def _report(output: Path, outcome: Outcome, pastiche: Pastiche) -> dict[str, object]:
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
        "notes": list(outcome.notes),
        "complete": outcome.ending is Ending.FINISHED,
    }
