"""Real work of real packages, the same each time that it is done: the hooks and cProfile have to
count the same calls in it."""

import asyncio
import contextlib
import io
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve()


def json_both_ways():
    """The encoder of the standard library that is written in Python: recursive generators."""
    data = {"numbers": list(range(30)), "nested": [{"a": [1.5, None, True]}] * 10, "text": "é\n"}
    text = json.dumps(data, indent=2, sort_keys=True)
    decoder = json.JSONDecoder(object_hook=dict)
    decoder.parse_object = json.decoder.JSONObject
    decoder.parse_array = json.decoder.JSONArray
    decoder.scan_once = json.scanner.py_make_scanner(decoder)
    assert decoder.decode(text) == data


def jinja():
    """A template compiled and rendered: generators, closures, code made by exec()."""
    import jinja2

    environment = jinja2.Environment(cache_size=0)
    template = environment.from_string(
        "{% macro row(item) %}<td>{{ item.name|upper|e }}</td>{% endmacro %}"
        "{% for item in items if item.n is odd %}{{ loop.index }}{{ row(item) }}"
        "{% else %}none{% endfor %}{% set x = items|map(attribute='n')|sum %}{{ x }}"
    )
    items = [{"name": f"<item {n}>", "n": n} for n in range(30)]
    assert "&lt;ITEM 1&gt;" in template.render(items=items)


def pip():
    """pip lists what is installed, and renders its help."""
    from pip._internal.cli.main import main

    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        main(["list", "--format=json", "--disable-pip-version-check", "--isolated"])
        main(["help", "install"])


def highlight():
    """Pygments on the source of this file: generators, regular expressions."""
    import pygments
    from pygments.formatters import HtmlFormatter
    from pygments.lexers.python import PythonLexer

    text = HERE.read_text(encoding="utf-8")
    assert "<span" in pygments.highlight(text, PythonLexer(), HtmlFormatter(linenos=True))


def decimals():
    """The decimal module that is written in Python: operators, contexts, exceptions."""
    import _pydecimal

    one = _pydecimal.Decimal(1)
    with _pydecimal.localcontext() as context:
        context.prec = 50
        assert str((one.exp() + one / 3).sqrt()).startswith("1.7468")
        with contextlib.suppress(_pydecimal.DivisionByZero):
            one / 0


class Items:
    """Everything that looks like something else and is a call."""

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]

    def __contains__(self, item):
        return item in self.items

    def __eq__(self, other):
        return isinstance(other, Items)

    __hash__ = None

    def __call__(self, x):
        return x + 1

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return name

    @property
    def first(self):
        return self[0]

    @classmethod
    def make(cls, n):
        return cls([i * 1 for i in range(n)])

    def __iter__(self):
        return (item for item in self.items)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return error[0] is KeyError


def operators():
    """Calls that no call is written for, often enough for the interpreter to specialize them."""
    total = 0
    for _ in range(50):
        items = Items.make(4)
        with items as also:
            total += len(also) + also[1] + also.first + also(2) + (3 in also) + (also == items)
            total += len(also.anything) + sum(also) + sum(also) + max(also, key=lambda i: -i)
            raise KeyError
    assert total


def recursion(n=150):
    def even(n):
        return n == 0 or odd(n - 1)

    def odd(n):
        return n != 0 and even(n - 1)

    def sink(n):
        if not n:
            raise ValueError("at the bottom")
        try:
            sink(n - 1)
        finally:
            n += 1

    assert even(n) and not odd(n)
    with contextlib.suppress(ValueError):
        sink(n)


def generators():
    def count(n):
        for i in range(n):
            yield i + 0

    def tree(n):
        if n:
            yield from tree(n - 1)
            got = yield n
            assert got is None
            yield from tree(n - 1)
        return n

    assert sum(count(10)) == 45 and list(tree(4)).count(1) == 8
    waiting = tree(3)
    next(waiting)
    waiting.close()
    assert [*zip(count(3), tree(2))]
    assert any(i == 1 for i in count(5))


def tasks():
    """asyncio: coroutines, asynchronous generators and context managers, tasks, cancelling."""

    class Room:
        async def __aenter__(self):
            await asyncio.sleep(0)

        async def __aexit__(self, *error):
            await asyncio.sleep(0)

    async def numbers(n):
        for i in range(n):
            await asyncio.sleep(0)
            yield i

    async def total(n):
        async with Room():
            return sum([i async for i in numbers(n)])

    async def forever():
        await asyncio.Event().wait()

    async def main():
        waiting = asyncio.ensure_future(forever())
        assert await asyncio.gather(total(3), total(4)) == [3, 6]
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(main())
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


WORKS = {
    work.__name__: work
    for work in (
        json_both_ways,
        jinja,
        pip,
        highlight,
        decimals,
        operators,
        recursion,
        generators,
        tasks,
    )
}

if __name__ == "__main__":
    for name in sys.argv[1:] or WORKS:
        WORKS[name]()
