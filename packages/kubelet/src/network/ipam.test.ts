// Address arithmetic and leases.

import { readdirSync } from "node:fs";
import { test } from "tap";
import { createIpam } from "./ipam.js";
import { firstAddress, formatIpv4, macOf, parseCidr, parseIpv4 } from "./ipv4.js";

test("IPv4 arithmetic", async (t) => {
  t.equal(formatIpv4(parseIpv4("255.255.255.254")), "255.255.255.254");
  t.same(parseCidr("10.244.3.7/24"), { base: parseIpv4("10.244.3.0"), prefix: 24 });
  t.equal(firstAddress(parseCidr("192.168.0.0/16")), "192.168.0.1");
  t.equal(macOf("10.244.0.5"), "0a:58:0a:f4:00:05");
  for (const bad of ["10.0.0", "10.0.0.256", "a.b.c.d"]) t.throws(() => parseIpv4(bad), /invalid IPv4/);
  for (const bad of ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/x"]) t.throws(() => parseCidr(bad), /invalid CIDR/);
});

test("leases", async (t) => {
  const directory = t.testdir();
  const ipam = createIpam({ cidr: "10.0.0.0/29", directory });
  t.equal(ipam.allocate("a"), "10.0.0.2");
  t.equal(ipam.allocate("b"), "10.0.0.3");
  t.equal(ipam.allocate("a"), "10.0.0.2", "the owner keeps its address");
  ipam.release("a");
  t.equal(ipam.allocate("c"), "10.0.0.4", "a freed address is not reused at once");

  const reopened = createIpam({ cidr: "10.0.0.0/29", directory });
  t.equal(reopened.addressOf("b"), "10.0.0.3", "survives a restart");
  t.same(reopened.owners().sort(), ["b", "c"]);
  t.equal(reopened.allocate("d"), "10.0.0.5");
  t.equal(reopened.allocate("e"), "10.0.0.6");
  t.equal(reopened.allocate("f"), "10.0.0.2", "wraps around");
  t.throws(() => reopened.allocate("g"), /no IP addresses available in range set: 10\.0\.0\.0\/29/);
  for (const owner of reopened.owners()) reopened.release(owner);
  t.same(readdirSync(directory), ["last_reserved_ip"]);
});

test("leases that a kubelet died writing do not stop the next one", async (t) => {
  const directory = t.testdir({
    "10.0.0.2": "a/0\n",
    "10.0.0.3": "",
    "10.0.0.4.new": "b",
    last_reserved_ip: "",
  });
  const ipam = createIpam({ cidr: "10.0.0.0/24", directory });
  t.same(ipam.owners(), ["a/0"]);
  t.equal(ipam.allocate("c/0"), "10.0.0.3");
  t.same(readdirSync(directory).sort(), ["10.0.0.2", "10.0.0.3", "last_reserved_ip"]);
  t.equal(createIpam({ cidr: "10.0.0.0/24", directory }).addressOf("c/0"), "10.0.0.3");
});
