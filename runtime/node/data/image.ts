/** PNG and JPEG to bytes as [channels, height, width]. */
import { DlxError } from "../../errors.ts";

export interface Picture {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

/** Beyond this a file is a mistake or an attack: 100 megapixels. */
const mostPixels = 100e6;

export const isImageName = (name: string): boolean => /\.(png|jpe?g)$/i.test(name);

/** From interleaved to planar; samples of 16 bits keep their upper byte. */
function planar(data: ArrayLike<number>, channels: number, height: number, width: number, shift = 0): Picture {
  const plane = height * width;
  const result = new Uint8Array(channels * plane);
  for (let i = 0; i < plane; i++)
    for (let c = 0; c < channels; c++) result[c * plane + i] = data[i * channels + c]! >> shift;
  return { channels, height, width, data: result };
}

/** By content, not by name. Throws E0612. */
export async function decodeImage(bytes: Uint8Array, file: string): Promise<Picture> {
  const malformed = (what: string) => new DlxError("E0612", `${file} is not an image that dlx can read: ${what}`);
  const isPng = bytes.length > 24 && [0x89, 0x50, 0x4e, 0x47].every((byte, k) => bytes[k] === byte);
  const isJpeg = bytes.length > 4 && bytes[0] === 0xff && bytes[1] === 0xd8;
  if (!isPng && !isJpeg) throw malformed("it is neither PNG nor JPEG");
  try {
    if (isJpeg) {
      const jpeg = await import("jpeg-js");
      const decode = jpeg.decode ?? jpeg.default.decode;
      const { width, height, data } = decode(bytes, {
        useTArray: true,
        formatAsRGBA: false,
        maxResolutionInMP: mostPixels / 1e6,
        tolerantDecoding: false,
      });
      return planar(data, 3, height, width);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (view.getUint32(16) * view.getUint32(20) > mostPixels) throw new Error("it has more than 100 megapixels");
    const { decode, convertIndexedToRgb } = await import("fast-png");
    const image = decode(bytes, { checkCrc: true });
    const { width, height, depth } = image;
    if (image.palette) {
      const channels = image.palette[0]?.length ?? 3;
      return planar(convertIndexedToRgb(image), channels, height, width);
    }
    if (depth < 8) {
      // Grey of less than 8 bits: one sample a pixel, rows begin at whole bytes.
      const stride = Math.ceil((width * depth) / 8);
      const most = (1 << depth) - 1;
      const data = new Uint8Array(width * height);
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
          const byte = image.data[y * stride + ((x * depth) >> 3)]!;
          data[y * width + x] = (((byte >> (8 - depth - ((x * depth) & 7))) & most) * 255) / most;
        }
      return { channels: 1, height, width, data };
    }
    return planar(image.data, image.channels, height, width, depth === 16 ? 8 : 0);
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : String(error));
  }
}
