// Which node announces a pool's address.

import type { Service } from "@picokube/api/core/v1";
import { endpointslices } from "@picokube/api/discovery/v1";
import { node, object, service } from "@picokube/testing/builders";
import { test } from "tap";
import { parseAddressPool } from "./address-pool.js";
import { announcerOf } from "./announcer.js";

const pool = parseAddressPool(["198.51.100.0/24"]);
const ready = (name: string, status = "True") => node(name, { status: { conditions: [{ type: "Ready", status }] } });
const names = ["n1", "n2", "n3", "n4"];
const all = names.map((name) => ready(name));
const web = service("web");
const local = { ...web, spec: { ...web.spec, externalTrafficPolicy: "Local" } } as Service;
const of = (ip: string, nodes = all, { who = web, slices = [] as never[] } = {}) =>
  announcerOf(who, [ip], { nodes, slices, pool });

test("F1 an address stays with its node, nodes share addresses, one that goes moves only its own", (t) => {
  const ips = Array.from({ length: 200 }, (_, i) => `198.51.100.${i + 1}`);
  const before = new Map(ips.map((ip) => [ip, of(ip)]));
  for (const name of names) {
    const share = ips.filter((ip) => before.get(ip) === name).length;
    t.ok(share > 25 && share < 75, `${name} has ${share} of 200`);
  }
  const without = [ready("n1", "False"), ...all.slice(1)];
  for (const ip of ips) {
    const now = of(ip, without);
    if (before.get(ip) === "n1") t.not(now, "n1");
    else t.equal(now, before.get(ip));
  }
  t.end();
});

test("F1 nobody announces where nobody can, or need", (t) => {
  t.equal(of("198.51.100.1", [ready("n1", "False")]), undefined);
  t.equal(announcerOf(web, [], { nodes: all, slices: [], pool }), undefined);
  t.equal(announcerOf(web, ["192.0.2.1"], { nodes: all, slices: [], pool: undefined }), undefined);
  const endpoints = [
    { addresses: ["10.0.0.1"], nodeName: "n3", conditions: { ready: true } },
    { addresses: ["10.0.0.2"], nodeName: "n2", conditions: { ready: false } },
  ];
  const slices = [object(endpointslices, "web-1", { endpoints } as object)] as never[];
  for (let i = 1; i < 20; i++)
    t.equal(of(`198.51.100.${i}`, all, { who: local, slices }), "n3", "Local: only where an endpoint is");
  t.end();
});
