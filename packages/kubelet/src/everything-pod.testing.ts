// A pod that has a part of every kind that the kubelet's start and end of a pod know. Imported by kill.integration's parts.

import { configmaps, type PodSpec, secrets } from "@picokube/api/core/v1";
import type { TestApiServer } from "@picokube/testing/apiserver";

const namespace = "default";

/** What such pods mount. */
export async function makeWhatItMounts({ client }: TestApiServer): Promise<void> {
  const metadata = { name: "settings", namespace };
  await client.create(configmaps, { metadata, data: { k: "set up" } });
  await client.create(secrets, { metadata, stringData: { password: "secret" } });
}

const says = (word: string) => `echo ${word} >> /data/said`;
const waits = "trap 'exit 0' TERM; sleep 3600 & wait";

/** Of every part that a start and an end have. Each container says once that it ran. */
export function everythingPod(nodeName: string, hostPort: number): Partial<PodSpec> {
  const image = { image: "busybox", imagePullPolicy: "Never" as const };
  const shell = (...lines: string[]) => ["sh", "-c", lines.join("; ")];
  const data = { name: "data", mountPath: "/data" };
  return {
    nodeName,
    terminationGracePeriodSeconds: 2,
    initContainers: [
      {
        ...image,
        name: "init",
        command: shell(says("init"), "echo kept > /memory/file"),
        volumeMounts: [data, { name: "memory", mountPath: "/memory" }],
      },
      {
        ...image,
        name: "sidecar",
        restartPolicy: "Always",
        command: shell(says("sidecar"), waits),
        volumeMounts: [data],
      },
    ],
    containers: [
      {
        ...image,
        name: "web",
        command: shell(says("web"), "httpd -p 80 -h /www", waits),
        ports: [{ containerPort: 80, hostPort }],
        readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1, timeoutSeconds: 20 },
        lifecycle: {
          postStart: { exec: { command: shell(says("postStart")) } },
          preStop: { exec: { command: shell(says("preStop")) } },
        },
        volumeMounts: [
          data,
          { name: "settings", mountPath: "/www" },
          { name: "memory", mountPath: "/memory" },
          { name: "token", mountPath: "/token" },
        ],
      },
      {
        ...image,
        name: "second",
        command: shell(says("second"), waits),
        volumeMounts: [data, { ...data, mountPath: "/inner", subPath: "inner" }],
      },
    ],
    volumes: [
      { name: "data", emptyDir: {} },
      { name: "memory", emptyDir: { medium: "Memory" } },
      { name: "settings", configMap: { name: "settings" } },
      {
        name: "token",
        projected: {
          sources: [
            { serviceAccountToken: { path: "token" } },
            { secret: { name: "settings" } },
            { downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] } },
          ],
        },
      },
    ],
  };
}
