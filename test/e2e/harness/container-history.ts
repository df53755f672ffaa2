// When containers of a pod's name ran, on every engine of a cluster of local VMs: the engines' own events, which all carry
// this machine's clock. So that "never two at once" is read, not sampled.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { LocalVms } from "./local-vms.js";

export interface Span {
  readonly node: string;
  readonly podUid: string;
  readonly startedMs: number;
  /** Undefined while it runs. */
  readonly endedMs: number | undefined;
}

export interface ContainerHistory {
  /** Of the container's lives, the first started first. */
  spans(): readonly Span[];
  /** Pairs of lives that overlap, in words. */
  overlaps(): string[];
}

interface EngineEvent {
  readonly Action: string;
  readonly timeNano: number;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
}

/** Follows a container of a pod of that name, whichever node runs it, until the test ends. Resolves when all engines tell; an engine that is lost meanwhile tells no more. */
export async function followContainer(
  t: { teardown(fn: () => unknown): void },
  { cluster, docker, engines }: Pick<LocalVms, "cluster" | "docker" | "engines">,
  { pod, container }: { pod: string; container: string },
): Promise<ContainerHistory> {
  const lives = new Map<string, Span>();

  function note(node: string, { Action, timeNano, Actor }: EngineEvent): void {
    const atMs = timeNano / 1e6;
    const known = lives.get(Actor.ID);
    const podUid = Actor.Attributes["io.kubernetes.pod.uid"]!;
    if (Action === "start") lives.set(Actor.ID, { node, podUid, startedMs: atMs, endedMs: undefined });
    else if (known) lives.set(Actor.ID, { ...known, endedMs: atMs });
  }

  for (const [node, socket] of Object.entries(engines())) {
    // Other clusters on this machine may have a pod of that name.
    const scope = node === cluster.nodeName ? `${cluster.dataDir}/kubelet` : `${cluster.dataDir}/vms/${node}/kubelet`;
    const labels = [
      `io.picokube.scope=${scope}`,
      `io.kubernetes.pod.name=${pod}`,
      `io.kubernetes.container.name=${container}`,
    ];
    const filterFlags = labels.map((label) => `--filter=label=${label}`);
    const since = Math.floor(Date.now() / 1_000);
    const flags = ["--filter=type=container", "--filter=event=start", "--filter=event=die", ...filterFlags];
    const args = ["-H", socket, "events", `--since=${since}`, "--format={{json .}}", ...flags];
    const child = spawn("docker", args, { stdio: ["ignore", "pipe", "ignore"] });
    t.teardown(() => child.kill("SIGKILL"));
    createInterface({ input: child.stdout }).on("line", (line) => note(node, JSON.parse(line) as EngineEvent));
    // What it did before: an engine remembers but few events.
    for (const id of (await docker(node, "ps", "-aq", "--no-trunc", ...filterFlags)).split("\n").filter(Boolean)) {
      const [{ State, Config }] = JSON.parse(await docker(node, "inspect", id));
      const endedMs = State.Running ? undefined : Date.parse(State.FinishedAt);
      const podUid = Config.Labels["io.kubernetes.pod.uid"];
      lives.set(id, { node, podUid, startedMs: Date.parse(State.StartedAt), endedMs });
    }
  }

  const spans = () => [...lives.values()].sort((a, b) => a.startedMs - b.startedMs);
  return {
    spans,
    overlaps: () =>
      spans().flatMap((span, i, all) => {
        const next = all[i + 1];
        if (!next || (span.endedMs !== undefined && span.endedMs <= next.startedMs)) return [];
        return [`${pod} ${span.podUid} on ${span.node} still ran when ${next.podUid} started on ${next.node}`];
      }),
  };
}
