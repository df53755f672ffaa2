import { test } from "tap";
import { adjustCluster, requireUnchanged } from "./adjust-cluster.js";
import { resolveCluster } from "./resolve-cluster.js";

const flags = { dataDir: "/somewhere/else", controlPlaneOnly: false, componentArgs: {} };
const known = {
  ...(await resolveCluster({ ...flags, nodeName: "node-1", nodeIp: "127.0.0.1" })),
  serviceCidr: "10.96.0.0/16",
};

test("without flags an existing cluster stays as it is", async (t) => {
  const same = await adjustCluster(known, flags);
  t.strictSame(same, known);
  requireUnchanged(known, same);
});

test("extra flags and the port may change, but not under a running cluster", async (t) => {
  const changed = await adjustCluster(known, {
    ...flags,
    securePort: 7443,
    componentArgs: { kubelet: ["max-pods=50"] },
  });
  t.match(changed, { ports: { securePort: 7443 }, componentArgs: { kubelet: ["max-pods=50"] } });
  t.throws(() => requireUnchanged(known, changed), { message: /is running with other settings: picokube down first/ });
});

test("ranges, domain and name cannot change", async (t) => {
  await t.rejects(adjustCluster(known, { ...flags, serviceCidr: "10.97.0.0/16" }), {
    message: /--service-cidr is 10\.96\.0\.0\/16 since this cluster was made and cannot become 10\.97\.0\.0\/16/,
  });
  await t.rejects(adjustCluster(known, { ...flags, nodeName: "node-2" }), { message: /--node-name is node-1/ });
});

test("an address that the machine no longer has is replaced", async (t) => {
  const moved = await adjustCluster({ ...known, nodeIp: "203.0.113.250" }, flags);
  t.not(moved.nodeIp, "203.0.113.250");
});
