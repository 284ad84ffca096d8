import { expect, test } from 'vitest';

import { EventReader } from '../src/paywall/event-reader.js';

const EVENTS = ['event: due\ndata: {"a":1}\n\n', ': a comment\n\n', 'event: output\ndata: {"body":"ÄÖ"}\n\n', '\n\n'];
const MAX_BYTES = 40;

function reader(chunks: readonly Uint8Array[], maxBytes = MAX_BYTES): EventReader {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  return new EventReader(body, maxBytes, 'http://127.0.0.1/stories');
}

test('events are split wherever chunks end', async () => {
  const bytes = new TextEncoder().encode(EVENTS.join(''));
  for (let size = 1; size <= bytes.length; size++) {
    const count = Math.ceil(bytes.length / size);
    const chunks = Array.from({ length: count }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
    const events = reader(chunks);
    for (const event of EVENTS) expect(new TextDecoder().decode(await events.next())).toBe(event);
    await expect(events.next()).rejects.toMatchObject({ type: 'untrusted' });
  }
});

test('event that is too long is refused', async () => {
  const long = new TextEncoder().encode('x'.repeat(MAX_BYTES + 1));
  await expect(reader([long]).next()).rejects.toThrow('maximum size');
  const chunks = Array.from(long, (byte) => Uint8Array.of(byte));
  await expect(reader(chunks).next()).rejects.toThrow('maximum size');
});

test('large event is read in linear time', async () => {
  const chunk = new Uint8Array(16 << 10).fill(120);
  const chunks = [...Array.from({ length: 2_000 }, () => chunk), new TextEncoder().encode('\n\n')];
  const event = await reader(chunks, 64 << 20).next();
  expect(event.length).toBe(2_000 * chunk.length + 2);
}, 20_000);
