// A collector as it is usually written on Node: Fastify, a line appended to a file for each batch, one fdatasync for all
// that came while the one before was under way, and only then the answers. What `cargo xtask bench ingest` measures
// beside ours. Usage: node fastify.mjs FILE; prints its address.
import { open } from 'node:fs/promises';
import { argv } from 'node:process';
import fastify from 'fastify';

const file = await open(argv[2], 'a');
let waiting = [];
let writing = false;

async function write() {
  writing = true;
  while (waiting.length > 0) {
    const group = waiting;
    waiting = [];
    try {
      await file.appendFile(group.map((entry) => entry.line).join(''));
      await file.datasync();
      group.forEach((entry) => entry.done());
    } catch (error) {
      group.forEach((entry) => entry.failed(error));
    }
  }
  writing = false;
}

const server = fastify({ bodyLimit: 512 * 1024 });
server.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) => {
  try {
    done(null, JSON.parse(body));
  } catch (error) {
    done(error);
  }
});
server.post('/v1/collect', async (request) => {
  const batch = request.body;
  let accepted = 0;
  for (const view of batch.views) accepted += (view.slices?.length ?? 0) + (view.events?.length ?? 0);
  const line = `${JSON.stringify({ received_at: Date.now(), agent: request.headers['user-agent'], ...batch })}\n`;
  await new Promise((done, failed) => {
    waiting.push({ line, done, failed });
    if (!writing) write();
  });
  return { accepted, rejected: [], server_time: Date.now() };
});
await server.listen({ host: '127.0.0.1', port: 0 });
console.log(`127.0.0.1:${server.server.address().port}`);
