// Tests of the validation of new pods by table: the words that kubectl's users know.

import { test } from "tap";
import { validatePod } from "./pod-validation.js";
import { annotated, container, one, pod, words } from "./pod-validation.testing.js";

const cases: [string, unknown, string[]][] = [
  ["a plain pod", one({}), []],
  ["no containers", {}, ["spec.containers: Required value"]],
  ["no image", one({ image: undefined }), ["spec.containers[0].image: Required value"]],
  [
    "a bad name",
    one({ name: "Web" }),
    [
      'spec.containers[0].name: Invalid value: "Web": a lowercase RFC 1123 label must consist of lower case alphanumeric ' +
        "characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex " +
        "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    ],
  ],
  ["two of one name", { containers: [container, container] }, ['spec.containers[1].name: Duplicate value: "web"']],
  [
    "a mount of nothing",
    one({ volumeMounts: [{ name: "data", mountPath: "/d" }] }),
    ['spec.containers[0].volumeMounts[0].name: Not found: "data"'],
  ],
  [
    "a port out of range",
    one({ ports: [{ containerPort: 70000 }] }),
    ["spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive"],
  ],
  [
    "an unknown protocol",
    one({ ports: [{ containerPort: 80, protocol: "HTTP" }] }),
    ['spec.containers[0].ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"'],
  ],
  [
    "a request above its limit",
    one({ resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } }),
    ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
  ],
  [
    "a probe without a handler",
    one({ livenessProbe: {} }),
    ["spec.containers[0].livenessProbe: Required value: must specify a handler type"],
  ],
  [
    "a liveness probe that must succeed twice",
    one({ livenessProbe: { tcpSocket: { port: 80 }, successThreshold: 2 } }),
    ["spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"],
  ],
  [
    "a variable of two minds",
    one({ env: [{ name: "A", value: "b", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] }),
    ['spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'],
  ],
  [
    "an unknown field of the pod",
    one({ env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "spec.foo" } } }] }),
    [
      'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.foo": ' +
        "error converting fieldPath: field label not supported: spec.foo",
    ],
  ],
  [
    "an unknown restart policy",
    { ...one({}), restartPolicy: "Sometimes" },
    ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
  ],
  [
    "two volume types in one",
    { ...one({}), volumes: [{ name: "v", emptyDir: {}, hostPath: { path: "/x" } }] },
    ["spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"],
  ],
  [
    "a probe on an init container",
    { ...one({}), initContainers: [{ name: "i", image: "b", readinessProbe: { tcpSocket: { port: 1 } } }] },
    [
      "spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
    ],
  ],
  [
    "a toleration of every key that equals",
    { ...one({}), tolerations: [{ operator: "Equal" }] },
    [
      'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means ' +
        '"match all values and all keys"',
    ],
  ],
  [
    "a mount of a volume that is not valid itself",
    {
      ...one({ volumeMounts: [{ name: "v", mountPath: "/v" }] }),
      volumes: [{ name: "v", nfs: { server: "s", path: "p" } }],
    },
    [
      'spec.volumes[0].nfs.path: Invalid value: "p": must be an absolute path',
      'spec.containers[0].volumeMounts[0].name: Not found: "v"',
    ],
  ],
  [
    "files out of their volume",
    {
      ...one({}),
      volumes: [
        { name: "a", secret: { secretName: "s", items: [{ key: "k", path: "../x" }] } },
        { name: "b", configMap: { name: "c", defaultMode: 512, items: [{ key: "", path: "..x" }] } },
        { name: "c", downwardAPI: { items: [{ path: "/x" }] } },
      ],
    },
    [
      "spec.volumes[0].secret.items[0].path: Invalid value: \"../x\": must not contain '..'",
      "spec.volumes[1].configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive",
      "spec.volumes[1].configMap.items[0].key: Required value",
      "spec.volumes[1].configMap.items[0].path: Invalid value: \"..x\": must not start with '..'",
      'spec.volumes[2].downwardAPI.path: Invalid value: "/x": must be a relative path',
      "spec.volumes[2].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required",
    ],
  ],
  [
    "a projected volume in conflict with itself",
    {
      ...one({}),
      serviceAccountName: "a",
      volumes: [
        {
          name: "p",
          projected: {
            sources: [
              { secret: { name: "s", items: [{ key: "k", path: "x" }] } },
              { configMap: { name: "c", items: [{ key: "k", path: "x" }] }, secret: { name: "t" } },
              { serviceAccountToken: { path: "", expirationSeconds: 5 } },
            ],
          },
        },
      ],
    },
    [
      'spec.volumes[0].projected: Invalid value: "c": conflicting duplicate paths',
      "spec.volumes[0].projected.sources[1]: Forbidden: may not specify more than 1 volume type per source",
      "spec.volumes[0].projected.sources[2].serviceAccountToken.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes",
      "spec.volumes[0].projected.path: Required value",
    ],
  ],
  [
    "a token without a service account",
    { ...one({}), volumes: [{ name: "p", projected: { sources: [{ serviceAccountToken: { path: "t" } }] } }] },
    [
      "spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set",
    ],
  ],
  [
    "volumes of drivers and clouds",
    {
      ...one({}),
      volumes: [
        { name: "a", csi: { driver: "A_b" } },
        { name: "b", iscsi: { targetPortal: "", iqn: "iqn.x", lun: 256 } },
        { name: "c", fc: { targetWWNs: ["x"] } },
        { name: "d", flexVolume: { driver: "d", options: { "x.kubernetes.io/y": "z" } } },
        { name: "e", ephemeral: {} },
        { name: "f", gcePersistentDisk: { pdName: "", partition: 300 } },
      ],
    },
    [
      "spec.volumes[0].csi.driver: Invalid value: \"A_b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      "spec.volumes[1].iscsi.targetPortal: Required value",
      'spec.volumes[1].iscsi.iqn: Invalid value: "iqn.x": must be valid format',
      "spec.volumes[1].iscsi.lun: Invalid value: 256: must be between 0 and 255, inclusive",
      "spec.volumes[2].fc.lun: Required value: lun is required if targetWWNs is specified",
      'spec.volumes[3].flexVolume.options[x.kubernetes.io/y]: Invalid value: "x.kubernetes.io/y": kubernetes.io and k8s.io namespaces are reserved',
      "spec.volumes[4].ephemeral.volumeClaimTemplate: Required value",
      "spec.volumes[5].persistentDisk.pdName: Required value",
      "spec.volumes[5].persistentDisk.partition: Invalid value: 300: must be between 1 and 255, inclusive",
    ],
  ],
  [
    "mounts and devices in each other's way",
    {
      ...one({
        volumeMounts: [
          { name: "v", mountPath: "/a", subPath: "../b", mountPropagation: "Bidirectional" },
          { name: "v", mountPath: "/a", recursiveReadOnly: "Enabled" },
        ],
        volumeDevices: [{ name: "v", devicePath: "/dev/../x" }],
      }),
      volumes: [{ name: "v", emptyDir: {} }],
    },
    [
      'spec.containers[0].volumeMounts[0].name: Invalid value: "v": must not already exist in volumeDevices',
      "spec.containers[0].volumeMounts.subPath: Invalid value: \"../b\": must not contain '..'",
      "spec.containers[0].volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers",
      'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique',
      'spec.containers[0].volumeMounts[1].name: Invalid value: "v": must not already exist in volumeDevices',
      "spec.containers[0].volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true",
      'spec.containers[0].volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
      `spec.containers[0].volumeDevices[0].devicePath: Invalid value: "/dev/../x": can not contain backsteps ('..')`,
      'spec.containers[0].volumeDevices[0].name: Invalid value: "v": must not already exist in volumeMounts',
    ],
  ],
  [
    "amounts that no container can have",
    one({
      resources: {
        limits: { pods: "1", "nvidia.com/gpu": "1500m", "hugepages-2Mi": "3Mi" },
        requests: { "example.com/a": "1", cpu: "-1" },
      },
    }),
    [
      'spec.containers[0].resources.limits[pods]: Invalid value: "pods": must be a standard resource for containers',
      'spec.containers[0].resources.limits[nvidia.com/gpu]: Invalid value: resource.Quantity{i:resource.int64Amount{value:1500, scale:-3}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:"", Format:"DecimalSI"}: must be an integer',
      'spec.containers[0].resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi',
      'spec.containers[0].resources.requests[pods]: Invalid value: "pods": must be a standard resource for containers',
      'spec.containers[0].resources.requests[nvidia.com/gpu]: Invalid value: resource.Quantity{i:resource.int64Amount{value:1500, scale:-3}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:"", Format:"DecimalSI"}: must be an integer',
      'spec.containers[0].resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi',
      "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources",
      'spec.containers[0].resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0',
    ],
  ],
  [
    "environments from nowhere",
    one({
      env: [
        { name: "A", valueFrom: { configMapKeyRef: { name: "", key: "k" } } },
        { name: "B", valueFrom: { fieldRef: { fieldPath: "spec.nodeName['x']" } } },
        { name: "C", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "2" } } },
      ],
      envFrom: [{ prefix: "x" }],
    }),
    [
      "spec.containers[0].env[0].valueFrom.configMapKeyRef.name: Invalid value: \"\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      "spec.containers[0].env[1].valueFrom.fieldRef.fieldPath: Invalid value: \"spec.nodeName['x']\": error converting fieldPath: field label does not support subscript: spec.nodeName['x']",
      `spec.containers[0].env[2].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor's values 1m and 1 are supported with the cpu resource`,
      'spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
    ],
  ],
  [
    "resize policies",
    { ...one({ resizePolicy: [{ resourceName: "disk", restartPolicy: "RestartContainer" }] }), restartPolicy: "Never" },
    [
      'spec.containers[0].resizePolicy: Unsupported value: "disk": supported values: "cpu", "memory"',
      "spec.containers[0].resizePolicy: Invalid value: \"RestartContainer\": must be 'NotRequired' when `restartPolicy` is 'Never'",
    ],
  ],
  [
    "security contexts",
    {
      ...one({
        securityContext: {
          procMount: "Unmasked",
          seccompProfile: { type: "Localhost" },
          appArmorProfile: { type: "Localhost", localhostProfile: " x" },
        },
      }),
      hostNetwork: true,
      securityContext: {
        sysctls: [{ name: "net.ipv4.ip_forward" }, { name: "A" }],
        fsGroupChangePolicy: "Never",
        seccompProfile: { type: "RuntimeDefault", localhostProfile: "x" },
        supplementalGroupsPolicy: "Loose",
        seLinuxChangePolicy: "MountOption",
      },
    },
    [
      'spec.containers[0].securityContext.procMount: Invalid value: "Unmasked": `hostUsers` must be false to use `Unmasked`',
      "spec.containers[0].securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost",
      'spec.containers[0].securityContext.appArmorProfile.localhostProfile: Invalid value: " x": must not be padded with whitespace',
      "spec.securityContext.sysctls[0].name: Invalid value: \"net.ipv4.ip_forward\": may not be specified when 'hostNetwork' is true",
      'spec.securityContext.sysctls[1].name: Invalid value: "A": must have at most 253 characters and match regex ^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$',
      'spec.securityContext.fsGroupChangePolicy: Unsupported value: "Never": supported values: "Always", "OnRootMismatch"',
      'spec.securityContext.seccompProfile.localhostProfile: Invalid value: {"type":"RuntimeDefault","localhostProfile":"x"}: can only be set when seccomp type is Localhost',
      'spec.securityContext.supplementalGroupsPolicy: Unsupported value: "Loose": supported values: "Merge", "Strict"',
      'spec.securityContext.seLinuxChangePolicy: Unsupported value: "MountOption": supported values: "Recursive"',
    ],
  ],
  [
    "a host's ports on the host's network",
    { ...one({ ports: [{ containerPort: 80, hostPort: 81 }] }), hostNetwork: true },
    ["spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true"],
  ],
  [
    "users of its own on the host's network",
    { ...one({}), hostNetwork: true, hostUsers: false },
    ["spec.hostNetwork: Forbidden: when `pod.Spec.HostUsers` is false"],
  ],
  [
    "names that DNS cannot have",
    { ...one({}), dnsPolicy: "None" },
    ["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"],
  ],
  ["search domains with underscores", { ...one({}), dnsConfig: { searches: ["_tcp.example.com", "."] } }, []],
  [
    "a spread and affinities that say too much",
    {
      ...one({}),
      topologySpreadConstraints: [
        { maxSkew: 0, topologyKey: "zone", whenUnsatisfiable: "ScheduleAnyway", minDomains: 0 },
        {
          maxSkew: 1,
          topologyKey: "zone",
          whenUnsatisfiable: "ScheduleAnyway",
          nodeTaintsPolicy: "Maybe",
          labelSelector: { matchLabels: { a: "b" } },
          matchLabelKeys: ["a"],
        },
      ],
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: "a", operator: "In", values: ["b c"] }] }],
          },
        },
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: "zone", namespaces: ["A"], matchLabelKeys: ["x"] },
          ],
        },
      },
    },
    [
      "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values[0]: Invalid value: \"b c\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
      "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].namespace: Invalid value: \"A\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set",
      "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
      'spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, ScheduleAnyway}"',
      "spec.topologySpreadConstraints[0].minDomains: Invalid value: 0: must be greater than zero",
      "spec.topologySpreadConstraints[0].minDomains: Invalid value: 0: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway",
      'spec.topologySpreadConstraints[1].nodeTaintsPolicy: Unsupported value: "Maybe": supported values: "Honor", "Ignore"',
      'spec.topologySpreadConstraints[1].matchLabelKeys[0]: Invalid value: "a": exists in both matchLabelKeys and labelSelector',
    ],
  ],
  [
    "an operating system's own settings",
    { ...one({ securityContext: { privileged: true } }), os: { name: "windows" }, hostPID: true },
    [
      "spec.hostPID: Forbidden: cannot be set for a windows pod",
      "spec.containers[0].securityContext.privileged: Forbidden: cannot be set for a windows pod",
    ],
  ],
  [
    "an unknown operating system",
    { ...one({}), os: { name: "plan9" } },
    ['spec.os: Unsupported value: "plan9": supported values: "linux", "windows"'],
  ],
  [
    "one gate twice",
    { ...one({}), schedulingGates: [{ name: "a" }, { name: "a" }] },
    ['spec.schedulingGates[1]: Duplicate value: "a"'],
  ],
  [
    "a readiness probe with a grace of its own",
    one({ readinessProbe: { tcpSocket: { port: 80 }, terminationGracePeriodSeconds: 0 } }),
    [
      "spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0",
      "spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 0: must not be set for readinessProbes",
    ],
  ],
  [
    "an image in spaces",
    one({ image: " nginx" }),
    ['spec.containers[0].image: Invalid value: " nginx": must not have leading or trailing whitespace'],
  ],
];

for (const [name, spec, expected] of cases) {
  test(`validatePod: ${name}`, (t) => {
    t.strictSame(
      validatePod(pod(spec)).map(({ field, message }) => `${field}: ${message}`),
      expected,
    );
    t.end();
  });
}

test("validatePod reads the annotations that mean something", (t) => {
  const apparmor = "container.apparmor.security.beta.kubernetes.io/x";
  const annotations = {
    "kubernetes.io/config.mirror": "a",
    "controller.kubernetes.io/pod-deletion-cost": "01",
    "seccomp.security.alpha.kubernetes.io/pod": "mine",
    [apparmor]: "mine",
  };
  t.strictSame(words(validatePod(annotated(annotations))), [
    'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "a": must set spec.nodeName if mirror pod annotation is set',
    'metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "01": must be a 32bit integer',
    'metadata.annotations.seccomp.security.alpha.kubernetes.io/pod: Invalid value: "mine": must be a valid seccomp profile',
    `metadata.annotations[${apparmor}]: Invalid value: "x": container not found`,
    `metadata.annotations[${apparmor}]: Invalid value: "mine": invalid AppArmor profile name: "mine"`,
  ]);
  const field = { ...one({}), securityContext: { seccompProfile: { type: "Unconfined" } } };
  t.strictSame(
    words(validatePod(annotated({ "seccomp.security.alpha.kubernetes.io/pod": "runtime/default" }, field))),
    ["spec.securityContext.seccompProfile.type: Forbidden: seccomp type in annotation and field must match"],
  );
  t.end();
});
