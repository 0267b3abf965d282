"""Evaluations that a graphics card replays: their kernels recorded once, started all together.

Small pictures are computed faster than Python can say what comes next.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch
from torch import Tensor

from engine.objective.evaluation import Evaluation

Evaluate = Callable[[Tensor], Evaluation]
"""The objective at an image (1, 3, H, W), as a function of nothing else."""

_WARM = 3
"""Evaluations before the recording: libraries and cached tensors are set up outside it, and what is
retuned at once is not worth recording."""


class Replayed:
    """The same evaluation, of images of one size, replayed from the fourth on.

    Args:
        evaluate: Reads nothing back from the device and keeps all it uses but the image.
    """

    def __init__(self, evaluate: Evaluate) -> None:
        self._evaluate = evaluate
        self._calls = 0
        self._recording: _Recording | None = None

    def __call__(self, image: Tensor) -> Evaluation:
        """The evaluation at an image; its tensors are the caller's own."""
        self._calls += 1
        if self._calls == _WARM + 1:
            self._recording = _record(self._evaluate, image)
        if self._recording is None:
            return self._evaluate(image)
        return self._recording.at(image)


class _Recording:
    """A recorded evaluation with the image it reads and the tensors it writes."""

    def __init__(self, image: Tensor, evaluation: Evaluation, replay: Callable[[], None]) -> None:
        self._image, self._evaluation, self._replay = image, evaluation, replay

    def at(self, image: Tensor) -> Evaluation:
        self._image.copy_(image)
        self._replay()
        seen = self._evaluation
        return Evaluation(seen.total.clone(), seen.terms.clone(), seen.gradient.clone())


def _record(evaluate: Evaluate, image: Tensor) -> _Recording | None:
    """Record one evaluation; None where the device cannot, and it goes on unrecorded."""
    try:
        static, graph = image.clone(), torch.cuda.CUDAGraph()
        # The outer stream is returned to even where the recording fails and stays in its own.
        with (
            torch.cuda.stream(torch.cuda.current_stream()),
            torch.cuda.graph(graph, capture_error_mode="thread_local"),
        ):
            evaluation = evaluate(static)
    except RuntimeError as error:
        logging.getLogger(__name__).info("An evaluation could not be recorded: %s", error)
        return None
    return _Recording(static, evaluation, graph.replay)
