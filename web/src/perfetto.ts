// Gives the trace to Perfetto's page in another window. That page answers PING by PONG when it is ready, and then takes
// the bytes as a message. Source: perfetto.dev/docs/visualization/deep-linking-to-perfetto-ui.

const PERFETTO = "https://ui.perfetto.dev";
const PING_MS = 250;
const PATIENCE_MS = 60_000;

export async function handOver(
    file: () => Promise<ArrayBuffer>,
    title: string,
    say: (text: string) => void,
): Promise<void> {
    // Opened at once, while the click still counts: later the browser would call it a popup.
    const other = window.open(PERFETTO);
    if (!other) throw new Error("The browser did not open another window: allow it for this page.");
    say("Waiting for Perfetto …");
    const [buffer] = await Promise.all([file(), ready(other)]);
    other.postMessage({ perfetto: { buffer, title, fileName: title } }, PERFETTO);
    say("The trace is with Perfetto.");
}

function ready(other: Window): Promise<void> {
    return new Promise((resolve, reject) => {
        const began = Date.now();
        const timer = setInterval(() => {
            if (other.closed) done("The window of Perfetto was closed.");
            else if (Date.now() - began > PATIENCE_MS)
                done("Perfetto does not answer: is there a network?");
            else other.postMessage("PING", PERFETTO);
        }, PING_MS);
        const done = (problem: string | null) => {
            clearInterval(timer);
            removeEventListener("message", hear);
            if (problem) reject(new Error(problem));
            else resolve();
        };
        const hear = (event: MessageEvent) => {
            if (event.source === other && event.origin === PERFETTO && event.data === "PONG")
                done(null);
        };
        addEventListener("message", hear);
    });
}
