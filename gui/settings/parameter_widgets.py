"""The fields, sliders and boxes that edit one value: calm under the wheel, exact when typed in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QSlider

from engine.spec.parameters import Kind, Parameter
from gui.base.wheel import FocusedWheel

SLIDER_STEPS = 400
DECIMALS = 8

_SPELLED = {
    "vgg19": "VGG-19",
    "vgg16": "VGG-16",
    "draft": "Draft network",
    "lbfgs": "L-BFGS",
    "l2": "L2",
    "cpu": "CPU",
    "cuda": "CUDA",
    "mps": "MPS",
    "float32": "float32",
    "bfloat16": "bfloat16",
    "float16": "float16",
}


def readable(word: StrEnum) -> str:
    """A choice as people write it: `gradient-descent` is "Gradient descent", `vgg19` "VGG-19".

    One with a number, `cuda:1`, is a name already.
    """
    text = word.value
    if ":" in text:
        return text
    return _SPELLED.get(text) or text.replace("-", " ").replace("+", " + ").capitalize()


def number_text(value: float) -> str:
    """A number without exponent and trailing zeros: 0.00001, 0.5, 1000000."""
    return f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")


def number_from(text: str) -> float | None:
    """The number a person typed, with a point or a comma; None where it is none (yet)."""
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def slider_position(row: Parameter, value: float) -> int:
    """Where a value stands on its slider, 0..SLIDER_STEPS; the ends stand for all beyond them."""
    low, high = _slider_range(row)
    value = min(max(value, low), high)
    share = math.log(value / low, high / low) if row.log else (value - low) / (high - low)
    return round(share * SLIDER_STEPS)


def slider_value(row: Parameter, position: int) -> float:
    """The value a slider's position stands for, in as few digits as tell it from the next."""
    low, high = _slider_range(row)
    if position in (0, SLIDER_STEPS):
        return high if position else low
    share = position / SLIDER_STEPS
    exact = low * (high / low) ** share if row.log else low + (high - low) * share
    value = exact
    for digits in range(3, DECIMALS):
        value = min(max(float(f"{exact:.{digits}g}"), low), high)
        if slider_position(row, value) == position:
            break
    return round(value) if row.kind is Kind.INTEGER else value


def arrow_step(row: Parameter, value: float) -> float:
    """What one press of an arrow key adds: a tenth to a hundredth of the value or of the range."""
    if row.slider is None:
        return 1.0
    low, high = row.slider
    step = decimal_step(max(value, low)) if row.log else decimal_step((high - low) / 5)
    return max(step, 1.0) if row.kind is Kind.INTEGER else step


def decimal_step(value: float) -> float:
    """One in the second digit of a value: 10 for 250, 0.1 for 1, 0.001 for 0.02."""
    return 10.0 ** (math.floor(math.log10(value)) - 1)


def _slider_range(row: Parameter) -> tuple[float, float]:
    assert row.slider is not None, f"{row.name} has no slider"
    return row.slider


class NumberField(FocusedWheel, QDoubleSpinBox):
    """A number with its unit; `edited` carries it once typing is done or an arrow is pressed.

    Takes a point or a comma, and exponents; a number beyond the range becomes the nearest in it.
    """

    edited = Signal(object)

    def __init__(self, low: float, high: float, unit: str = "", *, whole: bool = False) -> None:
        super().__init__()
        self._whole = whole
        self.setDecimals(0 if whole else DECIMALS)
        self.setRange(low, high)
        self.setSuffix(f" {unit}" if unit else "")
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.valueChanged.connect(self._tell)

    def set_value(self, value: float) -> None:
        """Show a value without emitting `edited`; typing that has not ended is left alone."""
        if value != self.value():
            with QSignalBlocker(self):
                self.setValue(value)

    def step_at(self, value: float) -> float:
        """How far an arrow moves from a value."""
        return decimal_step(max(value, 1.0))

    def _tell(self, value: float) -> None:
        self.edited.emit(round(value) if self._whole else value)

    def _number(self, text: str) -> float | None:
        return number_from(text.removesuffix(self.suffix()))

    def stepBy(self, steps: int) -> None:
        """Move by readable steps, finer for smaller numbers."""
        self.setValue(round(self.value() + steps * self.step_at(self.value()), DECIMALS))

    def textFromValue(self, value: float) -> str:
        """Write as few digits as the value needs."""
        return number_text(value)

    def valueFromText(self, text: str) -> float:
        """Read what `validate` has accepted."""
        return self._number(text) or 0.0

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Accept numbers in the range and let everything be typed that may become one."""
        number = self._number(text)
        if number is not None and self.minimum() <= number <= self.maximum():
            state = QValidator.State.Acceptable
        elif set(text.removesuffix(self.suffix())) <= set("0123456789.,eE+- "):
            state = QValidator.State.Intermediate
        else:
            state = QValidator.State.Invalid
        return state, text, position

    def fixup(self, text: str) -> str:
        """Take the nearest number in the range."""
        number = self._number(text)
        if number is None:
            return text
        return self.textFromValue(min(max(number, self.minimum()), self.maximum())) + self.suffix()


class ParameterField(NumberField):
    """The number of one parameter, over its whole hard range."""

    def __init__(self, row: Parameter) -> None:
        assert row.low is not None
        assert row.high is not None
        super().__init__(row.low, row.high, row.unit, whole=row.kind is Kind.INTEGER)
        self._row = row

    def step_at(self, value: float) -> float:
        """How far an arrow moves from a value: a readable part of it, or of the slider's range."""
        return arrow_step(self._row, value)


class ParameterSlider(FocusedWheel, QSlider):
    """The sensible range of one parameter, in ratios where the declaration says so."""

    edited = Signal(object)

    def __init__(self, row: Parameter) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._row = row
        self.setRange(0, SLIDER_STEPS)
        self.setSingleStep(SLIDER_STEPS // 100)
        self.setPageStep(SLIDER_STEPS // 10)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.valueChanged.connect(lambda position: self.edited.emit(slider_value(row, position)))

    def set_value(self, value: float) -> None:
        """Show a value without emitting `edited`; a handle that stands for it already stays put."""
        if slider_value(self._row, self.value()) != value:
            with QSignalBlocker(self):
                self.setValue(slider_position(self._row, value))


class ChoiceBox(FocusedWheel, QComboBox):
    """One of a parameter's few words; a value is shown and kept whether it is offered or not."""

    edited = Signal(object)

    def __init__(self, row: Parameter) -> None:
        super().__init__()
        self._choices: list[StrEnum] = []
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._fill({choice: readable(choice) for choice in row.choices})
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.currentIndexChanged.connect(lambda index: self.edited.emit(self._choices[index]))

    def offer(self, words: Mapping[StrEnum, str]) -> None:
        """Offer these choices in these words, without emitting `edited`."""
        shown = self._choices[self.currentIndex()]
        with QSignalBlocker(self):
            self.clear()
            self._choices.clear()
            self._fill(words)
        self.set_value(shown)

    def set_value(self, value: StrEnum) -> None:
        """Show a choice without emitting `edited`."""
        with QSignalBlocker(self):
            if value not in self._choices:
                self._fill({value: readable(value)})
            self.setCurrentIndex(self._choices.index(value))

    def _fill(self, words: Mapping[StrEnum, str]) -> None:
        self._choices += words
        self.addItems(list(words.values()))
