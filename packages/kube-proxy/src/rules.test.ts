import type { Service } from "@picokube/api/core/v1";
import type { EndpointSlice } from "@picokube/api/discovery/v1";
import { test } from "tap";
import { planSync } from "./restore-input.js";
import type { RuleSettings } from "./rule-set.js";
import { buildRules } from "./rules.js";
import { servicePorts } from "./service-ports.js";

const settings: RuleSettings = {
  prefix: "KUBE",
  clusterCidr: "10.244.0.0/16",
  masqueradeAll: false,
  masqueradeBit: 14,
  nodePortRanges: [],
};

function service(spec: Service["spec"], status?: Service["status"]): Service {
  return {
    metadata: { name: "web", namespace: "default", uid: "u", resourceVersion: "1", creationTimestamp: "" },
    spec: { clusterIP: "10.96.0.20", ports: [{ port: 80, protocol: "TCP" }], type: "ClusterIP", ...spec },
    ...(status ? { status } : {}),
  };
}

function slice(...endpoints: { ip: string; node?: string; ready?: boolean; terminating?: boolean }[]): EndpointSlice {
  return {
    metadata: { name: "web-x", namespace: "default", uid: "s", resourceVersion: "1", creationTimestamp: "" },
    addressType: "IPv4",
    ports: [{ port: 8080, protocol: "TCP", name: "" }],
    endpoints: endpoints.map(({ ip, node = "node-1", ready = true, terminating = false }) => ({
      addresses: [ip],
      nodeName: node,
      conditions: { ready, serving: ready || terminating, terminating },
    })),
  };
}

/** The lines of the restore with the hashes of chains replaced by what they stand for. */
function lines(of: Service, slices: EndpointSlice[], nodeName = "node-1"): string[] {
  const rules = buildRules(servicePorts(of, slices, nodeName), settings);
  const { input } = planSync(rules, { nat: new Map(), filter: new Map() });
  return input
    .split("\n")
    .filter((line) => line.includes("default/web") || /-A KUBE-(SVC|SVL|EXT|FW|SEP)/.test(line))
    .map((line) => line.replace(/KUBE-(SVC|SVL|EXT|FW|SEP)-[A-Z2-7]{16}/g, "$1"));
}

test("ClusterIP: balanced evenly, hairpin and traffic from outside masqueraded", (t) => {
  t.strictSame(
    lines(service({}), [
      slice({ ip: "10.244.0.5" }, { ip: "10.244.1.6", node: "node-2" }, { ip: "10.244.0.7", ready: false }),
    ]),
    [
      '-A KUBE-SERVICES -m comment --comment "default/web cluster IP" -m tcp -p tcp -d 10.96.0.20 --dport 80 -j SVC',
      '-A SVC -m comment --comment "default/web cluster IP" -m tcp -p tcp -d 10.96.0.20 --dport 80 ! -s 10.244.0.0/16 -j KUBE-MARK-MASQ',
      '-A SVC -m comment --comment "default/web -> 10.244.0.5:8080" -m statistic --mode random --probability 0.5000000000 -j SEP',
      '-A SVC -m comment --comment "default/web -> 10.244.1.6:8080" -j SEP',
      "-A SEP -m comment --comment default/web -s 10.244.0.5 -j KUBE-MARK-MASQ",
      "-A SEP -m comment --comment default/web -m tcp -p tcp -j DNAT --to-destination 10.244.0.5:8080",
      "-A SEP -m comment --comment default/web -s 10.244.1.6 -j KUBE-MARK-MASQ",
      "-A SEP -m comment --comment default/web -m tcp -p tcp -j DNAT --to-destination 10.244.1.6:8080",
    ],
  );
  t.end();
});

test("no endpoints: refused, in the filter table", (t) => {
  t.strictSame(lines(service({ type: "NodePort", ports: [{ port: 80, protocol: "TCP", nodePort: 30080 }] }), []), [
    '-A KUBE-SERVICES -m comment --comment "default/web has no endpoints" -m tcp -p tcp -d 10.96.0.20 --dport 80 -j REJECT',
    '-A KUBE-EXTERNAL-SERVICES -m comment --comment "default/web has no endpoints" -m addrtype --dst-type LOCAL -m tcp -p tcp --dport 30080 -j REJECT',
  ]);
  t.end();
});

test("NodePort goes through the external chain", (t) => {
  const all = lines(service({ type: "NodePort", ports: [{ port: 80, protocol: "TCP", nodePort: 30080 }] }), [
    slice({ ip: "10.244.0.5" }),
  ]);
  t.ok(all.includes("-A KUBE-NODEPORTS -m comment --comment default/web -m tcp -p tcp --dport 30080 -j EXT"));
  t.ok(
    all.includes(
      '-A EXT -m comment --comment "masquerade traffic for default/web external destinations" -j KUBE-MARK-MASQ',
    ),
  );
  t.ok(all.includes("-A EXT -j SVC"));
  t.end();
});

test("externalTrafficPolicy Local keeps to this node, and drops without local endpoints", (t) => {
  const local = service({
    type: "NodePort",
    externalTrafficPolicy: "Local",
    ports: [{ port: 80, protocol: "TCP", nodePort: 30080 }],
  });
  const endpoints = [slice({ ip: "10.244.0.5" }, { ip: "10.244.1.6", node: "node-2" })];
  t.ok(lines(local, endpoints).includes("-A EXT -j SVL"));
  t.ok(lines(local, endpoints).includes('-A SVL -m comment --comment "default/web -> 10.244.0.5:8080" -j SEP'));
  const elsewhere = lines(local, endpoints, "node-3");
  t.notOk(elsewhere.includes("-A EXT -j SVL"));
  t.ok(
    elsewhere.includes(
      '-A KUBE-EXTERNAL-SERVICES -m comment --comment "default/web has no local endpoints" -m addrtype --dst-type LOCAL -m tcp -p tcp --dport 30080 -j DROP',
    ),
  );
  t.end();
});

test("session affinity remembers the client in the endpoint's chain", (t) => {
  const all = lines(service({ sessionAffinity: "ClientIP" }), [slice({ ip: "10.244.0.5" })]);
  t.ok(
    all.includes(
      '-A SVC -m comment --comment "default/web -> 10.244.0.5:8080" -m recent --name SEP --rcheck --seconds 10800 --reap -j SEP',
    ),
  );
  t.ok(
    all.includes(
      "-A SEP -m comment --comment default/web -m recent --name SEP --set -m tcp -p tcp -j DNAT --to-destination 10.244.0.5:8080",
    ),
  );
  t.end();
});

test("load balancer with source ranges", (t) => {
  const balancer = service(
    { type: "LoadBalancer", loadBalancerSourceRanges: ["203.0.113.0/24"] },
    { loadBalancer: { ingress: [{ ip: "192.0.2.9" }] } },
  );
  const all = lines(balancer, [slice({ ip: "10.244.0.5" })]);
  t.ok(
    all.includes(
      '-A KUBE-SERVICES -m comment --comment "default/web loadbalancer IP" -m tcp -p tcp -d 192.0.2.9 --dport 80 -j FW',
    ),
  );
  t.ok(all.includes('-A FW -m comment --comment "default/web loadbalancer IP" -s 203.0.113.0/24 -j EXT'));
  t.ok(
    all.some((line) => line.startsWith("-A KUBE-PROXY-FIREWALL") && line.endsWith("-d 192.0.2.9 --dport 80 -j DROP")),
  );
  t.end();
});

test("endpoints that only still serve are used when no other is ready", (t) => {
  const all = lines(service({}), [slice({ ip: "10.244.0.5", ready: false, terminating: true })]);
  t.ok(all.some((line) => line.includes("DNAT --to-destination 10.244.0.5:8080")));
  t.end();
});

test("headless and ExternalName Services have no rules", (t) => {
  t.strictSame(lines(service({ clusterIP: "None" }), [slice({ ip: "10.244.0.5" })]), []);
  t.strictSame(lines(service({ type: "ExternalName", clusterIP: "" }), []), []);
  t.end();
});

test("a sync writes only chains that changed, and removes those that went", (t) => {
  const build = (...slices: EndpointSlice[]) => buildRules(servicePorts(service({}), slices, "node-1"), settings);
  const first = planSync(build(slice({ ip: "10.244.0.5" }, { ip: "10.244.0.6" })), {
    nat: new Map(),
    filter: new Map(),
  });
  t.equal(planSync(build(slice({ ip: "10.244.0.5" }, { ip: "10.244.0.6" })), first.applied).input, "");
  const second = planSync(build(slice({ ip: "10.244.0.5" })), first.applied);
  t.equal(second.changedChains, 2, "the service's chain and the chain of the endpoint that went");
  t.match(second.input, /^\*nat\n/);
  t.match(second.input, /-X KUBE-SEP-/);
  t.notMatch(second.input, /KUBE-POSTROUTING/);
  t.end();
});
