"""L-BFGS walks where torch's own walks, and never asks the device for a number."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from engine.run.lbfgs import Curvature, lbfgs_step

Function = Callable[[Tensor], Tensor]

SIZE, HISTORY, STEPS = 30, 5, 30

FIRST, LONGEST = 0.01, 0.1


def quadratic() -> tuple[Function, Tensor]:
    """A convex bowl, a hundred times as steep one way as another, and a start on its side."""
    generator = torch.Generator().manual_seed(1)
    turn, _ = torch.linalg.qr(torch.randn(SIZE, SIZE, generator=generator, dtype=torch.float64))
    matrix = turn * torch.linspace(0.02, 2, SIZE, dtype=torch.float64) @ turn.T
    start = 10 * torch.randn(SIZE, generator=generator, dtype=torch.float64)
    return lambda x: 0.5 * x @ matrix @ x, start


def valley() -> tuple[Function, Tensor]:
    """Rosenbrock's curved valley, flattened so that unit steps stay in it."""

    def height(x: Tensor) -> Tensor:
        across, along = x[1:] - x[:-1].square(), 1 - x[:-1]
        return (across.square() + 0.1 * along.square()).sum()

    return height, torch.linspace(0.2, 0.8, SIZE, dtype=torch.float64)


def dented() -> tuple[Function, Tensor]:
    """A bowl with waves in it: where it is concave, a pair's curvature is negative.

    So flat that torch begins with the gradient itself, as it goes on without a pair of use.
    """

    def height(x: Tensor) -> Tensor:
        return 0.008 * (1 - torch.cos(2 * x) + x.square()).sum()

    return height, torch.linspace(0.9, 1.9, SIZE, dtype=torch.float64)


class Walker:
    """An image that is moved step by step, and what is remembered between."""

    def __init__(self, image: Tensor, history: int, first: float, longest: float) -> None:
        self.image = image
        self.memory: Curvature | None = None
        self._lengths = {"history": history, "first": first, "longest": longest}

    def step(self, function: Function) -> None:
        gradient = torch.func.grad(function)(self.image)
        self.memory = lbfgs_step(self.image, gradient, self.memory, **self._lengths)


def torchs_first_step(function: Function, start: Tensor) -> float:
    """Root mean square of the step torch begins with: the gradient, or one of length 1 by sums."""
    gradient = torch.func.grad(function)(start)
    step = gradient * min(1.0, 1 / float(gradient.abs().sum()))
    return float(step.square().mean().sqrt())


def walked(function: Function, start: Tensor, history: int = HISTORY) -> list[Tensor]:
    image = start.clone()
    walker = Walker(image, history, torchs_first_step(function, start), math.inf)
    places = []
    for _ in range(STEPS):
        walker.step(function)
        places.append(image.clone())
    return places


def walked_by_torch(function: Function, start: Tensor, history: int = HISTORY) -> list[Tensor]:
    image = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS(
        [image], lr=1, max_iter=1, history_size=history, tolerance_grad=0, tolerance_change=0
    )
    places = []
    for _ in range(STEPS):

        def closure() -> Tensor:
            optimizer.zero_grad()
            value = function(image)
            value.backward()
            return value

        optimizer.step(closure)
        places.append(image.detach().clone())
    return places


def same_way(function: Function, start: Tensor, history: int = HISTORY) -> bool:
    ours, theirs = walked(function, start, history), walked_by_torch(function, start, history)
    return torch.allclose(torch.stack(ours), torch.stack(theirs), rtol=0, atol=1e-9)


@pytest.mark.parametrize("landscape", [quadratic, valley])
def test_the_way_is_that_of_torchs_own(landscape: Callable[[], tuple[Function, Tensor]]) -> None:
    function, start = landscape()
    assert same_way(function, start)
    assert function(walked(function, start)[-1]) < 0.01 * function(start)


def test_the_history_is_bounded() -> None:
    function, start = quadratic()
    image = start.clone()
    walker = Walker(image, HISTORY, FIRST, LONGEST)
    for _ in range(2 * HISTORY):
        walker.step(function)
    assert walker.memory is not None
    assert len(walker.memory.pairs) == HISTORY


def test_without_curvature_each_step_is_that_along_the_gradient() -> None:
    slope = torch.linspace(-1, 1, SIZE, dtype=torch.float64)
    places = torch.stack([start := torch.zeros_like(slope), *walked(lambda x: slope @ x, start)])
    step = -slope * torchs_first_step(lambda x: slope @ x, start) / slope.square().mean().sqrt()
    torch.testing.assert_close(places.diff(dim=0), step.expand(STEPS, -1))


def test_a_pair_of_negative_curvature_is_left_out_as_torch_leaves_it_out() -> None:
    function, start = dented()
    places = [start, *walked(function, start, STEPS)]
    gradients = [torch.func.grad(function)(place) for place in places]
    curvatures = [
        (gradients[n + 1] - gradients[n]) @ (places[n + 1] - places[n]) for n in range(STEPS)
    ]
    assert min(curvatures) < 0 < max(curvatures)
    assert same_way(function, start, STEPS)


def test_the_first_step_and_the_longest_have_the_lengths_asked_for() -> None:
    function, start = quadratic()
    image = start.clone()
    walker = Walker(image, HISTORY, FIRST, LONGEST)
    places = [start]
    for _ in range(STEPS):
        walker.step(function)
        places.append(image.clone())
    lengths = torch.stack(places).diff(dim=0).square().mean(1).sqrt()
    assert float(lengths[0]) == pytest.approx(FIRST)
    # The bottom is far away, so most steps would like to be longer.
    assert float(lengths.max()) == pytest.approx(LONGEST)
    assert function(places[-1]) < function(start)


def test_curvature_is_told_from_how_far_a_clamped_image_came() -> None:
    def height(x: Tensor) -> Tensor:
        return (x - target).square().sum()

    # Half of the values want to go beyond what the image may hold.
    target = torch.linspace(-0.5, 1.5, SIZE, dtype=torch.float64)
    image = torch.full_like(target, 0.5)
    walker = Walker(image, HISTORY, FIRST, LONGEST)
    for _ in range(STEPS):
        walker.step(height)
        image.clamp_(0, 1)
    torch.testing.assert_close(image, target.clamp(0, 1))


def test_without_a_gradient_the_image_stays_put() -> None:
    image = torch.full((1, 3, 4, 4), 0.5)
    walker = Walker(image, HISTORY, FIRST, LONGEST)
    for _ in range(3):
        walker.step(lambda x: 0 * x.sum())
    assert bool((image == 0.5).all())


class Reads(TorchDispatchMode):
    """Counts how often a number is read off the device."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        self.count += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


def test_a_step_reads_no_number_off_the_device() -> None:
    function, start = quadratic()
    image = start.clone()
    walker = Walker(image, HISTORY, FIRST, LONGEST)
    with Reads() as reads:
        for _ in range(HISTORY + 2):
            walker.step(function)
    assert reads.count == 0
    with reads:
        float(image.sum())
    assert reads.count == 1
