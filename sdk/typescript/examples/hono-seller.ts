// A model server that sells pictures and texts. It knows nothing of payments: a gateway's paywall in front of it charges.
//
//     motif gateway serve --paywall-listen 127.0.0.1:8790 --paywall-routes paywall.toml ...
import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';

interface Chat {
  readonly model: string;
  readonly messages: readonly { readonly content: string }[];
  readonly stream?: boolean;
}

export const seller = new Hono();

/** Free: the paywall passes it on. */
seller.get('/health', (context) => context.text('ok'));

/** A picture: one unit, so that its price is known before. */
seller.post('/pictures', async (context) => {
  const { prompt } = await context.req.json<{ prompt: string }>();
  return context.body(picture(prompt, 0), 200, { 'content-type': 'image/svg+xml' });
});

/** Several pictures: the header says how many units they are. */
seller.post('/images', async (context) => {
  const { prompt, count } = await context.req.json<{ prompt: string; count: number }>();
  const pictures = Array.from({ length: count }, (_, index) => picture(prompt, index));
  return context.json({ pictures }, 200, { 'x-units': String(count) });
});

/** Chat completions as OpenAI's clients ask for them. The paywall counts the events of a stream. */
seller.post('/v1/chat/completions', async (context) => {
  const { model, messages, stream } = await context.req.json<Chat>();
  if (model !== 'style') {
    const error = { message: 'no such model', type: 'invalid_request_error', code: 'model_not_found' };
    return context.json({ error }, 404);
  }
  const words = (messages.at(-1)?.content ?? '').split(/\s+/).reverse();
  const described = { id: 'chatcmpl-1', created: 1, model };
  if (!stream) {
    const message = { role: 'assistant', content: words.join(' ') };
    const usage = { prompt_tokens: words.length, completion_tokens: words.length, total_tokens: 2 * words.length };
    const choices = [{ index: 0, message, finish_reason: 'stop', logprobs: null }];
    return context.json({ ...described, object: 'chat.completion', choices, usage });
  }
  return streamSSE(context, async (events) => {
    const write = (delta: object, finish_reason: string | null) => {
      const choices = [{ index: 0, delta, finish_reason }];
      return events.writeSSE({ data: JSON.stringify({ ...described, object: 'chat.completion.chunk', choices }) });
    };
    for (const [place, word] of words.entries()) {
      await write({ role: 'assistant', content: place === 0 ? word : ` ${word}` }, null);
    }
    await write({}, 'stop');
    await events.writeSSE({ data: '[DONE]' });
  });
});

function picture(prompt: string, index: number): string {
  const hue = [...prompt].reduce((sum, character) => sum + character.charCodeAt(0), index * 40) % 360;
  const sky = `<rect width="100" height="100" fill="hsl(${hue} 60% 70%)"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">${sky}</svg>`;
}
