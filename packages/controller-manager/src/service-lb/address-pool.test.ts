import { test } from "tap";
import { canonicalIp, parseAddressPool } from "./address-pool.js";

test("F1 a pool of addresses, ranges and CIDRs", (t) => {
  const pool = parseAddressPool([
    " 192.0.2.9",
    "192.0.2.20-192.0.2.22",
    "198.51.100.4/30",
    "2001:db8::10-2001:db8::11",
  ])!;
  const rows: [string, boolean][] = [
    ["192.0.2.9", true],
    ["192.0.2.10", false],
    ["192.0.2.20", true],
    ["192.0.2.22", true],
    ["192.0.2.23", false],
    ["198.51.100.3", false],
    ["198.51.100.4", true],
    ["198.51.100.7", true],
    ["198.51.100.8", false],
    ["2001:db8::10", true],
    ["2001:db8:0:0::11", true],
    ["2001:db8::12", false],
    ["::c000:209", false],
    ["nonsense", false],
  ];
  for (const [ip, expected] of rows) t.equal(pool.includes(ip), expected, ip);

  const taken = new Set<string>();
  const given: string[] = [];
  for (let ip = pool.free("IPv4", taken); ip; ip = pool.free("IPv4", taken)) {
    taken.add(ip);
    given.push(ip);
  }
  t.equal(given.length, 8);
  t.strictSame(given.slice(0, 3), ["192.0.2.9", "192.0.2.20", "192.0.2.21"]);
  t.equal(pool.free("IPv6", new Set(["2001:db8::10"])), "2001:db8::11");
  t.equal(parseAddressPool(["2001:db8::/32"])?.free("IPv6", new Set()), "2001:db8::", "no list is made of it");
  t.equal(parseAddressPool(["", " "]), undefined);
  t.equal(canonicalIp("2001:DB8:0:0:0::1"), "2001:db8::1");
  t.end();
});

test("words that are no addresses", (t) => {
  for (const bad of [
    "x",
    "192.0.2.1-",
    "-192.0.2.1",
    "192.0.2.1/33",
    "192.0.2.1-2001:db8::1",
    "1.1.1.1-1.1.1.2-1.1.1.3",
  ])
    t.throws(() => parseAddressPool([bad]), { name: "ConfigError", message: /"--load-balancer-addresses" flag/ }, bad);
  t.throws(() => parseAddressPool(["192.0.2.2-192.0.2.1"]), /must not end before it begins/);
  t.end();
});
