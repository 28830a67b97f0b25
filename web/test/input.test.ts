import { expect, test, vi } from "vitest";
import { Input, type Moves } from "../src/timeline/input";

test("a key that is let go moves nothing any more, whatever it writes by then", () => {
    const listeners = new Map<string, (event: object) => void>();
    const frames: FrameRequestCallback[] = [];
    vi.stubGlobal("Element", class {});
    vi.stubGlobal("requestAnimationFrame", (frame: FrameRequestCallback) => frames.push(frame));
    const zoom = vi.fn();
    const canvas = {
        clientWidth: 100,
        addEventListener: (type: string, listener: (event: object) => void) =>
            listeners.set(type, listener),
    };
    new Input(canvas as unknown as HTMLElement, { zoom } as unknown as Moves);
    const event = { code: "Equal", target: null, preventDefault: () => {} };
    listeners.get("keydown")!({ ...event, key: "+", shiftKey: true });
    listeners.get("keyup")!({ ...event, key: "=" });
    frames.pop()!(performance.now());
    expect(zoom).toHaveBeenCalledTimes(1);
    expect(frames).toEqual([]);
    vi.unstubAllGlobals();
});
