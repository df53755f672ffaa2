import type { ConfigMap, Container, Node, Secret, Service } from "@picokube/api/core/v1";
import { configmaps, secrets } from "@picokube/api/core/v1";
import { notFound } from "@picokube/api/errors";
import { node, object, pod, service } from "@picokube/testing/builders";
import { test } from "tap";
import type { EnvironmentSources } from "../parts.js";
import { containerEnvironment } from "./container-environment.js";
import { expand, expandCommand } from "./expand.js";
import { resourceFieldValue } from "./field-ref.js";

const settings: ConfigMap = object(configmaps, "settings", { data: { COLOUR: "blue", size: "3" } });
const login: Secret = object(secrets, "login", { data: { password: Buffer.from("s3cret").toString("base64") } });
const kubernetes = service("kubernetes", {
  spec: { clusterIP: "10.96.0.1", ports: [{ name: "https", port: 443, protocol: "TCP" }] },
});

function sources(services: Service[] = [kubernetes]): EnvironmentSources {
  return {
    objects: {
      configMap: async (_namespace, name) => {
        if (name !== "settings") throw notFound({ group: "", resource: "configmap" }, name);
        return settings;
      },
      secret: async (_namespace, name) => {
        if (name !== "login") throw notFound({ group: "", resource: "secret" }, name);
        return login;
      },
      serviceAccount: async (_namespace, name) => {
        throw notFound({ group: "", resource: "serviceaccounts" }, name);
      },
      services: (namespace) => (namespace === "default" ? services : []),
      node: (): Node => node("node-1"),
    },
    nodeName: "node-1",
    podIps: ["10.244.0.7"],
    hostIps: ["192.168.1.2"],
  };
}

test("expand follows upstream's table", (t) => {
  const variables: Record<string, string> = { A: "a", B: "b", E: "" };
  for (const [input, output] of [
    ["$(A)", "a"],
    ["$(A)$(B)-$(E)", "ab-"],
    ["$(MISSING)", "$(MISSING)"],
    ["$$(A)", "$(A)"],
    ["$$$(A)", "$a"],
    ["$A", "$A"],
    ["cost $", "cost $"],
    ["$(A", "$(A"],
    ["$()", "$()"],
    ["$(A))", "a)"],
    ["\\$(A)", "\\a"],
  ] as const) {
    t.equal(
      expand(input, (name) => variables[name]),
      output,
      input,
    );
  }
  t.same(expandCommand({ command: ["sh", "-c", "echo $(X)"], args: ["$(Y)"] }, ["X=1=2"]), {
    command: ["sh", "-c", "echo 1=2"],
    args: ["$(Y)"],
  });
  t.end();
});

async function environment(container: Partial<Container>, extra: object = {}): Promise<Record<string, string>> {
  const subject = pod("web-1", {
    metadata: { namespace: "default", uid: "u-1", labels: { app: "web", tier: 'a"b' } },
    spec: extra,
  });
  const lines = await containerEnvironment(subject, { name: "c", image: "i", ...container }, sources());
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
}

test("sources of variables", async (t) => {
  const found = await environment({
    envFrom: [{ configMapRef: { name: "settings" } }, { prefix: "P_", secretRef: { name: "login" } }],
    env: [
      { name: "COLOUR", value: "$(COLOUR)ish" },
      { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "login", key: "password" } } },
      { name: "NONE", valueFrom: { configMapKeyRef: { name: "absent", key: "k", optional: true } } },
      { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
      { name: "LABELS", valueFrom: { fieldRef: { fieldPath: "metadata.labels" } } },
      { name: "APP", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
      { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
      { name: "MEM", valueFrom: { resourceFieldRef: { resource: "requests.memory", divisor: "1Mi" } } },
      { name: "URL", value: "http://$(KUBERNETES_SERVICE_HOST)/$(LATER)" },
      { name: "LATER", value: "x" },
    ],
    resources: { requests: { memory: "1500Ki" } },
  });
  t.match(found, {
    COLOUR: "blueish",
    size: "3",
    P_password: "s3cret",
    PASSWORD: "s3cret",
    IP: "10.244.0.7",
    LABELS: 'app="web"\ntier="a\\"b"',
    APP: "web",
    CPU: "4",
    MEM: "2",
    URL: "http://10.96.0.1/$(LATER)",
    KUBERNETES_SERVICE_HOST: "10.96.0.1",
    KUBERNETES_SERVICE_PORT: "443",
    KUBERNETES_SERVICE_PORT_HTTPS: "443",
    KUBERNETES_PORT: "tcp://10.96.0.1:443",
    KUBERNETES_PORT_443_TCP: "tcp://10.96.0.1:443",
    KUBERNETES_PORT_443_TCP_PROTO: "tcp",
    KUBERNETES_PORT_443_TCP_PORT: "443",
    KUBERNETES_PORT_443_TCP_ADDR: "10.96.0.1",
  });
  t.notOk("NONE" in found);
});

test("what is missing is said in upstream's words", async (t) => {
  const from = (valueFrom: object) => environment({ env: [{ name: "X", valueFrom }] });
  await t.rejects(from({ configMapKeyRef: { name: "absent", key: "k" } }), {
    name: "ContainerConfigError",
    message: 'configmap "absent" not found',
  });
  await t.rejects(from({ configMapKeyRef: { name: "settings", key: "k" } }), {
    message: "couldn't find key k in ConfigMap default/settings",
  });
  await t.rejects(from({ secretKeyRef: { name: "login", key: "k" } }), {
    message: "couldn't find key k in Secret default/login",
  });
  await t.rejects(environment({ envFrom: [{ secretRef: { name: "absent" } }] }), {
    message: 'secret "absent" not found',
  });
});

test("resources of a container, by divisor and with the node's where it has no limit", (t) => {
  const subject = {
    name: "c",
    resources: {
      requests: { cpu: "1500m", memory: "100Mi", "hugepages-2Mi": "4Mi" },
      limits: { "hugepages-2Mi": "4Mi", "ephemeral-storage": "1Gi" },
    },
  };
  const allocatable = { cpu: "3500m", memory: "2Gi", "ephemeral-storage": "10Gi" };
  const host: Node = { ...node("n"), status: { allocatable } };
  for (const [resource, divisor, wanted] of [
    ["requests.cpu", undefined, "2"],
    ["requests.cpu", "1m", "1500"],
    ["limits.cpu", undefined, "4"],
    ["limits.cpu", "1m", "3500"],
    ["requests.memory", "1Mi", "100"],
    ["requests.memory", "1G", "1"],
    ["limits.memory", undefined, String(2 * 1024 ** 3)],
    ["limits.ephemeral-storage", "1Mi", "1024"],
    ["requests.ephemeral-storage", undefined, "0"],
    ["limits.hugepages-2Mi", "1Mi", "4"],
    ["requests.hugepages-2Mi", undefined, String(4 * 1024 ** 2)],
    ["requests.hugepages-1Gi", undefined, "0"],
  ] as const) {
    const ref = { resource, ...(divisor ? { divisor } : {}) };
    t.equal(resourceFieldValue(subject, ref, host), wanted, `${resource} by ${divisor ?? "1"}`);
  }
  t.throws(() => resourceFieldValue(subject, { resource: "limits.gpu" }, host), {
    message: "unsupported container resource : limits.gpu",
  });
  t.end();
});
