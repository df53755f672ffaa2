import { test } from "tap";
import { nthIp, overlaps, parseCidr } from "./cidr.js";

test("addresses of a range", (t) => {
  t.equal(nthIp("10.96.0.0/16", 1, "--service-cidr"), "10.96.0.1");
  t.equal(nthIp("10.96.0.0/16", 10, "--service-cidr"), "10.96.0.10");
  t.equal(nthIp("10.96.255.0/24", 255, "--service-cidr"), "10.96.255.255");
  t.throws(() => nthIp("10.96.0.0/29", 10, "--service-cidr"), { message: /too small/ });
  t.end();
});

test("a bad range is refused by the flag's name", (t) => {
  for (const text of ["", "10.96.0.0", "10.96.0.0/33", "10.256.0.0/16", "fd00::/64"])
    t.throws(() => parseCidr(text, "--pod-cidr"), {
      message: `invalid argument "${text}" for "--pod-cidr": invalid CIDR address: ${text}`,
    });
  t.throws(() => parseCidr("10.96.0.1/16", "--pod-cidr"), { message: /host bits set; the range is 10\.96\.0\.0\/16/ });
  t.end();
});

test("overlap", (t) => {
  const cidr = (text: string) => parseCidr(text, "x");
  t.ok(overlaps(cidr("10.96.0.0/16"), cidr("10.96.4.0/24")));
  t.ok(overlaps(cidr("0.0.0.0/0"), cidr("10.96.4.0/24")));
  t.notOk(overlaps(cidr("10.96.0.0/16"), cidr("10.97.0.0/16")));
  t.end();
});
