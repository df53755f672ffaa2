import { execFileSync } from "node:child_process";
import { test } from "tap";
import { createIptables } from "./iptables.js";
import { canary, canaryTables } from "./jumps.js";
import { chainsInSave, planCleanup, planJumps, planSync } from "./restore-input.js";
import { buildRules } from "./rules.js";
import type { ServicePort } from "./service-ports.js";

const settings = {
  prefix: "KUBE",
  clusterCidr: "10.244.0.0/16",
  masqueradeAll: false,
  masqueradeBit: 14,
  nodePortRanges: [],
};

function port(overrides: Partial<ServicePort>): ServicePort {
  return {
    name: "default/web",
    namespace: "default",
    service: "web",
    protocol: "TCP",
    clusterIp: "10.96.0.20",
    port: 80,
    nodePort: 30080,
    externalIps: ["192.0.2.8"],
    loadBalancerIps: ["192.0.2.9"],
    loadBalancerSourceRanges: ["203.0.113.0/24"],
    affinitySeconds: undefined,
    externalLocal: false,
    internalLocal: false,
    healthCheckNodePort: 0,
    clusterEndpoints: [],
    localEndpoints: [],
    ...overrides,
  };
}

const endpoint = (ip: string) => ({ ip, port: 8080, isLocal: true, ready: true, serving: true, terminating: false });

test("F1 the kernel takes every shape of rule, a second sync writes nothing, clean-up leaves nothing", async (t) => {
  const name = `pico-proxy-${process.pid}`;
  execFileSync("ip", ["netns", "add", name]);
  t.teardown(() => execFileSync("ip", ["netns", "delete", name]));
  const iptables = createIptables({ networkNamespace: `/run/netns/${name}` });
  const saves = async () => ({
    mangle: await iptables.save("mangle"),
    nat: await iptables.save("nat"),
    filter: await iptables.save("filter"),
  });
  const before = await saves();

  await iptables.restore(planJumps("KUBE", before));
  const endpoints = [endpoint("10.244.0.5"), endpoint("10.244.0.6"), endpoint("10.244.0.7")];
  const ports = [
    port({ clusterEndpoints: endpoints, localEndpoints: endpoints.slice(0, 1) }),
    port({
      name: "default/local",
      clusterIp: "10.96.0.21",
      nodePort: 30081,
      externalLocal: true,
      internalLocal: true,
      clusterEndpoints: endpoints,
      localEndpoints: endpoints,
    }),
    port({
      name: "default/dns:dns",
      clusterIp: "10.96.0.22",
      nodePort: 30082,
      protocol: "UDP",
      affinitySeconds: 60,
      clusterEndpoints: endpoints,
    }),
    port({ name: "default/none", clusterIp: "10.96.0.23", nodePort: 30083, healthCheckNodePort: 31000 }),
  ];
  const first = planSync(buildRules(ports, settings), { nat: new Map(), filter: new Map() });
  await iptables.restore(first.input);
  const nat = await iptables.save("nat");
  t.match(
    nat,
    /-A KUBE-SEP-\S+ -p tcp -m comment --comment "default\/web" -m tcp -j DNAT --to-destination 10\.244\.0\.5:8080/,
  );
  t.match(nat, /-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES/);
  t.equal(planJumps("KUBE", await saves()), "", "jumps and canaries are recognised when they are there");

  const restarted = { nat: chainsInSave(nat, "KUBE"), filter: chainsInSave(await iptables.save("filter"), "KUBE") };
  const fewer = planSync(buildRules(ports.slice(0, 1), settings), restarted);
  await iptables.restore(fewer.input);
  t.notMatch(await iptables.save("nat"), /default\/local/, "what an earlier process left behind goes");

  for (const table of canaryTables) t.ok(await iptables.chainExists(table, canary("KUBE")));
  t.notOk(await iptables.chainExists("nat", "KUBE-NO-SUCH"));

  await iptables.restore(planCleanup("KUBE", await saves()));
  for (const save of Object.values(await saves())) t.notMatch(save, /KUBE-/);
});

test("a rule that the kernel refuses is shown with its line", async (t) => {
  const iptables = createIptables();
  await t.rejects(iptables.restore("*nat\n-A NO-SUCH-CHAIN -j ACCEPT\nCOMMIT\n"), { message: /NO-SUCH-CHAIN/ });
});
