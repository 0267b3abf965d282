"""A picture made again from the recipe inside it, and what that recipe tells."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from terminal import Terminal, paint

from engine.cli import render
from engine.run import device_memory
from engine.run.control import Control, Retune
from engine.spec.choices import NetworkName
from engine.spec.events import Retuned
from engine.spec.progress import Progress

FORMAT_1 = Path(__file__).resolve().parents[1] / "data" / "format1"

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def made(terminal: Terminal) -> Terminal:
    """A folder with a pastiche in it, `out.png`, beside its pictures."""
    assert terminal.render("--set=start=noise", "--seed=3").code == 0
    return terminal


def again(terminal: Terminal, *more: str, recipe: str = "out.png") -> object:
    """What `render --recipe` makes with the network at hand."""
    return terminal.type(
        "render", f"--recipe={recipe}", f"--weights={terminal.network}", "--output=again.png", *more
    )


def test_a_picture_is_made_again_to_the_pixel(made: Terminal) -> None:
    ended = again(made, "--exact")
    assert ended.code == 0, ended.err
    assert np.array_equal(made.pixels("again.png"), made.pixels())
    first, second = made.recipe(), made.recipe("again.png")
    assert (second.request, second.plan, second.events) == (first.request, first.plan, first.events)


def test_a_picture_steered_at_three_steps_is_made_again_to_the_pixel(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.run.timing._SECONDS_BETWEEN_LOOKS", 0)
    strengths = {2: 4.0, 4: 0.5, 6: 9.0}

    class Steered(Control):
        """Turns the dial at three steps, as a person with the window would."""

        def next_command(self):  # type: ignore[no-untyped-def]
            command = super().next_command()
            if command is None and (strength := strengths.pop(len(steps), None)) is not None:
                settings = settings_of().changed(style_strength=strength)
                return Retune(settings, (1.0,))
            return command

    steps: list[Progress] = []
    show = render.JobDisplay.show

    def note(display: render.JobDisplay, progress: Progress) -> None:
        if progress.step and not progress.message:
            steps.append(progress)
        show(display, progress)

    def settings_of():  # type: ignore[no-untyped-def]
        from engine.spec.settings import DEFAULTS

        return DEFAULTS.changed(style_layers="relu1_1", content_layers="relu2_1")

    with monkeypatch.context() as steering:
        steering.setattr(render, "Control", Steered)
        steering.setattr(render.JobDisplay, "show", note)
        assert terminal.render("--set=steps=8").code == 0
    events = terminal.recipe().events
    assert [(type(event), event.at.step) for event in events] == [
        (Retuned, 2), (Retuned, 4), (Retuned, 6),
    ]  # fmt: skip
    ended = again(terminal, "--exact")
    assert ended.code == 0, ended.err
    assert np.array_equal(terminal.pixels("again.png"), terminal.pixels())
    assert terminal.recipe("again.png").events == events


def test_without_a_name_it_goes_beside_the_picture_under_a_free_one(made: Terminal) -> None:
    words = ("render", "--recipe=out.png", f"--weights={made.network}")
    assert made.type(*words).code == 0
    assert np.array_equal(made.pixels("out_001.png"), made.pixels())


def test_pictures_that_moved_along_are_found_beside_it_whatever_they_are_called(
    made: Terminal, tmp_path: Path
) -> None:
    away = tmp_path / "away"
    away.mkdir()
    for name, new in {"out.png": "out.png", "photo.png": "p.png", "style.png": "s.png"}.items():
        shutil.move(made.folder / name, away / new)
    ended = again(made, recipe=str(away / "out.png"))
    assert ended.code == 0, ended.err
    assert np.array_equal(made.pixels("again.png"), made.pixels(str(away / "out.png")))


def test_pictures_are_found_where_they_were_last(made: Terminal, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.move(made.folder / "out.png", elsewhere / "out.png")
    ended = again(made, recipe=str(elsewhere / "out.png"))
    assert ended.code == 0, ended.err


def test_pictures_that_cannot_be_found_are_named(made: Terminal) -> None:
    (made.folder / "photo.png").unlink()
    paint(made.folder / "style.png", seed=99, size=(32, 32))  # the same name, another picture
    ended = again(made)
    assert ended.code == 2
    assert "Not found: photo.png, style.png." in ended.err
    assert "--content" in ended.err
    assert not (made.folder / "again.png").exists()


def test_pictures_that_are_elsewhere_can_be_named(made: Terminal, tmp_path: Path) -> None:
    for name in ("photo.png", "style.png"):
        shutil.move(made.folder / name, tmp_path / f"my {name}")
    ended = again(
        made, f"--content={tmp_path / 'my photo.png'}", f"--style={tmp_path / 'my style.png'}",
        "--exact",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert np.array_equal(made.pixels("again.png"), made.pixels())


def test_another_photograph_is_painted_the_same_way_and_said_to_be_another(made: Terminal) -> None:
    paint(made.folder / "other.png", seed=42, size=(48, 32))
    ended = again(made, "--content=other.png")
    assert ended.code == 0, ended.err
    assert "other.png" in ended.err
    assert made.pixels("again.png").shape == (21, 32, 3)
    assert again(made, "--content=other.png", "--exact", "--overwrite").code == 2


def test_a_changed_setting_is_decided_anew_from_what_was_asked(made: Terminal) -> None:
    ended = again(made, "--set=output_size=48", "--set=alpha=2")
    assert ended.code == 0, ended.err
    assert made.pixels("again.png").shape == (36, 48, 3)
    settings = made.recipe("again.png").request.settings
    assert (settings.output_size, settings.content_weight) == (48, 2.0)
    assert settings.seed == 3


def test_what_is_short_now_is_said_and_what_was_decided_is_kept(
    made: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same request, with much and with little free memory: the same pixels, or a word."""
    plan = made.recipe().plan
    assert plan is not None
    for free in (16_000_000_000, plan.bytes + 100_000_000):
        monkeypatch.setattr(device_memory, "memory_available", lambda _, free=free: free)
        assert again(made, "--overwrite").code == 0
        assert np.array_equal(made.pixels("again.png"), made.pixels())


def test_another_network_file_is_said_and_refused_where_the_very_picture_is_insisted_on(
    made: Terminal, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(made.network)
    tensors["conv1_1.bias"] = tensors["conv1_1.bias"] + 0.01
    other = tmp_path / "other.safetensors"
    save_file(tensors, other)
    words = ("render", "--recipe=out.png", f"--weights={other}", "--output=again.png")
    refused = made.type(*words, "--exact")
    assert refused.code == 2
    assert "other.safetensors is not the file with which it was made" in refused.err
    allowed = made.type(*words)
    assert allowed.code == 0
    assert "other.safetensors is not the file" in allowed.err


def test_a_recipe_of_the_first_format_is_made_again(terminal: Terminal, tmp_path: Path) -> None:
    ended = terminal.type(
        "render", f"--recipe={FORMAT_1 / 'pastiche.png'}", "--output=again.png", "--device=cpu"
    )
    assert ended.code == 0, ended.err
    with Image.open(FORMAT_1 / "pastiche.png") as before:
        assert terminal.pixels("again.png").shape == (before.height, before.width, 3)
    recipe = terminal.recipe("again.png")
    assert recipe.request.settings.content_weight == 2.5
    assert recipe.request.settings.network is NetworkName.DRAFT


def test_a_picture_without_a_recipe_is_refused(terminal: Terminal) -> None:
    for words in (["render", "--recipe=photo.png"], ["recipe", "photo.png"]):
        assert "photo.png carries no recipe" in terminal.refused(*words)


WRONG: dict[str, tuple[str, ...]] = {
    "a photograph without a name": ("--recipe=out.png", "photo.png"),
    "content without a recipe": ("photo.png", "--content=photo.png", "--style=style.png",
                                 "--output=x.png"),
    "too many paintings": ("--recipe=out.png", "--style=photo.png", "--style=style.png",
                           "--output=x.png"),
    "a start it does not have": ("--recipe=out.png", "--start=photo.png", "--output=x.png"),
    "a preset": ("--recipe=out.png", "--preset=Texture", "--output=x.png"),
    "nothing": (),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_go_together_is_refused(case: str, made: Terminal) -> None:
    ended = made.type("render", *WRONG[case])
    assert ended.code == 2
    assert "Traceback" not in ended.err
    assert not (made.folder / "x.png").exists()


def test_a_recipe_is_told_in_words(made: Terminal) -> None:
    told = made.type("recipe", "out.png")
    assert (told.code, told.err) == (0, "")
    for words in ("32 × 24 px", "2 steps", "photo.png", "style.png", "VGG-19", "CPU",
                  "output_size = 32", "seed = 3", "start = noise"):  # fmt: skip
        assert words in told.out


def test_a_recipe_is_told_as_json(made: Terminal) -> None:
    told = made.type("recipe", "out.png", "--json")
    said = json.loads(told.out)
    assert told.out.count("\n") == 1
    assert said["request"]["settings"]["network"] == "auto"
    assert said["plan"]["settings"]["network"] == "vgg19"
    assert said["plan"]["network_sha256"] == made.recipe().plan.network_sha256
    assert said["events"] == []


def test_what_was_asked_twice_of_one_picture_can_be_named_apart(terminal: Terminal) -> None:
    """The same file as photograph and as two paintings; another is given for the photograph."""
    assert terminal.render("--style=photo.png:2", style="photo.png").code == 0
    paint(terminal.folder / "other.png", seed=42, size=(40, 30))
    ended = again(terminal, "--content=other.png", "--style=photo.png", "--style=photo.png")
    assert ended.code == 0, ended.err
    request = terminal.recipe("again.png").request
    assert request.content is not None
    assert request.content.name == "other.png"
    assert [(style.name, style.weight) for style in request.styles] == [
        ("photo.png", 1.0), ("photo.png", 2.0),
    ]  # fmt: skip


def test_exact_and_changes_do_not_go_together(made: Terminal) -> None:
    assert "--exact" in again(made, "--exact", "--set=steps=3").err
    assert not (made.folder / "again.png").exists()


def test_what_happened_is_told(made: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.cli import recipe as command
    from engine.spec.events import Paused, Place, RolledBack, Stopped
    from engine.storage.recipes import read_recipe

    at = Place(scale=1, step=7)
    happened = (
        Retuned(at=at, settings={"style_strength": 2.5, "style_layers": {"relu1_1": 1.0}},
                shares=(1.0,)),
        Retuned(at=at, settings={}, shares=(1.0,)),
        RolledBack(at=at), Paused(at=at), Stopped(at=at),
    )  # fmt: skip

    def steered(path: Path) -> object:
        reading = read_recipe(path)
        assert reading is not None
        recipe = reading.recipe.model_copy(update={"events": happened})
        return replace(reading, recipe=recipe)

    monkeypatch.setattr(command, "read_recipe", steered)
    told = made.type("recipe", "out.png").out
    assert "At step 7: style_strength = 2.5, style_layers = relu1_1:1\n" in told
    assert "At step 7: the paintings' weights 1\n" in told
    assert "overflowed" in told
    assert "At step 7: stopped" in told


BAD_USAGE: dict[str, Callable[[], list[str]]] = {
    "render": lambda: ["render", "photo.png", "--json", "--bogus"],
    "render without a painting": lambda: ["render", "photo.png", "--output=x.png", "--json"],
    "plan": lambda: ["plan", "--json"],
    "recipe": lambda: ["recipe", "--json"],
    "a quality": lambda: ["render", "photo.png", "--quality=0", "--json"],
    "a setting": lambda: ["plan", "photo.png", "--set=steps", "--json"],
}


@pytest.mark.parametrize("case", BAD_USAGE)
def test_bad_usage_is_json_too_where_json_was_asked_for(case: str, terminal: Terminal) -> None:
    ended = terminal.type(*BAD_USAGE[case]())
    assert ended.code == 2
    said = json.loads(ended.out)
    assert said["exit_code"] == 2
    assert said["error"].split(": ")[-1] in ended.err
    without = terminal.type(*(word for word in BAD_USAGE[case]() if word != "--json"))
    assert (without.code, without.out) == (2, "")
