/** Ports of this machine for servers that begin later, or end and begin again on the same port. */

import { createServer } from 'node:net';

export const LOOPBACK = '127.0.0.1';

/** Below the ports that connections go out from, so that none takes a port between two starts of its server. */
const FIRST = 20_000;
const COUNT = 10_000;

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (await isFree(port)) return port;
  }
  throw new Error('no free port was found');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, LOOPBACK, () => server.close(() => resolve(true)));
  });
}
