// Volumes made of files out of the API, seen from inside pods: configMap, secret, downwardAPI, projected. Their modes and groups,
// what follows its source, what is missing and heals. One kubelet for all stories. Needs root, Docker, and the test image busybox.

import { configmaps, type Pod, pods, secrets, type Volume } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { podsOf, sleeper, startKubelet } from "./kubelet.testing.js";
import { mountsOf, using } from "./volumes.testing.js";

const patienceMs = 60_000;
const namespace = "default";

test("volumes of the API's objects", async (t) => {
  const server = await startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] });
  const { client } = server;
  const { create, until, ready, removeAll, kubectl, inside, said, eventsOf } = await podsOf(server);
  const kubelet = await startKubelet(t, server, { bridge: "picotest83", subnet: 83 });
  await eventually("the node registers", async () => /node-1/.test(await kubectl("get", "nodes")), patienceMs);

  await t.test("files of the API: modes, sources together, and what follows a change", async (t) => {
    const metadata = (name: string) => ({ name, namespace });
    await client.create(configmaps, { metadata: metadata("settings"), data: { colour: "blue", size: "3" } });
    await client.create(configmaps, { metadata: metadata("fixed"), data: { k: "v" }, immutable: true });
    await client.create(secrets, { metadata: metadata("login"), stringData: { password: "s3cret" } });
    const labels = { path: "labels", fieldRef: { fieldPath: "metadata.labels" } };
    const limit = { containerName: "c", resource: "limits.memory", divisor: "1Mi" };
    const request = { containerName: "c", resource: "requests.cpu", divisor: "1m" };
    const volumes: Volume[] = [
      { name: "settings", configMap: { name: "settings", defaultMode: 0o640 } },
      { name: "fixed", configMap: { name: "fixed", items: [{ key: "k", path: "deep/k", mode: 0o400 }] } },
      { name: "login", secret: { secretName: "login", defaultMode: 0o400 } },
      { name: "absent", configMap: { name: "absent", optional: true } },
      {
        name: "self",
        downwardAPI: {
          items: [
            labels,
            { path: "note", fieldRef: { fieldPath: "metadata.annotations['note']" } },
            { path: "name", fieldRef: { fieldPath: "metadata.name" } },
            { path: "memory", resourceFieldRef: limit },
            { path: "cpu", resourceFieldRef: request, mode: 0o440 },
          ],
        },
      },
      {
        name: "together",
        projected: {
          defaultMode: 0o444,
          sources: [
            { configMap: { name: "settings", items: [{ key: "colour", path: "config/colour" }] } },
            { secret: { name: "login", items: [{ key: "password", path: "password", mode: 0o400 }] } },
            { downwardAPI: { items: [labels] } },
            { serviceAccountToken: { path: "token", expirationSeconds: 3600 } },
            { secret: { name: "absent", optional: true } },
          ],
        },
      },
    ];
    const mounts = [...mountsOf(volumes), { name: "settings", mountPath: "/colour", subPath: "colour" }];
    await client.create(pods, {
      metadata: { ...metadata("files"), labels: { app: "web" }, annotations: { note: "one" } },
      spec: {
        nodeName: "node-1",
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 1,
        volumes,
        containers: [
          {
            ...sleeper(),
            volumeMounts: mounts,
            resources: { limits: { memory: "64Mi" }, requests: { cpu: "250m" } },
          },
        ],
      },
    } as never);
    // The same files with a group: whoever is in it may read what others may not.
    await create("grouped", {
      ...using(volumes, mountsOf(volumes)),
      securityContext: { runAsUser: 1000, fsGroup: 2000 },
      volumes: volumes.filter(({ name }) => name !== "self"),
      containers: [{ ...sleeper(), volumeMounts: mountsOf(volumes).filter(({ name }) => name !== "self") }],
    });
    await Promise.all([ready("files"), ready("grouped")]);
    const modes = (pod: string, ...paths: string[]) => inside(pod, `stat -L -c '%a %u %g' ${paths.join(" ")}`);
    const places = ["/settings/colour", "/fixed/deep/k", "/login/password", "/together/config/colour"];
    const more = ["/together/password", "/together/token"];
    t.equal(
      await modes("files", ...places, ...more, "/self/cpu"),
      "640 0 0\n400 0 0\n400 0 0\n444 0 0\n400 0 0\n444 0 0\n440 0 0\n",
    );
    t.equal(
      await modes("grouped", ...places, ...more),
      "640 0 2000\n440 0 2000\n440 0 2000\n444 0 2000\n440 0 2000\n640 1000 2000\n",
    );
    t.match(await inside("grouped", "cat /login/password /together/token"), /^s3cret[\w-]+\.[\w-]+\.[\w-]+$/);
    t.equal(await inside("files", "cd /self; cat labels note name memory cpu"), 'app="web"onefiles64250');
    t.equal(await inside("files", "ls /absent"), "");

    const options = { type: "merge" } as const;
    await client.patch(configmaps, metadata("settings"), { data: { colour: "red" } }, options);
    await client.patch(
      pods,
      metadata("files"),
      { metadata: { labels: { app: "shop" }, annotations: { note: "two" } } },
      options,
    );
    const now = "cat /settings/colour /together/config/colour /self/note /self/labels /together/labels";
    const followed = 'redredtwoapp="shop"app="shop"';
    await eventually("files follow", async () => (await inside("files", now)) === followed, patienceMs);
    t.equal(await inside("files", "cat /colour"), "blue", "a subPath stays what it was");
    t.equal(await inside("files", "readlink /settings/colour"), "..data/colour\n");

    t.equal(await kubelet.stop(), 0);
    kubelet.start();
    await client.patch(configmaps, metadata("settings"), { data: { colour: "green" } }, options);
    await client.patch(pods, metadata("files"), { metadata: { labels: { app: "mill" } } }, options);
    await eventually(
      "a kubelet that starts anew follows too",
      async () => {
        const said = await inside("files", now).catch(() => "");
        return said === 'greengreentwoapp="mill"app="mill"';
      },
      patienceMs,
    );
    await removeAll(["files", "grouped"]);
  });

  await t.test(
    "what is missing is told for each volume, and heals; what no container mounts is not missed",
    async (t) => {
      const volumes: Volume[] = [
        { name: "c", configMap: { name: "later" } },
        { name: "s", secret: { secretName: "later" } },
        { name: "k", configMap: { name: "fixed", items: [{ key: "no", path: "no" }] } },
        { name: "unused", configMap: { name: "never" } },
      ];
      await create("patient", using(volumes, mountsOf(volumes.slice(0, 2))));
      await create("keyless", using(volumes, mountsOf(volumes.slice(2, 3))));
      const failed = (name: string, words: string) =>
        `FailedMount: MountVolume.SetUp failed for volume "${name}" : ${words}`;
      await said("patient", failed("c", 'configmap "later" not found'));
      await said("patient", failed("s", 'secret "later" not found'));
      await said("keyless", failed("k", "configmap references non-existent config key: no"));
      const waits = (pod: Pod) => pod.status?.containerStatuses?.[0]?.state?.waiting?.reason === "ContainerCreating";
      await until("patient", "waits", waits, patienceMs);
      const metadata = { name: "later", namespace };
      await client.create(configmaps, { metadata, data: { k: "v" } });
      await client.create(secrets, { metadata, stringData: { p: "w" } });
      await ready("patient");
      t.equal(await inside("patient", "cat /c/k /s/p; ls /trust; test ! -e /image"), "vw");
      t.notMatch(await eventsOf("patient"), '"unused"');
      await removeAll(["patient", "keyless"]);
    },
  );
});
