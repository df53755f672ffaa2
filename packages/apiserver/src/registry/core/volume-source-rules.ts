// One volume, one source: walks a kind's list of sources in upstream's order, checks the first and forbids the others
// (upstream: the chains in validateVolumeSource and ValidatePersistentVolumeSpec). Pure.

import { type FieldError, forbiddenField, required } from "@picokube/api/validation/field-error";

/** What a source's check may know of the volume around it. */
export interface VolumeContext {
  readonly volumeName: string;
  /** The pod's name; unknown in templates. */
  readonly podName?: string | undefined;
}

export type SourceCheck<Source> = (source: Source, path: string, context: VolumeContext) => FieldError[];

export interface SourceRule<Source> {
  readonly check: SourceCheck<Source>;
  /** Where its faults stand, when upstream does not use the field's own name. */
  readonly at?: string;
  /** Where it is forbidden beside another source, when upstream does not use the field's own name. */
  readonly forbiddenAt?: string;
}

/** Every source of a holder (a pod's volume, a PersistentVolume's spec), in upstream's order. */
export type SourceRules<Holder> = { readonly [Field in keyof Holder]-?: SourceRule<NonNullable<Holder[Field]>> };

/** The faults of a holder's sources: there is one, and it is valid. */
export function validateSources<Holder extends object>(
  holder: Holder,
  rules: SourceRules<Holder>,
  { path, ...context }: VolumeContext & { path: string },
): FieldError[] {
  const faults: FieldError[] = [];
  let count = 0;
  for (const field of Object.keys(rules) as (keyof Holder & string)[]) {
    const source = holder[field];
    if (source === undefined || source === null) continue;
    const { check, at = field, forbiddenAt = field } = rules[field];
    count++;
    if (count === 1) faults.push(...check(source as NonNullable<Holder[typeof field]>, `${path}.${at}`, context));
    else faults.push(forbiddenField(`${path}.${forbiddenAt}`, "may not specify more than 1 volume type"));
  }
  if (count === 0) faults.push(required(path, "must specify a volume type"));
  return faults;
}

/** A source whose fields must be given. */
export function requires<Source extends object>(...fields: (keyof Source & string)[]): SourceCheck<Source> {
  return (source, path) =>
    fields.flatMap((field) => {
      const value = source[field] as unknown;
      const isEmpty = value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
      return isEmpty ? [required(`${path}.${field}`)] : [];
    });
}
