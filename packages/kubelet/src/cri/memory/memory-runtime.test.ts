// The in-memory runtime against the contract.

import { realClock } from "@picokube/component-base/clock";
import { test } from "tap";
import { runtimeContract } from "../contract.js";
import { createMemoryRuntime } from "./memory-runtime.js";

test("the in-memory runtime keeps the contract", async (t) => {
  const runtime = createMemoryRuntime({ clock: realClock(), images: ["busybox"] });
  await runtimeContract(t, { runtime, image: "busybox", command: ["sleep", "600"], podUid: "uid-1" });
});
