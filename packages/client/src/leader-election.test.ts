// Leader election against a small real server of Leases, with short times.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Lease } from "@picokube/api/coordination/v1";
import { realClock } from "@picokube/component-base/clock";
import { createLogger } from "@picokube/component-base/logger";
import { createMetrics } from "@picokube/component-base/metrics";
import { type Test, test } from "tap";
import { runWithLeaderElection } from "./leader-election.js";
import { runLeaseRenewal } from "./lease.js";
import { createClient } from "./rest-client.js";

async function leaseServer(t: Pick<Test, "teardown">) {
  const state: { lease: Lease | undefined; down: boolean; silent: boolean; writes: number } = {
    lease: undefined,
    down: false,
    silent: false,
    writes: 0,
  };
  let version = 0;
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const fail = (code: number, reason: string) => {
      response.statusCode = code;
      response.end(JSON.stringify({ kind: "Status", code, reason, message: reason }));
    };
    if (state.silent) return;
    if (state.down) return fail(500, "InternalError");
    if (request.method === "GET")
      return state.lease ? response.end(JSON.stringify(state.lease)) : fail(404, "NotFound");
    const sent = JSON.parse(body) as Lease;
    if (request.method === "POST" && state.lease) return fail(409, "AlreadyExists");
    if (request.method === "PUT" && sent.metadata.resourceVersion !== state.lease?.metadata.resourceVersion)
      return fail(409, "Conflict");
    version += 1;
    state.writes += 1;
    state.lease = { ...sent, metadata: { ...sent.metadata, resourceVersion: String(version) } };
    response.end(JSON.stringify(state.lease));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = createClient({ kubeconfig: { server: `http://127.0.0.1:${port}`, namespace: "" }, userAgent: "t" });
  t.teardown(async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
  });
  return { state, client };
}

const logger = createLogger({ write() {} });
const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve());
  });

test("one leads, the other waits until the lease is given back", async (t) => {
  const { state, client } = await leaseServer(t);
  const order: string[] = [];
  const metrics = { a: createMetrics(), b: createMetrics() };
  const leading = async (identity: "a" | "b") =>
    /^leader_election_master_status\{name="x"\} (\d)$/m.exec(await metrics[identity].render())?.[1];
  const candidate = (identity: "a" | "b") => {
    const stop = new AbortController();
    const done = runWithLeaderElection({
      client,
      lease: { namespace: "kube-system", name: "x" },
      identity,
      clock: realClock(),
      logger,
      metrics: metrics[identity],
      signal: stop.signal,
      leaseDurationMs: 2000,
      renewDeadlineMs: 1000,
      retryPeriodMs: 20,
      async run(signal) {
        order.push(`${identity} leads`);
        await untilAborted(signal);
        order.push(`${identity} stops`);
      },
    });
    return { stop, done };
  };
  const a = candidate("a");
  while (order.length === 0) await realClock().sleep(5);
  const b = candidate("b");
  await realClock().sleep(100);
  t.strictSame(order, ["a leads"]);
  t.strictSame([await leading("a"), await leading("b")], ["1", "0"]);
  a.stop.abort();
  await a.done;
  while (order.length < 3) await realClock().sleep(5);
  t.equal(state.lease?.spec?.holderIdentity, "b");
  t.strictSame([await leading("a"), await leading("b")], ["0", "1"]);
  t.equal(state.lease?.spec?.leaseTransitions, 1);
  b.stop.abort();
  await b.done;
  t.strictSame(order, ["a leads", "a stops", "b leads", "b stops"]);
  t.equal(state.lease?.spec?.holderIdentity, "");
});

test("a leader that cannot renew stops and says so", async (t) => {
  const { state, client } = await leaseServer(t);
  const stop = new AbortController();
  const done = runWithLeaderElection({
    client,
    lease: { namespace: "kube-system", name: "x" },
    identity: "a",
    clock: realClock(),
    logger,
    signal: stop.signal,
    leaseDurationMs: 300,
    renewDeadlineMs: 100,
    retryPeriodMs: 20,
    async run(signal) {
      state.down = true;
      await untilAborted(signal);
    },
  });
  await t.rejects(done, { name: "LeaseLostError", message: "leaderelection lost" });
});

test("a leader that is told to end does so while the server is silent", async (t) => {
  const { state, client } = await leaseServer(t);
  const stop = new AbortController();
  let asked = 0;
  const done = runWithLeaderElection({
    client: {
      ...client,
      get(...args) {
        asked += 1;
        return client.get(...args);
      },
    },
    lease: { namespace: "kube-system", name: "x" },
    identity: "a",
    clock: realClock(),
    logger,
    signal: stop.signal,
    leaseDurationMs: 300_000,
    renewDeadlineMs: 200_000,
    retryPeriodMs: 20,
    run: untilAborted,
  });
  while (state.writes === 0) await realClock().sleep(5);
  state.silent = true;
  const before = asked;
  while (asked === before) await realClock().sleep(5);
  stop.abort();
  await done;
  t.equal(state.lease?.spec?.holderIdentity, "a", "it could not give the lease back");
});

test("a node's heartbeat makes its Lease and renews it", async (t) => {
  const { state, client } = await leaseServer(t);
  const stop = new AbortController();
  const done = runLeaseRenewal({
    client,
    holder: "n1",
    renewIntervalMs: 10,
    owner: () => ({ apiVersion: "v1", kind: "Node", name: "n1", uid: "u" }),
    clock: realClock(),
    logger,
    signal: stop.signal,
  });
  while (state.writes < 3) await realClock().sleep(5);
  stop.abort();
  await done;
  t.match(state.lease, {
    metadata: { name: "n1", namespace: "kube-node-lease", ownerReferences: [{ kind: "Node", uid: "u" }] },
    spec: { holderIdentity: "n1", leaseDurationSeconds: 40 },
  });
});
