"""What cannot be recorded into, joined or copied to: the right error, and nothing left behind."""

import os
import random
import stat
import struct

import pytest
from crash.look import look, run

ENOENT, EACCES, EINVAL, EOFF, ENOTFILE = -2, -3, -7, -9, -10
EFOREIGN, ECLOSED = -11, -12
NOBODY = 65534
CONTROL = 2048  # where the control block stands: docs/FORMAT.md
CURSOR = CONTROL + 72

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")


def opened(path, *more, user=None, **options):
    how = ["open"] if user is None else ["open-as", user]
    done = run("errors", *how, path, *more, **options)
    recorded = done.said["code"] == 0
    assert done.said["recording"] == recorded
    assert done.said["status"] == (0 if recorded else EOFF)
    return done.said["code"]


@pytest.fixture
def folder(tmp_path):
    """A folder that stays as it is."""
    path = tmp_path / "folder"
    path.mkdir()
    before = {}

    def remember():
        for name in os.listdir(path):
            before[name] = os.lstat(path / name)

    path_remember[path] = remember
    yield path
    assert set(os.listdir(path)) == set(before)
    for name, status in before.items():
        now = os.lstat(path / name)
        assert (now.st_ino, now.st_mode, now.st_size) == (
            status.st_ino,
            status.st_mode,
            status.st_size,
        )


path_remember = {}


def keep(folder):
    path_remember[folder]()


def test_missing_folder(folder):
    assert opened(folder / "missing" / "t") == ENOENT


def test_a_file_as_folder(folder):
    (folder / "file").write_text("x")
    keep(folder)
    assert opened(folder / "file" / "t") == ENOENT


@as_root
def test_folder_that_cannot_be_written(folder):
    keep(folder)
    assert opened(folder / "t", user=NOBODY) == EACCES


@as_root
def test_file_that_cannot_be_written(folder):
    (folder / "t").write_text("x")
    folder.chmod(0o777)
    keep(folder)
    assert opened(folder / "t", user=NOBODY) == EACCES


def test_folder_as_file(folder):
    (folder / "t").mkdir()
    keep(folder)
    assert opened(folder / "t") == ENOTFILE
    assert opened(f"{folder}/t/") == ENOTFILE
    assert opened(f"{folder}/.") == ENOTFILE
    assert opened("/") == ENOTFILE


def test_fifo_socket_and_device(folder):
    os.mkfifo(folder / "fifo")
    os.mknod(folder / "socket", 0o600 | stat.S_IFSOCK)
    keep(folder)
    assert opened(folder / "fifo") == ENOTFILE
    assert opened(folder / "socket") == ENOTFILE
    assert opened("/dev/null") == ENOTFILE
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_link_to_what_is_no_file(folder):
    """As /dev/stdout: the link must stay."""
    (folder / "link").symlink_to("/dev/null")
    (folder / "to folder").symlink_to("/")
    keep(folder)
    assert opened(folder / "link") == ENOTFILE
    assert opened(folder / "to folder") == ENOTFILE


def test_empty_and_too_long(folder):
    assert opened("") == EINVAL
    assert opened(folder / ("n" * 256)) == EINVAL
    assert opened(f"{folder}/" + "n" * 5000) == EINVAL
    assert opened(f"{folder}/" + "./" * 2500 + "t") == EINVAL


def test_longest_name_that_the_system_takes(tmp_path):
    assert opened(tmp_path / ("n" * 255)) == 0
    assert os.listdir(tmp_path) == ["n" * 255]


@pytest.mark.parametrize("categories", ["-", "a,-,b"])
def test_categories_that_are_none(folder, categories):
    (folder / "t").write_text("what was there before")
    keep(folder)
    assert opened(folder / "t", categories) == EINVAL


def test_ring_that_is_too_small(folder):
    assert opened(folder / "t", "*", 1000) == EINVAL


@pytest.mark.parametrize("name", ["missing/t", "folder", "fifo"])
def test_snapshot_to_where_it_cannot_be(tmp_path, name):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    done = run("errors", "snapshot", tmp_path / "t", tmp_path / name)
    assert done.said == {"code": ENOENT if "missing" in name else ENOTFILE, "off": EOFF}
    assert sorted(os.listdir(tmp_path)) == ["fifo", "folder", "t"]


def test_snapshot_to_the_trace_itself(tmp_path):
    done = run("errors", "snapshot", tmp_path / "t", tmp_path / "t")
    assert done.said["code"] == EINVAL
    assert look(tmp_path / "t").only_thread().instants() == ["instant"]


def test_mode_of_the_file(tmp_path):
    """Nobody else may read it, whatever the umask."""
    (tmp_path / "t").write_text("old")
    (tmp_path / "t").chmod(0o666)
    assert opened(tmp_path / "t", umask=0) == 0
    assert stat.S_IMODE((tmp_path / "t").stat().st_mode) == 0o600


# ------------------------------------------------------------------------- join


def joined(path):
    done = run("errors", "join", path)
    assert done.said["status"] == done.said["closed"] == (0 if done.said["code"] == 0 else EOFF)
    return done.said["code"]


def head_of_a_session(tmp_path, ring_bytes=0):
    """A file whose session is still open, as a killed process leaves it."""
    trace = tmp_path / "real"
    assert opened(trace, "*", ring_bytes) == 0
    data = bytearray(trace.read_bytes())
    at = data.index(struct.pack("<I", 2), CONTROL + 64)  # STATE_ENDED
    data[at : at + 4] = struct.pack("<I", 1)
    return data


@pytest.fixture(params=[0, 1 << 20], ids=["file", "ring"])
def head(request, tmp_path):
    return head_of_a_session(tmp_path, request.param)


def test_join_of_a_session_left_open(tmp_path, head):
    """So that the tests below mean something."""
    (tmp_path / "t").write_bytes(head)
    assert joined(tmp_path / "t") == 0
    assert look(tmp_path / "t").spans() == []


def test_join_of_an_ended_session(tmp_path):
    assert opened(tmp_path / "t") == 0
    before = (tmp_path / "t").read_bytes()
    assert joined(tmp_path / "t") == ECLOSED
    assert (tmp_path / "t").read_bytes() == before


@pytest.mark.parametrize("size", [0, 1, 8, 100, 2048, 4095, 4096, 8191])
def test_join_of_a_file_cut_off(tmp_path, head, size):
    (tmp_path / "t").write_bytes(head[:size])
    assert joined(tmp_path / "t") == EFOREIGN
    assert (tmp_path / "t").read_bytes() == head[:size]


@pytest.mark.parametrize("fill", ["zeros", "random", "text", "ones"])
def test_join_of_another_file(tmp_path, fill):
    data = {
        "zeros": bytes(20000),
        "random": random.Random(1).randbytes(20000),
        "text": b"something else " * 2000,
        "ones": b"\xff" * 20000,
    }[fill]
    (tmp_path / "t").write_bytes(data)
    assert joined(tmp_path / "t") == EFOREIGN
    assert (tmp_path / "t").read_bytes() == data


def test_join_of_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    assert joined(tmp_path / "missing") == ENOENT
    assert joined(tmp_path / "fifo") == ENOTFILE
    assert joined(tmp_path) == ENOTFILE
    assert joined("/dev/null") == ENOTFILE


@pytest.mark.parametrize("value", [0, 1, 7, 4097, 1 << 13, 1 << 40, (1 << 63) + 8, (1 << 64) - 1])
@pytest.mark.parametrize("at", range(CONTROL + 8, CONTROL + 112, 8))
def test_join_of_a_damaged_head(tmp_path, head, at, value):
    """Any number in the control block may be any other: no crash, no file without end."""
    size = len(head)
    head[at : at + 8] = struct.pack("<Q", value)
    (tmp_path / "t").write_bytes(head)
    joined(tmp_path / "t")
    assert (tmp_path / "t").stat().st_size <= size + (1 << 20)


def test_join_of_a_head_damaged_at_random(tmp_path, head):
    dice, size = random.Random(2), len(head)
    for _ in range(200):
        data = bytearray(head)
        for _ in range(dice.randint(1, 12)):
            data[dice.randrange(CONTROL, CONTROL + 160)] = dice.randrange(256)
        (tmp_path / "t").write_bytes(data)
        joined(tmp_path / "t")
        assert (tmp_path / "t").stat().st_size <= size + (1 << 20)
