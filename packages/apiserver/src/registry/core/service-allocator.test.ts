// Tests of address and node port allocation: nothing twice, in upstream's words.

import { setServiceDefaults } from "@picokube/api/core/service-defaults";
import type { Service } from "@picokube/api/core/v1";
import { test } from "tap";
import type { RequestContext } from "../resource-definition.js";
import { serviceAllocator } from "./service-allocator.js";
import { dropTypeDependentFields, keepAllocated, normalizeClusterIps } from "./service-types.js";

type Change = { type: string; object: Service; previous?: Service | undefined };

/** An allocator with a cache that the test fills. */
function setUp({ cidr = "10.96.0.0/24", dryRun = false } = {}) {
  const handlers: ((change: Change) => void)[] = [];
  let nowMs = 0;
  const context = {
    user: { name: "admin", groups: [] },
    dryRun,
    now: () => nowMs,
    warn() {},
    storage: {
      for: () => ({
        list: () => [],
        get: () => undefined,
        onChange: (handler: (change: Change) => void) => handlers.push(handler),
      }),
    },
  } as unknown as RequestContext;
  const allocator = serviceAllocator({ serviceCidrs: [cidr], nodePortRange: { from: 30000, to: 30003 } });
  return {
    show: (change: Change) => handlers.forEach((handler) => void handler(change)),
    later: (ms: number) => {
      nowMs += ms;
    },
    create(name: string, spec: unknown): Service {
      const service = { metadata: { name, namespace: "default", uid: name }, spec: structuredClone(spec) } as Service;
      setServiceDefaults(service);
      normalizeClusterIps(service, undefined);
      allocator.allocate(service, context);
      return service;
    },
    change(service: Service, old: Service): Service {
      setServiceDefaults(service);
      normalizeClusterIps(service, old);
      keepAllocated(service, old);
      dropTypeDependentFields(service, old);
      allocator.allocate(service, context);
      return service;
    },
  };
}

const ports = [{ port: 80 }];

test("every address is given once, until none is left", (t) => {
  const { create } = setUp({ cidr: "10.96.0.0/29" });
  const given = Array.from({ length: 6 }, (_, index) => create(`s${index}`, { ports }).spec?.clusterIP);
  t.equal(new Set(given).size, 6);
  t.notOk(given.includes("10.96.0.0") || given.includes("10.96.0.7"));
  t.throws(() => create("more", { ports }), { message: /range is full/ });
  t.end();
});

test("an address asked for is given once, and again after the delete", (t) => {
  const { create, show } = setUp();
  const first = create("a", { ports, clusterIP: "10.96.0.10" });
  t.strictSame(first.spec?.clusterIPs, ["10.96.0.10"]);
  const taken = /spec.clusterIPs: .*failed to allocate IP 10.96.0.10: provided IP is already allocated$/;
  t.throws(() => create("b", { ports, clusterIP: "10.96.0.10" }), { message: taken });
  show({ type: "ADDED", object: first });
  t.throws(() => create("b", { ports, clusterIP: "10.96.0.10" }), { message: taken });
  show({ type: "DELETED", object: first, previous: first });
  t.equal(create("b", { ports, clusterIP: "10.96.0.10" }).spec?.clusterIP, "10.96.0.10");
  t.end();
});

test("a create that came to nothing does not hold its address for ever", (t) => {
  const { create, later } = setUp();
  create("a", { ports, clusterIP: "10.96.0.10" });
  t.equal(create("a", { ports, clusterIP: "10.96.0.10" }).spec?.clusterIP, "10.96.0.10", "the same name may try again");
  later(61_000);
  t.equal(create("b", { ports, clusterIP: "10.96.0.10" }).spec?.clusterIP, "10.96.0.10");
  t.end();
});

test("what is out of range is refused in upstream's words", (t) => {
  const { create } = setUp();
  t.throws(() => create("a", { ports, clusterIP: "10.97.0.1" }), {
    message: /failed to allocate IP 10.97.0.1: the provided network does not match the current range$/,
  });
  t.throws(() => create("a", { type: "NodePort", ports: [{ port: 80, nodePort: 80 }] }), {
    message:
      /spec.ports\[0\].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-30003$/,
  });
  t.end();
});

test("node ports are given once, one number for TCP and UDP of a port", (t) => {
  const { create } = setUp();
  const dns = create("dns", {
    type: "NodePort",
    ports: [
      { name: "u", port: 53, protocol: "UDP" },
      { name: "t", port: 53 },
    ],
  });
  t.equal(dns.spec?.ports?.[0]?.nodePort, dns.spec?.ports?.[1]?.nodePort);
  const nodePort = dns.spec?.ports?.[0]?.nodePort;
  t.throws(() => create("b", { type: "NodePort", ports: [{ port: 80, nodePort }] }), {
    message: /provided port is already allocated$/,
  });
  t.end();
});

test("headless, selectorless and external Services have no address", (t) => {
  const { create } = setUp();
  const headless = create("h", { ports, clusterIP: "None", selector: { app: "web" } });
  t.match(headless.spec, { clusterIP: "None", clusterIPs: ["None"], ipFamilyPolicy: "SingleStack" });
  t.match(create("s", { ports, clusterIP: "None" }).spec, { ipFamilyPolicy: "RequireDualStack" });
  t.notMatch(create("e", { type: "ExternalName", externalName: "example.com" }).spec, { ipFamilies: [] });
  t.end();
});

test("an update keeps what was allocated, and a changed type drops what it does not have", (t) => {
  const { create, show, change } = setUp();
  const old = create("web", { type: "NodePort", ports });
  show({ type: "ADDED", object: old });
  const again = change({ ...old, spec: { type: "NodePort", ports: [{ port: 80 }] } } as Service, old);
  t.equal(again.spec?.clusterIP, old.spec?.clusterIP);
  t.equal(again.spec?.ports?.[0]?.nodePort, old.spec?.ports?.[0]?.nodePort);
  const plain = change({ ...structuredClone(old), spec: { ...structuredClone(old.spec), type: "ClusterIP" } }, old);
  t.equal(plain.spec?.ports?.[0]?.nodePort, undefined);
  t.equal(plain.spec?.externalTrafficPolicy, undefined);
  t.equal(plain.spec?.clusterIP, old.spec?.clusterIP);
  t.end();
});
