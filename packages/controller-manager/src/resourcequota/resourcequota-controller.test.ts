// The controller against a real apiserver: status.used follows pods, secrets, and kinds that are bound later.

import { configmaps, type ResourceQuota, resourcequotas, secrets } from "@picokube/api/core/v1";
import { networkpolicies } from "@picokube/api/networking/v1";
import type { Client } from "@picokube/client/client";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { runControllers } from "../run-controllers.testing.js";
import { serviceAccountController } from "../serviceaccount/serviceaccount-controller.js";
import { resourceQuotaController } from "./resourcequota-controller.js";

const namespace = "default";

function becomes(client: Client, used: { [bound: string]: string }): Promise<ResourceQuota> {
  return eventually(`used is ${JSON.stringify(used)}`, async () => {
    const quota = await client.get(resourcequotas, { name: "q", namespace });
    const matches = Object.entries(used).every(([bound, amount]) => quota.status?.used?.[bound] === amount);
    return matches ? quota : undefined;
  });
}

test("used follows what there is", async (t) => {
  const server = await startApiServer(t);
  const { client } = server;
  runControllers(t, { client, create: [serviceAccountController, resourceQuotaController] });
  const hard = { secrets: "2", "count/networkpolicies.networking.k8s.io": "1" };
  await client.create(resourcequotas, { metadata: { name: "q", namespace }, spec: { hard } });
  const first = await becomes(client, { secrets: "0", "count/networkpolicies.networking.k8s.io": "0" });
  t.strictSame(first.status?.hard, hard);

  await client.create(secrets, { metadata: { name: "a", namespace } });
  await client.create(networkpolicies, { metadata: { name: "n", namespace }, spec: { podSelector: {} } } as never);
  await becomes(client, { secrets: "1", "count/networkpolicies.networking.k8s.io": "1" });
  await t.rejects(
    client.create(networkpolicies, { metadata: { name: "m", namespace }, spec: { podSelector: {} } } as never),
    {
      message:
        'networkpolicies.networking.k8s.io "m" is forbidden: exceeded quota: q, requested: count/networkpolicies.networking.k8s.io=1, used: count/networkpolicies.networking.k8s.io=1, limited: count/networkpolicies.networking.k8s.io=1',
    },
  );
  await client.delete(secrets, { name: "a", namespace });
  await becomes(client, { secrets: "0" });

  await client.patch(
    resourcequotas,
    { name: "q", namespace },
    { spec: { hard: { configmaps: "3" } } },
    { type: "merge" },
  );
  await client.create(configmaps, { metadata: { name: "c", namespace } });
  const bound = await becomes(client, { configmaps: "1", secrets: "0" });
  t.equal(bound.status?.hard?.configmaps, "3");

  // Whoever writes nonsense is put right.
  await client.update(
    resourcequotas,
    { ...bound, status: { hard, used: { secrets: "7" } } },
    { subresource: "status" },
  );
  await becomes(client, { configmaps: "1", secrets: "0" });
});
