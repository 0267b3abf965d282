"""The list of layers and their weights."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QToolButton

from engine.spec.choices import NetworkName
from engine.spec.layers import LayerWeight, layer_names
from gui.settings.layers_editor import LayersEditor, layers_by_stage, with_layer
from gui.settings.parameter_widgets import NumberField

TWO = (LayerWeight("relu1_1", 1.0), LayerWeight("relu4_2", 0.5))


@pytest.fixture
def editor(qtbot):
    editor = LayersEditor("style_layers")
    qtbot.addWidget(editor)
    editor.set_value(TWO)
    return editor


def weight_field(editor, layer):
    return editor.findChild(NumberField, f"setting_style_layers_{layer}")


def menu_of(editor):
    menu = editor.findChild(QPushButton, "setting_style_layers_add").menu()
    menu.aboutToShow.emit()
    return {action.text(): action.menu().actions() for action in menu.actions()}


def test_the_menu_offers_every_layer_that_is_not_chosen_yet():
    offered = layers_by_stage(NetworkName.VGG16, {"relu1_1"})
    names = [name for stage in offered.values() for name in stage]
    assert names == [name for name in layer_names(NetworkName.VGG16) if name != "relu1_1"]
    assert offered["5"][0] == "conv5_1"


def test_an_added_layer_stands_in_the_networks_order():
    added = with_layer(TWO, "conv3_1", NetworkName.VGG19)
    assert added == (TWO[0], LayerWeight("conv3_1", 1.0), TWO[1])


def test_each_layer_shows_its_weight(editor):
    assert weight_field(editor, "relu1_1").value() == 1
    assert weight_field(editor, "relu4_2").value() == 0.5


def test_a_new_weight_is_told_with_all_layers(editor, qtbot):
    with qtbot.waitSignal(editor.edited) as edited:
        weight_field(editor, "relu4_2").setValue(2)
    assert edited.args == [(TWO[0], LayerWeight("relu4_2", 2.0))]


def test_removing_a_layer_tells_the_others(editor, qtbot):
    button = editor.findChild(QToolButton, "setting_style_layers_relu1_1_remove")
    with qtbot.waitSignal(editor.edited) as edited:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert edited.args == [(TWO[1],)]


def test_the_menu_adds_a_layer(editor, qtbot):
    action = next(a for a in menu_of(editor)["Stage 2"] if a.text() == "relu2_1")
    with qtbot.waitSignal(editor.edited) as edited:
        action.trigger()
    assert edited.args == [(TWO[0], LayerWeight("relu2_1", 1.0), TWO[1])]


def test_the_menu_follows_the_network(editor):
    editor.set_network(NetworkName.VGG16)
    assert "relu3_4" not in [action.text() for action in menu_of(editor)["Stage 3"]]
    editor.set_network(NetworkName.VGG19)
    assert "relu3_4" in [action.text() for action in menu_of(editor)["Stage 3"]]


def test_weights_shown_from_outside_are_not_told(editor, qtbot):
    with qtbot.assertNotEmitted(editor.edited):
        editor.set_value((LayerWeight("relu1_1", 3.0),))
    assert weight_field(editor, "relu1_1").value() == 3


def test_changing_a_weight_keeps_the_field_it_is_typed_in(editor):
    before = weight_field(editor, "relu1_1")
    editor.set_value((LayerWeight("relu1_1", 3.0), TWO[1]))
    assert weight_field(editor, "relu1_1") is before
