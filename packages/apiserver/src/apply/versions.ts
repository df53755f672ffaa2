// An object in the versions that its fields may be owned in: an entry of managedFields speaks of the version it names
// (apimachinery managedfields versionconverter.go). Converts and compares at most once for each version of a write.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { Schema } from "@picokube/api/schema/schema";
import { type Comparison, compare } from "./compare.js";
import type { FieldFilter } from "./reset-fields.js";

/** The object, which is of one version, in another; undefined when that is not served. Leaves the object as it is. */
export type ConvertVersion = (
  object: KubernetesObject,
  versions: { readonly from: string; readonly to: string },
) => KubernetesObject | undefined;

/** Which versions there are of a kind, and which of its fields can be owned. */
export interface Versioning {
  /** The version of the write. */
  readonly apiVersion: string;
  readonly owned: FieldFilter;
  /** The schema of the kind in a version that is served. */
  schemaIn(apiVersion: string): Schema;
  /** Left out for a kind of one version. */
  readonly convert?: ConvertVersion | undefined;
}

/** The object of the write's version in another; undefined when that is not served. */
export function inVersion(object: object, apiVersion: string, versioning: Versioning): object | undefined {
  const from = versioning.apiVersion;
  if (apiVersion === from) return object;
  return versioning.convert?.(object as KubernetesObject, { from, to: apiVersion });
}

/** What a write changes and removes, of what can be owned, in each version. */
export class Changes {
  private readonly known = new Map<string, Comparison | undefined>();
  private readonly before: object;
  private readonly after: object;
  private readonly versioning: Versioning;

  /** The comparison in the write's own version is given, for the writer has it already or knows a shorter way. */
  constructor(options: { before: object; after: object; versioning: Versioning; own: Comparison }) {
    this.before = options.before;
    this.after = options.after;
    this.versioning = options.versioning;
    this.known.set(options.versioning.apiVersion, this.filtered(options.own));
  }

  /** Undefined for a version that is not served: nobody can own its fields. */
  in(apiVersion: string): Comparison | undefined {
    if (!this.known.has(apiVersion)) this.known.set(apiVersion, this.compareIn(apiVersion));
    return this.known.get(apiVersion);
  }

  private compareIn(apiVersion: string): Comparison | undefined {
    const before = inVersion(this.before, apiVersion, this.versioning);
    const after = before && inVersion(this.after, apiVersion, this.versioning);
    return after && this.filtered(compare(before, after, this.versioning.schemaIn(apiVersion)));
  }

  private filtered({ changed, removed }: Comparison): Comparison {
    const { owned } = this.versioning;
    return { changed: owned(changed), removed: owned(removed) };
  }
}
