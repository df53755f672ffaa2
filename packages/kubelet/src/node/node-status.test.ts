import { node } from "@picokube/testing/builders";
import { test } from "tap";
import { defaultRouteInterface, prettyName } from "./machine.js";
import { aggregate, nodeConditions } from "./node-conditions.js";
import { nodeResources } from "./node-resources.js";
import { nodeImages, nodeStatusPatch } from "./node-status.js";

const well = { memoryPressure: false, diskPressure: false, pidPressure: false, problems: [] };

test("capacity and allocatable as upstream counts them", (t) => {
  const { capacity, allocatable } = nodeResources(
    { cpus: 2, memoryBytes: 4096000 * 1024, ephemeralStorageBytes: 1000 * 1024 * 1024 },
    {
      maxPods: 110,
      evictionHard: { "memory.available": "100Mi", "nodefs.available": "10%" },
      systemReserved: { cpu: "500m" },
      kubeReserved: {},
    },
  );
  t.match(capacity, { cpu: "2", memory: "4000Mi", "ephemeral-storage": "1000Mi", pods: "110", "hugepages-2Mi": "0" });
  t.match(allocatable, { cpu: "1500m", memory: "3900Mi", pods: "110" });
  const advertised = nodeResources(
    { cpus: 2, memoryBytes: 1024, ephemeralStorageBytes: 1024 },
    { maxPods: 1, evictionHard: {}, systemReserved: {}, kubeReserved: { cpu: "500m" } },
    { cpu: "99", "example.com/dongle": "4", "node.kubernetes.io/other": "1" },
  );
  t.same(
    Object.keys(advertised.capacity).filter((name) => name.includes("/")),
    ["example.com/dongle"],
  );
  t.match(advertised, { capacity: { cpu: "2" }, allocatable: { "example.com/dongle": "4", cpu: "1500m" } });
  t.end();
});

test("conditions speak upstream's words and keep their times", (t) => {
  const first = nodeConditions([], well, "t0");
  t.match(first, [
    { type: "MemoryPressure", status: "False", reason: "KubeletHasSufficientMemory" },
    { type: "DiskPressure", status: "False", reason: "KubeletHasNoDiskPressure" },
    { type: "PIDPressure", status: "False", reason: "KubeletHasSufficientPID" },
    { type: "Ready", status: "True", message: "kubelet is posting ready status", lastTransitionTime: "t0" },
  ]);
  const later = nodeConditions(first, { ...well, problems: ["a", "b", "a"] }, "t1");
  t.match(later[3], { status: "False", reason: "KubeletNotReady", message: "[a, b]", lastTransitionTime: "t1" });
  t.match(later[0], { lastTransitionTime: "t0", lastHeartbeatTime: "t1" });
  t.equal(aggregate(["one"]), "one");
  t.end();
});

test("a patch leaves out what has not changed", (t) => {
  const conditions = nodeConditions([], well, "t0");
  const foreign = { type: "NetworkUnavailable", status: "False" as const };
  const existing = node("n", { status: { capacity: { cpu: "2" }, conditions: [foreign, ...conditions] } });
  const { allocatable, addresses, nodeInfo } = existing.status!;
  const same = {
    capacity: { cpu: "2" },
    ...(allocatable ? { allocatable } : {}),
    ...(addresses ? { addresses } : {}),
    ...(nodeInfo ? { nodeInfo } : {}),
    conditions: nodeConditions(conditions, well, "t9"),
  };
  t.equal(nodeStatusPatch(existing, same), undefined);
  const moved = { ...same, addresses: [{ type: "InternalIP", address: "10.9.9.9" }] };
  t.match(nodeStatusPatch(existing, moved), { addresses: [{ $patch: "replace" }, { address: "10.9.9.9" }] });
  t.end();
});

test("facts of the machine", (t) => {
  const head = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";
  const table = `${head}eth1\t00000000\t0101A8C0\t0003\t0\t0\t200\t00000000\t0\t0\t0\neth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\neth2\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n`;
  t.equal(defaultRouteInterface(table), "eth0");
  t.equal(defaultRouteInterface(head), undefined);
  t.equal(
    prettyName('NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'),
    "Debian GNU/Linux 12 (bookworm)",
  );
  t.same(
    nodeImages(
      [
        { id: "1", tags: ["a:1"], digests: ["a@sha256:1"], sizeBytes: 1, user: "", origin: "host" as const },
        { id: "2", tags: [], digests: [], sizeBytes: 3, user: "", origin: "host" as const },
        { id: "3", tags: ["b:1"], digests: [], sizeBytes: 2, user: "", origin: "host" as const },
      ],
      50,
    ),
    [
      { names: ["b:1"], sizeBytes: 2 },
      { names: ["a@sha256:1", "a:1"], sizeBytes: 1 },
    ],
  );
  const many = Array.from({ length: 3 }, (_, index) => ({
    id: String(index),
    tags: Array.from({ length: 7 }, (_, name) => `r${index}:${name}`),
    digests: [],
    sizeBytes: index,
    user: "",
    origin: "host" as const,
  }));
  t.same(
    nodeImages(many, 2).map(({ names, sizeBytes }) => [names?.length, sizeBytes]),
    [
      [5, 2],
      [5, 1],
    ],
  );
  t.equal(nodeImages(many, -1).length, 3);
  t.end();
});
