"""Tasks that go through chains of coroutines all the time: a chain of a's never ends in a b."""

import asyncio


async def leaf_a():
    await asyncio.sleep(0)
    await asyncio.sleep(0.001)


async def middle_a():
    await leaf_a()


async def leaf_b():
    await asyncio.sleep(0)
    await asyncio.sleep(0.001)


async def middle_b():
    await leaf_b()


async def worker(number):
    await asyncio.sleep(number * 0.0001)
    while True:
        await middle_a()
        await middle_b()


async def short():
    await asyncio.sleep(0.002)


async def starter():
    while True:
        await asyncio.gather(*(short() for _ in range(20)))


async def main():
    await asyncio.gather(starter(), *(worker(i) for i in range(50)))


asyncio.run(main())
