// From the names in a request's path to a pod and a container of the runtime, with upstream's refusals.

import type { ContainerStatus as ApiContainerStatus, Pod } from "@picokube/api/core/v1";
import { badRequest, StatusError } from "@picokube/api/errors";
import type { PodLookup } from "../parts.js";

/** A refusal that is plain text with a code: the kubelet's API has no Status objects. */
export class ServerError extends Error {
  override readonly name = "ServerError";
  readonly code: number;

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The HTTP code of any failure. */
export function codeOf(error: unknown): number {
  return error instanceof ServerError || error instanceof StatusError ? error.code : 500;
}

/** The pod, or 404. */
export function findPod(
  lookup: PodLookup,
  { namespace, name, uid }: { namespace: string; name: string; uid?: string },
): Pod {
  const pod = lookup.podByName(namespace, name);
  if (!pod || (uid !== undefined && pod.metadata.uid !== uid)) throw new ServerError(404, "pod does not exist");
  return pod;
}

/** The running container's id, for exec, attach and run. */
export function runningContainerId(lookup: PodLookup, pod: Pod, container: string): string {
  const containers = lookup.state(pod.metadata.uid)?.containers ?? [];
  const found = containers.find(({ name, state }) => name === container && state === "running");
  if (!found) throw new ServerError(500, `container not found ("${container}")`);
  return found.id;
}

const bareId = (id: string | undefined): string => (id ?? "").replace(/^[a-z]+:\/\//, "");

/** The container whose log is asked for: upstream's validateContainerLogStatus. */
export function logContainerId(
  status: ApiContainerStatus | undefined,
  { pod, container, previous }: { pod: string; container: string; previous: boolean },
): string {
  const where = `container "${container}" in pod "${pod}"`;
  if (!status) throw badRequest(`${where} is not available`);
  const last = bareId(status.lastState?.terminated?.containerID);
  if (previous) {
    if (last === "") throw badRequest(`previous terminated ${where} not found`);
    return last;
  }
  const { running, terminated, waiting } = status.state ?? {};
  if (running) return bareId(status.containerID);
  if (terminated && bareId(terminated.containerID) !== "") return bareId(terminated.containerID);
  if (last !== "") return last;
  if (terminated) throw badRequest(`${where} is terminated`);
  if (waiting?.reason === "ErrImagePull") throw badRequest(`${where} is waiting to start: image can't be pulled`);
  if (waiting?.reason === "ImagePullBackOff") {
    throw badRequest(`${where} is waiting to start: trying and failing to pull image`);
  }
  if (waiting) throw badRequest(`${where} is waiting to start: ${waiting.reason ?? ""}`);
  throw badRequest(`${where} is waiting to start - no logs yet`);
}

/** The status of a container of any kind. */
export function containerStatusOf(lookup: PodLookup, pod: Pod, container: string): ApiContainerStatus | undefined {
  const { initContainers = [], containers = [], ephemeralContainers = [] } = pod.spec ?? {};
  if (![...initContainers, ...containers, ...ephemeralContainers].some(({ name }) => name === container)) {
    throw new ServerError(404, `container "${container}" not found in pod "${pod.metadata.name}"`);
  }
  const status = lookup.status(pod.metadata.uid) ?? pod.status ?? {};
  return [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ].find(({ name }) => name === container);
}
