"""A picture made again: from the recipe inside it, and the pictures it was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from engine.cli.asking import Opened, file_and_weight
from engine.cli.options import RenderOptions
from engine.spec.choices import Start
from engine.spec.errors import EngineError, InputError
from engine.spec.events import Retuned, Stopped
from engine.spec.job import Job
from engine.spec.pictures import Picture, PictureRef
from engine.spec.plan import Plan
from engine.spec.request import Request, StyleRef
from engine.storage.places import Places, found_beside
from engine.storage.recipes import Recipe, read_recipe
from engine.weights.installed import find_weights

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
    for note in reading.notes:
        _differ(options, say, note)
    found = _Finder(options, recipe.request, opened).pictures()
    request = _bound(recipe.request, found)
    pictures = {picture.sha256: picture for picture in found.values()}
    others = [ref for ref in recipe.request.pictures if found[ref.sha256].sha256 != ref.sha256]
    for ref in others:
        _differ(options, say, f"{found[ref.sha256].name} is not the {ref.name} of the recipe.")
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
        script = tuple(event for event in script if isinstance(event, Retuned | Stopped))
    return Job(request, pictures, plan=plan, script=script), preset


def _differ(options: RenderOptions, say: Say, why: str) -> None:
    """Say why the picture will not be the very same; refuse where that is insisted on."""
    if options.exact:
        raise InputError(f"The very same picture cannot be made. {why}", "Leave out --exact.")
    say(why)


def _repeatable(recipe: Recipe, options: RenderOptions, say: Say) -> Plan | None:
    """The plan, if this machine can carry it out; else None, and why is said."""
    from engine.run import devices

    plan = recipe.plan
    if plan is None:
        _differ(options, say, "The recipe does not say how it was done; that is decided anew.")
        return None
    try:
        machine = devices.machine_for(plan.settings, {})
    except EngineError as error:
        _differ(options, say, f"{error.message} It is decided anew where to compute.")
        return None
    same = (machine.winograd, machine.fused) == (plan.winograd, plan.fused)
    if not same or machine.words != plan.device:
        _differ(options, say, f"It was made on {plan.device}; here is {machine.words}.")
    file = find_weights(plan.network, options.weights)
    with file.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()
    if digest != plan.network_sha256:
        _differ(options, say, f"{file.name} is not the file with which it was made.")
        return None
    return plan if same else None


class _Finder:
    """Looks for a recipe's pictures: given, beside the recipe's picture, or where they were."""

    def __init__(self, options: RenderOptions, request: Request, opened: Opened) -> None:
        self._request = request
        self._opened = opened
        asked = options.asked
        self._content = None if asked.content is None else opened(asked.content)
        self._start = None if asked.start is None else opened(asked.start)
        self._styles = [opened(file_and_weight(text)[0]) for text in asked.styles]
        assert options.recipe is not None
        self._beside = options.recipe.absolute().parent

    def pictures(self) -> Mapping[str, Picture]:
        """The picture for each hash of the recipe; one that was given may have another.

        Raises:
            InputError: Some are missing; the message names them.
        """
        found = self._given()
        missing = {ref.sha256: ref for ref in self._request.pictures if ref.sha256 not in found}
        wanted = {sha256: ref.name for sha256, ref in missing.items()}
        files = dict(found_beside(self._beside, wanted))
        for sha256 in wanted.keys() - files.keys():
            path = Places().find(sha256)
            if path is not None:
                files[sha256] = path
        for sha256, path in files.items():
            picture = self._opened(path)
            if picture.sha256 == sha256:  # else it has been changed since
                found[sha256] = picture
                del missing[sha256]
        if missing:
            names = ", ".join(dict.fromkeys(ref.name for ref in missing.values()))
            raise InputError(
                f"Not found: {names}.",
                "Put what is missing beside the picture, or name it with --content, --style or "
                "--start.",
            )
        return found

    def _given(self) -> dict[str, Picture]:
        """What was named on the command line, for the hashes of the recipe that it stands for."""
        request, found = self._request, {}
        singles = [
            (request.content, self._content, "content"),
            (request.start, self._start, "start"),
        ]
        for ref, picture, word in singles:
            if picture is None:
                continue
            if ref is None:
                raise InputError(f"The recipe has no {word} picture.", f"Leave out --{word}.")
            found[ref.sha256] = picture
        by_hash = {picture.sha256: picture for picture in self._styles}
        refs = {ref.sha256: ref for ref in request.styles}
        found |= {sha256: by_hash.pop(sha256) for sha256 in refs if sha256 in by_hash}
        others = [sha256 for sha256 in refs if sha256 not in found]
        if len(by_hash) > len(others):
            raise InputError(
                f"The recipe has {len(request.styles)} paintings, and more were given.",
                "Leave out some --style.",
            )
        return found | dict(zip(others, by_hash.values(), strict=False))


def _bound(request: Request, found: Mapping[str, Picture]) -> Request:
    """The request with the pictures that were found in place of those it names."""

    def ref(known: PictureRef | None) -> PictureRef | None:
        return None if known is None else found[known.sha256].ref

    used = request.settings.start is Start.PICTURE
    styles = tuple(StyleRef.of(found[style.sha256], style.weight) for style in request.styles)
    return request.model_copy(
        update={
            "content": ref(request.content),
            "styles": styles,
            "start": ref(request.start) if used else None,
        }
    )
