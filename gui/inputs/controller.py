"""What becomes of a picture that is chosen, dropped or removed, and which ones the panes show."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QMenu, QWidget

from engine.spec.choices import Start
from engine.spec.pictures import Picture, StyleImage
from engine.spec.settings import Settings
from gui.base.states import State
from gui.base.tasks import Tasks
from gui.inputs.content_pane import ContentPane
from gui.inputs.dropping import DropTarget
from gui.inputs.opening import Opening, Role
from gui.inputs.picture_menus import RecentMenu, SampleMenu
from gui.inputs.samples import SAMPLE_PAIRS, sample_thumbnail
from gui.inputs.start_page import StartPage
from gui.inputs.start_row import StartRow
from gui.inputs.styles_pane import StylesPane
from gui.session.preferences import Memory, Preferences
from gui.session.session import Session


class InputsController(QObject):
    """Makes everything pictures come in through, and keeps it true to the session.

    Attributes:
        content_pane, styles_pane, start_row: The photograph, the paintings, the start.
        start_page: What is offered before there is a pastiche.
        recent_contents, recent_styles, samples: Menus that offer pictures.
    """

    def __init__(
        self,
        session: Session,
        opening: Opening,
        memory: Memory,
        tasks: Tasks,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._opening = opening
        self._tasks = tasks
        self._beside: list[DropTarget] = []
        self.content_pane = ContentPane()
        self.styles_pane = StylesPane()
        self.start_row = StartRow()
        self.start_page = StartPage()
        self.recent_contents = RecentMenu("Open &recent content", "recentContentsMenu")
        self.recent_styles = RecentMenu("Add recent st&yle", "recentStylesMenu")
        self.samples = SampleMenu()
        self._connect_panes()
        self._connect_offers()
        session.content_changed.connect(self._show_content)
        session.styles_changed.connect(self._show_styles)
        session.start_changed.connect(self.start_row.show_picture)
        session.settings_changed.connect(self._show_settings)
        session.state_changed.connect(self._show_state)
        memory.changed.connect(self._show_preferences)
        if session.settings.start is not Start.PICTURE:
            self.start_row.hide()
        self._show_preferences(memory.now)

    @property
    def menus(self) -> tuple[QMenu, ...]:
        """The menus that offer pictures, in the order to show them."""
        return self.recent_contents, self.recent_styles, self.samples

    def accept_drops(self, widget: QWidget) -> None:
        """Have pictures that are dropped on a widget beside the panes opened as photographs."""
        target = DropTarget(widget)
        target.dropped.connect(self._tasks.starter(self._opening.take, Role.CONTENT))
        self._beside.append(target)

    async def show_samples(self) -> None:
        """Put small copies of the sample pictures on the start page."""
        files = {file for pair in SAMPLE_PAIRS for file in (pair.painting, pair.photograph)}
        in_background = self._tasks.in_background
        self.start_page.show_samples(
            {file: await in_background(sample_thumbnail, file) for file in files}
        )

    def _connect_panes(self) -> None:
        opening, starter = self._opening, self._tasks.starter
        content, styles = self.content_pane, self.styles_pane
        content.open_requested.connect(starter(opening.choose, Role.CONTENT))
        content.dropped.connect(starter(opening.take, Role.CONTENT))
        content.removed.connect(starter(opening.remove_content))
        styles.add_requested.connect(starter(opening.choose, Role.STYLE))
        styles.dropped.connect(starter(opening.take, Role.STYLE))
        styles.removed.connect(starter(opening.remove_style))
        styles.weights_changed.connect(self._session.set_style_weights)
        self.start_row.open_requested.connect(starter(opening.choose, Role.START))

    def _connect_offers(self) -> None:
        opening, page, starter = self._opening, self.start_page, self._tasks.starter
        for chosen in (self.recent_contents.chosen, page.content_chosen):
            chosen.connect(starter(opening.open_one, Role.CONTENT))
        for chosen in (self.recent_styles.chosen, page.style_chosen):
            chosen.connect(starter(opening.open_one, Role.STYLE))
        for chosen in (self.samples.chosen, page.sample_chosen):
            chosen.connect(starter(opening.open_sample))

    @Slot(object)
    def _show_content(self, picture: Picture | None) -> None:
        self.content_pane.show_picture(picture)
        self._show_step()

    @Slot(object)
    def _show_styles(self, styles: tuple[StyleImage, ...]) -> None:
        self.styles_pane.set_styles(styles)
        self._show_step()

    def _show_step(self) -> None:
        session = self._session
        self.start_page.show_step(content=session.content is not None, styles=bool(session.styles))

    @Slot(object)
    def _show_settings(self, settings: Settings) -> None:
        self.start_row.setVisible(settings.start is Start.PICTURE)

    @Slot(object)
    def _show_state(self, state: State) -> None:
        """Close every way in for pictures while a job uses them, or open it again."""
        running = state is not State.IDLE
        for part in (
            self.content_pane,
            self.styles_pane,
            self.start_row,
            self.recent_contents,
            self.recent_styles,
            self.samples,
        ):
            part.set_running(running)
        for target in self._beside:
            target.set_enabled(not running)

    @Slot(object)
    def _show_preferences(self, preferences: Preferences) -> None:
        self.recent_contents.show_files(preferences.contents)
        self.recent_styles.show_files(preferences.styles)
        self.start_page.show_recent(preferences.contents, preferences.styles)
