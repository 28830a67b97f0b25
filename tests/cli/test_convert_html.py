"""`marey convert --to html`: what the page as one file carries of a trace. How it looks is
tests/browser's."""

import base64
import gzip
import json
import re
import subprocess

from command import find_marey

IDS_MAX = 4096  # that one question names


def data_of(page):
    """What stands in the page, decoded."""
    found = re.search(r'<script[^>]*id="?marey-data"?[^>]*>(.*?)</script>', page, re.DOTALL)
    data = json.loads(found[1])
    if data["encoding"] == "json":
        return data["data"]
    return json.loads(gzip.decompress(base64.b64decode(data["data"])))


def converted(folder, events):
    (folder / "in.json").write_text(json.dumps(events))
    subprocess.run(
        [find_marey(), "convert", folder / "in.json", "-o", folder / "out.html"],
        check=True,
        timeout=60,
    )
    return data_of((folder / "out.html").read_text())


def busy_thread(tid):
    span = {"ph": "X", "pid": 1, "tid": tid, "ts": tid, "dur": 5, "name": "work"}
    return [span, {"ph": "i", "s": "t", "pid": 1, "tid": tid, "ts": tid + 1, "name": "tick"}]


def test_spans_and_what_is_beside_them(tmp_path):
    quiet = {"ph": "X", "pid": 1, "tid": 2, "ts": 3, "dur": 5, "name": "quiet"}
    data = converted(tmp_path, [*busy_thread(1), quiet])
    assert data["answers"]["api/trace"]["counts"]["spans"] == 2
    assert sorted(data["spans"]["names"]) == ["quiet", "work"]
    (beside,) = data["answers"]["api/timeline"]["tracks"]
    assert beside["instants"]["time"] == [1000] and "spans" not in beside


def test_more_tracks_than_a_question_names(tmp_path):
    threads = IDS_MAX + 100
    data = converted(tmp_path, [e for tid in range(1, threads + 1) for e in busy_thread(tid)])
    assert len(data["spans"]["id"]) == threads
    assert len(data["answers"]["api/timeline"]["tracks"]) == IDS_MAX
