"""A process that reads its own stacks."""

import pathlib
import subprocess

import pytest
import stack_oracle

PROGRAM = pathlib.Path(__file__).parent / "programs/inside.py"
ROUNDS = 20_000


def test_own_stacks_are_legal(interpreter, build, tmp_path):
    if interpreter[0] == "chroot":
        pytest.skip("the library is not in that root")
    output = tmp_path / "stacks"
    done = subprocess.run(
        [*interpreter, str(PROGRAM), str(build / "inside.so"), str(output), str(ROUNDS)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    seen = stack_oracle.parse(output.read_text())
    program = stack_oracle.Program(PROGRAM)
    own = [frames for _, _, frames in seen.stacks if frames and frames[0].name == "<module>"]
    assert {
        program.complaint(tuple(f for f in frames if f.file == program.path)) for frames in own
    } == {None}
    assert {"main", "work", "leaf"} <= {frame.name for frames in own for frame in frames}
    assert seen.read > 0.9 * ROUNDS
