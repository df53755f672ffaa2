// A pod's token through its whole life, against a real apiserver and in a real volume, on a clock that steps: given,
// renewed in its file, kept while nobody answers, refused once the pod has gone. Needs root: mounts tmpfs.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tokenreviews } from "@picokube/api/authentication/v1";
import { pods, serviceaccounts } from "@picokube/api/core/v1";
import { notFound } from "@picokube/api/errors";
import { createLogger } from "@picokube/component-base/logger";
import { startApiServer } from "@picokube/testing/apiserver";
import { node } from "@picokube/testing/builders";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import type { ObjectSource } from "../parts.js";
import { createVolumeManager } from "./volume-manager.js";

const never = new AbortController().signal;
const LIFE_SECONDS = 600;

test("a pod's token is renewed in its volume and ends with the pod", async (t) => {
  const server = await startApiServer(t);
  const { client } = server;
  const rootDir = await mkdtemp(join(tmpdir(), "service-account-tokens-"));
  const clock = steppingClock(Date.now());
  const absent = async (_namespace: string, name: string) => {
    throw notFound({ group: "", resource: "configmaps" }, name);
  };
  const objects: ObjectSource = {
    configMap: absent,
    secret: absent,
    serviceAccount: absent,
    services: () => [],
    node: () => node("n"),
  };
  const manager = createVolumeManager({
    rootDir,
    objects,
    client,
    clock,
    logger: createLogger({ name: "test", verbosity: 0 }),
  });
  await client.create(serviceaccounts, { metadata: { name: "app", namespace: "default" } });
  const token = { serviceAccountToken: { path: "token", expirationSeconds: LIFE_SECONDS, audience: "" } };
  const created = await client.create(pods, {
    metadata: { name: "p", namespace: "default" },
    spec: {
      serviceAccountName: "app",
      automountServiceAccountToken: false,
      containers: [{ name: "c", image: "i", volumeMounts: [{ name: "token", mountPath: "/token" }] }],
      volumes: [{ name: "token", projected: { sources: [token] } }],
    },
  });
  t.teardown(async () => {
    await manager.release(created.metadata.uid).catch(() => {});
    await rm(rootDir, { recursive: true });
  });

  /** What the pod's program would read after the kubelet's next look. */
  const tokenInPod = async (): Promise<string> => {
    const volumes = await manager.prepare(created, never);
    const [mount] = await volumes.mountsFor(created.spec!.containers[0]!);
    return readFile(join(mount!.hostPath, "token"), "utf8");
  };
  const reviewed = async (text: string) =>
    (await client.create(tokenreviews, { metadata: {} as never, spec: { token: text } } as never)).status;

  const first = await tokenInPod();
  t.match(await reviewed(first), {
    authenticated: true,
    user: {
      username: "system:serviceaccount:default:app",
      extra: { "authentication.kubernetes.io/pod-name": ["p"] },
    },
  });
  await clock.advance(0.7 * LIFE_SECONDS * 1000);
  t.equal(await tokenInPod(), first, "as long as a fifth of its life is left, it stays");
  await clock.advance(0.11 * LIFE_SECONDS * 1000);
  const second = await tokenInPod();
  t.not(second, first, "then another stands in the file");
  t.match(await reviewed(second), { authenticated: true });

  await server.stop();
  // By the server's clock, which nobody steps, all tokens are given at the beginning: this one is about to end.
  await clock.advance((0.98 - 0.81) * LIFE_SECONDS * 1000);
  t.equal(await tokenInPod(), second, "while nobody answers, one that still holds is kept");
  await server.restart();
  await clock.advance(LIFE_SECONDS * 1000);
  const third = await tokenInPod();
  t.not(third, second);

  await client.delete(pods, { namespace: "default", name: "p" }, { gracePeriodSeconds: 0 });
  for (const text of [first, second, third]) {
    t.not((await reviewed(text))?.authenticated, true, "no token outlives its pod");
  }
});
