"""A picture made again: from the recipe inside it, and the pictures it was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from engine.cli.asking import Opened, file_and_weight
from engine.cli.options import RenderOptions
from engine.spec.choices import Start
from engine.spec.errors import EngineError, InputError
from engine.spec.events import Failed, Retuned, Stopped
from engine.spec.job import Job
from engine.spec.pictures import Picture, PictureRef
from engine.spec.plan import Plan
from engine.spec.request import Request, StyleRef
from engine.spec.wording import plain
from engine.storage.ordinary import ordinary_file
from engine.storage.paths import unreadable
from engine.storage.places import Places, found_beside
from engine.storage.recipes import Recipe, read_recipe
from engine.weights.installed import networks_here

Say = Callable[[str], None]


def job_of_recipe(options: RenderOptions, opened: Opened, say: Say) -> tuple[Job, str]:
    """The job that makes a picture again, and the name of its preset.

    Without changes it is done as it was decided then, and what happened on the way happens again:
    the pixels are the same. What was changed, or cannot be had on this machine, is decided anew.

    Args:
        options: Names the picture, and what is to be different.
        opened: Opens a picture.
        say: Tells a sentence.

    Raises:
        InputError: There is no recipe, a picture it names is not found, a change cannot be, or
            the very same picture is insisted on and cannot be had.
    """
    assert options.recipe is not None, "the command has a recipe"
    reading = read_recipe(options.recipe)
    if reading is None:
        raise InputError(
            f"{options.recipe.name} carries no recipe.", "Choose a picture saved by Gramarye."
        )
    recipe = reading.recipe
    if options.exact and options.asked.settings:
        raise InputError("What is changed is not the very same.", "Leave out --exact or changes.")
    for note in (*reading.notes, *recipe.notes):
        _differ(options, say, note)
    found = _pictures_of(options, recipe.request, opened)
    request = _bound(recipe.request, found)
    pictures = {picture.sha256: picture for picture in found if picture is not None}
    others = False
    for ref, picture in zip(_named(recipe.request), found, strict=True):
        if ref is not None and picture is not None and picture.sha256 != ref.sha256:
            others = True
            here, there = plain(picture.name), plain(ref.name)
            _differ(options, say, f"{here} is not the {there} of the recipe.")
    preset = recipe.preset
    if options.asked.preset is not None:
        raise InputError("A recipe has its own settings.", "Change some with --set NAME=VALUE.")
    if options.asked.settings:
        settings = recipe.final.settings.changed(**options.asked.settings)
        if settings != recipe.final.settings:
            preset = ""
        return Job(request.asking(settings, recipe.final.shares), pictures), preset
    plan = None if others else _repeatable(recipe, options, say)
    script = recipe.events
    if plan is None:  # how it is cut is decided anew
        script = tuple(e for e in script if isinstance(e, Retuned | Stopped | Failed))
        request = _on_this_machine(request)
    return Job(request, pictures, plan=plan, script=script), preset


def _differ(options: RenderOptions, say: Say, why: str) -> None:
    """Say why the picture will not be the very same; refuse where that is insisted on."""
    if options.exact:
        raise InputError(f"The very same picture cannot be made. {why}", "Leave out --exact.")
    say(why)


def _repeatable(recipe: Recipe, options: RenderOptions, say: Say) -> Plan | None:
    """The plan, if this machine can carry it out; else None, and why is said."""
    from engine.run.machines import machine_for

    plan = recipe.plan
    if plan is None or not plan.suits(recipe.request):
        _differ(options, say, "The recipe does not say how it was done; that is decided anew.")
        return None
    try:
        here = machine_for(plan.settings, {}).computing
    except EngineError as error:
        _differ(options, say, f"{error.message} It is decided anew where to compute.")
        return None
    same = here.gives_the_same_as(plan.computing)
    if not same or here.words != plan.computing.words:
        _differ(options, say, f"It was made on {plan.computing.words}; here is {here.words}.")
    file = networks_here(plan.network, options.weights).get(plan.network)
    if file is not None and not _is_of_digest(file, plan.network_sha256):
        _differ(options, say, f"{file.name} is not the file with which it was made.")
        return None
    return plan.model_copy(update={"computing": here}) if same else None


def _is_of_digest(file: Path, sha256: str | None) -> bool:
    try:
        with ordinary_file(file) as data:
            return hashlib.file_digest(data, "sha256").hexdigest() == sha256
    except OSError as error:
        raise unreadable(file, error) from error


def _on_this_machine(request: Request) -> Request:
    """The request, without a device that is not here."""
    from engine.run.machines import machine_for

    try:
        machine_for(request.settings, {})
    except EngineError:
        return request.asking(request.settings.changed(device="auto", precision="auto"))
    return request


def _pictures_of(options: RenderOptions, request: Request, opened: Opened) -> list[Picture | None]:
    """The picture for each that a request names, in its order: given, beside it, or where it was.

    Raises:
        InputError: Some are not found, which the message names, or too many are given.
    """
    assert options.recipe is not None, "the command has a recipe"
    refs = _named(request)
    found = _given(options, request, refs, opened)
    missing = {ref.sha256: ref.name for ref, picture in zip(refs, found, strict=True)
               if ref is not None and picture is None}  # fmt: skip
    files = dict(found_beside(options.recipe.absolute().parent, missing))
    for sha256 in missing.keys() - files.keys():
        path = Places().find(sha256)
        if path is not None:
            files[sha256] = path
    pictures = {sha256: opened(path) for sha256, path in files.items()}
    for place, ref in enumerate(refs):
        picture = pictures.get(ref.sha256) if ref is not None and found[place] is None else None
        if picture is not None and ref is not None and picture.sha256 == ref.sha256:
            found[place] = picture  # else the file has been changed since
    lost = [ref.name for ref, picture in zip(refs, found, strict=True)
            if ref is not None and picture is None]  # fmt: skip
    if lost:
        raise InputError(
            f"Not found: {plain(', '.join(dict.fromkeys(lost)), 200)}.",
            "Put what is missing beside the picture, or name it with --content, --style or "
            "--start.",
        )
    return found


def _named(request: Request) -> list[PictureRef | None]:
    """Content, start and styles; None for what is not used."""
    start = request.start if request.settings.start is Start.PICTURE else None
    return [request.content, start, *request.styles]


def _given(
    options: RenderOptions, request: Request, refs: list[PictureRef | None], opened: Opened
) -> list[Picture | None]:
    """What was named on the command line, each in the place of the picture it stands for."""
    asked = options.asked
    found: list[Picture | None] = [None] * len(refs)
    for place, (word, path) in enumerate((("content", asked.content), ("start", asked.start))):
        if path is not None:
            if refs[place] is None:
                raise InputError(f"The recipe uses no {word} picture.", f"Leave out --{word}.")
            found[place] = opened(path)
    given = [opened(file_and_weight(text)[0]) for text in asked.styles]
    if len(given) > len(request.styles):
        raise InputError(
            f"The recipe has {len(request.styles)} paintings, and more were given.",
            "Leave out some --style.",
        )
    # Those that the recipe knows first; the others take the places that are left.
    for place, style in enumerate(request.styles, start=2):
        known = next((picture for picture in given if picture.sha256 == style.sha256), None)
        if known is not None:
            given.remove(known)
            found[place] = known
    empty = (place for place in range(2, len(refs)) if found[place] is None)
    for place, picture in zip(empty, given, strict=False):
        found[place] = picture
    return found


def _bound(request: Request, found: list[Picture | None]) -> Request:
    """The request with the pictures that were found in place of those it names."""
    content, start, *styles = found
    return request.model_copy(
        update={
            "content": None if content is None else content.ref,
            "start": None if start is None else start.ref,
            "styles": tuple(
                StyleRef.of(picture, ref.weight)
                for picture, ref in zip(styles, request.styles, strict=True)
                if picture is not None
            ),
        }
    )
