"""How fast this machine is, measured in a moment, for plans that say how long a job will take."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

import torch
from torch import Tensor

from engine.network.convolutions import Arithmetic
from engine.network.costs import NetworkCosts
from engine.network.networks import Network
from engine.network.random_weights import random_weights
from engine.objective.styles import style_of
from engine.objective.terms.protocol import Encoder
from engine.plan.machine import Speed
from engine.spec.choices import NetworkName, StyleLoss
from engine.spec.layers import channels_of
from engine.spec.settings import DEFAULTS, Settings
from engine.spec.tiles import WHOLE, Box

_LAYER = "relu4_1"
"""How far into the network the trial goes."""

_SIZE, _SIZE_ON_AN_ACCELERATOR = (256, 192), (1024, 1024)
"""Of the trial's picture: half a second on a CPU; where kernels wait to be started, they are fewer
than what they compute."""

_TRIALS, _TRIALS_ON_AN_ACCELERATOR = 2, 6
"""Runs, of which the fastest counts; the first also pays for warming up, and on an accelerator the
next for clocks that rise."""


def measure_speed(settings: Settings, arithmetic: Arithmetic) -> Speed:
    """How fast these settings are evaluated here; about a second when asked the first time."""
    layers = frozenset(layer for layer, _ in settings.style_layers)
    return Speed(
        _operations_per_second(settings.network, arithmetic),
        _style_loss_seconds(settings.style_loss, settings.network, layers, arithmetic),
    )


@functools.cache
def _operations_per_second(name: NetworkName, arithmetic: Arithmetic) -> float:
    """Floating-point operations in a second of a walk through the network and back."""
    network = Network(name, random_weights(name, [_LAYER]), [_LAYER], arithmetic)
    on_cpu = arithmetic.device.type == "cpu"
    width, height = _SIZE if on_cpu else _SIZE_ON_AN_ACCELERATOR
    image = torch.rand(1, 3, height, width).to(arithmetic.device)

    def evaluate() -> None:
        tape = network.forward(image, lambda *_: None)
        network.vjp(tape, _add_features)

    settings = DEFAULTS.changed(
        network=name, style_layers=_LAYER, content_layers=_LAYER, matched_weight=0.0
    )
    costs = NetworkCosts.of(settings, arithmetic.dtype.itemsize, winograd=arithmetic.winograd)
    return costs.operations((height, width), WHOLE) / _seconds(evaluate, arithmetic.device)


@functools.cache
def _style_loss_seconds(
    loss: StyleLoss, network: NetworkName, layers: frozenset[str], arithmetic: Arithmetic
) -> float:
    """Seconds that the style terms take to close, whatever the picture's size."""
    generator = torch.Generator().manual_seed(0)
    style, where = style_of(loss, products=arithmetic.products), Box(0, 0, 32, 32)
    looked = []
    for layer in sorted(layers):
        features = torch.rand(1, channels_of(layer, network), 32, 32, generator=generator)
        features = features.to(arithmetic.device)

        def show(encoder: Encoder, layer: str = layer, features: Tensor = features) -> None:
            encoder.look(layer, features, where)

        painting = style.measure(show, [layer], {})[layer]
        term = style.term(layer, [painting], [1.0], 1.0, None)
        looked.append((term, features))

    def close() -> None:
        for term, features in looked:
            term.close(term.look(features, where), 1.0)

    return _seconds(close, arithmetic.device)


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    """The fastest of several runs, each until the device has finished."""
    on_cpu = device.type == "cpu"
    taken = []
    for _ in range(_TRIALS if on_cpu else _TRIALS_ON_AN_ACCELERATOR):
        began = time.perf_counter()
        work()
        if not on_cpu:
            torch.accelerator.synchronize(device)
        taken.append(time.perf_counter() - began)
    return min(taken)


def _add_features(_layer: str, features: Tensor, gradient: Tensor, _where: Box) -> None:
    gradient.add_(features)
