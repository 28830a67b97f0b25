// What is searched for: words, all of which a text has to hold, in letters of any size.

export function wordsOf(query: string): string[] {
    return query.toLowerCase().split(/\s+/).filter(Boolean);
}

/** text: in small letters. */
export function hasAll(text: string, words: readonly string[]): boolean {
    return words.every((word) => text.includes(word));
}
