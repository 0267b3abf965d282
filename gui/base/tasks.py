"""Coroutines that clicks start, and the executor for the file work they await."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Tasks:
    """Keeps every running story referenced and hands what it raises to one place.

    A story is a coroutine function. It is called only once its turn has come, so that no coroutine
    is ever left behind that nobody awaits.
    """

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._running: set[asyncio.Task[None]] = set()
        self._file_work: set[Future[Any]] = set()
        self._closing = False
        self._executor = ThreadPoolExecutor(max_workers=2, thread_name_prefix="files")

    def start(
        self, story: Callable[P, Coroutine[Any, Any, object]], /, *args: P.args, **kwargs: P.kwargs
    ) -> None:
        """Run a story, but none once closing has begun; what it raises goes to `failed`."""
        if self._closing:
            return
        told = self._told(partial(story, *args, **kwargs))
        task = asyncio.get_running_loop().create_task(told)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def starter(
        self, story: Callable[..., Coroutine[Any, Any, object]], /, *args: object
    ) -> Callable[..., None]:
        """A slot that starts a story with these arguments and whatever the signal carries."""

        def start(*carried: object) -> None:
            self.start(story, *args, *carried)

        return start

    @property
    def closing(self) -> bool:
        """Whether nothing that is still under way is waited for any more, but its end."""
        return self._closing

    async def in_background(
        self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Await a function that reads, writes or decodes, off the window's thread."""
        work = self._executor.submit(function, *args, **kwargs)
        self._file_work.add(work)
        work.add_done_callback(self._file_work.discard)
        return await asyncio.wrap_future(work)

    async def close(self) -> None:
        """Start nothing more, cancel all stories but the calling one, and wait for their ends.

        File work that has begun is waited for too: a file half written would be lost.
        """
        self._closing = True
        others = self._running - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        work = [asyncio.wrap_future(each) for each in tuple(self._file_work)]
        await asyncio.gather(*work, return_exceptions=True)
        self._executor.shutdown(wait=False)

    async def _told(self, story: Callable[[], Coroutine[Any, Any, object]]) -> None:
        try:
            await story()
        except Exception as error:
            self._failed(error)
