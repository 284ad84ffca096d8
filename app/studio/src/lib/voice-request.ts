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

/** Recipient in a request who is the person that signs. */
export const SIGNER = 'you';
const PREFIX = '#voice=';

/** Returns the link by which a person opens a request. */
export function linkOf(request: VoiceRequest): string {
  const text = base64Of(new TextEncoder().encode(JSON.stringify(request)));
  return `${location.origin}/studio/register${PREFIX}${text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')}`;
}

/** Reads the request of this page's address; `undefined` without one. */
export function readRequest(): VoiceRequest | undefined {
  if (!location.hash.startsWith(PREFIX)) return undefined;
  try {
    const text = location.hash.slice(PREFIX.length).replaceAll('-', '+').replaceAll('_', '/');
    const read = JSON.parse(new TextDecoder().decode(bytesOf(text))) as VoiceRequest;
    const isValid = /^[0-9a-f]{64}$/.test(read.digest) && /^[0-9a-f]{64}$/.test(read.fingerprint.bits);
    const isText = typeof read.title === 'string' && typeof read.toml === 'string';
    const isSplit = read.split.every((row) => typeof row.recipient === 'string' && typeof row.share === 'string');
    return isValid && isText && isSplit ? read : undefined;
  } catch {
    return undefined;
  }
}
