// Makes a container's image present, by its pull policy, with upstream's events, errors and back-off
// (pkg/kubelet/images/image_manager.go). Never starts anything and never removes an image.

import type { Container, EphemeralContainer, Pod, Secret } from "@picokube/api/core/v1";
import { Backoff } from "@picokube/component-base/backoff";
import type { Clock } from "@picokube/component-base/clock";
import { formatDuration } from "@picokube/component-base/duration";
import type { ImageInfo, Runtime } from "../cri/runtime.js";
import { aggregate } from "../node/node-conditions.js";
import { ContainerStartError, type PodEvents } from "../pods/pod-events.js";
import { parseImageReference, withDefaultTag } from "./image-reference.js";
import { credentialsFor } from "./pull-credentials.js";

export interface ImageManager {
  /** Resolves to the present image. Throws ContainerStartError with the waiting reason. */
  ensure(pod: Pod, container: Container | EphemeralContainer, signal: AbortSignal): Promise<ImageInfo>;
}

export interface ImageManagerOptions {
  readonly runtime: Runtime;
  readonly events: PodEvents;
  readonly clock: Clock;
  readonly secret: (namespace: string, name: string) => Promise<Secret>;
  /** How many pulls run at once; Infinity for no limit. */
  readonly parallelPulls: number;
  /** No registry has an image that was made on this host: policy Always takes it as it is. Where the engine cannot tell
   * its origin, it is taken when the pull fails. */
  readonly useLocallyBuiltImages: boolean;
}

const initialBackoffMs = 10_000;
const maxBackoffMs = 300_000;

type PullPolicy = "Always" | "IfNotPresent" | "Never";

function policyOf({ imagePullPolicy, image }: Container | EphemeralContainer): PullPolicy {
  if (imagePullPolicy) return imagePullPolicy as PullPolicy;
  const { tag, digest } = parseImageReference(image ?? "");
  return digest === undefined && (tag === undefined || tag === "latest") ? "Always" : "IfNotPresent";
}

/** Makes the one ImageManager of a kubelet. */
export function createImageManager(options: ImageManagerOptions): ImageManager {
  const { runtime, events, clock } = options;
  const backoff = new Backoff({ clock, initialMs: initialBackoffMs, maxMs: maxBackoffMs });
  const lastErrors = new Map<string, string>();
  const inTurn = createLimiter(options.parallelPulls);

  /** Those of pods that are gone would stay for ever. */
  function forgetOldErrors(): void {
    backoff.collectGarbage();
    for (const key of lastErrors.keys()) if (backoff.get(key) === 0) lastErrors.delete(key);
  }

  async function pullSecrets(pod: Pod): Promise<Secret[]> {
    const names = (pod.spec?.imagePullSecrets ?? []).flatMap(({ name }) => (name ? [name] : []));
    const results = await Promise.allSettled(names.map((name) => options.secret(pod.metadata.namespace ?? "", name)));
    const missing = names.filter((_, index) => results[index]?.status === "rejected");
    if (missing.length > 0) {
      events.warning(pod, {
        reason: "FailedToRetrieveImagePullSecret",
        message: `Unable to retrieve some image pull secrets (${missing.join(", ")}); attempting to pull the image may not succeed.`,
      });
    }
    return results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  }

  async function pullWithCredentials(image: string, secrets: readonly Secret[], signal: AbortSignal): Promise<string> {
    const credentials = credentialsFor(image, secrets);
    if (credentials.length === 0) return runtime.pullImage(image, { signal });
    const failures: Error[] = [];
    for (const auth of credentials) {
      try {
        return await runtime.pullImage(image, { auth, signal });
      } catch (error) {
        signal.throwIfAborted();
        failures.push(error as Error);
      }
    }
    throw new Error(aggregate(failures.map(({ message }) => message)), { cause: failures[0] });
  }

  async function pull(request: PullRequest): Promise<ImageInfo> {
    const { pod, container, image, signal } = request;
    const named = { container: container.name };
    const key = `${pod.metadata.uid}_${image}`;
    if (backoff.isInBackoff(key)) {
      const words = `Back-off pulling image ${JSON.stringify(container.image)}`;
      events.normal(pod, { ...named, reason: "BackOff", message: words });
      const last = lastErrors.get(key);
      throw new ContainerStartError("ImagePullBackOff", last === undefined ? words : `${words}: ${last}`);
    }
    const secrets = await pullSecrets(pod);
    events.normal(pod, { ...named, reason: "Pulling", message: `Pulling image ${JSON.stringify(container.image)}` });
    const queuedAt = clock.now();
    try {
      const { pulled, pullMs } = await inTurn(signal, async () => {
        const startedAt = clock.now();
        await pullWithCredentials(image, secrets, signal);
        return { pulled: await runtime.imageStatus(image), pullMs: clock.now() - startedAt };
      });
      if (!pulled) throw new Error(`image ${image} is not present after the pull`);
      backoff.reset(key);
      lastErrors.delete(key);
      const waited = formatDuration(clock.now() - queuedAt);
      events.normal(pod, {
        ...named,
        reason: "Pulled",
        message: `Successfully pulled image ${JSON.stringify(container.image)} in ${formatDuration(pullMs)} (${waited} including waiting). Image size: ${pulled.sizeBytes} bytes.`,
      });
      return pulled;
    } catch (error) {
      signal.throwIfAborted();
      const words = (error as Error).message;
      events.warning(pod, {
        ...named,
        reason: "Failed",
        message: `Failed to pull image ${JSON.stringify(container.image)}: ${words}`,
      });
      forgetOldErrors();
      backoff.next(key);
      lastErrors.set(key, `ErrImagePull: ${words}`);
      throw new ContainerStartError("ErrImagePull", words, { cause: error });
    }
  }

  function completeName(pod: Pod, container: Container | EphemeralContainer): string {
    try {
      return withDefaultTag(container.image ?? "");
    } catch (error) {
      const name = JSON.stringify(container.image ?? "");
      const message = `Failed to apply default image tag ${name}: couldn't parse image name ${name}: ${(error as Error).message}`;
      events.warning(pod, { container: container.name, reason: "InspectFailed", message });
      throw new ContainerStartError("InvalidImageName", message, { cause: error });
    }
  }

  async function inspect(pod: Pod, container: Container | EphemeralContainer, image: string) {
    try {
      return await runtime.imageStatus(image);
    } catch (error) {
      const message = `Failed to inspect image ${JSON.stringify(image)}: ${(error as Error).message}`;
      events.warning(pod, { container: container.name, reason: "InspectFailed", message });
      throw new ContainerStartError("ImageInspectError", message, { cause: error });
    }
  }

  return {
    async ensure(pod, container, signal) {
      const image = completeName(pod, container);
      const policy = policyOf(container);
      const present = await inspect(pod, container, image);
      const mayBeLocal = options.useLocallyBuiltImages && present !== undefined && present.origin !== "registry";
      const use = (present: ImageInfo): ImageInfo => {
        const message = `Container image ${JSON.stringify(container.image)} already present on machine`;
        events.normal(pod, { container: container.name, reason: "Pulled", message });
        return present;
      };
      if (present && (policy !== "Always" || (mayBeLocal && present.origin === "host"))) return use(present);
      if (policy === "Never") {
        const message = `Container image ${JSON.stringify(container.image)} is not present with pull policy of Never`;
        events.warning(pod, { container: container.name, reason: "ErrImageNeverPull", message });
        throw new ContainerStartError("ErrImageNeverPull", message);
      }
      return pull({ pod, container, image, signal }).catch((error: unknown) => {
        if (!mayBeLocal || !(error instanceof ContainerStartError)) throw error;
        return use(present);
      });
    },
  };
}

interface PullRequest {
  readonly pod: Pod;
  readonly container: Container | EphemeralContainer;
  readonly image: string;
  readonly signal: AbortSignal;
}

/** Lets at most so many run at once; the rest wait in order, unless their signal aborts. */
function createLimiter(limit: number) {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    running++;
    try {
      signal.throwIfAborted();
      return await work();
    } finally {
      running--;
      waiting.shift()?.();
    }
  };
}
