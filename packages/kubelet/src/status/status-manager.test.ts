import type { Pod, PodStatus } from "@picokube/api/core/v1";
import { notFound } from "@picokube/api/errors";
import type { Client } from "@picokube/client/client";
import { createLogger } from "@picokube/component-base/logger";
import { pod } from "@picokube/testing/builders";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { createStatusManager } from "./status-manager.js";

interface Fake {
  client: Client;
  calls: string[];
  release: () => void;
  fail: (error: Error | undefined) => void;
}

/** Patches wait until released; the answer carries what was patched. */
function fakeClient(subject: Pod): Fake {
  const calls: string[] = [];
  let failure: Error | undefined;
  let waiting: (() => void)[] = [];
  let revision = 1;
  let status: PodStatus = subject.status ?? {};
  const client = {
    patch: async (_resource: unknown, name: { name: string }, patch: { status: PodStatus; metadata: object }) => {
      calls.push(`patch ${name.name} ${patch.status.phase ?? ""}`);
      await new Promise<void>((resolve) => waiting.push(resolve));
      if (failure) throw failure;
      status = { ...status, ...patch.status };
      revision++;
      return { ...subject, metadata: { ...subject.metadata, resourceVersion: String(revision) }, status };
    },
    delete: async (_resource: unknown, name: { name: string }, options: object) => {
      calls.push(`delete ${name.name} ${JSON.stringify(options, ["gracePeriodSeconds", "preconditions", "uid"])}`);
    },
    get: async () => subject,
  } as unknown as Client;
  return {
    client,
    calls,
    release: () => {
      const all = waiting;
      waiting = [];
      for (const resolve of all) resolve();
    },
    fail: (error) => {
      failure = error;
    },
  };
}

/** A running manager, and the pod and the client it has. */
function startManager() {
  const subject = pod("web", { metadata: { uid: "u-1", namespace: "default" } });
  const fake = fakeClient(subject);
  const clock = steppingClock();
  const stop = new AbortController();
  const manager = createStatusManager({
    client: fake.client,
    clock,
    logger: createLogger({ name: "t", verbosity: 0 }),
  });
  const done = manager.run(stop.signal);
  const end = async () => {
    stop.abort();
    await done;
  };
  return { subject, fake, clock, manager, end };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("the newest status wins, and what is terminated is deleted", async (t) => {
  const { subject, fake, manager, end } = startManager();
  manager.set(subject, { phase: "Running" });
  manager.set(subject, { phase: "Unknown" });
  manager.set(subject, { phase: "Failed" });
  await turn();
  fake.release();
  await turn();
  await turn();
  fake.release();
  await turn();
  t.same(fake.calls, ["patch web Running", "patch web Failed"], "one in flight, the middle one skipped");
  manager.set(subject, { phase: "Failed" });
  await turn();
  t.equal(fake.calls.length, 2, "nothing new, nothing sent");
  t.equal(manager.get("u-1")?.phase, "Failed");

  manager.terminate(subject, { phase: "Failed" });
  await turn();
  t.equal(fake.calls.length, 2, "not deleted unless the API asks for it");
  const deleting = { ...subject, metadata: { ...subject.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
  manager.terminate(deleting, { phase: "Failed" });
  await turn();
  await turn();
  t.equal(fake.calls[2], 'delete web {"gracePeriodSeconds":0,"preconditions":{"uid":"u-1"}}');
  manager.terminate(deleting, { phase: "Failed" });
  await turn();
  t.equal(fake.calls.length, 3);
  await end();
});

test("failures are retried, a pod that is gone is not", async (t) => {
  const { subject, fake, clock, manager, end } = startManager();
  const settle = async () => {
    await turn();
    fake.release();
    await turn();
    await turn();
  };
  fake.fail(new Error("connection refused"));
  manager.set(subject, { phase: "Running" });
  await settle();
  t.equal(fake.calls.length, 1);
  fake.fail(undefined);
  await clock.advance(1000);
  await settle();
  t.equal(fake.calls.length, 2);
  fake.fail(notFound({ group: "", resource: "pods" }, "web"));
  manager.set(subject, { phase: "Failed" });
  await settle();
  await clock.advance(60_000);
  await settle();
  t.equal(fake.calls.length, 3);
  await end();
});
