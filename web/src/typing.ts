/** Whether a key belongs to what is being typed. */
export function isTyping(target: EventTarget | null): boolean {
    return target instanceof Element && target.matches("input, select, textarea");
}
