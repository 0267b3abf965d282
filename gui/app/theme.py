"""Light and dark: Fusion with palettes of our own, neutral greys around pictures and one accent."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QToolTip

from gui.session.preferences import Memory, Theme


@dataclass(frozen=True)
class Colours:
    """One theme's colours, as #rrggbb.

    Attributes:
        window, base, button: Grounds of the window, of fields and lists, of buttons.
        workspace: Ground around pictures: grey without a hue, so that it does not tint them.
        text, muted: Words, and words that stand back (placeholders, disabled controls).
        line: Borders.
        accent, on_accent: What is selected or primary, and words on it.
        link: Words to click.
    """

    window: str
    base: str
    button: str
    workspace: str
    text: str
    muted: str
    line: str
    accent: str
    on_accent: str
    link: str


LIGHT = Colours(
    window="#f2f2f2", base="#ffffff", button="#fafafa", workspace="#cfcfcf",
    text="#1e1e1e", muted="#6b6b6b", line="#c2c2c2",
    accent="#9c3d09", on_accent="#ffffff", link="#9c3d09",
)  # fmt: skip
DARK = Colours(
    window="#2b2b2b", base="#202020", button="#3a3a3a", workspace="#1a1a1a",
    text="#e4e4e4", muted="#9a9a9a", line="#151515",
    accent="#e8833a", on_accent="#1a1a1a", link="#f2a066",
)  # fmt: skip

SCHEMES = {
    Theme.SYSTEM: Qt.ColorScheme.Unknown,
    Theme.LIGHT: Qt.ColorScheme.Light,
    Theme.DARK: Qt.ColorScheme.Dark,
}


class Theming(QObject):
    """Colours the application as the person likes it, and follows the system where they do."""

    def __init__(
        self, application: QApplication, memory: Memory, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._application = application
        self._memory = memory
        application.styleHints().colorSchemeChanged.connect(self._apply)
        self._apply()

    def choose(self, theme: Theme) -> None:
        """Colour it in another way, from now on."""
        self._memory.change(theme=theme)
        self._apply()

    @Slot()
    def _apply(self) -> None:
        apply_theme(self._application, self._memory.now.theme)


def apply_theme(application: QApplication, theme: Theme) -> None:
    """Colour the whole application."""
    if application.style().name() != "fusion":
        application.setStyle("Fusion")
    application.styleHints().setColorScheme(SCHEMES[theme])
    palette = palette_of(colours_of(application, theme))
    application.setPalette(palette)
    QToolTip.setPalette(palette)


def colours_of(application: QApplication, theme: Theme) -> Colours:
    """The colours of a theme; for the system's, of the scheme the system has now."""
    dark = application.styleHints().colorScheme() == Qt.ColorScheme.Dark
    if theme is Theme.DARK or (theme is Theme.SYSTEM and dark):
        return DARK
    return LIGHT


def palette_of(colours: Colours) -> QPalette:
    """All roles of a palette."""
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    window, button = QColor(colours.window), QColor(colours.button)
    roles = {
        role.Window: window,
        role.Base: colours.base,
        role.AlternateBase: colours.window,
        role.Button: button,
        role.Mid: colours.workspace,
        role.Light: button.lighter(112),
        role.Midlight: button.lighter(106),
        role.Dark: window.darker(140),
        role.Shadow: window.darker(220),
        role.WindowText: colours.text,
        role.Text: colours.text,
        role.ButtonText: colours.text,
        role.BrightText: colours.on_accent,
        role.PlaceholderText: colours.muted,
        role.ToolTipBase: colours.base,
        role.ToolTipText: colours.text,
        role.Highlight: colours.accent,
        role.Accent: colours.accent,
        role.HighlightedText: colours.on_accent,
        role.Link: colours.link,
        role.LinkVisited: colours.link,
    }
    palette = QPalette()
    for each, colour in roles.items():
        palette.setColor(each, QColor(colour))
    for each in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(group.Disabled, each, QColor(colours.muted))
    palette.setColor(group.Disabled, role.Highlight, QColor(colours.line))
    return palette


def as_primary(palette: QPalette) -> QPalette:
    """A palette for the one button that matters most: the accent as its ground."""
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    primary = QPalette(palette)
    for each in (group.Active, group.Inactive):
        primary.setColor(each, role.Button, palette.color(each, role.Highlight))
        primary.setColor(each, role.ButtonText, palette.color(each, role.HighlightedText))
    return primary
