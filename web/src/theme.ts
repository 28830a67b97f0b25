// Dark and light: as the system says until the reader chooses; the choice is kept by the browser where it lets us.

export type Theme = "light" | "dark";
const KEY = "marey-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

// A page that was opened as a file, or in a private window, may have no storage.
function chosen(): Theme | null {
    try {
        const kept = localStorage.getItem(KEY);
        return kept === "light" || kept === "dark" ? kept : null;
    } catch {
        return null;
    }
}

let choice = chosen();

export function theme(): Theme {
    return choice ?? (system.matches ? "dark" : "light");
}

function apply(): void {
    document.documentElement.dataset.theme = theme();
    colours.clear();
    document.dispatchEvent(new Event("marey-theme"));
}

export function toggleTheme(): void {
    choice = theme() === "dark" ? "light" : "dark";
    try {
        localStorage.setItem(KEY, choice);
    } catch {
        // It holds for this page, then.
    }
    apply();
}

/** Calls back whenever colours have to be drawn anew. */
export function onTheme(listener: () => void): void {
    document.addEventListener("marey-theme", listener);
}

export function startTheme(): void {
    system.addEventListener("change", apply);
    apply();
}

const colours = new Map<string, string>();

/** A colour of the style sheet, for what is drawn on a canvas. To ask the style itself takes too long for each frame. */
export function css(variable: string): string {
    let colour = colours.get(variable);
    if (colour === undefined) {
        colour = getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
        colours.set(variable, colour);
    }
    return colour;
}
