"""What each action and pane sets going: the one list of who calls whom."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any

from gui.base.states import Action
from gui.base.tasks import Tasks
from gui.canvas.compare import CompareMode
from gui.inputs.opening import Role
from gui.session.preferences import Theme

if TYPE_CHECKING:
    from gui.app.shell import Shell

Story = Callable[..., Coroutine[Any, Any, Any]]

MODES = {
    Action.COMPARE_RESULT: CompareMode.RESULT,
    Action.COMPARE_SLIDER: CompareMode.SLIDER,
    Action.COMPARE_SIDE_BY_SIDE: CompareMode.SIDE_BY_SIDE,
}
THEMES = {
    Action.THEME_SYSTEM: Theme.SYSTEM,
    Action.THEME_LIGHT: Theme.LIGHT,
    Action.THEME_DARK: Theme.DARK,
}


def connect_actions(shell: Shell) -> None:
    """Have every action do what it says."""
    window, session, memory = shell.window, shell.session, shell.memory
    opening, saving, commands = shell.opening, shell.saving, shell.commands
    stories: dict[Action, Story] = {
        Action.OPEN_CONTENT: partial(opening.choose, Role.CONTENT),
        Action.ADD_STYLE: partial(opening.choose, Role.STYLE),
        Action.OPEN_START: partial(opening.choose, Role.START),
        Action.PASTE_CONTENT: partial(opening.paste, Role.CONTENT),
        Action.PASTE_STYLE: partial(opening.paste, Role.STYLE),
        Action.SAVE: saving.save_as,
        Action.SAVE_AS: saving.save_as,
        Action.COPY_IMAGE: partial(commands.copy_image, shell.tasks),
        Action.QUIT: shell.leaving.close,
        Action.RENDER: commands.render,
        Action.NETWORK: commands.show_network,
        Action.SHORTCUTS: shell.helping.show_shortcuts,
        Action.SYSTEM_INFORMATION: shell.helping.show_system_information,
        Action.ABOUT: shell.helping.show_about,
    }
    canvas = window.result_pane
    deeds: dict[Action, Callable[[], object]] = {
        Action.FIT: canvas.fit,
        Action.ACTUAL_SIZE: canvas.actual_size,
        Action.ZOOM_IN: canvas.zoom_in,
        Action.ZOOM_OUT: canvas.zoom_out,
        Action.PAUSE: session.pause,
        Action.STOP: session.stop,
        Action.DISCARD: session.discard,
        Action.OPEN_LOGS: shell.helping.open_logs,
    }
    deeds |= {action: partial(canvas.set_mode, mode) for action, mode in MODES.items()}
    deeds |= {action: partial(memory.change, theme=theme) for action, theme in THEMES.items()}
    deeds |= {action: _starting(shell.tasks, story) for action, story in stories.items()}
    for action, deed in deeds.items():
        window.actions_by_name[action].triggered.connect(_without_checked(deed))
    window.actions_by_name[Action.DRAFT].triggered.connect(session.set_draft)
    curves = window.actions_by_name[Action.LOSS_CURVES]
    curves.toggled.connect(lambda shown: memory.change(loss_curves=shown))


def connect_panes(shell: Shell) -> None:
    """Have every pane's signal arrive where it is answered."""
    window, session = shell.window, shell.session
    opening, desk = shell.opening, shell.desk
    tell = partial(_starting, shell.tasks)
    window.close_requested.connect(tell(shell.leaving.close))
    window.dropped.connect(tell(partial(opening.take, Role.CONTENT)))
    window.menus.contents.chosen.connect(tell(partial(opening.open_one, Role.CONTENT)))
    window.menus.styles.chosen.connect(tell(partial(opening.open_one, Role.STYLE)))
    content, styles, page = window.content_pane, window.styles_pane, window.network_page
    content.open_requested.connect(tell(partial(opening.choose, Role.CONTENT)))
    content.removed.connect(tell(opening.remove_content))
    content.dropped.connect(tell(partial(opening.take, Role.CONTENT)))
    styles.add_requested.connect(tell(partial(opening.choose, Role.STYLE)))
    styles.removed.connect(tell(opening.remove_style))
    styles.dropped.connect(tell(partial(opening.take, Role.STYLE)))
    styles.weights_changed.connect(session.set_style_weights)
    start = window.result_pane.start_page
    start.sample_chosen.connect(tell(opening.open_sample))
    start.content_chosen.connect(tell(partial(opening.open_one, Role.CONTENT)))
    start.style_chosen.connect(tell(partial(opening.open_one, Role.STYLE)))
    window.menus.samples.chosen.connect(tell(opening.open_sample))
    window.start_row.open_requested.connect(tell(partial(opening.choose, Role.START)))
    window.preset_bar.chosen.connect(session.choose_preset)
    window.parameter_panel.changed.connect(session.set_settings)
    window.parameter_panel.advanced_unfolded.connect(
        lambda shown: shell.memory.change(advanced=shown)
    )
    page.download_requested.connect(tell(desk.download))
    page.locate_requested.connect(tell(desk.locate))
    page.cancel_requested.connect(desk.cancel)
    page.dismissed.connect(partial(window.show_network_page, False))
    line = window.network_line
    line.download_requested.connect(tell(shell.commands.show_network))
    line.locate_requested.connect(tell(desk.locate))
    line.dismissed.connect(partial(shell.memory.change, vgg_offered=True))
    desk.page_needed.connect(partial(window.show_network_page, True))
    desk.settled.connect(partial(window.show_network_page, False))


def _starting(tasks: Tasks, story: Story) -> Callable[..., None]:
    """A slot that sets a story going with whatever the signal carries."""

    def start(*carried: object) -> None:
        tasks.start(story(*carried))

    return start


def _without_checked(deed: Callable[[], object]) -> Callable[[bool], None]:
    def do(_checked: bool) -> None:
        deed()

    return do
