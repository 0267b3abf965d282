"""Evaluations that a graphics card replays: their kernels recorded once, started all together.

Small pictures are computed faster than Python can say what comes next.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor

from engine.objective.evaluation import Evaluation

_Result = TypeVar("_Result")

Evaluate = Callable[[Tensor], Evaluation]
"""The objective at an image (1, 3, H, W), as a function of nothing else."""

_WARM = 3
"""Evaluations before the recording: libraries and cached tensors are set up outside it, and what is
retuned at once is not worth recording."""


_LANES = 3
"""Streams for works that do not wait for each other."""


class RecordingError(RuntimeError):
    """An evaluation could not be recorded; recordings are best given up."""


class Reel:
    """What the recordings of some evaluations share: one pool of memory.

    One is replayed at a time, and what it returns is copied at once.
    """

    def __init__(self) -> None:
        self._pool: Any = None

    def record(self, evaluate: Evaluate, image: Tensor) -> _Recording:
        """Record one evaluation.

        Raises:
            RecordingError: The device cannot.
        """
        try:
            if self._pool is None:
                self._pool = torch.cuda.graph_pool_handle()
            static, graph = image.clone(), torch.cuda.CUDAGraph()
            # torch's own would be one of the card that was first recorded on, whichever that was.
            stream, *_ = _streams(image.device)
            # The outer stream is returned to even where the recording fails and stays in its own.
            with (
                torch.cuda.stream(torch.cuda.current_stream()),
                torch.cuda.graph(
                    graph, pool=self._pool, stream=stream, capture_error_mode="thread_local"
                ),
            ):
                evaluation = evaluate(static)
        except RuntimeError as error:
            raise RecordingError(f"An evaluation could not be recorded: {error}") from error
        return _Recording(static, evaluation, graph.replay)


class Replayed:
    """The same evaluation, of images of one size, replayed from the fourth on.

    Args:
        evaluate: Reads nothing back from the device and keeps all it uses but the image.
        reel: That it is recorded on.
    """

    def __init__(self, evaluate: Evaluate, reel: Reel) -> None:
        self._evaluate = evaluate
        self._reel = reel
        self._calls = 0
        self._recording: _Recording | None = None

    def __call__(self, image: Tensor) -> Evaluation:
        """The evaluation at an image; its tensors are the caller's own.

        Raises:
            RecordingError: It was to be recorded, and the device cannot.
        """
        self._calls += 1
        if self._calls == _WARM + 1:
            self._recording = self._reel.record(self._evaluate, image)
        if self._recording is None:
            return self._evaluate(image)
        return self._recording.at(image)


def side_by_side(works: Iterable[Callable[[], _Result]]) -> Iterator[_Result]:
    """What some works return that do not wait for each other; each is let go of once it is done.

    In a recording they share some streams: chains of small kernels, such as those of the roots,
    leave most of a card idle. What they allocate is used elsewhere only once all are done.
    """
    if not is_recording():
        yield from (work() for work in works)
        return
    present = torch.cuda.current_stream()
    (_, *lanes), results = _streams(present.device), []
    for lane in lanes:
        lane.wait_stream(present)
    for work, lane in zip(works, itertools.cycle(lanes), strict=False):
        with torch.cuda.stream(lane):
            results.append(work())
    for lane in lanes:
        present.wait_stream(lane)
    yield from results


def is_recording() -> bool:
    """Whether what is computed now, in this thread, is only recorded, to be replayed."""
    begun = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    return bool(begun and torch.cuda.is_current_stream_capturing())


@functools.cache
def _streams(device: torch.device) -> tuple[torch.cuda.Stream, ...]:
    """A card's stream to record on, and the lanes beside it.

    Always the same: for each, cuBLAS keeps a workspace of tens of megabytes.
    """
    count = 1 + _LANES
    return tuple(torch.cuda.Stream(device) for _ in range(count))  # type: ignore[no-untyped-call]


class _Recording:
    """A recorded evaluation with the image it reads and the tensors it writes."""

    def __init__(self, image: Tensor, evaluation: Evaluation, replay: Callable[[], None]) -> None:
        self._image, self._evaluation, self._replay = image, evaluation, replay

    def at(self, image: Tensor) -> Evaluation:
        self._image.copy_(image)
        self._replay()
        seen = self._evaluation
        return Evaluation(seen.total.clone(), seen.terms.clone(), seen.gradient.clone())
