// How an EncryptionConfiguration names resources: checks the names, and finds what a stored resource is named by.

import type { FieldError } from "@picokube/api/errors";
import { type GroupResource, groupResourceName } from "@picokube/api/resource";
import { invalidValue } from "@picokube/api/validation/field-error";

const NOT_SERVED = ["apiserveripinfo", "serviceipallocations", "servicenodeportallocations"];

/** The names a resource may stand under, the most precise first (upstream: transformerFromOverrides). */
export function namesOf({ group, resource }: GroupResource): readonly string[] {
  return [groupResourceName({ group, resource }), `*.${group}`, "*.*"];
}

/** Upstream: validateResourceOverlap and validateResourceNames. */
export function resourceNameFaults(resources: readonly string[], path: string): FieldError[] {
  const faults: FieldError[] = [];
  const parsed = resources.map(parse);
  if (new Set(resources).size < resources.length) {
    faults.push(invalidValue(path, resources, "the same resource cannot be specified multiple times"));
  }
  const masks = parsed.some((one, index) =>
    parsed.some((other, place) => {
      if (index === place || (one.group === other.group && one.resource === other.resource)) return false;
      if (one.group === "*" && one.resource === "*") return true;
      return one.group === other.group && (one.resource === "*" || other.resource === "*");
    }),
  );
  if (masks) {
    const words =
      "using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked";
    faults.push(invalidValue(path, resources, words));
  }
  for (const [index, name] of resources.entries()) {
    const why = faultOf(name);
    if (why) faults.push(invalidValue(`${path}[${index}]`, name, why));
  }
  return faults;
}

function faultOf(name: string): string | undefined {
  const { group, resource } = parse(name);
  if (name.toLowerCase() !== name) return "resource name should not contain capital letters";
  if (name === "*") return "use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources";
  if (NOT_SERVED.includes(name)) return "resources which do not have REST API/s cannot be encrypted";
  if (group === "events.k8s.io") {
    return "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' instead in the config file";
  }
  if (group === "extensions") return "'extensions' group has been removed and cannot be used for encryption";
  if (group === "*" && resource !== "*") return "encrypting the same resource across groups is not supported";
  return undefined;
}

/** Upstream: schema.ParseGroupResource. */
function parse(name: string): GroupResource {
  const dot = name.indexOf(".");
  return dot < 0 ? { group: "", resource: name } : { group: name.slice(dot + 1), resource: name.slice(0, dot) };
}
