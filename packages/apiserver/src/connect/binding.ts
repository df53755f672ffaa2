// pods/binding and bindings: the scheduler's word on where a pod runs (upstream: registry/core/pod/storage assignPod).

import { type Binding, type Pod, type PodSpec, pods } from "@picokube/api/core/v1";
import { badRequest, conflict, invalid, notFound } from "@picokube/api/errors";
import { formatTime } from "@picokube/api/time";
import { notSupported, required } from "@picokube/api/validation/field-error";
import type { ConnectHandler, RequestContext } from "../registry/resource-definition.js";

const PODS_BINDING = { group: "", resource: "pods/binding" };

/** Throws invalid() for a binding to anything but a Node. */
export function validateBinding({ metadata, target }: Binding): void {
  const faults = [];
  if (target?.kind && target.kind !== "Node")
    faults.push(notSupported("target.kind", target.kind, ["Node", "<empty>"]));
  if (!target?.name) faults.push(required("target.name"));
  if (faults.length > 0) throw invalid({ group: "", kind: "Binding" }, metadata.name, faults);
}

/** Why the pod cannot be put on a node any more; undefined when it can. */
export function bindingFault({ metadata, spec }: Pod): string | undefined {
  const { name } = metadata;
  if (metadata.deletionTimestamp !== undefined) return `pod ${name} is being deleted, cannot be assigned to a host`;
  if (spec?.nodeName) return `pod ${name} is already assigned to node "${spec.nodeName}"`;
  if (spec?.schedulingGates?.length) return `pod ${name} has non-empty .spec.schedulingGates`;
  return undefined;
}

async function bind(context: RequestContext, namespace: string, binding: Binding): Promise<void> {
  const { name, uid, resourceVersion, annotations } = binding.metadata;
  const stored = context.storage.for(pods);
  const assign = (pod: Pod): void => {
    if (uid && uid !== pod.metadata.uid) {
      const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid}`;
      throw conflict(pods, name, why);
    }
    if (resourceVersion && resourceVersion !== pod.metadata.resourceVersion) {
      const why = `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${pod.metadata.resourceVersion}`;
      throw conflict(pods, name, why);
    }
    const fault = bindingFault(pod);
    if (fault) throw conflict(PODS_BINDING, name, fault);
    pod.spec = { ...(pod.spec as PodSpec), nodeName: binding.target.name };
    if (annotations) pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations };
    const scheduled = { type: "PodScheduled", status: "True" as const };
    const conditions = (pod.status?.conditions ?? []).filter(({ type }) => type !== scheduled.type);
    const lastTransitionTime = formatTime(context.now());
    pod.status = { ...pod.status, conditions: [...conditions, { ...scheduled, lastTransitionTime }] };
  };
  if (!context.dryRun) {
    await stored.update(namespace, name, assign);
    return;
  }
  const pod = stored.get(namespace, name);
  if (!pod) throw notFound(pods, name);
  assign(structuredClone(pod));
}

/** POST pods/binding, and with wholeResource POST bindings, where the pod's name is in the body alone. */
export function bindingHandler({ wholeResource }: { wholeResource: boolean }): ConnectHandler {
  return {
    verbs: ["create"],
    kind: { group: "", version: "v1", kind: "Binding" },
    async handle({ context, namespace, name, body }) {
      const binding = body as Binding;
      const named = binding.metadata?.name ?? "";
      if (!wholeResource && named !== "" && named !== name) {
        throw badRequest("name in URL does not match name in Binding object");
      }
      binding.metadata = { ...binding.metadata, name: wholeResource ? named : name };
      validateBinding(binding);
      await bind(context, namespace, binding);
      return { code: 201, object: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 } };
    },
  };
}
