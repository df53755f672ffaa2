// Tests of the validation of Ingresses and NetworkPolicies by table.

import type { FieldError } from "@picokube/api/errors";
import type { Ingress, NetworkPolicy } from "@picokube/api/networking/v1";
import { test } from "tap";
import { validateIngress, validateIngressStatus, validateIngressUpdate } from "./ingress-validation.js";
import { validateNetworkPolicy } from "./network-policy-validation.js";

const words = (faults: readonly FieldError[]) => faults.map(({ field, message }) => `${field}: ${message}`);
const backend = { service: { name: "a", port: { number: 80 } } };
const ingress = (spec: object | undefined, annotations = {}) =>
  ({ metadata: { name: "a", namespace: "default", annotations }, spec }) as unknown as Ingress;
const policy = (spec: object) => ({ metadata: { name: "a" }, spec }) as unknown as NetworkPolicy;
const path = (fields: object) => ({
  rules: [{ http: { paths: [{ path: "/", pathType: "Prefix", backend, ...fields }] } }],
});
const at = "spec.rules[0].http.paths[0]";

const specs: [string, object | undefined, string[]][] = [
  ["a default backend", { defaultBackend: backend }, []],
  ["a rule", path({}), []],
  ["a port by its name", path({ backend: { service: { name: "a", port: { name: "http" } } } }), []],
  [
    "a resource",
    { defaultBackend: { resource: { apiGroup: "example.com", kind: "Bucket", name: "a" } }, ingressClassName: "a" },
    [],
  ],
  [
    "neither rules nor a backend",
    {},
    ["spec: Invalid value: []networking.IngressRule(nil): either `defaultBackend` or `rules` must be specified"],
  ],
  [
    "empty rules",
    { rules: [] },
    ["spec: Invalid value: []networking.IngressRule{}: either `defaultBackend` or `rules` must be specified"],
  ],
  [
    "no kind of backend",
    { defaultBackend: {} },
    ['spec.defaultBackend: Invalid value: "": resource or service backend is required'],
  ],
  [
    "both kinds of backend",
    { defaultBackend: { ...backend, resource: { kind: "Bucket", name: "a" } } },
    ['spec.defaultBackend: Invalid value: "": cannot set both resource and service backends'],
  ],
  [
    "a resource of no kind",
    { defaultBackend: { resource: { kind: "", name: "a/b" } } },
    [
      "spec.defaultBackend.resource.kind: Required value: kind is required",
      `spec.defaultBackend.resource.name: Invalid value: "a/b": may not contain '/'`,
    ],
  ],
  [
    "no port",
    { defaultBackend: { service: { name: "a", port: {} } } },
    ["spec.defaultBackend: Required value: port name or number is required"],
  ],
  [
    "both ports",
    { defaultBackend: { service: { name: "", port: { name: "a", number: 1 } } } },
    [
      "spec.defaultBackend.service.name: Required value",
      'spec.defaultBackend: Invalid value: "": cannot set both port name & port number',
    ],
  ],
  ["no type of a path", path({ pathType: undefined }), [`${at}.pathType: Required value: pathType must be specified`]],
  [
    "another type of a path",
    path({ pathType: "Regex" }),
    [`${at}.pathType: Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"`],
  ],
  [
    "a path that goes up",
    path({ path: "a//../.." }),
    [
      `${at}.path: Invalid value: "a//../..": must be an absolute path`,
      `${at}.path: Invalid value: "a//../..": must not contain '//'`,
      `${at}.path: Invalid value: "a//../..": must not contain '/../'`,
      `${at}.path: Invalid value: "a//../..": cannot end with '/..'`,
    ],
  ],
  ["any path, by its controller", path({ path: "/a//b[", pathType: "ImplementationSpecific" }), []],
  ["no paths", { rules: [{ http: { paths: [] } }] }, ["spec.rules[0].http.paths: Required value"]],
  [
    "an address as host",
    { rules: [{ host: "10.0.0.1" }] },
    ['spec.rules[0].host: Invalid value: "10.0.0.1": must be a DNS name, not an IP address'],
  ],
  ["an address in a certificate", { defaultBackend: backend, tls: [{ hosts: ["10.0.0.1"] }] }, []],
];

test("ingresses", async (t) => {
  for (const [name, spec, expected] of specs) t.same(words(validateIngress(ingress(spec))), expected, name);
});

test("the class of an ingress, in its annotation of old and in its spec", async (t) => {
  const spec = { defaultBackend: backend, ingressClassName: "a" };
  const annotation = "kubernetes.io/ingress.class";
  t.same(validateIngress(ingress(spec, { [annotation]: "a" })), []);
  t.same(words(validateIngress(ingress(spec, { [annotation]: "b" }))), [
    `annotations.${annotation}: Invalid value: "b": must match \`ingressClassName\` when both are specified`,
  ]);
  t.same(validateIngressUpdate(ingress(spec, { [annotation]: "b" })), [], "may differ later");
});

test("the status of an ingress", async (t) => {
  const status = { loadBalancer: { ingress: [{ ip: "10.0.0.1" }, { ip: "a" }, { hostname: "10.0.0.2" }] } };
  t.same(words(validateIngressStatus({ ...ingress({}), status } as unknown as Ingress)), [
    'status.loadBalancer.ingress[1].ip: Invalid value: "a": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    'status.loadBalancer.ingress[2].hostname: Invalid value: "10.0.0.2": must be a DNS name, not an IP address',
  ]);
});

const port = "spec.ingress[0].ports[0]";
const peer = "spec.egress[0].to[0]";
const ports = (fields: object) => ({ podSelector: {}, ingress: [{ ports: [fields] }] });
const peers = (fields: object) => ({ podSelector: {}, egress: [{ to: [fields] }] });

const policies: [string, object, string[]][] = [
  ["none", { podSelector: {}, policyTypes: ["Ingress", "Egress"] }, []],
  ["a range of ports", ports({ protocol: "TCP", port: 1, endPort: 2 }), []],
  [
    "a range the wrong way",
    ports({ port: 3, endPort: 2 }),
    [`${port}.endPort: Invalid value: 3: must be greater than or equal to \`port\``],
  ],
  [
    "a range without a start",
    ports({ endPort: 70000 }),
    [`${port}.endPort: Invalid value: 70000: may not be specified when \`port\` is not specified`],
  ],
  [
    "a range from a name",
    ports({ port: "http", endPort: 2 }),
    [`${port}.endPort: Invalid value: 2: may not be specified when \`port\` is non-numeric`],
  ],
  [
    "no port",
    ports({ protocol: "ICMP", port: 0, endPort: 70000 }),
    [
      `${port}.protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"`,
      `${port}.port: Invalid value: 0: must be between 1 and 65535, inclusive`,
      `${port}.endPort: Invalid value: 70000: must be between 1 and 65535, inclusive`,
    ],
  ],
  ["a block", peers({ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] } }), []],
  ["no peer", peers({}), [`${peer}: Required value: must specify a peer`]],
  [
    "a block and a selector",
    peers({ podSelector: {}, ipBlock: { cidr: "" } }),
    [`${peer}.ipBlock.cidr: Required value`, `${peer}: Forbidden: may not specify both ipBlock and another peer`],
  ],
  [
    "no block",
    peers({ ipBlock: { cidr: "10.0.0.0/33", except: ["a"] } }),
    [
      `${peer}.ipBlock.cidr: Invalid value: "10.0.0.0/33": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)`,
    ],
  ],
  [
    "exceptions outside of the block",
    peers({ ipBlock: { cidr: "10.0.0.0/8", except: ["11.0.0.0/16", "10.0.0.0/8", "a"] } }),
    [
      `${peer}.ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of \`cidr\``,
      `${peer}.ipBlock.except[1]: Invalid value: "10.0.0.0/8": must be a strict subset of \`cidr\``,
      `${peer}.ipBlock.except[2]: Invalid value: "a": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)`,
    ],
  ],
  [
    "another type",
    { podSelector: {}, policyTypes: ["Both"] },
    ['spec.policyTypes[0]: Unsupported value: "Both": supported values: "Ingress", "Egress"'],
  ],
  [
    "three types",
    { podSelector: {}, policyTypes: ["Ingress", "Egress", "Ingress"] },
    [
      'spec.policyTypes: Invalid value: []networking.PolicyType{"Ingress", "Egress", "Ingress"}: may not specify more than two policyTypes',
    ],
  ],
];

test("network policies", async (t) => {
  for (const [name, spec, expected] of policies) t.same(words(validateNetworkPolicy(policy(spec))), expected, name);
});
