import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Request that a test server received. */
export interface Received {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Answer of a test server. */
export interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body: string | Buffer;
}

/** Returns an answer with JSON. */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  const type = status < 300 ? 'application/json' : 'application/problem+json';
  return { status, headers: { 'content-type': type, ...headers }, body: JSON.stringify(body) };
}

/** Returns an answer with a problem document. */
export function problem(type: string, status = 409, more: object = {}, headers: Record<string, string> = {}): Answer {
  return json({ type, title: 'no', status, detail: 'no', ...more }, status, headers);
}

/** Error by which a handler breaks the connection off. */
export class BreakOff extends Error {}

export type Handler = (
  received: Received,
  response: ServerResponse,
) => Answer | undefined | Promise<Answer | undefined>;

/** HTTP server of a test on a port that the system chooses. */
export class TestServer {
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Starts a server. A handler that returns nothing writes the response by itself. */
  static async start(handle: Handler): Promise<TestServer> {
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { method = 'GET', url: target = '/', headers } = request;
      const body = Buffer.concat(chunks).toString();
      try {
        const answer = await handle({ method, target, headers, body }, response);
        if (answer) response.writeHead(answer.status, answer.headers).end(answer.body);
      } catch (error) {
        if (!(error instanceof BreakOff)) console.error(error);
        response.destroy();
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TestServer(server);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
