import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
import { describeVm, planVm, readVms, requireVm, writeVm } from "./vm.js";
import { engineConfig, engineSpec } from "./vm-engine.js";
import { linkRules } from "./vm-network.js";

const network = { bridge: "vmpico0", cidr: "172.30.4.0/24" };

function cluster(t: { teardown(fn: () => unknown): void }) {
  const dataDir = mkdtempSync(join(tmpdir(), "picokube-vm-"));
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
  return { dataDir, nodeName: "host" };
}

test("VMs get the lowest free number, and everything of theirs is named after it", (t) => {
  const place = cluster(t);
  t.same(readVms(place), []);
  const first = planVm(place, network);
  t.match(first, {
    name: "node-2",
    address: "172.30.4.2",
    namespace: "vmpico0-2",
    cable: "vmpico0-2",
    cgroup: "/picokube-vmpico0-2",
    directory: join(place.dataDir, "vms", "node-2"),
  });
  writeVm(first);
  writeVm(planVm(place, network, { name: "big", registryMirrors: ["http://mirror"] }));
  t.same(
    readVms(place).map(({ name, number }) => [name, number]),
    [
      ["node-2", 2],
      ["big", 3],
    ],
  );
  rmSync(first.directory, { recursive: true });
  t.equal(planVm(place, network).number, 2, "the number of one that is gone is given again");
  t.end();
});

test("names that cannot be are refused in words", (t) => {
  const place = cluster(t);
  writeVm(planVm(place, network));
  t.throws(() => planVm(place, network, { name: "Node_2" }), /"Node_2" cannot name a node/);
  t.throws(() => planVm(place, network, { name: "node-2" }), /there is a node node-2 already/);
  t.throws(() => planVm(place, network, { name: "host" }), /there is a node host already/);
  t.throws(() => requireVm(place, "nobody"), /there is no local VM "nobody"; there are: node-2/);
  t.throws(() => requireVm(place, "host"), /host is this machine itself/);
  writeFileSync(join(place.dataDir, "vms", "node-2", "vm.json"), "{");
  t.throws(() => readVms(place), /cannot read .*vm\.json/);
  t.end();
});

test("an engine of a VM shares no path with another, and asks its mirrors", (t) => {
  const make = (number: number) =>
    describeVm(network, {
      name: `n${number}`,
      number,
      directory: `/data dir/n${number}`,
      registryMirrors: ["http://mirror:5000"],
    });
  const [a, b] = [engineConfig(make(2)), engineConfig(make(3))] as Record<string, unknown>[];
  for (const key of ["hosts", "pidfile", "data-root", "exec-root", "cgroup-parent"])
    t.not(JSON.stringify(a![key]), JSON.stringify(b![key]), key);
  t.same(a!["registry-mirrors"], ["http://mirror:5000"]);
  const { argv } = engineSpec(make(2), "/log");
  t.match(
    argv[2],
    /^rm -f '\/data dir\/n2\/engine\/docker.pid' .* && exec nsenter --net=\/run\/netns\/vmpico0-2 dockerd/,
  );
  t.end();
});

test("the link's traffic passes the host, and is masqueraded only where it leaves the link", (t) => {
  t.same(
    linkRules(network).map(
      ({ table, rule }) => `${table} ${rule.filter((word) => !/comment|picokube/.test(word)).join(" ")}`,
    ),
    [
      "filter FORWARD -i vmpico0 -m -j ACCEPT",
      "filter FORWARD -o vmpico0 -m -j ACCEPT",
      "nat POSTROUTING -s 172.30.4.0/24 ! -o vmpico0 -m -j MASQUERADE",
    ],
  );
  t.end();
});
