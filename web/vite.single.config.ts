// The same page as one file, dist/single.html: script and style stand in it, allowed by their hashes and nothing else,
// and one place is left for the data of `marey convert -o page.html`.

import { createHash } from "node:crypto";
import { defineConfig, type Plugin } from "vite";

const DATA = '<script type="application/json" id="marey-data">/*MAREY-DATA*/</script>';

function hash(text: string): string {
    return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

function oneFile(): Plugin {
    return {
        name: "one-file",
        enforce: "post",
        generateBundle(_options, bundle) {
            let script = "";
            let style = "";
            for (const [name, part] of Object.entries(bundle)) {
                if (part.type === "chunk") script += part.code;
                else if (name.endsWith(".css")) style += part.source;
                else if (name.endsWith(".html")) continue;
                delete bundle[name];
            }
            // The element that holds it must not end early.
            script = script.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
            const page = bundle["index.html"];
            if (page?.type !== "asset") throw new Error("no index.html to put it in");
            const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; img-src data:; base-uri 'none'; form-action 'none'`;
            const html = String(page.source)
                .replace(/\s*<script type="module".*?<\/script>/s, "")
                .replace(/\s*<link rel="(stylesheet|icon|modulepreload)".*?>/gs, "")
                .replace(
                    "<head>",
                    `<head>\n    <meta http-equiv="Content-Security-Policy" content="${policy}" />`,
                )
                .replace("</head>", () => `<style>${style}</style>\n  </head>`)
                .replace(
                    "</body>",
                    () => `${DATA}\n<script type="module">${script}</script>\n  </body>`,
                );
            if (html.split("/*MAREY-DATA*/").length !== 2)
                throw new Error("not one place for the data");
            this.emitFile({ type: "asset", fileName: "single.html", source: html });
            delete bundle["index.html"];
        },
    };
}

export default defineConfig({
    base: "./",
    plugins: [oneFile()],
    build: {
        target: "es2022",
        emptyOutDir: false,
        cssCodeSplit: false,
        modulePreload: false,
        assetsInlineLimit: 100_000,
    },
});
