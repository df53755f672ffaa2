import { test } from "tap";
import { cidrContains, ipToNumber, isValidCIDR, isValidIP, numberToIPv4, parseCIDR } from "./ip.js";
import * as names from "./names.js";

test("messages are upstream's to the letter", (t) => {
  t.same(names.isDNS1123Label("A_b"), [
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  ]);
  t.same(names.isDNS1123Label("a.b"), ["must not contain dots"]);
  t.same(names.isDNS1123Label("a".repeat(64)), ["must be no more than 63 characters"]);
  t.same(names.isDNS1123Subdomain("Web"), [
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  ]);
  t.same(names.isDNS1035Label("1a"), [
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
  ]);
  t.same(names.isQualifiedName("a/b/c"), [
    "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
  ]);
  t.equal(names.isQualifiedName("").length, 2);
  t.same(names.isValidLabelValue("-"), [
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
  ]);
  t.same(names.isPathSegmentName("a/b%"), ["may not contain '/'", "may not contain '%'"]);
  t.same(names.isValidPortNum(0), ["must be between 1 and 65535, inclusive"]);
  t.same(names.isConfigMapKey("..x"), ["must not start with '..'"]);
  t.end();
});

test("good names pass", (t) => {
  const table: [(value: string) => string[], string[]][] = [
    [names.isDNS1123Label, ["a", "1", "a-b", "a".repeat(63)]],
    [names.isDNS1123Subdomain, ["a.b", "web-1", "1.2"]],
    [names.isDNS1035Label, ["a1", "kubernetes"]],
    [names.isQualifiedName, ["a", "A.b_c", "example.com/x"]],
    [names.isValidLabelValue, ["", "A", "a_b.c"]],
    [names.isPathSegmentName, ["system:masters", "A b"]],
    [names.isValidPortName, ["http", "p80", "a-b"]],
    [names.isEnvVarName, ["PATH", "a.b-c", "_"]],
    [names.isRelaxedEnvVarName, ["1 a", "a:b"]],
    [names.isConfigMapKey, ["ca.crt", ".dockerconfigjson"]],
    [names.isWildcardDNS1123Subdomain, ["*.example.com"]],
    [isValidIP, ["10.0.0.1", "::1"]],
    [isValidCIDR, ["10.0.0.0/8", "fd00::/64"]],
  ];
  for (const [check, values] of table) for (const value of values) t.same(check(value), [], `${check.name} ${value}`);
  t.end();
});

test("addresses and networks are numbers", (t) => {
  t.equal(ipToNumber("10.96.0.1"), 0x0a600001n);
  t.equal(numberToIPv4(0x0a600001n), "10.96.0.1");
  t.equal(ipToNumber("::ffff:1.2.3.4"), 0xffff01020304n);
  t.equal(ipToNumber("fd00::1"), (0xfd00n << 112n) + 1n);
  const cidr = parseCIDR("10.96.0.5/16")!;
  t.equal(cidr.base, 0x0a600000n);
  t.equal(cidr.size, 65536n);
  t.ok(cidrContains(cidr, "10.96.255.255"));
  t.notOk(cidrContains(cidr, "10.97.0.0"));
  t.notOk(cidrContains(cidr, "::1"));
  for (const bad of ["10.0.0.0", "10.0.0.0/33", "x/8", "10.0.0.0/08"]) t.equal(parseCIDR(bad), undefined, bad);
  t.end();
});
