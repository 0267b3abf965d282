"""The fields, sliders and boxes of single parameters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication

from engine.spec.choices import Device, OptimizerName
from engine.spec.parameters import Kind
from engine.spec.settings import PARAMETER, PARAMETERS
from gui.settings.parameter_widgets import (
    SLIDER_STEPS,
    ChoiceBox,
    ParameterField,
    ParameterSlider,
    arrow_step,
    number_from,
    number_text,
    readable,
    slider_position,
    slider_value,
)

WITH_SLIDER = [row for row in PARAMETERS if row.slider]


@pytest.mark.parametrize("row", WITH_SLIDER, ids=lambda row: row.name)
def test_every_slider_reaches_both_ends_and_rises_in_between(row):
    values = [slider_value(row, position) for position in range(SLIDER_STEPS + 1)]
    assert (values[0], values[-1]) == row.slider
    assert values == sorted(values)
    assert all(row.low <= value <= row.high for value in values)


@given(st.sampled_from(WITH_SLIDER), st.integers(0, SLIDER_STEPS))
def test_a_slider_stays_where_it_was_put(row, position):
    value = slider_value(row, position)
    assert slider_value(row, slider_position(row, value)) == value


def test_a_logarithmic_slider_has_one_in_the_middle_of_a_quarter_and_four():
    assert slider_value(PARAMETER["stroke_size"], SLIDER_STEPS // 2) == 1


def test_values_beyond_a_slider_stand_at_its_ends():
    row = PARAMETER["style_strength"]
    assert slider_position(row, 0.0) == 0
    assert slider_position(row, 1000.0) == SLIDER_STEPS


@given(st.floats(0, 1e6).map(lambda value: round(value, 8)))
def test_what_a_field_writes_it_reads_again(value):
    assert number_from(number_text(value)) == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "number"),
    [("0,5", 0.5), ("1e-5", 1e-5), (" 12 ", 12), ("", None), ("-", None), ("nan", None)],
)
def test_numbers_are_read_as_people_type_them(text, number):
    assert number_from(text) == number


@pytest.mark.parametrize(
    ("name", "value", "step"),
    [("steps", 200, 10), ("learning_rate", 0.02, 0.001), ("smoothness", 0, 0.1), ("seed", 5, 1)],
)
def test_an_arrow_moves_by_a_readable_part(name, value, step):
    assert arrow_step(PARAMETER[name], value) == pytest.approx(step)


@pytest.mark.parametrize("row", [r for r in PARAMETERS if r.kind in (Kind.NUMBER, Kind.INTEGER)])
def test_a_field_takes_the_whole_hard_range(qtbot, row):
    field = ParameterField(row)
    qtbot.addWidget(field)
    for value in (row.low, row.high):
        field.set_value(value)
        assert field.value() == value


def typed(qtbot, field, text):
    field.selectAll()
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)


def test_a_tiny_learning_rate_can_be_typed(qtbot):
    field = ParameterField(PARAMETER["learning_rate"])
    qtbot.addWidget(field)
    field.set_value(0.02)
    with qtbot.waitSignal(field.edited) as edited:
        typed(qtbot, field, "0.00001")
    assert edited.args == [1e-5]
    assert field.text() == "0.00001"


def test_a_comma_is_a_decimal_point(qtbot):
    field = ParameterField(PARAMETER["style_strength"])
    qtbot.addWidget(field)
    typed(qtbot, field, "2,5")
    assert field.text() == "2.5 ×"


def test_a_number_beyond_the_range_becomes_the_nearest_in_it(qtbot):
    field = ParameterField(PARAMETER["output_size"])
    qtbot.addWidget(field)
    typed(qtbot, field, "99999")
    assert field.text() == "16384 px"


def test_an_emptied_field_keeps_its_value(qtbot):
    field = ParameterField(PARAMETER["output_size"])
    qtbot.addWidget(field)
    field.set_value(300)
    field.selectAll()
    qtbot.keyClick(field, Qt.Key.Key_Delete)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert field.text() == "300 px"


def test_letters_do_not_enter_a_number(qtbot):
    field = ParameterField(PARAMETER["output_size"])
    qtbot.addWidget(field)
    typed(qtbot, field, "4q0x0")
    assert field.value() == 400


def test_typing_tells_once_and_at_the_end(qtbot):
    field = ParameterField(PARAMETER["output_size"])
    qtbot.addWidget(field)
    told = []
    field.edited.connect(told.append)
    typed(qtbot, field, "640")
    assert told == [640]
    assert isinstance(told[0], int)


def test_the_up_key_moves_a_field_by_its_step(qtbot):
    field = ParameterField(PARAMETER["steps"])
    qtbot.addWidget(field)
    field.set_value(200)
    qtbot.keyClick(field, Qt.Key.Key_Up)
    assert field.value() == 210


def test_choices_read_like_words(qtbot):
    box = ChoiceBox(PARAMETER["optimizer"])
    qtbot.addWidget(box)
    assert [box.itemText(i) for i in range(box.count())] == ["Adam", "L-BFGS", "Gradient descent"]
    with qtbot.waitSignal(box.edited) as edited:
        box.setCurrentText("L-BFGS")
    assert edited.args == [OptimizerName.LBFGS]


def test_every_choice_has_a_word_of_its_own():
    for row in PARAMETERS:
        words = [readable(choice) for choice in row.choices]
        assert len(set(words)) == len(words)
        assert all(
            word and "-" not in word.removeprefix("VGG-").removeprefix("L-") for word in words
        )


def turn_wheel(widget):
    middle = QPointF(widget.rect().center())
    event = QWheelEvent(
        middle, widget.mapToGlobal(middle), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


@pytest.mark.parametrize(
    ("make", "name"),
    [(ParameterField, "steps"), (ParameterSlider, "steps"), (ChoiceBox, "pooling")],
)
def test_the_wheel_changes_a_value_only_with_focus(qtbot, make, name):
    widget = make(PARAMETER[name])
    qtbot.addWidget(widget)
    if make is ChoiceBox:
        widget.setCurrentIndex(1)
    told = []
    widget.edited.connect(told.append)
    assert not turn_wheel(widget)
    assert told == []
    with qtbot.waitExposed(widget):
        widget.show()
    widget.activateWindow()
    widget.setFocus()
    qtbot.waitUntil(widget.hasFocus)
    turn_wheel(widget)
    assert len(told) == 1


@pytest.fixture
def device_box(qtbot):
    box = ChoiceBox(PARAMETER["device"])
    qtbot.addWidget(box)
    box.offer({Device.AUTO: "Auto", Device.CUDA_1: "The second card"})
    return box


def shown_by(box):
    return [box.itemText(index) for index in range(box.count())]


def test_a_box_offers_what_it_is_told_in_those_words(qtbot, device_box):
    assert shown_by(device_box) == ["Auto", "The second card"]
    with qtbot.waitSignal(device_box.edited) as edited:
        device_box.setCurrentText("The second card")
    assert edited.args == [Device.CUDA_1]


def test_a_value_that_is_not_offered_is_shown_as_it_is_and_can_be_chosen_again(qtbot, device_box):
    told = []
    device_box.edited.connect(told.append)
    device_box.set_value(Device.CUDA_7)
    assert device_box.currentText() == "cuda:7"
    assert told == []
    device_box.setCurrentText("Auto")
    device_box.setCurrentText("cuda:7")
    assert told == [Device.AUTO, Device.CUDA_7]


@pytest.mark.parametrize("value", [Device.CUDA_1, Device.MPS])
def test_other_offers_keep_what_is_shown_and_tell_nothing(qtbot, device_box, value):
    device_box.set_value(value)
    told = []
    device_box.edited.connect(told.append)
    device_box.offer({Device.CUDA_1: "A card", Device.CPU: "CPU"})
    assert device_box.currentText() == {"cuda:1": "A card", "mps": "MPS"}[value]
    assert told == []
    device_box.setCurrentText("CPU")
    assert told == [Device.CPU]
