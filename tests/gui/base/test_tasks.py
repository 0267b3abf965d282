import asyncio
import gc
import threading

import pytest

from gui.base.tasks import Tasks


@pytest.fixture
def failures():
    return []


@pytest.fixture
def tasks(loop, finish, failures):
    tasks = Tasks(failures.append)
    yield tasks
    finish(tasks.close())


async def turns():
    """Let whatever can go on go on."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_what_a_story_raises_is_told(tasks, failures, qtbot):
    async def story():
        raise ValueError("broken")

    tasks.start(story)
    qtbot.waitUntil(lambda: [str(error) for error in failures] == ["broken"])


def test_closing_waits_for_a_file_that_is_being_written(tasks, finish, loop, qtbot):
    begun, may_end, written = threading.Event(), threading.Event(), []

    def write():
        begun.set()
        may_end.wait(5)
        written.append("whole")

    async def save():
        await tasks.in_background(write)

    tasks.start(save)
    qtbot.waitUntil(begun.is_set)
    closing = loop.create_task(tasks.close())
    finish(turns())
    assert not closing.done()
    may_end.set()
    qtbot.waitUntil(closing.done)
    assert written == ["whole"]


def test_closing_does_not_begin_what_still_waits_for_its_turn(tasks, finish, loop, qtbot):
    may_end, begun = threading.Event(), []

    def wait(name):
        begun.append(name)
        may_end.wait(5)

    async def story(name):
        await tasks.in_background(wait, name)

    for name in ("one", "two", "three"):
        tasks.start(story, name)
    qtbot.waitUntil(lambda: len(begun) == 2)
    closing = loop.create_task(tasks.close())
    finish(turns())
    may_end.set()
    qtbot.waitUntil(closing.done)
    assert sorted(begun) == ["one", "two"]


def test_once_closing_has_begun_no_story_starts(tasks, finish, failures):
    told = []

    async def story():
        told.append("started")

    async def last_words():
        try:
            await asyncio.Event().wait()
        finally:
            tasks.start(story)

    tasks.start(last_words)

    async def close():
        await asyncio.sleep(0)
        await tasks.close()
        tasks.start(story)
        await asyncio.sleep(0)

    finish(close())
    assert told == []
    assert failures == []


def test_a_slot_starts_its_story_with_what_the_signal_carries(tasks, finish):
    told = []

    async def story(*given):
        told.append(given)

    slot = tasks.starter(story, "always")
    slot()
    slot(1, 2)
    finish(turns())
    assert told == [("always",), ("always", 1, 2)]


def test_a_story_whose_turn_never_came_leaves_no_coroutine_unawaited(tasks, finish, recwarn):
    told = []

    async def story():
        told.append("begun")

    async def start_and_close():
        tasks.start(story)
        await tasks.close()

    finish(start_and_close())
    gc.collect()
    assert told == []
    assert list(recwarn) == []
