import asyncio
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


def test_what_a_story_raises_is_told(tasks, failures, qtbot):
    async def story():
        raise ValueError("broken")

    tasks.start(story)
    qtbot.waitUntil(lambda: [str(error) for error in failures] == ["broken"])


def test_closing_waits_for_a_file_that_is_being_written(tasks, loop, qtbot):
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
    qtbot.wait(30)
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
    qtbot.wait(10)
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
