"""A job kept in one file: a job that goes on from there makes the picture it would have made.

On the same machine it is that bit for bit.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from engine.run.optimizers import descent_from, fits
from engine.run.state import Snapshot, State
from engine.spec.computing import Computing
from engine.spec.earlier_settings import with_former_retunes
from engine.spec.errors import InputError
from engine.spec.events import EVENTS
from engine.spec.layers import MeasuredLayers, matched_size
from engine.spec.pictures import Size
from engine.spec.plan import Plan
from engine.spec.request import Request
from engine.spec.tiles import Tiling
from engine.spec.versions import Migration, migrated, numbered
from engine.storage.ordinary import ordinary_file
from engine.storage.paths import replacing, unreadable


def _retunes_as_meant(values: dict[str, Any]) -> dict[str, Any]:
    """Format 1 -> 2: what a retune changed of the style strength of its day is said as it was."""
    return with_former_retunes(values, "events", "script")


_CHAIN: Final[tuple[Migration, ...]] = (_retunes_as_meant,)
"""From each format of a saved job to the next."""

_RANDOM, _MATCHES, _HEADER = "random", "matches", "gramarye"


@dataclass(frozen=True)
class _Numbers:
    """The part of a state that is no tensor, as it is written down."""

    scale: int
    step: int
    steps: int
    evaluations: int
    rollbacks: int
    seconds: float
    tiling: Tiling
    measured: MeasuredLayers
    averaged: int | None = field(default=None)
    computing: Computing | None = field(default=None)
    matched: int = 0


_NUMBERS = TypeAdapter(_Numbers)


def save_snapshot(snapshot: Snapshot, path: Path) -> None:
    """Write a job down as one file: tensors, and the rest as JSON in their header.

    Raises:
        InputError: The place cannot be written to; what was there is still there.
    """
    state = snapshot.state
    tensors = {_RANDOM: state.random}
    if state.descent is not None:
        tensors |= state.descent.tensors()
    if state.matches is not None:
        tensors[_MATCHES] = state.matches
    words = {
        "request": snapshot.request.to_values(),
        "plan": snapshot.plan.to_values(),
        "events": EVENTS.dump_python(snapshot.events, mode="json"),
        "script": EVENTS.dump_python(snapshot.script, mode="json"),
        "state": _NUMBERS.dump_python(_numbers(state), mode="json"),
    }
    on_host = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with replacing(path) as temporary:
        temporary.write_bytes(save(on_host, {_HEADER: json.dumps(numbered(words, _CHAIN))}))


def load_snapshot(path: Path) -> Snapshot:
    """Read a job back, its tensors on the host; nothing in the file is trusted.

    Raises:
        InputError: It cannot be read, is damaged, or was written by a newer version.
    """
    try:
        # A pipe in its place would keep safetensors waiting.
        with ordinary_file(path), safe_open(path, "pt") as file:
            words = json.loads((file.metadata() or {})[_HEADER])
            # Copies lie in memory as a running job's do, on which the order of sums may depend.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise unreadable(path, error) from error
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(path) from error
    if not isinstance(words, dict):
        raise _damaged(path)
    what = f"The saved job {path.name}"
    values = migrated(words, _CHAIN, what)
    try:
        snapshot = _snapshot(values, tensors, what)
    except (ValidationError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path) from error
    if not _fits(snapshot):
        raise _damaged(path)
    return snapshot


def _numbers(state: State) -> _Numbers:
    return _Numbers(
        state.scale,
        state.step,
        state.steps,
        state.evaluations,
        state.rollbacks,
        state.seconds,
        state.tiling,
        state.measured,
        None if state.descent is None else state.descent.averaged,
        state.computing,
        state.matched,
    )


def _snapshot(values: dict[str, Any], tensors: dict[str, Tensor], what: str) -> Snapshot:
    numbers = _NUMBERS.validate_json(json.dumps(values["state"]), strict=True)
    descent = None if numbers.averaged is None else descent_from(tensors, numbers.averaged)
    plan = Plan.from_values(values["plan"], what)
    state = State(
        numbers.scale,
        numbers.step,
        numbers.steps,
        numbers.evaluations,
        numbers.rollbacks,
        numbers.seconds,
        numbers.computing or plan.computing,
        numbers.tiling,
        numbers.measured,
        tensors[_RANDOM],
        descent,
        tensors.get(_MATCHES),
        numbers.matched,
    )
    return Snapshot(
        Request.from_values(values["request"], what),
        plan,
        state,
        EVENTS.validate_json(json.dumps(values["events"]), strict=True),
        EVENTS.validate_json(json.dumps(values["script"]), strict=True),
    )


def _fits(snapshot: Snapshot) -> bool:
    """Whether the tensors are what the numbers say."""
    state, scales = snapshot.state, snapshot.plan.scales
    if len(snapshot.request.styles) != len(scales[0].styles):
        return False
    if state.random.dtype is not torch.uint8 or not 0 <= state.scale <= len(scales):
        return False
    if state.descent is None or state.scale == 0:
        return state.descent is None and state.scale == 0
    scale = scales[state.scale - 1]
    return (
        0 <= state.step <= scale.steps
        and _has_map(state, scale.canvas)
        and fits(state.descent, scale.canvas, snapshot.plan.settings.canvas)
    )


def _has_map(state: State, canvas: Size) -> bool:
    """Whether the index map, where there is one, is of the canvas."""
    if state.matches is None:
        return True
    layers = state.measured.matched
    return (
        bool(layers)
        and state.matches.dtype is torch.int32
        and tuple(state.matches.shape) == matched_size(layers, canvas[::-1])
    )


def _damaged(path: Path) -> InputError:
    return InputError(f"The saved job {path.name} is damaged.", "Begin it anew.")
