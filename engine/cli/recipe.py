"""`recipe`: what made a picture, told from the recipe inside it."""

from __future__ import annotations

from collections.abc import Iterator

from engine.cli.options import RecipeOptions
from engine.cli.printing import print_json, print_text
from engine.spec.choices import Start
from engine.spec.errors import InputError
from engine.spec.events import Event, Failed, Paused, Retuned, Stopped, note
from engine.spec.layers import format_layers, network_title
from engine.spec.parameters import Kind
from engine.spec.settings import PARAMETER, PARAMETERS, Settings
from engine.spec.wording import duration_text, plain
from engine.storage.recipes import Recipe, read_recipe

_WIDEST = 1000
"""Characters of a line that holds more than can be shown."""


def tell_recipe(options: RecipeOptions) -> int:
    """Print a picture's recipe, in words or as JSON; returns the exit code.

    Raises:
        InputError: The file is no picture, or carries no recipe that can be used.
    """
    reading = read_recipe(options.picture)
    if reading is None:
        raise InputError(
            f"{options.picture.name} carries no recipe.", "Choose a picture saved by Gramarye."
        )
    if options.json:
        print_json({**reading.recipe.to_values(), "unusable": list(reading.notes)})
    else:
        lines = (*_lines(reading.recipe), *reading.notes)
        print_text("\n".join(_plain(line) for line in lines))
    return 0


def _plain(line: str) -> str:
    """A line as it is laid out: nothing in a picture is trusted to print what it likes."""
    indent = line[: len(line) - len(line.lstrip(" "))]
    return line if line.isprintable() else indent + plain(line, _WIDEST)


def _lines(recipe: Recipe) -> Iterator[str]:
    request, plan = recipe.request, recipe.plan
    width, height = recipe.size
    finished = "finished" if recipe.complete else "stopped early"
    yield f"Made by:  Gramarye {recipe.program}" + (
        f", preset {recipe.preset}" * bool(recipe.preset)
    )
    yield f"Size:     {width} × {height} px"
    yield f"Work:     {recipe.steps} steps in {duration_text(recipe.seconds)}, {finished}"
    yield f"Content:  {request.content.name if request.content else 'none, a texture'}"
    for style in request.styles:
        yield f"Style:    {style.name}, weight {style.weight:g}"
    if request.start is not None and request.settings.start is Start.PICTURE:
        yield f"Start:    {request.start.name}"
    if plan is not None:
        yield f"Network:  {network_title(plan.network)}"
        yield f"Computed: {plan.way(plan.computing, plan.tiling)}"
    elif recipe.device:
        yield f"Computed: {recipe.device}"
    changed = list(_changed(request.settings))
    yield "Settings: " + ("the defaults" if not changed else "")
    yield from (f"  {line}" for line in changed)
    for event in recipe.events:
        yield f"At step {event.at.step}: {_told(event)}"
    yield from plan.notes if plan is not None else ()
    yield from recipe.notes


def _changed(settings: Settings) -> Iterator[str]:
    """Settings that are not at their defaults, as they are typed."""
    for row in PARAMETERS:
        value = getattr(settings, row.name)
        if value != row.default:
            yield f"{row.name} = {_typed(row.kind, value)}"


def _told(event: Event) -> str:
    match event:
        case Retuned(settings=changes, shares=shares):
            words = [f"{name} = {_typed_json(name, value)}" for name, value in changes.items()]
            mix = ":".join(f"{share:g}" for share in shares)
            if len(shares) > 1 or not words:
                words.append(f"the paintings' weights {mix}")
            return ", ".join(words)
        case Paused():
            return "paused"
        case Stopped():
            return "stopped"
        case Failed():
            return "could not go on"
    return note(event)


def _typed(kind: Kind, value: object) -> str:
    return format_layers(value) if kind is Kind.LAYERS else str(value)  # type: ignore[arg-type]


def _typed_json(name: str, value: object) -> str:
    if PARAMETER[name].kind is Kind.LAYERS and isinstance(value, dict):
        return ", ".join(f"{layer}:{weight:g}" for layer, weight in value.items())
    return str(value)
