// What of a pod may change once it is there: by update, by resize, by ephemeral containers.

import { test } from "tap";
import { mergeEphemeralContainers, mergeResize } from "./pod-subresources.js";
import { validatePodUpdate } from "./pod-validation.js";
import { annotated, container, one, pod, words } from "./pod-validation.testing.js";

test("validatePodUpdate lets the image change and tolerations be added", (t) => {
  const old = pod({ ...one({}), nodeName: "n" });
  const next = pod({ ...one({ image: "nginx:2" }), nodeName: "n", tolerations: [{ operator: "Exists" }] });
  next.spec!.containers[0]!.imagePullPolicy = old.spec!.containers[0]!.imagePullPolicy;
  t.strictSame(validatePodUpdate(next, old), []);
  t.end();
});

test("validatePodUpdate refuses all else, in upstream's words", (t) => {
  const old = pod(one({}));
  const faults = validatePodUpdate(pod({ ...one({}), nodeName: "n" }), old);
  t.equal(faults.length, 1);
  t.equal(faults[0]?.field, "spec");
  t.match(
    faults[0]?.message,
    /^Forbidden: pod updates may not change fields other than `spec.containers\[\*\].image`,`spec.initContainers\[\*\].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` \(only additions to existing tolerations\),`spec.terminationGracePeriodSeconds` \(allow it to be set to 1 if it was previously negative\)\n/,
  );
  t.match(validatePodUpdate(pod({ containers: [container, { name: "b", image: "b" }] }), old), [
    { field: "spec.containers", message: "Forbidden: pod updates may not add or remove containers" },
  ]);
  t.end();
});

test("validatePodUpdate: deadlines, tolerations, gates, mirrors", (t) => {
  const old = pod({ ...one({}), activeDeadlineSeconds: 5, tolerations: [{ key: "a", operator: "Exists" }] });
  t.strictSame(words(validatePodUpdate(pod(one({})), old)).slice(0, 2), [
    'spec.activeDeadlineSeconds: Invalid value: "null": must not update from a positive integer to nil value',
    "spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds",
  ]);
  t.strictSame(words(validatePodUpdate(pod({ ...one({}), activeDeadlineSeconds: 6 }), old)), [
    "spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous value",
  ]);
  t.strictSame(words(validatePodUpdate(pod({ ...one({}), schedulingGates: [{ name: "g" }] }), pod(one({})))), [
    "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'g'",
  ]);
  const mirror = { "kubernetes.io/config.mirror": "h" };
  t.match(
    words(validatePodUpdate(pod({ ...one({}), nodeName: "n" }), annotated(mirror, { ...one({}), nodeName: "n" }))),
    ["metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not remove or update mirror pod annotation"],
  );
  t.end();
});

test("a gated pod may be told more of where to run, never less", (t) => {
  const term = (values: string[], more: object[] = []) => ({
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: "a", operator: "In", values }, ...more] }],
      },
    },
  });
  const gated = { ...one({}), schedulingGates: [{ name: "g" }] };
  const old = pod({ ...gated, nodeSelector: { a: "b" }, affinity: term(["x"]) });
  const more = term(["x"], [{ key: "b", operator: "Exists" }]);
  t.strictSame(validatePodUpdate(pod({ ...gated, nodeSelector: { a: "b", c: "d" }, affinity: more }), old), []);
  t.match(words(validatePodUpdate(pod({ ...gated, nodeSelector: { c: "d" }, affinity: term(["y"]) }), old)), [
    'spec.nodeSelector: Invalid value: map[string]string{"c":"d"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
    /^spec\.affinity\.nodeAffinity\.requiredDuringSchedulingIgnoredDuringExecution\.nodeSelectorTerms\[0\]: Invalid value: .*: only additions are allowed \(no mutations or deletions\)$/,
  ]);
  t.end();
});

const refused = (act: () => unknown): string => {
  try {
    act();
    return "";
  } catch (error) {
    return (error as Error).message;
  }
};

test("resizing changes CPU and memory, and never the QoS class", (t) => {
  const sized = (requests: object, limits: object = {}) => pod(one({ resources: { requests, limits } }));
  const old = sized({ cpu: "100m", memory: "64Mi" }, { memory: "128Mi" });
  const next = mergeResize(sized({ cpu: "200m", memory: "64Mi" }, { memory: "256Mi" }), old);
  t.match(next.spec?.containers[0]?.resources, { requests: { cpu: "200m" }, limits: { memory: "256Mi" } });
  t.match(
    refused(() => mergeResize(sized({ memory: "64Mi" }, { memory: "64Mi" }), old)),
    "[spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed, spec.containers[0].resources.limits[memory]: Forbidden: memory limits cannot be decreased unless resizePolicy is RestartContainer]",
  );
  t.match(
    refused(() => mergeResize(sized({ cpu: "1", memory: "1Gi" }, { cpu: "1", memory: "1Gi" }), old)),
    'spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing',
  );
  t.match(
    refused(() =>
      mergeResize(sized({ cpu: "100m", memory: "64Mi", "ephemeral-storage": "1Gi" }, { memory: "128Mi" }), old),
    ),
    "spec: Forbidden: only cpu and memory resources are mutable",
  );
  t.end();
});

test("ephemeral containers are added and never changed", (t) => {
  const withDebuggers = (...ephemeralContainers: object[]) => pod({ ...one({}), ephemeralContainers });
  const debug = { name: "debug", image: "busybox", targetContainerName: "web" };
  const old = withDebuggers(debug);
  t.equal(
    mergeEphemeralContainers(withDebuggers(debug, { ...debug, name: "second" }), old).spec?.ephemeralContainers?.length,
    2,
  );
  t.match(
    refused(() => mergeEphemeralContainers(withDebuggers({ ...debug, image: "nginx" }), old)),
    'existing ephemeral containers "debug" may not be changed',
  );
  const bad = {
    ...debug,
    name: "bad",
    targetContainerName: "none",
    ports: [{ containerPort: 1 }],
    resizePolicy: [{ resourceName: "cpu", restartPolicy: "NotRequired" }],
  };
  t.match(
    refused(() => mergeEphemeralContainers(withDebuggers(debug, bad), old)),
    '[spec.ephemeralContainers[1].targetContainerName: Not found: "none", spec.ephemeralContainers[1].ports: Forbidden: cannot be set for an Ephemeral Container, spec.ephemeralContainers[1].resizePolicy: Forbidden: cannot be set for an Ephemeral Container]',
  );
  t.end();
});
