import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { BrowserContext, Route } from 'playwright-core';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));
const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm', '.svg': 'image/svg+xml' };

/** Whether a gateway's binary has other pages than dist/. */
export async function hasOtherPages(url: string): Promise<boolean> {
  const [embedded, index] = await Promise.all([fetch(`${url}/studio/`).then((response) => response.text()), readFile(join(DIST, 'index.html'), 'utf8')]);
  const script = (html: string) => /\/studio\/assets\/index-[\w-]+\.js/.exec(html)?.[0];
  return script(embedded) !== script(index);
}

/** Answers requests for the pages from dist/, with the headers that the gateway has for its own pages. */
export async function serveDist(context: BrowserContext, url: string): Promise<void> {
  await context.route(new RegExp(`^${url}/(studio|w|r)(/|\\?|$)`), async (route) => {
    const name = /^\/studio\/(assets\/[\w.-]+|icon\.svg)$/.exec(new URL(route.request().url()).pathname)?.[1];
    await (name ? file(route, url, name) : document(route));
  });
}

async function file(route: Route, url: string, name: string): Promise<void> {
  const gateway = await fetch(`${url}/studio/icon.svg`);
  const kept = ['content-security-policy', 'x-content-type-options', 'referrer-policy', 'cross-origin-opener-policy'];
  const headers = Object.fromEntries(kept.map((key) => [key, gateway.headers.get(key) ?? '']));
  const body = await readFile(join(DIST, name));
  await route.fulfill({ body, headers: { ...headers, 'content-type': TYPES[extname(name)] ?? 'application/octet-stream' } });
}

async function document(route: Route): Promise<void> {
  const response = await route.fetch();
  const head = /<title>[\s\S]*?(?=\n *<link|<!--)/.exec(await response.text())?.[0] ?? '';
  const page = (await readFile(join(DIST, 'index.html'), 'utf8')).replace(/<!--head-->[\s\S]*<!--\/head-->/, () => head);
  await route.fulfill({ response, body: page });
}
