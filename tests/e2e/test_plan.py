"""What `plan` foretells, and what it refuses."""

from __future__ import annotations

import json

import pytest
from PIL import Image
from terminal import Terminal

from engine.run.device_memory import memory_available

KEYS = {
    "size", "bytes", "available", "fits", "seconds", "tile", "remembered", "largest_size", "device",
    "network",
}  # fmt: skip


def told(terminal: Terminal, *words: str, content: str = "photo.png") -> dict[str, object]:
    """The JSON of a plan for VGG-19, whose weights are nowhere."""
    ended = terminal.type("plan", content, "--network=vgg19", "--json", *words)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.count("\n") == 1
    plan: dict[str, object] = json.loads(ended.out)
    return plan


def test_a_plan_is_one_object_and_leaves_nothing_behind(terminal: Terminal) -> None:
    before = terminal.everything()
    plan = told(terminal, "--size=256")
    assert plan.keys() == KEYS
    assert plan["size"] == "256x192"
    assert plan["fits"] is True
    assert 0 < plan["bytes"] < plan["available"]
    assert plan["seconds"] > 0
    assert plan["largest_size"] > 256
    assert plan["device"].startswith("CPU")
    assert plan["network"] == "vgg19"
    assert terminal.everything() == before


def test_a_plan_in_words_says_the_same(terminal: Terminal) -> None:
    plan = told(terminal, "--size=256", "--set=tile=64")
    ended = terminal.type("plan", "photo.png", "--network=vgg19", "--size=256", "--set=tile=64")
    assert (ended.code, ended.err) == (0, "")
    for words in ("256 × 192 px, it fits", f"{plan['bytes'] / 1e9:.1f} GB", "tiles of 64 px"):
        assert words in ended.out
    assert str(plan["device"]) in ended.out


def test_more_pixels_more_steps_and_more_history_take_more(terminal: Terminal) -> None:
    usual = "--set=canvas=pixels", "--set=steps=150"
    plain = told(terminal, "--size=256", *usual)
    larger = told(terminal, "--size=1024", *usual)
    longer = told(terminal, "--size=256", usual[0], "--set=steps=1500")
    lbfgs = "--set=optimizer=lbfgs", "--set=lbfgs_history=50"
    remembering = told(terminal, "--size=256", *usual, *lbfgs)
    assert larger["bytes"] > plain["bytes"]
    assert larger["seconds"] > 2 * plain["seconds"]
    assert longer["seconds"] == pytest.approx(10 * plain["seconds"], rel=0.01)
    assert remembering["bytes"] == plain["bytes"] + 2 * 50 * 12 * 256 * 192


def test_a_preset_and_a_painting_count(terminal: Terminal) -> None:
    Image.new("RGB", (8, 64), "teal").save("narrow.png")
    square = told(terminal, "--size=512", "--set=tile=none", "--style=style.png")
    narrow = told(terminal, "--size=512", "--set=tile=none", "--style=narrow.png")
    assumed = told(terminal, "--size=512", "--set=tile=none")
    assert narrow["bytes"] <= assumed["bytes"] <= square["bytes"]
    texture = told(terminal, "--preset=Texture", "--style=style.png", content="none")
    assert texture["size"] == "512x512"


def test_auto_plans_for_the_network_that_would_be_used(terminal: Terminal) -> None:
    ended = terminal.type("plan", "photo.png", "--json")
    draft = json.loads(ended.out)
    assert draft["network"] == "draft"
    assert draft["bytes"] < told(terminal)["bytes"]
    assert terminal.type("weights", "import", str(terminal.network)).code == 0
    assert json.loads(terminal.type("plan", "photo.png", "--json").out)["network"] == "vgg19"


def test_tiles_are_taken_as_asked_for(terminal: Terminal) -> None:
    assert told(terminal, "--set=tile=none")["tile"] is None
    assert told(terminal, "--set=tile=48")["tile"] == 48


def test_what_cannot_fit_is_planned_and_said(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.run.device_memory.memory_available", lambda _device: 700_000_000)
    plan = told(terminal, "--size=16384")
    assert plan["fits"] is False
    assert plan["bytes"] > plan["available"] == 700_000_000
    assert 16 < plan["largest_size"] < 16384
    assert told(terminal, f"--size={plan['largest_size']}")["fits"] is True
    ended = terminal.type("plan", "photo.png", "--network=vgg19", "--size=16384")
    assert ended.code == 0
    assert "it does not fit" in ended.out
    assert f"{plan['largest_size']} px would fit" in ended.out


def test_what_is_available_is_what_the_machine_has_free(terminal: Terminal) -> None:
    import torch

    free = memory_available(torch.device("cpu"))
    assert told(terminal, "--device=cpu")["available"] == pytest.approx(free, rel=0.2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["gone.png"], "There is no file gone.png."),
        (["photo.png", "--style=gone.png"], "There is no file gone.png."),
        (["photo.png", "--set=tile=7"], "The setting tile cannot be '7'"),
        (["photo.png", "--set=steps"], "--set steps has no value"),
        (["photo.png", "--size=huge"], "The setting output_size cannot be 'huge'"),
        (["photo.png", "--preset=Nobody's"], "There is no preset named Nobody's."),
        (["photo.png", "--device=tpu"], "argument --device: invalid choice: 'tpu'"),
        (["photo.png", "--output=out.png"], "unrecognized arguments: --output=out.png"),
        (["none"], "There is no style image. Add at least one painting."),
        ([], "required: CONTENT"),
    ],
)
def test_bad_input_is_refused_as_render_refuses_it(
    terminal: Terminal, words: list[str], said: str
) -> None:
    assert said in terminal.refused("plan", *words)


def test_json_of_a_failure_says_what_stderr_says(terminal: Terminal) -> None:
    ended = terminal.type("plan", "gone.png", "--json")
    assert ended.code == 2
    failure = json.loads(ended.out)
    assert ended.err == f"gramarye: {failure['error']}\n"
    assert failure["exit_code"] == 2


def test_help_of_plan_fits_a_terminal_and_names_its_options(terminal: Terminal) -> None:
    ended = terminal.type("plan", "--help")
    assert (ended.code, ended.err) == (0, "")
    assert max(map(len, ended.out.splitlines())) <= 80
    for option in ("--style", "--size", "--set", "--preset", "--network", "--device", "--json"):
        assert f"\n  {option}" in ended.out


@pytest.mark.parametrize("command", ["plan", "render", "devices"])
def test_where_the_engine_cannot_be_loaded_that_is_said_before_it_is_tried(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr("engine.plan.loading.memory_available", lambda: 200_000_000)
    words = {"plan": ["plan", "photo.png"], "render": terminal.words(), "devices": ["devices"]}
    ended = terminal.type(*words[command])
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("gramarye: The engine needs about 0.3 GB of memory before it")
    assert len(ended.err.splitlines()) == 1
