// Pulling from real registries, with a password and without, onto an engine with a small disk: every pull policy, every
// form of credentials, the words of each failure, a disk that is full, the collection of unused images, and eviction
// where that is not enough. On a daemon and registries of the test's own.

import { nodes, type Pod, secrets, serviceaccounts } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { startDockerDaemon } from "../docker-daemon.testing.js";
import { isReady, podsOf, sleeper, startKubelet } from "../kubelet.testing.js";
import { account, publish, startRegistry } from "./registry.testing.js";

const patienceMs = 90_000;
const mib = 1024 * 1024;

const waiting = ({ status }: Pod) => status?.containerStatuses?.[0]?.state?.waiting;
const isWaitingFor = (reason: string) => (pod: Pod) => waiting(pod)?.reason === reason;

function dockerConfig(server: string, password = account.password) {
  const auth = Buffer.from(`${account.username}:${password}`).toString("base64");
  return { [server]: { username: account.username, password, auth } };
}

test("registries", async (t) => {
  const [server, daemon] = await Promise.all([
    startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] }),
    startDockerDaemon(t, { images: ["busybox"], diskMiB: 100 }),
  ]);
  const { create, until, get, kubectl, eventsOf } = await podsOf(server);
  const open = await startRegistry(t, daemon, { port: 5000 });
  const locked = await startRegistry(t, daemon, { port: 5001, withPassword: true });
  const digest = await publish(daemon, `${open}/team/app:v1`);
  await publish(daemon, `${open}/team/other:v1`);
  await publish(daemon, `${locked}/team/app:v1`);
  await publish(daemon, `${locked}/team/old:v1`);
  await publish(daemon, `${locked}/team/own:v1`);
  const kubelet = await startKubelet(t, server, { bridge: "picotest41", subnet: 41, dockerSocket: daemon.socket });
  await eventually("the node registers", async () => /node-1/.test(await kubectl("get", "nodes")), patienceMs);

  const secret = (name: string, type: string, key: string, content: object) =>
    server.client.create(secrets, {
      metadata: { name, namespace: "default" },
      type: `kubernetes.io/${type}`,
      data: { [key]: Buffer.from(JSON.stringify(content)).toString("base64") },
    });
  const ofImage = (
    name: string,
    image: string,
    { policy, pullSecret }: { policy?: string; pullSecret?: string } = {},
  ) =>
    create(name, {
      containers: [{ ...sleeper(), image, ...(policy ? { imagePullPolicy: policy as "Always" } : {}) }],
      ...(pullSecret ? { imagePullSecrets: [{ name: pullSecret }] } : {}),
    });
  const eventOf = (name: string, words: RegExp) =>
    eventually(`${name}: ${words}`, async () => words.exec(await eventsOf(name)) ?? undefined, patienceMs);
  /** Whether the engine has an image of such a name. */
  const has = async (word: string) => {
    const found = await daemon.docker.listImages();
    return found.some(({ RepoTags }) => RepoTags?.some((tag) => tag.includes(word)));
  };
  const ready = (name: string) => until(name, "ready", isReady, patienceMs);

  await secret("good", "dockerconfigjson", ".dockerconfigjson", { auths: dockerConfig(locked) });
  await secret("legacy", "dockercfg", ".dockercfg", dockerConfig(`http://${locked}/v1/`));
  await secret("wrong", "dockerconfigjson", ".dockerconfigjson", { auths: dockerConfig(locked, "close sesame") });
  await secret("elsewhere", "dockerconfigjson", ".dockerconfigjson", { auths: dockerConfig("example.com") });
  await server.client.create(serviceaccounts, {
    metadata: { name: "puller", namespace: "default" },
    imagePullSecrets: [{ name: "good" }],
  });

  await t.test("an image is pulled once, told with its size, and named by its digest", async (t) => {
    await ofImage("first", `${open}/team/app:v1`);
    const pod = await ready("first");
    t.equal(pod.status?.containerStatuses?.[0]?.imageID, `docker-pullable://${open}/team/app@${digest}`);
    const pulled = new RegExp(
      `Pulled: Successfully pulled image "${open}/team/app:v1" in \\S+s \\(\\S+s including waiting\\)\\. Image size: \\d+ bytes\\.`,
    );
    await eventOf("first", pulled);
    await ofImage("again", `${open}/team/app:v1`, { policy: "IfNotPresent" });
    await ready("again");
    await eventOf("again", new RegExp(`Container image "${open}/team/app:v1" already present on machine`));
    await ofImage("always", `${open}/team/app:v1`, { policy: "Always" });
    await ready("always");
    await eventOf("always", pulled);
    await ofImage("digest", `${open}/team/app@${digest}`, { policy: "Always" });
    t.match((await ready("digest")).status?.containerStatuses?.[0]?.imageID, `@${digest}`);
  });

  await t.test("each form of credentials opens the locked registry", async () => {
    await Promise.all([
      ofImage("by-config", `${locked}/team/app:v1`, { pullSecret: "good" }),
      ofImage("by-cfg", `${locked}/team/old:v1`, { pullSecret: "legacy" }),
      create("by-account", {
        serviceAccountName: "puller",
        containers: [{ ...sleeper(), image: `${locked}/team/own:v1` }],
      }),
    ]);
    for (const name of ["by-config", "by-cfg", "by-account"]) await ready(name);
  });

  await t.test("every failure has its reason and its words", async (t) => {
    const image = `${locked}/team/secret:v1`;
    await publish(daemon, image);
    await Promise.all([
      ofImage("anonymous", image),
      ofImage("mistaken", image, { pullSecret: "wrong" }),
      ofImage("irrelevant", image, { pullSecret: "elsewhere" }),
      ofImage("without", image, { pullSecret: "missing" }),
      ofImage("absent", `${open}/team/none:v1`),
      ofImage("never", `${open}/team/other:v1`, { policy: "Never" }),
      ofImage("nonsense", `${open}/Team/App:v1`),
    ]);
    const table: [string, string, RegExp][] = [
      [
        "never",
        "ErrImageNeverPull",
        /^Container image "\S+\/team\/other:v1" is not present with pull policy of Never$/,
      ],
      [
        "nonsense",
        "InvalidImageName",
        /^Failed to apply default image tag .*couldn't parse image name .*: invalid reference/,
      ],
      [
        "anonymous",
        "ImagePullBackOff",
        /^Back-off pulling image "\S+secret:v1": ErrImagePull: .*no basic auth credentials/,
      ],
      ["mistaken", "ImagePullBackOff", /ErrImagePull: .*(unauthorized|authentication required)/],
      ["irrelevant", "ImagePullBackOff", /ErrImagePull: .*no basic auth credentials/],
      ["without", "ImagePullBackOff", /ErrImagePull: .*no basic auth credentials/],
      ["absent", "ImagePullBackOff", /ErrImagePull: .*(not found|manifest unknown)/],
    ];
    for (const [name, reason, message] of table) {
      const pod = await until(name, reason, isWaitingFor(reason), patienceMs);
      t.match(waiting(pod)?.message, message, name);
    }
    await eventOf("mistaken", /Failed: Failed to pull image "\S+secret:v1": .*unauthorized/);
    await eventOf("mistaken", /Failed: Error: ErrImagePull/);
    await eventOf("mistaken", /Failed: Error: ImagePullBackOff/);
    await eventOf("never", /ErrImageNeverPull: Container image .* is not present with pull policy of Never/);
    await eventOf("nonsense", /InspectFailed: Failed to apply default image tag/);
    await eventOf(
      "without",
      /FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets \(missing\); attempting to pull the image may not succeed\./,
    );
  });

  await t.test("a full disk fails the pull, and no other pod", async (t) => {
    await kubectl("delete", "pods", "--all", "--wait=true", "--grace-period=1");
    const images = ["big-1", "big-2", "big-3"].map((name) => `${open}/team/${name}:v1`);
    for (const image of images) await publish(daemon, image, { extraMiB: 25 });
    await ofImage("one", images[0]!);
    await ready("one");
    await ofImage("two", images[1]!);
    await ready("two");
    await ofImage("three", images[2]!);
    const full = await until("three", "waits", isWaitingFor("ImagePullBackOff"), patienceMs);
    t.match(waiting(full)?.message, /ErrImagePull: .*no space left on device/);
    for (const name of ["one", "two"]) t.equal(isReady((await get(name))!), true, name);
  });

  await t.test("unused images make room when the disk is fuller than the threshold", async (t) => {
    await kubectl("delete", "pod", "two", "--wait=true", "--grace-period=1");
    // The API forgets it a moment before its containers have gone, and while they are there the image is in use.
    await eventually(
      "its containers have gone",
      async () => !(await kubelet.containers()).some(({ Labels }) => Labels["io.kubernetes.pod.name"] === "two"),
      patienceMs,
    );
    await kubelet.stop();
    t.equal(await has("big-2"), true);
    kubelet.start(["--image-gc-high-threshold=30", "--image-gc-low-threshold=1", "--minimum-image-ttl-duration=0s"]);
    await ready("three");
    t.equal(await has("big-2"), false, "nobody used it");
    t.equal(await has("big-1"), true, "in use");
    t.equal(await has("busybox"), true, "made on this host: no registry could give it again");
    t.equal(await has("pause"), true, "of the sandboxes");
    const said = await eventually(
      "the event",
      async () => /FreeDiskSpaceFailed: .*/.exec(await eventsOf("node-1"))?.[0],
      patienceMs,
    );
    const [, wanted, found] =
      /^FreeDiskSpaceFailed: Failed to garbage collect required amount of images\. Attempted to free (\d+) bytes, but only found (\d+) bytes eligible to free\.$/.exec(
        said,
      ) ?? [];
    t.ok(Number(wanted) > Number(found) && Number(found) >= 25 * mib, said);
  });

  await t.test("a disk that stays too full costs pods, after all else", async (t) => {
    await kubelet.stop();
    kubelet.start(["--eviction-hard=imagefs.available<99%", "--minimum-image-ttl-duration=0s"]);
    const isEvicted = ({ status }: Pod) => status?.phase === "Failed" && status.reason === "Evicted";
    for (const name of ["one", "three"]) {
      const { status } = await until(name, "evicted", isEvicted, patienceMs);
      t.match(
        status?.message,
        /^The node was low on resource: ephemeral-storage\. Threshold quantity: \d+, available: \d+Ki\. /,
      );
    }
    await eventually("their images have gone", async () => !(await has("big-")), patienceMs);
    t.equal(await has("busybox"), true);
    const pressure = await eventually(
      "DiskPressure",
      async () => {
        const node = await server.client.get(nodes, { name: "node-1" });
        const found = node.status?.conditions?.find(({ type }) => type === "DiskPressure");
        return found?.status === "True" && found;
      },
      patienceMs,
    );
    t.match(pressure, { reason: "KubeletHasDiskPressure", message: "kubelet has disk pressure" });
    t.match(await eventsOf("node-1"), "EvictionThresholdMet: Attempting to reclaim ephemeral-storage");
    await create("late");
    const late = await until("late", "refused", isEvicted, patienceMs);
    t.equal(late.status?.message, "Pod was rejected: The node had condition: [DiskPressure]. ");
  });
});
