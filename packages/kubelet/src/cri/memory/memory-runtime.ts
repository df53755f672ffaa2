// The Runtime without an engine, for scale tests and tests of the pod worker: containers are records that run until
// they are stopped, or until the test ends them. Keeps nothing beyond the process.

import { PassThrough, Readable } from "node:stream";
import type { Clock } from "@picokube/component-base/clock";
import { RuntimeNotFound } from "../errors.js";
import type {
  ContainerConfig,
  ContainerStatus,
  ExecSession,
  ImageInfo,
  Runtime,
  RuntimeEvent,
  Sandbox,
  SandboxConfig,
} from "../runtime.js";

export interface MemoryRuntime extends Runtime {
  /** Ends a running container as its process would. */
  finish(id: string, exitCode: number): void;
  /** Makes an image pullable. */
  publish(image: string): void;
  /** All commands that ran by exec, oldest first. */
  readonly executed: { id: string; command: readonly string[] }[];
}

/** Makes an empty runtime; images listed are present from the start. */
export function createMemoryRuntime({ clock, images }: { clock: Clock; images: readonly string[] }): MemoryRuntime {
  const sandboxes = new Map<string, Sandbox>();
  const containers = new Map<string, ContainerStatus>();
  const present = new Map<string, ImageInfo>();
  const published = new Set<string>();
  const listeners = new Set<(event: RuntimeEvent) => void>();
  const executed: MemoryRuntime["executed"] = [];
  let lastId = 0;

  const newId = () => (++lastId).toString(16).padStart(64, "0");
  const notFound = (id: string) => new RuntimeNotFound(`No such container: ${id}`);
  const addImage = (image: string) => {
    const known = present.get(image);
    if (known) return known;
    const info = {
      id: `sha256:${newId()}`,
      tags: [image],
      digests: [],
      sizeBytes: 1000,
      user: "",
      origin: "host",
    } as const;
    present.set(image, info);
    return info;
  };
  for (const image of images) addImage(image);
  const findImage = (image: string) =>
    present.get(image) ??
    present.get(`${image}:latest`) ??
    [...present.values()].find(({ id, tags }) => id === image || tags.includes(image));

  function emit(type: RuntimeEvent["type"], containerId: string, podUid: string): void {
    for (const listener of listeners) listener({ type, containerId, podUid });
  }

  function container(id: string): ContainerStatus {
    const found = containers.get(id);
    if (!found) throw notFound(id);
    return found;
  }

  function change(id: string, fields: Partial<ContainerStatus>): void {
    containers.set(id, { ...container(id), ...fields });
  }

  function finish(id: string, exitCode: number): void {
    const status = container(id);
    if (status.state !== "running") return;
    change(id, { state: "exited", exitCode, finishedAt: clock.now() });
    emit("died", id, status.podUid);
  }

  function sandbox(id: string): Sandbox {
    const found = sandboxes.get(id);
    if (!found) throw notFound(id);
    return found;
  }

  async function runSandbox(config: SandboxConfig): Promise<string> {
    const id = newId();
    sandboxes.set(id, {
      id,
      podName: config.podName,
      podNamespace: config.podNamespace,
      podUid: config.podUid,
      attempt: config.attempt,
      ready: true,
      createdAt: clock.now(),
      pid: lastId,
      labels: config.labels,
      annotations: config.annotations,
    });
    emit("created", id, config.podUid);
    emit("started", id, config.podUid);
    return id;
  }

  async function createContainer(sandboxId: string, config: ContainerConfig): Promise<string> {
    const { podUid, podName, podNamespace } = sandbox(sandboxId);
    const image = findImage(config.image);
    if (!image) throw new RuntimeNotFound(`No such image: ${config.image}`);
    const id = newId();
    containers.set(id, {
      id,
      sandboxId,
      podUid,
      podName,
      podNamespace,
      name: config.name,
      attempt: config.attempt,
      state: "created",
      image: config.image,
      imageId: `docker://${image.id}`,
      createdAt: clock.now(),
      startedAt: 0,
      finishedAt: 0,
      exitCode: 0,
      oomKilled: false,
      error: "",
      labels: config.labels,
      annotations: config.annotations,
      mounts: config.mounts,
      resources: config.resources,
    });
    emit("created", id, podUid);
    return id;
  }

  function session(exitCode: Promise<number | undefined>): ExecSession {
    const stdin = new PassThrough();
    return {
      stdin,
      stdout: Readable.from([]),
      stderr: Readable.from([]),
      resize: async () => {},
      exited: exitCode,
      close: () => stdin.destroy(),
    };
  }

  async function* events(signal: AbortSignal): AsyncGenerator<RuntimeEvent> {
    const queue: RuntimeEvent[] = [];
    let wake: () => void = () => {};
    const listener = (event: RuntimeEvent) => {
      queue.push(event);
      wake();
    };
    const stop = () => wake();
    listeners.add(listener);
    signal.addEventListener("abort", stop, { once: true });
    try {
      while (!signal.aborted) {
        const event = queue.shift();
        if (event) yield event;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    } finally {
      listeners.delete(listener);
      signal.removeEventListener("abort", stop);
    }
  }

  return {
    executed,
    finish,
    publish: (image) => published.add(image),
    version: async () => ({ runtimeName: "memory", runtimeVersion: "1", apiVersion: "1" }),
    runtimeHandlers: async () => ["memory"],
    recursiveReadOnlyMounts: async () => false,
    cgroupDriver: async () => "cgroupfs",
    runSandbox,
    stopSandbox: async (id) => {
      const found = sandboxes.get(id);
      if (!found?.ready) return;
      sandboxes.set(id, { ...found, ready: false, pid: 0 });
      for (const status of containers.values()) if (status.sandboxId === id) finish(status.id, 137);
      emit("died", id, found.podUid);
    },
    removeSandbox: async (id) => {
      const found = sandboxes.get(id);
      if (sandboxes.delete(id) && found) emit("removed", id, found.podUid);
    },
    sandboxStatus: async (id) => sandbox(id),
    listSandboxes: async (filter) =>
      [...sandboxes.values()].filter(({ podUid }) => filter?.podUid === undefined || podUid === filter.podUid),
    createContainer,
    startContainer: async (id) => {
      const { podUid, sandboxId } = container(id);
      if (!sandbox(sandboxId).ready) throw new Error(`sandbox ${sandboxId} is not running`);
      change(id, { state: "running", startedAt: clock.now() });
      emit("started", id, podUid);
    },
    stopContainer: async (id) => {
      if (containers.has(id)) finish(id, 143);
    },
    removeContainer: async (id) => {
      const found = containers.get(id);
      if (containers.delete(id) && found) emit("removed", id, found.podUid);
    },
    listContainers: async (filter) =>
      [...containers.values()].filter(({ podUid }) => filter?.podUid === undefined || podUid === filter.podUid),
    updateContainer: async (id, resources) => change(id, { resources }),
    containerStatus: async (id) => container(id),
    execSync: async (id, command) => {
      if (container(id).state !== "running") throw new Error(`Container ${id} is not running`);
      executed.push({ id, command });
      const [program, code] = command;
      return { exitCode: program === "exit" ? Number(code) : 0, output: "", stderr: "", timedOut: false };
    },
    exec: async (id, { command }) => {
      executed.push({ id: container(id).id, command });
      return session(Promise.resolve(0));
    },
    attach: async (id) => {
      container(id);
      return session(Promise.resolve(undefined));
    },
    logs: async (id) => {
      container(id);
      return Readable.from([]);
    },
    portForward: async (id) => {
      sandbox(id);
      return new PassThrough();
    },
    events,
    imageStatus: async (image) => findImage(image),
    listImages: async () => [...present.values()],
    pullImage: async (image) => {
      if (!published.has(image)) throw new Error(`pull access denied for ${image}, repository does not exist`);
      return addImage(image).id;
    },
    removeImage: async (id) => {
      for (const [name, image] of present) if (image.id === id || name === id) present.delete(name);
    },
    imagesInUse: async () => new Set([...containers.values()].map(({ imageId }) => imageId.replace("docker://", ""))),
    stats: async () =>
      [...containers.values()]
        .filter(({ state }) => state === "running")
        .map(({ id }) => ({ containerId: id, cpuNanos: 0, memoryBytes: 0, memoryWorkingSetBytes: 0, processes: 1 })),
    containerDiskUsage: async (id) => {
      container(id);
      return { rootfs: { bytes: 0, inodes: 0 }, logs: { bytes: 0, inodes: 0 } };
    },
    imageDirectory: async () => "/",
  };
}
