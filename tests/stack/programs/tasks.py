"""Asyncio tasks that wait in every way, one that runs, and many that are alike:
tasks.py [HOW_MANY]."""

import asyncio
import sys
import types


async def sleeper():
    await asyncio.sleep(1000)


async def leaf(event):
    await event.wait()


async def gathered(event):
    await leaf(event)


async def gathers(event):
    await asyncio.gather(
        asyncio.create_task(gathered(event), name="child-1"),
        asyncio.create_task(gathered(event), name="child-2"),
    )


async def awaits_task(event):
    await asyncio.create_task(leaf(event), name="awaited")


async def numbers(event):
    yield 1
    await leaf(event)
    yield 2


async def iterates(event):
    async for _ in numbers(event):
        pass


async def waits_for(event):
    await asyncio.wait_for(leaf(event), 1000)


async def takes(queue):
    await queue.get()


class Custom:
    def __init__(self, event):
        self.event = event

    def __await__(self):
        return (yield from leaf(self.event).__await__())


async def awaits_object(event):
    await Custom(event)


@types.coroutine
def old_style(event):
    yield from event.wait()


async def awaits_old_style(event):
    await old_style(event)


def block(event):
    event.wait()


async def in_thread(event):
    await asyncio.get_running_loop().run_in_executor(None, block, event)


async def grouped(event):
    async with asyncio.TaskGroup() as group:
        group.create_task(leaf(event), name="member")


class Task(asyncio.Task):
    pass


def spin():
    while True:
        sum(range(100))


async def runs():
    await asyncio.sleep(0.05)
    spin()


async def main(many):
    import threading

    event = asyncio.Event()
    blocker = threading.Event()
    started = [
        asyncio.create_task(coroutine, name=name)
        for name, coroutine in {
            "sleeper": sleeper(),
            "gathers": gathers(event),
            "awaits-task": awaits_task(event),
            "iterates": iterates(event),
            "waits-for": waits_for(event),
            "takes": takes(asyncio.Queue()),
            "awaits-object": awaits_object(event),
            "awaits-old-style": awaits_old_style(event),
            "in-thread": in_thread(blocker),
            "näme": sleeper(),
        }.items()
    ]
    if hasattr(asyncio, "TaskGroup"):
        started.append(asyncio.create_task(grouped(event), name="grouped"))
    started.append(Task(sleeper(), name="derived"))
    started.append(
        asyncio.tasks._PyTask(sleeper(), loop=asyncio.get_running_loop(), name="written")
    )
    started += [asyncio.create_task(gathered(event)) for _ in range(many)]
    started.append(asyncio.create_task(runs(), name="runs"))
    await asyncio.gather(*started)


asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
