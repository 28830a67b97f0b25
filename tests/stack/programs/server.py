"""Asyncio: one task computes, some sleep, one waits for another."""

import asyncio
import time


def compute():
    end = time.monotonic() + 0.02
    while time.monotonic() < end:
        pass


async def computing():
    while True:
        compute()
        await asyncio.sleep(0.001)


async def sleeping():
    while True:
        await asyncio.sleep(0.01)


async def inner():
    await asyncio.sleep(1000)


async def waiting():
    await inner()


async def main():
    tasks = [asyncio.create_task(computing(), name="computes")]
    tasks += [asyncio.create_task(waiting(), name=f"waits-{i}") for i in range(20)]
    tasks.append(asyncio.create_task(sleeping(), name="sleeps"))
    await asyncio.gather(*tasks)


asyncio.run(main())
