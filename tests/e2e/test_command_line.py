"""What can be typed, what it prints, and what it leaves on disk."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file, save_file
from terminal import Terminal, paint

import main
from engine.cli import commands
from engine.spec.choices import NetworkName, Start
from engine.spec.layers import ALL_LAYERS, layer_names
from engine.spec.settings import DEFAULTS, PARAMETERS, settings_from
from engine.storage.images import open_picture
from engine.storage.preset_store import PresetStore, known_presets
from engine.storage.presets import Preset, builtin_presets
from engine.weights.installed import networks_folder

MAIN = Path(main.__file__)
OPTIONS = (
    "--style", "--output", "--overwrite", "--quality", "--start", "--preset", "--set", "--size",
    "--network", "--device", "--seed", "--weights", "--download", "--json", "--quiet",
    "--list-settings", "--list-presets", "--recipe", "--exact", "--content",
)  # fmt: skip


def test_help_of_the_program_tells_the_commands_and_exit_codes() -> None:
    told = subprocess.run(
        [sys.executable, str(MAIN), "--help"], capture_output=True, text=True, check=True
    )
    assert told.stderr == ""
    for word in ("CONTENT", "--style", "--version", "gramarye render", "gramarye weights", "130"):
        assert word in told.stdout


@pytest.mark.parametrize("option", OPTIONS)
def test_help_of_render_explains_every_option(terminal: Terminal, option: str) -> None:
    told = terminal.type("render", "--help")
    assert told.code == 0
    assert re.search(rf"^  {option}( \S+)?\s+\w+", told.out, re.MULTILINE)


@pytest.mark.parametrize(
    "words", [["--help"], ["render", "--help"], ["weights", "--help"], ["render", "--list-presets"]]
)
def test_help_fits_a_terminal(terminal: Terminal, words: list[str]) -> None:
    told = terminal.type(*words)
    assert (told.code, told.err) == (0, "")
    assert max(map(len, told.out.splitlines())) <= 80


def test_the_settings_listed_can_be_typed_and_are_the_defaults(terminal: Terminal) -> None:
    told = terminal.type("render", "--list-settings")
    assert told.code == 0
    listed = dict(re.findall(r"^  (\w+) = (.+)$", told.out, re.MULTILINE))
    assert listed.keys() == {row.name for row in PARAMETERS}
    assert settings_from(listed) == DEFAULTS


def test_the_settings_listed_say_what_they_do_and_what_they_take(terminal: Terminal) -> None:
    told = " ".join(terminal.type("render", "--list-settings").out.split())
    for row in PARAMETERS:
        assert row.label in told
        assert " ".join(row.help.split()) in told
        assert all(re.sub(r":\d$", ":N", choice) in told for choice in row.choices)
    assert "0 to 2147483647" in told


def test_the_presets_listed_are_those_that_ship_and_ones_own(terminal: Terminal) -> None:
    PresetStore().save(Preset(name="Mine", description="My own look."))
    told = " ".join(terminal.type("render", "--list-presets").out.split())
    assert "Mine My own look." in told
    for preset in known_presets():
        assert preset.name in told
        assert preset.description in told


def test_lists_are_printed_even_where_the_terminal_lacks_their_characters() -> None:
    told = subprocess.run(
        [sys.executable, str(MAIN), "render", "--list-settings"],
        capture_output=True, check=True, env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert told.stderr == b""
    assert b"Style strength" in told.stdout


def test_the_version_is_printed(terminal: Terminal) -> None:
    assert re.fullmatch(r"gramarye \d+\.\d+\.\d+\n", terminal.type("--version").out)


def test_pictures_alone_open_the_window_with_them() -> None:
    assert commands.parse([]) == commands.OpenWindow(None, ())
    opened = commands.parse(["photo.jpg", "--style", "a.jpg", "--style", "b.jpg"])
    assert opened == commands.OpenWindow(Path("photo.jpg"), (Path("a.jpg"), Path("b.jpg")))


def test_a_render_saves_a_picture_of_the_size_asked_for_and_says_so(terminal: Terminal) -> None:
    ended = terminal.render("--size=24")
    assert ended.code == 0
    assert ended.out == ""
    assert ended.err.splitlines() == ["Scale 1/1, 24 × 18 px", "Saved out.png"]
    assert terminal.pixels().shape == (18, 24, 3)
    assert terminal.pixels().std() > 1


def test_quiet_says_nothing(terminal: Terminal) -> None:
    ended = terminal.render("--quiet")
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert (terminal.folder / "out.png").exists()


def test_a_terminal_shows_a_bar_and_stdout_stays_free(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # what makes stderr pass for a terminal
    ended = terminal.render("--json")
    shown = without_colours(ended.err)
    assert "Scale 1/1, 32 × 24 px ━" in shown
    assert " 2/2 " in shown
    assert shown.splitlines()[-1].endswith("Saved out.png")
    assert json.loads(ended.out)["output"] == "out.png"


def without_colours(text: str) -> str:
    """What a terminal shows, without the codes that colour and move."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def test_json_is_one_object_and_alone_on_stdout(terminal: Terminal) -> None:
    ended = terminal.render("--json", "--set=smoothness=1")
    assert ended.code == 0
    said = json.loads(ended.out)
    assert ended.out.count("\n") == 1
    recipe = terminal.recipe()
    assert said["output"] == "out.png"
    assert said["size"] == "32x24"
    assert said["seconds"] == pytest.approx(recipe.seconds, abs=1e-3)
    assert said["evaluations"] == recipe.evaluations
    assert said["evaluations"] >= said["steps"] == 2
    wanted = ["content relu2_1", "matched relu1_1", "style relu1_1", "smoothness", "fine colour"]
    assert list(said["terms"]) == wanted
    assert said["total"] == pytest.approx(sum(said["terms"].values()), rel=1e-3)
    assert said["total"] > 0
    assert said["peak_memory"] > 10_000_000
    assert said["device"]
    assert said["complete"] is True


def test_json_of_a_failure_says_what_stderr_says(terminal: Terminal) -> None:
    ended = terminal.render("--json", content="none.jpg")
    assert ended.code == 2
    said = json.loads(ended.out)
    assert ended.err == f"gramarye: {said['error']}\n"
    assert said["exit_code"] == 2


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are Unicode")
def test_json_survives_a_name_that_is_no_unicode(terminal: Terminal) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    ended = terminal.render("--json", "--quiet", output=name)
    assert ended.code == 0
    assert json.loads(ended.out)["output"] == name


def test_the_recipe_inside_equals_what_was_asked_for(terminal: Terminal) -> None:
    paint(terminal.folder / "waves.png", seed=3, size=(32, 32))
    more = ["--style=waves.png:0.25", "--set=content_weight=3", "--set=pooling=average", "--seed=7"]
    assert terminal.render(*more, output="out.jpg").code == 0
    recipe = terminal.recipe("out.jpg")
    assert recipe.request.settings == DEFAULTS.changed(
        output_size=32, coarsest_size=32, steps=2, style_layers="relu1_1", matched_layers="relu1_1",
        content_layers="relu2_1", content_weight=3, pooling="average", seed=7,
    )  # fmt: skip
    assert recipe.request.content is not None
    assert recipe.request.content.name == "photo.png"
    assert recipe.request.content.sha256 == open_picture(terminal.folder / "photo.png").sha256
    assert [(style.name, style.weight) for style in recipe.request.styles] == [
        ("style.png", 1.0),
        ("waves.png", 0.25),
    ]
    assert recipe.complete
    assert recipe.preset == ""
    assert recipe.steps == 2


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [(".png", "PNG"), (".JPG", "JPEG"), (".jpeg", "JPEG"), (".tiff", "TIFF"), (".webp", "WEBP")],
)
def test_the_suffix_chooses_the_format(terminal: Terminal, suffix: str, kind: str) -> None:
    assert terminal.render(output=f"out{suffix}").code == 0
    with Image.open(terminal.folder / f"out{suffix}") as image:
        assert image.format == kind


def test_less_quality_makes_a_smaller_file(terminal: Terminal) -> None:
    sizes = []
    for quality in (10, 95):
        assert terminal.render(f"--quality={quality}", output=f"{quality}.jpg").code == 0
        sizes.append((terminal.folder / f"{quality}.jpg").stat().st_size)
    assert sizes[0] < sizes[1]


def test_overwrite_replaces_what_was_there(terminal: Terminal) -> None:
    (terminal.folder / "out.png").write_bytes(b"old")
    assert terminal.render("--overwrite").code == 0
    assert terminal.pixels().shape == (24, 32, 3)


def test_overwrite_through_a_link_leaves_the_link(terminal: Terminal) -> None:
    (terminal.folder / "album").mkdir()
    (terminal.folder / "out.png").symlink_to(Path("album", "real.png"))
    for _ in range(2):
        assert terminal.render("--overwrite").code == 0
        assert (terminal.folder / "out.png").is_symlink()
        assert terminal.pixels("album/real.png").shape == (24, 32, 3)
    assert [path.name for path in (terminal.folder / "album").iterdir()] == ["real.png"]


def test_the_weights_of_styles_change_the_result(terminal: Terminal) -> None:
    paint(terminal.folder / "waves.png", seed=3, size=(32, 32))
    steps = "--set=steps=8"
    alone = terminal.made(steps, output="alone.png")
    mostly = terminal.made(steps, "--style=waves.png:1", style="style.png:9", output="mostly.png")
    barely = terminal.made(steps, "--style=waves.png:9", style="style.png:1", output="barely.png")
    assert difference(alone, mostly) < difference(alone, barely)
    assert difference(mostly, barely) > 0.5


def test_shares_count_relative_to_each_other(terminal: Terminal) -> None:
    paint(terminal.folder / "waves.png", seed=3, size=(32, 32))
    equal = terminal.made("--style=waves.png:1", style="style.png:1", output="1.png")
    twice = terminal.made("--style=waves.png:2", style="style.png:2", output="2.png")
    assert difference(equal, twice) < 0.01


@pytest.mark.parametrize(("typed", "weight"), [("van:2.png", 1.0), ("a:3", 1.0), ("a:3:0.5", 0.5)])
def test_a_colon_in_a_files_own_name_is_no_weight(
    terminal: Terminal, typed: str, weight: float
) -> None:
    name = typed.removesuffix(":0.5")
    try:
        shutil.copy("style.png", name)
    except OSError:
        pytest.skip("this file system takes no colons")
    assert terminal.render(style=typed).code == 0
    style = terminal.recipe().request.styles[0]
    assert (style.name, style.weight) == (name, weight)


def test_a_preset_is_begun_with_and_named_in_the_recipe(terminal: Terminal) -> None:
    ended = terminal.render("--preset=classic (gatys 2016)")
    assert ended.code == 0, ended.err
    preset = next(each for each in builtin_presets() if each.name.startswith("Classic"))
    recipe = terminal.recipe()
    assert recipe.preset == preset.name
    assert recipe.request.settings == preset.applied_to(DEFAULTS).changed(
        output_size=32, coarsest_size=32, steps=2, style_layers="relu1_1", matched_layers="relu1_1",
        content_layers="relu2_1",
    )  # fmt: skip


def test_an_own_preset_is_found_by_name(terminal: Terminal) -> None:
    PresetStore().save(Preset(name="Mine", settings={"content_weight": 5.0, "style_weight": 7.0}))
    assert terminal.render("--preset=mine", "--set=style_weight=9").code == 0
    assert terminal.recipe().request.settings.content_weight == 5.0
    assert terminal.recipe().request.settings.style_weight == 9.0


def test_an_option_of_its_own_wins_over_set(terminal: Terminal) -> None:
    assert terminal.render("--set=output_size=400", "--set=seed=4", "--seed=5").code == 0
    assert terminal.recipe().request.settings.output_size == 32
    assert terminal.recipe().request.settings.seed == 5


HARDLY = ("--set=optimizer=gradient-descent", "--set=step_size=1e-6", "--set=steps=1")
"""Leaves the canvas as it was at the start."""


def test_a_start_picture_is_what_the_canvas_holds_first(terminal: Terminal) -> None:
    Image.new("RGB", (40, 30), (200, 30, 60)).save("red.png")
    pixels = terminal.made(*HARDLY, "--start=red.png", "--set=start=noise")
    assert difference(pixels, np.full_like(pixels, (200, 30, 60))) < 2
    recipe = terminal.recipe()
    assert recipe.request.settings.start is Start.PICTURE
    assert recipe.request.start is not None
    assert recipe.request.start.name == "red.png"


def test_a_start_of_another_shape_is_cropped_and_said_to_be(terminal: Terminal) -> None:
    Image.new("RGB", (128, 16), (200, 30, 60)).save("wide.png")
    ended = terminal.render("--start=wide.png")
    assert ended.code == 0, ended.err
    assert "Of the picture to start from, the middle 21 × 16 px fit the canvas." in ended.err


def test_none_makes_a_texture_from_the_paintings_colours(terminal: Terminal) -> None:
    Image.new("RGB", (32, 32), (200, 30, 60)).save("red.png")
    pixels = terminal.made(*HARDLY, content="none", style="red.png")
    assert pixels.shape == (32, 32, 3)
    assert difference(pixels, np.full_like(pixels, (200, 30, 60))) < 2
    assert terminal.recipe().request.content is None
    assert not any("content" in term for term in json_terms(terminal))


def json_terms(terminal: Terminal) -> list[str]:
    ended = terminal.render("--json", content="none", output="terms.png")
    return list(json.loads(ended.out)["terms"])


def test_a_texture_takes_the_shape_of_its_start(terminal: Terminal) -> None:
    assert terminal.made("--start=photo.png", content="none").shape == (24, 32, 3)


def test_the_same_seed_gives_the_same_pixels_and_another_seed_others(terminal: Terminal) -> None:
    first, again, other = (
        terminal.made("--set=start=noise", f"--seed={seed}", output=f"{number}.png")
        for number, seed in enumerate((3, 3, 4))
    )
    np.testing.assert_array_equal(first, again)
    assert difference(first, other) > 10


def test_another_network_is_found_in_the_folder_of_networks(terminal: Terminal) -> None:
    layers = layer_names(NetworkName.VGG16)
    tensors = load_file(terminal.network)
    kept = {name: value for name, value in tensors.items() if name.split(".")[0] in layers}
    folder = networks_folder()
    folder.mkdir(parents=True)
    save_file(kept, folder / "vgg16.safetensors")
    words = [word for word in terminal.words("--network=vgg16") if "--weights" not in word]
    assert terminal.type(*words).code == 0
    assert terminal.recipe().request.settings.network is NetworkName.VGG16
    told = terminal.type("weights", "path", "vgg16")
    assert told.out == f"{folder / 'vgg16.safetensors'}\n"


@pytest.fixture
def download(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> list[NetworkName]:
    """Puts the network at hand in place of a download, and takes down which was asked for."""
    asked: list[NetworkName] = []

    def fetch(network: NetworkName, progressed: object, cancelled: object) -> Path:
        asked.append(network)
        return terminal.network

    monkeypatch.setattr("engine.weights.installed.download_weights", fetch)
    return asked


def test_weights_are_downloaded_only_when_asked_for_and_missing(
    terminal: Terminal, download: list[NetworkName]
) -> None:
    words = [word for word in terminal.words() if "--weights" not in word]
    assert "gramarye weights download vgg19" in terminal.refused(*words, "--network=vgg19")
    assert download == []
    assert terminal.type(*words, "--download").code == 0
    assert download == [NetworkName.VGG19]
    assert terminal.render("--download", f"--weights={terminal.network}", "--overwrite").code == 0
    assert download == [NetworkName.VGG19]


def test_without_vgg19_the_draft_network_paints_and_says_so(
    terminal: Terminal, download: list[NetworkName]
) -> None:
    ended = terminal.type(*(word for word in terminal.words() if "--weights" not in word))
    assert ended.code == 0, ended.err
    assert "draft network" in ended.err
    assert download == []
    recipe = terminal.recipe()
    assert recipe.request.settings.network is NetworkName.AUTO
    assert recipe.plan is not None
    assert recipe.plan.network is NetworkName.DRAFT


def test_weights_download_prints_the_file(terminal: Terminal, download: list[NetworkName]) -> None:
    assert terminal.type("weights", "download", "vgg16").out == f"{terminal.network}\n"
    assert download == [NetworkName.VGG16]


def test_imported_weights_are_used_from_then_on(terminal: Terminal) -> None:
    told = terminal.type("weights", "import", str(terminal.network))
    assert told.code == 0, told.err
    assert terminal.type("weights", "path", "vgg19").out == told.out
    assert Path(told.out.strip()).is_file()
    assert terminal.type(*(word for word in terminal.words() if "--weights" not in word)).code == 0


def test_the_device_asked_for_is_used(terminal: Terminal) -> None:
    ended = terminal.render("--device=cpu", "--json")
    assert json.loads(ended.out)["device"].startswith("CPU")
    assert terminal.recipe().request.settings.device == "cpu"


def test_what_was_done_to_a_picture_is_told(terminal: Terminal) -> None:
    Image.new("RGBA", (32, 32), (200, 30, 60, 128)).save("glass.png")
    told = terminal.render(content="glass.png").err
    assert "glass.png: Filled its transparent parts with white." in told.splitlines()


def test_every_layer_can_be_named(terminal: Terminal) -> None:
    layers = ",".join(sorted(ALL_LAYERS))
    ended = terminal.render(f"--set=style_layers={layers}", "--set=steps=1", "--json")
    assert ended.code == 0, ended.err
    assert sum(term.startswith("style ") for term in json.loads(ended.out)["terms"]) == 32


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Mean absolute difference of two pictures, in levels of 255."""
    return float(np.abs(one.astype(float) - other.astype(float)).mean())
