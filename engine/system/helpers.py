"""A helper process of one's own: begun, spoken to in lines, watched and killed."""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import subprocess
import sys
import threading

import psutil

from engine.system.exchange import Exchange

# The path first: a file in the current folder is not to stand for a module. What C libraries print
# is for nobody, but what keeps the module from being imported is.
_CODE = (
    "import sys; sys.path[:] = {path}; from {module} import serve; import os; "
    "os.dup2(os.open(os.devnull, os.O_WRONLY), 2); print('ready', flush=True); serve({handle!r})"
)
_NEW_GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
_NO_CONSOLE = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""What Windows is asked for; elsewhere nothing."""


class HelperGone(Exception):  # noqa: N818 - what became of it, not an error of this program
    """The helper has ended.

    Attributes:
        code: Its exit code; a signal's number below 0.
    """

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


class Helper:
    """A Python process that runs `serve(handle)` of a module, until it is killed or its input ends.

    Its first line is `ready`.

    Args:
        module: Which is imported there.

    Attributes:
        exchange: Memory that both see.

    Raises:
        OSError: The system begins no more processes.
    """

    def __init__(self, module: str) -> None:
        self.exchange = Exchange()
        code = _CODE.format(path=sys.path, module=module, handle=self.exchange.handle)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=self.exchange.inherited,
                # Ctrl-C and the end of a terminal are for this process to answer.
                start_new_session=True,
                creationflags=_NEW_GROUP | _NO_CONSOLE,
                # Its threads take longer to begin than all else, and have nothing to do here.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                text=True,
                encoding="ascii",
                errors="replace",
            )
        except BaseException:
            self.exchange.close()
            raise
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        try:
            self._watched = psutil.Process(self._process.pid)
            threading.Thread(target=self._listen, name="helper", daemon=True).start()
        except (psutil.Error, RuntimeError) as error:
            self.kill()
            raise OSError(str(error)) from error
        atexit.register(self.kill)

    @property
    def alive(self) -> bool:
        """Whether it can still be spoken to."""
        return self._process.poll() is None

    @property
    def memory(self) -> int:
        """Bytes it holds; 0 once it has ended."""
        with contextlib.suppress(psutil.Error):
            return int(self._watched.memory_info().rss)
        return 0

    @property
    def seconds(self) -> float:
        """Of the processor's time that it has taken; 0 once it has ended."""
        with contextlib.suppress(psutil.Error):
            times = self._watched.cpu_times()
            return float(times.user + times.system)
        return 0.0

    def say(self, line: str) -> None:
        """Send it a line.

        Raises:
            HelperGone: It has ended.
        """
        assert self._process.stdin is not None, "it was asked for"
        try:
            print(line, file=self._process.stdin, flush=True)
        except OSError as error:
            raise self._gone() from error

    def heard(self, timeout: float) -> str | None:
        """Its next line; None if there is none within so many seconds.

        Raises:
            HelperGone: It has ended.
        """
        try:
            line = self._lines.get(timeout=timeout)
        except queue.Empty:
            return None
        if not line:
            raise self._gone()
        return line

    def complaint(self) -> str:
        """What it said as it failed to begin; only once it has ended."""
        assert self._process.stderr is not None, "it was asked for"
        return self._process.stderr.read()

    def kill(self) -> None:
        """End it, whatever it is doing."""
        atexit.unregister(self.kill)
        self._process.kill()
        self._gone()
        assert self._process.stdin is not None, "it was asked for"
        with contextlib.suppress(OSError):  # what was not yet sent is lost with it
            self._process.stdin.close()
        with contextlib.suppress(OSError):
            self.exchange.close()

    def _gone(self) -> HelperGone:
        # In the kernel's hands, as on a network drive that is lost, it ends later.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        return HelperGone(self._process.returncode)

    def _listen(self) -> None:
        """Runs in a thread of its own: a pipe cannot be waited for with a time limit everywhere."""
        assert self._process.stdout is not None, "it was asked for"
        try:
            with self._process.stdout as lines:
                for line in lines:
                    if line.endswith("\n"):  # else it died in the middle
                        self._lines.put(line)
        finally:
            self._lines.put("")
