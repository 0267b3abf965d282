"""Whatever names and values are made of, a person is told one line that can be shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from terminal import Ended, Terminal

from engine.storage.embedding import png_chunks
from engine.storage.preset_store import PresetStore

HOSTILE = {
    "long": "x" * 5000,
    "colour": "\x1b[31mred\x1b[0m",
    "C1": "\x9b31mred",
    "turned": "gpj.\u202egnp",
    "isolated": "\u2066apart",
    "lines": "two\nlines\r\nor three\u2028four",
    "tags": "<b>bold</b>",
    "markup": "[/x][bold]",
    "zero": "a\0b",
    "half": "half \ud800",
    "bytes": "caf\udce9",
    "ampersand": "A & B",
    "all": ("\x1b[2J\n\u202e\ud800<h1>&[/x] " * 400),
}
"""What names and values may be made of."""

TYPED: dict[str, Callable[[str], list[str]]] = {
    "a setting without a value": lambda text: ["--set", text],
    "a setting's name": lambda text: ["--set", f"{text}=3"],
    "a number": lambda text: ["--set", f"steps={text}"],
    "a choice": lambda text: ["--set", f"pooling={text}"],
    "a tile": lambda text: ["--set", f"tile={text}"],
    "a layer": lambda text: ["--set", f"style_layers={text}"],
    "a layer's weight": lambda text: ["--set", f"style_layers=relu1_1:{text}"],
    "a size": lambda text: [f"--size={text}"],
    "a seed": lambda text: [f"--seed={text}"],
    "a preset": lambda text: [f"--preset={text}"],
    "a network": lambda text: [f"--network={text}"],
    "a device": lambda text: [f"--device={text}"],
    "a style's weight": lambda text: [f"--style=style.png:{text}"],
    "a painting": lambda text: [f"--style={text}"],
    "a start": lambda text: [f"--start={text}"],
    "an option": lambda text: [f"--{text}"],
    "another word": lambda text: ["photo.png", text],
}
"""What `render` and `plan` take alike."""

RENDERED: dict[str, Callable[[str], list[str]]] = {
    "a quality": lambda text: [f"--quality={text}"],
    "weights": lambda text: [f"--weights={text}"],
    "an output": lambda text: [f"--output={text}"],
    "an output's folder": lambda text: [f"--output={text}/out.png"],
}
"""What only `render` takes."""

COMMANDS: dict[str, Callable[[str], list[str]]] = {
    "a photograph": lambda text: ["render", text, "--style=style.png", "--output=out.png"],
    "a recipe": lambda text: ["render", f"--recipe={text}"],
    "a photograph to plan": lambda text: ["plan", text],
    "a picture": lambda text: ["recipe", text],
    "weights to import": lambda text: ["weights", "import", text],
    "weights to find": lambda text: ["weights", "path", text],
    "weights to do something with": lambda text: ["weights", text],
    "a device to tell of": lambda text: ["devices", text],
}
COMMANDS |= {
    f"{what} to plan with": lambda text, make=make: ["plan", "photo.png", *make(text)]
    for what, make in TYPED.items()
}
COMMANDS |= {
    what: lambda text, make=make: [
        "render", "photo.png", "--style=style.png", "--output=out.png", *make(text)
    ]
    for what, make in (TYPED | RENDERED).items()
}  # fmt: skip


def sentence(ended: Ended) -> str:
    """What is said of bad input: one line, below the usage where that was bad."""
    assert ended.code == 2, ended
    assert ended.err.endswith("\n")
    lines = ended.err[:-1].split("\n")
    assert len(lines) == 1 or lines[0].startswith("usage: "), ended.err
    assert all(line.isprintable() for line in lines), ended.err
    assert lines[-1].startswith("gramarye")
    assert len(lines[-1]) < 500
    return lines[-1]


@pytest.mark.parametrize("command", COMMANDS)
def test_what_was_typed_is_answered_in_one_line(terminal: Terminal, command: str) -> None:
    for text in HOSTILE.values():
        answered_in_one_line(terminal, COMMANDS[command](text))


def answered_in_one_line(terminal: Terminal, words: list[str]) -> None:
    told = sentence(terminal.type(*words))
    if words[0] in ("render", "plan", "recipe"):
        ended = terminal.type(*words, "--json")
        assert sentence(ended) == told
        assert ended.out.count("\n") == 1
        said = json.loads(ended.out)["error"]
        assert told in (
            f"gramarye: {said}",
            f"gramarye {words[0]}: error: {said.partition(': ')[2]}",
        )


@pytest.fixture
def odd(terminal: Terminal) -> Path:
    """A file of an odd name that holds nothing of use."""
    path = terminal.folder / "odd \x1b[31m\n\u202e<b>[x]&\u2066.png"
    try:
        path.write_bytes(b"nothing of use")
    except (OSError, ValueError):
        pytest.skip("this disk takes no such names")
    return path


@pytest.mark.parametrize(
    "words",
    [
        ["render", "{}", "--style=style.png", "--output=out.png"],
        ["render", "photo.png", "--style={}", "--output=out.png"],
        ["render", "photo.png", "--style={}:much", "--output=out.png"],
        ["render", "photo.png", "--style=style.png", "--start={}", "--output=out.png"],
        ["render", "photo.png", "--style=style.png", "--output={}"],
        ["render", "photo.png", "--style=style.png", "--output=out.png", "--weights={}",
         "--network=vgg19", "--quiet"],
        ["render", "--recipe={}"],
        ["recipe", "{}"],
        ["weights", "import", "{}"],
    ],
)  # fmt: skip
def test_a_file_of_an_odd_name_is_told_of_in_one_line(
    terminal: Terminal, odd: Path, words: list[str]
) -> None:
    told = sentence(terminal.type(*(word.replace("{}", odd.name) for word in words)))
    assert "odd [31m <b>[x]&.png" in told


def test_a_picture_of_an_odd_name_is_painted_and_said_to_be_saved_in_lines_that_can_be_shown(
    terminal: Terminal, odd: Path
) -> None:
    Image.new("RGBA", (40, 30)).save(odd)  # transparent, of which there is a note
    ended = terminal.render(content=odd.name, output=f"out {odd.name}")
    assert ended.code == 0
    assert all(line.isprintable() for line in ended.err.split("\n"))
    assert "odd [31m <b>[x]&.png: " in ended.err
    assert "Saved out odd [31m <b>[x]&.png" in ended.err
    told = terminal.type("recipe", f"out {odd.name}")
    assert "Content:  odd [31m <b>[x]&.png\n" in told.out


def with_recipe(terminal: Terminal, change: Callable[[dict[str, object]], None]) -> str:
    """A picture whose recipe has been tampered with."""
    assert terminal.render("--quiet").code == 0
    values = terminal.recipe().to_values()
    change(values)
    Image.new("RGB", (32, 24)).save("tampered.png", pnginfo=png_chunks(json.dumps(values)))
    return "tampered.png"


@pytest.mark.parametrize("text", ["long", "lines", "half", "all"])
def test_names_in_a_recipe_are_told_in_lines_that_can_be_shown(
    terminal: Terminal, text: str
) -> None:
    hostile = HOSTILE[text]

    def rename(values: dict[str, object]) -> None:
        request = values["request"]
        for picture in (request["content"], *request["styles"]):  # type: ignore[index,misc]
            picture["name"] = hostile[:1000].replace("/", " ")
            picture["sha256"] = "0" * 64
        request["settings"][hostile] = 3  # type: ignore[index]
        request["settings"]["style_layers"] = {hostile: 1}  # type: ignore[index]
        values["preset"] = hostile[:80]

    picture = with_recipe(terminal, rename)
    sentence(terminal.type("render", f"--recipe={picture}", "--output=again.png", "--exact"))
    ended = terminal.type("render", f"--recipe={picture}", "--output=again.png", "--quiet")
    sentence(ended)
    told = terminal.type("recipe", picture)
    if told.code:
        sentence(told)
    assert all(line.isprintable() for line in told.out.split("\n"))


@pytest.mark.parametrize("text", ["long", "colour", "half", "all"])
@pytest.mark.parametrize("place", ["name", "description", "setting", "key", "layer", "value"])
def test_what_stands_in_a_presets_file_is_told_in_one_line(
    terminal: Terminal, place: str, text: str
) -> None:
    hostile = HOSTILE[text]
    values: dict[str, object] = {"name": "Mine", "settings": {"steps": 3}}
    match place:
        case "setting":
            values["settings"] = {hostile: 3}
        case "key":
            values[hostile] = 3
        case "layer":
            values["settings"] = {"style_layers": {hostile: 1}}
        case "value":
            values["settings"] = {"steps": hostile}
        case _:
            values[place] = hostile
    folder = Path(PresetStore()._folder)
    folder.mkdir(parents=True)
    (folder / "mine.json").write_text(json.dumps(values), encoding="ascii")
    sentence(terminal.type(*terminal.words("--preset=Nobody's")))
    ended = terminal.type("plan", "photo.png", "--preset=Mine")
    assert all(line.isprintable() for line in ended.err.split("\n"))
    assert all(
        line.isprintable() for line in terminal.type("render", "--list-presets").out.split("\n")
    )
