// Priority and fairness's objects in a real apiserver: upstream's defaults, and the conditions that tell which FlowSchema
// leads nowhere.

import { type FlowSchema, flowschemas, prioritylevelconfigurations } from "@picokube/api/flowcontrol/v1";
import { startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";

async function danglingOf(
  { client }: TestApiServer,
  name: string,
  isWanted: (condition: { status?: string; message?: string }) => boolean,
) {
  for (;;) {
    const { status } = await client.get(flowschemas, { name });
    const condition = (status?.conditions ?? []).find(({ type }) => type === "Dangling");
    if (condition && isWanted(condition)) return condition;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("the default objects are upstream's", async (t) => {
  const server = await startApiServer(t);
  const schemas = (await server.client.list(flowschemas)).items
    .sort((a, b) => (a.spec?.matchingPrecedence ?? 0) - (b.spec?.matchingPrecedence ?? 0))
    .map(({ metadata, spec }) =>
      [
        metadata.name,
        spec?.priorityLevelConfiguration?.name,
        spec?.matchingPrecedence,
        spec?.distinguisherMethod?.type,
      ].join(" "),
    );
  t.same(schemas, [
    "exempt exempt 1 ",
    "probes exempt 2 ",
    "system-leader-election leader-election 100 ByUser",
    "endpoint-controller workload-high 150 ByUser",
    "workload-leader-election leader-election 200 ByUser",
    "system-node-high node-high 400 ByUser",
    "system-nodes system 500 ByUser",
    "kube-controller-manager workload-high 800 ByNamespace",
    "kube-scheduler workload-high 800 ByNamespace",
    "kube-system-service-accounts workload-high 900 ByNamespace",
    "service-accounts workload-low 9000 ByUser",
    "global-default global-default 9900 ByUser",
    "catch-all catch-all 10000 ByUser",
  ]);
  const { spec } = await server.client.get(flowschemas, { name: "kube-system-service-accounts" });
  t.match(spec?.rules?.[0]?.subjects, [
    { kind: "ServiceAccount", serviceAccount: { name: "*", namespace: "kube-system" } },
  ]);

  const levels = Object.fromEntries(
    (await server.client.list(prioritylevelconfigurations)).items.map(({ metadata, spec }) => {
      const { nominalConcurrencyShares, lendablePercent, limitResponse } = spec?.limited ?? {};
      const { queues, handSize, queueLengthLimit } = limitResponse?.queuing ?? {};
      return [
        metadata.name,
        [spec?.type, nominalConcurrencyShares, lendablePercent, queues, handSize, queueLengthLimit],
      ];
    }),
  );
  const none = undefined;
  t.same(levels, {
    exempt: ["Exempt", none, none, none, none, none],
    "catch-all": ["Limited", 5, 0, none, none, none],
    system: ["Limited", 30, 33, 64, 6, 50],
    "node-high": ["Limited", 40, 25, 64, 6, 50],
    "leader-election": ["Limited", 10, 0, 16, 4, 50],
    "workload-high": ["Limited", 40, 50, 128, 6, 50],
    "workload-low": ["Limited", 100, 90, 128, 6, 50],
    "global-default": ["Limited", 20, 50, 128, 6, 50],
  });
});

test("a FlowSchema says whether its priority level exists", async (t) => {
  const server = await startApiServer(t);
  const found = await danglingOf(server, "exempt", () => true);
  t.match(found, {
    status: "False",
    reason: "Found",
    message: 'This FlowSchema references the PriorityLevelConfiguration object named "exempt" and it exists',
    lastTransitionTime: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
  });
  const rules = [
    {
      subjects: [{ kind: "Group", group: { name: "dev" } }],
      nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
    },
  ];
  const spec = { priorityLevelConfiguration: { name: "later" }, matchingPrecedence: 700, rules };
  await server.client.create(flowschemas, { metadata: { name: "sample" }, spec } as never as FlowSchema);
  t.match(await danglingOf(server, "sample", () => true), {
    status: "True",
    reason: "NotFound",
    message:
      'This FlowSchema references the PriorityLevelConfiguration object named "later" but there is no such object',
  });
  const limited = { nominalConcurrencyShares: 1, limitResponse: { type: "Reject" } };
  const level = { metadata: { name: "later" }, spec: { type: "Limited", limited } };
  await server.client.create(prioritylevelconfigurations, level as never);
  t.match(await danglingOf(server, "sample", ({ status }) => status === "False"), { reason: "Found" });
  const { metadata } = await server.client.get(flowschemas, { name: "sample" });
  t.equal(metadata.generation, 1, "its spec is as it was");
  await server.client.delete(prioritylevelconfigurations, { name: "later" });
  t.match(await danglingOf(server, "sample", ({ status }) => status === "True"), { reason: "NotFound" });
});
