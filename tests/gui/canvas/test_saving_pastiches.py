"""Saving a pastiche: nothing is lost, nothing is written over unasked."""

import os

import numpy as np
from PIL import Image
from scripted import act, strip_text

from engine.storage.images import open_picture
from engine.storage.recipes import read_recipe
from gui.app.actions import Action
from gui.canvas.saving import Existing, Keep


def test_from_two_pictures_to_a_saved_pastiche_that_opens_again(rendered, tmp_path, qtbot):
    assert rendered.window.isWindowModified()
    rendered.dialogs.output = tmp_path / "out.png"
    act(rendered, Action.SAVE)
    qtbot.waitUntil(lambda: not rendered.session.unsaved)
    assert rendered.dialogs.questions == ["photograph_painting_Brushwork_32x24_001.png"]
    pixels = open_picture(tmp_path / "out.png").pixels
    assert np.array_equal(pixels, rendered.session.result.pastiche.pixels)
    assert read_recipe(tmp_path / "out.png").recipe.request.content.name == "photograph.png"
    assert "saved as out.png" in strip_text(rendered)
    assert "Saved out.png" in rendered.window.statusBar().currentMessage()
    assert not rendered.window.isWindowModified()


def test_a_jpeg_is_saved_with_the_quality_asked_for_and_it_is_remembered(rendered, tmp_path, qtbot):
    rendered.dialogs.output, rendered.dialogs.quality = tmp_path / "out.jpg", 60
    act(rendered, Action.SAVE)
    qtbot.waitUntil(lambda: not rendered.session.unsaved)
    assert Image.open(tmp_path / "out.jpg").format == "JPEG"
    assert rendered.memory.now.jpeg_quality == 60


def test_a_save_that_fails_says_so_and_the_pastiche_stays_unsaved(rendered, tmp_path, qtbot):
    (tmp_path / "file").write_text("in the way")
    rendered.dialogs.output = tmp_path / "file" / "out.png"
    act(rendered, Action.SAVE)
    qtbot.waitUntil(lambda: bool(rendered.dialogs.reports))
    assert rendered.session.unsaved
    assert rendered.window.isWindowModified()
    assert "Saved" not in rendered.window.statusBar().currentMessage()


def test_saving_over_a_file_asks_first(rendered, tmp_path, qtbot):
    (tmp_path / "out.png").write_text("precious")
    rendered.dialogs.output = tmp_path / "out.png"
    rendered.dialogs.answers = [None]
    act(rendered, Action.SAVE)
    qtbot.waitUntil(lambda: len(rendered.dialogs.questions) == 2)
    assert "out.png exists already" in rendered.dialogs.questions[1]
    qtbot.waitUntil(lambda: not rendered.tasks._running)
    assert (tmp_path / "out.png").read_text() == "precious"
    assert rendered.session.unsaved
    rendered.dialogs.answers = [Existing.REPLACE]
    act(rendered, Action.SAVE)
    qtbot.waitUntil(lambda: not rendered.session.unsaved)
    assert open_picture(tmp_path / "out.png").size == (32, 24)


def test_a_file_that_appears_after_the_question_is_not_replaced(
    rendered, tmp_path, monkeypatch, qtbot
):
    (tmp_path / "out.png").write_text("precious")
    rendered.dialogs.output = tmp_path / "out.png"
    monkeypatch.setattr(os.path, "lexists", lambda path: False)
    act(rendered, Action.SAVE)
    qtbot.waitUntil(lambda: bool(rendered.dialogs.reports))
    assert (tmp_path / "out.png").read_text() == "precious"
    assert rendered.session.unsaved


def test_rendering_again_asks_about_the_unsaved_pastiche(rendered, engine, qtbot):
    kept = rendered.session.result
    act(rendered, Action.RENDER)
    qtbot.waitUntil(lambda: not rendered.tasks._running)
    assert len(rendered.dialogs.questions) == 1
    assert len(engine.jobs) == 1
    assert rendered.session.result is kept
    rendered.dialogs.answers = [Keep.DROP]
    act(rendered, Action.RENDER)
    qtbot.waitUntil(lambda: rendered.session.result is not kept)
