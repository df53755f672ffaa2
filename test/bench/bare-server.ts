// The baseline of the API's figures: a fastify that sends bytes over HTTPS and does nothing else. A process of its own.
// node bare-server.js CERT KEY BODY-FILE: prints its port. GET /list sends the body; GET /watch holds a stream open;
// POST /push writes the posted bytes to all streams.

import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import fastify from "fastify";

const [cert, key, bodyFile] = process.argv.slice(2);
const body = readFileSync(bodyFile!);
const streams = new Set<ServerResponse>();

const server = fastify({ https: { cert: readFileSync(cert!), key: readFileSync(key!) }, forceCloseConnections: true });
server.addContentTypeParser("application/json", { parseAs: "buffer" }, (_, payload, done) => done(null, payload));
server.get("/list", (_, reply) => reply.header("content-type", "application/json").send(body));
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
await server.listen({ port: 0, host: "127.0.0.1" });
process.stdout.write(`${(server.server.address() as { port: number }).port}\n`);
