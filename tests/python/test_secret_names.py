"""The names of secrets are the same inside the program and in what reads it from outside."""

import pathlib
import re

import marey
from marey import _secrets

ROOT = pathlib.Path(__file__).parent.parent.parent


def test_the_command_knows_the_names_that_the_package_starts_with():
    text = (ROOT / "src/base/secret.c").read_text()
    listed = re.search(r"names\[\] = \{(.*?)\};", text, re.DOTALL)[1]
    assert tuple(re.findall(r'"(\w+)"', listed)) == _secrets.DEFAULT
    assert set(marey.secrets) == set(_secrets.DEFAULT)
