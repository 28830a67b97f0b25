import { expect, test } from "vitest";
import { at, bytes, count, duration, percent, quantity } from "../src/format";

test("durations have a unit and four digits", () => {
    expect(duration(0)).toBe("0 ns");
    expect(duration(7)).toBe("7 ns");
    expect(duration(1_234)).toBe("1.234 µs");
    expect(duration(12_345_678)).toBe("12.35 ms");
    expect(duration(999_999_999)).toBe("1.000 s");
    expect(duration(3.5e9)).toBe("3.500 s");
    expect(duration(5_400e9)).toBe("1 h 30 min");
    expect(duration(null)).toBe("open");
});

test("a time is as exact as its step", () => {
    expect(at(1_500_000_000, 1_000_000)).toBe("1.500 s");
    expect(at(1_500_000_000, 1e9)).toBe("2 s");
    expect(at(32_479_014_500, 100)).toBe("32.4790145 s");
    expect(at(-250_000, 1_000)).toBe("-250 µs");
});

test("shares, amounts, sizes", () => {
    expect(percent(1, 3)).toBe("33.3 %");
    expect(percent(1, 1000)).toBe("0.10 %");
    expect(percent(1, 0)).toBe("–");
    expect(count(1_234_567)).toBe("1,234,567");
    expect(bytes(1536)).toBe("1.5 KiB");
    expect(quantity(1_250.5, "items")).toBe("1,250.5 items");
});
