// A platform's own server: its users ask for pictures, and it buys each one from a paywall.
//
// Each user has a budget: open the payer with `tagBudgetPerDay`.
import { Hono } from 'hono';

import { MotifError, paymentOf, wrapFetchWithMotif, type Payer } from '@motif/sdk';

/** What the platform is opened with. */
export interface Platform {
  readonly payer: Payer;
  readonly paywall: string;
  /** Maximum price of a picture, base units. */
  readonly maxPrice: bigint;
  /** Returns the user that a token belongs to. */
  readonly userOf: (token: string) => string | undefined;
}

/** Returns the platform's app. */
export function createBuyer({ payer, paywall, maxPrice, userOf }: Platform): Hono {
  const app = new Hono();
  app.get('/picture', async (context) => {
    const [, token = ''] = /^Bearer (\S+)$/.exec(context.req.header('authorization') ?? '') ?? [];
    const user = userOf(token);
    if (user === undefined) return context.json({ error: 'unauthorized' }, 401);
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
