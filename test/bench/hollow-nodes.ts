// A process of hollow nodes: node hollow-nodes.js KUBECONFIG COUNT IMAGE. Ends at SIGTERM. Started by benchmarks.

import { setMaxListeners } from "node:events";
import { loadKubeconfig } from "@picokube/client/kubeconfig";
import { createClient } from "@picokube/client/rest-client";
import { realClock } from "@picokube/component-base/clock";
import { createLogger } from "@picokube/component-base/logger";
import { runHollowNode } from "@picokube/kubelet/hollow-node.testing";

const [kubeconfigPath, count, image] = process.argv.slice(2);
const ending = new AbortController();
setMaxListeners(0, ending.signal);
process.once("SIGTERM", () => ending.abort());
const client = createClient({ kubeconfig: loadKubeconfig(kubeconfigPath!), userAgent: "kubelet/v1.33.0" });
const logger = createLogger({ name: "hollow-nodes", verbosity: 0 });
await Promise.all(
  Array.from({ length: Number(count) }, (_, index) =>
    runHollowNode(
      { name: `hollow-${index}`, subnet: `10.101.${index}`, images: [image!], client, clock: realClock(), logger },
      ending.signal,
    ),
  ),
);
process.exit(0);
