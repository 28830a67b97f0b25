"""What other tools write, as they wrote it (writers/), and what no tool should. The commands show
it, or say what is wrong with it, and end."""

import gzip
import json
import os
import subprocess
from pathlib import Path

import pytest
from command import find_marey
from tracemaker import BOOTTIME, TraceMaker, protos

WRITERS = Path(__file__).resolve().parent / "writers"


def marey(*words, data=None, timeout=60):
    return subprocess.run(
        [find_marey(), *map(str, words)],
        input=data,
        capture_output=True,
        timeout=timeout,
        check=False,
    )


def shown(*words, data=None):
    done = marey(*words, "--json", data=data)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def names(call):
    """["outer", ["inner"]] for a call: its name and its children's."""
    return [call["name"], *map(names, call.get("children", []))]


def test_viztracer():
    tree = shown("tree", WRITERS / "viztracer.json")
    leaf = ["leaf (/srv/app/work.py:2)", ["builtins.sum"]]
    comprehension = ["branch.<locals>.<listcomp> (/srv/app/work.py:5)", leaf, leaf, leaf]
    main, block = tree["calls"]
    assert names(main) == [
        "main (/srv/app/work.py:6)",
        ["branch (/srv/app/work.py:4)", comprehension],
    ]
    assert names(block) == ["block (/srv/app/viz.py:7)", leaf]
    assert main["children"][0]["args"] == {"func_args": {"k": "3"}, "return_value": "[0, 0, 1]"}
    assert main["elapsed_ns"] == 17556
    assert main["children"][0]["children"][0]["children"][0]["start_ns"] == 8052
    info = shown("info", WRITERS / "viztracer.json")
    assert info["spans"] == 12
    assert info["instants"] == 1
    assert info["damage"] == info["not_shown"] == info["notes"] == []
    assert [(c["name"], c["last"]) for c in info["counters"]] == [("n", 7)]
    assert info["processes"][0]["name"] == "MainProcess"
    assert info["processes"][0]["threads"][0]["name"] == "MainThread"


def test_keke():
    outer, f = shown("tree", WRITERS / "keke.json")["calls"]
    assert names(outer) == ["outer", ["inner"]]
    assert outer["args"] == {"a": "1", "b": "x"}
    assert (f["name"], f["thread"], f["args"]) == ("f", "Opener", {"n": "5"})
    info = shown("info", WRITERS / "keke.json")
    assert info["damage"] == info["not_shown"] == info["notes"] == []
    assert info["instants"] == 1
    counters = {c["name"]: c["last"] for c in info["counters"]}
    assert counters == {"queue": 3, "mem rss": 5, "mem vms": 7}


def test_keke_that_was_killed():
    """Its file ends behind any event, or within one: what is whole is shown."""
    whole = (WRITERS / "keke.json").read_bytes()
    lines = whole.splitlines(keepends=True)
    before = b"".join(lines[:8])
    assert shown("info", "-", data=before)["spans"] == 2
    cut = marey("check", "-", data=before + lines[8][:20])
    assert cut.returncode == 1
    assert f"cut off in the middle of a packet or an event (at byte {len(before)})" in (
        cut.stdout.decode()
    )


def test_tg4perfetto():
    """Times of the user's own on REALTIME, inline and interned names, old flow ids."""
    (outer,) = shown("tree", WRITERS / "tg4perfetto_made.pftrace")["calls"]
    assert names(outer) == ["outer", ["inner"]]
    assert outer["args"] == {"k": 1, "l": [1, 2], "s": "x"}
    assert (outer["elapsed_ns"], outer["track"]) == (4000, "work")
    info = shown("info", WRITERS / "tg4perfetto_made.pftrace")
    assert info["start_ns"] == 1000
    assert info["flows"] == 1
    assert [(c["least"], c["most"]) for c in info["counters"]] == [(-4, 3)]
    f, block = shown("tree", WRITERS / "tg4perfetto.pftrace")["calls"]
    assert (f["name"], f["track"], f["args"]["kargs"]) == ("f", "MainThread", [1])
    assert block["name"] == "blk"


def test_stacks_of_events():
    """An event of a thread may say where in the program it was: a sample of that thread."""
    maker = TraceMaker()
    maker.clocks(realtime=10**18, monotonic=10**12, boottime=10**12)
    maker.process(100, "app")
    thread = maker.thread(100, 101, "main")
    packet = protos.TracePacket(timestamp=10**12 + 5, timestamp_clock_id=BOOTTIME)
    packet.trusted_packet_sequence_id = 1
    event = packet.track_event
    event.type, event.name, event.track_uuid = event.TYPE_INSTANT, "checkpoint", thread
    for line, function in enumerate(("main", "handle"), 1):
        event.callstack.frames.add(function_name=function, source_file="/a.py", line_number=line)
    maker.add(packet)
    report = shown("report", "-", data=maker.data())
    assert report["samples"] == 1
    assert report["instants"] == 1
    text = marey("report", "-", data=maker.data()).stdout.decode()
    assert "handle" in text


@pytest.mark.parametrize("name", sorted(p.name for p in WRITERS.iterdir()))
def test_packed_files_show_the_same(name):
    plain = (WRITERS / name).read_bytes()
    unpacked, packed = (shown("info", "-", data=d) for d in (plain, gzip.compress(plain)))
    for info in (unpacked, packed):
        info.pop("size_bytes")
        info.pop("bytes_per_event")
    assert unpacked == packed


FOREIGN = {
    "an empty file": b"",
    "zeros, as a file has them that was never written": bytes(5000),
    "an ELF file (a program or a library)": b"\x7fELF\x02\x01\x01" + bytes(60),
    "a PNG image": b"\x89PNG\r\n\x1a\n" + bytes(60),
    "a zip archive: unpack it first": b"PK\x03\x04\x14" + bytes(60),
    "packed by zstd: unpack it first": b"\x28\xb5\x2f\xfd" + bytes(60),
    "text": b"GET / HTTP/1.1\n" * 40,
    "JSON without trace events": b'{"version": 1, "list": [{"ph": "X"}]}',
}
COMMANDS = ("report", "info", "check", "tree")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_no_trace(tmp_path, command, kind):
    path = tmp_path / "file"
    path.write_bytes(FOREIGN[kind])
    done = marey(command, path)
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.decode() == f"marey {command}: {path}: not a trace, but {kind}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_cannot_be_read(tmp_path, command):
    for path, why in (
        (tmp_path / "none", "no such file or directory"),
        (tmp_path, "not a regular file"),
    ):
        done = marey(command, path)
        assert done.returncode == 1
        assert done.stderr.decode() == f"marey {command}: {path}: {why}\n"


def test_ten_gigabytes_of_nothing(tmp_path):
    """Behind a trace, or alone: a hole in a file is stepped over."""
    whole = tmp_path / "whole"
    whole.write_bytes((WRITERS / "tg4perfetto.pftrace").read_bytes())
    empty = tmp_path / "empty"
    for path in (whole, empty):
        with path.open("ab") as file:
            os.truncate(file.fileno(), 10 << 30)
    assert shown("info", whole)["spans"] == 2
    assert marey("report", empty).returncode == 1


def test_hostile_json():
    """Deep nesting, long texts and lengths, half an escape: read in bounds."""
    event = '{"ph":"X","name":%s,"pid":1,"tid":1,"ts":1,"dur":1,"args":{"a":%s}}'
    deep = event % ('"deep"', "[" * 100_000 + "]" * 100_000)
    long = event % (json.dumps("x" * 1_000_000), '"\\u12"')
    unclosed = event % ('"u"', "[" * 100_000)
    info = shown("info", "-", data=f"[{deep},\n{long}]".encode())
    assert info["spans"] == 2
    done = marey("check", "-", data=f"[{deep},\n{unclosed}".encode())
    assert done.returncode == 1
    assert b"cut off" in done.stdout
