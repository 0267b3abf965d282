"""Bad pictures, settings, networks and places: a result, or one sentence and nothing changed."""

from __future__ import annotations

import os
import pickle
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from terminal import Terminal, paint

import main
from engine.cli import render
from engine.storage.preset_store import PresetStore

EMPTY, TEXT = b"", b"Dear diary, " * 100


def png_header(width: int, height: int) -> bytes:
    """The beginning of a PNG that claims a size and holds nothing."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 9) + b"IDAT" + bytes(13)


def truncated(folder: Path, suffix: str) -> bytes:
    data = paint(folder / f"whole{suffix}", seed=4, size=(64, 48)).read_bytes()
    return data[: len(data) * 2 // 3]


UNUSABLE: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "empty.jpg": (lambda _: EMPTY, "empty.jpg is empty."),
    "text.jpg": (lambda _: TEXT, "text.jpg is not a picture Gramarye can open."),
    "half.jpg": (lambda folder: truncated(folder, ".jpg"), "half.jpg is damaged or incomplete"),
    "half.png": (lambda folder: truncated(folder, ".png"), "half.png is damaged or incomplete"),
    "half.webp": (lambda folder: truncated(folder, ".webp"), "half.webp is"),
    "bomb.png": (
        lambda _: png_header(100_000, 100_000),
        "bomb.png is too large: 100000 × 100000 pixels.",
    ),
}


@pytest.mark.parametrize("role", ["content", "style", "start"])
@pytest.mark.parametrize("name", UNUSABLE)
def test_a_file_that_is_no_picture_is_refused_by_name(
    terminal: Terminal, name: str, role: str
) -> None:
    make, words = UNUSABLE[name]
    (terminal.folder / name).write_bytes(make(terminal.folder))
    assert words in terminal.refused(*typed_as(terminal, role, name))


@pytest.mark.parametrize("role", ["content", "style", "start"])
def test_a_missing_file_a_folder_and_an_impossible_name_are_refused(
    terminal: Terminal, role: str
) -> None:
    (terminal.folder / "album").mkdir()
    for name, words in {
        "gone.jpg": "There is no file gone.jpg.",
        "gone/photo.jpg": "There is no file photo.jpg.",
        "album": "album is a folder. Choose a picture inside it.",
        "photo.png/x.jpg": "x.jpg",
        "x" * 300 + ".jpg": "File name too long",
    }.items():
        assert words in terminal.refused(*typed_as(terminal, role, name))


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything"
)
def test_a_file_that_may_not_be_read_is_refused(terminal: Terminal) -> None:
    (terminal.folder / "photo.png").chmod(0)
    ended = terminal.render()
    assert ended.code == 2
    assert "photo.png may not be read" in ended.err


def typed_as(terminal: Terminal, role: str, name: str) -> list[str]:
    if role == "start":
        return terminal.words(f"--start={name}")
    return terminal.words(**{role: name})


def sixteen_bit(path: Path) -> None:
    ramp = np.linspace(0, 65535, 40 * 30).astype(np.uint16).reshape(30, 40)
    Image.fromarray(ramp).save(path)


def converted(mode: str) -> Callable[[Path], None]:
    def save(path: Path) -> None:
        paint(path.with_name("colour.png"), seed=5, size=(40, 30))
        with Image.open(path.with_name("colour.png")) as image:
            image.convert(mode).save(path)

    return save


ODD: dict[str, Callable[[Path], object]] = {
    "grey.jpg": converted("L"),
    "black and white.png": converted("1"),
    "palette.gif": converted("P"),
    "ink.jpg": converted("CMYK"),
    "alpha.png": converted("RGBA"),
    "sixteen.png": sixteen_bit,
    "sixteen.tif": sixteen_bit,
    "really a png.jpg": lambda path: shutil.copy(path.with_name("photo.png"), path),
    "Größe 夜 😀 'quoted' $HOME.png": converted("RGB"),
    "x" * 246 + ".png": converted("RGB"),
}


@pytest.mark.parametrize("name", ODD, ids=lambda name: name[:20].encode("ascii", "replace"))
def test_an_odd_picture_works_in_every_role(terminal: Terminal, name: str) -> None:
    ODD[name](terminal.folder / name)
    assert terminal.made(content=name).shape == (24, 32, 3)
    assert terminal.recipe().request.content.name == name
    for role in ("style", "start"):
        ended = terminal.type(*typed_as(terminal, role, name), "--overwrite")
        assert ended.code == 0, ended.err


@pytest.mark.parametrize(
    "name", ["Größe 夜 😀.png", "y" * 246 + ".png", "y" * 250 + ".jpg", "-dash.png"]
)
def test_a_result_is_saved_under_an_odd_name(terminal: Terminal, name: str) -> None:
    assert terminal.made(output=name).shape == (24, 32, 3)


def test_a_result_is_kept_elsewhere_even_under_the_longest_name(
    terminal: Terminal, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuge = tmp_path_factory.mktemp("refuge")
    monkeypatch.setattr("tempfile.tempdir", str(refuge))
    name = "y" * 250 + ".jpg"
    monkeypatch.setattr(render, "check_place", lambda *_, **__: Path(name).mkdir())
    assert terminal.render("--overwrite", output=name).code == 2
    assert len(list(refuge.iterdir())) == 1


def test_a_picture_of_one_pixel_works_in_every_role(terminal: Terminal) -> None:
    Image.new("RGB", (1, 1), "teal").save("dot.png")
    for role in ("content", "style", "start"):
        ended = terminal.type(*typed_as(terminal, role, "dot.png"), "--overwrite")
        assert ended.code == 0, ended.err


def test_a_picture_too_thin_for_the_network_is_refused_by_name(terminal: Terminal) -> None:
    for size, thin in (((1, 4000), "1 × 32 px"), ((4000, 1), "32 × 1 px")):
        Image.new("RGB", size, "teal").save("line.png")
        for role, name in (("content", "The canvas for line.png"), ("style", "line.png")):
            told = terminal.refused(*terminal.words("--quiet", **{role: "line.png"}))
            assert f"{name} would be {thin}" in told


BAD_SETTINGS = {
    "steps": "--set steps has no value",
    "stepps=3": "There is no setting 'stepps'. Perhaps you mean steps",
    "=3": "There is no setting ''",
    "steps=": "The setting steps cannot be ''. Give a whole number from 1 to 100000.",
    "steps=many": "The setting steps cannot be 'many'",
    "steps=1.5": "The setting steps cannot be '1.5'",
    "steps=0": "Give a whole number from 1 to 100000.",
    "steps=" + "9" * 5000: "The setting steps cannot be",
    "content_weight=nan": "The setting content_weight cannot be nan",
    "content_weight=inf": "The setting content_weight cannot be inf",
    "content_weight=-1": "The setting content_weight cannot be -1",
    "content_weight=1e9": "The setting content_weight cannot be 1000000000",
    "coarsest_size=15": "The setting coarsest_size cannot be 15",
    "seed=-1": "The setting seed cannot be -1",
    "pooling=maximum": "The setting pooling cannot be 'maximum'. Choose one of max, average, l2.",
    "optimizer=": "Choose one of adam, lbfgs, gradient-descent.",
    "start=picture": "There is no picture to start from. Give one with --start FILE.",
    "style_layers=relu9_9": "there is no layer 'relu9_9'",
    "style_layers=29": "there is no layer '29'",
    "style_layers=": "There is no style layer (style_layers)",
    "style_layers=relu1_1:x": "layers are written as relu1_1:1",
    "style_layers=relu1_1:nan": "a layer's weight lies between",
    "style_layers=relu1_1:-1": "a layer's weight lies between",
    "style_layers=relu1_1,relu1_1": "a layer is named twice",
    "content_layers=pool1": "there is no layer 'pool1'",
}


@pytest.mark.parametrize("typed", BAD_SETTINGS, ids=lambda typed: typed[:30])
def test_a_bad_setting_is_refused_by_name(terminal: Terminal, typed: str) -> None:
    assert BAD_SETTINGS[typed] in terminal.refused(*terminal.words("--set", typed))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--size=huge"], "The setting output_size cannot be 'huge'"),
        (["--size=1000000"], "The setting output_size cannot be 1000000"),
        (["--seed=x"], "The setting seed cannot be 'x'"),
        (["--network=vgg11"], "argument --network: invalid choice: 'vgg11'"),
        (["--device=tpu"], "argument --device: invalid choice: 'tpu'"),
        (["--quality=0"], "argument --quality: give a number from 1 to 100, not '0'"),
        (["--quality=101"], "argument --quality: give a number from 1 to 100"),
        (["--quality=high"], "argument --quality: give a number from 1 to 100"),
        (["--stroke=3"], "unrecognized arguments: --stroke=3"),
        (["--preset=Nobody's"], "There is no preset named Nobody's. The presets are: Brushwork"),
        (["--preset="], "There is no preset named"),
        (["--network=vgg16", "--set=style_layers=relu5_4"], "vgg16 has no layer relu5_4"),
    ],
)
def test_a_bad_option_is_refused(terminal: Terminal, words: list[str], said: str) -> None:
    assert said in terminal.refused(*terminal.words(*words))


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ([], "CONTENT, --style, --output"),
        (["photo.png"], "--style, --output"),
        (["photo.png", "--style=style.png"], "--output"),
        (["--style=style.png", "--output=out.png"], "CONTENT"),
    ],
)
def test_what_was_left_out_is_named(terminal: Terminal, words: list[str], missing: str) -> None:
    told = terminal.refused("render", *words)
    assert told.endswith(f"required: {missing}")


def test_an_unknown_command_is_bad_usage(terminal: Terminal) -> None:
    assert terminal.type("render me", "--please").code == 2
    assert terminal.type("weights", "paint").code == 2
    assert terminal.type("weights").code == 2


@pytest.mark.parametrize(
    ("style", "said"),
    [
        ("style.png:much", "The weight of style.png cannot be 'much'. Give a number"),
        ("style.png:", "The weight of style.png cannot be ''"),
        ("style.png:0,5", "The weight of style.png cannot be '0,5'"),
        ("style.png:nan", "A style's weight must be a number from 0 to 1000000."),
        ("style.png:inf", "A style's weight must be a number from 0 to 1000000."),
        ("style.png:-1", "A style's weight must be a number from 0 to 1000000."),
        ("style.png:0", "All style weights are 0."),
        ("gone.png:0.5", "There is no file gone.png."),
        ("gone:x.png", "There is no file gone:x.png."),
        ("x" * 300 + ":2", "File name too long"),
        ("", "is a folder"),
    ],
)
def test_a_bad_style_is_refused(terminal: Terminal, style: str, said: str) -> None:
    assert said in terminal.refused(*terminal.words(style=style))


def test_a_texture_cannot_start_from_the_photograph(terminal: Terminal) -> None:
    told = terminal.refused(*terminal.words("--set=start=mix", content="none"))
    assert "Without a content image there is nothing to start from." in told


BAD_PLACES = {
    "gone/out.png": "There is no folder gone.",
    "photo.png/out.png": "There is no folder photo.png.",
    "album.png": "album.png is a folder.",
    "out": "cannot tell from the name out which format to save in. End the name in one of .png",
    "out.gif": "cannot tell from the name out.gif which format",
    ".png": "cannot tell from the name",
    "": "cannot tell from the name",
    "x" * 300 + ".png": "The name is too long for this disk.",
    "style.png": "style.png exists already. Choose another name, or replace it with --overwrite.",
    "dangling.png": "dangling.png exists already.",
}


@pytest.mark.parametrize("output", BAD_PLACES, ids=lambda output: output[:20])
def test_a_bad_place_is_refused_before_any_work(
    terminal: Terminal, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (terminal.folder / "album.png").mkdir()
    (terminal.folder / "dangling.png").symlink_to("nowhere")
    monkeypatch.setattr(render, "open_picture", lambda path: pytest.fail("began to work"))
    assert BAD_PLACES[output] in terminal.refused(*terminal.words(output=output))


def test_an_unwritable_folder_is_refused_before_any_work(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    (terminal.folder / "museum").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # a chmod does not stop root
    monkeypatch.setattr(render, "open_picture", lambda path: pytest.fail("began to work"))
    told = terminal.refused(*terminal.words(output="museum/out.png"))
    assert "Nothing may be written to museum. Change its permissions" in told


def test_overwrite_does_not_write_over_a_folder(terminal: Terminal) -> None:
    (terminal.folder / "album.png").mkdir()
    told = terminal.refused(*terminal.words("--overwrite", output="album.png"))
    assert "album.png is a folder." in told


LINKS = {
    "circle.png": "circle.png is a link that leads in a circle. Remove it, or save elsewhere.",
    "away.png": "and there is no such folder. Create it, or save elsewhere.",
    "shelf.png": "shelf.png is a folder.",
    "zero.png": "zero.png is a device. Give the file a name of its own.",
}


@pytest.mark.parametrize("output", LINKS)
def test_a_link_to_no_place_for_a_file_is_refused_before_any_work(
    terminal: Terminal, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (terminal.folder / "album").mkdir()
    for name, place in (
        ("circle.png", "circle.png"), ("away.png", "gone/real.png"), ("shelf.png", "album"),
        ("zero.png", os.devnull),
    ):  # fmt: skip
        (terminal.folder / name).symlink_to(place)
    monkeypatch.setattr(render, "open_picture", lambda path: pytest.fail("began to work"))
    assert LINKS[output] in terminal.refused(*terminal.words("--overwrite", output=output))


class _Spring:
    """Unpickled, it would leave a file behind."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self._file,)


def save_trap(path: Path, _: Terminal) -> None:
    torch.save({"features.0.weight": _Spring(path.with_name("sprung"))}, path)


def save_old_trap(path: Path, _: Terminal) -> None:
    path.write_bytes(pickle.dumps(_Spring(path.with_name("sprung"))))


def save_without_a_layer(path: Path, terminal: Terminal) -> None:
    tensors = load_file(terminal.network)
    save_file({name: value for name, value in tensors.items() if "conv3_2" not in name}, path)


def save_half(path: Path, terminal: Terminal) -> None:
    path.write_bytes(terminal.network.read_bytes()[:1_000_000])


def save_nested(path: Path, _: Terminal) -> None:
    nested = torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)])
    torch.save({"features.0.weight": nested}, path)


BAD_NETWORKS: dict[str, tuple[Callable[[Path, Terminal], object], str]] = {
    "trap.pth": (save_trap, "trap.pth was refused: it holds code"),
    "old.pth": (save_old_trap, "old.pth was refused: it holds code"),
    "gap.safetensors": (save_without_a_layer, "the layer conv3_2 is missing"),
    "half.safetensors": (save_half, "half.safetensors is damaged or incomplete."),
    "text.pth": (lambda path, _: path.write_bytes(TEXT), "text.pth is not a file of network"),
    "empty.pth": (lambda path, _: path.write_bytes(EMPTY), "empty.pth is empty."),
    "photo.pth": (
        lambda path, _: shutil.copy(path.with_name("photo.png"), path),
        "photo.pth is not a file of network weights.",
    ),
    "folder.pth": (lambda path, _: path.mkdir(), "folder.pth is a folder."),
    "pipe.pth": (lambda path, _: os.mkfifo(path), "pipe.pth is a pipe."),
    "/dev/null": (lambda path, _: None, "null is a device."),
    "nested.pth": (save_nested, "is not VGG-19: the weight of conv1_1 does not hold ordinary"),
    "gone.pth": (lambda path, _: None, "There is no file gone.pth."),
}


@pytest.mark.filterwarnings("ignore::UserWarning")  # torch speaks to developers
@pytest.mark.parametrize("name", BAD_NETWORKS)
def test_a_bad_network_is_refused_and_no_code_in_it_runs(terminal: Terminal, name: str) -> None:
    make, said = BAD_NETWORKS[name]
    make(terminal.folder / name, terminal)
    assert said in terminal.refused(*terminal.words(f"--weights={name}", "--quiet"))
    assert not (terminal.folder / "sprung").exists()


def test_a_bad_network_is_not_imported(terminal: Terminal) -> None:
    for name in ("trap.pth", "gap.safetensors", "text.pth", "gone.pth", "pipe.pth", "nested.pth"):
        BAD_NETWORKS[name][0](terminal.folder / name, terminal)
        terminal.refused("weights", "import", name)
    told = terminal.refused("weights", "path", "vgg19")
    assert "VGG-19 are not on this machine yet" in told


def test_vgg_16_with_a_file_of_vgg_19_names_the_layer(terminal: Terminal) -> None:
    told = terminal.refused(*terminal.words("--network=vgg16", "--quiet"))
    assert "vgg19.safetensors is not VGG-16: it also has a layer conv3_4." in told
    told = terminal.refused("weights", "import", str(terminal.network), "--network=vgg16")
    assert "vgg19.safetensors is not VGG-16: it also has a layer conv3_4." in told


@pytest.mark.parametrize(
    "content",
    [
        EMPTY,
        TEXT,
        b"[" * 100_000,
        b'{"name": "Mine", "settings": {"content_weight": NaN}}',
        b"\xff\xfe\x00",
    ],
)
def test_a_corrupt_preset_does_not_keep_the_others_from_being_used(
    terminal: Terminal, content: bytes
) -> None:
    folder = Path(PresetStore()._folder)
    folder.mkdir(parents=True)
    (folder / "mine.json").write_bytes(content)
    told = terminal.type("render", "--list-presets")
    assert told.code == 0
    assert "Brushwork" in told.out
    assert "There is no preset named Mine." in terminal.refused(*terminal.words("--preset=Mine"))
    kept = [path.read_bytes() for path in folder.iterdir()]
    assert kept == [content]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
@pytest.mark.parametrize("words", [["--list-presets"], ["photo.png", "--preset=Mine"]])
def test_a_pipe_among_the_presets_holds_no_command_up(terminal: Terminal, words: list[str]) -> None:
    folder = Path(PresetStore()._folder)
    folder.mkdir(parents=True)
    os.mkfifo(folder / "mine.json")
    command = [sys.executable, main.__file__, "render", *words]
    if words[0] == "photo.png":
        command += ["--style=style.png", "--output=out.png"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, cwd=terminal.folder
    )
    if words[0] == "photo.png":
        assert done.returncode == 2
        assert "There is no preset named Mine." in done.stderr
        assert "mine.json cannot be read: this is a pipe." in done.stderr
        assert len(done.stderr.splitlines()) == 1
    else:
        assert done.returncode == 0, done.stderr
        assert "Brushwork" in done.stdout
    assert (folder / "mine.json").is_fifo()
