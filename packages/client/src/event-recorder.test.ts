// Recorders against a small real server of Events.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type Event, events } from "@picokube/api/core/v1";
import type { Clock } from "@picokube/component-base/clock";
import { realClock } from "@picokube/component-base/clock";
import { test } from "tap";
import { createEventRecorder } from "./event-recorder.js";
import { createClient } from "./rest-client.js";

test("two components that speak of one object in the same millisecond are both heard", async (t) => {
  const heard = new Map<string, Event>();
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const event = JSON.parse(body) as Event;
    const { name } = event.metadata;
    response.statusCode = heard.has(name) ? 409 : 201;
    if (heard.has(name)) body = JSON.stringify({ kind: "Status", code: 409, reason: "AlreadyExists", message: name });
    else heard.set(name, event);
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const client = createClient({ kubeconfig: { server: `http://127.0.0.1:${port}`, namespace: "" }, userAgent: "t" });
  t.teardown(async () => {
    await client.close();
    server.close();
  });
  const stopped: Clock = { ...realClock(), now: () => 1_800_000_000_000 };
  const claim = { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace: "default", name: "data", uid: "u" };
  for (const component of ["binder", "provisioner", "scheduler"])
    createEventRecorder({ client, component, clock: stopped }).record(claim, {
      type: "Normal",
      reason: "Told",
      message: "something",
    });
  while (heard.size < 3) await realClock().sleep(20);
  t.strictSame([...heard.values()].map(({ source }) => source?.component).sort(), [
    "binder",
    "provisioner",
    "scheduler",
  ]);
});

test("what a closed client cannot send any more is not tried again", async (t) => {
  const client = createClient({ kubeconfig: { server: "http://127.0.0.1:9", namespace: "" }, userAgent: "t" });
  await client.get(events, { namespace: "default", name: "first" }).catch(() => {});
  await client.close();
  let given = 0;
  const posted = new Promise<void>((resolve) => {
    const create: typeof client.create = async (...args) => {
      given++;
      setImmediate(resolve);
      return client.create(...args);
    };
    const slept: Clock = {
      ...realClock(),
      sleep: async () => {
        t.fail("waits for another try");
      },
    };
    const recorder = createEventRecorder({ client: { ...client, create }, component: "t", clock: slept });
    recorder.record({ apiVersion: "v1", kind: "Pod", namespace: "default", name: "a", uid: "u" } as never, {
      type: "Normal",
      reason: "Told",
      message: "something",
    });
  });
  await posted;
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  t.equal(given, 1);
});
