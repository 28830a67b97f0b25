// The pages as they are served: web/dist with index.html (marey view), live.html (a program that runs), their assets, and
// speedscope's own application beside them.

import { cpSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type Plugin } from "vite";

const OURS =
    /^(index\.html|speedscope-.*\.(js|css)|.*\.woff2|.*\.LICENSE\.md|favicon.*\.(png|ico)|release\.txt)$/;

/** Copies speedscope's release files, without the examples and the JFR reader that a trace of ours never needs. */
function speedscope(): Plugin {
    return {
        name: "speedscope",
        apply: "build",
        closeBundle() {
            const from = "node_modules/speedscope/dist/release";
            mkdirSync("dist/speedscope", { recursive: true });
            for (const file of readdirSync(from).filter((file) => OURS.test(file))) {
                cpSync(join(from, file), join("dist/speedscope", file));
            }
        },
    };
}

// npm run dev: the page from its sources, its answers from a server that runs: MAREY_VIEW=http://127.0.0.1:PORT/TOKEN
const view = process.env.MAREY_VIEW?.replace(/\/$/, "");
const proxy = view && {
    "^/(api/|trace$|convert|speedscope/|open-in-perfetto)": {
        target: new URL(view).origin,
        rewrite: (path: string) => new URL(view).pathname + path,
    },
};

export default defineConfig({
    base: "./",
    plugins: [speedscope()],
    build: {
        target: "es2022",
        modulePreload: { polyfill: false },
        assetsInlineLimit: 0,
        rollupOptions: { input: ["index.html", "live.html"] },
    },
    server: { host: "127.0.0.1", proxy: proxy || undefined },
    test: { include: ["test/**/*.test.ts"] },
} as Parameters<typeof defineConfig>[0]);
