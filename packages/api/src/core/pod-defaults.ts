// Defaults of pods and pod templates (upstream: SetDefaults_Pod, _PodSpec, _Container, _Probe, ...). Pure, in place,
// idempotent. The kubelet's static pods use these too.

import { setResourceListDefaults } from "./resource-defaults.js";
import type { Container, EphemeralContainer, LifecycleHandler, Pod, PodSpec, PodTemplateSpec, Probe } from "./v1.js";
import { setFieldRefDefaults, setVolumeDefaults } from "./volume-defaults.js";

/** The tag of an image reference: "latest" when it has neither tag nor digest, "" when it has only a digest. */
export function imageTag(image: string): string {
  const at = image.indexOf("@");
  const named = at < 0 ? image : image.slice(0, at);
  const colon = named.indexOf(":", named.lastIndexOf("/") + 1);
  if (colon >= 0) return named.slice(colon + 1);
  return at < 0 && named !== "" ? "latest" : "";
}

function setHandlerDefaults(handler: LifecycleHandler | Probe | undefined): void {
  const httpGet = handler?.httpGet;
  if (!httpGet) return;
  httpGet.path ||= "/";
  httpGet.scheme ||= "HTTP";
}

/** One probe: thresholds, period and timeout. */
export function setProbeDefaults(probe: Probe | undefined): void {
  if (!probe) return;
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.grpc) probe.grpc.service ??= "";
  setHandlerDefaults(probe);
}

/** One container of any of a pod's three lists. */
export function setContainerDefaults(container: Container | EphemeralContainer): void {
  container.imagePullPolicy ||= imageTag(container.image ?? "") === "latest" ? "Always" : "IfNotPresent";
  container.terminationMessagePath ||= "/dev/termination-log";
  container.terminationMessagePolicy ||= "File";
  container.resources ??= {};
  setResourceListDefaults(container.resources.limits);
  setResourceListDefaults(container.resources.requests);
  for (const port of container.ports ?? []) port.protocol ||= "TCP";
  for (const { valueFrom } of container.env ?? []) setFieldRefDefaults(valueFrom);
  setProbeDefaults(container.livenessProbe);
  setProbeDefaults(container.readinessProbe);
  setProbeDefaults(container.startupProbe);
  setHandlerDefaults(container.lifecycle?.postStart);
  setHandlerDefaults(container.lifecycle?.preStop);
}

/** A pod spec, also one in a template. */
export function setPodSpecDefaults(spec: PodSpec): void {
  spec.dnsPolicy ||= "ClusterFirst";
  spec.restartPolicy ||= "Always";
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= "default-scheduler";
  setServiceAccount(spec);
  setResourceListDefaults(spec.overhead);
  // Without containers a pod is refused, but not before everybody has looked at them.
  spec.containers ??= [];
  for (const volume of spec.volumes ?? []) setVolumeDefaults(volume);
  for (const container of spec.initContainers ?? []) setContainerDefaults(container);
  for (const container of spec.containers) setContainerDefaults(container);
  for (const container of spec.ephemeralContainers ?? []) setContainerDefaults(container);
}

/** Keeps serviceAccount, the deprecated name of serviceAccountName, the same as it. */
export function setServiceAccount(spec: PodSpec): void {
  spec.serviceAccountName ||= spec.serviceAccount;
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  else {
    delete spec.serviceAccountName;
    delete spec.serviceAccount;
  }
}

/** A pod template: its spec's defaults, without those that only a pod itself has. */
export function setPodTemplateDefaults(template: PodTemplateSpec | undefined): void {
  if (template?.spec) setPodSpecDefaults(template.spec);
}

function requestsFromLimits({ resources }: Container): void {
  const limits = resources?.limits;
  if (!limits || Object.keys(limits).length === 0) return;
  resources.requests = { ...limits, ...resources.requests };
}

function hostPorts({ ports }: Container): void {
  for (const port of ports ?? []) port.hostPort ||= port.containerPort;
}

/** A pod: its spec's defaults, requests from limits, service links and host ports. */
export function setPodDefaults(pod: Pod): void {
  const { status } = pod;
  // podIP, the older field, says the same as the first of podIPs.
  if (status?.podIP && status.podIPs?.[0]?.ip !== status.podIP) status.podIPs = [{ ip: status.podIP }];
  else if (status?.podIPs?.[0] && !status.podIP) status.podIP = status.podIPs[0].ip;
  pod.spec ??= {} as PodSpec;
  const { spec } = pod;
  setPodSpecDefaults(spec);
  spec.enableServiceLinks ??= true;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    requestsFromLimits(container);
    if (spec.hostNetwork) hostPorts(container);
  }
}
