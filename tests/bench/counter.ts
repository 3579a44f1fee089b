/** Where a page's analytics send: counts what comes, as it is on the wire, and answers or hands it on. */

import { type IncomingMessage, type Server, createServer, request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What was sent to it: requests, and the bytes of their first lines, headers and bodies. */
export interface Sent {
  requests: number;
  bytes: number;
}

export class Counter {
  readonly sent: Sent = { requests: 0, bytes: 0 };

  private constructor(private readonly server: Server) {}

  /** Hands requests on to `target`, or answers them itself with nothing. */
  static async start(target?: string): Promise<Counter> {
    const server = createServer();
    const counter = new Counter(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        counter.note(request, body.length);
        if (!target) {
          response.writeHead(200, { 'access-control-allow-origin': '*' }).end();
          return;
        }
        const { method, headers } = request;
        const forward = ask(new URL(request.url ?? '/', target), { method, headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        });
        forward.on('error', () => response.destroy());
        forward.end(body);
      });
    });
    await new Promise<void>((listening) => server.listen(0, 'localhost', listening));
    return counter;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  private note({ method, url, rawHeaders }: IncomingMessage, body: number): void {
    const line = `${method} ${url} HTTP/1.1\r\n`.length;
    // Each name is followed by `: `, each value by the end of the line.
    const headers = rawHeaders.reduce((sum, text) => sum + Buffer.byteLength(text) + 2, 0) + 2;
    this.sent.requests += 1;
    this.sent.bytes += line + headers + body;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
