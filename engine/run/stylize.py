"""The algorithm, coarse to fine: a plain generator from a job to its outcome.

    plan = resolve(request, machine)
    until all scales are done:
        what happened here in an earlier run happens again; what was retuned is taken over
        at the end of a scale: measure the pictures at the next one, and enlarge the image
        else: state = advance(plan, state, objective)
        a few times a second: yield progress; take a command (retune, stop, discard)
        in the middle of all that: end where that is asked for

There is no thread, pause or window in here: whoever iterates decides when the next step happens.
`engine.run.walk` decides what comes next, `engine.run.advance` is the step.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

from engine.plan.memory import ran_out_of_memory
from engine.run import device_memory
from engine.run.cards import is_lost
from engine.run.control import Ended, Talk, Work
from engine.run.state import Snapshot
from engine.run.telling import Teller
from engine.run.walk import Walk
from engine.spec.events import Failed
from engine.spec.job import Job
from engine.spec.outcome import Ending


def _never() -> bool:
    return False


def _to_its_end() -> Ending | None:
    return None


def _keep_nothing(_snapshot: Snapshot) -> None:
    pass


def stylize(
    job: Job,
    frame_due: Callable[[], bool] = _never,
    ending: Callable[[], Ending | None] = _to_its_end,
    *,
    snapshot: Snapshot | None = None,
    keep: Callable[[Snapshot], None] = _keep_nothing,
) -> Work:
    """Make the pastiche of a job.

    Args:
        job: What to make it from.
        frame_due: Asked before each progress; when true, the progress carries a frame.
        ending: Asked in the middle of steps, between any two layers of a tile, whether and how the
            job is to end. What it was doing is given up: the picture is as it was before.
        snapshot: Of the same job, to go on from; its tensors are used up.
        keep: Shown where the job stands after each step and event. The tensors change once it
            returns, so it writes them down or leaves them. What it raises ends the job.

    Yields:
        Progress, at most ten times a second; accepts a command in return.

    Returns:
        How the job ended. An error is part of that, and never costs the picture so far.
    """
    walk = Walk(job, Teller(frame_due), ending, snapshot, keep)
    try:
        how, error = yield from _to_the_end(walk)
        return walk.outcome(how, error)
    finally:
        walk.release()
        device_memory.release_memory()


def _to_the_end(walk: Walk) -> Talk[tuple[Ending, Exception | None]]:
    """Do all the work; how it ended, and of what it failed."""
    try:
        yield from walk.work()
    except Ended as ended:
        return ended.ending, None
    except Exception as error:
        if walk.begun:
            walk.note(Failed(at=walk.now.place))
        if not device_memory.is_out_of_memory(error, walk.device):
            lost = walk.device is not None and is_lost(error, walk.device)
            return Ending.FAILED, walk.device_lost() if lost else error
    else:
        return Ending.FINISHED, None
    # Outside the `except`: the traceback held every tensor of what failed. Collecting holds up
    # the window for a moment; only here is there something to collect.
    gc.collect()
    device_memory.release_memory()
    return Ending.FAILED, ran_out_of_memory(walk.asked.settings.output_size)
