// embed.mjs FOLDER TO: a folder's files, gzip'ed, as an assembler file that holds their bytes (TO.S) and a table of them
// (TO.c, struct page_asset).
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { gzipSync } from "node:zlib";

const types = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
};

function filesIn(folder, prefix = "") {
    return readdirSync(join(folder, prefix), { withFileTypes: true }).flatMap((entry) => {
        const path = prefix ? `${prefix}/${entry.name}` : entry.name;
        return entry.isDirectory() ? filesIn(folder, path) : [path];
    });
}

const [folder, to] = process.argv.slice(2);
// Maps of sources are for those who work on the page.
const paths = filesIn(folder)
    .filter((path) => extname(path) !== ".map")
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
const packed = `${to}.gz`;
rmSync(packed, { recursive: true, force: true });
mkdirSync(packed, { recursive: true });
mkdirSync(dirname(to), { recursive: true });

const assembly = [".section .rodata"];
const table = [];
paths.forEach((path, i) => {
    const bytes = readFileSync(join(folder, path));
    const zipped = gzipSync(bytes, { level: 9 });
    zipped[9] = 255; // the system that packed it says nothing: the same bytes everywhere
    const etag = createHash("sha256").update(bytes).digest("hex").slice(0, 24);
    const type = types[extname(path)] ?? "application/octet-stream";
    writeFileSync(join(packed, String(i)), zipped);
    assembly.push(`.global page_asset_${i}`, ".balign 16", `page_asset_${i}:`);
    assembly.push(`.incbin ${JSON.stringify(join(packed, String(i)))}`);
    table.push(`    {${JSON.stringify(path)}, ${JSON.stringify(type)}, "\\"${etag}\\"",`);
    table.push(`     page_asset_${i}, ${zipped.length}},`);
});
assembly.push('.section .note.GNU-stack,"",%progbits', "");
writeFileSync(`${to}.S`, assembly.join("\n"));
writeFileSync(
    `${to}.c`,
    [
        '#include "page/assets.h"',
        `extern const char ${paths.map((_, i) => `page_asset_${i}[]`).join(", ")};`,
        "const struct page_asset page_assets[] = {",
        ...table,
        "};",
        `const size_t page_asset_count = ${paths.length};`,
        "",
    ].join("\n"),
);
