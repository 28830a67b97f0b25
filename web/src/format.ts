// Numbers for people: durations and amounts with units, always of the same number of digits so that columns align.

const UNITS: [number, string][] = [
    [1e9, "s"],
    [1e6, "ms"],
    [1e3, "µs"],
    [1, "ns"],
];

/** 1234567 -> "1.235 ms"; from 1000 s on in minutes, from there in hours. */
export function duration(ns: number | null): string {
    if (ns === null) return "open";
    const size = Math.abs(ns);
    if (size === 0) return "0 ns";
    if (size >= 1000e9) return long(ns);
    const [unit, label] = UNITS.find(([unit]) => size >= 0.9999 * unit) ?? [1, "ns"];
    if (unit === 1) return `${Math.round(ns)} ns`;
    const value = ns / unit;
    const digits = Math.abs(value) >= 100 ? 1 : Math.abs(value) >= 10 ? 2 : 3;
    return `${value.toFixed(digits)} ${label}`;
}

function long(ns: number): string {
    const seconds = Math.round(Math.abs(ns) / 1e9);
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    const sign = ns < 0 ? "-" : "";
    const rest = String(seconds % 60).padStart(2, "0");
    if (hours === 0) return `${sign}${minutes} min ${rest} s`;
    return `${sign}${hours} h ${String(minutes).padStart(2, "0")} min`;
}

/** A time in the trace, as exact as a step asks: at(1500000, 1000) -> "1.500 ms". */
export function at(ns: number, step: number): string {
    if (ns === 0) return "0";
    const [unit, label] = UNITS.find(([unit]) => Math.abs(ns) >= unit) ?? [1, "ns"];
    const digits = Math.max(0, Math.ceil(Math.log10(unit / Math.max(step, 1))));
    return `${(ns / unit).toFixed(Math.min(digits, 9))} ${label}`;
}

const THOUSANDS = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

export function count(n: number): string {
    return THOUSANDS.format(n);
}

/** "1 span", "2,000 spans". */
export function counted(n: number, one: string, many = `${one}s`): string {
    return `${count(n)} ${n === 1 ? one : many}`;
}

export function bytes(n: number): string {
    let value = n;
    for (const unit of ["B", "KiB", "MiB", "GiB"]) {
        if (value < 1024) return `${unit === "B" ? value : value.toFixed(1)} ${unit}`;
        value /= 1024;
    }
    return `${value.toFixed(1)} TiB`;
}

export function percent(part: number, whole: number): string {
    if (!(whole > 0)) return "–";
    const share = (100 * part) / whole;
    return `${share.toFixed(share < 9.995 ? 2 : 1)} %`;
}

/** A measure of weighted stacks, in the unit that the answer names. */
export function weight(value: number, unit: "ns" | "count"): string {
    return unit === "ns" ? duration(value) : count(value);
}

/** A counter's value: few digits, and large ones by thousands. */
export function quantity(value: number, unit: string | null): string {
    const digits = Number.isInteger(value) ? 0 : Math.abs(value) >= 100 ? 1 : 3;
    const text = value.toLocaleString("en-US", { maximumFractionDigits: digits });
    return unit ? `${text} ${unit}` : text;
}

/** The last parts of a path: "/usr/lib/python3.11/json/encoder.py" -> "json/encoder.py". */
export function shortPath(path: string): string {
    return path.split("/").slice(-2).join("/");
}

export function place(file: string, line: number): string {
    if (!file) return "";
    return line > 0 ? `${file}:${line}` : file;
}
