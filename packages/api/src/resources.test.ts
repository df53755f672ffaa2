import { test } from "tap";
import { builtinResources, resourceOf, resourceOfKind } from "./resources.js";

test("each resource is found by name and by kind, once", (t) => {
  const names = builtinResources.map(({ group, version, resource }) => `${group}/${version}/${resource}`);
  t.equal(new Set(names).size, names.length);
  for (const resource of builtinResources) {
    t.equal(resourceOf(resource), resource);
    t.equal(resourceOfKind(resource), resource);
  }
  t.equal(resourceOf({ group: "apps", version: "v1", resource: "deployments" })?.kind, "Deployment");
  t.equal(resourceOf({ group: "apps", version: "v2", resource: "deployments" }), undefined);
  t.end();
});
