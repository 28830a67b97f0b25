"""Traces of calls, as docs/FORMAT.md (10) has them, made with the official protos."""

import contextlib

from tracemaker import TraceMaker

START = 1_000_000_000_000
US = 1_000


class CallMaker:
    """Calls on one thread, one after the other.

    with calls.call("load", us=5, result="'x'", path="'/tmp'"): ...   us: beside what is inside"""

    def __init__(self):
        self.maker = TraceMaker()
        self.maker.clocks(realtime=17 * 10**17, monotonic=START, boottime=START)
        self.process = self.maker.process(100, "app")
        self.thread = self.maker.thread(100, 100, "MainThread")
        self.writer = self.maker.sequence(
            deltas=True, interned=True, anchor=START, track=self.thread
        )
        self.track, self.time = self.thread, START + 1_000

    def begin(self, name, module="__main__", line=1, file=None, category="call", **args):
        source = (file or f"/src/{module.replace('.', '/')}.py", f"{module}.{name}", line)
        self.writer.begin(self.track, self.time, name, [category], source=source, args=args)

    def end(self, **args):
        self.writer.end(self.track, self.time, args=args)

    def passes(self, us):
        self.time += int(us * US)

    @contextlib.contextmanager
    def call(self, name, us=1.0, end=(), **begin):
        self.begin(name, **begin)
        self.passes(us / 2)
        yield
        self.passes(us / 2)
        self.end(**dict(end))

    def leaf(self, name, us=1.0, **options):
        with self.call(name, us, **options):
            pass

    @contextlib.contextmanager
    def scope(self, label="", **said):
        self.writer.begin(self.track, self.time, f"calls: {label}" if label else "calls", ["calls"])
        yield
        self.end(**said)

    @contextlib.contextmanager
    def on(self, track):
        self.track, before = track, self.track
        yield
        self.track = before

    def data(self):
        return self.maker.data()


def returns(value):
    return {"result": value}


def raises(text):
    return {"exception": text}


ALICE = "{'id': 42, 'name': 'Alice'}"


def handle():
    """The first example of tracepatch's README."""
    calls = CallMaker()
    with calls.scope(call_count=3), calls.call("handle", 38, returns(ALICE), line=10, uid=42):
        calls.leaf("load_user", 7, end=returns(ALICE), line=1, uid=42)
        calls.leaf("validate", 4, end=returns(True), line=5, user=ALICE)
    return calls.data()


def shop():
    """Modules, an exception that is caught, a C function, a span, repeated calls."""
    calls = CallMaker()
    pieces = {"module": "shop.cart", "file": "/src/shop/cart.py"}
    with calls.call("main", 100, returns("None"), line=50):
        with calls.call("Cart.checkout", 40, returns(20.5), line=20, user="'Bob'", **pieces):
            for i in range(5):
                with calls.call(
                    "Cart.price", 3 + i, returns(i * 10), line=9, item=i, tax=True, **pieces
                ):
                    calls.leaf("round", 1, category="call,c", module="builtins")
            calls.writer.begin(
                calls.track, calls.time, "payment", ["bank"], args={"method": "card"}
            )
            calls.passes(1)
            with calls.call(
                "Bank.pay", 1500, raises("ConnectionError: no route"), line=3, amount=20.5
            ):
                pass
            calls.writer.end(calls.track, calls.time, args={"attempts": 3})
        with calls.call("report", 10, raises("KeyError: 'total'"), line=70, rows="<list of 1000>"):
            pass
        for i in range(4):
            calls.leaf(
                "tidy", 2, end=raises("OSError: busy") if i == 2 else returns("None"), line=90
            )
    return calls.data()


def limited():
    """A scope that reached its limit, and lost events."""
    calls = CallMaker()
    said = {"call_count": 2, "limit": "max_depth", "skipped": 1234, "lost": 5}
    with calls.scope("checkout", **said), calls.call("outer", 10):
        calls.leaf("inner", 90, end={"result": "None", "(skipped)": 1234})
    return calls.data()


def coroutines():
    """Two tasks that wait, a generator, and one that is not exhausted."""
    calls = CallMaker()
    group = calls.maker.describe(name="asyncio", parent_uuid=calls.thread)
    tasks = [calls.maker.describe(name=f"Task-{i}", parent_uuid=group) for i in (1, 2)]
    calls.leaf("main", 20, line=1)
    for step in range(3):
        for number, task in enumerate(tasks):
            with calls.on(task):
                more = {"(step)": step} if step else {"url": f"'/{number}'"}
                last = step == 2
                calls.begin("fetch", line=5, **{"(call)": 10 + number}, **more)
                calls.begin("read", line=9, **{"(call)": 20 + number}, **(more if step else {}))
                calls.passes(2)
                calls.end(**(returns(200) if last else {"(suspended)": "await"}))
                calls.passes(1)
                calls.end(**(returns("'ok'") if last else {"(suspended)": "await"}))
        calls.passes(100)
    for name, number, turns in (("numbers", 30, 3), ("endless", 31, 2)):
        for step in range(turns):
            more = {"(step)": step} if step else {"n": 2}
            calls.begin(name, line=30, **{"(call)": number}, **more)
            calls.passes(5)
            done = name == "numbers" and step == turns - 1
            calls.end(**(returns("None") if done else {"result": step, "(suspended)": "yield"}))
    return calls.data()


def killed():
    """A program that was killed in the middle of a call."""
    calls = CallMaker()
    calls.begin("main", line=1)
    calls.leaf("ready", 3)
    calls.begin("work", line=9, n=7)
    calls.passes(50)
    calls.leaf("step", 2)
    return calls.data()


def deep():
    """500 calls inside each other."""
    calls = CallMaker()
    with contextlib.ExitStack() as stack:
        for i in range(500):
            stack.enter_context(calls.call("down", 1, returns(i), line=3, n=i))
    return calls.data()


def many():
    """200 different functions, of which some call others, and a loop of two calls in turn."""
    calls = CallMaker()
    with calls.call("main", 10):
        for i in range(200):
            with calls.call(f"part_{i:03}", 1 + i % 7, line=i + 1):
                calls.leaf("help_" + "ab"[i % 2], i % 5 + 1, line=i % 2 + 300)
        for i in range(100):
            calls.leaf("read", 5, end=returns(i), line=400, n=i, size=8)
            calls.leaf("write", 6, end=returns("None"), line=410, n=i)
    return calls.data()


def strange():
    """Names and values that would take over a terminal, and long ones."""
    calls = CallMaker()
    with calls.call("\x1b[31mred", 10, returns("'\x1b]0;owned\x07'"), module="m\u202ex"):
        calls.leaf("日本", 1, end=returns("'" + "x" * 200 + "'"), text="'" + "é" * 300 + "'", n=1)
        calls.leaf("empty_name", 2, end=raises("E: two\nlines"), a={"b": [1, 2.0, "c"]}, c=[])
    calls.writer.begin(
        calls.track, calls.time, "", args={"d": {"k": [1, {"x": True}]}, "s": "it's"}
    )
    calls.passes(1)
    calls.end()
    return calls.data()


TRACES = {
    "handle": handle,
    "shop": shop,
    "limited": limited,
    "coroutines": coroutines,
    "killed": killed,
    "deep": deep,
    "many": many,
    "strange": strange,
}
