"""What walks downhill: an image with its optimiser's memory, and one step of each optimiser.

An optimiser moves the image itself, or the bands of its Laplacian pyramid (`engine.run.pyramid`);
the objective sees the image, and nothing outside knows which.

The optimisers see N times the objective, with N values in the image. The losses are means over
positions, so one pixel's gradient shrinks as the canvas grows; N times it does not, and step sizes
and thresholds mean the same at every size.

A `Descent` is a value: what a step needs is in it, and nothing of it is anywhere else. A function
that returns a new one uses up the one it is given, whose tensors live on in the new.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.objective.evaluation import Evaluation
from engine.run.adam import Moments, adam_step, counting_place, no_moments
from engine.run.lbfgs import Curvature, curvature_from, lbfgs_step
from engine.run.pyramid import analysed, coefficient_count, pushed, synthesised, weigh
from engine.spec.choices import Canvas, OptimizerName
from engine.spec.heeding import Heed, heedless
from engine.spec.pictures import Size
from engine.spec.settings import Settings

Resize = Callable[[Tensor], Tensor]
"""An image (1, 3, H, W) at the next scale's size, by bicubic interpolation."""

_PINNED = 2**28
"""Bytes of an image up to which the host's copy is pinned."""

_FIRST_STEP, _LONGEST_STEP = 0.01, 0.1
"""Of L-BFGS: root mean square over the values it moves; an image's lie in 0..1."""


Memory = Moments | Curvature | None
"""What an optimiser remembers; None before its first step."""


@dataclass(frozen=True, eq=False)
class Descent:
    """An image on its way downhill at one scale; all tensors float32, most of its shape.

    Attributes:
        image: (1, 3, H, W) in 0..1; of a pyramid, about that: it is clamped in results alone.
        average: Of the iterates, see `result`.
        averaged: How many are in it.
        good: The last image at which the objective is known to have been finite; on the host,
            where it outlives a device that fails and takes none of its memory.
        candidate: Not evaluated yet; what vouches for it is the next mark. On the host.
        held: What the optimiser moves: `image` itself, or the flat pyramid that it is made of.
        memory: The optimiser's, of that shape.
    """

    image: Tensor
    average: Tensor
    averaged: int
    good: Tensor
    candidate: Tensor
    held: Tensor
    memory: Memory = None

    @property
    def in_pixels(self) -> bool:
        """Whether the optimiser moves the image itself."""
        return self.held is self.image

    def tensors(self) -> dict[str, Tensor]:
        """All of it by names, as `descent_from` reads it."""
        found = {
            "image": self.image,
            "average": self.average,
            "good": self.good,
            "candidate": self.candidate,
        }
        if not self.in_pixels:
            found["held"] = self.held
        memory = self.memory.tensors() if self.memory is not None else {}
        return found | {f"memory.{name}": tensor for name, tensor in memory.items()}


def descent_from(tensors: Mapping[str, Tensor], averaged: int) -> Descent:
    """What `Descent.tensors` wrote.

    Raises:
        KeyError: Something is missing.
    """
    inside = "memory."
    kept = {name.removeprefix(inside): t for name, t in tensors.items() if name.startswith(inside)}
    memory: Memory = None
    if "second" in kept:
        memory = Moments(kept["steps"], kept["first"], kept["second"])
    elif kept:
        memory = curvature_from(kept)
    return Descent(
        tensors["image"],
        tensors["average"],
        averaged,
        tensors["good"],
        tensors["candidate"],
        tensors.get("held", tensors["image"]),
        memory,
    )


def placed(descent: Descent, device: torch.device) -> Descent:
    """The same descent on a device."""
    tensors = {name: tensor.to(device) for name, tensor in descent.tensors().items()}
    for name in ("good", "candidate"):
        tensors[name] = _on_host(tensors[name])
    steps = tensors.get("memory.steps")
    if steps is not None:
        tensors["memory.steps"] = steps.to(counting_place(device))
    return descent_from(tensors, descent.averaged)


def beginning(image: Tensor, canvas: Canvas = Canvas.PIXELS, heed: Heed = heedless) -> Descent:
    """A descent from an image (1, 3, H, W), float32, which is copied."""
    # Image and gradient lie alike in memory: Adam's fused kernel walks both as they lie.
    image = image.clone(memory_format=torch.contiguous_format)
    heed()  # memory that is touched for the first time takes longer than what is written to it
    average = torch.zeros_like(image)
    heed()
    good = _on_host(image)
    heed()
    candidate = _on_host(image)
    held = image if canvas is Canvas.PIXELS else analysed(image, heed=heed)
    return Descent(image, average, 0, good, candidate, held)


def fits(descent: Descent, size: Size, canvas: Canvas) -> bool:
    """Whether all tensors are of an image (width, height) that is held in this way."""
    width, height = size
    shape = (1, 3, height, width)
    images = (descent.image, descent.average, descent.good, descent.candidate)
    pyramid = (coefficient_count(size),)
    memory = descent.memory.tensors().values() if descent.memory is not None else ()
    return (
        all(image.shape == shape for image in images)
        and descent.held.shape == (shape if canvas is Canvas.PIXELS else pyramid)
        and all(tensor.numel() in (1, descent.held.numel()) for tensor in memory)
        and all(tensor.dtype is torch.float32 for tensor in descent.tensors().values())
    )


@torch.no_grad()
def moved(
    descent: Descent,
    evaluation: Evaluation,
    settings: Settings,
    heed: Heed = heedless,
    *,
    done: float = 0.0,
) -> Descent:
    """One step downhill from the image where the objective was evaluated.

    The evaluation's gradient is used up. Where `heed` raises, the descent is as it was.

    Args:
        descent: Used up.
        evaluation: At its image.
        settings: Say by which optimiser.
        heed: Called in between.
        done: The share of the scale's steps that lies behind, 0..1, by which Adam's steps shrink.
    """
    image = descent.image
    # In place: another image's worth of memory would be held through the step.
    gradient = evaluation.gradient.mul_(image.numel()).contiguous()
    heed()
    if not descent.in_pixels:
        gradient = pushed(gradient, heed)
    with _balanced(descent, gradient, settings):
        memory = _step(descent, gradient, settings, done, heed)
    if descent.in_pixels:
        image.clamp_(0, 1)
    else:
        # Nothing is heeded here: a pyramid must not go on without its image.
        synthesised(descent.held, _size(image), out=image)
    averaged = descent.averaged
    if settings.optimizer is OptimizerName.ADAM and settings.averaging > 0:
        descent.average.lerp_(image, 1 - settings.averaging)
        averaged += 1
    return replace(descent, memory=memory, averaged=averaged)


@torch.no_grad()
def result(descent: Descent, settings: Settings) -> Tensor:
    """The pastiche so far, (1, 3, H, W) in 0..1: the iterates' average, or the last one."""
    if not descent.averaged:
        return descent.image.clamp(0, 1)
    # The average started from nothing; this takes the missing weight out again.
    average = descent.average / (1 - settings.averaging**descent.averaged)
    return average if descent.in_pixels else average.clamp_(0, 1)


def is_finite(descent: Descent) -> bool:
    """Whether the image holds numbers only; waits for the device."""
    return bool(descent.image.sum().isfinite())


def marked_good(descent: Descent) -> Descent:
    """Say that the objective was finite up to here."""
    return replace(descent, good=descent.candidate, candidate=descent.good.copy_(descent.image))


def rolled_back(descent: Descent) -> Descent:
    """Return to the last good image with an empty memory."""
    descent.image.copy_(descent.good)
    descent.candidate.copy_(descent.good)
    descent.average.zero_()
    if not descent.in_pixels:
        analysed(descent.image, out=descent.held)
    return replace(descent, averaged=0, memory=None)


def for_changed_objective(descent: Descent) -> Descent:
    """Drop the memory if it belongs to the old objective; curvature does."""
    if isinstance(descent.memory, Curvature):
        return replace(descent, memory=None)
    return descent


@torch.no_grad()
def carried(descent: Descent, image: Tensor, resize: Resize, heed: Heed = heedless) -> Descent:
    """A descent from `image` at the next scale, with this one's moments where they hold.

    A pyramid's bands are other bands at the next scale, so its moments begin anew.
    """
    canvas = Canvas.PIXELS if descent.in_pixels else Canvas.PYRAMID
    finer, memory = beginning(image, canvas, heed), descent.memory
    if not (descent.in_pixels and isinstance(memory, Moments)):
        return finer
    moments = Moments(
        memory.steps.clone(),
        resize(memory.first).contiguous(),
        # Bicubic overshoots; a second moment cannot be below 0.
        resize(memory.second).clamp_min_(0).contiguous(),
    )
    return replace(finer, memory=moments)


def _on_host(image: Tensor) -> Tensor:
    """A copy; a card writes to memory that is pinned ten times as fast.

    A large image is copied seldom beside what its steps take, and would pin gigabytes.
    """
    if image.is_cuda and image.nbytes <= _PINNED:
        with contextlib.suppress(RuntimeError):
            return torch.empty_like(image, device="cpu", pin_memory=True).copy_(image)
    return torch.empty_like(image, device="cpu").copy_(image)


def _size(image: Tensor) -> Size:
    return image.shape[3], image.shape[2]


@contextlib.contextmanager
def _balanced(descent: Descent, gradient: Tensor, settings: Settings) -> Iterator[None]:
    """Have bands and gradient so that a step of some length changes the image as much anywhere.

    Enlarged once, a value covers four, hence weighs twice as much by its root mean square. Adam
    asks for no such thing: it gives each value a step of its own.
    """
    if descent.in_pixels or settings.optimizer is OptimizerName.ADAM:
        yield
        return
    size = _size(descent.image)
    weigh(gradient, size, 1 / 2)
    weigh(descent.held, size, 2)
    try:
        yield
    finally:
        weigh(descent.held, size, 1 / 2)


def _step(
    descent: Descent, gradient: Tensor, settings: Settings, done: float, heed: Heed
) -> Memory:
    """Move what is held in place, and say what is remembered of it."""
    held, memory = descent.held, descent.memory
    match settings.optimizer:
        case OptimizerName.ADAM:
            moments = memory if isinstance(memory, Moments) else no_moments(held, heed)
            rate = settings.learning_rate * settings.learning_rate_decay**done
            adam_step(held, gradient, moments, rate)
            return moments
        case OptimizerName.LBFGS:
            return lbfgs_step(
                held,
                gradient,
                memory if isinstance(memory, Curvature) else None,
                history=settings.lbfgs_history,
                first=_FIRST_STEP,
                longest=_LONGEST_STEP,
                heed=heed,
            )
        case OptimizerName.GRADIENT_DESCENT:
            held.add_(gradient, alpha=-settings.step_size)
            return None
