// What is said to who uses a deprecated version of a custom resource. Pure.

import type { CustomResourceDefinition } from "@picokube/api/apiextensions/v1";
import { byVersionPriority } from "@picokube/api/version-order";

type Spec = NonNullable<CustomResourceDefinition["spec"]>;
type Version = Spec["versions"][number];

/** The Warning of a version, or none (upstream: defaultDeprecationWarning). */
export function deprecationWarning({ group, names, versions }: Spec, version: Version): string | undefined {
  if (!version.deprecated) return undefined;
  if (version.deprecationWarning !== undefined) return version.deprecationWarning;
  const words = `${group}/${version.name} ${names.kind} is deprecated`;
  const better = versions
    .filter(({ name, served, deprecated }) => served && !deprecated && byVersionPriority(name, version.name) < 0)
    .map(({ name }) => name)
    .sort(byVersionPriority)[0];
  return better === undefined ? words : `${words}; use ${group}/${better} ${names.kind}`;
}
