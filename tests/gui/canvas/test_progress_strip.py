"""The line that says how far a job is."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QProgressBar

from engine.spec.progress import Progress, Stage
from engine.spec.wording import duration_text
from gui.canvas.progress_strip import ProgressStrip, progress_text, speed_text

RUNNING = Progress(
    Stage.RUNNING, step=40, steps=100, scale=2, scales=3, size=(256, 192), remaining=81,
    steps_per_second=3.2,
)  # fmt: skip


@pytest.fixture
def strip(qtbot):
    strip = ProgressStrip()
    qtbot.addWidget(strip)
    return strip


def text_of(strip):
    return strip.findChild(QLabel, "progressText").text()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "a few seconds"),
        (7.4, "a few seconds"),
        (23, "25 s"),
        (57.4, "55 s"),
        (57.6, "1 min"),
        (81, "1 min 20 s"),
        (594, "9 min 50 s"),
        (599, "10 min"),
        (1500, "25 min"),
        (3599, "1 h"),
        (7800, "2 h 10 min"),
        (90000, "25 h"),
    ],
)
def test_durations_are_no_more_exact_than_they_deserve(seconds, text):
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("speed", "text"),
    [(0, ""), (3.21, "3.21 steps/s"), (31.66, "31.7 steps/s"), (0.25, "4.0 s per step")],
)
def test_speed_is_said_in_numbers_above_one(speed, text):
    assert speed_text(speed) == text


def test_a_running_job_is_told_in_one_line():
    assert progress_text(RUNNING) == (
        "Scale 2 of 3 · 256 × 192 px · step 40 of 100 · 3.2 steps/s · about 1 min 20 s left"
    )


def test_what_is_not_known_is_not_said():
    progress = Progress(Stage.RUNNING, step=1, steps=9, scale=1, scales=1, size=(8, 6))
    assert progress_text(progress) == "8 × 6 px · step 1 of 9"


def test_what_has_just_happened_is_said_last():
    progress = Progress(Stage.RUNNING, "Rolled back", 1, 9, 1, 1, (8, 6))
    assert progress_text(progress).endswith(" · Rolled back")


def test_the_bar_covers_all_steps(strip):
    strip.show_progress(RUNNING)
    bar = strip.findChild(QProgressBar)
    assert (bar.minimum(), bar.value(), bar.maximum()) == (0, 40, 100)


def test_preparing_is_busy_and_says_what_it_does(strip):
    strip.show_progress(Progress(Stage.PREPARING, "Loading VGG-19"))
    bar = strip.findChild(QProgressBar)
    assert (bar.minimum(), bar.maximum()) == (0, 0)
    assert text_of(strip) == "Loading VGG-19"


def test_a_paused_job_promises_no_time(strip):
    strip.show_progress(RUNNING)
    strip.show_paused(RUNNING)
    assert text_of(strip) == "Paused at step 40 of 100"
    assert strip.findChild(QProgressBar).value() == 40


def test_idle_shows_no_bar(strip):
    strip.show_progress(RUNNING)
    strip.show_idle("Finished in 20 s")
    assert strip.findChild(QProgressBar).isHidden()
    assert text_of(strip) == "Finished in 20 s"


def test_names_that_look_like_markup_are_shown_as_they_are(strip):
    strip.show_idle("saved as <b>1</b>.png")
    label = strip.findChild(QLabel, "progressText")
    assert label.textFormat() is Qt.TextFormat.PlainText
    assert "&lt;b&gt;1" in label.toolTip()


def test_what_cannot_be_counted_is_busy(strip):
    strip.show_progress(RUNNING)
    strip.show_busy("Stopping…")
    bar = strip.findChild(QProgressBar)
    assert (bar.minimum(), bar.maximum()) == (0, 0)
    assert text_of(strip) == "Stopping…"
