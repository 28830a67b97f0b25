"""Index the Python standard library: the names used most, where each is defined, who imports what.

    python examples/index_stdlib.py                        # just the work
    marey run examples/index_stdlib.py                     # the same, and its timeline
    marey run examples/index_stdlib.py --workers 4 Path OrderedDict deque

Two threads read the sources into a queue, a pool of processes parses and indexes them, the main
thread merges what they found, and then asyncio answers questions about it, many at a time. Spans,
counters and flows say what each of them does, and cost next to nothing while nobody records.
"""

import argparse
import ast
import asyncio
import itertools
import linecache
import multiprocessing
import os
import platform
import queue
import re
import sysconfig
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from pathlib import Path

import marey

READERS = 2
READ_AHEAD = 8  # sources that wait in the queue
QUESTIONS = 48  # asked where none are given
SHOWN = 8  # of those
AT_A_TIME = 8  # questions that may look into files
SKIPPED = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__"}
WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")

waiting = marey.counter("sources waiting", unit="files")
in_work = marey.counter("sources in work", unit="files")
indexed = marey.counter("lines indexed", unit="lines")
stages = marey.track("stages")


# ------------------------------------------------------------------- in the threads


def find_sources(folder):
    """All sources of the library but its tests, the largest first: none is left for the end."""
    found = [
        path for path in folder.rglob("*.py") if SKIPPED.isdisjoint(path.relative_to(folder).parts)
    ]
    return sorted(found, key=lambda path: path.stat().st_size, reverse=True)


def read_sources(paths, sources):
    """Put (path, text, flow) of each path into the queue, and at the end None."""
    for path in paths:
        arrow = marey.flow()  # from here to the worker that indexes it, and on to who merges it
        with marey.span("read", file=path.name, flow=arrow) as span:
            text = path.read_text(encoding="utf-8", errors="replace")
            span.set(characters=len(text))
        waiting.add(1)
        with marey.span("wait for room"):
            sources.put((path, text, arrow))
    sources.put(None)


# ----------------------------------------------------------------- in the processes


def start_worker():
    marey.process_name("indexer")


def index_source(path, text, arrow):
    """What one source holds. Runs in a process of the pool; the flow came with the arguments."""
    with marey.span("index", file=path.name, flow=arrow) as span:
        with marey.span("parse"):
            try:
                tree = ast.parse(text)
            except (SyntaxError, ValueError) as error:
                marey.instant("cannot parse", file=path.name, error=error)
                tree = ast.Module(body=[], type_ignores=[])
        found = walk(tree)
        with marey.span("words"):
            words = Counter(WORD.findall(text))
        lines = text.count("\n")
        span.set(lines=lines, definitions=len(found["definitions"]), words=len(words))
        return {**found, "lines": lines, "words": words}


@marey.traced(name="walk")
def walk(tree):
    """The names that a syntax tree uses, what it defines, and the modules that it imports."""
    uses, definitions, imports = Counter(), [], set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            uses[node.id] += 1
        elif isinstance(node, ast.Attribute):
            uses[node.attr] += 1
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            definitions.append((node.name, node.lineno))
        elif isinstance(node, ast.Import):
            imports.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imports.add(node.module.partition(".")[0])
    return {"uses": uses, "definitions": definitions, "imports": imports}


# ---------------------------------------------------------------- in the main thread


def ranked(counter):
    """(what, how often), the most frequent first; equal ones by name."""
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))


class Index:
    """Of all sources that were added."""

    def __init__(self, folder):
        self.folder = folder
        self.files = self.lines = 0
        self.uses = Counter()  # name: times
        self.imports = Counter()  # module: files
        self.words = Counter()  # word: files
        self.definitions = defaultdict(list)  # name: [(path, line), ...]

    def add(self, path, found):
        self.files += 1
        self.lines += found["lines"]
        self.uses.update(found["uses"])
        self.imports.update(found["imports"])
        self.words.update(found["words"].keys())
        for name, line in found["definitions"]:
            self.definitions[name].append((path, line))

    def clear_names(self):
        """Names of classes that are defined in one place only, the most used first."""
        for name, _ in ranked(self.uses):
            if name[0].isupper() and len(self.definitions.get(name, ())) == 1:
                yield name


def queued(sources):
    """What the readers put into the queue, until all of them are done."""
    readers = READERS
    while readers:
        with marey.span("wait for a source"):
            item = sources.get()
        if item is None:
            readers -= 1
        else:
            waiting.add(-1)
            yield item


def merge(index, jobs, done):
    """Add to the index what the workers found, and forget the jobs that are done."""
    for job in done:
        path, arrow = jobs.pop(job)
        in_work.add(-1)
        with marey.span("merge", file=path.name, flow=arrow.end):
            index.add(path, job.result())
        indexed.set(index.lines)


def index_all(folder, paths, workers):
    """The index of all paths: read by threads, indexed by processes, merged here."""
    index, jobs = Index(folder), {}
    sources = queue.Queue(READ_AHEAD)
    for number in range(READERS):
        given = paths[number::READERS], sources
        threading.Thread(
            target=read_sources, args=given, name=f"reader {number}", daemon=True
        ).start()
    # Spawned, because a fork of a program with threads may hang. Marey follows either way.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, start_worker) as pool:
        for path, text, arrow in queued(sources):
            with marey.span("submit", file=path.name, flow=arrow):
                job = pool.submit(index_source, path, text, arrow)
            jobs[job] = path, arrow
            in_work.add(1)
            if len(jobs) > 3 * workers:
                merge(index, jobs, wait(jobs, return_when=FIRST_COMPLETED).done)
        merge(index, jobs, wait(jobs).done)
    return index


# ------------------------------------------------------------------------ in asyncio


async def answer(index, name, gate):
    """One question: where is this name defined, and who uses it?"""
    with marey.span("answer", question=name) as span:
        places = index.definitions.get(name, [])
        span.set(places=len(places))
        if not places:
            return name, "defined nowhere", ""
        with marey.span("wait for the gate"):
            await gate.acquire()
        try:
            path, line = min(places)
            text = await definition(path, line)
        finally:
            gate.release()
        more = f" and {len(places) - 1} more" if len(places) > 1 else ""
        return name, text, f"{path.relative_to(index.folder)}:{line}{more}"


@marey.traced(args=["line"])
async def definition(path, line):
    """The source line of a definition, read by a thread."""
    text = await asyncio.to_thread(read_line, path, line)
    return text.strip().rstrip(":")


@marey.traced(name="read line")
def read_line(path, line):
    return linecache.getline(str(path), line)


async def answer_all(index, names):
    """Each question is a task of its own."""
    gate = asyncio.Semaphore(AT_A_TIME)
    tasks = [
        asyncio.create_task(answer(index, name, gate), name=f"where is {name}?") for name in names
    ]
    return await asyncio.gather(*tasks)


# ---------------------------------------------------------------------------- result


def show(index, answers, workers, seconds):
    """Print the result: a few tables."""
    print(
        f"The library of Python {platform.python_version()}: {index.files:,} files, "
        f"{index.lines:,} lines, {len(index.words):,} words, {len(index.definitions):,} names; "
        f"indexed by {workers} processes in {seconds:.1f} s\n"
    )
    print(f"{'Most used names':<26}  Most imported modules")
    most = zip(ranked(index.uses)[:10], ranked(index.imports)[:10])
    for (name, times), (module, files) in most:
        print(f"  {name:<14}{times:>10,}    {module:<14}{files:>6} files")
    print("\nWhere is it?")
    for name, text, place in answers:
        print(f"  {name:<16}{index.uses[name]:>6,} uses  {place:<26}  {text}")


def arguments():
    parser = argparse.ArgumentParser(description="Index the Python standard library.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="where is it defined?")
    parser.add_argument("--workers", type=int, default=min(4, os.cpu_count() or 1))
    parser.add_argument("--folder", type=Path, default=Path(sysconfig.get_path("stdlib")))
    return parser.parse_args()


def main():
    given = arguments()
    started = time.perf_counter()
    marey.process_name("index_stdlib")
    with stages.span("find all"):
        paths = find_sources(given.folder)
    with stages.span("index all", files=len(paths), workers=given.workers):
        index = index_all(given.folder, paths, given.workers)
    names = given.names or list(itertools.islice(index.clear_names(), QUESTIONS))
    with stages.span("answer all"):
        answers = asyncio.run(answer_all(index, names))
    marey.tag(files=index.files, lines=index.lines)
    shown = answers if given.names else answers[:SHOWN]
    show(index, shown, given.workers, time.perf_counter() - started)


if __name__ == "__main__":
    main()
