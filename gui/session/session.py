"""The controller: what is asked of the next job, the job that runs, what it made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QImage

from engine.run.control import Control
from engine.spec.choices import NetworkName
from engine.spec.job import Job, Retune
from engine.spec.outcome import Ending, Outcome, Pastiche
from engine.spec.pictures import Picture, PictureRef, StyleImage
from engine.spec.progress import Stage
from engine.spec.request import Request, StyleRef
from engine.spec.settings import Settings
from engine.storage.presets import Preset
from gui.base.qimages import to_qimage
from gui.base.states import State
from gui.base.tasks import Tasks
from gui.session.engine_thread import EngineThread
from gui.session.mailbox import Update
from gui.session.network_choice import refuse_without_weights

RETUNE_MILLISECONDS = 100
"""A slider being dragged is let run for this long before the job hears of it."""


@dataclass(frozen=True, eq=False)
class Result:
    """A pastiche and how it came to be.

    Attributes:
        outcome: What the engine made.
        image: The same to be shown.
        content: The photograph it was made from; None for a texture.
        preset: The preset it was made with; empty if its settings were the person's own.
        path: Where it was saved; None while it is not.
    """

    outcome: Outcome
    image: QImage
    content: Picture | None
    preset: str = ""
    path: Path | None = None

    @property
    def pastiche(self) -> Pastiche:
        """The picture itself."""
        assert self.outcome.pastiche is not None, "a result is a picture"
        return self.outcome.pastiche

    @property
    def complete(self) -> bool:
        """Whether the job went to its end."""
        return self.outcome.ending is Ending.FINISHED


_Opened = tuple[str, str, str]


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
        self._opened: dict[_Opened, Picture] = {}
        self.state = State.IDLE
        self.request = Request()
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

    @property
    def settings(self) -> Settings:
        """As they are set now."""
        return self.request.settings

    @property
    def content(self) -> Picture | None:
        """The photograph."""
        ref = self.request.content
        return None if ref is None else self._opened[_key(ref)]

    @property
    def start(self) -> Picture | None:
        """The picture to start from."""
        ref = self.request.start
        return None if ref is None else self._opened[_key(ref)]

    @property
    def styles(self) -> tuple[StyleImage, ...]:
        """The paintings with their shares."""
        return tuple(StyleImage(self._opened[_key(s)], s.weight) for s in self.request.styles)

    @property
    def asked(self) -> Request:
        """What the next job would be asked: the request, with the draft network if that is on."""
        if not self.draft:
            return self.request
        return self.request.asking(self.settings.on(NetworkName.DRAFT))

    def set_content(self, picture: Picture | None) -> None:
        """Take another photograph, or none for a texture."""
        self._ask(picture, content=picture and picture.ref)
        self.content_changed.emit(picture)

    def set_start(self, picture: Picture | None) -> None:
        """Take another picture to start from."""
        self._ask(picture, start=picture and picture.ref)
        self.start_changed.emit(picture)

    def set_styles(self, styles: tuple[StyleImage, ...]) -> None:
        """Take other paintings."""
        refs = tuple(StyleRef.of(style.picture, style.weight) for style in styles)
        self._ask(*(style.picture for style in styles), styles=refs)
        self.styles_changed.emit(styles)

    def add_styles(self, pictures: Iterable[Picture]) -> None:
        """Add paintings with full weight."""
        self.set_styles((*self.styles, *map(StyleImage, pictures)))

    def remove_style(self, index: int) -> None:
        """Take a painting out."""
        self.set_styles(self.styles[:index] + self.styles[index + 1 :])

    def set_style_weights(self, weights: tuple[float, ...]) -> None:
        """Take over the shares as the styles pane shows them; a running job follows."""
        pairs = zip(self.request.styles, weights, strict=True)
        self._ask(styles=tuple(s.model_copy(update={"weight": weight}) for s, weight in pairs))
        self.weights_changed.emit()
        self._retune_soon()

    def set_settings(self, settings: Settings) -> None:
        """Take over settings from the panel, a recipe or the last time; a running job follows."""
        self._ask(settings=settings)
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

        If it is discarded, the earlier result stands.

        Raises:
            NetworkMissingError: The network weights are not there.
            EngineError: The engine failed; the picture so far is the result, if there was one.
            GramaryeError: Anything else a person can mend; the earlier result stands.
        """
        if self.state is not State.IDLE:
            return
        self._control = control = Control()
        request = self.asked
        pictures = {picture.sha256: picture for picture in self._opened.values()}
        content = self.content
        self._enter(State.PREPARING)
        try:
            await self._tasks.in_background(refuse_without_weights, request.settings.network)
            if control.discarded:
                return
            outcome = await self._engine.run(Job(request, pictures), control)
            if outcome.pastiche is not None:
                image = await self._tasks.in_background(to_qimage, outcome.pastiche.pixels)
                # Discarding is offered up to the last moment, long after the engine's last step.
                if not control.discarded:
                    preset = _name_for(self.preset, outcome.final.settings)
                    self._set_result(Result(outcome, image, content, preset))
            if outcome.error is not None:
                raise outcome.error
        finally:
            self._control = None
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

    def _ask(self, *opened: Picture | None, **values: object) -> None:
        """Change the request, and hold the pictures that it names."""
        self.request = self.request.model_copy(update=values)
        refs = (self.request.content, self.request.start, *self.request.styles)
        held = self._opened | {_key(picture.ref): picture for picture in opened if picture}
        self._opened = {_key(ref): held[_key(ref)] for ref in refs if ref is not None}

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
        shares = self.request.shares
        # While the one painting in use is dragged through 0 there is no blend to follow.
        if self._control is not None and any(shares):
            self._control.retune(Retune(self.asked.settings, shares))

    @Slot(object)
    def _take_progress(self, update: Update) -> None:
        if self.state is State.PREPARING and update.progress.stage is Stage.RUNNING:
            self._enter(State.RUNNING)
        self.progressed.emit(update)


def _name_for(preset: Preset | None, settings: Settings) -> str:
    """The preset's name if these settings are its own, which a retune may have changed."""
    if preset is None:
        return ""
    # A draft is asked for with the layers that its network has.
    own = preset.applied_to(settings).on(settings.network) == settings
    return preset.name if own else ""


def _key(ref: PictureRef) -> _Opened:
    """What tells opened pictures apart: copies of one file may have different names."""
    return ref.sha256, ref.name, ref.path
