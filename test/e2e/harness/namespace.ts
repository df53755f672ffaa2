// A namespace of a test's own, so that files can run side by side in one cluster.

import { randomBytes } from "node:crypto";
import type { TestCluster } from "./cluster.js";
import { type Kubectl, kubectlFor } from "./kubectl.js";

/** Creates it with its default service account, and deletes it with the test. */
export async function useNamespace(
  t: { teardown(fn: () => unknown): void },
  cluster: TestCluster,
): Promise<{ name: string; kubectl: Kubectl }> {
  const name = `e2e-${randomBytes(4).toString("hex")}`;
  const root = kubectlFor(cluster);
  await root.run(["create", "namespace", name]);
  t.teardown(() => root.attempt(["delete", "namespace", name, "--wait=false"]));
  return { name, kubectl: kubectlFor(cluster, name) };
}
