// Endpoints kept by hand against a real apiserver: their slices come, follow and go.

import { type Endpoints, endpoints, events, services } from "@picokube/api/core/v1";
import { endpointslices } from "@picokube/api/discovery/v1";
import { createMetrics } from "@picokube/component-base/metrics";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { endpointsController } from "../endpoints/endpoints-controller.js";
import { endpointSliceController } from "../endpointslice/endpointslice-controller.js";
import { runControllers } from "../run-controllers.testing.js";
import { endpointSliceMirroringController } from "./endpointslicemirroring-controller.js";

const namespace = "default";
const where = { name: "legacy", namespace };
const labelSelector = "endpointslice.kubernetes.io/managed-by=endpointslicemirroring-controller.k8s.io";

test("slices follow the Endpoints of a Service without a selector, and nobody else's", async (t) => {
  const { client } = await startApiServer(t);
  const metrics = createMetrics({ withProcess: false });
  runControllers(t, {
    client,
    metrics,
    create: [endpointSliceMirroringController, endpointsController, endpointSliceController],
    options: { mirroringMaxEndpointsPerSubset: 2 },
  });
  const mirrored = async () =>
    (await client.list(endpointslices, { namespace, labelSelector })).items.map(({ metadata, endpoints: list }) => ({
      name: metadata.labels!["kubernetes.io/service-name"],
      addresses: list!.flatMap(({ addresses }) => addresses).sort(),
    }));
  const shows = (what: string, expected: Awaited<ReturnType<typeof mirrored>>) =>
    eventually(what, async () => JSON.stringify(await mirrored()) === JSON.stringify(expected));
  const subsets = (...ips: string[]): Endpoints["subsets"] => [
    { addresses: ips.map((ip) => ({ ip })), ports: [{ port: 5432 }] },
  ];

  for (const name of ["legacy", "skipped"])
    await client.create(services, { metadata: { name, namespace }, spec: { ports: [{ port: 5432 }] } });
  await client.create(endpoints, { metadata: where, subsets: subsets("192.0.2.1") });
  await client.create(endpoints, {
    metadata: { name: "skipped", namespace, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
    subsets: subsets("192.0.2.9"),
  });
  await shows("the slice", [{ name: "legacy", addresses: ["192.0.2.1"] }]);

  const current = await client.get(endpoints, where);
  await client.update(endpoints, { ...current, subsets: subsets("192.0.2.1", "192.0.2.2", "192.0.2.3") });
  await shows("the first two of three", [{ name: "legacy", addresses: ["192.0.2.1", "192.0.2.2"] }]);
  await eventually("the event", async () =>
    (await client.list(events, { namespace, fieldSelector: "reason=TooManyAddressesToMirror" })).items.some(
      ({ message, involvedObject, source }) =>
        message ===
          "A max of 2 addresses can be mirrored to EndpointSlices per Endpoints subset. 1 addresses were skipped" &&
        involvedObject.kind === "Endpoints" &&
        source?.component === "endpoint-slice-mirroring-controller",
    ),
  );
  const text = await metrics.render();
  t.match(text, /^endpoint_slice_mirroring_controller_endpoints_desired 2$/m);
  t.match(text, /^endpoint_slice_mirroring_controller_num_endpoint_slices 1$/m);
  t.match(text, /^endpoint_slice_mirroring_controller_changes\{operation="create"\} 1$/m);

  const [slice] = (await client.list(endpointslices, { namespace, labelSelector })).items;
  await client.delete(endpointslices, { name: slice!.metadata.name, namespace });
  await eventually("a slice that somebody deleted comes back", async () => {
    const [again] = (await client.list(endpointslices, { namespace, labelSelector })).items;
    return again && again.metadata.uid !== slice!.metadata.uid;
  });

  await client.delete(endpoints, where);
  await shows("the mirror goes with the Endpoints", []);
  await client.create(endpoints, { metadata: where, subsets: subsets("192.0.2.1") });
  await shows("and comes again", [{ name: "legacy", addresses: ["192.0.2.1"] }]);

  // With a selector the Endpoints are the other controller's, and its slices are made from pods.
  await client.patch(services, where, { spec: { selector: { app: "legacy" } } }, { type: "merge" });
  await shows("the mirror goes when there is a selector", []);
  await client.patch(services, where, { spec: { selector: null } }, { type: "merge" });
  await eventually("written by hand again", async () => {
    const mine = await client.get(endpoints, where);
    await client.update(endpoints, { ...mine, subsets: subsets("192.0.2.4") }).catch(() => {});
    return JSON.stringify(await mirrored()) === JSON.stringify([{ name: "legacy", addresses: ["192.0.2.4"] }]);
  });
  await client.delete(services, where);
  await shows("the mirror goes with the Service", []);
});
