"""Every command that reads traces against every kind of bad input and output.

Whatever is wrong: one line that names the command and the file, the exit status that the help page
has, no crash, no hang, and no output file that is not whole."""

import contextlib
import gzip
import json
import os
import random
import signal
import subprocess
from pathlib import Path

import make_trace
import pytest
from command import find_marey
from disk import small_disk

FUZZ = Path(__file__).resolve().parent.parent / "fuzz"
TIMEOUT_S = 20
TRACE = make_trace.demo()
OUT = "out.perfetto-trace"

# {in}: what is read; {good}: a trace that is whole; {out}: what is written.
READING = {
    "report": "report {in}",
    "report-json": "report --json {in}",
    "report-csv": "report --csv {in}",
    "tree": "tree {in}",
    "tree-json": "tree --json {in}",
    "diff": "diff {good} {in}",
    "diff-first": "diff {in} {good}",
    "info": "info {in}",
    "check": "check {in}",
    "tail": "tail --once --from-start {in}",
}
WRITING = {
    "convert": "convert --to csv {in} -o {out}",
    "convert-perfetto": "convert --to perfetto {in} -o {out}",
    "convert-html": "convert --to html {in} -o {out}",
    "diff-picture": "diff {good} {in} -o {out}",
    "cut": "cut {in} -o {out}",
    "pack": "pack -q {in} -o {out}",
    "merge": "merge -q {good} {in} -o {out}",
    "merge-tar": "merge -q --tar {good} {in} -o {out}",
}
VIEW = {"view": "view --no-browser {in}"}
SAYING = {"tree", "tree-json", "report-csv", "diff", "convert", "cut", "merge", "pack"}
COPYING = {"convert", "convert-perfetto", "convert-html", "cut", "pack", "merge", "merge-tar"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("good").write_bytes(TRACE)
    return tmp_path


def words(line, **names):
    return [find_marey(), *(word.format(**{"good": "good", "out": OUT, **names}) for word in line)]


def marey(line, **names):
    """Runs a command line; it does not crash, and says on each line who speaks."""
    done = subprocess.run(
        words(line.split(), **names),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode in (0, 1, 2), (line, done)
    assert not [name for name in os.listdir() if name.startswith(".marey-")], line
    return done.returncode, done.stdout, done.stderr.decode()


def spans_of(path):
    return json.loads(marey("info --json {in}", **{"in": path})[1])["spans"]


def sparse(path, head=b""):
    with open(path, "wb") as file:
        file.write(head)
        file.truncate(10 << 30)


NO_TRACES = {
    "empty": (b"", "an empty file"),
    "zeros": (bytes(5000), "zeros"),
    "one-byte": (b"\n", "text"),
    "elf": (b"\x7fELF" + bytes(range(256)), "an ELF file"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "a PNG image"),
    "zip": (b"PK\x03\x04" + bytes(range(256)), "a zip archive"),
    "text": (b"no trace at all\n" * 40, "text"),
    "long-length": (b"\x0a" + b"\xff" * 8 + b"\x7f" + b"a" * 100, "data of another kind"),
    "deep-lists": (b"[" * 100000, "text"),
    "gzip-of-text": (gzip.compress(b"no trace at all\n" * 40), "text"),
    "gzip-of-noise": (b"\x1f\x8b" + random.Random(1).randbytes(300), "damaged at its beginning"),
    "json-without-events": (b'{"a": 1}', "JSON"),
    "deep-objects": (b'{"a":' * 100000, "JSON"),
}


@pytest.mark.parametrize("kind", NO_TRACES)
def test_no_trace(folder, kind):
    data, looks_like = NO_TRACES[kind]
    Path("bad").write_bytes(data)
    for name, line in {**READING, **WRITING, **VIEW}.items():
        status, output, said = marey(line, **{"in": "bad"})
        command = line.split()[0]
        assert status == 1, name
        assert not output, name
        assert said.startswith(f"marey {command}: bad: "), (name, said)
        assert said.count("\n") == 1, (name, said)
        assert looks_like in said or "cannot be followed" in said, (name, said)
        assert not Path(OUT).exists(), name


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("nothing-there", "no such file"),
        ("folder", "not a regular file"),
        ("good/below", "no such file"),
        ("x" * 300, "invalid"),
        ("loop", "invalid"),
        ("control\x1b[31m", "no such file"),
    ],
)
def test_no_file(folder, path, why):
    Path("folder").mkdir()
    Path("loop").symlink_to("loop")
    for name, line in {**READING, **WRITING, **VIEW}.items():
        status, output, said = marey(line, **{"in": path})
        assert status == 1, name
        assert not output, name
        assert said.startswith(f"marey {line.split()[0]}: "), (name, said)
        assert why in said and said.count("\n") == 1 and "\x1b" not in said, (name, said)
        assert not Path(OUT).exists(), name


def test_a_sparse_file_is_read_as_what_is_in_it(folder):
    sparse("zeros")
    sparse("trace", TRACE)
    for name, line in {**READING, **WRITING}.items():
        assert marey(line, **{"in": "zeros"})[0] == 1, name
        if name != "merge-tar":  # it holds files as they are, zeros and all
            assert marey(line, **{"in": "trace"})[0] == 0, name


def damaged():
    """Cut off, zero-filled and overwritten at places that are the same each time."""
    chance = random.Random(7)
    for number in range(6):
        place = chance.randrange(300, len(TRACE))
        yield f"cut-off-{number}", TRACE[:place]
        yield f"zeros-behind-{number}", TRACE[:place] + bytes(3000)
        noise = chance.randbytes(40)
        yield f"noise-{number}", TRACE[:place] + noise + TRACE[place + 40 :]
    yield "gzip-cut-off", gzip.compress(TRACE)[:400]
    yield "json-deep", b'[{"ph":"X","ts":1,"dur":2,"name":"a","args":' + b"[" * 100000
    for path in sorted(FUZZ.glob("reader/*"))[:12]:
        yield path.name, path.read_bytes()


@pytest.mark.parametrize(("kind", "data"), [pytest.param(*each, id=each[0]) for each in damaged()])
def test_damage_costs_little_and_is_said(folder, kind, data):
    Path("bad").write_bytes(data)
    whole = marey("check --json {in}", **{"in": "bad"})[0] == 0
    for name, line in {**READING, **WRITING}.items():
        status, output, said = marey(line, **{"in": "bad"})
        assert status != 2, name
        if "JSON, of which" in said or "cannot be followed" in said or "not a trace" in said:
            continue
        if name in COPYING:
            assert (status == 0) == whole, (name, said)
            assert Path(OUT).exists(), name
        if name in SAYING and not whole:
            assert f"marey {line.split()[0]}: bad: " in said, (name, said)
        if name.endswith("-json"):
            json.loads(output)
        if Path(OUT).exists():
            Path(OUT).unlink()


def test_what_stands_before_the_damage_of_a_gzip_file_is_read(folder):
    packed = bytearray(gzip.compress(TRACE))
    packed[-8] ^= 1  # its sum: all of the trace stands before that
    Path("bad").write_bytes(packed)
    assert spans_of("bad") == spans_of("good")
    status, found, _ = marey("check {in}", **{"in": "bad"})
    assert (status, b"the gzip'ed file is cut off or damaged" in found) == (1, True)


@pytest.mark.parametrize("link", ["same", "hard", "symbolic"])
def test_an_input_is_never_written_over(folder, link):
    if link == "hard":
        os.link("good", "link")
    elif link == "symbolic":
        Path("link").symlink_to("good")
    out = "good" if link == "same" else "link"
    for name, line in WRITING.items():
        status, _, said = marey(line, **{"in": "good", "out": out})
        assert status == 2, name
        assert said.startswith(f"marey {line.split()[0]}: "), (name, said)
        assert Path("good").read_bytes() == TRACE, name


@pytest.mark.parametrize("out", ["/dev/full", "nothing/there", "folder", "good/below"])
def test_an_output_that_cannot_be_written(folder, out):
    Path("folder").mkdir()
    for name, line in WRITING.items():
        status, _, said = marey(line, **{"in": "good", "out": out})
        assert status == 1, name
        assert f"marey {line.split()[0]}: {out}: " in said, (name, said)
        assert sorted(os.listdir()) == ["folder", "good"], name


def test_what_is_there_stays_when_the_disk_is_full(folder):
    """A limit of the file size stands in for a full disk: the first bytes are written alone."""
    limited = ("bash", "-c", 'trap "" XFSZ; ulimit -f 1; exec "$@"', "-")
    Path(OUT).write_text("from before")
    for name, line in WRITING.items():
        done = subprocess.run(
            [*limited, *words(line.split(), **{"in": "good"})],
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        if done.returncode == 0:
            assert Path(OUT).stat().st_size <= 1024, name
            Path(OUT).write_text("from before")
            continue
        assert done.returncode == 1, (name, done)
        assert f"marey {line.split()[0]}: {OUT}: File too large".encode() in done.stderr, name
        assert Path(OUT).read_text() == "from before", name
        assert sorted(os.listdir()) == ["good", OUT], name


@pytest.fixture
def full_disk(folder):
    """A file that is there, and not a byte left beside it."""
    with small_disk(folder / "disk", "64k") as disk:
        (disk / OUT).write_text("from before")
        with contextlib.suppress(OSError), (disk / "rest").open("wb", buffering=0) as rest:
            while True:
                rest.write(bytes(4096))
        yield disk


def test_what_is_there_stays_when_the_disk_is_really_full(full_disk):
    for name, line in WRITING.items():
        status, _, said = marey(line, **{"in": "good", "out": f"disk/{OUT}"})
        assert status == 1, name
        assert f"marey {line.split()[0]}: disk/{OUT}: No space left on device" in said, (name, said)
        assert (full_disk / OUT).read_text() == "from before", name
        assert sorted(os.listdir(full_disk)) == [OUT, "rest"], name


TO_OUTPUT = {name: line for name, line in {**READING, **WRITING}.items() if name != "convert-html"}


@pytest.mark.parametrize("ignored", [False, True])
def test_a_closed_pipe_is_quiet(folder, ignored):
    def prepare():
        signal.signal(signal.SIGPIPE, signal.SIG_IGN if ignored else signal.SIG_DFL)

    for name, line in TO_OUTPUT.items():
        reads, writes = os.pipe()
        os.close(reads)
        done = subprocess.run(
            words(line.split(), **{"in": "good", "out": "-"}),
            stdout=writes,
            stderr=subprocess.PIPE,
            timeout=TIMEOUT_S,
            restore_signals=False,
            preexec_fn=prepare,
            check=False,
        )
        os.close(writes)
        assert done.returncode == (1 if ignored else -signal.SIGPIPE), name
        assert done.stderr == b"", (name, done.stderr)


def test_a_full_disk_behind_the_standard_output(folder):
    for name, line in TO_OUTPUT.items():
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                words(line.split(), **{"in": "good", "out": "-"}),
                stdout=full,
                stderr=subprocess.PIPE,
                timeout=TIMEOUT_S,
                check=False,
            )
        assert done.returncode == 1, name
        assert b"standard output: " in done.stderr, (name, done.stderr)


def test_the_standard_input(folder):
    """`-` is read by all but those that read twice or follow; what is wrong names it."""
    for name, line in {**READING, **WRITING}.items():
        command = line.split()[0]
        for data, right in ((TRACE, 0), (b"text\n", 1)):
            done = subprocess.run(
                words(line.split(), **{"in": "-", "out": "-"}),
                input=data,
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
            refuses = command in {"tail", "merge"}
            assert done.returncode == (2 if refuses else right), (name, done.stderr)
            if refuses:
                assert b"'-'" in done.stderr, name
            elif right:
                assert done.stderr.startswith(f"marey {command}: standard input: ".encode()), name


@pytest.mark.parametrize("name", [*READING, *WRITING, *VIEW])
def test_wrong_usage(folder, name):
    command = {**READING, **WRITING, **VIEW}[name].split()[0]
    for line in ("{c}", "{c} --nothing", "{c} good --nothing good"):
        status, _, said = marey(line, c=command)
        assert status == 2, line
        assert said.startswith(f"marey {command}: "), said
        assert said.endswith(f"Try 'marey {command} --help'.\n"), said


@pytest.mark.parametrize(
    "name", sorted({line.split()[0] for line in {**READING, **WRITING, **VIEW}.values()})
)
def test_help_has_the_exit_status(name):
    status, page, _ = marey(name + " --help")
    told = page.decode().partition("\nexit status: ")[2].partition("\n\n")[0]
    assert status == 0
    assert told.startswith("0 ") and " 1 " in told and "2 wrong usage" in told, told
