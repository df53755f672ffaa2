// The listener alone: connections that say nothing, or not enough, are closed.

import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { createLogger } from "@picokube/component-base/logger";
import { staticTls } from "@picokube/component-base/tls-options";
import { createCa } from "@picokube/pki/ca";
import { test } from "tap";
import { createInFlight } from "./in-flight.js";
import { startServer } from "./server.js";

test("slow clients lose their connection, others keep it", async (t) => {
  const server = await startServer({
    tls: staticTls(await createCa({ commonName: "test", nowMs: Date.now() })),
    address: "127.0.0.1",
    port: 0,
    requestTimeoutMs: 60_000,
    // Long enough for the good one's handshake on a machine that has much to do.
    headersTimeoutMs: 4_000,
    inFlight: createInFlight({ maxReading: 0, maxMutating: 0 }),
    logger: createLogger(),
    authenticate: async () => ({ name: "a", groups: [] }),
    impersonate: (_request, user) => user,
    authorize: () => ({ decision: "Allow", reason: "" }),
    async handle({ response }) {
      response.end("ok");
    },
    async upgrade() {},
    observe() {},
  });
  const target = { host: "127.0.0.1", port: server.port };
  const tls = () => connectTls({ ...target, rejectUnauthorized: false });
  /** What it is answered until it is closed. */
  const closed = (socket: Socket): Promise<string> => {
    let text = "";
    socket.on("data", (part: Buffer) => {
      text += part;
    });
    socket.on("error", () => {});
    return new Promise((resolve) => socket.once("close", () => resolve(text)));
  };
  const good = tls();
  good.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await once(good, "data");
  const [silent, half, dripping, noTls] = [tls(), tls(), tls(), connectTcp(target)];
  const ends = Promise.all([silent, half, dripping, noTls].map(closed));
  half.write("GET / HTTP/1.1\r\nHos");
  dripping.write("GET / HTTP/1.1\r\n");
  const drops = setInterval(() => dripping.write("X-A: b\r\n"), 100);
  t.teardown(() => clearInterval(drops));
  const answers = await ends;
  t.same(answers, ["", "", "", ""], "closed without a word");
  good.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const [again] = (await once(good, "data")) as [Buffer];
  t.match(again.toString(), /^HTTP\/1.1 200/, "idle between requests is no fault");
  good.destroy();
  await server.close();
});
