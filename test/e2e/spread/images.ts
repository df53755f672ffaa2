// Story: images come to the VMs from this machine, and through the mirror that their engines ask first.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "@picokube/testing/eventually";
import type { Test } from "tap";
import type { LocalVms } from "../harness/local-vms.js";
import { isReady, podsOf } from "../harness/pod-rows.js";
import type { Registry } from "../harness/registry.js";

export async function images(t: Test, { cluster, kubectl, picokube }: LocalVms, registry: Registry): Promise<void> {
  t.match(await picokube("image", "load", "nginx"), /Loaded nginx \([\d.]+ MiB\) on node-2, node-3\./);
  t.match(await picokube("image", "load", "postgres", "--nodes", "node-3"), /Loaded postgres .* on node-3\./);
  const broken = join(cluster.dataDir, "broken.tar");
  writeFileSync(broken, "this is no archive");
  await t.rejects(
    picokube("image", "load", broken, "--nodes", "node-3"),
    /docker load on node-3 failed: .*(EOF|header)/,
  );
  await t.rejects(picokube("image", "load", "./no-such.tar"), /"\.\/no-such\.tar" is neither a file nor an image/);

  // A name without a registry is Docker Hub's: where that cannot be asked, the mirror answers for it.
  const name = `mirrored-${process.pid}`;
  await registry.publish("busybox", `library/${name}:1`);
  const container = { name: "main", image: `${name}:1`, command: ["sleep", "100000"] };
  const spec = { nodeName: "node-2", terminationGracePeriodSeconds: 1, containers: [container] };
  await kubectl.apply(
    JSON.stringify({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "mirrored", labels: { app: "mirrored" } },
      spec,
    }),
  );
  await eventually("it runs", async () => (await podsOf(kubectl, "mirrored")).every(isReady), 120_000);
  t.match(registry.asked(), new RegExp(`GET /v2/library/${name}/manifests/`), "the mirror was asked for it");
  const [{ imageID }] = (await kubectl.json(["get", "pod", "mirrored"])).status.containerStatuses;
  t.match(imageID, new RegExp(`${name}@sha256:`), "and it is Docker Hub's by name");
  await kubectl.run(["delete", "pod", "mirrored", "--now"]);
  await t.rejects(
    picokube("node", "add", "--registry-mirror", "ftp://mirror"),
    /invalid argument "ftp:\/\/mirror" for "--registry-mirror": unsupported scheme "ftp"/,
  );
}
