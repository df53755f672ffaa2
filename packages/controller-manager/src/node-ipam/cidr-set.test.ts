import { test } from "tap";
import { CidrSet, parseCidr } from "./cidr-set.js";

test("parts are handed out in turn, and come round again only after release", (t) => {
  const set = new CidrSet({ cidr: "10.244.0.0/22", maskBits: 24 });
  t.equal(set.allocate(), "10.244.0.0/24");
  t.equal(set.allocate(), "10.244.1.0/24");
  set.release("10.244.0.0/24");
  t.equal(set.allocate(), "10.244.2.0/24", "not at once the one that was just freed");
  t.equal(set.allocate(), "10.244.3.0/24");
  t.equal(set.allocate(), "10.244.0.0/24");
  t.equal(set.allocate(), undefined);
  t.end();
});

test("what others use is left out", (t) => {
  const table: [occupied: string, first: string | undefined][] = [
    ["10.244.0.0/24", "10.244.1.0/24"],
    ["10.244.0.128/25", "10.244.1.0/24"],
    ["10.244.0.0/23", "10.244.2.0/24"],
    ["10.240.0.0/12", undefined],
    ["10.96.0.0/16", "10.244.0.0/24"],
    ["192.168.0.0/16", "10.244.0.0/24"],
  ];
  for (const [occupied, first] of table) {
    const set = new CidrSet({ cidr: "10.244.0.0/22", maskBits: 24 });
    set.occupy(occupied);
    t.equal(set.allocate(), first, occupied);
  }
  t.end();
});

test("bad ranges", (t) => {
  t.throws(() => new CidrSet({ cidr: "10.244.0.0/16", maskBits: 8 }), { message: /subnet mask size 8 is too big/ });
  for (const cidr of ["10.244.0.0", "10.244.0.256/24", "10.0.0.0/33", "fd00::/8", ""])
    t.throws(() => parseCidr(cidr), { message: `invalid CIDR address: ${cidr}` });
  t.strictSame(parseCidr("10.244.1.7/16"), parseCidr("10.244.0.0/16"));
  t.end();
});
