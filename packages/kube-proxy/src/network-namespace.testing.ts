// A test file that runs in a network namespace of its own: its own firewall, connection table and sysctls, beside whatever
// else this host does.

import { fileURLToPath } from "node:url";
import { type Test, test } from "tap";
import { deleteNamespaces, ip } from "./ip-command.testing.js";

const inside = "PICOKUBE_TEST_NAMESPACE";

/** Runs the file once more inside a new namespace, where its stories are told; all namespaces whose names begin with the
 *  new one's go with it. */
export function inNetworkNamespace(fileUrl: string, stories: (namespace: string) => void): void {
  const current = process.env[inside];
  if (current !== undefined) {
    ip("link", "set", "lo", "up");
    stories(current);
    return;
  }
  void test("in a network namespace", async (t: Test) => {
    const name = `pxy${process.pid}`;
    ip("netns", "add", name);
    t.teardown(() => deleteNamespaces(name));
    await t.spawn(
      "nsenter",
      [`--net=/run/netns/${name}`, process.execPath, fileURLToPath(fileUrl)],
      { env: { ...process.env, [inside]: name } },
      "its stories",
    );
  });
}
