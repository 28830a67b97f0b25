// Boxes by the ten thousand, each frame: set as pixels, then given to the canvas in one piece. The canvas's own fillRect
// takes about two microseconds a box where no graphics processor helps, which for a screen of narrow spans is 100 ms; here
// the cost is that of the pixels, about 2 ms a screen. Edges fall on whole device pixels.

/** A colour as a pixel in memory: red first, opaque. */
export type Pixel = number;

const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const known = new Map<string, Pixel>();

/** What the browser makes of a colour of CSS. */
export function pixel(colour: string): Pixel {
    let made = known.get(colour);
    if (made === undefined) {
        made = 0xff000000;
        if (probe) {
            probe.clearRect(0, 0, 1, 1);
            probe.fillStyle = colour;
            probe.fillRect(0, 0, 1, 1);
            const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
            made = (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
        }
        known.set(colour, made);
    }
    return made;
}

/** One colour over another, by a share. */
export function mix(over: Pixel, under: Pixel, share: number): Pixel {
    let made = 0xff000000;
    for (const shift of [0, 8, 16]) {
        const part = ((over >>> shift) & 255) * share + ((under >>> shift) & 255) * (1 - share);
        made |= Math.round(part) << shift;
    }
    return made >>> 0;
}

export class Raster {
    private image: ImageData | null = null;
    private pixels = new Uint32Array(0);
    private width = 0;
    private height = 0;
    private scale = 1;

    /** Begins a picture of the canvas's size, all of one colour. */
    begin(canvas: HTMLCanvasElement, scale: number, ground: Pixel): void {
        if (!this.image || canvas.width !== this.width || canvas.height !== this.height) {
            this.width = canvas.width;
            this.height = canvas.height;
            this.image = new ImageData(this.width, this.height);
            this.pixels = new Uint32Array(this.image.data.buffer);
        }
        this.scale = scale;
        this.pixels.fill(ground);
    }

    /** In CSS pixels; never less than a device pixel wide and high. */
    rect(x: number, y: number, width: number, height: number, colour: Pixel): void {
        const { scale, pixels } = this;
        let left = Math.round(x * scale);
        let top = Math.round(y * scale);
        let right = Math.max(Math.round((x + width) * scale), left + 1);
        let bottom = Math.max(Math.round((y + height) * scale), top + 1);
        if (left < 0) left = 0;
        if (top < 0) top = 0;
        if (right > this.width) right = this.width;
        if (bottom > this.height) bottom = this.height;
        const wide = right - left;
        if (wide <= 0) return;
        let at = top * this.width + left;
        for (let row = top; row < bottom; row++, at += this.width) {
            // A call of fill costs more than a few pixels do.
            if (wide > 16) pixels.fill(colour, at, at + wide);
            else for (let i = at; i < at + wide; i++) pixels[i] = colour;
        }
    }

    show(context: CanvasRenderingContext2D): void {
        if (this.image) context.putImageData(this.image, 0, 0);
    }
}
