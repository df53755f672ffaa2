// Pull policies, back-off and the words of events, on the in-memory runtime with a stepped clock.

import type { Container, Pod, Secret } from "@picokube/api/core/v1";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { createMemoryRuntime } from "../cri/memory/memory-runtime.js";
import { ContainerStartError } from "../pods/pod-events.js";
import { createImageManager } from "./image-manager.js";

const pod = {
  metadata: { name: "web", namespace: "default", uid: "u", resourceVersion: "1", creationTimestamp: "" },
  spec: { containers: [] },
} as unknown as Pod;

function setUp(useLocallyBuiltImages: boolean, parallelPulls = 1, secrets: Readonly<Record<string, Secret>> = {}) {
  const clock = steppingClock();
  const runtime = createMemoryRuntime({ clock, images: ["here:1"] });
  const said: string[] = [];
  const events = {
    normal: (_: Pod, { reason, message }: { reason: string; message: string }) =>
      said.push(`Normal ${reason} ${message}`),
    warning: (_: Pod, { reason, message }: { reason: string; message: string }) =>
      said.push(`Warning ${reason} ${message}`),
  };
  const images = createImageManager({
    runtime,
    events,
    clock,
    secret: async (_, name) => {
      if (!secrets[name]) throw new Error("none");
      return secrets[name];
    },
    parallelPulls,
    useLocallyBuiltImages,
  });
  const ensure = (container: Partial<Container>, ofPod = pod) =>
    images.ensure(ofPod, { name: "c", ...container } as Container, new AbortController().signal);
  /** Reason and message of the failure. */
  const failure = async (container: Partial<Container>, ofPod = pod) => {
    const error = await ensure(container, ofPod).then(
      () => undefined,
      (error: unknown) => error,
    );
    return error instanceof ContainerStartError ? { reason: error.reason, message: error.message } : error;
  };
  return { clock, runtime, said, ensure, failure };
}

test("what is present is not pulled", async (t) => {
  const { said, ensure } = setUp(true);
  await ensure({ image: "here:1", imagePullPolicy: "IfNotPresent" });
  await ensure({ image: "here:1", imagePullPolicy: "Always" });
  const present = 'Normal Pulled Container image "here:1" already present on machine';
  t.same(said, [present, present]);
});

test("what is absent is pulled, or fails with its reason", async (t) => {
  const { clock, runtime, said, ensure, failure } = setUp(false);
  t.match(await failure({ image: "gone:1", imagePullPolicy: "Never" }), { reason: "ErrImageNeverPull" });
  t.match(await failure({ image: "a b" }), {
    reason: "InvalidImageName",
    message: 'Failed to apply default image tag "a b": couldn\'t parse image name "a b": invalid reference format',
  });
  said.length = 0;
  t.match(await failure({ image: "gone:1" }), { reason: "ErrImagePull" });
  t.match(await failure({ image: "gone:1" }), {
    reason: "ImagePullBackOff",
    message: /^Back-off pulling image "gone:1": ErrImagePull: pull access denied/,
  });
  t.match(said, [
    'Normal Pulling Pulling image "gone:1"',
    /^Warning Failed Failed to pull image "gone:1": pull access denied/,
    'Normal BackOff Back-off pulling image "gone:1"',
  ]);
  await clock.advance(10_001);
  t.match(await failure({ image: "gone:1" }), { reason: "ErrImagePull" });
  await clock.advance(10_001);
  t.match(await failure({ image: "gone:1" }), { reason: "ImagePullBackOff" }, "the wait has doubled");
  await clock.advance(10_001);
  runtime.publish("gone:1");
  said.length = 0;
  await ensure({ image: "gone:1" });
  t.match(
    said[1],
    /^Normal Pulled Successfully pulled image "gone:1" in \S+ \(\S+ including waiting\)\. Image size: 1000 bytes\.$/,
  );
});

test("an image whose origin the engine cannot tell is used when no registry has it", async (t) => {
  for (const [useLocallyBuiltImages, origin, pulls] of [
    [true, "host", 0],
    [true, "unknown", 1],
    [true, "registry", 1],
    [false, "unknown", 1],
  ] as const) {
    const { runtime, said, ensure, failure } = setUp(useLocallyBuiltImages);
    const found = { ...(await runtime.imageStatus("here:1"))!, origin };
    runtime.imageStatus = async () => found;
    runtime.pullImage = async () => {
      throw new Error("dial tcp: lookup registry: no such host");
    };
    const container = { image: "here:1", imagePullPolicy: "Always" } as const;
    if (useLocallyBuiltImages && origin !== "registry") t.equal(await ensure(container), found, origin);
    else t.match(await failure(container), { reason: "ErrImagePull" }, origin);
    t.equal(said.filter((words) => words.startsWith("Normal Pulling")).length, pulls, origin);
  }
});

test("only so many pulls run at once, in the order they came", async (t) => {
  for (const [parallelPulls, most] of [
    [1, 1],
    [2, 2],
    [Number.POSITIVE_INFINITY, 4],
  ] as const) {
    const { runtime, ensure } = setUp(false, parallelPulls);
    const started: string[] = [];
    let running = 0;
    let seen = 0;
    runtime.pullImage = async (image) => {
      started.push(image);
      running++;
      seen = Math.max(seen, running);
      // Every other pull that may begin does so meanwhile.
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      throw new Error("no registry has it");
    };
    await Promise.allSettled(["a:1", "b:1", "c:1", "d:1"].map((image) => ensure({ image })));
    t.equal(seen, most, `at most ${parallelPulls}`);
    t.same(started, ["a:1", "b:1", "c:1", "d:1"]);
  }
});

test("each pod waits for each image on its own", async (t) => {
  const { clock, failure } = setUp(false);
  const other = { ...pod, metadata: { ...pod.metadata, uid: "other" } };
  t.match(await failure({ image: "gone:1" }), { reason: "ErrImagePull" });
  t.match(await failure({ image: "gone:1" }), { reason: "ImagePullBackOff" });
  t.match(await failure({ image: "lost:1" }), { reason: "ErrImagePull" }, "another image");
  t.match(await failure({ image: "gone:1" }, other), { reason: "ErrImagePull" }, "another pod");
  for (const waitSeconds of [20, 40, 80, 160, 300, 300]) {
    await clock.advance(300_000);
    t.match(await failure({ image: "gone:1" }), { reason: "ErrImagePull" });
    await clock.advance(waitSeconds * 1000 - 1);
    t.match(await failure({ image: "gone:1" }), { reason: "ImagePullBackOff" }, `${waitSeconds} s are not over`);
  }
});

test("an image that is present is no help to policy Always, when its registry does not answer", async (t) => {
  const { runtime, failure, ensure } = setUp(false);
  runtime.pullImage = async () => {
    throw new Error("dial tcp 10.0.0.1:443: connect: connection refused");
  };
  t.match(await failure({ image: "here:1", imagePullPolicy: "Always" }), {
    reason: "ErrImagePull",
    message: /refused$/,
  });
  await ensure({ image: "here:1", imagePullPolicy: "IfNotPresent" });
  await ensure({ image: "here:1", imagePullPolicy: "Never" });
});

test("an engine that cannot be asked for the image", async (t) => {
  const { runtime, said, failure } = setUp(false);
  runtime.imageStatus = async () => {
    throw new Error("broken");
  };
  const message = 'Failed to inspect image "here:1": broken';
  t.same(await failure({ image: "here:1" }), { reason: "ImageInspectError", message });
  t.same(said, [`Warning InspectFailed ${message}`]);
});

test("credentials are tried one by one, the most specific first; all that failed is told", async (t) => {
  const auth = (password: string) => ({ auth: Buffer.from(`me:${password}`).toString("base64") });
  const secret = (auths: object) =>
    ({ data: { ".dockerconfigjson": Buffer.from(JSON.stringify({ auths })).toString("base64") } }) as unknown as Secret;
  const secrets = { host: secret({ "r.io": auth("right") }), team: secret({ "r.io/team": auth("wrong") }) };
  const { runtime, failure, ensure } = setUp(false, 1, secrets);
  const tried: (string | undefined)[] = [];
  runtime.pullImage = async (image, { auth }) => {
    tried.push(auth?.password);
    if (auth?.password !== "right" || image !== "r.io/team/app:1") throw new Error(`unauthorized: ${auth?.password}`);
    runtime.publish(image);
    const found = { ...(await runtime.imageStatus("here:1"))!, id: image };
    runtime.imageStatus = async () => found;
    return image;
  };
  const withSecrets = (...names: string[]) =>
    ({
      ...pod,
      metadata: { ...pod.metadata, uid: names.join() },
      spec: { imagePullSecrets: names.map((name) => ({ name })) },
    }) as unknown as Pod;
  t.match(await failure({ image: "r.io/team/app:1" }, withSecrets("team")), { message: "unauthorized: wrong" });
  t.match(await failure({ image: "r.io/team/none:1" }, withSecrets("host", "team")), {
    message: "[unauthorized: wrong, unauthorized: right]",
  });
  tried.length = 0;
  await ensure({ image: "r.io/team/app:1" }, withSecrets("host", "team"));
  t.same(tried, ["wrong", "right"]);
});
