from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QPushButton, QSpinBox, QToolButton, QWidget

from gui.app.actions import Action
from gui.base.states import State


def controls(shell):
    window, inputs = shell.window, shell.inputs
    buttons = [
        window.findChild(QPushButton, name)
        for name in (
            "openContentButton", "removeContentButton", "addStyleButton", "openStartButton",
        )
    ]  # fmt: skip
    remove = window.findChild(QToolButton, "styleRemove_0")
    return [*buttons, remove, inputs.recent_contents, inputs.recent_styles, inputs.samples]


def drag(widget, path):
    """Drag a file over a widget and let it go; whether it would be taken."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    how = Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    event = QDragEnterEvent(QPoint(5, 5), *how)
    QApplication.sendEvent(widget, event)
    QApplication.sendEvent(widget, QDropEvent(QPointF(5, 5), *how))
    return event.isAccepted()


def test_what_changes_the_pictures_rests_while_a_job_runs(running, qtbot):
    window = running.window
    assert not any(control.isEnabled() for control in controls(running))
    assert window.findChild(QSpinBox, "styleWeight_0").isEnabled()
    running.session.pause()
    assert not any(control.isEnabled() for control in controls(running))
    running.session.stop()
    qtbot.waitUntil(lambda: running.session.state is State.IDLE)
    assert all(control.isEnabled() for control in controls(running))


def test_nothing_can_be_dropped_anywhere_while_a_job_runs(running, painting, qtbot):
    window, inputs = running.window, running.inputs
    for widget in (window, inputs.content_pane, inputs.styles_pane):
        assert not drag(widget, painting)
    assert not any(each.isVisible() for each in window.findChildren(QWidget, "dropHighlight"))
    assert len(running.session.styles) == 1
    assert not running.dialogs.reports
    running.session.stop()
    qtbot.waitUntil(lambda: running.session.state is State.IDLE)
    assert drag(inputs.styles_pane, painting)
    qtbot.waitUntil(lambda: len(running.session.styles) == 2)


def test_the_pastiche_is_copied_and_can_be_pasted(loaded, finish, qtbot):
    finish(loaded.session.render())
    clipboard = QGuiApplication.clipboard()
    clipboard.setText("words")
    loaded.window.actions_by_name[Action.COPY_IMAGE].trigger()
    qtbot.waitUntil(lambda: clipboard.mimeData().hasFormat("image/png"))
    copied = QImage.fromData(clipboard.mimeData().data("image/png"))
    image = loaded.session.result.image
    assert copied.convertToFormat(image.format()) == image
    loaded.window.actions_by_name[Action.PASTE_CONTENT].trigger()
    qtbot.waitUntil(lambda: loaded.session.content.name == "Pasted picture")


def test_pasting_from_an_empty_clipboard_says_so(loaded, qtbot):
    QGuiApplication.clipboard().clear()
    loaded.window.actions_by_name[Action.PASTE_CONTENT].trigger()
    qtbot.waitUntil(lambda: bool(loaded.dialogs.reports))
    assert "clipboard" in loaded.dialogs.reports[0].message


def test_the_name_of_a_recent_file_is_shown_as_it_is_written(loaded):
    loaded.inputs.recent_styles.show_files(("/a/<b>x.png",))
    (entry,) = loaded.inputs.recent_styles.actions()
    assert "&lt;b&gt;x.png" in entry.toolTip()
    assert entry.data() == "/a/<b>x.png"
