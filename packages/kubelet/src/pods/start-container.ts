// Starts one container: image, configuration, create, start, postStart hook, with upstream's events and reasons.
// Decides neither whether nor when.

import { join } from "node:path";
import type { Container, EphemeralContainer, Pod } from "@picokube/api/core/v1";
import { containerResources } from "../cgroups/container-resources.js";
import type { ContainerConfig, ImageInfo } from "../cri/runtime.js";
import { expandCommand } from "../env/expand.js";
import { ContainerConfigError, type PodVolumes } from "../parts.js";
import { annotationNames, containerHash } from "./container-spec.js";
import { killContainer } from "./kill-container.js";
import { runHook } from "./lifecycle-hooks.js";
import type { PodContext } from "./pod-context.js";
import { ContainerStartError } from "./pod-events.js";
import { containerSecurity, verifyRunAsNonRoot } from "./security-context.js";

export interface ContainerStart {
  readonly pod: Pod;
  readonly container: Container | EphemeralContainer;
  readonly image: ImageInfo;
  readonly sandboxId: string;
  readonly podIps: readonly string[];
  readonly volumes: PodVolumes;
  readonly attempt: number;
  readonly targetContainerId: string | undefined;
  readonly wired: Promise<void>;
  readonly signal: AbortSignal;
}

const unlimitedMs = 2 ** 31 - 1;

function annotationsOf({ pod, container, attempt }: ContainerStart): Record<string, string> {
  const grace = pod.metadata.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds;
  return {
    [annotationNames.hash]: containerHash(container),
    [annotationNames.restartCount]: String(attempt),
    [annotationNames.terminationMessagePath]: container.terminationMessagePath ?? "",
    [annotationNames.terminationMessagePolicy]: container.terminationMessagePolicy ?? "File",
    ...(grace === undefined ? {} : { [annotationNames.podGracePeriod]: String(grace) }),
  };
}

async function containerConfig(context: PodContext, start: ContainerStart): Promise<ContainerConfig> {
  const { pod, container, image, podIps, volumes, attempt } = start;
  const { settings, objects } = context;
  verifyRunAsNonRoot(pod, container, image);
  const env = await context.environment(pod, container, {
    objects,
    nodeName: settings.nodeName,
    podIps,
    hostIps: settings.nodeIps,
  });
  const mounts = [...(await volumes.mountsFor(container)), ...context.files.mountsFor(pod, container, attempt)];
  const { command, args } = expandCommand(container, env);
  const orImageOwn = (words: readonly string[] | undefined) => (words && words.length > 0 ? words : undefined);
  return {
    name: container.name,
    attempt,
    image: container.image ?? "",
    command: orImageOwn(command),
    args: orImageOwn(args),
    workingDir: container.workingDir,
    env,
    mounts,
    labels: {},
    annotations: annotationsOf(start),
    tty: container.tty === true,
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    resources: containerResources(pod, container, context.memoryCapacityBytes),
    security: containerSecurity({
      pod,
      container,
      image,
      seccompDefault: settings.seccompDefault,
      seccompRoot: join(settings.rootDir, "seccomp"),
      targetContainerId: start.targetContainerId,
    }),
  };
}

/** Tells and throws a failure under the waiting reason it belongs to. */
function fail(context: PodContext, { pod, container }: ContainerStart, reason: string, error: unknown): never {
  const { message } = error as Error;
  context.events.warning(pod, { container: container.name, reason: "Failed", message: `Error: ${message}` });
  context.instruments.containerFailed(pod, container.name, reason);
  throw new ContainerStartError(reason, message, { cause: error });
}

async function postStart(context: PodContext, start: ContainerStart, containerId: string): Promise<void> {
  const { pod, podIps, signal } = start;
  const container = start.container as Container;
  const handler = container.lifecycle?.postStart;
  if (!handler) return;
  const podIp = podIps[0];
  try {
    await runHook({ handler, pod, container, containerId, podIp, timeoutMs: unlimitedMs, signal }, context);
  } catch (error) {
    signal.throwIfAborted();
    const message = "PostStartHook failed";
    context.logger.info(message, { container: container.name, pod: pod.metadata.name, err: error });
    context.events.warning(pod, { container: container.name, reason: "FailedPostStartHook", message });
    const status = await context.runtime.containerStatus(containerId);
    await killContainer(context, pod, status, { message: "FailedPostStartHook", podIp, signal });
    throw new ContainerStartError("PostStartHookError", (error as Error).message, { cause: error });
  }
}

/** Resolves when the container runs and its postStart hook is through. Throws ContainerStartError. */
export async function startContainer(context: PodContext, start: ContainerStart): Promise<void> {
  const { pod, container, sandboxId } = start;
  const named = { container: container.name };
  context.instruments.containerStarting(pod, container.name);
  const config = await containerConfig(context, start).catch((error: unknown) =>
    fail(
      context,
      start,
      error instanceof ContainerConfigError ? "CreateContainerConfigError" : "CreateContainerError",
      error,
    ),
  );
  start.signal.throwIfAborted();
  const id = await context.runtime
    .createContainer(sandboxId, config)
    .catch((error: unknown) => fail(context, start, "CreateContainerError", error));
  context.events.normal(pod, { ...named, reason: "Created", message: `Created container: ${container.name}` });
  await start.wired;
  await context.runtime.startContainer(id).catch((error: unknown) => fail(context, start, "RunContainerError", error));
  context.events.normal(pod, { ...named, reason: "Started", message: `Started container ${container.name}` });
  await postStart(context, start, id);
}
