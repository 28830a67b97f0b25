"""marey.calls against cProfile: on real work, how often each function was called, and by whom."""

import collections
import cProfile
import gc

import calls_seen
import pytest

import marey

PLENTY = 1_000_000


def write_json():
    import json

    data = {str(i): [i, {"a": None, "b": [1.5] * 3}] for i in range(20)}
    return json.loads(json.dumps(data, indent=2, sort_keys=True, default=str))


def parse_arguments():
    import argparse

    parser = argparse.ArgumentParser(prog="x")
    parser.add_argument("--number", type=int, default=3)
    commands = parser.add_subparsers()
    for name in ("one", "two"):
        commands.add_parser(name).add_argument("path", nargs="*")
    parser.format_help()
    return parser.parse_args(["--number", "5", "two", "a", "b"])


def parse_python():
    import ast
    import dis
    import textwrap

    source = textwrap.dedent(
        "  def f(a, *b):\n    try:\n      return [x for x in b]\n    finally: a\n"
    )
    tree = ast.parse(source)
    ast.dump(tree, indent=1)
    return [i.opname for i in dis.Bytecode(compile(tree, "x", "exec"))]


def template():
    import string
    import traceback

    text = string.Template("$a $b ${c}").safe_substitute(a=1, b=2)
    try:
        raise KeyError(text)
    except KeyError as error:
        return traceback.format_exception(type(error), error, error.__traceback__)


def key_of(node):
    file, _, line = node.location
    return file, line, node.name.rpartition(".")[2]


def counts_of_cprofile(work):
    """(file, line, name) -> how often it was called; and which called which, how often.

    A piece of a generator is a call to cProfile. Its own statistics would keep but one of several
    functions of a line.
    """
    profile = cProfile.Profile()
    profile.enable(builtins=False)  # runcall would forget that from 3.12 on
    try:
        work()
    finally:
        profile.disable()
    counts, edges = collections.Counter(), collections.Counter()

    def key(code):
        return code.co_filename, code.co_firstlineno, code.co_name

    for entry in profile.getstats():
        if isinstance(entry.code, str):
            continue
        counts[key(entry.code)] += entry.callcount
        for made in entry.calls or ():
            if not isinstance(made.code, str):
                edges[key(entry.code), key(made.code)] += made.callcount
    return counts, edges


def counts_of_marey(work, folder):
    with marey.calls(max_calls=PLENTY, max_depth=500, args=False, results=False) as scope:
        work()
    assert not scope.was_limited
    counts, edges = collections.Counter(), collections.Counter()
    of_span = {}
    for node in calls_seen.of(scope, folder).nodes:
        of_span.update((id(piece), node) for piece in node.pieces)
    for node in of_span.values():
        counts[key_of(node)] += 1
    for node in set(of_span.values()):
        for piece in node.pieces:
            if id(piece.parent) in of_span:
                edges[key_of(of_span[id(piece.parent)]), key_of(node)] += 1
    return counts, edges


@pytest.mark.parametrize("work", [write_json, parse_arguments, parse_python, template])
def test_calls_are_those_that_cprofile_counts(work, tmp_path):
    for _ in range(2):
        work()  # what is made and imported once
    gc.collect()
    gc.disable()  # a generator that is freed while it waits runs once more, whenever that is
    try:
        counts, edges = counts_of_cprofile(work)
        ours, our_edges = counts_of_marey(work, tmp_path)
    finally:
        gc.enable()
    assert sum(ours.values()) > 5
    assert ours == counts
    assert our_edges == edges
