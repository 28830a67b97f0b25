import { expect, test } from "vitest";
import { makeHash, parseHash } from "../src/state";

test("a state survives its address", () => {
    const hash =
        "#view=timeline&range=10-2000&look=-5-3000&threads=1,3&of=spans&weight=cpu&q=a%26b&selected=span:17&up=1";
    const state = parseHash(hash);
    expect(state).toMatchObject({
        view: "timeline",
        range: [10, 2000],
        look: [-5, 3000],
        threads: [1, 3],
        of: "spans",
        weight: "cpu",
        q: "a&b",
        selected: "span:17",
        up: true,
    });
    expect(parseHash(makeHash(state))).toEqual(state);
});

test.each([
    "",
    "#view=nothing",
    "#range=9-3",
    "#range=1e9-2e9",
    "#look=a-b",
    "#threads=1,,2",
    "#threads=<b>",
    "#selected=span:<x>",
    "#weight=__proto__",
])("what makes no sense in an address is left out: %s", (hash) => {
    expect(makeHash(parseHash(hash))).toBe("#view=summary");
});
