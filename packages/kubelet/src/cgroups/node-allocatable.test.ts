// What is left for all pods together.

import { test } from "tap";
import { podsLimits } from "./node-allocatable.js";

test("both reservations are taken off, and nothing is less than nothing", async (t) => {
  const capacity = { cpuMillis: 4000, memoryBytes: 1024 };
  t.same(podsLimits(capacity, { kubeReserved: {}, systemReserved: {} }), capacity);
  t.same(
    podsLimits(capacity, { kubeReserved: { cpu: "500m", memory: "24" }, systemReserved: { cpu: "1", memory: "100" } }),
    { cpuMillis: 2500, memoryBytes: 900 },
  );
  t.same(podsLimits(capacity, { kubeReserved: { memory: "1Gi" }, systemReserved: {} }).memoryBytes, 0);
});
