// How large a picture becomes once it is unpacked, read from its first bytes: a small file can hold
// a picture that fills a machine's memory. Pure.

export const MOST_PIXELS = 40_000_000;

export interface Size {
  width: number;
  height: number;
}

/** The size of a PNG, GIF, BMP, WebP or JPEG; null when it cannot be read. */
export function imageSize(bytes: Uint8Array): Size | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ascii = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  if (bytes.length > 24 && ascii(1, 4) === "PNG") return { width: view.getUint32(16), height: view.getUint32(20) };
  if (bytes.length > 10 && ascii(0, 3) === "GIF") return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
  if (bytes.length > 26 && ascii(0, 2) === "BM") {
    return { width: view.getUint32(18, true), height: Math.abs(view.getInt32(22, true)) };
  }
  if (bytes.length > 30 && ascii(0, 4) === "RIFF" && ascii(8, 12) === "WEBP") return webp(bytes, view, ascii(12, 16));
  if (bytes.length > 4 && view.getUint16(0) === 0xffd8) return jpeg(view);
  return null;
}

function webp(bytes: Uint8Array, view: DataView, kind: string): Size | null {
  const three = (at: number) => (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
  if (kind === "VP8X") return { width: three(24) + 1, height: three(27) + 1 };
  if (kind === "VP8 ") return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  if (kind === "VP8L") {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
  }
  return null;
}

function jpeg(view: DataView): Size | null {
  let at = 2;
  while (at + 9 < view.byteLength) {
    const marker = view.getUint16(at);
    if (marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker)) {
      return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    }
    if (marker < 0xff00) return null;
    at += 2 + view.getUint16(at + 2);
  }
  return null;
}
