// What a LimitRange gives and refuses, by table.

import { limitranges, persistentvolumeclaims, pods } from "@picokube/api/core/v1";
import type { Resource } from "@picokube/api/resource";
import { test } from "tap";
import { attributesOf, podOf } from "../testing/admission-attributes.js";
import { plainStorage } from "../testing/plain-storage.js";
import { limitRanger } from "./limit-ranger.js";

const range = (name: string, ...limits: object[]) => ({ metadata: { name, namespace: "dev" }, spec: { limits } });
const containers = (...resources: object[]) => resources.map((each, i) => ({ name: `c${i}`, resources: each }));

const cases: { what: string; limits: object[]; spec: object; refused?: string }[] = [
  {
    what: "a limit too high",
    limits: [{ type: "Container", max: { cpu: "1" } }],
    spec: { containers: containers({ limits: { cpu: "2" } }) },
    refused: "maximum cpu usage per Container is 1, but limit is 2",
  },
  {
    what: "no limit at all",
    limits: [{ type: "Container", max: { cpu: "1" } }],
    spec: { containers: containers({}) },
    refused: "maximum cpu usage per Container is 1.  No limit is specified",
  },
  {
    what: "the same fault of two containers is told once",
    limits: [{ type: "Container", max: { cpu: "1" } }],
    spec: { containers: containers({}, {}) },
    refused: "maximum cpu usage per Container is 1.  No limit is specified",
  },
  {
    what: "a request too low, no request, in order",
    limits: [{ type: "Container", min: { cpu: "100m", memory: "1Mi" } }],
    spec: { containers: containers({ requests: { cpu: "50m" } }) },
    refused:
      "[minimum cpu usage per Container is 100m, but request is 50m, minimum memory usage per Container is 1Mi.  No request is specified]",
  },
  {
    what: "init containers too",
    limits: [{ type: "Container", min: { cpu: "100m" } }],
    spec: {
      containers: containers({ requests: { cpu: "1" } }),
      initContainers: containers({ requests: { cpu: "1m" } }),
    },
    refused: "minimum cpu usage per Container is 100m, but request is 1m",
  },
  {
    what: "the ratio of limit to request",
    limits: [{ type: "Container", maxLimitRequestRatio: { memory: "2" } }],
    spec: { containers: containers({ requests: { memory: "100Mi" }, limits: { memory: "250Mi" } }) },
    refused: "memory max limit to request ratio per Container is 2, but provided ratio is 2.500000",
  },
  {
    what: "a ratio of nothing",
    limits: [{ type: "Container", maxLimitRequestRatio: { memory: "2" } }],
    spec: { containers: containers({ limits: { memory: "250Mi" } }) },
    refused: "memory max limit to request ratio per Container is 2, but no request is specified or request is 0",
  },
  {
    what: "a pod's containers together",
    limits: [{ type: "Pod", max: { memory: "1Gi" } }],
    spec: { containers: containers({ limits: { memory: "700Mi" } }, { limits: { memory: "700Mi" } }) },
    refused: "maximum memory usage per Pod is 1Gi, but limit is 1400Mi",
  },
  {
    what: "within all bounds",
    limits: [{ type: "Container", min: { cpu: "1m" }, max: { cpu: "1" }, maxLimitRequestRatio: { cpu: "4" } }],
    spec: { containers: containers({ requests: { cpu: "250m" }, limits: { cpu: "1" } }) },
  },
];

for (const { what, limits, spec, refused } of cases) {
  test(what, async (t) => {
    const plugin = limitRanger(plainStorage([limitranges as Resource, range("r", ...limits)]));
    const validate = () => plugin.validate!(attributesOf(pods as Resource, { object: podOf(spec) }));
    if (refused) t.throws(validate, { code: 403, message: `pods "web" is forbidden: ${refused}` });
    else t.doesNotThrow(validate);
  });
}

test("defaults, and the note of what was set", async (t) => {
  const plugin = limitRanger(
    plainStorage([
      limitranges as Resource,
      range("r", {
        type: "Container",
        default: { cpu: "500m", memory: "1Gi" },
        defaultRequest: { cpu: "100m", memory: "64Mi" },
      }),
    ]),
  );
  const object = podOf({
    containers: containers({ limits: { cpu: "1" } }, {}),
    initContainers: [{ name: "init", resources: { requests: { cpu: "1m", memory: "1Mi" } } }],
  });
  plugin.admit!(attributesOf(pods as Resource, { object }));
  t.same(
    [...object.spec!.containers, ...object.spec!.initContainers!].map(({ resources }) => resources),
    [
      { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "100m", memory: "64Mi" } },
      { limits: { cpu: "500m", memory: "1Gi" }, requests: { cpu: "100m", memory: "64Mi" } },
      { limits: { cpu: "500m", memory: "1Gi" }, requests: { cpu: "1m", memory: "1Mi" } },
    ],
  );
  t.equal(
    object.metadata.annotations?.["kubernetes.io/limit-ranger"],
    "LimitRanger plugin set: cpu, memory request for container c0; memory limit for container c0; cpu, memory request for container c1; cpu, memory limit for container c1; cpu, memory limit for init container init",
  );
});

test("the first range that is not kept speaks", async (t) => {
  const plugin = limitRanger(
    plainStorage([
      limitranges as Resource,
      range("a", { type: "Container", max: { cpu: "2" } }),
      range("b", { type: "Container", max: { cpu: "1" } }),
    ]),
  );
  const object = podOf({ containers: containers({ limits: { cpu: "3" } }) });
  t.throws(() => plugin.validate!(attributesOf(pods as Resource, { object })), {
    message: 'pods "web" is forbidden: maximum cpu usage per Container is 2, but limit is 3',
  });
});

test("updates: a pod is left alone, a claim may not outgrow the range, what is going away may do as it likes", async (t) => {
  const plugin = limitRanger(
    plainStorage([
      limitranges as Resource,
      range("r", { type: "Container", max: { cpu: "1" } }, { type: "PersistentVolumeClaim", max: { storage: "1Gi" } }),
    ]),
  );
  const update = { operation: "UPDATE" as const };
  const pod = podOf({ containers: containers({ limits: { cpu: "2" } }) });
  t.doesNotThrow(() => plugin.validate!(attributesOf(pods as Resource, { object: pod, oldObject: pod, ...update })));
  const claim = (storage: string, metadata: object = {}) => ({
    metadata: { name: "data", namespace: "dev", ...metadata },
    spec: { resources: { requests: { storage } } },
  });
  const grow = (metadata: object) => () =>
    plugin.validate!(
      attributesOf(persistentvolumeclaims as Resource, {
        object: claim("2Gi"),
        oldObject: claim("1Gi", metadata),
        ...update,
      }),
    );
  t.throws(grow({}), {
    message:
      'persistentvolumeclaims "data" is forbidden: maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi',
  });
  t.doesNotThrow(grow({ deletionTimestamp: "2026-01-01T00:00:00Z" }));
});
