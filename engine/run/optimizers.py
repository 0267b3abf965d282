"""What walks downhill: an image with its optimiser's memory, and one step of each optimiser.

The optimisers see N times the objective, with N values in the image. The losses are means over
positions, so one pixel's gradient shrinks as the canvas grows; N times it does not, and step sizes
and thresholds mean the same at every size.

A `Descent` is a value: what a step needs is in it, and nothing of it is anywhere else. A function
that returns a new one uses up the one it is given, whose tensors live on in the new.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.optim.adam import adam

from engine.objective.evaluation import Evaluation
from engine.run.lbfgs import Curvature, curvature_from, lbfgs_step
from engine.spec.choices import OptimizerName
from engine.spec.heeding import Heed, heedless
from engine.spec.settings import Settings

Resize = Callable[[Tensor], Tensor]
"""An image (1, 3, H, W) at the next scale's size, by bicubic interpolation."""

_BETAS = (0.9, 0.99)
"""Adam's decays; the short second one lets the step follow a loss that falls by orders."""

_EPSILON = 1e-8
"""Keeps Adam from dividing by 0."""

_FUSED = ("cpu", "cuda")
"""Devices on which Adam's step is one kernel."""

_PINNED = 2**28
"""Bytes of an image up to which the host's copy is pinned."""

_FIRST_STEP, _LONGEST_STEP = 0.01, 0.1
"""Of L-BFGS: root mean square over the image's values, which lie in 0..1."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Adam's memory: running means of the gradient and of its square, and of how many steps."""

    steps: Tensor
    first: Tensor
    second: Tensor

    def tensors(self) -> dict[str, Tensor]:
        """All of it by names."""
        return {"steps": self.steps, "first": self.first, "second": self.second}


Memory = Moments | Curvature | None
"""What an optimiser remembers; None before its first step."""


@dataclass(frozen=True, eq=False)
class Descent:
    """An image on its way downhill at one scale; all tensors float32 of its shape but the memory.

    Attributes:
        image: (1, 3, H, W) in 0..1.
        average: Of the iterates, see `result`.
        averaged: How many are in it.
        good: The last image at which the objective is known to have been finite; on the host,
            where it outlives a device that fails and takes none of its memory.
        candidate: Not evaluated yet; what vouches for it is the next mark. On the host.
        memory: The optimiser's.
    """

    image: Tensor
    average: Tensor
    averaged: int
    good: Tensor
    candidate: Tensor
    memory: Memory = None

    def tensors(self) -> dict[str, Tensor]:
        """All of it by names, as `descent_from` reads it."""
        found = {
            "image": self.image,
            "average": self.average,
            "good": self.good,
            "candidate": self.candidate,
        }
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
        memory,
    )


def placed(descent: Descent, device: torch.device) -> Descent:
    """The same descent on a device."""
    tensors = {name: tensor.to(device) for name, tensor in descent.tensors().items()}
    for name in ("good", "candidate"):
        tensors[name] = _on_host(tensors[name])
    steps = tensors.get("memory.steps")
    if steps is not None:
        tensors["memory.steps"] = steps.to(_counting_place(device))
    return descent_from(tensors, descent.averaged)


def beginning(image: Tensor, heed: Heed = heedless) -> Descent:
    """A descent from an image (1, 3, H, W), float32, which is copied."""
    # Image and gradient lie alike in memory: Adam's fused kernel walks both as they lie.
    image = image.clone(memory_format=torch.contiguous_format)
    heed()  # memory that is touched for the first time takes longer than what is written to it
    average = torch.zeros_like(image)
    heed()
    good = _on_host(image)
    heed()
    return Descent(image, average, 0, good, candidate=_on_host(image))


@torch.no_grad()
def moved(
    descent: Descent, evaluation: Evaluation, settings: Settings, heed: Heed = heedless
) -> Descent:
    """One step downhill from the image where the objective was evaluated.

    The evaluation's gradient is used up. Where `heed` raises, the descent is as it was.
    """
    image = descent.image
    # In place: another image's worth of memory would be held through the step.
    gradient = evaluation.gradient.mul_(image.numel()).contiguous()
    heed()
    memory = _step(image, gradient, descent.memory, settings, heed)
    image.clamp_(0, 1)
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
    return descent.average / (1 - settings.averaging**descent.averaged)


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
    return replace(descent, averaged=0, memory=None)


def for_changed_objective(descent: Descent) -> Descent:
    """Drop the memory if it belongs to the old objective; curvature does."""
    if isinstance(descent.memory, Curvature):
        return replace(descent, memory=None)
    return descent


@torch.no_grad()
def carried(descent: Descent, image: Tensor, resize: Resize, heed: Heed = heedless) -> Descent:
    """A descent from `image` at the next scale, with this one's moments where they hold."""
    finer, memory = beginning(image, heed), descent.memory
    if not isinstance(memory, Moments):
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


def _step(
    image: Tensor, gradient: Tensor, memory: Memory, settings: Settings, heed: Heed
) -> Memory:
    """Move the image in place, and say what is remembered of it."""
    match settings.optimizer:
        case OptimizerName.ADAM:
            moments = memory if isinstance(memory, Moments) else _no_moments(image, heed)
            return _adam_step(image, gradient, moments, settings.learning_rate)
        case OptimizerName.LBFGS:
            return lbfgs_step(
                image,
                gradient,
                memory if isinstance(memory, Curvature) else None,
                history=settings.lbfgs_history,
                first=_FIRST_STEP,
                longest=_LONGEST_STEP,
                heed=heed,
            )
        case OptimizerName.GRADIENT_DESCENT:
            image.add_(gradient, alpha=-settings.step_size)
            return None


def _no_moments(image: Tensor, heed: Heed) -> Moments:
    steps = torch.zeros((), dtype=torch.float32, device=_counting_place(image.device))
    first = torch.zeros_like(image)
    heed()
    second = torch.zeros_like(image)
    heed()
    return Moments(steps, first, second)


def _counting_place(device: torch.device) -> torch.device:
    """Where Adam counts its steps: a fused kernel on the device, else the host, which reads it."""
    return device if device.type in _FUSED else torch.device("cpu")


def _adam_step(image: Tensor, gradient: Tensor, moments: Moments, rate: float) -> Moments:
    """Kingma and Ba 2015, algorithm 1."""
    adam(
        [image],
        [gradient],
        [moments.first],
        [moments.second],
        [],
        [moments.steps],
        foreach=False,
        fused=image.device.type in _FUSED,
        amsgrad=False,
        beta1=_BETAS[0],
        beta2=_BETAS[1],
        lr=rate,
        weight_decay=0.0,
        eps=_EPSILON,
        maximize=False,
    )
    return moments
