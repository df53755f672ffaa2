// What every Runtime must do, as a test suite. Imported by tests alone: memory/ runs it anywhere, docker/ where an
// engine is.

import type { Test } from "tap";
import { RuntimeNotFound } from "./errors.js";
import type { ContainerConfig, Runtime, RuntimeEvent, SandboxConfig } from "./runtime.js";

export interface ContractSubject {
  readonly runtime: Runtime;
  /** Present, and able to run the command. */
  readonly image: string;
  /** A command that runs until SIGTERM. */
  readonly command: readonly string[];
  readonly podUid: string;
}

/** A sandbox's config with nothing special about it. */
export function plainSandbox(podUid: string): SandboxConfig {
  return {
    podName: "contract",
    podNamespace: "picokube-test",
    podUid,
    attempt: 0,
    hostname: "contract",
    labels: { app: "contract" },
    annotations: { note: "kept" },
    network: "pod",
    hostPid: false,
    hostIpc: false,
    cgroupParent: undefined,
    sysctls: {},
  };
}

/** A container's config with nothing special about it. */
export function plainContainer({ image, command, name = "main" }: PlainContainer): ContainerConfig {
  return {
    name,
    attempt: 0,
    image,
    command,
    args: undefined,
    workingDir: undefined,
    env: ["GREETING=hello"],
    mounts: [],
    labels: { role: name },
    annotations: { "io.kubernetes.container.hash": "abc" },
    tty: false,
    stdin: false,
    stdinOnce: false,
    resources: { oomScoreAdj: 1000 },
    security: {
      privileged: false,
      user: undefined,
      groups: [],
      readOnlyRootFilesystem: false,
      noNewPrivileges: false,
      addCapabilities: [],
      dropCapabilities: [],
      seccomp: undefined,
      appArmor: undefined,
      pidMode: "container",
    },
  };
}

/** What differs between plain containers. */
export interface PlainContainer {
  readonly image: string;
  readonly command: readonly string[];
  readonly name?: string;
}

/** Runs the suite; leaves nothing behind. */
export async function runtimeContract(t: Test, { runtime, image, command, podUid }: ContractSubject): Promise<void> {
  const seen: RuntimeEvent[] = [];
  const stopEvents = new AbortController();
  const events = (async () => {
    for await (const event of runtime.events(stopEvents.signal)) seen.push(event);
  })();
  const sandboxId = await runtime.runSandbox(plainSandbox(podUid));

  await t.test("a sandbox is listed with what it was given", async (t) => {
    const [sandbox] = await runtime.listSandboxes({ podUid });
    t.match(sandbox, { id: sandboxId, podName: "contract", podNamespace: "picokube-test", attempt: 0, ready: true });
    t.same(sandbox?.labels, { app: "contract" });
    t.same(sandbox?.annotations, { note: "kept" });
    t.ok((sandbox?.pid ?? 0) > 0);
    t.same(await runtime.sandboxStatus(sandboxId), sandbox);
    t.same(await runtime.listSandboxes({ podUid: "another" }), []);
  });

  await t.test("a container is created, runs, executes and stops", async (t) => {
    const id = await runtime.createContainer(sandboxId, plainContainer({ image, command }));
    t.match(await runtime.containerStatus(id), { state: "created", sandboxId, name: "main", image });
    await runtime.startContainer(id);
    const running = await runtime.containerStatus(id);
    t.match(running, { state: "running", podUid, annotations: { "io.kubernetes.container.hash": "abc" } });
    t.ok(running.startedAt > 0);
    t.ok(running.imageId.startsWith("docker"));
    const { exitCode, timedOut } = await runtime.execSync(id, ["true"], 5000);
    t.same({ exitCode, timedOut }, { exitCode: 0, timedOut: false });
    await runtime.stopContainer(id, 1);
    await runtime.stopContainer(id, 1);
    const [stopped] = await runtime.listContainers({ podUid });
    t.match(stopped, { id, state: "exited" });
    t.ok((stopped?.finishedAt ?? 0) >= running.startedAt);
  });

  await t.test("what is not there is a RuntimeNotFound, and stopping or removing it is no fault", async (t) => {
    const missing = "f".repeat(64);
    await t.rejects(runtime.containerStatus(missing), RuntimeNotFound);
    await runtime.stopContainer(missing, 0);
    await runtime.removeContainer(missing);
    await runtime.removeSandbox(missing);
    await t.rejects(
      runtime.createContainer(sandboxId, plainContainer({ image: "picokube/absent:none", command, name: "absent" })),
      RuntimeNotFound,
    );
    t.equal(await runtime.imageStatus("picokube/absent:none"), undefined);
    t.match(await runtime.imageStatus(image), { id: /^sha256:/ });
  });

  await t.test("a stopped sandbox is not ready, a removed one is gone", async (t) => {
    await runtime.stopSandbox(sandboxId);
    t.match(await runtime.listSandboxes({ podUid }), [{ id: sandboxId, ready: false, pid: 0 }]);
    for (const { id } of await runtime.listContainers({ podUid })) await runtime.removeContainer(id);
    await runtime.removeSandbox(sandboxId);
    t.same(await runtime.listSandboxes({ podUid }), []);
    t.same(await runtime.listContainers({ podUid }), []);
  });

  await t.test("events told of it", async (t) => {
    for (let tries = 0; tries < 50 && !seen.some(({ type }) => type === "removed"); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    stopEvents.abort();
    await events;
    t.ok(seen.every((event) => event.podUid === podUid));
    for (const type of ["created", "started", "died", "removed"]) {
      t.ok(
        seen.some((event) => event.type === type),
        type,
      );
    }
  });
}
