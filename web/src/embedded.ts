// The answers of a page that is one file: made of the data that stands in it.

import type { Source } from "./source";

export async function embeddedSource(): Promise<Source | null> {
    return null;
}
