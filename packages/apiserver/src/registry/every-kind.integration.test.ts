// What every built-in kind refuses alike, asked of a real apiserver kind by kind: bad names, labels, annotations and owners,
// wrong types; and what each kind misses first when nothing is given.

import { serviceaccounts } from "@picokube/api/core/v1";
import type { Status } from "@picokube/api/errors";
import type { Resource } from "@picokube/api/resource";
import type { Client } from "@picokube/client/client";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { builtinDefinitions } from "./index.js";

const definitions = builtinDefinitions({
  serviceCidrs: ["10.96.0.0/16"],
  nodePortRange: { from: 30000, to: 32767 },
  connect: {},
}).filter(({ verbs, resource }) => (!verbs || verbs.includes("create")) && resource.kind !== "ComponentStatus");

const pathOf = ({ group, version, resource, namespaced }: Resource) =>
  `${group === "" ? "/api" : `/apis/${group}`}/${version}${namespaced ? "/namespaces/default" : ""}/${resource}`;

async function create(client: Client, resource: Resource, body: object): Promise<Status> {
  const apiVersion = resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
  const answer = await client.raw({
    method: "POST",
    path: pathOf(resource),
    headers: { "content-type": "application/json" },
    body: { apiVersion, kind: resource.kind, ...body },
  });
  let text = "";
  for await (const chunk of answer.body) text += chunk;
  return { ...JSON.parse(text), code: answer.status };
}

const nameWords = {
  subdomain: "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.'",
  label: "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-'",
  "label-1035": "a DNS-1035 label must consist of lower case alphanumeric characters or '-'",
  "path-segment": "may not contain '%'",
};

interface Metadata {
  readonly [field: string]: unknown;
}

/** Faulty metadata, and the cause that it must be answered with. */
const faulty: [string, Metadata, { field: string; message: string }][] = [
  [
    "a bad label",
    { name: "a", labels: { "a b": "c" } },
    { field: "metadata.labels", message: 'Invalid value: "a b": name part must consist of alphanumeric characters' },
  ],
  [
    "a bad label's value",
    { name: "a", labels: { a: "-" } },
    { field: "metadata.labels", message: 'Invalid value: "-": a valid label must be an empty string or consist of' },
  ],
  [
    "a bad annotation",
    { name: "a", annotations: { "/a": "c" } },
    { field: "metadata.annotations", message: 'Invalid value: "/a": prefix part must be non-empty' },
  ],
  [
    "an owner without a name",
    { name: "a", ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "", uid: "u" }] },
    { field: "metadata.ownerReferences.name", message: 'Invalid value: "": name must not be empty' },
  ],
  [
    "a finalizer of nobody",
    { name: "a", finalizers: ["mine"] },
    { field: "metadata.finalizers[0]", message: 'Invalid value: "mine": name is neither a standard finalizer name' },
  ],
];

/** Kinds of other API servers upstream, whose finalizers may be named as they like. */
const lenient = new Set(["CustomResourceDefinition", "APIService"]);

/** What each kind misses first; kinds that need nothing but a name are left out. */
const firstMissing: { readonly [kind: string]: string } = {
  Pod: "spec.containers",
  PodTemplate: "template.spec.containers",
  ReplicationController: "spec.selector",
  Service: "spec.ports",
  PersistentVolume: "spec.accessModes",
  PersistentVolumeClaim: "spec.accessModes",
  Deployment: "spec.selector",
  ReplicaSet: "spec.selector",
  StatefulSet: "spec.selector",
  DaemonSet: "spec.selector",
  Job: "spec.template.spec.containers",
  CronJob: "spec.schedule",
  HorizontalPodAutoscaler: "spec.maxReplicas",
  StorageClass: "provisioner",
  RuntimeClass: "handler",
  CertificateSigningRequest: "spec.request",
  EndpointSlice: "addressType",
  ControllerRevision: "data",
  CSIStorageCapacity: "storageClassName",
  IPAddress: "metadata.name",
};

test("every kind refuses alike what no object may be", async (t) => {
  const { client } = await startApiServer(t);
  await client.create(serviceaccounts, { metadata: { name: "default", namespace: "default" } });
  for (const { resource, nameRule = "subdomain" } of definitions) {
    const of = `${resource.group || "core"}/${resource.version} ${resource.kind}`;
    const isEvent = resource.kind === "Event";
    await t.test(of, async (t) => {
      const bad = await create(client, resource, { metadata: { name: "A_b%" } });
      t.equal(bad.code, 422, "a bad name");
      const cause = bad.details?.causes?.find(({ field }) => field === "metadata.name");
      t.match(cause, { reason: "FieldValueInvalid" });
      t.ok(cause?.message?.includes(nameWords[nameRule]), `${cause?.message}`);

      for (const [what, metadata, wanted] of faulty) {
        if (what === "a finalizer of nobody" && lenient.has(resource.kind)) continue;
        const answer = await create(client, resource, { metadata });
        t.equal(answer.code, 422, `${what}: ${answer.message}`);
        const found = answer.details?.causes?.find(({ field }) => field === wanted.field);
        t.ok(found?.message?.startsWith(wanted.message), `${what}: ${found?.message}`);
      }

      const wrong = await create(client, resource, { metadata: { name: "a", labels: "text" } });
      t.match(wrong, { code: 400, reason: "BadRequest", message: /cannot unmarshal string into Go struct field/ });
      const nameless = await create(client, resource, { metadata: {} });
      t.match(nameless.details?.causes, [
        { field: "metadata.name", message: "Required value: name or generateName is required" },
      ]);

      const empty = await create(client, resource, { metadata: { name: "empty-1" } });
      const missing = isEvent ? undefined : firstMissing[resource.kind];
      if (missing === undefined) t.ok(empty.code < 500, `${empty.code}: ${empty.message}`);
      else {
        t.equal(empty.code, 422, `${empty.message}`);
        t.match(empty.details?.causes, [{ reason: /^FieldValue/, field: missing }]);
      }
    });
  }
});
