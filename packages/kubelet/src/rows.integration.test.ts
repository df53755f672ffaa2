// A database on a claim keeps its rows when the Docker daemon under it is restarted, orderly and not. On a daemon of the
// test's own; the test binds claim and volume as the binder leaves them.

import { join } from "node:path";
import { nodes, persistentvolumeclaims, persistentvolumes } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { startDockerDaemon } from "./docker-daemon.testing.js";
import { isReady, podsOf, run, startKubelet } from "./kubelet.testing.js";

const namespace = "default";
const patienceMs = 120_000;

test("G1 postgres keeps its rows through a restart of Docker", async (t) => {
  const [server, daemon] = await Promise.all([
    startApiServer(t, { flags: ["--kubelet-preferred-address-types=InternalIP"] }),
    startDockerDaemon(t, { images: ["postgres"] }),
  ]);
  const { client } = server;
  const { create, until } = await podsOf(server);
  const kubelet = await startKubelet(t, server, { bridge: "picotest27", subnet: 27, dockerSocket: daemon.socket });
  await eventually("the node", () => client.get(nodes, { name: "node-1" }).catch(() => undefined), patienceMs);

  const accessModes: "ReadWriteOnce"[] = ["ReadWriteOnce"];
  const requests = { storage: "100Mi" };
  const { metadata } = await client.create(persistentvolumeclaims, {
    metadata: { name: "data", namespace },
    spec: { accessModes, resources: { requests }, volumeName: "rows", storageClassName: "" },
  });
  const hostname = { key: "kubernetes.io/hostname", operator: "In" as const, values: ["node-1"] };
  await client.create(persistentvolumes, {
    metadata: { name: "rows" },
    spec: {
      accessModes,
      capacity: requests,
      claimRef: { namespace, name: "data", uid: metadata.uid },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [hostname] }] } },
      local: { path: join(kubelet.rootDir, "local-path", `pvc-${metadata.uid}_default_data`) },
    },
  });
  const status = { phase: "Bound" };
  const options = { type: "merge", subresource: "status" } as const;
  await client.patch(persistentvolumeclaims, { name: "data", namespace }, { status }, options);
  await create("db", {
    volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }],
    containers: [
      {
        name: "postgres",
        image: "postgres",
        imagePullPolicy: "IfNotPresent",
        env: [
          { name: "POSTGRES_PASSWORD", value: "secret" },
          { name: "PGDATA", value: "/data/pgdata" },
        ],
        readinessProbe: {
          exec: { command: ["pg_isready", "-U", "postgres", "-h", "127.0.0.1"] },
          periodSeconds: 1,
        },
        volumeMounts: [{ name: "data", mountPath: "/data" }],
      },
    ],
  });
  const restarted = (times: number) =>
    until(
      "db",
      `ready after ${times} restarts`,
      (pod) => isReady(pod) && (pod.status?.containerStatuses?.[0]?.restartCount ?? 0) >= times,
      patienceMs,
    );
  const sql = async (statement: string) => {
    const { status } = await restarted(0);
    const id = status!.containerStatuses![0]!.containerID!.replace("docker://", "");
    const psql = ["psql", "-U", "postgres", "-qAtc", statement];
    const { stdout } = await run("docker", ["-H", `unix://${daemon.socket}`, "exec", id, ...psql]);
    return stdout.trim();
  };
  const rows = () =>
    eventually(
      "the rows",
      () => sql("select string_agg(text, ' ' order by id) from notes").catch(() => undefined),
      patienceMs,
    );
  await restarted(0);
  await sql("create table notes (id serial primary key, text text)");
  await sql("insert into notes (text) values ('hello'), ('world')");

  for (const [times, signal] of (["SIGTERM", "SIGKILL"] as const).entries()) {
    await daemon.stop(signal);
    await daemon.start();
    await restarted(times + 1);
    t.equal(await rows(), "hello world", `after ${signal}`);
  }
});
