import { writeFields } from './raw-json.js';

/** A frame between host and module: length of the JSON (u32, little-endian), JSON, raw bytes. */
export interface Frame {
  readonly json: unknown;
  readonly raw: Uint8Array;
}

const HEAD_BYTES = 4;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Returns a frame's bytes. */
export function encodeFrame(fields: object, raw: Uint8Array): Uint8Array {
  const text = encoder.encode(writeFields(fields));
  const frame = new Uint8Array(HEAD_BYTES + text.length + raw.length);
  new DataView(frame.buffer).setUint32(0, text.length, true);
  frame.set(text, HEAD_BYTES);
  frame.set(raw, HEAD_BYTES + text.length);
  return frame;
}

/** Parses a frame. Its raw bytes are a view into `bytes`. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const text = decoder.decode(bytes.subarray(HEAD_BYTES, HEAD_BYTES + length));
  return { json: JSON.parse(text), raw: bytes.subarray(HEAD_BYTES + length) };
}
