// The Pod Security Standards by table: every check in upstream's words, versions, labels, modes and exemptions.

import { deployments } from "@picokube/api/apps/v1";
import { namespaces, type Pod, pods } from "@picokube/api/core/v1";
import type { Resource } from "@picokube/api/resource";
import { test } from "tap";
import { type AttributeFields, attributesOf, podOf } from "../testing/admission-attributes.js";
import { plainStorage } from "../testing/plain-storage.js";
import { podSecurity } from "./pod-security.js";
import { readPodSecurityConfiguration } from "./pod-security-config.js";

const PREFIX = "pod-security.kubernetes.io/";
const labelled = (modes: { [mode: string]: string }) => ({
  metadata: {
    name: "dev",
    labels: Object.fromEntries(Object.entries(modes).map(([mode, value]) => [PREFIX + mode, value])),
  },
});

interface Answer {
  readonly refused: string;
  readonly warnings: readonly string[];
}

function ask(
  modes: { [mode: string]: string },
  object: object,
  {
    of: resource = pods as Resource,
    configuration,
    ...fields
  }: { of?: Resource; configuration?: object } & AttributeFields = {},
): Answer {
  const warnings: string[] = [];
  const plugin = podSecurity(
    plainStorage([namespaces as Resource, labelled(modes)]),
    readPodSecurityConfiguration(configuration),
  );
  try {
    plugin.validate!(attributesOf(resource, { object, warn: (text: string) => void warnings.push(text), ...fields }));
    return { refused: "", warnings };
  } catch (error) {
    return { refused: (error as Error).message, warnings };
  }
}

const securely = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };
const good = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
  containers: [{ name: "c", image: "i", securityContext: securely }],
};
/** A pod that is good but for this in its container. */
const withContext = (context: object, spec: object = {}) => ({
  ...good,
  containers: [{ name: "c", image: "i", securityContext: { ...securely, ...context } }],
  ...spec,
});

const checks: [level: string, spec: object, violation: string, annotations?: object][] = [
  ["privileged", { hostNetwork: true }, ""],
  ["baseline", {}, ""],
  ["restricted", good, ""],
  ["baseline", { hostNetwork: true, hostPID: true }, "host namespaces (hostNetwork=true, hostPID=true)"],
  [
    "baseline",
    withContext({ privileged: true }),
    'privileged (container "c" must not set securityContext.privileged=true)',
  ],
  [
    "baseline",
    withContext({ capabilities: { add: ["SYS_TIME", "CHOWN", "NET_ADMIN"] } }),
    'non-default capabilities (container "c" must not include "NET_ADMIN", "SYS_TIME" in securityContext.capabilities.add)',
  ],
  [
    "baseline",
    {
      volumes: [
        { name: "a", hostPath: { path: "/" } },
        { name: "b", hostPath: { path: "/" } },
      ],
    },
    'hostPath volumes (volumes "a", "b")',
  ],
  [
    "baseline",
    {
      containers: [
        { name: "c", ports: [{ hostPort: 9000 }, { hostPort: 10080 }] },
        { name: "d", ports: [{ hostPort: 80 }] },
      ],
    },
    'hostPort (containers "c", "d" use hostPorts 10080, 80, 9000)',
  ],
  [
    "baseline",
    withContext(
      { seLinuxOptions: { type: "spc_t", user: "u" } },
      { securityContext: { seLinuxOptions: { role: "r" } } },
    ),
    'seLinuxOptions (pod and container "c" set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set; role may not be set)',
  ],
  [
    "baseline",
    withContext({ procMount: "Unmasked" }),
    'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
  ],
  [
    "baseline",
    { securityContext: { seccompProfile: { type: "Unconfined" } } },
    'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
  ],
  [
    "baseline",
    { securityContext: { sysctls: [{ name: "kernel.msgmax" }, { name: "net.ipv4.tcp_rmem" }, { name: "a.b" }] } },
    "forbidden sysctls (kernel.msgmax, a.b)",
  ],
  [
    "baseline",
    withContext({ appArmorProfile: { type: "Unconfined" } }),
    'forbidden AppArmor profile (container "c" must not set AppArmor profile type to "Unconfined")',
  ],
  [
    "baseline",
    {},
    'forbidden AppArmor profile (annotation must not set AppArmor profile type to "container.apparmor.security.beta.kubernetes.io/c=\\"unconfined\\"")',
    { "container.apparmor.security.beta.kubernetes.io/c": "unconfined" },
  ],
  [
    "baseline",
    withContext({ windowsOptions: { hostProcess: true } }),
    'hostProcess (container "c" must not set securityContext.windowsOptions.hostProcess=true)',
  ],
  [
    "restricted",
    {},
    'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  ],
  [
    "restricted",
    withContext(
      { privileged: true, allowPrivilegeEscalation: true },
      { hostNetwork: true, volumes: [{ name: "a", hostPath: { path: "/" } }] },
    ),
    'host namespaces (hostNetwork=true), privileged (container "c" must not set securityContext.privileged=true), allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), restricted volume types (volume "a" uses restricted volume type "hostPath")',
  ],
  [
    "restricted",
    withContext({ capabilities: { add: ["CHOWN", "NET_BIND_SERVICE"] } }),
    'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]; container "c" must not include "CHOWN" in securityContext.capabilities.add)',
  ],
  [
    "restricted",
    withContext({ runAsNonRoot: false, runAsUser: 0 }),
    'runAsNonRoot != true (container "c" must not set securityContext.runAsNonRoot=false), runAsUser=0 (container "c" must not set runAsUser=0)',
  ],
  [
    "restricted",
    withContext({ seccompProfile: { type: "Unconfined" } }),
    'seccompProfile (container "c" must not set securityContext.seccompProfile.type to "Unconfined")',
  ],
  [
    "restricted",
    {
      ...good,
      volumes: [
        { name: "e", emptyDir: {} },
        { name: "p", projected: {} },
      ],
    },
    "",
  ],
  ["restricted", { securityContext: { runAsNonRoot: true }, os: { name: "windows" } }, ""],
];

test("every check in upstream's words and order", async (t) => {
  for (const [level, spec, violation, annotations = {}] of checks) {
    const words = `pods "web" is forbidden: violates PodSecurity "${level}:latest": ${violation}`;
    const { refused } = ask({ enforce: level }, podOf(spec, { annotations }));
    t.equal(refused, violation === "" ? "" : words, violation || JSON.stringify(spec).slice(0, 60));
  }
});

test("a version is judged by what it knew", async (t) => {
  const judged = (version: string, spec: object, annotations: object = {}) =>
    ask({ enforce: "restricted", "enforce-version": version }, podOf(spec, { annotations })).refused.replace(
      /^pods "web" is forbidden: violates PodSecurity "restricted:v1\.\d+": /,
      "",
    );
  const unconfined = { "seccomp.security.alpha.kubernetes.io/pod": "unconfined" };
  t.equal(judged("v1.0", {}), 'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)');
  t.match(judged("v1.8", {}), /^allowPrivilegeEscalation != false/);
  t.notMatch(judged("v1.18", {}), /seccompProfile/);
  t.match(judged("v1.18", {}, unconfined), /seccompProfile \(forbidden annotation .*pod="unconfined"\)/);
  t.match(judged("v1.19", {}, unconfined), /seccompProfile \(pod or container "c" must set/);
  t.notMatch(judged("v1.21", {}), /capabilities/);
  t.match(judged("v1.22", {}), /unrestricted capabilities/);
  t.equal(judged("v1.22", withContext({ runAsUser: 0 })), "");
  t.match(judged("v1.23", withContext({ runAsUser: 0 })), /^runAsUser=0/);
  const tcp = {
    ...good,
    securityContext: { ...good.securityContext, sysctls: [{ name: "net.ipv4.tcp_fin_timeout" }] },
  };
  t.equal(judged("v1.28", tcp), "forbidden sysctls (net.ipv4.tcp_fin_timeout)");
  t.equal(judged("v1.29", tcp), "");
  t.equal(judged("v1.99", good), "", "a version of the future is the newest known");
});

test("warn warns, and templates are warned about by what is enforced on pods", async (t) => {
  const deployment = { metadata: { name: "d" }, spec: { template: { spec: podOf().spec } } };
  const template = { of: deployments as Resource };
  const words = (level: string) =>
    new RegExp(`^would violate PodSecurity "${level}": allowPrivilegeEscalation != false`);
  t.match(ask({ warn: "restricted" }, podOf()), { refused: "", warnings: [words("restricted:latest")] });
  t.match(ask({ enforce: "restricted" }, deployment, template), {
    refused: "",
    warnings: [words("restricted:latest")],
  });
  t.match(ask({ enforce: "restricted", "enforce-version": "v1.22" }, deployment, template).warnings, [
    words("restricted:v1.22"),
  ]);
  t.same(ask({ enforce: "restricted", warn: "privileged" }, deployment, template).warnings, []);
  t.same(ask({ audit: "restricted" }, podOf()), { refused: "", warnings: [] });
  t.same(ask({ enforce: "restricted" }, podOf()).warnings, [], "what is refused is not warned about too");
});

test("only what changes a pod's security is judged again", async (t) => {
  const old = podOf() as Pod;
  const update = { operation: "UPDATE" as const, oldObject: old };
  t.equal(ask({ enforce: "restricted" }, podOf({}, { labels: { a: "b" } }), update).refused, "");
  t.match(
    ask({ enforce: "restricted" }, podOf({ containers: [{ name: "c", image: "other" }] }), update).refused,
    /violates/,
  );
  t.equal(ask({ enforce: "restricted" }, podOf(), { subresource: "status" }).refused, "");
  const debugged = podOf({ ephemeralContainers: [{ name: "e", securityContext: { privileged: true } }] });
  t.match(
    ask({ enforce: "baseline" }, debugged, { ...update, subresource: "ephemeralcontainers" }).refused,
    /privileged \(container "e" must not/,
  );
});

test("defaults and exemptions of the configuration", async (t) => {
  const configuration = {
    apiVersion: "pod-security.admission.config.k8s.io/v1",
    kind: "PodSecurityConfiguration",
    defaults: { enforce: "baseline", "enforce-version": "v1.30" },
    exemptions: { usernames: ["root"], namespaces: ["free"], runtimeClasses: ["sandboxed"] },
  };
  const bad = podOf({ hostPID: true });
  t.match(ask({}, bad, { configuration }).refused, /"baseline:v1.30": host namespaces \(hostPID=true\)/);
  t.equal(ask({ enforce: "privileged" }, bad, { configuration }).refused, "");
  t.equal(ask({}, bad, { configuration, user: { name: "root", groups: [] } }).refused, "");
  t.equal(ask({}, bad, { configuration, namespace: "free" }).refused, "");
  t.equal(ask({}, podOf({ hostPID: true, runtimeClassName: "sandboxed" }), { configuration }).refused, "");
  t.throws(() => ask({}, bad, { configuration: { ...configuration, defaults: { warn: "strict" } } }), {
    message: 'defaults.warn: Invalid value: "strict": must be one of privileged, baseline, restricted',
  });
  t.throws(() => ask({}, bad, { configuration: { kind: "Other" } }), /no kind "Other" is registered/);
});

test("a namespace's labels are checked, and a stricter level tells whom it would have refused", async (t) => {
  const change = (modes: { [mode: string]: string }, before?: { [mode: string]: string }) => {
    const warnings: string[] = [];
    const storage = plainStorage([
      pods as Resource,
      podOf({}, { name: "b" }),
      podOf({}, { name: "a" }),
      podOf({ hostNetwork: true }, { name: "net" }),
      podOf(good, { name: "good" }),
    ]);
    const object = labelled(modes);
    const update = before ? { operation: "UPDATE" as const, oldObject: labelled(before) } : {};
    const warn = (text: string) => void warnings.push(text);
    try {
      podSecurity(storage).validate!(attributesOf(namespaces as Resource, { object, name: "dev", warn, ...update }));
      return warnings;
    } catch (error) {
      return (error as Error).message;
    }
  };
  t.equal(
    change({ enforce: "strict" }),
    'Namespace "dev" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted',
  );
  t.equal(
    change({ "warn-version": "1.2" }),
    'Namespace "dev" is invalid: metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "1.2": must be "latest" or "v1.x"',
  );
  t.same(change({ enforce: "strict" }, { enforce: "strict" }), [], "a fault that was there may stay");
  const reasons = "allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile";
  t.same(change({ enforce: "restricted" }, {}), [
    'existing pods in namespace "dev" violate the new PodSecurity enforce level "restricted:latest"',
    `a (and 1 other pod): ${reasons}`,
    `net: host namespaces, ${reasons}`,
  ]);
  t.same(change({ enforce: "baseline" }, { enforce: "restricted" }), [], "laxer");
  t.same(change({ warn: "restricted" }, {}), []);
});
