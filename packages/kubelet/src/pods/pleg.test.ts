// The PLEG on the in-memory runtime: events at once, a lost engine survived, health in upstream's words.

import { createLogger } from "@picokube/component-base/logger";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { plainContainer, plainSandbox } from "../cri/contract.js";
import { createMemoryRuntime } from "../cri/memory/memory-runtime.js";
import type { RuntimeEvent } from "../cri/runtime.js";
import { createPleg } from "./pleg.js";

const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

test("changes, outages, health", async (t) => {
  const clock = steppingClock();
  const runtime = createMemoryRuntime({ clock, images: ["busybox"] });
  let down = false;
  // A list fails later than the stream, which is nobody's unhandled rejection meanwhile.
  const guard = async <T>(work: () => Promise<T>) => {
    if (!down) return work();
    await settle();
    throw new Error("connect ENOENT");
  };
  async function* events(signal: AbortSignal): AsyncGenerator<RuntimeEvent> {
    if (down) throw new Error("connect ENOENT");
    for await (const event of runtime.events(signal)) {
      if (down) throw new Error("stream broke");
      yield event;
    }
  }
  const fragile = { ...runtime, events, listSandboxes: () => guard(() => runtime.listSandboxes()) };
  const changed: string[] = [];
  const pleg = createPleg({
    runtime: fragile,
    onChange: (uid) => changed.push(uid),
    clock,
    logger: createLogger({ write: () => {} }),
  });
  t.same(pleg.problems(), ["PLEG is not healthy: pleg has yet to be successful"]);
  const stop = new AbortController();
  const running = pleg.run(stop.signal);
  await settle();
  t.same(pleg.problems(), []);

  const sandbox = await runtime.runSandbox(plainSandbox("u1"));
  await settle();
  t.same(changed, ["u1"], "started tells, created does not");

  down = true;
  const id = await runtime.createContainer(sandbox, plainContainer({ image: "busybox", command: ["x"] }));
  await runtime.startContainer(id);
  await settle();
  await clock.advance(10_000);
  await settle();
  await settle();
  t.same(pleg.problems(), ["container runtime is down"]);

  down = false;
  changed.length = 0;
  await clock.advance(10_000);
  await settle();
  t.same(pleg.problems(), []);
  t.ok(changed.includes("u1"), "what happened meanwhile is seen by the relist");
  t.same(pleg.podUids(), ["u1"]);

  stop.abort();
  await clock.advance(10_000);
  await running;
});
