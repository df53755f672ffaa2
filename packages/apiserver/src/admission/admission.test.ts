// Table tests of the plugins over plain objects.

import { limitranges, namespaces, nodes, pods, serviceaccounts } from "@picokube/api/core/v1";
import type { Resource } from "@picokube/api/resource";
import { priorityclasses } from "@picokube/api/scheduling/v1";
import { test } from "tap";
import { attributesOf, podOf } from "../testing/admission-attributes.js";
import { plainStorage } from "../testing/plain-storage.js";
import { createAdmission } from "./create-admission.js";
import { defaultTolerationSeconds } from "./default-toleration-seconds.js";
import { limitRanger } from "./limit-ranger.js";
import { namespaceLifecycle } from "./namespace-lifecycle.js";
import { isRestrictedNodeLabel } from "./node-labels.js";
import { nodeRestriction } from "./node-restriction.js";
import { priority } from "./priority.js";
import { serviceAccount } from "./service-account.js";

const ns = (name: string, fields: object = {}) => ({ metadata: { name }, ...fields });

test("NamespaceLifecycle", (t) => {
  const plugin = namespaceLifecycle(
    plainStorage([namespaces as Resource, ns("dev"), ns("old", { status: { phase: "Terminating" } })]),
  );
  const admit = (resource: Resource, fields: object) => () => plugin.admit!(attributesOf(resource, fields));
  t.doesNotThrow(admit(pods as Resource, { object: podOf() }));
  t.throws(admit(pods as Resource, { object: podOf(), namespace: "none" }), {
    code: 404,
    message: 'namespaces "none" not found',
  });
  t.throws(admit(pods as Resource, { object: podOf(), namespace: "old" }), {
    code: 403,
    message: 'pods "web" is forbidden: unable to create new content in namespace old because it is being terminated',
    details: {
      causes: [
        { reason: "NamespaceTerminating", message: "namespace old is being terminated", field: "metadata.namespace" },
      ],
    },
  });
  t.doesNotThrow(admit(pods as Resource, { object: podOf(), namespace: "old", operation: "UPDATE" }));
  t.throws(admit(namespaces as Resource, { operation: "DELETE", name: "kube-system" }), {
    code: 403,
    message: 'namespaces "kube-system" is forbidden: this namespace may not be deleted',
  });
  t.doesNotThrow(admit(namespaces as Resource, { operation: "DELETE", name: "dev" }));
  t.end();
});

test("ServiceAccount", async (t) => {
  const plugin = serviceAccount(
    plainStorage([
      serviceaccounts as Resource,
      { metadata: { name: "default", namespace: "dev" }, imagePullSecrets: [{ name: "pull" }] },
      { metadata: { name: "bare", namespace: "dev" }, automountServiceAccountToken: false },
    ]),
  );
  const plain = podOf({ initContainers: [{ name: "i", image: "x" }] });
  await plugin.admit!(attributesOf(pods as Resource, { object: plain }));
  t.equal(plain.spec?.serviceAccountName, "default");
  t.same(plain.spec?.imagePullSecrets, [{ name: "pull" }]);
  const [volume] = plain.spec?.volumes ?? [];
  t.match(volume?.name, /^kube-api-access-[a-z0-9]{5}$/);
  t.same(
    volume?.projected?.sources?.map((source) => Object.keys(source)[0]),
    ["serviceAccountToken", "configMap", "downwardAPI"],
  );
  for (const container of [...plain.spec!.containers, ...plain.spec!.initContainers!]) {
    t.same(container.volumeMounts, [
      { name: volume?.name, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount", readOnly: true },
    ]);
  }
  for (const spec of [{ serviceAccountName: "bare" }, { automountServiceAccountToken: false }]) {
    const quiet = podOf(spec);
    await plugin.admit!(attributesOf(pods as Resource, { object: quiet }));
    t.equal(quiet.spec?.volumes, undefined);
  }
  await t.rejects(
    plugin.admit!(attributesOf(pods as Resource, { object: podOf({ serviceAccountName: "none" }) })) as Promise<void>,
    {
      code: 403,
      message: 'pods "web" is forbidden: error looking up service account dev/none: serviceaccount "none" not found',
    },
  );
});

test("DefaultTolerationSeconds", (t) => {
  const plugin = defaultTolerationSeconds();
  const tolerations = (given?: object[]) => {
    const object = podOf(given ? { tolerations: given } : {});
    plugin.admit!(attributesOf(pods as Resource, { object }));
    return object.spec?.tolerations?.map(({ key }) => key);
  };
  t.same(tolerations(), ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]);
  t.same(tolerations([{ operator: "Exists" }]), [undefined]);
  t.same(tolerations([{ key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute" }]), [
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
  ]);
  t.end();
});

test("Priority", (t) => {
  const high = { metadata: { name: "high" }, value: 100, preemptionPolicy: "Never" };
  const usual = { metadata: { name: "usual" }, value: 5, globalDefault: true };
  const without = priority(plainStorage([priorityclasses as Resource, high]));
  const withDefault = priority(plainStorage([priorityclasses as Resource, high, usual]));
  const admitted = (plugin: typeof without, spec: object) => {
    const object = podOf(spec);
    plugin.admit!(attributesOf(pods as Resource, { object }));
    return [object.spec?.priorityClassName, object.spec?.priority, object.spec?.preemptionPolicy];
  };
  t.same(admitted(without, {}), [undefined, 0, "PreemptLowerPriority"]);
  t.same(admitted(withDefault, {}), ["usual", 5, "PreemptLowerPriority"]);
  t.same(admitted(without, { priorityClassName: "high" }), ["high", 100, "Never"]);
  t.throws(() => admitted(without, { priorityClassName: "none" }), {
    message: 'pods "web" is forbidden: no PriorityClass with name none was found',
  });
  t.throws(
    () => admitted(without, { priorityClassName: "high", priority: 7 }),
    /integer value of priority \(7\) must not be provided/,
  );
  t.end();
});

test("NodeRestriction", (t) => {
  const plugin = nodeRestriction(
    plainStorage(
      [nodes as Resource, { metadata: { name: "n1", uid: "node-1" } }],
      [pods as Resource, podOf({ nodeName: "n1" }), podOf({ nodeName: "n2" }, { name: "far" })],
    ),
  );
  const user = { name: "system:node:n1", groups: ["system:nodes"] };
  const admit = (resource: Resource, fields: object) => () =>
    plugin.admit!(attributesOf(resource, { user, ...fields }));
  const mirror = { annotations: { "kubernetes.io/config.mirror": "x" } };
  const cases: [resource: Resource, fields: object, refused: RegExp | undefined][] = [
    [pods as Resource, { object: podOf({ nodeName: "n1" }) }, /can only create mirror pods/],
    [pods as Resource, { object: podOf({ nodeName: "n1" }, mirror) }, undefined],
    [pods as Resource, { object: podOf({ nodeName: "n2" }, mirror) }, /spec\.nodeName set to itself/],
    [
      pods as Resource,
      { object: podOf({ nodeName: "n1", volumes: [{ name: "s", secret: { secretName: "x" } }] }, mirror) },
      /reference secrets/,
    ],
    [pods as Resource, { operation: "DELETE", name: "web" }, undefined],
    [pods as Resource, { operation: "DELETE", name: "far" }, /can only delete pods with spec\.nodeName set to itself/],
    [nodes as Resource, { object: { metadata: { name: "n1" } } }, undefined],
    [nodes as Resource, { object: { metadata: { name: "n2" } } }, /node "n1" is not allowed to modify node "n2"/],
    [
      nodes as Resource,
      { object: { metadata: { name: "n1", labels: { "node-role.kubernetes.io/control-plane": "" } } } },
      /not allowed to set the following labels: node-role\.kubernetes\.io\/control-plane/,
    ],
    [
      nodes as Resource,
      {
        operation: "UPDATE",
        object: { metadata: { name: "n1" }, spec: {} },
        oldObject: { metadata: { name: "n1" }, spec: { taints: [{ key: "a" }] } },
      },
      /not allowed to modify taints/,
    ],
    [serviceaccounts as Resource, { subresource: "token", object: { spec: {} } }, /not bound to a pod/],
    [
      serviceaccounts as Resource,
      {
        subresource: "token",
        object: { spec: { boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "web", uid: "uid-web" } } },
      },
      undefined,
    ],
    [
      serviceaccounts as Resource,
      {
        subresource: "token",
        object: { spec: { boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "far", uid: "uid-far" } } },
      },
      /scheduled on a different node/,
    ],
  ];
  for (const [resource, fields, refused] of cases) {
    if (refused) t.throws(admit(resource, fields), { code: 403, message: refused }, String(refused));
    else t.doesNotThrow(admit(resource, fields), JSON.stringify(fields).slice(0, 80));
  }
  t.doesNotThrow(
    () => plugin.admit!(attributesOf(pods as Resource, { object: podOf() })),
    "others are not its business",
  );
  t.end();
});

test("labels that a kubelet may not set", (t) => {
  const table: [string, boolean][] = [
    ["example.com/zone", false],
    ["tier", false],
    ["kubernetes.io/hostname", false],
    ["node.kubernetes.io/anything", false],
    ["node-role.kubernetes.io/master", true],
    ["foo.kubernetes.io/bar", true],
    ["node-restriction.kubernetes.io/x", true],
    ["x.node-restriction.kubernetes.io/x", true],
  ];
  for (const [label, restricted] of table) t.equal(isRestrictedNodeLabel(label), restricted, label);
  t.end();
});

test("LimitRanger", async (t) => {
  const range = {
    metadata: { name: "r", namespace: "dev" },
    spec: {
      limits: [
        {
          type: "Container",
          default: { cpu: "500m" },
          defaultRequest: { cpu: "100m" },
          max: { cpu: "1" },
          min: { cpu: "50m" },
        },
        { type: "Pod", max: { cpu: "2" } },
      ],
    },
  };
  const plugin = limitRanger(plainStorage([limitranges as Resource, range]));
  const run = async (resources?: object) => {
    const object = podOf({ containers: [{ name: "c", image: "i", ...(resources ? { resources } : {}) }] });
    await plugin.admit!(attributesOf(pods as Resource, { object }));
    await plugin.validate!(attributesOf(pods as Resource, { object }));
    return object;
  };
  const defaulted = await run();
  t.same(defaulted.spec?.containers[0]?.resources, { limits: { cpu: "500m" }, requests: { cpu: "100m" } });
  t.equal(
    defaulted.metadata.annotations?.["kubernetes.io/limit-ranger"],
    "LimitRanger plugin set: cpu request for container c; cpu limit for container c",
  );
  await t.rejects(run({ limits: { cpu: "3" }, requests: { cpu: "1" } }), {
    message:
      'pods "web" is forbidden: [maximum cpu usage per Container is 1, but limit is 3, maximum cpu usage per Pod is 2, but limit is 3]',
  });
  await t.rejects(run({ limits: { cpu: "1" }, requests: { cpu: "10m" } }), {
    message: 'pods "web" is forbidden: minimum cpu usage per Container is 50m, but request is 10m',
  });
});

test("which plugins run", (t) => {
  const authorizer = {
    name: "",
    authorize: () => ({ decision: "Allow" as const, reason: "" }),
    rulesFor: () => ({ resourceRules: [], nonResourceRules: [] }),
  };
  const made = (enableAdmissionPlugins: string[], disableAdmissionPlugins: string[]) =>
    createAdmission({ enableAdmissionPlugins, disableAdmissionPlugins, authorizer }, plainStorage()).plugins;
  t.equal(made([], [])[0], "NamespaceLifecycle");
  t.notOk(made([], ["PodSecurity"]).includes("PodSecurity"));
  t.ok(made([], []).includes("StorageObjectInUseProtection"));
  for (const name of ["OwnerReferencesPermissionEnforcement", "PodNodeSelector", "ExtendedResourceToleration"]) {
    t.notOk(made([], []).includes(name), `${name} is off by default`);
    t.ok(made([name], []).includes(name));
  }
  t.equal(made([], []).at(-1), "ResourceQuota", "it charges for what every other plugin has let through");
  t.throws(() => made(["Nonsense"], []), { message: 'enable-admission-plugins plugin "Nonsense" is unknown' });
  t.throws(() => made(["Priority"], ["Priority"]), /overlapped/);
  t.end();
});
