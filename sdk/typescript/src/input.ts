import { MotifError } from './errors.js';

const ADDRESS = /^[1-9A-HJ-NP-Za-km-z]{32,44}$/;
const DIGEST = /^[0-9a-f]{64}$/;
const TOKEN = /^[\x21-\x7e]+$/;
const MAX_AMOUNT = (1n << 64n) - 1n;

/** Returns the error of a caller's mistake. */
export function invalidInput(message: string): MotifError {
  return new MotifError('invalid-input', message);
}

/** @throws MotifError `invalid-input` unless a value is an object, such as settings. */
export function assertObject(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) throw invalidInput(`invalid ${name}: expected an object`);
}

/** @throws MotifError `invalid-input` unless a value is a text that is not empty. */
export function assertText(name: string, value: unknown): void {
  if (typeof value !== 'string' || value === '') throw invalidInput(`invalid ${name}: expected a text`);
}

/** Returns an address. @throws MotifError `invalid-input` unless it is base58 of 32 bytes. */
export function checkAddress(name: string, value: unknown): string {
  if (typeof value === 'string' && ADDRESS.test(value)) return value;
  const given = value === undefined ? 'it is undefined' : 'it is none';
  throw invalidInput(`invalid ${name}: expected an address in base58, and ${given}`);
}

/** Returns a digest. @throws MotifError `invalid-input` unless it is a SHA-256 in hexadecimal. */
export function checkDigest(name: string, value: unknown): string {
  if (typeof value === 'string' && DIGEST.test(value)) return value;
  throw invalidInput(`invalid ${name}: expected a SHA-256 as 64 hexadecimal digits, such as \`sha256\` returns`);
}

/** @throws MotifError `invalid-input` unless a value is an integer from `min` to `max`. */
export function assertInteger(name: string, value: unknown, min: number, max: number): void {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw invalidInput(`invalid ${name}: expected an integer from ${min} to ${max}`);
  }
}

/** @throws MotifError `invalid-input` unless a value is an amount of base units. */
export function assertAmount(name: string, value: unknown): void {
  if (typeof value !== 'bigint' || value < 0n || value > MAX_AMOUNT) {
    throw invalidInput(`invalid ${name}: expected base units as a bigint, such as 10_000n`);
  }
}

/** @throws MotifError `invalid-input` unless a value is left out or a number of milliseconds. */
export function assertMilliseconds(name: string, value: unknown): void {
  if (value !== undefined && !(typeof value === 'number' && value >= 0)) {
    throw invalidInput(`invalid ${name}: expected a number of milliseconds`);
  }
}

/** @throws MotifError `invalid-input`, without the token, unless a value is left out or fits a header. */
export function assertToken(name: string, value: unknown): void {
  if (value !== undefined && !(typeof value === 'string' && TOKEN.test(value))) {
    throw invalidInput(`invalid ${name}: expected a token of visible ASCII characters`);
  }
}

/**
 * Returns an HTTP URL of the caller.
 *
 * @throws MotifError `invalid-input` if it is none, or contains a name or password, which `fetch` would show in its errors.
 */
export function checkUrl(name: string, url: unknown): string {
  const base = globalThis.location?.href;
  const isUrl = typeof url === 'string' && URL.canParse(url, base);
  const { protocol, username, password } = isUrl ? new URL(url, base) : { protocol: '', username: '', password: '' };
  if (!isUrl || !/^https?:$/.test(protocol)) {
    throw invalidInput(`invalid URL of the ${name}: expected one that begins with http:// or https://`);
  }
  if (username !== '' || password !== '') {
    throw invalidInput(`the URL of the ${name} contains credentials: expected them in a header or an API key`);
  }
  return url;
}
