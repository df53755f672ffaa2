// What a version of a CustomResourceDefinition says besides its schema: deprecation, subresources, columns; in
// upstream's words (upstream: ValidateCustomResourceDefinitionSubresources, ValidateCustomResourceColumnDefinition). Pure.

import type { CustomResourceDefinition } from "@picokube/api/apiextensions/v1";
import { type FieldError, invalidValue, required } from "@picokube/api/validation/field-error";

type Version = NonNullable<CustomResourceDefinition["spec"]>["versions"][number];

const columnTypes = ["boolean", "date", "integer", "number", "string"];
const columnFormats = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
const maxWarningBytes = 256;

/** A warning belongs to a deprecated version, and is a short printable line. */
export function validateDeprecation({ deprecated, deprecationWarning: warning }: Version, path: string): FieldError[] {
  if (warning === undefined) return [];
  const at = `${path}.deprecationWarning`;
  if (!deprecated) return [invalidValue(at, warning, "can only be set for deprecated versions")];
  const faults: FieldError[] = [];
  if (Buffer.byteLength(warning) > maxWarningBytes) {
    faults.push(invalidValue(at, warning, "must be <= 256 characters long"));
  }
  if (warning === "") faults.push(invalidValue(at, warning, "must not be an empty string"));
  const index = warning.search(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u);
  if (index >= 0) {
    const bytes = Buffer.byteLength(warning.slice(0, index));
    const words = `must only contain printable UTF-8 characters; non-printable character found at index ${bytes}`;
    faults.push(invalidValue(at, warning, words));
  }
  return faults;
}

function validatePath(field: string, value: string | undefined, below: { roots: readonly string[]; words: string }) {
  if (!value) return [required(field)];
  if (!value.startsWith(".")) return [invalidValue(field, value, "must be a simple json path starting with .")];
  return below.roots.some((root) => value.startsWith(root)) ? [] : [invalidValue(field, value, below.words)];
}

/** Where the replicas and the selector of /scale lie. */
export function validateSubresources(subresources: Version["subresources"], path: string): FieldError[] {
  const scale = subresources?.scale;
  if (!scale) return [];
  const under = (root: string) => ({ roots: [`.${root}.`], words: `should be a json path under .${root}` });
  const either = { roots: [".spec.", ".status."], words: "should be a json path under either .spec or .status" };
  return [
    ...validatePath(`${path}.scale.specReplicasPath`, scale.specReplicasPath, under("spec")),
    ...validatePath(`${path}.scale.statusReplicasPath`, scale.statusReplicasPath, under("status")),
    ...(scale.labelSelectorPath
      ? validatePath(`${path}.scale.labelSelectorPath`, scale.labelSelectorPath, either)
      : []),
  ];
}

/** The columns that kubectl shows. */
export function validateColumns(columns: Version["additionalPrinterColumns"], path: string): FieldError[] {
  return (columns ?? []).flatMap(({ name, type, format, jsonPath }, index) => {
    const at = `${path}[${index}]`;
    const faults = name ? [] : [required(`${at}.name`)];
    const types = `must be one of ${columnTypes.join(",")}`;
    if (!type) faults.push(required(`${at}.type`, types));
    else if (!columnTypes.includes(type)) faults.push(invalidValue(`${at}.type`, type, types));
    if (format && !columnFormats.includes(format)) {
      faults.push(invalidValue(`${at}.format`, format, `must be one of ${columnFormats.join(",")}`));
    }
    return [...faults, ...validatePath(`${at}.JSONPath`, jsonPath, { roots: ["."], words: "" })];
  });
}
