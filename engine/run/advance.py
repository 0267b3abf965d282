"""One step of the walk, and the step from one scale to the next: from a state to the next state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from engine.objective.evaluation import Evaluation
from engine.objective.objective import OrientedObjectives
from engine.run.optimizers import beginning, carried, is_finite, moved, result
from engine.run.state import State, is_done
from engine.run.tensors import resized
from engine.spec.choices import Device
from engine.spec.heeding import Heed
from engine.spec.layers import measured_layers
from engine.spec.plan import Plan

_CHECK_EVERY = 8
"""Steps after which numbers are checked where that makes the host wait for the device."""


def beginning_of(plan: Plan) -> State:
    """Where a job stands before there is anything on the canvas."""
    return State(
        scale=0,
        step=0,
        steps=0,
        evaluations=0,
        rollbacks=0,
        seconds=0.0,
        computing=plan.computing,
        tiling=plan.tiling,
        measured=measured_layers(plan.settings),
        random=torch.Generator().manual_seed(plan.settings.seed).get_state(),
        descent=None,
    )


def entered(
    plan: Plan, state: State, first_image: Callable[[torch.Generator], Tensor], heed: Heed
) -> State:
    """The state at the next scale: the last one's result enlarged, or the first image.

    Args:
        plan: Says how large.
        state: At the end of a scale, or before the first.
        first_image: Makes it, (1, 3, H, W), and moves the generator on.
        heed: Called in between; where it raises, the state is as it was.
    """
    canvas = plan.scales[state.scale].canvas
    if state.descent is None:
        generator = torch.Generator()
        generator.set_state(state.random)
        descent = beginning(first_image(generator), plan.settings.canvas, heed)
        return replace(state, scale=1, random=generator.get_state(), descent=descent)
    image = resized(result(state.descent, plan.settings), canvas, heed).clamp_(0, 1)
    heed()
    descent = carried(state.descent, image, lambda moment: resized(moment, canvas, heed), heed)
    return replace(state, scale=state.scale + 1, step=0, descent=descent)


def advance(
    plan: Plan, state: State, objective: OrientedObjectives, heed: Heed
) -> tuple[State, Evaluation | None]:
    """Evaluate the objective where the image is, and move the image one step downhill.

    Args:
        plan: Says by which optimiser.
        state: Used up: its tensors live on in the one returned.
        objective: At this scale.
        heed: Called in between; where it raises, as where the network does, the state is as it was.

    Returns:
        The state after the step, and the evaluation before it; None where the numbers broke an
        eigendecomposition.
    """
    counted = replace(
        state, step=state.step + 1, steps=state.steps + 1, evaluations=state.evaluations + 1
    )
    try:
        evaluation = objective.evaluate(state.begun.image, state.step)
    except torch.linalg.LinAlgError:  # type: ignore[attr-defined]
        return counted, None
    last = plan.scales[state.scale - 1].steps - 1
    done = state.step / max(1, last)
    descent = moved(state.begun, evaluation, plan.settings, heed, done=done)
    return replace(counted, descent=descent), evaluation


def is_due_to_be_checked(plan: Plan, state: State) -> bool:
    """Whether it is time to see if the numbers are still finite.

    It depends on the step alone, not on the clock: where a job goes back to, a repeat goes too.
    """
    if state.computing.kind is Device.CPU or is_done(plan, state):
        return True
    return state.step % _CHECK_EVERY == 0


def is_sound(state: State, evaluation: Evaluation | None) -> bool:
    """Whether image and objective are finite; waits for the device."""
    if state.descent is None or evaluation is None:
        return False
    return is_finite(state.descent) and bool(evaluation.total.isfinite())
