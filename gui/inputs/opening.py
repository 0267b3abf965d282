"""How pictures come in: chosen, dropped, pasted, recent, named at the start; with recipes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import QDir, QObject, Signal
from PySide6.QtGui import QGuiApplication

from engine.spec.errors import GramaryeError, InputError
from engine.spec.parameters import Group
from engine.spec.pictures import Picture, StyleImage
from engine.spec.settings import PARAMETERS
from engine.storage.images import (
    OPEN_SUFFIXES,
    open_bytes,
    open_picture,
    open_whole,
    picture_from_pixels,
)
from engine.storage.places import Places
from engine.storage.recipes import Recipe, parse_recipe
from gui.base.dialogs import Dialogs
from gui.base.qimages import from_qimage
from gui.base.states import State
from gui.base.tasks import Tasks
from gui.inputs.dropping import Dropped, dropped_from
from gui.inputs.samples import SamplePair
from gui.session.preferences import Memory, with_recent
from gui.session.session import Session


class Role(Enum):
    """What a picture is for."""

    CONTENT = auto()
    STYLE = auto()
    START = auto()


class OwnWork(Enum):
    """What to do with a picture that carries a recipe."""

    RESTORE = auto()
    OPEN = auto()


TITLES = {
    Role.CONTENT: "Open content image",
    Role.STYLE: "Add style images",
    Role.START: "Open a picture to start from",
}


class Opening(QObject):
    """Brings pictures into the session.

    Of several photographs, or pictures to start from, that are being read at once the one asked
    for last is taken, however long the others take.

    Attributes:
        noticed: Carries a sentence on something done or left undone.
    """

    noticed = Signal(str)

    def __init__(
        self,
        session: Session,
        tasks: Tasks,
        dialogs: Dialogs,
        memory: Memory,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._tasks = tasks
        self._dialogs = dialogs
        self._memory = memory
        self._requests: Counter[Role] = Counter()

    async def choose(self, role: Role) -> None:
        """Ask for files and open them."""
        self._refuse_while_busy()
        recent = self._recent(role)
        folder = str(Path(recent[0]).parent) if recent else QDir.homePath()
        several = role is Role.STYLE
        paths = await self._dialogs.open_pictures(
            TITLES[role], folder, OPEN_SUFFIXES, several=several
        )
        await self.open(role, paths)

    async def take(self, role: Role, dropped: Dropped) -> None:
        """Open what was dropped."""
        if dropped.paths:
            await self.open(role, dropped.paths)
            return
        request = self._request(role)
        picture = await self._tasks.in_background(_without_file, dropped)
        self._use(role, request, picture)

    async def paste(self, role: Role) -> None:
        """Open what is in the clipboard."""
        # An empty clipboard is nothing at all on some platforms.
        mime = QGuiApplication.clipboard().mimeData()
        dropped = dropped_from(mime) if mime is not None else None
        if dropped is None:
            raise InputError(
                "There is no picture in the clipboard.", "Copy a picture or a file first."
            )
        await self.take(role, dropped)

    async def open(self, role: Role, paths: tuple[Path, ...]) -> None:
        """Open files: for the content and the start the first, for the style all that can be read.

        Raises:
            InputError: A file cannot be used, or a job is using the pictures; what could be opened
                has been.
        """
        if not paths:
            return
        request = self._request(role)
        if role is not Role.STYLE:
            if len(paths) > 1:
                self.noticed.emit(f"Only the first of {len(paths)} pictures was opened.")
            paths = paths[:1]
        pictures, failures = [], []
        for path in paths:
            try:
                pictures.append(await self._read(role, request, path))
            except GramaryeError as error:
                failures.append(error)
        self._use(role, request, *filter(None, pictures))
        if failures:
            others = len(failures) - 1
            also = f" So it is with {others} more." if others else ""
            raise InputError(failures[0].message + also, failures[0].remedy)

    async def open_one(self, role: Role, path: Path) -> None:
        """Open one file; see `open`."""
        await self.open(role, (path,))

    async def open_sample(self, pair: SamplePair) -> None:
        """Open a photograph and a painting of ours in place of what is open."""
        request = self._request(Role.CONTENT)
        read = self._tasks.in_background
        content = await read(_remembered, pair.photograph, self._tells_to_stop(Role.CONTENT))
        style = await read(_remembered, pair.painting, self._tells_to_stop(Role.STYLE))
        self._refuse_while_busy()
        if self._is_latest(Role.CONTENT, request):
            self._session.set_content(content)
            self._session.set_styles((StyleImage(style),))

    async def remove_content(self) -> None:
        """Go on without a photograph, towards a texture."""
        self._request(Role.CONTENT)
        self._session.set_content(None)

    async def remove_style(self, index: int) -> None:
        """Take a painting out."""
        self._refuse_while_busy()
        self._session.remove_style(index)

    async def _read(self, role: Role, request: int, path: Path) -> Picture | None:
        """The picture in a file; None if the settings that made it were all that was wanted."""
        stop = self._tells_to_stop(role)
        if role is not Role.CONTENT:
            return await self._tasks.in_background(_remembered, path, stop)
        picture, recipe, complaint = await self._tasks.in_background(_with_recipe, path, stop)
        if complaint:
            self.noticed.emit(complaint)
        if recipe is None or not self._is_latest(role, request):
            return picture
        return None if await self._restored(picture.name, recipe) else picture

    async def _restored(self, name: str, recipe: Recipe) -> bool:
        """Whether the recipe was what the person wanted, and not the picture itself."""
        answer = await self._dialogs.choose(
            f"{name} was made with Gramarye.",
            f"{_ingredients(recipe)} Bring its settings back, or paint on this picture?",
            {"Restore settings": OwnWork.RESTORE, "Open as picture": OwnWork.OPEN},
        )
        self._refuse_while_busy()
        if answer is OwnWork.RESTORE:
            own = self._session.settings
            # What machine it was made on says nothing about this one.
            machines = [row.name for row in PARAMETERS if row.group is Group.MACHINE]
            settings = recipe.final.settings.model_copy(
                update={name: getattr(own, name) for name in machines}
            )
            self._session.set_settings(settings)
            self.noticed.emit(f"The settings of {name} are back. {_ingredients(recipe)}")
        return answer is not OwnWork.OPEN

    def _request(self, role: Role) -> int:
        """Number what is about to be opened or removed; what is older gives way to it."""
        self._refuse_while_busy()
        self._requests[role] += 1
        return self._requests[role]

    def _tells_to_stop(self, role: Role) -> Callable[[], bool]:
        """What says, asked from any thread, that nobody waits for a picture any more."""
        request = self._requests[role]
        return lambda: self._tasks.closing or not self._is_latest(role, request)

    def _is_latest(self, role: Role, request: int) -> bool:
        return role is Role.STYLE or request == self._requests[role]

    def _use(self, role: Role, request: int, *pictures: Picture) -> None:
        self._refuse_while_busy()
        if not self._is_latest(role, request):
            return
        if role is Role.STYLE:
            self._session.add_styles(pictures)
        elif pictures and role is Role.CONTENT:
            self._session.set_content(pictures[0])
        elif pictures:
            self._session.set_start(pictures[0])
        for picture in pictures:
            if picture.path is not None and role is not Role.START:
                field = "contents" if role is Role.CONTENT else "styles"
                files = with_recent(self._recent(role), picture.path)
                self._memory.change(**{field: files})

    def _recent(self, role: Role) -> tuple[str, ...]:
        now = self._memory.now
        return now.styles if role is Role.STYLE else now.contents

    def _refuse_while_busy(self) -> None:
        if self._session.state is not State.IDLE:
            raise InputError(
                "The pictures cannot be changed while they are being rendered.",
                "Stop or discard the render first.",
            )


def _remembered(path: Path, stop: Callable[[], bool]) -> Picture:
    """A picture, whose place is remembered for recipes that name it."""
    picture = open_picture(path, stop)
    Places().remember({picture.sha256: path})
    return picture


def _with_recipe(path: Path, stop: Callable[[], bool]) -> tuple[Picture, Recipe | None, str]:
    """A picture, its recipe if it has one, and a complaint of what in that cannot be used."""
    opened = open_whole(path, stop)
    picture = opened.picture
    Places().remember({picture.sha256: path})
    if opened.text is None:
        return picture, None, opened.complaint
    try:
        reading = parse_recipe(opened.text, picture.name)
    except InputError as error:
        return picture, None, str(error)
    return picture, reading.recipe, " ".join(reading.notes)


def _without_file(dropped: Dropped) -> Picture:
    name = "Pasted picture"
    if dropped.png:
        return open_bytes(dropped.png, name)
    assert dropped.image is not None
    return picture_from_pixels(from_qimage(dropped.image), name)


def _ingredients(recipe: Recipe) -> str:
    request = recipe.request
    content = request.content.name if request.content else "no photograph"
    styles = ", ".join(style.name for style in request.styles)
    return f"It was made from {content} and {styles}."
