"""Coroutines that clicks start, and the executor for the file work they await."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Tasks:
    """Keeps every running coroutine referenced and hands what it raises to one place."""

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._running: set[asyncio.Task[None]] = set()
        self._file_work: set[Future[Any]] = set()
        self._closing = False
        self._executor = ThreadPoolExecutor(max_workers=2, thread_name_prefix="files")

    def start(self, story: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine, but none once closing has begun; what it raises goes to `failed`."""
        if self._closing:
            story.close()
            return
        task = asyncio.get_running_loop().create_task(self._told(story))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def in_background(
        self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Await a function that reads, writes or decodes, off the window's thread."""
        work = self._executor.submit(function, *args, **kwargs)
        self._file_work.add(work)
        work.add_done_callback(self._file_work.discard)
        return await asyncio.wrap_future(work)

    async def close(self) -> None:
        """Start nothing more, cancel all coroutines but the calling one, and wait for their ends.

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

    async def _told(self, story: Coroutine[Any, Any, None]) -> None:
        try:
            await story
        except Exception as error:
            self._failed(error)
