// Which host ports a pod has, their rules and their memory.

import { join } from "node:path";
import type { PodSpec } from "@picokube/api/core/v1";
import { pod } from "@picokube/testing/builders";
import { test } from "tap";
import { createHostPorts, dnatRules, hostPortsOf, masqueradeRules } from "./host-ports.js";
import { chainsOf } from "./network-rules.js";

test("a pod's host ports", async (t) => {
  const spec: PodSpec = {
    containers: [
      {
        name: "c",
        image: "i",
        ports: [
          { containerPort: 80, hostPort: 8080 },
          { containerPort: 81 },
          { containerPort: 53, hostPort: 53, protocol: "UDP", hostIP: "10.0.0.1" },
        ],
      },
    ],
  };
  t.same(hostPortsOf(pod("p", { spec })), [
    { hostIp: "", hostPort: 8080, protocol: "tcp", containerPort: 80 },
    { hostIp: "10.0.0.1", hostPort: 53, protocol: "udp", containerPort: 53 },
  ]);
  t.same(hostPortsOf(pod("p", { spec: { ...spec, hostNetwork: true } })), []);
});

test("rules, the narrower address first", async (t) => {
  const web = { hostIp: "", hostPort: 8080, protocol: "tcp", containerPort: 80 } as const;
  const one = { podIp: "10.1.0.2", ports: [web] };
  const two = { podIp: "10.1.0.3", ports: [{ ...web, hostIp: "192.0.2.7" }] };
  t.same(dnatRules("C", [one, two]), [
    "-A C -d 192.0.2.7/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.1.0.3:80",
    "-A C -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.1.0.2:80",
  ]);
  t.same(masqueradeRules("C", [one]), [
    "-A C -s 10.1.0.2/32 -d 10.1.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE",
    "-A C -s 127.0.0.0/8 -d 10.1.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE",
  ]);
});

test("they are remembered", async (t) => {
  const file = join(t.testdir(), "network", "ports.json");
  const mapping = { podIp: "10.1.0.2", ports: [] };
  const ports = createHostPorts(file);
  t.same(ports.mappings(), []);
  ports.set("u/0", mapping);
  t.same(createHostPorts(file).mappings(), [mapping]);
  t.equal(ports.delete("u/0"), true);
  t.equal(ports.delete("u/0"), false);
  t.same(createHostPorts(file).mappings(), []);
});

test("chains fit into iptables' 28 characters", async (t) => {
  for (const chain of Object.values(chainsOf("x".repeat(15)))) t.ok(chain.length <= 28, chain);
});
