// What a paywall says about itself: /openapi.json validated by mppx, and the x402 lists read by @x402/extensions.
import { HTTPFacilitatorClient } from '@x402/core/server';
import { withBazaar } from '@x402/extensions';
import { validate } from 'mppx/discovery';

const origin = new URL(process.env.MOTIF_URL).origin;
const document = await (await fetch(`${origin}/openapi.json`)).json();
const [path] = Object.keys(document.paths);
const { offers } = document.paths[path].post['x-payment-info'];
const { resources } = await (await fetch(`${origin}/.well-known/x402`)).json();
const bazaar = withBazaar(new HTTPFacilitatorClient({ url: origin })).extensions.bazaar;
const { items } = await bazaar.listResources({ type: 'http', limit: 10 });
console.log(
  JSON.stringify({
    issues: validate(document),
    paths: Object.keys(document.paths),
    offers: offers.map(({ method, intent }) => `${method}/${intent}`),
    resources,
    listed: items.map(({ resource, accepts }) => ({ resource, amount: accepts[0].amount })),
  }),
);
