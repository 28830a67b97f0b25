// A name has one colour wherever it appears: its hash picks a hue; the theme decides how light it is.

import type { Theme } from "./theme";

/** FNV-1a over UTF-16 units: small, and spreads names that differ in one letter. */
export function hash(text: string): number {
    let value = 0x811c9dc5;
    for (let i = 0; i < text.length; i++) {
        value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
    }
    // The last letters have barely reached the high bits yet.
    value = Math.imul(value ^ (value >>> 15), 0x85ebca6b);
    return (value ^ (value >>> 13)) >>> 0;
}

/** Few enough that a canvas seldom changes its colour, many enough that neighbours differ. */
export const COLOURS = 36;

export function colourIndex(text: string): number {
    return hash(text) % COLOURS;
}

const SHADES = 3;

/** The colours of a theme, by colourIndex: twelve hues in three shades, dark text readable on the light ones and light on the dark ones. */
export function palette(theme: Theme): string[] {
    const made: string[] = [];
    for (let i = 0; i < COLOURS; i++) {
        const hue = Math.round((360 * Math.floor(i / SHADES)) / (COLOURS / SHADES)) + 12;
        const shade = i % SHADES;
        made.push(
            theme === "dark"
                ? `hsl(${hue} ${34 + 4 * shade}% ${31 + 5 * shade}%)`
                : `hsl(${hue} ${58 + 6 * shade}% ${68 + 5 * shade}%)`,
        );
    }
    return made;
}
