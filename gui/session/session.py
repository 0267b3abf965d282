"""The controller: pictures and settings of the next job, the job that runs, what it made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QImage

from engine.run.control import Control
from engine.spec.errors import Cancelled, EngineError
from engine.spec.job import Job, Retune, StyleImage
from engine.spec.outcome import Pastiche
from engine.spec.pictures import Picture
from engine.spec.progress import Stage
from engine.spec.settings import DEFAULTS, Settings
from engine.storage.presets import Preset
from gui.base.qimages import to_qimage
from gui.base.states import State
from gui.base.tasks import Tasks
from gui.session.engine_thread import EngineThread
from gui.session.mailbox import Update
from gui.session.network_choice import find_network

RETUNE_MILLISECONDS = 100
"""A slider being dragged is let run for this long before the job hears of it."""


@dataclass(frozen=True, eq=False)
class Result:
    """A finished pastiche and how it came to be.

    Attributes:
        pastiche: What the engine made.
        image: The same to be shown.
        job: What it was made from.
        preset: The preset it was made with; empty if its settings were the person's own.
        path: Where it was saved; None while it is not.
    """

    pastiche: Pastiche
    image: QImage
    job: Job
    preset: str = ""
    path: Path | None = None


class Session(QObject):
    """Holds everything a person is working on; the window only shows it.

    Attributes:
        state_changed: Carries the new `State`.
        content_changed, start_changed: Carry the `Picture` or None.
        styles_changed: Carries all style images, `tuple[StyleImage, ...]`.
        weights_changed: The style images are the same, their shares are not.
        settings_changed: Carries the new `Settings`, whoever changed them.
        draft_changed: Carries whether the next job uses the draft network whatever they say.
        progressed: Carries the `Update` of the running job.
        result_changed: Carries the `Result`, or None when there is none.
    """

    state_changed = Signal(object)
    content_changed = Signal(object)
    start_changed = Signal(object)
    styles_changed = Signal(object)
    weights_changed = Signal()
    settings_changed = Signal(object)
    draft_changed = Signal(bool)
    progressed = Signal(object)
    result_changed = Signal(object)

    def __init__(self, engine: EngineThread, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._tasks = tasks
        self._control: Control | None = None
        self._job: Job | None = None
        self.state = State.IDLE
        self.content: Picture | None = None
        self.start: Picture | None = None
        self.styles: tuple[StyleImage, ...] = ()
        self.settings = DEFAULTS
        self.draft = False
        self.preset: Preset | None = None
        self.result: Result | None = None
        self._retune_timer = QTimer(self, interval=RETUNE_MILLISECONDS, singleShot=True)
        self._retune_timer.timeout.connect(self._retune)
        engine.progressed.connect(self._take_progress)

    @property
    def unsaved(self) -> bool:
        """Whether there is a pastiche that would be lost."""
        return self.result is not None and self.result.path is None

    def set_content(self, picture: Picture | None) -> None:
        """Take another photograph, or none for a texture."""
        self.content = picture
        self.content_changed.emit(picture)

    def set_start(self, picture: Picture | None) -> None:
        """Take another picture to start from."""
        self.start = picture
        self.start_changed.emit(picture)

    def set_styles(self, styles: tuple[StyleImage, ...]) -> None:
        """Take other paintings."""
        self.styles = styles
        self.styles_changed.emit(styles)

    def add_styles(self, pictures: Iterable[Picture]) -> None:
        """Add paintings with full weight."""
        self.set_styles((*self.styles, *map(StyleImage, pictures)))

    def remove_style(self, index: int) -> None:
        """Take a painting out."""
        self.set_styles(self.styles[:index] + self.styles[index + 1 :])

    def set_style_weights(self, weights: tuple[float, ...]) -> None:
        """Take over the shares as the styles pane shows them; a running job follows."""
        pairs = zip(self.styles, weights, strict=True)
        self.styles = tuple(replace(style, weight=weight) for style, weight in pairs)
        self.weights_changed.emit()
        self._retune_soon()

    def set_settings(self, settings: Settings) -> None:
        """Take over settings from the panel, a recipe or the last time; a running job follows."""
        self.settings = settings
        self.settings_changed.emit(settings)
        self._retune_soon()

    def set_draft(self, draft: bool) -> None:
        """Have the next job use the draft network, or the one of the settings."""
        self.draft = draft
        self.draft_changed.emit(draft)

    def choose_preset(self, preset: Preset) -> None:
        """Apply a preset to the settings."""
        self.note_preset(preset)
        self.set_settings(preset.applied_to(self.settings))

    def note_preset(self, preset: Preset | None) -> None:
        """Take over which preset is shown as chosen; the settings stay as they are."""
        self.preset = preset

    async def render(self) -> None:
        """Make a pastiche of the pictures and settings as they are now; returns when it is there.

        Raises:
            Cancelled: It was discarded; the earlier result stands.
            NetworkMissingError: The network weights are not there.
            EngineError: The engine failed; the picture so far is the result, if there was one.
            GramaryeError: Anything else a person can mend; the earlier result stands.
        """
        if self.state is not State.IDLE:
            return
        self._control = control = Control()
        self._enter(State.PREPARING)
        try:
            network, weights = await self._tasks.in_background(
                find_network, self.settings.network, draft=self.draft
            )
            _heed_discard(control)
            settings = self.settings.on(network)
            self._job = job = Job(self.content, self.styles, settings, weights, self.start)
            try:
                pastiche = await self._engine.run(job, control)
            except EngineError as error:
                if error.pastiche is not None:
                    await self._keep(error.pastiche, job, control)
                raise
            await self._keep(pastiche, job, control)
        finally:
            self._control = self._job = None
            self._retune_timer.stop()
            self._enter(State.IDLE)

    def pause(self) -> None:
        """Hold the running job, or let a held one go on."""
        if self._control is None:
            return
        if self.state is State.PAUSED:
            self._control.resume()
            self._enter(State.RUNNING)
        else:
            self._control.pause()
            self._enter(State.PAUSED)

    def stop(self) -> None:
        """Have the running job end now, with what there is."""
        if self._control is not None:
            self._control.stop()
            self._enter(State.STOPPING)

    def discard(self) -> None:
        """Have the running job end now, with nothing."""
        if self._control is not None:
            self._control.discard()
            self._enter(State.STOPPING)

    def mark_saved(self, result: Result, path: Path) -> None:
        """Note where a result lies; one that was replaced meanwhile is none of our business."""
        if result is self.result:
            self._set_result(replace(result, path=path))

    async def _keep(self, pastiche: Pastiche, job: Job, control: Control) -> None:
        # Discarding is offered up to the last moment, long after the engine's last step.
        _heed_discard(control)
        image = await self._tasks.in_background(to_qimage, pastiche.pixels)
        _heed_discard(control)
        self._set_result(Result(pastiche, image, job, _name_for(self.preset, pastiche.settings)))

    def _set_result(self, result: Result) -> None:
        self.result = result
        self.result_changed.emit(result)

    def _enter(self, state: State) -> None:
        self.state = state
        self.state_changed.emit(state)

    def _retune_soon(self) -> None:
        if self.state in (State.PREPARING, State.RUNNING, State.PAUSED):
            self._retune_timer.start()

    @Slot()
    def _retune(self) -> None:
        weights = tuple(style.weight for style in self.styles)
        # While the one painting in use is dragged through 0 there is no blend to follow.
        if self._control is not None and self._job is not None and any(weights):
            settings = self.settings.on(self._job.settings.network)
            self._control.retune(Retune(settings, weights))

    @Slot(object)
    def _take_progress(self, update: Update) -> None:
        if self.state is State.PREPARING and update.progress.stage is Stage.RUNNING:
            self._enter(State.RUNNING)
        self.progressed.emit(update)


def _heed_discard(control: Control) -> None:
    if control.discarded:
        raise Cancelled


def _name_for(preset: Preset | None, settings: Settings) -> str:
    """The preset's name if these settings are its own, which a retune may have changed."""
    if preset is None:
        return ""
    # The job may have used another network, with stand-ins for layers it lacks.
    own = preset.applied_to(settings).on(settings.network) == settings
    return preset.name if own else ""
