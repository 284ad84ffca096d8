// The Vercel AI SDK streams a text that is paid for as it is read: only the provider's base URL and fetch are set.
import { createOpenAI } from '@ai-sdk/openai';
import { streamText } from 'ai';

import { wrapFetchWithMotif, type Payer } from '@motif/sdk';

/** Returns the text of an answer as a stream, for which at most `maxPrice` base units are paid. */
export function stream(payer: Payer, paywall: string, question: string, maxPrice: bigint): AsyncIterable<string> {
  const fetch = wrapFetchWithMotif(globalThis.fetch, payer, { maxPrice });
  const provider = createOpenAI({ baseURL: `${paywall}/v1`, apiKey: 'none', fetch });
  return streamText({ model: provider.chat('style'), prompt: question }).textStream;
}
