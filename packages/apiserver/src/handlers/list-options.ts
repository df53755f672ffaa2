// The query parameters of list, watch and deletecollection, checked in upstream's words.

import { badRequest, type FieldError, invalid } from "@picokube/api/errors";
import { everyField, type FieldSelector, parseFieldSelector } from "@picokube/api/selectors/fields";
import { everything, parseLabelSelector, type Selector } from "@picokube/api/selectors/labels";
import { forbiddenField, notSupported } from "@picokube/api/validation/field-error";
import type { IndexTerm } from "../storage/cache-index.js";
import type { CacheItem } from "../storage/cache-item.js";
import type { ServedResource } from "../storage/served-resource.js";

export interface ListOptions {
  readonly labels: Selector;
  readonly fields: FieldSelector;
  /** 0: no limit. */
  readonly limit: number;
  readonly continueToken: string;
  /** "" when it was not given. */
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
  readonly timeoutSeconds: number | undefined;
}

const MATCHES = ["Exact", "NotOlderThan"];

/** The resourceVersion, "" when it was not given; throws 400 for what is no revision. */
export function resourceVersionOf(query: URLSearchParams): string {
  const text = query.get("resourceVersion") ?? "";
  if (/^\d{0,19}$/.test(text)) return text;
  const shown = JSON.stringify(text);
  throw badRequest(`resourceVersion: Invalid value: ${shown}: strconv.ParseUint: parsing ${shown}: invalid syntax`);
}

/** Reads and checks; throws 400 or 422. */
export function listOptionsOf(query: URLSearchParams, served: ServedResource, watching: boolean): ListOptions {
  const options: ListOptions = {
    labels: labelsOf(query),
    fields: fieldsOf(query, served),
    limit: integerOf(query, "limit") ?? 0,
    continueToken: query.get("continue") ?? "",
    resourceVersion: resourceVersionOf(query),
    resourceVersionMatch: query.get("resourceVersionMatch") ?? "",
    allowWatchBookmarks: booleanOf(query, "allowWatchBookmarks") ?? false,
    sendInitialEvents: booleanOf(query, "sendInitialEvents"),
    timeoutSeconds: integerOf(query, "timeoutSeconds"),
  };
  const faults = watching ? watchFaults(options) : listFaults(options);
  if (faults.length > 0) throw invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", faults);
  return options;
}

const MATCH = "resourceVersionMatch";

/** Upstream: validation.ValidateListOptions. */
function listFaults(options: ListOptions): FieldError[] {
  const { resourceVersion, resourceVersionMatch: match, continueToken, sendInitialEvents } = options;
  const faults: FieldError[] = [];
  const forbid = (why: string) => faults.push(forbiddenField(MATCH, `resourceVersionMatch ${why}`));
  if (match !== "") {
    if (resourceVersion === "") forbid("is forbidden unless resourceVersion is provided");
    if (continueToken !== "") forbid("is forbidden when continue is provided");
    if (!MATCHES.includes(match)) faults.push(notSupported(MATCH, match, [...MATCHES, ""]));
    if (match === "Exact" && resourceVersion === "0") forbid('"exact" is forbidden for resourceVersion "0"');
  }
  if (sendInitialEvents !== undefined) {
    faults.push(forbiddenField("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  }
  return faults;
}

/** Upstream: validation.validateWatchOptions. */
function watchFaults({ resourceVersionMatch: match, sendInitialEvents, continueToken }: ListOptions): FieldError[] {
  const faults: FieldError[] = [];
  const forbid = (why: string) => faults.push(forbiddenField(MATCH, why));
  if (sendInitialEvents !== undefined && match !== "NotOlderThan") {
    forbid("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  }
  if (match !== "") {
    if (sendInitialEvents === undefined) {
      forbid("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    }
    if (match !== "NotOlderThan") faults.push(notSupported(MATCH, match, ["NotOlderThan"]));
    if (continueToken !== "") forbid("resourceVersionMatch is forbidden when continue is provided");
  }
  return faults;
}

function labelsOf(query: URLSearchParams): Selector {
  const text = query.get("labelSelector") ?? "";
  if (text === "") return everything;
  try {
    return parseLabelSelector(text);
  } catch (error) {
    throw badRequest((error as Error).message);
  }
}

function fieldsOf(query: URLSearchParams, served: ServedResource): FieldSelector {
  const text = query.get("fieldSelector") ?? "";
  if (text === "") return everyField;
  let selector: FieldSelector;
  try {
    selector = parseFieldSelector(text);
  } catch (error) {
    throw badRequest((error as Error).message);
  }
  for (const { field } of selector.requirements) if (!isSelectable(field, served)) throw unknownField(field, served);
  return selector;
}

/** Kinds with fields of their own know metadata.namespace only when they have one (upstream: AddFieldLabelConversionFunc). */
function isSelectable(field: string, { definition }: ServedResource): boolean {
  const { selectableFields, resource } = definition;
  if (field === "metadata.name") return true;
  if (field === "metadata.namespace") return resource.namespaced || selectableFields === undefined;
  return selectableFields !== undefined && Object.hasOwn(selectableFields, field);
}

function unknownField(field: string, { definition }: ServedResource): Error {
  if (definition.unknownField) return badRequest(definition.unknownField(field));
  return badRequest(
    definition.selectableFields
      ? `field label not supported: ${field}`
      : `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`,
  );
}

function integerOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (!/^-?\d{1,18}$/.test(text)) {
    const shown = JSON.stringify(text);
    throw badRequest(`strconv.ParseInt: parsing ${shown}: invalid syntax`);
  }
  return Number(text);
}

function booleanOf(query: URLSearchParams, name: string): boolean | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  // Upstream's: anything else is true, "no" and "" too.
  return !["false", "0"].includes(text.toLowerCase());
}

/** What of the selectors an index can answer: labels and fields that must have one of some values. */
export function indexTerms(
  { labels, fields }: Pick<ListOptions, "labels" | "fields">,
  { definition }: ServedResource,
): IndexTerm[] {
  // Fields of converted objects are not those that are cached; an empty one may not be cached at all.
  const byField = definition.storedAs ? [] : fields.requirements;
  return [
    ...byField
      .filter(({ operator, value }) => operator === "=" && value !== "")
      .map(({ field, value }): IndexTerm => ({ source: "fields", name: field, values: [value] })),
    ...labels.requirements
      .filter(({ operator }) => operator === "=" || operator === "==" || operator === "in")
      .map(({ key, values }): IndexTerm => ({ source: "labels", name: key, values })),
  ];
}

/** Whether an item belongs to the answer; undefined when everything does. */
export function itemFilter(
  { labels, fields }: Pick<ListOptions, "labels" | "fields">,
  served: ServedResource,
): ((item: CacheItem) => boolean) | undefined {
  if (labels.empty && fields.empty) return undefined;
  const valuesOf = served.definition.storedAs
    ? (item: CacheItem) => served.fieldsOf(served.objectOf(item))
    : (item: CacheItem) => item.fields;
  return (item) => {
    if (!labels.matches(item.labels)) return false;
    if (fields.empty) return true;
    const values = valuesOf(item);
    return fields.matches((field) => values[field] ?? "");
  };
}
