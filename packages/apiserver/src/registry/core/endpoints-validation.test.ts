// Tests of the validation of Endpoints by table.

import type { Endpoints } from "@picokube/api/core/v1";
import type { FieldError } from "@picokube/api/errors";
import { test } from "tap";
import { validateEndpoints } from "./endpoints-validation.js";

const words = (faults: readonly FieldError[]) => faults.map(({ field, message }) => `${field}: ${message}`);
const endpoints = (subset: object) => ({ metadata: { name: "a" }, subsets: [subset] }) as unknown as Endpoints;
const port = { port: 80, protocol: "TCP" };
const at = "subsets[0]";
const ipOf = (ip: string, objection: string) => [
  ip,
  { addresses: [{ ip }], ports: [port] },
  [`${at}.addresses[0].ip: Invalid value: "${ip}": ${objection}`],
];

const subsets = [
  ["good ones", { addresses: [{ ip: "10.0.0.1", hostname: "a", nodeName: "n.b" }], ports: [port] }, []],
  ["no ports", { notReadyAddresses: [{ ip: "2001:db8::1" }] }, []],
  ["no addresses", { ports: [port] }, [`${at}: Required value: must specify \`addresses\` or \`notReadyAddresses\``]],
  ipOf("a", "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"),
  ipOf("0.0.0.0", "may not be unspecified (0.0.0.0)"),
  ipOf("::1", "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
  ipOf("169.254.1.1", "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
  ipOf("224.0.0.1", "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"),
  ipOf("ff02::1", "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"),
  [
    "bad names",
    { addresses: [{ ip: "10.0.0.1", hostname: "a.b", nodeName: "A" }], ports: [{ ...port, appProtocol: "a/" }] },
    [
      `${at}.addresses[0].hostname: Invalid value: "a.b": must not contain dots`,
      `${at}.addresses[0].nodeName: Invalid value: "A": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
      `${at}.ports[0].appProtocol: Invalid value: "a/": name part must be non-empty`,
      `${at}.ports[0].appProtocol: Invalid value: "a/": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
    ],
  ],
  [
    "nameless ports, when there are several",
    { addresses: [{ ip: "10.0.0.1" }], ports: [port, { name: "b", port: 0, protocol: "ICMP" }] },
    [
      `${at}.ports[0].name: Required value`,
      `${at}.ports[1].port: Invalid value: 0: must be between 1 and 65535, inclusive`,
      `${at}.ports[1].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"`,
    ],
  ],
] as [string, object, string[]][];

test("endpoints", async (t) => {
  for (const [name, subset, expected] of subsets) t.same(words(validateEndpoints(endpoints(subset))), expected, name);
});
