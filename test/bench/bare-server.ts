// The baseline of the API's figures: a fastify over HTTPS that does the least that could give the same answer. A process
// of its own. node bare-server.js CERT KEY DIRECTORY: prints its port.
//   GET /file/NAME     sends the bytes of that file of the directory, from memory
//   GET /stream/NAME   sends them from the disk, as a stream
//   POST /write        parses the JSON, serialises it, and answers with it once a synced LevelDB has it
//   GET /watch         holds a stream open; POST /push writes the posted bytes to all of them
//   GET /stats         { lagMs, commitSeconds }: the longest turn of its event loop since the last question, and the time
//                      that synced writes have taken in all

import { createReadStream, readFileSync, statSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { ClassicLevel } from "classic-level";
import fastify from "fastify";

const [cert, key, directory] = process.argv.slice(2);
const files = new Map<string, Buffer>();
const streams = new Set<ServerResponse>();
const database = new ClassicLevel<string, Buffer>(join(directory!, "level"), { valueEncoding: "buffer" });
const delay = monitorEventLoopDelay();

interface Put {
  readonly type: "put";
  readonly key: string;
  readonly value: Buffer;
}

let queue: { put: Put; done: () => void }[] = [];
let writing = false;
let written = 0;
let commitMs = 0;

/** Group commit: whatever waits while a batch is synced makes the next. */
async function writeQueue(): Promise<void> {
  writing = true;
  while (queue.length > 0) {
    const batch = queue;
    queue = [];
    const startedMs = performance.now();
    await database.batch(
      batch.map(({ put }) => put),
      { sync: true },
    );
    commitMs += performance.now() - startedMs;
    for (const { done } of batch) done();
  }
  writing = false;
}

function write(value: Buffer): Promise<void> {
  return new Promise((done) => {
    queue.push({ put: { type: "put", key: `data/${written++}`, value }, done });
    if (!writing) void writeQueue();
  });
}

const server = fastify({ https: { cert: readFileSync(cert!), key: readFileSync(key!) }, forceCloseConnections: true });
server.addContentTypeParser("*", { parseAs: "buffer" }, (_, payload, done) => done(null, payload));
server.removeContentTypeParser("application/json");
server.get<{ Params: { name: string } }>("/file/:name", (request, reply) => {
  const { name } = request.params;
  let body = files.get(name);
  if (body === undefined) {
    body = readFileSync(join(directory!, name));
    files.set(name, body);
  }
  reply.header("content-type", "application/json").send(body);
});
server.get<{ Params: { name: string } }>("/stream/:name", (request, reply) => {
  const path = join(directory!, request.params.name);
  reply.header("content-type", "application/json").header("content-length", statSync(path).size);
  reply.send(createReadStream(path, { highWaterMark: 128 * 1024 }));
});
server.post("/write", async (request, reply) => {
  const value = Buffer.from(JSON.stringify(JSON.parse((request.body as Buffer).toString())));
  await write(value);
  return reply.header("content-type", "application/json").send(value);
});
server.get("/watch", (_, reply) => {
  reply.hijack();
  reply.raw.writeHead(200, { "content-type": "application/json" });
  reply.raw.flushHeaders();
  streams.add(reply.raw);
});
server.post("/push", (request, reply) => {
  for (const stream of streams) stream.write(request.body as Buffer);
  reply.send({});
});
server.get("/stats", (_, reply) => {
  const lagMs = delay.max / 1e6;
  delay.reset();
  reply.send({ lagMs, commitSeconds: commitMs / 1000 });
});
await database.open();
delay.enable();
await server.listen({ port: 0, host: "127.0.0.1" });
process.stdout.write(`${(server.server.address() as { port: number }).port}\n`);
