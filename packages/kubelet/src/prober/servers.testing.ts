// Servers that answer the probes of tests. Imported by tests alone.

import { once } from "node:events";
import { createServer } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import type { Test } from "tap";

/** Listens on a port of the loopback's, which it resolves with; closed when the test ends. */
export async function listen(t: Test, server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** The gRPC health service; 1 is SERVING, 2 NOT_SERVING. */
export async function grpcHealth(t: Test) {
  const health = new Map<string, number>();
  const server = createServer();
  server.on("stream", (stream) => {
    const parts: Buffer[] = [];
    stream.on("data", (part: Buffer) => parts.push(part));
    stream.on("end", () => {
      const service = Buffer.concat(parts).subarray(7).toString();
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.from([0, 0, 0, 0, 2, 8, health.get(service) ?? 3]));
    });
  });
  return { health, port: await listen(t, server) };
}
