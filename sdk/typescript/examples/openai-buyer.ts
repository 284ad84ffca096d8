// The stock OpenAI client buys chat completions: only its base URL and its fetch are set.
import OpenAI from 'openai';

import { wrapFetchWithMotif, type Payer } from '@motif/sdk';

/** Returns a client that pays at most `maxPrice` base units for one completion. */
export function createClient(payer: Payer, paywall: string, maxPrice: bigint): OpenAI {
  const fetch = wrapFetchWithMotif(globalThis.fetch, payer, { maxPrice });
  return new OpenAI({ baseURL: `${paywall}/v1`, apiKey: 'none', fetch });
}

/** Returns the pieces of a streamed answer. Each event is paid for as it is read. */
export async function ask(client: OpenAI, question: string): Promise<string[]> {
  const messages = [{ role: 'user' as const, content: question }];
  const stream = await client.chat.completions.create({ model: 'style', messages, stream: true });
  const pieces: string[] = [];
  for await (const chunk of stream) pieces.push(chunk.choices[0]?.delta.content ?? '');
  return pieces;
}
