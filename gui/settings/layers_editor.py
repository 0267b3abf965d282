"""Edits which layers of the network a loss looks at, and how much each of them counts."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.spec.choices import NetworkName
from engine.spec.layers import LayerWeight, layer_names
from gui.base.words import plain_label
from gui.settings.parameter_widgets import NumberField

_WIDEST_WEIGHT = 1e9
"""What the field can hold; the settings themselves refuse weights that are too large."""


def layers_by_stage(network: NetworkName, taken: set[str]) -> dict[str, tuple[str, ...]]:
    """The layers of a network that may be added, under the stage ("1" to "5") they belong to."""
    stages: dict[str, tuple[str, ...]] = {}
    for name in layer_names(network):
        if name not in taken:
            stage = name.partition("_")[0][-1]
            stages[stage] = (*stages.get(stage, ()), name)
    return stages


def with_layer(
    layers: tuple[LayerWeight, ...], name: str, network: NetworkName
) -> tuple[LayerWeight, ...]:
    """The layers and one more of weight 1, in the network's order."""
    order = layer_names(network).index
    return tuple(sorted((*layers, LayerWeight(name, 1.0)), key=lambda layer: order(layer.layer)))


class LayersEditor(QWidget):
    """A row per layer with its weight, and a button that adds more.

    `edited` carries all layers as they would be; they are shown once `set_value` confirms them.
    """

    edited = Signal(object)

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._network = NetworkName.VGG19
        self._layers: tuple[LayerWeight, ...] = ()
        self._fields: dict[str, NumberField] = {}
        self._rows = QWidget()
        self._grid = QGridLayout(self._rows)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setColumnStretch(0, 1)
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill_menu)
        self._add = QPushButton("Add layer")
        self._add.setObjectName(f"setting_{name}_add")
        self._add.setMenu(self._menu)
        self.setFocusProxy(self._add)
        foot = QHBoxLayout()
        foot.addWidget(self._add)
        foot.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 0, 0, 0)
        column.addWidget(self._rows)
        column.addLayout(foot)

    def set_network(self, network: NetworkName) -> None:
        """Offer this network's layers from now on."""
        self._network = network

    def set_value(self, layers: tuple[LayerWeight, ...]) -> None:
        """Show these layers without emitting `edited`."""
        self._layers = layers
        if [layer for layer, _ in layers] != list(self._fields):
            self._rebuild()
        for layer, weight in layers:
            self._fields[layer].set_value(weight)

    def _rebuild(self) -> None:
        while item := self._grid.takeAt(0):
            old = item.widget()
            assert old is not None
            old.hide()
            old.setObjectName("")  # the next line of this layer is found under it at once
            old.deleteLater()
        self._fields = {}
        for line, (layer, _) in enumerate(self._layers):
            self._fields[layer] = self._add_line(line, layer)
        self._rows.setVisible(bool(self._layers))

    def _add_line(self, line: int, layer: str) -> NumberField:
        field = NumberField(0.0, _WIDEST_WEIGHT)
        field.setObjectName(f"setting_{self._name}_{layer}")
        field.setAccessibleName(f"Weight of {layer}")
        field.edited.connect(partial(self._weigh, layer))
        label = plain_label(layer)
        label.setBuddy(field)
        remove = QToolButton()
        remove.setObjectName(f"setting_{self._name}_{layer}_remove")
        remove.setText("✕")
        remove.setAutoRaise(True)
        remove.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        remove.setToolTip(f"Remove {layer}")
        remove.setAccessibleName(f"Remove {layer}")
        remove.clicked.connect(lambda: self._remove(layer))
        for column, widget in enumerate((label, field, remove)):
            self._grid.addWidget(widget, line, column)
        return field

    def _fill_menu(self) -> None:
        self._menu.clear()
        taken = {layer for layer, _ in self._layers}
        for stage, names in layers_by_stage(self._network, taken).items():
            submenu = self._menu.addMenu(f"Stage {stage}")
            for name in names:
                submenu.addAction(name, partial(self._include, name))

    def _include(self, name: str) -> None:
        self.edited.emit(with_layer(self._layers, name, self._network))
        if name in self._fields:
            self._fields[name].setFocus(Qt.FocusReason.OtherFocusReason)

    def _weigh(self, name: str, weight: float) -> None:
        self.edited.emit(
            tuple(
                LayerWeight(layer, weight if layer == name else old) for layer, old in self._layers
            )
        )

    def _remove(self, name: str) -> None:
        self._add.setFocus(Qt.FocusReason.OtherFocusReason)
        self.edited.emit(tuple(layer for layer in self._layers if layer.layer != name))
