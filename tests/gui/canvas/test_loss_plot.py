"""The loss curves."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QLabel

from engine.spec.progress import Progress, Stage, Term
from gui.canvas.loss_plot import (
    CURVE_LIMIT,
    LossPlot,
    legend_text,
    positive_or_gap,
    term_colours,
    thinned,
    warm_import,
)


@pytest.fixture
def plot(qtbot):
    warm_import()
    plot = LossPlot()
    qtbot.addWidget(plot)
    return plot


def progress(step, scale=1, **terms):
    parts = tuple(Term(name.replace("_", " ", 1), value) for name, value in terms.items())
    total = sum(part.value for part in parts)
    return Progress(
        Stage.RUNNING, step=step, steps=99, scale=scale, scales=2, terms=parts, total=total
    )


def drawn_curves(plot):
    from pyqtgraph import PlotDataItem, PlotWidget

    found = plot.findChild(PlotWidget)
    items = found.listDataItems() if found else []
    return [item for item in items if isinstance(item, PlotDataItem)]


def boundaries(plot):
    from pyqtgraph import InfiniteLine, PlotWidget

    items = plot.findChild(PlotWidget).getPlotItem().items
    return [item.value() for item in items if isinstance(item, InfiniteLine)]


def legend_of(plot):
    return next(label.text() for label in plot.findChildren(QLabel) if "Total" in label.text())


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=300, unique=True), st.integers(2, 50))
def test_thinning_keeps_both_ends_and_invents_nothing(steps, limit):
    steps = np.array(sorted(steps), float)
    kept, values = thinned(steps, steps * 2, limit)
    assert len(kept) <= max(limit, 2)
    assert kept[0] == steps[0]
    assert kept[-1] == steps[-1]
    assert set(kept) <= set(steps)
    assert (values == kept * 2).all()


def test_thinning_is_even_along_the_steps():
    steps = np.concatenate([np.arange(0, 1000.0, 10), np.arange(1000.0, 2000)])
    kept, _ = thinned(steps, steps, 101)
    assert np.diff(kept).max() <= 30
    assert np.diff(kept).min() >= 10


def test_a_logarithm_shows_positive_numbers_only():
    values = positive_or_gap(np.array([1.0, 0.0, -1.0, np.nan, np.inf, 1e-30]))
    assert np.isnan(values).tolist() == [False, True, True, True, True, False]


@pytest.mark.parametrize("dark", [False, True])
def test_curves_are_told_apart_even_when_there_are_many(dark):
    looks = term_colours(dark, 18)
    assert len(set(looks)) == 18
    ground = 0.12 if dark else 1.0
    assert all(abs(luminance(colour) - ground) > 0.25 for colour, _ in looks)


def luminance(colour):
    colour = QColor(colour)
    return 0.2126 * colour.redF() + 0.7152 * colour.greenF() + 0.0722 * colour.blueF()


def test_the_legend_speaks_plain_words():
    text = legend_text({"style relu1_1": ("#123456", Qt.PenStyle.SolidLine)})
    assert "Style&nbsp;relu1_1" in text
    assert "#123456" in text


def test_each_term_and_the_total_get_a_curve(plot, qtbot):
    for step in range(1, 9):
        plot.add(progress(step, content_relu4_2=2 / step, style_relu1_1=1 / step))
    qtbot.waitUntil(lambda: len(drawn_curves(plot)) == 3)
    total, content, style = drawn_curves(plot)
    assert total.getOriginalDataset()[1] == pytest.approx([3 / step for step in range(1, 9)])
    assert content.getOriginalDataset()[0].tolist() == list(range(1, 9))
    assert style.getOriginalDataset()[1][0] == 1
    assert "Content&nbsp;relu4_2" in legend_of(plot)


def test_zeros_and_broken_numbers_leave_gaps(plot, qtbot):
    for step, value in enumerate((1.0, 0.0, float("nan"), float("inf"), 2.0), start=1):
        plot.add(progress(step, smoothness=value, content=0.0))
    qtbot.waitUntil(lambda: len(drawn_curves(plot)) == 3)
    plot.grab()
    smoothness = drawn_curves(plot)[1].getOriginalDataset()[1]
    assert np.isfinite(smoothness).tolist() == [True, False, False, False, True]


def test_a_term_that_joins_later_gets_its_curve(plot, qtbot):
    plot.add(progress(1, content_relu4_2=1.0))
    qtbot.waitUntil(lambda: len(drawn_curves(plot)) == 2)
    plot.add(progress(2, content_relu4_2=1.0, smoothness=0.1))
    qtbot.waitUntil(lambda: len(drawn_curves(plot)) == 3)
    assert "Smoothness" in legend_of(plot)


def test_a_new_scale_is_marked_where_it_begins(plot, qtbot):
    for step in range(1, 9):
        plot.add(progress(step, scale=1 if step < 5 else 2, content_relu4_2=1.0))
    qtbot.waitUntil(lambda: bool(drawn_curves(plot)))
    assert boundaries(plot) == [5]


def test_preparing_draws_nothing(plot):
    plot.add(Progress(Stage.PREPARING, "Loading"))
    assert not plot.findChild(QTimer).isActive(), "something is about to be drawn"
    assert drawn_curves(plot) == []


def test_clearing_brings_the_empty_words_back(plot, qtbot):
    words = next(label for label in plot.findChildren(QLabel) if "appear here" in label.text())
    assert words.isVisibleTo(plot)
    plot.add(progress(1, content_relu4_2=1.0))
    qtbot.waitUntil(lambda: not words.isVisibleTo(plot))
    plot.clear()
    assert words.isVisibleTo(plot)
    plot.add(progress(1, content_relu4_2=1.0))
    qtbot.waitUntil(lambda: len(drawn_curves(plot)) == 2)


def test_a_long_job_stays_small(plot, qtbot):
    for step in range(10 * CURVE_LIMIT):
        plot.add(progress(step, content_relu4_2=1.0 + step))
    qtbot.waitUntil(lambda: bool(drawn_curves(plot)))
    steps = drawn_curves(plot)[0].getOriginalDataset()[0]
    assert len(steps) <= 2 * CURVE_LIMIT
    assert (steps[0], steps[-1]) == (0, 10 * CURVE_LIMIT - 1)


def test_curves_follow_light_and_dark(plot, qtbot):
    plot.add(progress(1, content_relu4_2=1.0))
    qtbot.waitUntil(lambda: bool(drawn_curves(plot)))
    light = drawn_curves(plot)[1].opts["pen"].color()
    palette = QPalette(plot.palette())
    palette.setColor(QPalette.ColorRole.Text, QColor("#eeeeee"))
    palette.setColor(QPalette.ColorRole.Base, QColor("#202020"))
    plot.setPalette(palette)
    assert drawn_curves(plot)[0].opts["pen"].color() == QColor("#eeeeee")
    assert drawn_curves(plot)[1].opts["pen"].color() != light


def test_the_plotting_library_is_not_loaded_with_the_window():
    code = "import gui.canvas.loss_plot, sys; sys.exit('pyqtgraph' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
