import { encode } from "fast-png";

/** A PNG file; pixels are rows of `channels` numbers. */
export const png = (channels: number, data: number[], width = 2, height = 2, depth: 8 | 16 = 8) =>
  encode({ width, height, channels, depth, data: depth === 8 ? Uint8Array.from(data) : Uint16Array.from(data) });
