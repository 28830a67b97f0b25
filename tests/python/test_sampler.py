"""marey.Sampler and marey.sample: what a process says of itself."""

import asyncio
import contextlib
import itertools
import os
import re
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import beside
import pytest
import stack_samples
import traces

import marey


def spin(seconds):
    """Compute for so long, by the CPU time of this thread."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def seventy(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def twenty(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def ten(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def mixture(rounds=60):
    for _ in range(rounds):
        seventy(0.007)
        twenty(0.002)
        ten(0.001)


def names(rows):
    """Unqualified."""
    return [row.function.rpartition(".")[2] for row in rows]


def row_of(sampler, name):
    [row] = [row for row in sampler.hot(None) if row.function.rpartition(".")[2] == name]
    return row


def samples_in(sampler, name):
    """Of a function and what it called: what other threads do is not part of it."""
    found = [row for row in sampler.hot(None) if row.function.rpartition(".")[2] == name]
    return sum(row.total_samples for row in found)


def stacks(sampler):
    """{("outermost", ..., "innermost"): samples}"""
    found = Counter()
    for line in sampler.folded().splitlines():
        path, _, count = line.rpartition(" ")
        found[tuple(name.rpartition(".")[2] for name in path.split(";"))] += int(count)
    return found


def has_gil():
    return getattr(sys, "_is_gil_enabled", lambda: True)()


def native_threads():
    """The names that the kernel has of this process's threads."""
    found = []
    for task in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError):
            found.append(Path(f"/proc/self/task/{task}/comm").read_text().strip())
    return found


def samplers(count):
    """Whether there are so many sampling threads; soon, for the kernel's list lags behind."""
    end = time.monotonic() + 20
    while native_threads().count("marey sampler") != count:
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture(autouse=True)
def nothing_goes_on():
    yield
    assert samplers(0)


# ------------------------------------------------------------------ what is seen


def needs_gil(mode):
    if mode == "gil" and not has_gil():
        pytest.skip("a free-threaded build has no GIL")


@pytest.mark.parametrize("mode", ["wall", "cpu", "gil"])
def test_shares_are_those_of_the_program(mode):
    needs_gil(mode)
    with marey.sample(hz=2000, mode=mode) as sampler:
        for _ in range(20):
            mixture()
            # On a busy machine few samples are taken, and many at one place.
            if samples_in(sampler, "mixture") > 500 and wrong_shares(sampler) == {}:
                break
    assert samples_in(sampler, "mixture") > 200
    assert wrong_shares(sampler) == {}
    row = row_of(sampler, "seventy")
    assert row.self_share == pytest.approx(row.self_samples / sampler.stats().samples)


def wrong_shares(sampler):
    """Shares of the mixture's functions in it that are not what they are known to be."""
    found = {}
    samples = samples_in(sampler, "mixture")
    for name, share in (("seventy", 0.7), ("twenty", 0.2), ("ten", 0.1)):
        seen = row_of(sampler, name).self_samples / samples
        error = 0.04 + 4 * (share * (1 - share) / samples) ** 0.5
        if seen != pytest.approx(share, abs=error):
            found[name] = seen
    return found


def test_rows_say_where():
    with marey.sample(hz=1000) as sampler:
        spin(0.1)
    row = row_of(sampler, "spin")
    assert row.file == __file__
    assert row.line == spin.__code__.co_firstlineno
    assert row.total_samples >= row.self_samples > 0
    assert row.hot_line is None
    table = str(sampler.hot(None)).splitlines()
    assert table[0].split() == ["SELF", "TOTAL", "FUNCTION"]
    assert any(f"spin ({__file__}:{row.line})" in line for line in table)
    assert len(sampler.hot(1)) == 1 and len(str(sampler.hot(3)).splitlines()) <= 4


def test_the_hot_line():
    def busy():
        total = 0
        for number in range(2_000_000):
            total += number * number % 7  # hot
        return total

    with marey.sample(hz=1000, lines=True) as sampler:
        busy()
    first = busy.__code__.co_firstlineno
    assert row_of(sampler, "busy").hot_line in (first + 2, first + 3)
    assert row_of(sampler, "busy").line == first


def test_recursion_counts_once():
    def deeper(n):
        if n:
            deeper(n - 1)
        else:
            spin(0.1)

    with marey.sample(hz=1000) as sampler:
        deeper(50)
    row = row_of(sampler, "deeper")
    assert row.total_samples <= sampler.stats().samples
    assert row.total_share <= 1
    assert sampler.hot(1, by="total")[0].total_share <= 1


def test_every_stack_is_one_that_the_program_can_have():
    """From the callers of each function: `spin` alone is called by several."""
    callers = {"left": {"work"}, "right": {"work"}, "spin": {"left", "right"}}

    def left():
        spin(0.002)

    def right():
        spin(0.001)

    def work():
        for _ in range(60):
            left()
            right()

    thread = threading.Thread(target=work)
    with marey.sample(hz=5000) as sampler:
        thread.start()
        thread.join()
    seen = [stack for stack in stacks(sampler) if "work" in stack]
    assert seen
    for stack in seen:
        assert stack[:3] == ("_bootstrap", "_bootstrap_inner", "run")
        for caller, function in zip(stack[3:], stack[4:]):
            assert caller in callers[function], stack


def test_all_threads_are_seen():
    stop = threading.Event()
    before = threading.enumerate()

    def first():
        while not stop.is_set():
            spin(0.001)

    def second():
        while not stop.is_set():
            spin(0.001)

    with marey.sample(hz=500) as sampler:
        with beside.threads(first, second, until=stop):
            time.sleep(0.5)
        listed = threading.enumerate()
    assert row_of(sampler, "first").total_samples and row_of(sampler, "second").total_samples
    assert listed == before  # the sampler is none of them


def asleep(seconds):
    time.sleep(seconds)


def test_sleep_is_no_work_unless_it_is_asked_for():
    with marey.sample(hz=500) as busy, marey.sample(hz=500, idle=True) as idle:
        asleep(0.3)
    assert sum(n for stack, n in stacks(busy).items() if "asleep" in stack) < 20
    assert row_of(idle, "asleep").total_samples > 20


def test_native_code_has_a_marker():
    with marey.sample(hz=500, idle=True, native=True) as sampler:
        asleep(0.3)
    assert "<native>" in names(sampler.hot(None))


def test_tasks_have_stacks_of_their_own():
    async def inner():
        await asyncio.sleep(60)

    async def outer():
        await inner()

    async def busy(sampler):
        waits = asyncio.ensure_future(outer())
        for _ in range(400):
            spin(0.005)
            await asyncio.sleep(0.001)
            if expected <= {stack[:3] for stack in stacks(sampler)}:
                break
        waits.cancel()

    async def main():
        async with marey.sample(hz=1000, tasks=True) as sampler:
            await asyncio.create_task(busy(sampler))
        return sampler

    expected = {("<task>", "busy", "spin"), ("<task>", "outer", "inner")}
    assert expected <= {stack[:3] for stack in stacks(asyncio.run(main()))}


def test_tree_is_text():
    with marey.sample(hz=1000) as sampler:
        mixture(20)
    lines = sampler.tree().splitlines()
    assert re.fullmatch(r" TOTAL   SELF  [\d,]+ samples", lines[0])
    rows = [
        re.fullmatch(r" *([\d.]+)% +([\d.]+)%  ( *)(\S.*) \((.*)\)", line) for line in lines[1:]
    ]
    at = {row[4]: number for number, row in enumerate(rows)}
    caller, called = rows[at["mixture"]], rows[at["seventy"]]
    assert at["mixture"] < at["seventy"] and len(called[3]) == len(caller[3]) + 2
    assert float(caller[1]) >= float(called[1]) >= float(called[2]) > 0
    assert called[5] == f"{__file__}:{seventy.__code__.co_firstlineno}"
    roots = sampler.tree(depth=1).splitlines()[1:]
    assert roots and set(roots) == {line for line, row in zip(lines[1:], rows) if not row[3]}
    assert sampler.tree(min_share=1.0).count("\n") < len(lines)


def test_folded_has_places_where_they_are_asked_for():
    with marey.sample(hz=1000) as sampler:
        spin(0.1)
    leaves = [line.split(";")[-1] for line in sampler.folded(places=True).splitlines()]
    assert any(leaf.startswith(f"spin ({__file__}:") for leaf in leaves)


# ---------------------------------------------------------------------- windows
# What leaves a window, and when: tests/unit/test_model_recent.c, which has the time in its hand.


@pytest.mark.parametrize("window", [60, 3600])
def test_a_short_run_is_all_in_the_last_minute(window, path):
    with marey.sample(hz=1000, lines=True) as sampler:
        mixture(20)
    assert sampler.stats().samples > 0
    assert sampler.hot(None, window=window) == sampler.hot(None)
    assert sampler.hot(3, by="total", window=window) == sampler.hot(3, by="total")
    assert sorted(sampler.folded(True, window=window).split()) == sorted(
        sampler.folded(True).split()
    )
    assert sampler.tree(window=window).splitlines()[:3] == sampler.tree().splitlines()[:3]
    sampler.save(path, window=window)
    found = stack_samples.load(path)
    assert sum(sample.samples for sample in found) == sampler.stats().samples


def test_windows_go_on_with_the_sampler():
    with marey.sample(hz=1000) as sampler:
        seventy(0.1)
        sampler.pause()
        before = sampler.hot(None, window=60)
        assert before == sampler.hot(None) and "seventy" in names(before)
        sampler.clear()
        assert sampler.hot(window=60) == [] and sampler.folded(window=3600) == ""
        sampler.resume()
        twenty(0.1)
    assert names(sampler.hot(None, window=3600)) == names(sampler.hot(None))
    assert "seventy" not in names(sampler.hot(None, window=60))


def test_windows_while_all_is_going_on():
    end = time.thread_time() + 0.3
    with marey.sample(hz=5000, max_nodes=64) as sampler:
        while time.thread_time() < end:
            rows = sampler.hot(None, window=60)
            assert sum(row.self_samples for row in rows) <= sampler.stats().samples
            assert sampler.tree(window=3600)
    rows = sampler.hot(None, window=3600)
    assert sum(row.self_samples for row in rows) == sampler.stats().samples


# ------------------------------------------------------------------- on and off


def test_state_goes_from_off_to_on_and_back():
    sampler = marey.Sampler(hz=1000)
    assert sampler.state == "off" and "off" in repr(sampler)
    assert sampler.start() is sampler
    assert sampler.state == "on" and samplers(1)
    sampler.pause()
    assert sampler.state == "paused"
    sampler.resume()
    assert sampler.state == "on"
    sampler.stop()
    assert sampler.state == "off"
    sampler.stop()


def test_on_twice_is_an_error():
    with marey.sample() as sampler, pytest.raises(marey.Error, match="on already"):
        sampler.start()
    for call in (sampler.pause, sampler.resume):
        with pytest.raises(marey.Error, match="not on"):
            call()


def test_paused_it_sees_nothing():
    with marey.sample(hz=1000) as sampler:
        spin(0.05)
        sampler.pause()
        before = sampler.stats()
        seventy(0.05)
        assert sampler.stats().samples == before.samples
        assert sampler.stats().duration == before.duration
        sampler.resume()
        twenty(0.1)
    seen = names(sampler.hot(None))
    assert "spin" in seen and "twenty" in seen and "seventy" not in seen


def test_stopped_and_started_again_it_goes_on():
    sampler = marey.Sampler(hz=1000)
    for work in (seventy, twenty):
        with sampler:
            work(0.1)
        ten(0.05)
    seen = names(sampler.hot(None))
    assert "seventy" in seen and "twenty" in seen and "ten" not in seen
    assert sampler.stats().samples == sum(stacks(sampler).values())


def test_cleared_it_begins_anew():
    with marey.sample(hz=1000) as sampler:
        seventy(0.1)
        sampler.pause()
        sampler.clear()
        assert sampler.hot() == [] and sampler.folded() == ""
        assert sampler.stats().samples == 0
        sampler.resume()
        twenty(0.1)
    assert "seventy" not in names(sampler.hot(None))
    assert row_of(sampler, "twenty").self_samples > 0


def test_another_interval():
    with marey.sample(hz=20) as sampler:
        spin(0.2)
        slow = sampler.stats().samples
        sampler.clear()
        sampler.set_interval(0.001)
        assert sampler.stats().hz == pytest.approx(1000)
        spin(0.2)
    assert sampler.stats().samples > slow


def test_a_long_interval_is_no_long_wait():
    with marey.sample(hz=0.1) as sampler:
        assert sampler.stats().hz == pytest.approx(0.1)
        start = time.monotonic()
    assert time.monotonic() - start < 5


def test_async_with():
    async def main():
        async with marey.sample(hz=1000) as sampler:
            spin(0.1)
            await asyncio.sleep(0)
        return sampler

    assert "spin" in names(asyncio.run(main()).hot(None))


def test_stats_add_up():
    # Of one that waits for a processor before its first tick or after its last nothing is told.
    for _ in range(20):
        with marey.sample(hz=1000) as sampler:
            spin(0.2)
        stats = sampler.stats()
        if stats.ticks + stats.missed > stats.duration * 950:
            break
    assert stats.hz == pytest.approx(1000)
    assert stats.samples == sum(stacks(sampler).values())
    assert 0 < stats.achieved_hz < 1100
    assert 0 <= stats.jitter <= stats.jitter_max
    assert 0 < stats.spread < 10
    assert 0.1 < stats.duration < 60 and 0 < stats.cpu_time < stats.duration
    assert stats.cost == pytest.approx(stats.cpu_time / stats.duration)
    assert stats.lost == 0 and stats.nodes > stats.functions > 2 and stats.threads == 0
    assert stats.ticks == round(stats.achieved_hz * stats.duration)
    assert stats.ticks + stats.missed == pytest.approx(stats.duration * 1000, rel=0.1)


@pytest.mark.parametrize("call", ["stats", "hot", "folded"])
def test_who_asks_all_the_time_does_not_keep_it_from_sampling(call):
    with marey.sample(hz=1000) as sampler:
        end = time.monotonic() + 30
        while sampler.stats().ticks < 100 and time.monotonic() < end:
            getattr(sampler, call)()
            sum(range(1000))
    stats = sampler.stats()
    assert stats.ticks >= 100
    # Each deadline is kept or missed; while it waits for a processor at the end, neither is told.
    assert 500 < (stats.ticks + stats.missed) / stats.duration < 1050


def is_asleep(tid):
    with open(f"/proc/self/task/{tid}/stat") as stat:
        return stat.read().rpartition(") ")[2].startswith("S")


@pytest.mark.parametrize("mode", ["wall", "cpu", "gil"])
def test_stats_tell_what_became_of_each_thread_at_each_tick(mode):
    needs_gil(mode)
    asleep = threading.Event()
    sleeper = threading.Thread(target=asleep.wait, args=(60,))
    sleeper.start()
    deadline = time.monotonic() + 60
    while not is_asleep(sleeper.native_id) and time.monotonic() < deadline:
        time.sleep(0.001)
    try:
        with marey.sample(hz=1000, mode=mode) as sampler:
            spin(0.2)
            threads = sampler.stats().threads
        stats = sampler.stats()
    finally:
        asleep.set()
        sleeper.join()
    of_ticks = stats.samples + stats.idle + stats.torn + stats.unread
    assert 0 < 2 * stats.ticks <= of_ticks <= threads * stats.ticks
    assert stats.samples > 0 and stats.idle >= stats.ticks and stats.unread == 0
    sampler.clear()
    cleared = sampler.stats()
    assert cleared.ticks == cleared.samples == cleared.idle == cleared.torn == 0


def test_memory_has_a_limit():
    def deeper(n):
        if n:
            deeper(n - 1)
        else:
            spin(0.02)

    end = time.monotonic() + 60
    with marey.sample(hz=2000, max_nodes=200) as sampler:
        for depth in itertools.cycle(range(0, 300, 20)):
            deeper(depth)
            if sampler.stats().lost or time.monotonic() > end:  # a busy machine samples when it can
                break
    stats = sampler.stats()
    assert stats.nodes <= 200
    assert 0 < stats.lost < stats.samples
    assert "(other)" in names(sampler.hot(None))
    assert sum(stacks(sampler).values()) == stats.samples


def test_many_cycles_leave_nothing(script):
    script(
        """
import marey, os

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def cycles(count):
    for _ in range(count):
        with marey.sample(hz=10_000):
            pass

descriptors = set(os.listdir("/proc/self/fd"))
cycles(50)
before = resident()
cycles(300)
assert resident() - before < 4 << 20, (resident(), before)
assert set(os.listdir("/proc/self/fd")) == descriptors
"""
    )


def test_an_object_that_goes_stops():
    sampler = marey.Sampler().start()
    assert samplers(1)
    del sampler
    assert samplers(0)


def test_several_at_a_time():
    several = [marey.Sampler(hz=500).start() for _ in range(5)]
    assert samplers(5)
    spin(0.2)
    for sampler in several:
        sampler.stop()
    for sampler in several:
        assert "spin" in names(sampler.hot(None))


def test_asked_by_many_threads_while_it_is_stopped():
    """Every method by several threads at once; none hangs, none fails but with marey.Error."""
    sampler = marey.Sampler(hz=5000)
    failures = []
    over = threading.Event()

    def asking(call):
        def ask():
            while not over.is_set():
                try:
                    call()
                except marey.Error:
                    pass
                except Exception as error:
                    failures.append(error)

        return ask

    calls = [
        sampler.start,
        sampler.stop,
        sampler.pause,
        sampler.resume,
        sampler.clear,
        sampler.stats,
        sampler.hot,
        sampler.folded,
        sampler.tree,
        lambda: sampler.set_interval(0.0005),
        lambda: repr(sampler),
    ]
    try:
        with beside.threads(*map(asking, calls), until=over):
            time.sleep(1)
    finally:
        sampler.stop()
    assert failures == []


# ------------------------------------------------------------------------- files


def test_saved_it_is_a_trace(path):
    with marey.sample(hz=1000, lines=True) as sampler:
        mixture(20)
    sampler.save(path)
    assert os.stat(path).st_mode & 0o777 == 0o600
    traces.load(path)
    found = stack_samples.load(path)
    assert sum(sample.samples for sample in found) == sampler.stats().samples
    seen = Counter()
    for sample in found:
        seen[tuple(name.rpartition(".")[2] for name, _, _ in sample.frames)] += sample.samples
    assert seen == stacks(sampler)
    leaf = {name.rpartition(".")[2]: (file, line) for s in found for name, file, line in s.frames}
    file, line = leaf["seventy"]
    first = seventy.__code__.co_firstlineno
    assert file == __file__ and first < line <= first + 3
    assert {sample.pid for sample in found} == {os.getpid()}
    own = [s for s in found if any("mixture" in name for name, _, _ in s.frames)]
    wall_ns = sampler.stats().duration * 1e9
    assert sum(sample.wall_ns for sample in own) == pytest.approx(wall_ns, rel=0.3)


def test_nothing_seen_is_a_trace_too(path):
    marey.Sampler().save(path)
    traces.load(path)
    assert stack_samples.load(path) == []


def test_an_old_file_is_replaced(path):
    path.write_text("old")
    marey.Sampler().save(os.fsencode(path))
    traces.load(path)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_files_that_cannot_be_written(tmp_path):
    sampler = marey.Sampler()
    with pytest.raises(FileNotFoundError, match="nowhere/trace"):
        sampler.save(tmp_path / "nowhere" / "trace")
    with pytest.raises(IsADirectoryError, match=re.escape(str(tmp_path))):
        sampler.save(tmp_path)
    if os.getuid():
        tmp_path.chmod(0o500)
        with pytest.raises(PermissionError, match="trace"):
            sampler.save(tmp_path / "trace")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="/proc/trace"):
        sampler.save("/proc/trace")


def test_samples_stand_in_the_recording(recorded, path):
    with recorded() as box, marey.sample(hz=1000) as sampler, marey.span("work"):
        mixture(20)
    span = box.trace.span("work")
    found = stack_samples.load(path)
    assert sum(sample.samples for sample in found) == sampler.stats().samples
    inside = [s for s in found if any("seventy" in name for name, _, _ in s.frames)]
    assert inside
    for sample in inside:
        assert span.begin <= sample.time <= span.end
        assert sample.pid == os.getpid() and sample.tid == threading.get_native_id()
    assert box.trace.values("marey samples")[-1] == sampler.stats().samples


def test_samples_stand_not_in_the_recording_where_that_is_not_wanted(recorded, path):
    with recorded(), marey.sample(hz=1000, record=False) as sampler:
        spin(0.1)
    assert sampler.stats().samples and stack_samples.load(path) == []


def test_one_sampler_and_several_recordings(tmp_path):
    with marey.sample(hz=1000):
        for number in range(3):
            path = tmp_path / f"{number}.perfetto-trace"
            with marey.record(path):
                spin(0.25)
            assert any("spin" in name for s in stack_samples.load(path) for name, _, _ in s.frames)
            spin(0.05)


def test_all_that_was_seen_is_in_a_recording_that_ends_before_the_sampler(path):
    with marey.sample(hz=100) as sampler:
        with marey.record(path):
            while sampler.stats().samples < 5:  # alike, they are handed over as one
                sum(range(1000))
            seen = sampler.stats().samples
        found = stack_samples.load(path)
    assert sum(sample.samples for sample in found) >= seen


def test_a_recording_has_the_counts_of_its_own_time(recorded, path):
    """Not of what the sampler did before."""
    with marey.sample(hz=1000) as sampler:
        while sampler.stats().samples < 300:
            spin(0.1)
        with recorded() as box:
            spin(0.7)
    taken = box.trace.values("marey samples")
    assert box.trace.values("marey samples missed")[0] == 0
    assert taken[-1] == sum(sample.samples for sample in stack_samples.load(path))


@pytest.mark.skipif(has_gil(), reason="needs a Python without a GIL")
def test_nobody_holds_a_gil_that_is_not_there():
    sampler = marey.Sampler(mode="gil")
    with pytest.raises(marey.Error, match=r"runs without a GIL.*mode cpu or wall"):
        sampler.start()
    assert sampler.state == "off"


# ------------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"hz": 0}, ValueError, "hz is from 0.1 to 100,000"),
        ({"hz": -5}, ValueError, "hz"),
        ({"hz": 100_001}, ValueError, "hz"),
        ({"hz": float("nan")}, ValueError, "hz"),
        ({"hz": float("inf")}, ValueError, "hz"),
        ({"hz": "fast"}, TypeError, "hz is a number"),
        ({"hz": None}, TypeError, "hz"),
        ({"hz": True}, TypeError, "hz"),
        ({"mode": "time"}, ValueError, 'mode is one of "wall", "cpu", "gil"'),
        ({"mode": None}, ValueError, "mode"),
        ({"mode": ["wall"]}, ValueError, "mode"),
        ({"after_fork": "on"}, ValueError, 'after_fork is one of "restart", "off"'),
        ({"max_nodes": 3}, ValueError, "max_nodes is from 16"),
        ({"max_nodes": 1 << 40}, ValueError, "max_nodes"),
        ({"max_nodes": 1.5}, TypeError, "max_nodes is an int"),
        ({"depth": 3}, TypeError, "depth"),
    ],
)
def test_options_that_are_wrong(options, error, message):
    for make in (marey.Sampler, marey.sample):
        with pytest.raises(error, match=message):
            make(**options)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda s: s.set_interval(0), ValueError, "seconds is from 0.00001 to 10"),
        (lambda s: s.set_interval(11), ValueError, "seconds"),
        (lambda s: s.set_interval(-1), ValueError, "seconds"),
        (lambda s: s.set_interval("1"), TypeError, "seconds"),
        (lambda s: s.hot(-1), ValueError, "n is at least 0"),
        (lambda s: s.hot("all"), TypeError, "n is an int or None"),
        (lambda s: s.hot(by="time"), ValueError, "by is one of"),
        (lambda s: s.tree(min_share=2), ValueError, "min_share is from 0 to 1"),
        (lambda s: s.tree(min_share="1%"), TypeError, "min_share"),
        (lambda s: s.tree(depth=0), ValueError, "depth is at least 1"),
        (lambda s: s.tree(depth=1.5), TypeError, "depth"),
        (lambda s: s.hot(window=61), ValueError, "window is 60 or 3600 seconds"),
        (lambda s: s.folded(window="minute"), ValueError, "window"),
        (lambda s: s.tree(window=[60]), ValueError, "window"),
        (lambda s: s.save("nowhere", window=0), ValueError, "window"),
    ],
)
def test_calls_that_are_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call(marey.Sampler())


def test_limits_that_are_right():
    for hz in (0.1, 1, 2.5, 100_000):
        with marey.sample(hz=hz) as sampler:
            assert sampler.stats().hz == pytest.approx(hz, rel=1e-4)
    assert len(marey.Sampler().hot(0)) == 0
