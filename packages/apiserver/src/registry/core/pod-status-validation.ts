// What may be written to a pod's status, in upstream's words (upstream: ValidatePodStatusUpdate). Pure.

import type { ContainerStatus, Pod, PodSpec } from "@picokube/api/core/v1";
import { type FieldError, forbiddenField, invalidValue } from "@picokube/api/validation/field-error";
import { ipFamilyOf, isValidIP } from "@picokube/api/validation/ip";
import { isDNS1123Subdomain, isQualifiedName } from "@picokube/api/validation/names";
import { objections } from "../check.js";
import { immutable } from "../immutable.js";

const systemConditions = new Set(["PodScheduled", "Ready", "Initialized"]);

function validateConditions({ status }: Pod): FieldError[] {
  return (status?.conditions ?? []).flatMap(({ type = "", observedGeneration = 0 }, index) => {
    const at = `status.conditions[${index}]`;
    const faults =
      observedGeneration < 0
        ? [invalidValue(`${at}.observedGeneration`, observedGeneration, "must be a non-negative integer")]
        : [];
    return systemConditions.has(type) ? faults : [...faults, ...objections(`${at}.Type`, type, isQualifiedName(type))];
  });
}

interface Transition {
  readonly next: readonly ContainerStatus[] | undefined;
  readonly old: readonly ContainerStatus[] | undefined;
  readonly path: string;
  readonly restartPolicy: string | undefined;
  /** Names of the containers that may always start again. */
  readonly restartable?: ReadonlySet<string>;
}

/** A container that ended for good does not come back. */
function validateTransition({ next, old, path, restartPolicy, restartable }: Transition): FieldError[] {
  if (restartPolicy === "Always") return [];
  return (old ?? []).flatMap(({ name, state }, index) => {
    const ended = state?.terminated;
    if (!ended || (ended.exitCode !== 0 && restartPolicy === "OnFailure") || restartable?.has(name)) return [];
    return (next ?? [])
      .filter((status) => status.name === name && !status.state?.terminated)
      .map(() => forbiddenField(`${path}[${index}].state`, "may not be transitioned to non-terminated state"));
  });
}

function validateAddresses(
  addresses: readonly { ip?: string }[] | undefined,
  old: readonly { ip?: string }[] | undefined,
  path: string,
): FieldError[] {
  const before = new Set((old ?? []).map(({ ip }) => ip));
  const list = addresses ?? [];
  const faults = list.flatMap(({ ip = "" }, index) =>
    before.has(ip) ? [] : objections(`${path}[${index}]`, ip, isValidIP(ip)),
  );
  const families = new Set(list.map(({ ip = "" }) => ipFamilyOf(ip)));
  if (list.length > 1 && (list.length > 2 || families.size < 2)) {
    faults.push(invalidValue(path, list, "may specify no more than one IP for each IP family"));
  }
  return faults;
}

function validateTransitions(pod: Pod, old: Pod): FieldError[] {
  const { restartPolicy, initContainers = [] } = old.spec ?? ({} as Partial<PodSpec>);
  const of = (kind: "containerStatuses" | "initContainerStatuses" | "ephemeralContainerStatuses") => ({
    next: pod.status?.[kind],
    old: old.status?.[kind],
    path: `status.${kind}`,
    restartPolicy,
  });
  const sidecars = initContainers.filter((container) => container.restartPolicy === "Always");
  const restartable = new Set(sidecars.map(({ name }) => name));
  return [
    ...validateTransition(of("containerStatuses")),
    ...validateTransition({ ...of("initContainerStatuses"), restartable }),
    ...validateTransition({ ...of("ephemeralContainerStatuses"), restartPolicy: "Never" }),
  ];
}

/** A status as a kubelet or anybody else writes it. */
export function validatePodStatus(pod: Pod, old: Pod): FieldError[] {
  const { nominatedNodeName, hostIP, hostIPs = [], podIPs, observedGeneration = 0 } = pod.status ?? {};
  const faults = validateConditions(pod);
  if (pod.spec?.nodeName !== old.spec?.nodeName) {
    faults.push(forbiddenField("status.nodeName", "may not be changed directly"));
  }
  if (nominatedNodeName && nominatedNodeName !== old.status?.nominatedNodeName) {
    const path = "status.nominatedNodeName";
    faults.push(...objections(path, nominatedNodeName, isDNS1123Subdomain(nominatedNodeName)));
  }
  if (observedGeneration < 0) {
    faults.push(invalidValue("status.observedGeneration", observedGeneration, "must be a non-negative integer"));
  }
  faults.push(
    ...immutable("status.qosClass", pod.status?.qosClass, old.status?.qosClass),
    ...validateTransitions(pod, old),
    ...validateAddresses(podIPs, old.status?.podIPs, "status.podIPs"),
  );
  const first = hostIPs[0];
  if (first && first.ip !== hostIP) {
    faults.push(invalidValue("status.hostIPs[0].ip", first.ip, "must be equal to `hostIP`"));
  }
  return [...faults, ...validateAddresses(hostIPs, old.status?.hostIPs, "status.hostIPs")];
}
