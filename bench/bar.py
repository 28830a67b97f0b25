"""The bar: what Marey promises, line by line, and what was measured for it."""

from dataclasses import dataclass
from statistics import median

MIB = 1 << 20
PEERS = (("keke", "kev", 25), ("viztracer", "log_event", 5), ("tg4perfetto", "trace", 50))


@dataclass
class Line:
    """what: the thing. bar: what it has to be. figure: what it was. verdict: met or missed, by how
    much. beside: what it is held against, and the like."""

    what: str
    bar: str
    figure: str
    verdict: str
    beside: str


def at_most(value, bar) -> str:
    """A verdict where less is better."""
    if value <= bar:
        return f"met ({(1 - value / bar):.0%} under)"
    return f"**missed** (by {(value / bar - 1):.0%})"


def at_least(value, bar) -> str:
    """A verdict where more is better."""
    if value >= bar:
        return f"met ({(value / bar - 1):.0%} over)"
    return f"**missed** (by {(1 - value / bar):.0%})"


def ns(series) -> str:
    """The median and the best of a series."""
    return f"{median(series):,.1f} ns (best {min(series):,.1f})"


def _ratio_line(results, what, bar, group, who, **fields):
    """who against the floor of its race; None where it was not measured."""
    ratio = results.ratio(group, who, "floor", **fields)
    if ratio is None:
        return None
    ours, floor = (results.rounds(group, name, **fields) for name in (who, "floor"))
    figure = f"{ratio[0]:.2f}x (best {ratio[1]:.2f}x)"
    beside = f"{ns(ours)} against {ns(floor)}"
    return Line(what, f"<= {bar}x", figure, at_most(ratio[0], bar), beside)


# ---- C


def c_recording(results):
    places = {"tmpfs": "file on tmpfs", "disk": "file on disk", "ring": "ring of 16 MiB on tmpfs"}
    for where, label in places.items():
        what = f"C begin + end, recording, {label}"
        line = _ratio_line(results, what, 1.6, f"c.on.{where}", "begin, end", where=where)
        written = results.rounds(f"c.on.{where}", "as many bytes by write", where=where)
        if written:
            line.beside += f"; writing as many bytes alone: {ns(written)}"
        yield line


def c_off(results):
    cases = [("C begin + end, off", "c.off", "begin, end", {})]
    cases += [("C scope, off", "c.off", "scope", {})]
    cases += [
        (
            "C scope in a category that is off, recording",
            "c.quiet",
            "scope in a category that is off",
            {"where": "tmpfs"},
        )
    ]
    for what, group, who, fields in cases:
        series = results.rounds(group, who, **fields)
        value = median(series)
        yield Line(what, "<= 1 ns", f"{value:.2f} ns", at_most(value, 1), f"best {min(series):.2f}")


def c_samples(results):
    """A sample of a stack of depth 15, written into a trace."""
    who = "another stack that the chunk knows"
    series = results.rounds("samples.tmpfs", who)
    value = median(series)
    size = results.find(group="samples.bytes", who=who)["bytes"]
    beside = f"best {min(series):,.1f}"
    yield Line("a sample, written", "<= 250 ns", f"{value:,.1f} ns", at_most(value, 250), beside)
    yield Line("bytes a sample", "<= 60", f"{size:.1f}", at_most(size, 60), who)


# ---- Python


def python_spans(results, python):
    name = f"Python {python}"
    yield _ratio_line(results, f"{name} span, recording", 1.6, "python.on", "marey", python=python)
    yield _ratio_line(results, f"{name} span, off", 1.0, "python.off", "marey", python=python)
    for peer, call, factor in PEERS:
        yield _under(results, python, peer, call, factor)


def _under(results, python, peer, call, factor):
    """How far a span of ours is under that of a peer: by CPU time of the thread alone, whatever the
    peer does elsewhere."""
    ratio = results.ratio("python.peers", peer, "marey", "thread_ns", python=python)
    if ratio is None:
        return None
    theirs, ours = (
        results.rounds("python.peers", who, "thread_ns", python=python) for who in (peer, "marey")
    )
    return Line(
        f"Python {python} span, under {peer}'s {call}",
        f">= {factor}x",
        f"{ratio[0]:.1f}x",
        at_least(ratio[0], factor),
        f"{ns(ours)} against {ns(theirs)}",
    )


def python_allocations(results, python):
    for who in ("off", "recording"):
        record = results.find(group="python.allocations", who=who, python=python)
        yield record and _nothing(
            f"Python {python}: allocations a span, {who}", record["per_span"], ""
        )


# ---- calls


def python_calls(results, python):
    name = f"Python {python} call"
    old = tuple(map(int, python.split("."))) < (3, 12)
    fields = {"python": python}
    yield _ratio_line(results, f"{name}, recorded", 1.5, "calls", "marey", **fields)
    yield _calls_under(results, name, "calls", "viztracer", 2 if old else 1.2, fields)
    what = f"{name} with arguments and result"
    yield _calls_under(results, what, "calls.args", "viztracer", 4, fields)
    yield _calls_under(results, what, "calls.args", "tracepatch", 15, fields)
    off = results.rounds("calls.off", "marey", **fields)
    if off:
        most, value = (10 if old else 1), median(off)
        beside = f"best {min(off):.1f}"
        verdict = at_most(value, most)
        yield Line(f"{name}, filtered out", f"<= {most} ns", f"{value:.1f} ns", verdict, beside)
    size = results.find(group="calls.bytes", who="marey", **fields)
    if size:
        value = size["bytes"]
        yield Line(f"{name}, bytes", "<= 32", f"{value:.1f}", at_most(value, 32), "")
    many = results.find(group="calls.memory", who="marey", **fields)
    if many:
        what = f"{name}, memory that ten million take"
        value = many["grown"] / MIB
        beside = f"file of {many['file_bytes']:,} bytes"
        yield Line(what, "<= 4 MiB", f"{value:.1f} MiB", at_most(value, 4), beside)


def _calls_under(results, what, group, peer, factor, fields):
    ratio = results.ratio(group, peer, "marey", **fields)
    if ratio is None:
        return None
    theirs, ours = (results.rounds(group, who, **fields) for who in (peer, "marey"))
    beside = f"{ns(ours)} against {ns(theirs)}"
    verdict = at_least(ratio[0], factor)
    return Line(f"{what}, under {peer}", f">= {factor}x", f"{ratio[0]:.1f}x", verdict, beside)


# ---- sampling from within


def inside(results):
    """By the computing thread's own CPU time: what it is slowed by, whatever runs beside it."""
    fields = {"clock": "thread_ns", "against_clock": "thread_ns"}
    ratio = results.ratio("inside", "marey 10,000 Hz", "nothing", **fields)
    rates = [r for r in results.records if r["group"] == "inside.rates"]
    taken = {r["who"]: r["taken"] for r in rates}
    slower = 100 * (ratio[0] - 1)
    others = ", ".join(
        f"{who.split()[0]} {n:,.0f}" for who, n in taken.items() if "marey" not in who
    )
    yield Line(
        "inside sampling at 10,000 Hz, a computing thread slower by",
        "<= 2 %",
        f"{slower:.1f} % (best {100 * (ratio[1] - 1):.1f} %)",
        at_most(slower, 2),
        f"{taken['marey 10,000 Hz']:,.0f} samples a second taken; {others}",
    )
    start = median(results.find(group="inside.start", who="start")["wall_ns"]) / 1e6
    yield Line("Sampler.start()", "<= 1 ms", f"{start:.2f} ms", at_most(start, 1), "median")
    grown = results.find(group="inside.memory")
    yield Line(
        "inside sampling, memory grown while samples are added up",
        "<= 1 MiB",
        f"{grown['grown'] / MIB:.2f} MiB",
        at_most(grown["grown"] / MIB, 1),
        f"{grown['samples']:,} samples",
    )


# ---- sampling from outside


def _others(results, key, unit, group, **fields):
    """What the others of a race took, as text."""
    names = [who for who in results.names(group, **fields) if who != "marey"]
    medians = [(who, results.figure(key, group, who, **fields)) for who in names]
    return ", ".join(f"{who} {value:,.2f}{unit}" for who, value in medians if value is not None)


def outside_stacks(results):
    rounds = results.find(group="outside.stacks", who="marey")["stacks_per_cpu_s"]
    value = median(rounds)
    names = results.names("outside.stacks")
    others = ", ".join(
        f"{who} {results.figure('stacks_per_cpu_s', 'outside.stacks', who):,.0f}"
        for who in names
        if who != "marey"
    )
    yield Line(
        "outside sampling, depth 15, stacks a CPU second, into a trace",
        ">= 400,000",
        f"{value:,.0f} (best {max(rounds):,.0f})",
        at_least(value, 400_000),
        others,
    )
    for group, label, fields in (
        ("outside.stacks", "as fast as it can", {}),
        ("outside.rates", "1,000 Hz", {"asked": 1000}),
    ):
        found = results.find(group=group, who="marey", **fields)
        torn = sum(found["torn_percent"]) / len(found["torn_percent"])
        what, verdict = f"outside sampling, torn, {label}", at_most(torn, 0.05)
        yield Line(what, "<= 0.05 %", f"{torn:.3f} %", verdict, "all rounds")


def outside_cost(results):
    found = results.find(group="outside.rates", who="marey", asked=1000)
    value = median(found["cpu_percent"])
    floor = results.figure("cpu_percent", "outside.rates", "floor", asked=1000)
    yield Line(
        "outside sampling of a thread at 1,000 Hz, of a core",
        "<= 1 %",
        f"{value:.2f} % (best {min(found['cpu_percent']):.2f} %)",
        at_most(value, 1),
        f"a loop that only sleeps as often: {floor:.2f} %",
    )
    for state in ("sleep", "want the GIL"):
        fields = {"group": "outside.threads", "state": state}
        value = median(results.find(who="marey", **fields)["cpu_percent"])
        what = f"outside sampling of 100 threads of depth 30 that {state}, 100 Hz, of a core"
        beside = _others(results, "percent", " %", **fields)
        yield Line(what, "<= 5 %", f"{value:.2f} %", at_most(value, 5), beside)


def outside_slower(results):
    """By the computing thread's own CPU time, as from within; by wall time beside it."""
    slower = {}
    for who in results.names("outside.slower"):
        for clock in ("thread_ns", "wall_ns"):
            ratio = results.ratio("outside.slower", who, "nothing", clock, clock)
            slower[who, clock] = 100 * (ratio[0] - 1)
    value = slower["marey", "thread_ns"]
    others = [
        f"{who} {slower[who, 'wall_ns']:.1f} %" for who in results.names("outside.slower")[1:]
    ]
    beside = "by wall time: " + ", ".join(others)
    what = "outside sampling at 1,000 Hz, a computing thread slower by"
    yield Line(what, "<= 1 %", f"{value:.1f} %", at_most(max(value, 0), 1), beside)


def outside_memory(results):
    found = results.find(group="outside.memory")
    grown = max(0, found["long"] - found["short"]) / MIB
    short, long = found["seconds"]
    yield Line(
        f"outside sampling, memory grown from {short} s to {long} s, threads and children end",
        "<= 1 MiB",
        f"{grown:.2f} MiB",
        at_most(grown, 1),
        f"peak {found['long'] / MIB:.1f} MiB",
    )


# ---- reading


def reading(results):
    for trace in ("spans", "spans and samples"):
        check = results.find(group="reading", who="check", trace=trace)
        if check is None:
            continue
        rate = check["events"] / median(check["cpu_ns"]) * 1e3
        best = check["events"] / min(check["cpu_ns"]) * 1e3
        beside = f"CPU time of the whole of `marey check`; best {best:.1f}"
        figure = f"{rate:.1f} million/s"
        verdict = at_least(rate, 5)
        yield Line(f"reading {trace}, events a second", ">= 5 million/s", figure, verdict, beside)
        report = results.find(group="reading", who="report", trace=trace)
        seconds, peak = median(report["wall_ns"]) / 1e9, report["peak_bytes"] / 1e6
        what = f"`marey report` of {report['events']:,} events, {trace}"
        beside = f"CPU {median(report['cpu_ns']) / 1e9:.2f} s"
        yield Line(what, "<= 3 s", f"{seconds:.2f} s", at_most(seconds, 3), beside)
        beside = f"file of {report['file_bytes'] / 1e6:.0f} MB"
        yield Line(f"{what}, memory", "<= 300 MB", f"{peak:.0f} MB", at_most(peak, 300), beside)
        for to in ("speedscope", "folded"):
            yield converting(results, trace, to)


def converting(results, trace, to):
    taken = results.find(group="reading", who=f"convert to {to}", trace=trace)
    rate, best = (taken["file_bytes"] * 1e3 / pick(taken["cpu_ns"]) for pick in (median, min))
    peak = taken["peak_bytes"] / 1e6
    beside = f"CPU time of the whole of `marey convert`; best {best:.0f}; {peak:.0f} MB of memory"
    what = f"converting {trace} to {to}, input a second"
    return Line(what, ">= 100 MB/s", f"{rate:.0f} MB/s", at_least(rate, 100), beside)


# ---- the page


def viewing(results):
    found = results.find(group="viewing")
    if found is None:
        return
    first = found["first_ms"] / 1000
    beside = (
        f"{found['events']:,} events; `marey view` listens after {found['listening_ms']:.0f} ms"
    )
    what = "the page's first picture, after loading"
    yield Line(what, "<= 1 s", f"{first:.2f} s", at_most(first, 1), beside)
    for name, title in (("whole", "all of it"), ("near", "a part"), ("nearer", "a small part")):
        rate = min(found[f"pan_{name}_fps"], found[f"back_{name}_fps"])
        beside = f"1 of 100 frames takes over {found[f'pan_{name}_p99_ms']:.0f} ms"
        what = f"frames a second while {title} is panned"
        yield Line(what, ">= 30", f"{rate:.0f}", at_least(rate, 30), beside)


# ---- web applications


def live(results):
    """By CPU time of the worker a request, which the load of the machine changes least."""
    bars = {
        "paused": ("installed and paused", 0.5),
        "sampled": ("spans and 100 samples a second in the ring", 2),
        "calls": ("every call of its own code in the ring", 25),
    }
    for framework in ("flask", "django", "fastapi"):
        group = f"live.{framework}.cart"
        for who, (what, most) in bars.items():
            more = more_percent(results, group, who, "cpu_us")
            if more is None:
                continue
            throughput = more_percent(results, group, who, "per_s")
            control = more_percent(results, group, "again", "cpu_us")
            beside = f"throughput {throughput:+.1f} %; without it once more, CPU {control:+.1f} %"
            title = (
                f"{framework}, a request of {results.figure('cpu_us', group, 'without'):,.0f} us"
            )
            verdict = at_most(max(more, 0), most)
            yield Line(f"{title}, {what}", f"<= {most} %", f"{more:.1f} %", verdict, beside)
        rss = results.find(group=group, who="calls")
        if rss is not None:
            grown = (rss["rss_kib"][-1] - rss["rss_kib"][0]) / 1024
            what = f"{framework}, memory of the worker grown from the first round to the last"
            without = results.figure("rss_kib", group, "without") / 1024
            beside = (
                f"{rss['rss_kib'][-1] / 1024:.1f} MiB, without {without:.1f}; the ring is a file"
            )
            yield Line(what, "<= 1 MiB", f"{grown:.1f} MiB", at_most(max(grown, 0), 1), beside)


def more_percent(results, group, who, key):
    """By how much `who` has more than "without": the median of the rounds' own ratios."""
    ours, theirs = (results.find(group=group, who=one) for one in (who, "without"))
    if ours is None or theirs is None:
        return None
    return 100 * (median(a / b for a, b in zip(ours[key], theirs[key])) - 1)


# ---- bytes, memory, stopping


def _footprints(results):
    for where in ("tmpfs", "disk"):
        for asked in (1_000_000, 10_000_000):
            record = results.find(group="footprint", mode="plain", asked=asked, where=where)
            yield f"{asked // 1_000_000} M events, {where}", record


def footprint_bytes(results):
    for label, record in _footprints(results):
        value = record["file_bytes"] / record["events"]
        beside = f"file of {record['file_bytes']:,} bytes"
        yield Line(
            f"bytes an event, {label}", "<= 12.5", f"{value:.2f}", at_most(value, 12.5), beside
        )


def footprint_stop(results):
    for label, record in _footprints(results):
        value = record["stop_wall_ns"] / 1e6
        beside = f"CPU {record['stop_cpu_ns'] / 1e6:.2f} ms"
        yield Line(f"stopping, {label}", "<= 10 ms", f"{value:.2f} ms", at_most(value, 10), beside)


def footprint_memory(results):
    for label, record in _footprints(results):
        value = record["rss_growth_at_peak"] / MIB
        beside = ", ".join(
            f"{kind} {record[f'{kind}_growth'] / MIB:.1f}" for kind in ("anon", "file", "shmem")
        )
        yield Line(
            f"RSS growth at its peak, {label}",
            "<= 16 MiB",
            f"{value:.1f} MiB",
            at_most(value, 16),
            f"at the end, MiB: {beside}",
        )


def footprint_allocations(results):
    off = results.find(group="footprint", mode="plain", asked=1_000_000, where="tmpfs")
    yield _nothing("C calls of malloc, off", off["allocations_off"], "256 spans")
    for label, record in _footprints(results):
        beside = f"{record['record_ns'] / record['events']:.1f} ns an event"
        yield _nothing(f"C calls of malloc while recording {label}", record["allocations"], beside)


def _nothing(what, value, beside):
    verdict = "met" if value == 0 else "**missed**"
    return Line(what, "0", f"{value:g}", verdict, beside)


# ---- drop-ins


def dropins(results):
    """By CPU time of the thread that uses them; of samplers, of the whole process."""
    bars = {
        "keke": ("kev", 10, "thread_ns"),
        "tracepatch": ("traced call", 10, "thread_ns"),
        "tg4perfetto": ("trace_func", 20, "thread_ns"),
        "live_trace": ("sample of 10 threads", 20, "thread_ns"),
        "ox_profile": ("sample of 10 threads", 5, "process_ns"),
        "ox_profile_100": ("sample of 100 threads", 5, "process_ns"),
    }
    for name, (what, factor, clock) in bars.items():
        group, tool = f"dropins.{name}", name.removesuffix("_100")
        ratio = results.ratio(group, "original", "marey", clock, clock)
        if ratio is None:
            continue
        theirs, ours = (results.rounds(group, who, clock) for who in ("original", "marey"))
        beside = f"{ns(ours)} against {ns(theirs)}"
        verdict = at_least(ratio[0], factor)
        title = f"marey.compat.{tool}, {what}, under the original's"
        yield Line(title, f">= {factor}x", f"{ratio[0]:.1f}x", verdict, beside)


# ---- all


def lines(results, pythons):
    """The whole bar, top down. pythons: the versions that were measured, as text."""
    made = [*c_recording(results), *c_off(results), *c_samples(results)]
    for python in pythons:
        for part in (python_spans, python_allocations, python_calls):
            made += part(results, python)
    made += inside(results)
    for part in (outside_stacks, outside_cost, outside_slower, outside_memory):
        made += part(results)
    made += reading(results)
    made += viewing(results)
    made += live(results)
    made += dropins(results)
    for part in (footprint_bytes, footprint_stop, footprint_memory, footprint_allocations):
        made += part(results)
    return [line for line in made if line]
