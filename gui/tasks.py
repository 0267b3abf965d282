"""Coroutines that clicks start, and the executor for the file work they await."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Tasks:
    """Keeps every running coroutine referenced and hands what it raises to one place."""

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._running: set[asyncio.Task[None]] = set()
        self._executor = ThreadPoolExecutor(max_workers=2, thread_name_prefix="files")

    def start(self, story: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine; what it raises goes to `failed`."""
        task = asyncio.get_running_loop().create_task(self._told(story))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def in_background(
        self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Await a function that reads, writes or decodes, off the window's thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: function(*args, **kwargs))

    async def close(self) -> None:
        """Cancel every coroutine but the calling one, and wait for them and for the file work."""
        others = self._running - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        # Idle by now but for work that cannot be interrupted, such as decoding one picture.
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _told(self, story: Coroutine[Any, Any, None]) -> None:
        try:
            await story
        except Exception as error:
            self._failed(error)
