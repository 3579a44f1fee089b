/** The collector cannot be reached, or never answers: the viewer notices nothing, and the console stays clean. */

import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { test } from 'node:test';

import type { Visit } from '../harness/browser.ts';
import { assertBetween } from '../harness/expect.ts';
import { LOOPBACK, freePort } from '../harness/ports.ts';
import { Stage } from '../harness/stage.ts';
import type { VideoTag } from '../harness/templates.ts';

const VIDEOS: VideoTag[] = [{ id: 'intro', clip: 'clip-8s' }];

const stage = new Stage();

/** Where nothing listens. */
async function deadOrigin(): Promise<string> {
  return `http://${LOOPBACK}:${await freePort()}`;
}

/** Plays to the end, without a stop. */
async function assertPlaysUntouched(visit: Visit): Promise<void> {
  await visit.play('intro');
  await visit.untilEnded('intro');
  const truth = await visit.truth('intro');
  assertBetween('milliseconds played', truth.playedMs, 7_500, 9_500);
  assert.equal(truth.position, 8);
}

async function assertQuiet(visit: Visit): Promise<void> {
  await visit.close();
  assert.deepEqual(visit.complaints, []);
}

test('a script tag that cannot be loaded leaves the video alone', { timeout: 60_000 }, async () => {
  const visit = await stage.visit(await deadOrigin(), VIDEOS);
  await assertPlaysUntouched(visit);
  assert.equal(visit.networkNotes.length, 1);
  await assertQuiet(visit);
});

test('an SDK whose collector is dead leaves the video alone', { timeout: 60_000 }, async () => {
  const visit = await stage.visitBundled(await deadOrigin(), VIDEOS);
  await assertPlaysUntouched(visit);
  assert.notEqual(visit.networkNotes.length, 0, 'the SDK must have tried');
  await assertQuiet(visit);
});

test('an SDK whose collector never answers leaves the video alone', { timeout: 60_000 }, async (t) => {
  const sockets = new Set<Socket>();
  const server = await listen((socket) => sockets.add(socket));
  t.after(() => {
    sockets.forEach((socket) => socket.destroy());
    server.close();
  });
  const { port } = server.address() as { port: number };
  const visit = await stage.visitBundled(`http://${LOOPBACK}:${port}`, VIDEOS);
  await assertPlaysUntouched(visit);
  assert.notEqual(sockets.size, 0, 'the SDK must have tried');
  await assertQuiet(visit);
});

test('errors and rejections of a page are noticed by these tests', { timeout: 30_000 }, async () => {
  const code = `console.warn('a word'); Promise.reject(new Error('a promise')); throw new Error('a bug');`;
  const visit = await stage.visitModule(code, []);
  await visit.close();
  const heard = visit.complaints.map((complaint) => complaint.split(':').at(-1)?.trim()).sort();
  assert.deepEqual(heard, ['a bug', 'a promise', 'a word']);
});

function listen(accept: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      accept(socket);
    });
    server.listen(0, LOOPBACK, () => resolve(server));
  });
}
