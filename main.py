"""The door: pictures or nothing open the window; every other command works without one."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # a Ctrl-C while modules are loaded out here would print where it was
    from collections.abc import Sequence
    from typing import NoReturn

    from engine.cli.commands import OpenWindow
    from engine.system.signals import Tell


def main(arguments: Sequence[str] | None = None) -> int:
    """Run Gramarye with command-line arguments and return the exit code; raises nothing."""
    words = sys.argv[1:] if arguments is None else arguments

    def tell(error: BaseException) -> int:
        return _told(error, words)

    try:
        from engine.system.signals import raised
        from engine.system.streams import unfailing

        with unfailing(), raised(tell):
            try:
                return _run(words, tell)
            except BaseException as error:
                return tell(error)
    except BaseException as error:  # before there was any of this, or after
        return tell(error)


def program() -> NoReturn:
    """Run Gramarye as a process of its own."""
    try:
        import signal

        # Before `main` is ready and once it is done, Ctrl-C simply ends the process.
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(main())


def _run(words: Sequence[str], tell: Tell) -> int:
    from engine.cli import commands

    command = commands.parse(words)
    if isinstance(command, commands.OpenWindow):
        return _open_window(command, tell)
    return commands.run(command)


def _open_window(command: OpenWindow, tell: Tell) -> int:
    from engine.system.signals import final
    from gui.app.no_window import no_window

    with final(tell):
        try:
            from gui.app.app import run_window
        except ImportError as error:  # Qt's own, or a library of the system that it needs
            raise no_window(str(error)) from error
        return run_window(command.content, command.styles, tell)


def _told(error: BaseException, words: Sequence[str]) -> int:
    """Say in one sentence what went wrong; returns the exit code."""
    if isinstance(error, SystemExit):  # argparse has said it
        return error.code if isinstance(error.code, int) else 0
    try:
        from engine.cli.failing import tell

        return tell(error, words)
    except Exception as broken:
        why = " ".join(str(broken).split())
        said = f"It is not installed as it should be ({why}). Install it again."
        interrupted = isinstance(error, KeyboardInterrupt)
        print("gramarye:", error if interrupted else said, file=sys.stderr)
        code: int = getattr(error, "exit_code", 130 if interrupted else 3)
        return code


if __name__ == "__main__":
    program()
