// Which OpenAPI documents there are at the moment, what each is made of, and a tag that changes with it. Builds none.

import { createHash } from "node:crypto";
import { apiVersionOf } from "@picokube/api/resource";
import type { ResourceDefinition } from "../registry/resource-definition.js";
import type { BuildRequest } from "./build-worker.js";
import { customSchemasOf } from "./custom-schemas.js";
import { pathsOf } from "./document.js";

/** Stands for all that is served. */
export const EVERYTHING = "";

export type Content = Pick<BuildRequest, "paths" | "custom">;

interface Section {
  readonly definitions: readonly ResourceDefinition[];
  tag?: string;
}

/** "api/v1", "apis/apps/v1": how the index of v3 names a group and version. */
function keyOf({ resource }: ResourceDefinition): string {
  return resource.group === "" ? `api/${resource.version}` : `apis/${apiVersionOf(resource)}`;
}

export class Catalogue {
  private readonly sections = new Map<string, Section>();

  /** earlier: its tags hold for the sections that are as they were. */
  constructor(definitions: readonly ResourceDefinition[], earlier?: Catalogue) {
    const parts = new Map<string, ResourceDefinition[]>([[EVERYTHING, [...definitions]]]);
    for (const definition of definitions) {
      const key = keyOf(definition);
      const known = parts.get(key);
      if (known) known.push(definition);
      else parts.set(key, [definition]);
    }
    for (const [key, own] of parts) {
      const before = earlier?.sections.get(key);
      const isSame =
        before?.definitions.length === own.length && own.every((each, i) => each === before.definitions[i]);
      this.sections.set(key, isSame ? before : { definitions: own });
    }
  }

  /** The keys of group versions, sorted. */
  get groupVersions(): string[] {
    return [...this.sections.keys()].filter((key) => key !== EVERYTHING).sort();
  }

  has(key: string): boolean {
    return key !== EVERYTHING && this.sections.has(key);
  }

  contentOf(key: string): Content {
    const { definitions } = this.sections.get(key)!;
    return { paths: pathsOf(definitions), custom: customSchemasOf(definitions) };
  }

  /** Equal for equal contents. */
  tagOf(key: string): string {
    const section = this.sections.get(key)!;
    if (section.tag === undefined) {
      const { paths, custom } = this.contentOf(key);
      section.tag = createHash("sha512")
        .update(JSON.stringify([[...paths], custom]))
        .digest("hex");
    }
    return section.tag;
  }
}
