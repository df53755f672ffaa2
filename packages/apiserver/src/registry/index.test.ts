// Tests of the list of kinds as a whole: each kind that the API has is served, once, with a name in the store.

import type { Resource } from "@picokube/api/resource";
import { builtinResources } from "@picokube/api/resources";
import { test } from "tap";
import { builtinDefinitions } from "./index.js";
import type { ConnectHandler } from "./resource-definition.js";

const handler: ConnectHandler = {
  verbs: ["create"],
  kind: { group: "", version: "v1", kind: "Status" },
  handle: async () => ({ object: {} }),
};

const connect = Object.fromEntries(
  [
    "pods/binding",
    "pods/eviction",
    "serviceaccounts/token",
    "bindings",
    "tokenreviews",
    "selfsubjectreviews",
    "subjectaccessreviews",
    "localsubjectaccessreviews",
    "selfsubjectaccessreviews",
    "selfsubjectrulesreviews",
  ].map((key) => [key, handler]),
);

const definitions = builtinDefinitions({
  serviceCidrs: ["10.96.0.0/16"],
  nodePortRange: { from: 30000, to: 32767 },
  connect,
});

const nameOf = ({ group, version, resource }: Resource) => `${group}/${version}/${resource}`;

test("every resource of the API is declared once", (t) => {
  // These are shapes of subresources, never resources.
  const shapes = new Set(["autoscaling/v1/scales", "authentication.k8s.io/v1/tokenrequests", "policy/v1/evictions"]);
  const wanted = builtinResources.map(nameOf).filter((name) => !shapes.has(name));
  t.strictSame(definitions.map(({ resource }) => nameOf(resource)).sort(), [...wanted].sort());
  t.end();
});

test("only versions of one kind share a place in the store", (t) => {
  const stored = definitions.filter(({ storedAs, verbs }) => !storedAs && verbs?.length !== 0);
  t.equal(new Set(stored.map(({ storagePrefix }) => storagePrefix)).size, stored.length);
  for (const { storedAs, storagePrefix, resource } of definitions) {
    if (!storedAs) continue;
    const main = definitions.find((other) => other.resource === storedAs.resource);
    t.equal(main?.storagePrefix, storagePrefix, nameOf(resource));
  }
  t.end();
});

test("every table can print an object that has nothing but its metadata", (t) => {
  const metadata = { name: "x", uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" };
  for (const { resource, columns } of definitions) {
    if (["events", "rolebindings", "clusterrolebindings"].includes(resource.resource)) continue;
    for (const { name, cell } of columns ?? []) {
      t.doesNotThrow(() => cell({ metadata }, Date.now()), `${nameOf(resource)} ${name}`);
    }
  }
  t.end();
});
