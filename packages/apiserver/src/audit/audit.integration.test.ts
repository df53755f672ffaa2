// The audit log of a real apiserver: what kubectl did, refusals too; rotation; a webhook that is slow or away.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { configmaps } from "@picokube/api/core/v1";
import { startApiServer } from "@picokube/testing/apiserver";
import { type Test, test } from "tap";
import type { AuditEvent } from "./audit-event.js";

function files(t: Test, rules: object[], more: object = {}) {
  const directory = mkdtempSync(join(tmpdir(), "audit-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const policy = join(directory, "policy.json");
  writeFileSync(policy, JSON.stringify({ apiVersion: "audit.k8s.io/v1", kind: "Policy", rules, ...more }));
  return { directory, policy, log: join(directory, "audit.log") };
}

function eventsOf(log: string): AuditEvent[] {
  return readFileSync(log, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 50));
}

test("H3 the audit log tells who did what, and who was refused", async (t) => {
  const { policy, log } = files(
    t,
    [
      { level: "Metadata", resources: [{ resources: ["secrets"] }] },
      { level: "RequestResponse", resources: [{ resources: ["configmaps", "pods", "pods/exec"] }] },
      { level: "Metadata", nonResourceURLs: ["/version"] },
    ],
    { omitManagedFields: true },
  );
  const server = await startApiServer(t, { flags: [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`] });
  const kubectl = (...args: string[]) =>
    spawnSync("kubectl", ["--kubeconfig", server.kubeconfig, ...args], { encoding: "utf8" });
  t.equal(kubectl("create", "configmap", "c", "--from-literal=a=b").status, 0);
  t.equal(kubectl("create", "secret", "generic", "s", "--from-literal=word=hushhush").status, 0);
  kubectl("get", "secret", "s", "--as=vera", "--as-group=dev");
  kubectl("get", "pod", "none");
  kubectl("exec", "none", "--", "ls");
  const watch = await server.client.raw({ method: "GET", path: "/api/v1/configmaps?watch=1&timeoutSeconds=1" });
  for await (const _chunk of watch.body);
  const anonymous = spawnSync("curl", ["-sk", "-H", "Authorization: Bearer nonsense", `${server.url}/version?nobody`], {
    encoding: "utf8",
  });
  t.match(anonymous.stdout, /"code": ?401/);
  const find = (stage: string, part: Partial<AuditEvent> | RegExp) =>
    eventsOf(log).find((event) => {
      if (event.stage !== stage) return false;
      if (part instanceof RegExp) return part.test(event.requestURI);
      return Object.entries(part).every(([field, value]) => event[field as keyof AuditEvent] === value);
    });
  await until(() => find("ResponseComplete", /\/configmaps\?watch=1/) !== undefined);
  await until(() => find("ResponseComplete", /^\/version\?nobody/) !== undefined);

  t.match(find("ResponseComplete", /\/configmaps\?fieldManager=kubectl-create/), {
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    level: "RequestResponse",
    auditID: /^[0-9a-f-]{36}$/,
    verb: "create",
    user: { username: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] },
    sourceIPs: ["127.0.0.1"],
    userAgent: /^kubectl/,
    objectRef: { resource: "configmaps", namespace: "default", name: "c", apiVersion: "v1" },
    responseStatus: { code: 201 },
    responseObject: { kind: "ConfigMap", data: { a: "b" }, metadata: { uid: String } },
    requestReceivedTimestamp: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
    stageTimestamp: /\.\d{6}Z$/,
    annotations: { "authorization.k8s.io/decision": "allow" },
  });
  const created = find("ResponseComplete", /\/configmaps\?fieldManager/)!;
  t.notOk(Object.hasOwn((created.responseObject as { metadata: object }).metadata, "managedFields"));
  t.ok(find("RequestReceived", { auditID: created.auditID }), "it was told of when it came");
  t.notMatch(readFileSync(log, "utf8"), /hushhush|aHVzaGh1c2g=/, "a secret's level is Metadata");
  t.match(find("ResponseComplete", /\/secrets\/s/), {
    user: { username: "kubernetes-admin" },
    impersonatedUser: { username: "vera", groups: ["dev", "system:authenticated"] },
    responseStatus: { code: 403, reason: "Forbidden", message: /secrets "s" is forbidden: User "vera"/ },
    annotations: { "authorization.k8s.io/decision": "forbid" },
  });
  t.match(find("ResponseComplete", /\/pods\/none$/), { responseStatus: { code: 404, reason: "NotFound" } });
  t.match(find("ResponseStarted", /\/configmaps\?watch=1/), { verb: "watch" });
  t.match(find("ResponseComplete", /\/configmaps\?watch=1/), { responseStatus: { code: 200 } });
  t.match(find("ResponseComplete", /^\/version\?nobody/), {
    level: "Metadata",
    user: {},
    responseStatus: { code: 401 },
  });
  t.notOk(find("ResponseComplete", /\/namespaces\/default$/), "no rule fits");
  t.match(await metric(server, "apiserver_audit_event_total"), /^[1-9]/);
});

async function metric(server: Awaited<ReturnType<typeof startApiServer>>, name: string): Promise<string> {
  const all = await text((await server.client.raw({ method: "GET", path: "/metrics" })).body);
  return new RegExp(`^${name}(?:\\{.*\\})? (.*)$`, "m").exec(all)?.[1] ?? "";
}

test("H3 PodSecurity's audit mode speaks in annotations", async (t) => {
  const { policy, log } = files(t, [{ level: "Metadata", resources: [{ resources: ["pods"] }, { group: "apps" }] }]);
  const server = await startApiServer(t, { flags: [`--audit-policy-file=${policy}`, `--audit-log-path=${log}`] });
  const kubectl = (args: string[], input = "") =>
    spawnSync("kubectl", ["--kubeconfig", server.kubeconfig, ...args], { encoding: "utf8", input }).status;
  kubectl(["create", "sa", "default"]);
  const levels = ["enforce=baseline", "audit=restricted"].map((each) => `pod-security.kubernetes.io/${each}`);
  t.equal(kubectl(["label", "namespace", "default", ...levels]), 0);
  const pod = (name: string, spec: object) =>
    JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name }, spec });
  const containers = [{ name: "c", image: "i" }];
  t.equal(kubectl(["create", "-f", "-"], pod("plain", { containers })), 0);
  t.equal(kubectl(["create", "-f", "-"], pod("wild", { containers, hostNetwork: true })), 1);
  t.equal(kubectl(["create", "deployment", "d", "--image=i"]), 0);
  const annotationsOf = (name: string) =>
    eventsOf(log).find(({ stage, objectRef }) => stage === "ResponseComplete" && objectRef?.name === name)?.annotations;
  await until(() => annotationsOf("d") !== undefined);
  const violations = /^would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false \(/;
  t.match(annotationsOf("plain"), {
    "pod-security.kubernetes.io/enforce-policy": "baseline:latest",
    "pod-security.kubernetes.io/audit-violations": violations,
    "authorization.k8s.io/decision": "allow",
  });
  t.match(annotationsOf("wild"), {
    "pod-security.kubernetes.io/enforce-policy": "baseline:latest",
    "pod-security.kubernetes.io/audit-violations": /^would violate PodSecurity "restricted:latest": host namespaces/,
  });
  t.match(annotationsOf("d"), { "pod-security.kubernetes.io/audit-violations": violations });
  t.equal(annotationsOf("d")?.["pod-security.kubernetes.io/enforce-policy"], undefined, "a template is not held to it");
});

test("the log is rotated by size, old files go", async (t) => {
  const { directory, policy, log } = files(t, [
    { level: "RequestResponse", resources: [{ resources: ["configmaps"] }] },
  ]);
  const flags = [
    `--audit-policy-file=${policy}`,
    `--audit-log-path=${log}`,
    "--audit-log-maxsize=1",
    "--audit-log-maxbackup=2",
  ];
  const server = await startApiServer(t, { flags });
  const data = { a: "x".repeat(400_000) };
  for (let index = 0; index < 8; index++) {
    await server.client.create(configmaps, { metadata: { name: `c${index}`, namespace: "default" }, data } as never);
  }
  const names = () => readdirSync(directory).filter((name) => name !== "policy.json");
  await until(() => names().length === 3);
  t.match(
    names().filter((name) => name !== "audit.log"),
    [/^audit-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}\.log$/, /^audit-/],
  );
});

test("a webhook gets events in batches; while it is away requests go on", async (t) => {
  const lists: { kind: string; items: AuditEvent[] }[] = [];
  let isAway = true;
  const receiver = createServer(async (request, response) => {
    const body = await text(request);
    response.statusCode = isAway ? 503 : 200;
    if (!isAway) lists.push(JSON.parse(body));
    response.end();
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  t.teardown(() => receiver.closeAllConnections());
  t.teardown(() => receiver.close());
  const { directory, policy } = files(t, [{ level: "Metadata", resources: [{ resources: ["configmaps"] }] }]);
  const kubeconfig = join(directory, "webhook.json");
  const server = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/audit`;
  const named = {
    clusters: [{ name: "c", cluster: { server } }],
    contexts: [{ name: "c", context: { cluster: "c" } }],
  };
  writeFileSync(kubeconfig, JSON.stringify({ apiVersion: "v1", kind: "Config", "current-context": "c", ...named }));
  const apiServer = await startApiServer(t, {
    flags: [
      `--audit-policy-file=${policy}`,
      `--audit-webhook-config-file=${kubeconfig}`,
      "--audit-webhook-batch-max-size=4",
      "--audit-webhook-batch-max-wait=100ms",
      "--audit-webhook-initial-backoff=100ms",
    ],
  });
  await apiServer.client.create(configmaps, { metadata: { name: "first", namespace: "default" } } as never);
  isAway = false;
  await apiServer.client.create(configmaps, { metadata: { name: "second", namespace: "default" } } as never);
  const names = () => lists.flatMap(({ items }) => items).map(({ objectRef, stage }) => `${objectRef?.name} ${stage}`);
  await until(() => names().includes("second ResponseComplete"));
  t.ok(names().includes("first ResponseComplete"), "what was refused is sent again");
  t.ok(lists.every(({ kind, items }) => kind === "EventList" && items.length <= 4));
  await apiServer.client.create(configmaps, { metadata: { name: "last", namespace: "default" } } as never);
  await apiServer.stop();
  t.ok(names().includes("last ResponseComplete"), "a stop sends what is left");
});

test("wrong files are told in one line", async (t) => {
  const { policy } = files(t, [{ level: "Loud" }]);
  await t.rejects(startApiServer(t, { flags: [`--audit-policy-file=${policy}`] }), {
    message: /loading audit policy file: .*rules\[0\]\.level: Unsupported value: "Loud"/,
  });
});
