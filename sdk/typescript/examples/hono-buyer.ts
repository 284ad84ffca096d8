// A platform's own server: its users ask for pictures, and it buys each one from a paywall.
import { Hono } from 'hono';

import { MotifError, paymentOf, wrapFetchWithMotif, type Payer } from '@motif/sdk';

/** Returns the platform's app, which pays at most `maxPrice` base units for a picture. */
export function createBuyer(payer: Payer, paywall: string, maxPrice: bigint): Hono {
  const app = new Hono();
  app.get('/picture', async (context) => {
    const user = context.req.query('user') ?? 'anonymous';
    const buy = wrapFetchWithMotif(fetch, payer, { maxPrice, tag: user });
    try {
      const bought = await buy(`${paywall}/pictures`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ prompt: context.req.query('prompt') ?? '' }),
      });
      const receipt = paymentOf(bought)?.receipts[0];
      const type = bought.headers.get('content-type') ?? 'application/octet-stream';
      const headers = { 'content-type': type, 'x-receipt': receipt?.digest ?? '' };
      return new Response(bought.body, { status: bought.status, headers });
    } catch (error) {
      if (!(error instanceof MotifError)) throw error;
      // A budget of the user, or of the platform.
      const status = error.type === 'over-budget' ? 429 : 502;
      return context.json({ error: error.type, message: error.message }, status);
    }
  });
  return app;
}
