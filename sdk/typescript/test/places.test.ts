import { expect, test } from 'vitest';

import { Places } from '../src/paywall/places.js';

const FIRST_PLACES = 8;
const { signal } = new AbortController();

/** Takes as many places as are free; returns their number. */
async function takeAll(places: Places): Promise<number> {
  for (let taken = 0; ; taken++) {
    const isTaken = await places.take(5, signal).then(
      () => true,
      () => false,
    );
    if (!isTaken) return taken;
  }
}

test('refusals lower places to one', async () => {
  const places = new Places();
  expect(await takeAll(places)).toBe(FIRST_PLACES);
  for (let place = 0; place < FIRST_PLACES; place++) {
    places.noteRefused();
    places.release();
  }
  expect(await takeAll(places)).toBe(1);
});

test('paid answers add places while none is free', async () => {
  const places = new Places();
  places.notePaid();
  expect(await takeAll(places)).toBe(FIRST_PLACES);
  places.notePaid();
  expect(await takeAll(places)).toBe(1);
  places.noteRefused();
  places.release();
  expect(await takeAll(places)).toBe(0);
  for (let paid = 0; paid < 63; paid++) places.notePaid();
  expect(await takeAll(places)).toBe(0);
  places.notePaid();
  expect(await takeAll(places)).toBe(1);
});

test('released places go to those who wait, in order', async () => {
  const places = new Places();
  await takeAll(places);
  const order: number[] = [];
  const leaving = new AbortController();
  const waiting = [1, 2, 3].map((number) => {
    const own = number === 2 ? leaving.signal : signal;
    return places.take(1_000, own).then(() => order.push(number));
  });
  leaving.abort(new Error('gone'));
  places.release();
  places.release();
  await expect(waiting[1]).rejects.toThrow('gone');
  await Promise.all([waiting[0], waiting[2]]);
  expect(order).toEqual([1, 3]);
  await expect(places.take(5, signal)).rejects.toMatchObject({ type: 'too-many-requests' });
});
