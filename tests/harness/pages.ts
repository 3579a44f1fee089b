/** Serves test pages, clips and the npm package, on another origin than the collector's. */

import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

import { LOOPBACK } from './ports.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What an address begins with, and the folder that it shows. */
const FOLDERS: readonly (readonly [prefix: string, folder: string])[] = [
  ['/media/', resolve(ROOT, 'examples/media')],
  ['/made/', resolve(ROOT, 'tests/.media')],
  ['/npm/', resolve(ROOT, 'npm')],
  ['/harness/', resolve(ROOT, 'tests/harness')],
  ['/pages/', resolve(ROOT, 'tests/pages')],
];

const TYPES: Record<string, string> = {
  '.mp4': 'video/mp4',
  '.js': 'text/javascript',
  '.html': 'text/html; charset=utf-8',
  '.wasm': 'application/wasm',
  '.css': 'text/css',
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.mpd': 'application/dash+xml',
  '.m4s': 'video/iso.segment',
  '.m4a': 'audio/mp4',
};

/** What a server says to an address of its own: a type and a body. Nothing when there is nothing. */
export type Answer = { type: string; body: string | Buffer } | undefined;

interface Document {
  html: string;
  policy: string | undefined;
}

export class Pages {
  private readonly documents = new Map<string, Document>();
  /** Folders that a spec shows, by what their addresses begin with. */
  private readonly folders = new Map<string, string>();
  private readonly routes: [prefix: string, answer: (path: string) => Answer | Promise<Answer>][] = [];
  /** Bytes of segments that were sent, by the path of the page that asked. */
  private readonly sent = new Map<string, number>();

  private constructor(private readonly server: Server) {}

  /** A server on any free port. */
  static async start(): Promise<Pages> {
    const server = createServer();
    const pages = new Pages(server);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      pages.answer(request, response).catch(() => response.destroy());
    });
    await new Promise<void>((listening) => server.listen(0, LOOPBACK, listening));
    return pages;
  }

  /** Serves a document, under a policy if it has one, and returns its address. */
  add(name: string, html: string, policy?: string): string {
    this.documents.set(`/${name}`, { html, policy });
    return this.address(name);
  }

  /** Serves what is in a folder, and returns its address. */
  addFolder(name: string, folder: string): string {
    this.folders.set(`/${name}/`, folder);
    return this.address(`${name}/`);
  }

  /** An address of these pages; another `host` is another origin, and another site. */
  address(path: string, host = LOOPBACK): string {
    return `http://${host}:${(this.server.address() as AddressInfo).port}/${path}`;
  }

  /** What begins with `prefix` is answered by `answer`, if it has one. */
  route(prefix: string, answer: (path: string) => Answer | Promise<Answer>): void {
    this.routes.push([prefix, answer]);
  }

  /** How many bytes of segments a page was sent. */
  segmentBytes(page: string): number {
    return this.sent.get(new URL(page).pathname) ?? 0;
  }

  private count(request: IncomingMessage, response: ServerResponse): void {
    if (!/\.m4s$/.test(request.url ?? '') || !request.headers.referer) return;
    const { pathname } = new URL(request.headers.referer);
    response.on('finish', () => {
      const bytes = Number(response.getHeader('content-length') ?? 0);
      if (response.statusCode < 300) this.sent.set(pathname, (this.sent.get(pathname) ?? 0) + bytes);
    });
  }

  async stop(): Promise<void> {
    const closed = new Promise((done) => this.server.close(done));
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://page').pathname;
    this.count(request, response);
    const [, route] = this.routes.find(([prefix]) => path.startsWith(prefix)) ?? [];
    const answer = await route?.(path);
    const document = this.documents.get(path);
    if (answer) {
      response.setHeader('content-length', Buffer.byteLength(answer.body));
      response.writeHead(200, { 'content-type': answer.type }).end(answer.body);
    } else if (document !== undefined) {
      const policy = document.policy === undefined ? {} : { 'content-security-policy': document.policy };
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...policy }).end(document.html);
    } else if (path === '/favicon.ico') {
      response.writeHead(204).end();
    } else {
      await sendFile(fileOf(path, [...FOLDERS, ...this.folders]), request, response);
    }
  }
}

/** The file behind an address; never one outside its folder. */
function fileOf(path: string, folders: Iterable<readonly [string, string]>): string | undefined {
  const entry = Array.from(folders).find(([prefix]) => path.startsWith(prefix));
  if (!entry) return undefined;
  const [prefix, folder] = entry;
  const file = resolve(folder, path.slice(prefix.length));
  return file.startsWith(folder + sep) ? file : undefined;
}

async function sendFile(file: string | undefined, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const found = file === undefined ? undefined : await stat(file).catch(() => undefined);
  if (file === undefined || !found?.isFile()) {
    response.writeHead(404).end();
    return;
  }
  const type = TYPES[extname(file)] ?? 'application/octet-stream';
  const range = rangeOf(request.headers.range, found.size);
  const headers = { 'content-type': type, 'accept-ranges': 'bytes' };
  response.setHeader('content-length', range.end - range.start + 1);
  const part = { 'content-range': `bytes ${range.start}-${range.end}/${found.size}` };
  if (request.headers.range === undefined) response.writeHead(200, headers);
  else response.writeHead(206, { ...headers, ...part });
  const stream = createReadStream(file, range);
  stream.on('error', () => response.destroy());
  response.on('close', () => stream.destroy());
  stream.pipe(response);
}

/** The bytes that a request asks for, the last one included; all of them if it asks for none. */
function rangeOf(header: string | undefined, size: number): { start: number; end: number } {
  const match = /^bytes=(\d+)-(\d*)$/.exec(header ?? '');
  const start = Math.min(Number(match?.[1] ?? 0), size - 1);
  const end = match?.[2] ? Math.min(Number(match[2]), size - 1) : size - 1;
  return { start, end };
}

/** The file that `import … from 'quartile'` gives, as an address of these pages. */
export async function packageEntry(): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(resolve(ROOT, 'npm/package.json'), 'utf8'));
  const entry = importTarget((manifest as { exports?: unknown }).exports);
  if (!entry) throw new Error('npm/package.json exports nothing to import');
  return new URL(entry, 'http://page/npm/').pathname;
}

/** Follows `exports` of a manifest to the main entry of a module that browsers import. */
function importTarget(exports: unknown): string | undefined {
  if (typeof exports === 'string') return exports;
  if (typeof exports !== 'object' || exports === null) return undefined;
  const conditions = exports as Record<string, unknown>;
  const key = ['.', 'browser', 'import', 'default'].find((name) => name in conditions);
  return key && importTarget(conditions[key]);
}
