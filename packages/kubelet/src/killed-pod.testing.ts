// A kubelet that is killed again and again while one pod after the other starts and ends on it, and what must be true of
// the pod and of the host afterwards. Imported by kill.integration alone.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { type Pod, pods } from "@picokube/api/core/v1";
import { entriesFromPki, writeKubeconfig } from "@picokube/pki/kubeconfig";
import { ensureNodePki } from "@picokube/pki/node-certificates";
import type { TestApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import type { Test } from "tap";
import { request } from "undici";
import type { Action, Orders } from "./crash-points.testing.js";
import { everythingPod } from "./everything-pod.testing.js";
import type { KillQueue } from "./kill-queue.testing.js";
import { isReady, podsOf, startKubelet } from "./kubelet.testing.js";
import { cgroupsOf, tracesOf } from "./traces.testing.js";

const patienceMs = 180_000;
const mostKillsOfOnePod = 10;
const crashPoints = fileURLToPath(new URL("crash-points.testing.js", import.meta.url));
const namespace = "default";

/** What a node of this name is to the apiserver. */
async function nodeKubeconfig({ pkiDirectory, url }: TestApiServer, nodeName: string): Promise<string> {
  const directory = join(pkiDirectory, nodeName);
  await ensureNodePki({ directory, caDirectory: pkiDirectory, nodeName, nodeIps: ["127.0.0.1"] });
  const names = { clusterName: "test", userName: nodeName, contextName: "test", server: url };
  const path = join(directory, "kubelet.kubeconfig");
  writeKubeconfig(path, entriesFromPki({ pkiDirectory: directory, certificate: "kubelet-client", ...names }));
  return path;
}

/** A kubelet with a node, a bridge and a port of the host of its own. */
export async function createKilledKubelet(t: Test, server: TestApiServer, { number }: { number: number }) {
  const bridge = `picotest${number}`;
  const nodeName = `node-${number}`;
  const hostPort = 38_000 + number;
  const { create, until, get } = await podsOf(server);
  const kubelet = await startKubelet(t, server, {
    bridge,
    subnet: number,
    flags: [`--hostname-override=${nodeName}`, `--kubeconfig=${await nodeKubeconfig(server, nodeName)}`],
    nodeFlags: ["--max-semi-space-size=2", "--optimize-for-size", `--import=${crashPoints}`],
  });
  let made = 0;
  let pod: Pod | undefined;

  /** Whether it lives to hear them. */
  async function order(orders: Orders): Promise<boolean> {
    const child = kubelet.process;
    const heard = new AbortController();
    const { signal } = heard;
    const answered = once(child, "message", { signal }).then(() => true);
    const died = once(child, "exit", { signal }).then(() => false);
    // Its exit is told where it can hear no more.
    child.send(orders, () => undefined);
    return Promise.race([answered, died]).finally(() => heard.abort());
  }

  const containers = async () =>
    (await kubelet.containers()).map(({ Id, State, Labels }) => ({
      id: Id,
      state: State,
      name: Labels["io.kubernetes.container.name"]!,
    }));
  type Seen = Awaited<ReturnType<typeof containers>>[number];

  /** Kills of the queue until one is not come to; then the kubelet lives, and has no orders. */
  async function kill(
    queue: KillQueue,
    { begin, done }: { begin: () => Promise<unknown>; done: () => Promise<unknown> },
  ): Promise<{ words: string; seen: Seen[] }> {
    const killed: string[] = [];
    const seen: Seen[] = [];
    let next = queue.take();
    if (next) await order({ dieAt: next });
    await begin();
    while (next) {
      await eventually("the kubelet dies, or is done", async () => !kubelet.running || (await done()), patienceMs);
      // Log files are among the last.
      await eventually("it dies", async () => !kubelet.running, killed.length === 0 ? 3_000 : 500).catch(
        () => undefined,
      );
      // It may die just now.
      if (kubelet.running && (await order({}))) {
        if (killed.length > 0) queue.giveBack(next);
        else killed.push(`not come to ${next.name} no. ${next.count}`);
        break;
      }
      killed.push(`${next.when} ${next.name} no. ${next.count}`);
      seen.push(...(await containers()));
      next = killed.length < mostKillsOfOnePod ? queue.takeAfter(next) : undefined;
      kubelet.start([], next && { CRASH_POINT: JSON.stringify(next) });
    }
    return { words: `killed ${killed.join(", ")}`, seen };
  }

  /** What there is of the pod, and what there was more when there was none. */
  const left = async () => ({
    pod: (await get(pod!.metadata.name))?.status,
    cgroups: await cgroupsOf([pod!.metadata.uid]),
    allocations: readFileSync(join(kubelet.rootDir, "allocated_pods_state"), "utf8"),
    ...(await tracesOf(kubelet, bridge)),
  });
  let nothing: Awaited<ReturnType<typeof left>> | undefined;

  /** By the kubelet that runs now, not by what one before it has told. */
  async function runs(): Promise<boolean> {
    const path = `/api/v1/nodes/${nodeName}/proxy/runningpods/`;
    const { status, body } = await server.client.raw({ method: "GET", path });
    const text = await readText(body);
    return status === 200 && text.includes(pod!.metadata.uid);
  }

  async function isUp(t: Test, { words, seen }: { words: string; seen: readonly Seen[] }): Promise<void> {
    const { name, uid } = pod!.metadata;
    await eventually(`${words}: the kubelet has seen it`, () => runs().catch(() => false), patienceMs);
    const { status } = await until(name, `${words}: ready`, isReady, patienceMs);
    const wanted = ["POD running", "init exited", "second running", "sidecar running", "web running"];
    const present = async () => (await containers()).map(({ name, state }) => `${name} ${state}`).sort();
    await eventually(words, async () => `${await present()}` === `${wanted}`, patienceMs).catch(() => undefined);
    t.same(await present(), wanted, words);
    const answer = () => request(`http://127.0.0.1:${hostPort}/k`).then(({ body }) => body.text());
    const answered = await eventually(`${words}: the port of the host`, () => answer().catch(() => ""), patienceMs);
    t.equal(answered, "set up", words);
    const { wires } = await tracesOf(kubelet, bridge);
    t.equal(wires.trim().split("\n").length, 1, words);

    const emptyDirs = join(kubelet.rootDir, "pods", uid, "volumes", "kubernetes.io~empty-dir");
    const said = readFileSync(join(emptyDirs, "data", "said"), "utf8")
      .trim()
      .split("\n");
    const isHook = (word: string) => word === "postStart";
    t.same(said.filter((word) => !isHook(word)).sort(), ["init", "second", "sidecar", "web"], `${words}: ran once`);
    // A hook that was lost with its kubelet is not run again.
    t.ok(said.filter(isHook).length <= 1, `${words}: the hook ran once at most`);
    t.equal(readFileSync(join(emptyDirs, "memory", "file"), "utf8"), "kept\n", words);

    const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
    const now = await containers();
    for (const { name, restartCount } of statuses) {
      const earlier = seen.filter((container) => container.name === name);
      const ran = earlier.filter(({ state }) => state !== "created");
      for (const { id } of ran)
        t.ok(
          now.some((container) => container.id === id),
          `${words}: ${name} is the same`,
        );
      // What was made and never ran is made again, and counted, as upstream does.
      const wasted = new Set(earlier.map(({ id }) => id).filter((id) => !now.some((container) => container.id === id)));
      // The engine may have been making one when it was looked at.
      const unseen =
        name === "init" || words.includes(`during engine POST /containers/create ${name}`) ? seen.length : 0;
      const counted = restartCount >= wasted.size && restartCount <= wasted.size + unseen;
      t.ok(counted, `${words}: ${restartCount} restarts of ${name}, of which there had been ${wasted.size}`);
    }
  }

  async function isGone(t: Test, words: string): Promise<void> {
    const gone = async () => JSON.stringify(await left()) === JSON.stringify(nothing);
    await eventually("nothing is left", gone, patienceMs).catch((error: Error) => t.comment(`${error}`));
    t.same(await left(), nothing, words);
  }

  const begin = async () => {
    pod = await create(`killed-${number}-${made++}`, everythingPod(nodeName, hostPort));
  };
  const remove = () => server.client.delete(pods, { name: pod!.metadata.name, namespace });

  return {
    kubelet,
    /** The actions of a pod's start and of its end, from one that lives undisturbed. */
    async record(t: Test) {
      const actions: Action[] = [];
      const listen = (message: unknown) => void ("name" in (message as object) && actions.push(message as Action));
      const podNetworkIsUp = async () => /Pod network is up/.test(kubelet.log());
      await eventually("the kubelet runs", podNetworkIsUp, patienceMs);
      await order({ record: true });
      kubelet.process.on("message", listen);
      await begin();
      await isUp(t, { words: "undisturbed", seen: [] });
      const starting = actions.splice(0);
      await order({ record: true });
      await remove();
      const isFree = async () => {
        const found = JSON.stringify(await left());
        return ![pod!.metadata.uid, pod!.metadata.name, "master"].some((word) => found.includes(word));
      };
      await eventually("undisturbed: nothing is left", isFree, patienceMs);
      nothing = await left();
      kubelet.process.off("message", listen);
      return { starting, ending: actions };
    },

    /** One pod's life, with kills of its start and of its end. */
    async disturb(t: Test, { starting, ending }: { starting: KillQueue; ending: KillQueue }): Promise<void> {
      const isUpAlready = async () => isReady((await get(pod!.metadata.name))!);
      await isUp(t, await kill(starting, { begin, done: isUpAlready }));
      const isGoneAlready = async () => (await get(pod!.metadata.name)) === undefined;
      const { words } = await kill(ending, { begin: remove, done: isGoneAlready });
      await isGone(t, words);
    },
  };
}
