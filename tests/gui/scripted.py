"""An engine and dialogs that play a part, and what tests do with a window around them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocumentFragment
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from engine.plan.machine import DeviceHere, Inventory, Machine, Speed
from engine.plan.memory import Outlook, look_out
from engine.plan.resolve import resolve
from engine.run.control import Command, Discard, Held, Stop, Talk, Work
from engine.spec.choices import Device, NetworkName, Precision
from engine.spec.computing import Computing
from engine.spec.events import Place, Retuned, live_changes
from engine.spec.job import Job, Retune
from engine.spec.orientations import UPRIGHT
from engine.spec.outcome import Ending, Outcome, Pastiche
from engine.spec.plan import Plan
from engine.spec.progress import Progress, Stage, Term
from engine.spec.request import Request
from engine.spec.scales import Scale
from engine.spec.settings import DEFAULTS, Settings
from engine.spec.tiles import WHOLE
from engine.storage.failures import Failure
from engine.weights.installed import networks_here
from gui.app.actions import Action
from gui.app.leaving import Unfinished
from gui.app.shell import Shell
from gui.base.dialogs import Dialogs
from gui.base.tasks import Tasks
from gui.canvas.saving import Keep

COMPUTING = Computing(
    device=Device.CPU, name="scripted device", precision=Precision.FLOAT32, winograd=True
)
"""How the scripted engine says it computes."""

INVENTORY = Inventory(
    (DeviceHere(Device.CPU, "scripted device", 24_000_000_000, 20_000_000_000, COMPUTING),)
)
"""Where the scripted engine says it can compute."""

PLAN = Plan(
    settings=DEFAULTS.on(NetworkName.VGG19),
    network_file="vgg19.safetensors",
    network_sha256="a" * 64,
    computing=COMPUTING,
    orientations=(UPRIGHT,),
    tiling=WHOLE,
    scales=(Scale(canvas=(32, 24), styles=((32, 24),), steps=5),),
    bytes=1000,
)
"""What the scripted engine says it has decided."""


@dataclass
class ScriptedEngine:
    """Stands in for the engine: paints grey pictures, a step every few milliseconds.

    Attributes:
        steps: Of the next jobs; None goes on until it is told to stop.
        error: What the next job fails of at its third step, once.
        keeps: Whether it leaves the picture so far.
        jobs: What was asked for.
        retunes: What arrived while running.
        step: Of the running job.
        settings: Of the running job, as last retuned.
        may_load: While it is not set, the engine is still loading.
        held: Set once a job has been held.
        memory: Bytes that are free.
        foreseen: Requests whose outlook was asked for.
        inventory: The devices it says there are.
    """

    steps: int | None = 5
    error: Exception | None = None
    keeps: bool = True
    jobs: list[Job] = field(default_factory=list)
    retunes: list[Retune] = field(default_factory=list)
    step: int = 0
    settings: Settings = DEFAULTS
    shares: tuple[float, ...] = ()
    may_load: threading.Event = field(default_factory=threading.Event)
    held: threading.Event = field(default_factory=threading.Event)
    memory: int = 20_000_000_000
    foreseen: list[Request] = field(default_factory=list)
    inventory: Inventory = INVENTORY

    def __post_init__(self) -> None:
        self.may_load.set()

    def warm_up(self) -> Inventory:
        self.may_load.wait()
        return self.inventory

    def foresee(self, request: Request) -> Outlook:
        self.foreseen.append(request)
        request.refuse_unless_complete()
        machine = Machine(
            computing=COMPUTING,
            total=24_000_000_000,
            available=self.memory,
            networks=networks_here(),
        )
        plan = resolve(request, machine, Speed(operations=1e12, overhead=0.01))
        return look_out(request, plan, machine)

    def __call__(
        self, job: Job, frame_due: Callable[[], bool], ending: Callable[[], Ending | None]
    ) -> Work:
        self.jobs.append(job)
        self.step = 0
        self.settings = job.request.settings
        self.shares = job.request.shares
        pixels = np.full((24, 32, 3), 40 + len(self.jobs), np.uint8)
        ending = yield from self._hear(Progress(Stage.PREPARING, "Loading the network"))
        error = None
        while ending is None and (self.steps is None or self.step < self.steps):
            time.sleep(0.002)
            self.step += 1
            if self.step == 3 and self.error is not None:
                error, self.error, ending = _raised(self.error), None, Ending.FAILED
                break
            frame = pixels.copy() if frame_due() else None
            ending = yield from self._hear(self._progress(frame))
        kept = ending is not Ending.DISCARDED and self.step > 0 and self.keeps
        pastiche = Pastiche(pixels, self._progress(None), 1000) if kept else None
        return Outcome(
            ending or Ending.FINISHED,
            job.request,
            PLAN,
            self._events(job),
            pastiche,
            error,
        )

    def _events(self, job: Job) -> tuple[Retuned, ...]:
        changes = live_changes(job.request.settings, self.settings)
        if not changes and self.shares == job.request.shares:
            return ()
        return (Retuned(at=Place(scale=1, step=1), settings=changes, shares=self.shares),)

    def _hear(self, progress: Progress) -> Talk[Ending | None]:
        command = yield progress
        while isinstance(command, Held):
            self.held.set()
            command = yield progress
        return self._take(command)

    def _take(self, command: Command | None) -> Ending | None:
        match command:
            case Retune():
                self.retunes.append(command)
                self.settings, self.shares = command.settings, command.shares
            case Stop():
                return Ending.STOPPED
            case Discard():
                return Ending.DISCARDED
        return None

    def _progress(self, frame: np.ndarray | None) -> Progress:
        terms = (Term("content relu4_2", 0.5), Term("style relu1_1", 1 / self.step))
        return Progress(
            Stage.RUNNING,
            step=self.step,
            steps=self.steps or 10_000,
            scale=1,
            scales=1,
            size=(32, 24),
            terms=terms,
            total=sum(term.value for term in terms),
            seconds=self.step / 100,
            device="scripted device",
            memory=2_500_000_000,
            frame=frame,
        )


def _raised(error: Exception) -> Exception:
    """The error with a traceback, as one that an engine has met."""
    try:
        raise error
    except Exception as met:
        return met


def read(text: str) -> str:
    """What a person reads where Qt decides by itself whether a text is markup."""
    return QTextDocumentFragment.fromHtml(text).toPlainText() if Qt.mightBeRichText(text) else text


class ScriptedDialogs(Dialogs):
    """Answers by itself; what nobody prepared an answer for is cancelled."""

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        self.files: tuple[Path, ...] = ()
        self.output: Path | None = None
        self.quality: int | None = None
        self.answers: list[object] = []
        self.questions: list[str] = []
        self.reports: list[Failure] = []
        self.texts: list[str] = []

    async def open_pictures(self, title, folder, suffixes, *, several=False) -> tuple[Path, ...]:
        return self.files

    async def open_network(self, title: str) -> Path | None:
        return self.files[0] if self.files else None

    async def save_picture(self, suggestion: Path) -> Path | None:
        self.questions.append(suggestion.name)
        return self.output

    async def open_preset(self) -> Path | None:
        return self.files[0] if self.files else None

    async def save_preset(self, suggestion: str) -> Path | None:
        return self.output

    async def jpeg_quality(self, quality: int) -> int | None:
        return self.quality

    async def choose(self, question: str, detail: str, answers: Any) -> Any:
        self.questions.append(question)
        possible = (None, *answers.values())
        fitting = (each for each in self.answers if each in possible)
        answer = next(fitting, None)
        if answer in self.answers:
            self.answers.remove(answer)
        return answer

    async def report(self, failure: Failure) -> None:
        self.reports.append(failure)

    async def show_text(self, title: str, text: str) -> None:
        self.texts.append(text)


def leave(shell: Shell, qtbot: QtBot) -> None:
    """Close a window, giving up whatever it holds; a job may end before the question comes."""
    shell.dialogs.answers = [Unfinished.DROP, Keep.DROP]
    with qtbot.waitSignal(shell.leaving.closed):
        shell.window.close()


def settle(tasks: Tasks, qtbot: QtBot) -> None:
    """Wait until every story has ended."""
    qtbot.waitUntil(lambda: not tasks._running)


def save_noise(path: Path, seed: int) -> Path:
    """Write a picture of random pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def act(shell: Shell, action: Action) -> None:
    """Click an action, which must be possible."""
    assert shell.window.actions_by_name[action].isEnabled()
    shell.window.actions_by_name[action].trigger()


def strip_text(shell: Shell) -> str:
    """The line under the panes."""
    return shell.window.findChild(QLabel, "progressText").text()
