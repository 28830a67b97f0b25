"""marey.Sampler in processes that fork, end, and are not alone in their interpreter."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
import stack_samples
import traces
from command import find_marey

import marey

HEAD = """
import os, sys, time, threading
import marey

def spin(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass

def names(sampler):
    return {row.function.rpartition(".")[2] for row in sampler.hot(None)}

def native_threads():
    return [open(f"/proc/self/task/{t}/comm").read().strip() for t in os.listdir("/proc/self/task")]

def in_child(work):
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0
"""


@pytest.fixture
def program(script):
    """program(text, ...): as script, after HEAD."""

    def run(text, *args, **options):
        return script(HEAD + textwrap.dedent(text), *args, **options)

    return run


# -------------------------------------------------------------------------- fork


def test_a_child_that_python_does_not_know_of_is_sampled(program):
    """As uWSGI's workers: its master forks in C, and no hook of Python's runs."""
    program(
        """
        import ctypes
        pid = ctypes.PyDLL(None).fork()
        if pid == 0:
            status = 1
            try:
                with marey.Sampler(hz=500) as sampler:
                    end = time.monotonic() + 60
                    while sampler.stats().samples < 20 and time.monotonic() < end:
                        spin(0.01)
                assert "spin" in names(sampler), sampler.hot(None)
                status = 0
            finally:
                os._exit(status)
        assert os.waitpid(pid, 0)[1] == 0
        """
    )


@pytest.mark.parametrize("after_fork", ["restart", "off"])
def test_a_forked_child(program, after_fork):
    program(
        """
        def before():
            spin(0.2)

        sampler = marey.Sampler(hz=1000, after_fork=sys.argv[1]).start()
        before()

        def child():
            assert "before" not in names(sampler), "what the parent saw is the parent's"
            assert "before" not in sampler.folded(window=60)
            if sys.argv[1] == "off":
                assert sampler.state == "off" and not sampler.stats().samples
                assert "marey sampler" not in native_threads()
                sampler.start()
            assert sampler.state == "on"
            spin(0.2)
            sampler.stop()
            assert "spin" in names(sampler) and "before" not in names(sampler)
            assert sampler.stats().samples == sum(
                int(line.split()[-1]) for line in sampler.folded().splitlines())

        in_child(child)
        assert sampler.state == "on"
        spin(0.1)
        sampler.stop()
        assert "before" in names(sampler) and "child" not in names(sampler)
        assert "before" in sampler.folded(window=60)
        """,
        after_fork,
    )


def test_paused_before_the_fork_it_is_paused_after_it(program):
    program(
        """
        sampler = marey.Sampler(hz=1000).start()
        sampler.pause()

        def child():
            assert sampler.state == "paused"
            spin(0.05)
            assert not sampler.stats().samples
            sampler.resume()
            spin(0.1)
            sampler.stop()
            assert "spin" in names(sampler)

        in_child(child)
        off = marey.Sampler()

        def child():
            assert off.state == "off"

        in_child(child)
        """
    )


def test_generations(program):
    """A child of a child of a child, each with a profile of its own."""
    program(
        """
        sampler = marey.Sampler(hz=1000).start()

        def generation(n):
            spin(0.05)
            if n:
                in_child(lambda: generation(n - 1))
            spin(0.1)
            sampler.stop()
            assert "generation" in names(sampler)

        generation(4)
        """
    )


def test_forks_while_all_is_going_on(program):
    """Threads that ask and stop and start, while others fork: no child and no parent hangs."""
    program(
        """
        samplers = [marey.Sampler(hz=5000, after_fork=word).start() for word in ("restart", "off")]
        over = threading.Event()

        def ask():
            while not over.is_set():
                for sampler in samplers:
                    sampler.hot(5), sampler.stats(), sampler.folded()

        def switch():
            while not over.is_set():
                for sampler in samplers:
                    sampler.stop()
                    try:
                        sampler.start()
                        sampler.pause()
                        sampler.resume()
                    except marey.Error:
                        pass

        def forks():
            for _ in range(40):
                in_child(lambda: [(s.stop(), s.hot()) for s in samplers])

        threads = [threading.Thread(target=t, daemon=True) for t in (ask, switch)]
        forking = [threading.Thread(target=forks) for _ in range(2)]
        for thread in threads + forking:
            thread.start()
        for thread in forking:
            thread.join()
        over.set()
        for thread in threads:
            thread.join()
        """
    )


def work_in_pool(number):
    end = time.thread_time() + 0.05
    while time.thread_time() < end:
        pass
    return number * 2


def start_in_worker():
    global of_worker
    of_worker = marey.Sampler(hz=1000).start()


def seen_in_worker(_):
    return [row.function for row in of_worker.hot(None)], of_worker.state


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_process_pools(method):
    context = multiprocessing.get_context(method)
    with marey.sample(hz=1000) as sampler, context.Pool(2, initializer=start_in_worker) as pool:
        assert pool.map(work_in_pool, range(8)) == [n * 2 for n in range(8)]
        seen, state = pool.apply(seen_in_worker, (0,))
    assert state == "on" and any("work_in_pool" in name for name in seen)
    assert not any("work_in_pool" in row.function for row in sampler.hot(None))


def test_workers_of_a_server_that_loads_before_it_forks(program):
    """As gunicorn with preload: the sampler is made and started by the parent, the parent waits,
    workers come and go. Each worker has its own."""
    program(
        """
        import json, signal

        sampler = marey.Sampler(hz=500).start()

        def handle():
            spin(0.3)

        def worker(pipe):
            handle()
            with os.fdopen(pipe, "w") as file:
                json.dump([sorted(names(sampler)), sampler.state], file)
            signal.pause()

        running = []
        for _ in range(3):
            read, write = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.close(read)
                worker(write)
                os._exit(0)
            os.close(write)
            running.append((pid, read))
        for pid, read in running:
            with os.fdopen(read) as file:
                seen, state = json.load(file)
            assert "handle" in seen and state == "on", seen
            os.kill(pid, signal.SIGTERM)
            os.waitpid(pid, 0)
        assert sampler.state == "on" and "handle" not in names(sampler)
        """
    )


def test_children_record_their_samples_into_the_file(program, path):
    program(
        """
        def in_the_child():
            spin(0.3)

        with marey.record(sys.argv[1]), marey.sample(hz=1000):
            spin(0.2)
            in_child(in_the_child)
            spin(0.2)
        """,
        path,
    )
    traces.load(path)
    found = stack_samples.load(path)
    child = {s.pid for s in found if any("in_the_child" in name for name, _, _ in s.frames)}
    assert len(child) == 1 and len({s.pid for s in found}) == 2


def test_started_programs_are_none_of_its_business(program):
    """subprocess forks (or not), and execs."""
    program(
        """
        import subprocess

        with marey.sample(hz=5000) as sampler:
            for _ in range(20):
                assert subprocess.run(["true"]).returncode == 0
                subprocess.run(["true"], preexec_fn=lambda: None, check=True)
            assert os.system("true") == 0
        """
    )


# ----------------------------------------------------------------------- the end


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("", 0),
        ("sys.exit(3)", 3),
        ("os._exit(4)", 4),
        ("threading.Thread(target=spin, args=(0.3,)).start()", 0),
        ("threading.Thread(target=time.sleep, args=(60,), daemon=True).start()", 0),
        ("os.kill(os.getpid(), 9)", -9),
        ("os.execv(sys.executable, [sys.executable, '-c', 'raise SystemExit(5)'])", 5),
        ("class Cycle: pass\none = Cycle(); one.me, one.sampler = one, sampler\ndel sampler", 0),
    ],
)
def test_it_keeps_no_process_alive(program, end, status):
    for _ in range(3):
        program(f"sampler = marey.Sampler(hz=20000).start()\nspin(0.05)\n{end}", status=status)


def test_it_can_be_asked_while_the_interpreter_ends(program):
    output = program(
        """
        import atexit

        sampler = marey.Sampler(hz=1000).start()
        spin(0.1)

        @atexit.register
        def last_words():
            assert "spin" in names(sampler)
            sampler.stop()
            print(sampler.state)

        class Late:
            def __del__(self, sampler=marey.Sampler(hz=1000).start()):
                sampler.stop()
                print(sampler.state)

        late = Late()
        """
    )
    assert output.split() == ["off", "off"]


# ------------------------------------------------------------------ the environment


def test_signals_are_not_for_it(program):
    """None is handled by the sampling thread, none interrupts it, and Python's own handlers run."""
    program(
        """
        import signal

        seen = []
        for number in (signal.SIGUSR1, signal.SIGALRM, signal.SIGPROF):
            signal.signal(number, lambda n, frame: seen.append(n))
        with marey.sample(hz=5000) as sampler:
            for task in os.listdir("/proc/self/task"):
                status = open(f"/proc/self/task/{task}/status").read()
                [blocked] = [l.split()[1] for l in status.splitlines() if l.startswith("SigBlk")]
                if int(task) != os.getpid():
                    assert int(blocked, 16) >> (signal.SIGUSR1 - 1) & 1
            signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
            signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
            for _ in range(50):
                os.kill(os.getpid(), signal.SIGUSR1)
                spin(0.004)
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
        assert seen.count(signal.SIGUSR1) == 50
        assert signal.SIGALRM in seen and signal.SIGPROF in seen
        assert "spin" in names(sampler)
        """
    )


def test_descriptors_that_are_closed_are_left_alone(program):
    """A daemon closes all that it did not open, and opens its own: they stay open and whole."""
    program(
        """
        with marey.sample(hz=10000) as sampler:
            threads = [threading.Thread(target=spin, args=(0.3,)) for _ in range(4)]
            for thread in threads:
                thread.start()
            os.closerange(3, 200)
            own = [os.open("/dev/null", os.O_RDONLY) for _ in range(50)]
            for thread in threads:
                thread.join()
            for number in own:
                assert os.path.samestat(os.fstat(number), os.stat("/dev/null"))
        assert "spin" in names(sampler)
        """
    )


def test_other_interpreters_are_sampled_and_have_samplers(program):
    output = program(
        """
        try:
            try:
                import _interpreters as interpreters
            except ImportError:
                import _xxsubinterpreters as interpreters
        except ImportError:
            print("none")
            sys.exit()

        text = '''
        import time
        def in_the_other_one():
            end = time.thread_time() + 0.3
            while time.thread_time() < end:
                pass
        in_the_other_one()
        import marey
        with marey.sample(hz=1000) as sampler:
            in_the_other_one()
        assert any(row.function == "in_the_other_one" for row in sampler.hot(None))
        forgotten = marey.Sampler(hz=1000).start()
        '''
        import textwrap
        with marey.sample(hz=1000) as sampler:
            other = interpreters.create()
            failed = getattr(interpreters, "run_string")(other, textwrap.dedent(text))
            assert failed is None, failed
            interpreters.destroy(other)
        assert "in_the_other_one" in names(sampler), names(sampler)
        print("seen")
        """
    )
    assert output.split() in (["seen"], ["none"])


def test_numpy_without_the_gil(program):
    pytest.importorskip("numpy")
    program(
        """
        import numpy

        def multiply(n):
            a = numpy.ones((400, 400))
            for _ in range(n):
                a = a @ a * 1e-3

        with marey.sample(hz=1000) as wall, marey.sample(hz=1000, mode="gil") as gil:
            multiply(30)
        assert "multiply" in names(wall)
        assert wall.stats().samples > gil.stats().samples
        """
    )


def test_a_server_of_a_thousand_tasks(program):
    program(
        """
        import asyncio

        def parse(data):
            spin(0.0005)
            return data.upper()

        async def serve(reader, writer):
            while data := await reader.readline():
                writer.write(parse(data))
                await writer.drain()
            writer.close()

        async def ask(port, number):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for _ in range(5):
                writer.write(b"hello %d\\n" % number)
                assert await reader.readline() == b"HELLO %d\\n" % number
            writer.close()

        async def main():
            server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=500)
            port = server.sockets[0].getsockname()[1]
            async with marey.sample(hz=1000) as sampler:
                for _ in range(5):
                    await asyncio.gather(*(ask(port, n) for n in range(100)))
            server.close()
            return sampler

        sampler = asyncio.run(main())
        shares = {row.function.rpartition(".")[2]: row for row in sampler.hot(None)}
        assert shares["spin"].total_share > 0.2, sampler.hot()
        assert shares["serve"].total_samples >= shares["parse"].total_samples > 0
        """
    )


def test_where_process_vm_readv_is_forbidden(program):
    """By a filter of system calls, as in a container."""
    if os.uname().machine != "x86_64":
        pytest.skip("a filter of this test's own knows x86-64's numbers")
    output = program(
        """
        import ctypes, struct
        libc = ctypes.CDLL(None, use_errno=True)
        # All is allowed but process_vm_readv (310): then /proc/self/mem is read.
        code = [
            (0x20, 0, 0, 0),
            (0x15, 0, 1, 310),
            (0x06, 0, 0, 0x00050000 | 1),
            (0x06, 0, 0, 0x7FFF0000),
        ]
        program = b"".join(struct.pack("HBBI", *line) for line in code)
        buffer = ctypes.create_string_buffer(program)
        class Filter(ctypes.Structure):
            _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
        of = Filter(len(code), ctypes.addressof(buffer))
        assert libc.prctl(38, 1, 0, 0, 0) == 0
        if libc.prctl(22, 2, ctypes.byref(of)):
            print("cannot be tried")
            sys.exit()
        with marey.sample(hz=1000) as sampler:
            spin(0.2)
        print("spin" in names(sampler))
        """
    )
    assert output.split()[0] in ("True", "cannot")


def test_no_more_threads(program):
    """As many as the system lets one have: MemoryError, and all is as before."""
    if os.getuid() == 0:
        pytest.skip("root may have as many threads as it likes")
    program(
        """
        import resource
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
        sampler = marey.Sampler()
        try:
            sampler.start()
        except MemoryError:
            assert sampler.state == "off"
        else:
            raise AssertionError("it started")
        """
    )


def test_little_memory(program):
    """An address space with no room for a profile's thread: an error or none, never a crash."""
    program(
        """
        import resource
        marey.sample  # imported while there is room
        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        for more in range(0, 12 << 20, 1 << 19):
            resource.setrlimit(resource.RLIMIT_AS, (used + more, resource.RLIM_INFINITY))
            try:
                with marey.sample(hz=1000) as sampler:
                    spin(0.01)
                    sampler.hot(), sampler.tree()
            except (MemoryError, marey.Error):
                pass
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        with marey.sample(hz=1000) as sampler:
            spin(0.1)
        assert "spin" in names(sampler)
        """
    )


def test_signals_end_a_program_as_ever(tmp_path):
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import marey, time; s = marey.Sampler().start(); print(flush=True); time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
    )
    try:
        assert child.stdout.readline() == b"\n"
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) == -signal.SIGTERM
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def test_marey_run_samples_it_already(tmp_path):
    """By default no sample is in the file twice; where it is asked for, they are."""
    file = tmp_path / "program.py"
    file.write_text(HEAD + "with marey.sample(hz=1000, **eval(sys.argv[1])): spin(0.4)")
    for options, wanted, sequences in (
        ([], "{}", 1),
        ([], "{'record': True}", 2),
        (["--no-samples"], "{}", 1),
        (["--no-samples"], "{'record': False}", 0),
    ):
        trace = tmp_path / "run.perfetto-trace"
        command = [find_marey(), "run", "-q", *options, "-o", trace, file, wanted]
        subprocess.run(command, check=True, timeout=60)
        assert len({s.sequence for s in stack_samples.load(trace)}) == sequences, (options, wanted)
