"""What runs beside a test, and ends with it also where the test fails."""

import contextlib
import threading

LIMIT = 60  # seconds that a thread may take to end


@contextlib.contextmanager
def threads(*targets, names=(), until=None):
    """Threads that call these functions while the block runs. After it `until`, an event that they
    wait for, is set, and they have to end."""
    running = [
        threading.Thread(target=target, name=name, daemon=True)
        for target, name in zip(targets, [*names, *[None] * len(targets)])
    ]
    for thread in running:
        thread.start()
    try:
        yield running
    finally:
        if until is not None:
            until.set()
        for thread in running:
            thread.join(LIMIT)
    assert [thread.name for thread in running if thread.is_alive()] == []
