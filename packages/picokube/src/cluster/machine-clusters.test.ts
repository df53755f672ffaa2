// Which clusters a machine is known to have.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { pathsOf, writeCluster } from "./cluster.js";
import { enterCluster, otherClusters, removeFromRegister } from "./machine-clusters.js";
import { resolveCluster } from "./resolve-cluster.js";

const flags = { controlPlaneOnly: false, nodeIp: "192.0.2.10", nodeName: "node-1", componentArgs: {} };

test("clusters of a machine know of one another until they are reset", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "picokube-clusters-"));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const register = join(directory, "register");
  const dirs = ["a", "b", "c"].map((name) => join(directory, name));
  for (const dataDir of dirs) {
    writeCluster(await resolveCluster({ ...flags, dataDir }));
    enterCluster(dataDir, register);
  }
  enterCluster(dirs[0]!, register);
  t.equal(readdirSync(register).length, 3, "one is there once");
  const seenBy = (dataDir: string) =>
    otherClusters(dataDir, register)
      .map((cluster) => cluster.dataDir)
      .sort();
  t.strictSame(seenBy(dirs[0]!), dirs.slice(1));
  t.strictSame(seenBy("/new"), dirs);

  writeFileSync(pathsOf({ dataDir: dirs[1]! }).settings, "{");
  t.strictSame(seenBy(dirs[0]!), [dirs[2]], "one that cannot be read holds up no other");
  rmSync(dirs[1]!, { recursive: true });
  removeFromRegister(dirs[0]!, register);
  t.equal(readdirSync(register).length, 1, "one whose directory has gone goes too");
  t.strictSame(seenBy("/new"), [dirs[2]]);
  removeFromRegister(dirs[2]!, register);
  t.strictSame(readdirSync(directory).includes("register"), false, "with the last the register goes");
  t.strictSame(seenBy("/new"), []);
});
