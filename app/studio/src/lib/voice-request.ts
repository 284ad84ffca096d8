import type { Examination } from '@motif/sdk/content';

import { base64Of, bytesOf } from './chain.js';
import type { ShareText } from './shares.js';

/** Registration that a person is asked to sign: it travels in the link's fragment, which is sent to no server. */
export interface VoiceRequest {
  readonly digest: string;
  readonly fingerprint: Examination['fingerprint'];
  readonly title: string;
  readonly toml: string;
  readonly split: readonly ShareText[];
}

const PREFIX = '#voice=';

/** Returns the link by which a person opens a request. */
export async function linkOf(request: VoiceRequest): Promise<string> {
  const packed = await pipe(new TextEncoder().encode(JSON.stringify(request)), new CompressionStream('deflate-raw'));
  const text = base64Of(packed).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  return `${location.origin}/studio/register${PREFIX}${text}`;
}

/** Reads the request of this page's address; `undefined` without one. */
export async function readRequest(): Promise<VoiceRequest | undefined> {
  if (!location.hash.startsWith(PREFIX)) return undefined;
  try {
    const text = location.hash.slice(PREFIX.length).replaceAll('-', '+').replaceAll('_', '/');
    const unpacked = await pipe(bytesOf(text), new DecompressionStream('deflate-raw'));
    const read = JSON.parse(new TextDecoder().decode(unpacked)) as VoiceRequest;
    const isValid = /^[0-9a-f]{64}$/.test(read.digest) && /^[0-9a-f]{64}$/.test(read.fingerprint.bits);
    const isText = typeof read.title === 'string' && typeof read.toml === 'string';
    const isSplit = read.split.every((row) => typeof row.recipient === 'string' && typeof row.share === 'string');
    return isValid && isText && isSplit ? read : undefined;
  } catch {
    return undefined;
  }
}

/** Passes bytes through a stream. @throws Error if more than 64 KiB come out. */
async function pipe(bytes: Uint8Array<ArrayBuffer>, through: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of new Blob([bytes]).stream().pipeThrough(through) as ReadableStream<Uint8Array>) {
    length += part.length;
    if (length > MOST_BYTES) throw new Error('the request is too long');
    parts.push(part);
  }
  return new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

const MOST_BYTES = 65_536;
