"""RESULTS.md: the bar with its verdicts, what else was measured, how, and on what machine."""

import os
import platform
import re
from pathlib import Path
from statistics import median

import bar
from environments import BENCH, ROOT, run

HOW = BENCH / "how.md"
PACKAGES = (
    *("keke", "viztracer", "tg4perfetto", "live-trace", "ox-profile", "tracepatch"),
    *("austin-dist", "py-spy", "protobuf"),
    *("pyinstrument", "flask", "django", "fastapi", "gunicorn", "uvicorn"),
)


def table(head, rows):
    """A Markdown table; empty where there are no rows."""
    if not rows:
        return ""
    lines = ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines) + "\n"


# ---- the machine


def _first(pattern, path):
    found = re.search(pattern, Path(path).read_text(), re.M)
    return found.group(1).strip() if found else "unknown"


def clock_source():
    path = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
    return path.read_text().strip() if path.exists() else "unknown"


def _commit():
    commit = run(["git", "rev-parse", "--short=12", "HEAD"]).strip()
    changed = run(["git", "status", "--porcelain", "--", "src", "include", "python", "bench"])
    ours = [line for line in changed.splitlines() if not line.endswith("bench/RESULTS.md")]
    return commit + (" and changes not yet committed" if ours else "")


def _file_system(path):
    return run(["df", "--output=fstype", path]).split()[-1]


def machine(environments, now):
    """Where and when."""
    memory = int(_first(r"^MemTotal:\s+(\d+)", "/proc/meminfo")) / (1 << 20)
    cpu = _first(r"^model name\s*:\s*(.*)$", "/proc/cpuinfo")
    packages = environments[0].ask(
        "from importlib.metadata import distributions\n"
        f"names = {PACKAGES}\n"
        "found = {d.metadata['Name'].replace('_', '-').lower(): d.version\n"
        "         for d in distributions()}\n"
        "print(*(f'{n} {found.get(n, \"not installed\")}' for n in names), sep=', ')"
    )
    rows = [
        ["date", f"{now:%Y-%m-%d %H:%M} UTC"],
        ["commit", _commit()],
        ["machine", f"{cpu}, {os.cpu_count()} CPUs, {memory:.0f} GiB, {platform.machine()}"],
        ["kernel", f"Linux {platform.release()}, clock source {clock_source()}"],
        ["system", _first(r'^PRETTY_NAME="?([^"]*)', "/etc/os-release")],
        ["compiler", run(["cc", "--version"]).splitlines()[0]],
        ["disk", _file_system(ROOT)],
        ["Python", ", ".join(e.full_version() for e in environments)],
        ["peers", packages.strip()],
        ["load", f"{os.getloadavg()[0]:.1f} at the end"],
    ]
    return table(["", ""], rows)


# ---- the rest of what was measured


def _times(results, group, skip=(), **fields):
    """Rows of a race: name, median, best, wall."""
    rows = []
    for who in results.names(group, **fields):
        if who in ("loop", *skip):
            continue
        cpu = results.rounds(group, who, **fields)
        wall = results.rounds(group, who, "wall_ns", **fields)
        rows.append([who, f"{median(cpu):,.1f}", f"{min(cpu):,.1f}", f"{median(wall):,.1f}"])
    return rows


TIMES = ["", "CPU ns, median", "best", "wall ns, median"]


def c_more(results):
    """What else can be recorded from C; what is paid once; threads."""
    parts = ["### C: what else can be recorded (file on tmpfs)\n"]
    parts.append(table(TIMES, _times(results, "c.more.tmpfs", where="tmpfs")))
    parts.append("### C: off\n")
    parts.append(table(TIMES, _times(results, "c.off")))
    for where in ("tmpfs", "disk"):
        parts.append(f"### C: paid once ({where}), nanoseconds each\n")
        parts.append(table(TIMES, _times(results, f"c.once.{where}", where=where)))
    parts.append("### C: threads (one file on tmpfs), a span of one thread\n")
    parts.append(table(["threads", *TIMES], _threads(results)))
    return "\n".join(parts)


def _threads(results):
    return [[str(n), *row] for n in (1, 2, 4) for row in _times(results, f"c.threads.{n}")]


def samples_more(results):
    """What the sampler pays for a sample in the trace, beside the lines of the bar."""
    group = "samples.tmpfs"
    rows = []
    for row in _times(results, group):
        found = results.find(group="samples.bytes", who=row[0]) if row[0] != "floor" else None
        rows.append([*row, f"{found['bytes']:.1f}" if found else ""])
    title = "### C: writing a sample of a stack of depth 15 (file on tmpfs)\n\n"
    return title + table([*TIMES, "bytes"], rows)


def inside_more(results):
    """What samplers within the program cost it, each in its turn."""
    rows = []
    taken = {r["who"]: r for r in results.records if r["group"] == "inside.rates"}
    for who in results.names("inside"):
        slower = [
            f"{100 * (results.ratio('inside', who, 'nothing', clock, clock)[0] - 1):.1f} %"
            for clock in ("thread_ns", "process_ns", "wall_ns")
        ]
        rate = taken.get(who)
        counts = [f"{rate['asked']:,}", f"{rate['taken']:,.0f}"] if rate else ["", ""]
        rows.append([who, *counts, *slower])
    head = ["", "asked a second", "taken", "thread's CPU", "process's CPU", "wall"]
    title = "### Sampling from within: a computing thread, 15 calls deep and more; added time\n\n"
    return title + table(head, rows)


def outside_more(results):
    """Every sampler of other processes, and how punctual ours is."""
    keys = ("stacks_per_s", "stacks_per_cpu_s", "percent", "torn_percent", "late_us")
    shown = ("{:,.0f}", "{:,.0f}", "{:.2f}", "{:.3f}", "{:.1f}")
    rows = []
    for r in results.records:
        what = r["group"].partition("outside.")[2]
        if what not in ("stacks", "rates", "threads"):
            continue
        title = {
            "stacks": "one thread, as fast as it can",
            "rates": f"one thread, {r.get('asked', 0):,} Hz",
            "threads": f"100 threads that {r.get('state')}, 100 Hz",
        }[what]
        figures = {**r, "percent": r.get("percent", r.get("cpu_percent"))}
        cells = [
            text.format(median(figures[key])) if key in figures else ""
            for key, text in zip(keys, shown)
        ]
        late = f"{max(r['late_max_us']):,.0f}" if "late_max_us" in r else ""
        rows.append([title, r["who"], *cells, late, str(sum(r["missed"])) if "missed" in r else ""])
    head = ["", "", "stacks a second", "a CPU second", "% of a core", "% torn", "late, us"]
    return "### Sampling from outside\n\n" + table([*head, "at most", "missed"], rows)


def outside_slower(results):
    """What a computing thread is slowed by, for each sampler."""
    rows = []
    for who in results.names("outside.slower")[1:]:
        clocks = [(clock, clock) for clock in ("thread_ns", "wall_ns")]
        ratios = [results.ratio("outside.slower", who, "nothing", *both)[0] for both in clocks]
        rows.append([who, *(f"{100 * (ratio - 1):.1f} %" for ratio in ratios)])
    title = "### Sampling from outside at 1,000 Hz: a computing thread, added time\n\n"
    return title + table(["", "thread's CPU", "wall"], rows)


def bytes_more(results):
    """Sizes without a bar."""
    rows = []
    cases = {"int": "an integer argument with each begin", "spaced": "spans of about 1 us"}
    for mode, what in cases.items():
        for where in ("tmpfs", "disk"):
            r = results.find(group="footprint", mode=mode, where=where)
            rows.append([f"{what}, {where}", f"{r['file_bytes'] / r['events']:.2f}"])
    return "### Bytes an event, 1 M events\n\n" + table(["", "bytes"], rows)


def python_more(results, python):
    """The races of one Python without a bar."""
    names = {
        "peers": "spans, each tool in its turn",
        "off": "nothing records",
        "argument": "a span with an integer argument",
        "instant": "an instant",
        "counter": "a counter",
        "more": "other ways to record a span; a traced call",
    }
    titles = {f"python.{group}": title for group, title in names.items()}
    titles["calls"] = "calls"
    titles["calls.args"] = "calls with arguments and results"
    titles["calls.off"] = "calls that are filtered out"
    parts = []
    for group, title in titles.items():
        rows = _times(results, group, python=python)
        if rows:
            parts += [f"### Python {python}: {title}\n", table(TIMES, rows)]
    return "\n".join(parts)


def converting_more(results):
    """Every format that holds time."""
    rows = []
    for r in results.records:
        if r["group"] == "reading" and r["who"].startswith("convert"):
            cpu, size = median(r["cpu_ns"]), r["file_bytes"]
            peak = f"{r['peak_bytes'] / bar.MIB:.0f}"
            rows.append([r["who"], r["trace"], f"{cpu / 1e9:.2f}", f"{size * 1e3 / cpu:.0f}", peak])
    head = ["", "trace", "CPU s", "MB/s of input", "memory at the peak, MiB"]
    return "### Converting ten million events\n\n" + table(head, rows)


def live_more(results):
    """Web applications under load, each tool in its turn."""
    parts = []
    for group in sorted({r["group"] for r in results.records if r["group"].startswith("live.")}):
        rows = []
        for who in results.names(group):
            found = results.find(group=group, who=who)
            per_s, cpu_us = (median(found[key]) for key in ("per_s", "cpu_us"))
            ratios = [bar.more_percent(results, group, who, key) for key in ("per_s", "cpu_us")]
            cells = [
                f"{per_s:,.0f}",
                f"{ratios[0]:+.1f} %",
                f"{cpu_us:,.0f}",
                f"{ratios[1]:+.1f} %",
            ]
            rows.append([who, *cells, f"{found['rss_kib'][-1] / 1024:.1f}"])
        _, framework, page = group.split(".")
        head = ["", "requests a second", "", "CPU us a request", "", "memory of the worker, MiB"]
        parts += [f"### Web applications: {framework}, /{page}\n", table(head, rows)]
    return "\n".join(parts)


def following_more(results):
    """How late a line of `marey tail` is."""
    late = sorted(results.find(group="following")["late_ns"])
    said = ", ".join(
        f"{name} {late[int(share * (len(late) - 1))] / 1e6:.0f} ms"
        for name, share in (("median", 0.5), ("99 of 100", 0.99), ("latest", 1))
    )
    return f"### `marey tail`: from an event to its line\n\n{len(late)} events: {said}.\n"


def whole(results):
    """Each tool all told."""
    rows = []
    for r in results.records:
        if r["group"] == "python.whole":
            rows.append(
                [
                    r["who"],
                    f"{r['spans']:,}",
                    f"{r['cpu_ns']:,.0f}",
                    f"{r['file_bytes'] / r['spans']:.1f}",
                    f"{r['stop_wall_ns'] / 1e6:,.1f}",
                    f"{r['rss_growth_at_peak'] / bar.MIB:.1f}",
                ]
            )
    head = ["", "spans", "CPU ns a span", "bytes a span", "stopping, wall ms", "RSS growth, MiB"]
    return "### All told: a busy Python thread, then the file written\n\n" + table(head, rows)


# ---- all


def render(results, environments, now):
    """The whole of RESULTS.md."""
    pythons = [e.name for e in environments]
    verdicts = [
        [line.what, line.bar, line.figure, line.verdict, line.beside]
        for line in bar.lines(results, pythons)
    ]
    missed = sum("missed" in row[3] for row in verdicts)
    parts = [
        "# What Marey costs\n",
        "Written by `make bench`; figures as they came out.\n",
        machine(environments, now),
        f"## The bar: {len(verdicts) - missed} of {len(verdicts)} lines met\n",
        table(["what", "bar", "measured", "", "against"], verdicts),
        "## How it was taken\n",
        HOW.read_text().format(clock=clock_source()),
        "## Without a bar\n",
        c_more(results),
        samples_more(results),
        inside_more(results),
        outside_more(results),
        outside_slower(results),
        bytes_more(results),
        converting_more(results),
        live_more(results),
        following_more(results),
        *(python_more(results, python) for python in pythons),
        whole(results),
    ]
    return "\n".join(parts)
