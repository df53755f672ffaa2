// What the classes of pods get when processors are scarce.

import { test } from "tap";
import { testPod } from "../pods/observed.js";
import { qosShares } from "./qos-cgroups.js";

test("burstable pods share what they request together", async (t) => {
  const pod = (requests: Record<string, string>, limits?: Record<string, string>) =>
    testPod({ containers: [{ name: "c", image: "i", resources: { requests, ...(limits ? { limits } : {}) } }] });
  t.same(qosShares([]), { burstable: 2, besteffort: 2 });
  const guaranteed = pod({ cpu: "4", memory: "1Gi" }, { cpu: "4", memory: "1Gi" });
  t.same(qosShares([pod({}), guaranteed, pod({ cpu: "500m" }), pod({ cpu: "250m" }), pod({ memory: "1Gi" })]), {
    burstable: 768,
    besteffort: 2,
  });
});
