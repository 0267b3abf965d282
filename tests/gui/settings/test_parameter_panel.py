"""The panel of all settings."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QLabel, QSlider, QToolButton, QWidget

from engine.spec.choices import NetworkName, OptimizerName, Start
from engine.spec.parameters import Group, Kind
from engine.spec.settings import DEFAULTS, PARAMETERS
from gui.settings.parameter_panel import ParameterPanel
from gui.settings.parameter_row import ParameterRow, facts_of, tooltip_of


@pytest.fixture
def panel(qtbot):
    panel = ParameterPanel()
    qtbot.addWidget(panel)
    return panel


@pytest.fixture
def told(panel):
    told = []
    panel.changed.connect(told.append)
    return told


def setting(panel, name, kind=QWidget):
    return panel.findChild(kind, f"setting_{name}")


def reset_of(panel, name):
    return panel.findChild(QToolButton, f"setting_{name}_reset")


def refusal_of(panel, name):
    label = panel.findChild(QLabel, f"setting_{name}_refusal")
    return "" if label.isHidden() else label.text()


@pytest.mark.parametrize("row", PARAMETERS, ids=lambda row: row.name)
def test_every_setting_has_a_named_and_explained_control(panel, row):
    control = setting(panel, row.name)
    assert control.accessibleName() == row.label
    assert any(label.buddy() is control for label in panel.findChildren(QLabel))
    assert row.help.split(":")[0].split("'")[0] in control.toolTip()
    assert (panel.findChild(QSlider, f"setting_{row.name}_slider") is not None) == bool(row.slider)
    assert reset_of(panel, row.name) is not None


def test_the_panel_shows_the_defaults_first(panel):
    assert panel.settings() == DEFAULTS
    for row in PARAMETERS:
        if row.kind in (Kind.NUMBER, Kind.INTEGER):
            assert setting(panel, row.name).value() == row.default


def test_plain_words_stand_open_and_terms_behind_advanced(panel, qtbot):
    with qtbot.waitExposed(panel):
        panel.show()
    shown = {row.row.name for row in panel.findChildren(ParameterRow) if row.isVisible()}
    assert shown == {row.name for row in PARAMETERS if row.group is Group.BASIC}
    qtbot.mouseClick(panel.findChild(QToolButton, "advancedButton"), Qt.MouseButton.LeftButton)
    assert all(row.isVisible() for row in panel.findChildren(ParameterRow))


def test_typing_a_number_tells_the_whole_settings(panel, told, qtbot):
    field = setting(panel, "output_size", QAbstractSpinBox)
    field.selectAll()
    qtbot.keyClicks(field, "640")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert told == [DEFAULTS.changed(output_size=640)]


def test_moving_a_slider_moves_the_field(panel, told):
    slider = panel.findChild(QSlider, "setting_stroke_size_slider")
    slider.setValue(slider.maximum())
    assert setting(panel, "stroke_size").value() == 4
    assert told == [DEFAULTS.changed(stroke_size=4.0)]


def test_a_field_may_go_beyond_its_slider(panel, told):
    setting(panel, "style_strength").setValue(500)
    slider = panel.findChild(QSlider, "setting_style_strength_slider")
    assert slider.value() == slider.maximum()
    assert told == [DEFAULTS.changed(style_strength=500.0)]


def test_slider_places_of_the_same_value_are_told_once(panel, told):
    slider = panel.findChild(QSlider, "setting_lbfgs_history_slider")
    panel.set_settings(DEFAULTS.changed(optimizer=OptimizerName.LBFGS))
    for position in range(slider.minimum(), slider.maximum() + 1):
        slider.setValue(position)
    numbers = [settings.lbfgs_history for settings in told]
    assert numbers == list(range(2, 101))


def test_choosing_a_word_tells_it(panel, told):
    setting(panel, "start", QComboBox).setCurrentText("Style noise")
    assert told == [DEFAULTS.changed(start=Start.STYLE_NOISE)]


def test_typing_survives_settings_that_arrive_meanwhile(panel, qtbot):
    field = setting(panel, "output_size", QAbstractSpinBox)
    field.selectAll()
    qtbot.keyClicks(field, "64")
    panel.set_settings(DEFAULTS.changed(steps=33))
    panel.set_running(False)
    qtbot.keyClicks(field, "0")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert panel.settings() == DEFAULTS.changed(steps=33, output_size=640)


def test_settings_from_outside_are_shown_and_not_told(panel, told):
    settings = DEFAULTS.changed(
        steps=33, pooling="l2", content_layers="relu3_1:2", style_weight=7.25
    )
    panel.set_settings(settings)
    assert told == []
    assert panel.settings() == settings
    assert setting(panel, "steps").value() == 33
    assert setting(panel, "pooling").currentText() == "L2"
    assert setting(panel, "content_layers_relu3_1").value() == 2


def test_a_value_finer_than_its_field_survives_edits_elsewhere(panel, told):
    panel.set_settings(DEFAULTS.changed(content_weight=1 / 3))
    setting(panel, "steps").setValue(50)
    assert told[-1].content_weight == 1 / 3


def test_reset_is_offered_only_when_there_is_something_to_reset(panel, told, qtbot):
    reset = reset_of(panel, "smoothness")
    assert not reset.isEnabled()
    setting(panel, "smoothness").setValue(3)
    assert reset.isEnabled()
    reset.click()
    assert panel.settings() == DEFAULTS
    assert not reset.isEnabled()
    assert len(told) == 2


def test_a_running_job_locks_what_it_cannot_take_over(panel, told):
    panel.set_running(True)
    for row in PARAMETERS:
        assert setting(panel, row.name).isEnabled() == (row.live and row.matters(DEFAULTS))
    assert "Needs a new render." in setting(panel, "output_size").toolTip()
    assert "Takes effect while rendering." in setting(panel, "style_strength").toolTip()
    panel.set_running(False)
    assert setting(panel, "output_size").isEnabled()
    assert told == []


def test_locked_settings_cannot_be_reset(panel):
    panel.set_settings(DEFAULTS.changed(steps=33))
    panel.set_running(True)
    assert not reset_of(panel, "steps").isEnabled()


def test_settings_without_effect_are_greyed(panel):
    assert setting(panel, "learning_rate").isEnabled()
    assert not setting(panel, "step_size").isEnabled()
    setting(panel, "optimizer", QComboBox).setCurrentText("Gradient descent")
    assert not setting(panel, "learning_rate").isEnabled()
    assert setting(panel, "step_size").isEnabled()
    assert "Only matters for Optimiser: Gradient descent." in setting(panel, "step_size").toolTip()


def test_a_network_without_a_chosen_layer_is_refused_visibly(panel, told):
    panel.set_settings(DEFAULTS.changed(content_layers="relu5_4:1"))
    setting(panel, "network", QComboBox).setCurrentText("VGG-16")
    assert told == []
    assert panel.settings().network is NetworkName.AUTO
    assert setting(panel, "network", QComboBox).currentText() == "Auto"
    assert "vgg16 has no layer relu5_4" in refusal_of(panel, "network")
    setting(panel, "steps").setValue(50)
    assert refusal_of(panel, "network") == ""


def test_the_last_style_layer_cannot_be_removed_silently(panel, told):
    panel.set_settings(DEFAULTS.changed(style_layers="relu1_1:1"))
    panel.findChild(QToolButton, "setting_style_layers_relu1_1_remove").click()
    assert told == []
    assert setting(panel, "style_layers_relu1_1") is not None
    assert refusal_of(panel, "style_layers")


def test_a_layers_weight_is_told(panel, told):
    setting(panel, "style_layers_relu3_1").setValue(0.25)
    assert dict(told[0].style_layers)["relu3_1"] == 0.25


def test_a_weight_that_is_too_large_is_refused_visibly(panel, told):
    setting(panel, "style_layers_relu3_1").setValue(1e8)
    assert told == []
    assert setting(panel, "style_layers_relu3_1").value() == 1
    assert "weight" in refusal_of(panel, "style_layers")


def test_everything_is_reached_by_tab(panel, qtbot):
    panel.show_advanced(True)
    with qtbot.waitExposed(panel):
        panel.show()
    panel.activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    reached, seen = [], None
    setting(panel, PARAMETERS[0].name).setFocus()
    while (seen := panel.focusWidget()).objectName() not in reached:
        reached.append(seen.objectName())
        qtbot.keyClick(seen, Qt.Key.Key_Tab)
    for row in PARAMETERS:
        wanted = f"setting_{row.name}" + "_add" * (row.kind is Kind.LAYERS)
        assert (wanted in reached) == row.matters(DEFAULTS)


def test_the_tooltip_names_range_and_term():
    row = next(row for row in PARAMETERS if row.name == "output_size")
    assert facts_of(row) == ("16 to 16384 px.", "Needs a new render.")
    assert row.term in tooltip_of(row)


def test_dragging_a_slider_keeps_the_handle_under_the_mouse(panel, qtbot):
    with qtbot.waitExposed(panel):
        panel.show()
    slider = panel.findChild(QSlider, "setting_steps_slider")
    slider.setSliderDown(True)
    for position in range(100, 300, 7):
        slider.setSliderPosition(position)
        assert slider.sliderPosition() == position
