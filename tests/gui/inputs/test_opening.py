import threading

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from scripted import save_noise

import gui.inputs.opening
from engine.spec.errors import Cancelled, InputError
from engine.storage import decoder, images
from engine.storage.decoder import Decoder
from engine.storage.images import open_picture, open_whole
from engine.storage.places import Places
from gui.inputs.opening import Role
from gui.inputs.samples import SAMPLE_PAIRS


@pytest.fixture
def slow(tmp_path, monkeypatch):
    """A picture that takes until `slow.may_end` is set to be decoded."""
    path = save_noise(tmp_path / "slow.png", 3)
    begun, may_end = threading.Event(), threading.Event()

    def wait(way):
        def opened(file, stop):
            if file == path:
                begun.set()
                may_end.wait(5)
            return way(file)

        return opened

    for way in (open_picture, open_whole):
        monkeypatch.setattr(gui.inputs.opening, way.__name__, wait(way))
    yield path, begun, may_end
    may_end.set()


@pytest.fixture
def hanging(monkeypatch):
    """Has pictures that are called `sleep` never come out of their decoder."""
    monkeypatch.setattr(decoder, "_MODULE", "hostile_helpers")
    hanging = Decoder()
    monkeypatch.setattr(images, "DECODER", hanging)
    return lambda: hanging._turn.locked()


def test_a_picture_that_never_comes_gives_way_to_the_next(
    shell, tmp_path, hanging, loop, finish, qtbot
):
    late = loop.create_task(shell.opening.open_one(Role.CONTENT, tmp_path / "sleep.png"))
    qtbot.waitUntil(hanging)
    finish(shell.opening.remove_content())
    qtbot.waitUntil(late.done)
    assert isinstance(late.exception(), Cancelled)
    assert not hanging()


def test_a_picture_that_never_comes_does_not_hold_up_leaving(
    shell, tmp_path, hanging, finish, qtbot
):
    shell.tasks.start(shell.opening.open_one, Role.STYLE, tmp_path / "sleep.png")
    qtbot.waitUntil(hanging)
    finish(shell.leaving.close())
    assert not hanging()


@pytest.mark.parametrize("role", [Role.CONTENT, Role.START])
def test_of_two_pictures_the_one_asked_for_last_wins(
    shell, slow, photograph, role, loop, finish, qtbot
):
    path, begun, may_end = slow
    late = loop.create_task(shell.opening.open_one(role, path))
    qtbot.waitUntil(begun.is_set)
    finish(shell.opening.open_one(role, photograph))
    may_end.set()
    qtbot.waitUntil(late.done)
    used = shell.session.content if role is Role.CONTENT else shell.session.start
    assert used.name == "photograph.png"
    assert not any("slow" in file for file in shell.memory.now.contents)


def test_a_photograph_removed_while_another_is_read_stays_away(shell, slow, loop, finish, qtbot):
    path, begun, may_end = slow
    late = loop.create_task(shell.opening.open_one(Role.CONTENT, path))
    qtbot.waitUntil(begun.is_set)
    finish(shell.opening.remove_content())
    may_end.set()
    qtbot.waitUntil(late.done)
    assert shell.session.content is None


def test_a_slow_painting_does_not_lose_to_a_quick_one(shell, slow, painting, loop, finish, qtbot):
    path, begun, may_end = slow
    late = loop.create_task(shell.opening.open_one(Role.STYLE, path))
    qtbot.waitUntil(begun.is_set)
    finish(shell.opening.open_one(Role.STYLE, painting))
    may_end.set()
    qtbot.waitUntil(late.done)
    names = [style.picture.name for style in shell.session.styles]
    assert names == ["painting.png", "slow.png"]


def test_a_photograph_is_read_once_and_is_the_same_as_any_opened_picture(
    shell, photograph, finish, monkeypatch
):
    read, reads = Decoder.picture, []

    def note(decoder, source, *rest):
        reads.append(source)
        return read(decoder, source, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(Decoder, "picture", note)
        finish(shell.opening.open_one(Role.CONTENT, photograph))
    assert reads.count(photograph) == 1
    used, expected = shell.session.content, open_picture(photograph)
    assert (used.path, used.sha256, used.name) == (photograph, expected.sha256, "photograph.png")
    assert np.array_equal(used.pixels, expected.pixels)


def test_a_missing_or_damaged_photograph_is_told_once(shell, tmp_path, finish):
    notices = []
    shell.opening.noticed.connect(notices.append)
    (tmp_path / "damaged.png").write_bytes(b"no picture")
    for name in ("missing.png", "damaged.png"):
        with pytest.raises(InputError, match=name):
            finish(shell.opening.open_one(Role.CONTENT, tmp_path / name))
    assert notices == []


def test_a_photograph_with_a_damaged_recipe_is_opened_and_said(shell, tmp_path, finish):
    notices = []
    shell.opening.noticed.connect(notices.append)
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("gramarye", "{")
    Image.new("RGB", (32, 24)).save(tmp_path / "own.png", pnginfo=texts)
    finish(shell.opening.open_one(Role.CONTENT, tmp_path / "own.png"))
    assert shell.session.content.name == "own.png"
    assert len(notices) == 1
    assert "recipe in own.png" in notices[0]


def test_pictures_opened_in_the_window_are_found_again_for_recipes_that_name_them(
    shell, finish, photograph, painting
):
    finish(shell.opening.open_one(Role.CONTENT, photograph))
    finish(shell.opening.open_one(Role.STYLE, painting))
    for picture in (shell.session.content, shell.session.styles[0].picture):
        assert Places().find(picture.sha256) == picture.path
    finish(shell.opening.open_sample(SAMPLE_PAIRS[0]))
    assert Places().find(shell.session.content.sha256) == SAMPLE_PAIRS[0].photograph
