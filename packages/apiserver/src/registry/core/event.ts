// Events of the core group and of events.k8s.io: one store, two shapes. Stored in the core shape, as upstream does.

import { type Event as CoreEvent, events as coreEvents } from "@picokube/api/core/v1";
import { type Event as NewEvent, events as newEvents } from "@picokube/api/events/v1";
import { column, columnLike, nameColumn, timestampSince } from "../columns.js";
import { define } from "../define.js";
import type { Column } from "../resource-definition.js";
import { validateEvent, validateNewEvent, validateNewEventUpdate } from "./event-validation.js";

function firstSeen(event: CoreEvent, now: number): string {
  return timestampSince(event.firstTimestamp || event.eventTime, now);
}

function lastSeen(event: CoreEvent, now: number): string {
  if (event.series) return timestampSince(event.series.lastObservedTime, now);
  return event.lastTimestamp ? timestampSince(event.lastTimestamp, now) : firstSeen(event, now);
}

function involved({ involvedObject }: CoreEvent): string {
  const { kind = "", name } = involvedObject ?? {};
  return name ? `${kind.toLowerCase()}/${name}` : kind.toLowerCase();
}

function source(event: CoreEvent): string {
  const component = event.source?.component || event.reportingComponent || "";
  const host = event.source?.host || event.reportingInstance || "";
  return host ? `${component}, ${host}` : component;
}

const columns: Column<CoreEvent>[] = [
  column("Last Seen", lastSeen, { field: "core.v1.Event.lastTimestamp" }),
  column("Type", (event) => event.type ?? "", { field: "core.v1.Event.type" }),
  column("Reason", (event) => event.reason ?? "", { field: "core.v1.Event.reason" }),
  column("Object", involved, { field: "core.v1.Event.involvedObject" }),
  column("Subobject", (event) => event.involvedObject?.fieldPath ?? "", {
    wide: true,
    field: "core.v1.ObjectReference.fieldPath",
  }),
  column("Source", source, { wide: true, field: "core.v1.Event.source" }),
  column("Message", (event) => (event.message ?? "").trim(), { field: "core.v1.Event.message" }),
  column("First Seen", firstSeen, { wide: true, field: "core.v1.Event.firstTimestamp" }),
  column("Count", (event) => event.series?.count ?? (event.count || 1), { wide: true, field: "core.v1.Event.count" }),
  columnLike(nameColumn, { priority: 1 }),
];

/** An events.k8s.io Event in the core shape (upstream: Convert_v1_Event_To_core_Event). */
export function toCoreEvent(event: NewEvent): CoreEvent {
  const { regarding, note, deprecatedSource, deprecatedFirstTimestamp, deprecatedLastTimestamp, deprecatedCount } =
    event;
  const { reportingController, related, ...shared } = event;
  const core: Record<string, unknown> = { ...shared, apiVersion: "v1", involvedObject: regarding ?? {} };
  for (const name of [
    "regarding",
    "note",
    "deprecatedSource",
    "deprecatedFirstTimestamp",
    "deprecatedLastTimestamp",
    "deprecatedCount",
  ]) {
    delete core[name];
  }
  const moved = {
    related,
    message: note,
    source: deprecatedSource,
    firstTimestamp: deprecatedFirstTimestamp,
    lastTimestamp: deprecatedLastTimestamp,
    count: deprecatedCount,
    reportingComponent: reportingController,
  };
  for (const [name, value] of Object.entries(moved)) if (value !== undefined) core[name] = value;
  return core as unknown as CoreEvent;
}

/** A core Event in the shape of events.k8s.io. */
export function fromCoreEvent(event: CoreEvent): NewEvent {
  const { involvedObject, message, source, firstTimestamp, lastTimestamp, count, reportingComponent, ...shared } =
    event;
  const result: Record<string, unknown> = { ...shared, apiVersion: "events.k8s.io/v1", regarding: involvedObject };
  const moved = {
    note: message,
    deprecatedSource: source,
    deprecatedFirstTimestamp: firstTimestamp,
    deprecatedLastTimestamp: lastTimestamp,
    deprecatedCount: count,
    reportingController: reportingComponent,
  };
  for (const [name, value] of Object.entries(moved)) if (value !== undefined) result[name] = value;
  return result as unknown as NewEvent;
}

const involvedFields = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"] as const;

/** The definition of events in the core group. */
export const coreEventDefinition = define<CoreEvent>({
  resource: coreEvents,
  storagePrefix: "events",
  hasStatus: false,
  hasGeneration: false,
  allowCreateOnUpdate: true,
  validate: validateEvent,
  selectableFields: {
    ...Object.fromEntries(
      involvedFields.map((field) => [
        `involvedObject.${field}`,
        (event: CoreEvent) => event.involvedObject?.[field] ?? "",
      ]),
    ),
    reason: (event) => event.reason ?? "",
    reportingComponent: (event) => event.reportingComponent ?? "",
    source: (event) => event.source?.component || event.reportingComponent || "",
    type: (event) => event.type ?? "",
  },
  columns,
});

/** The definition of events in events.k8s.io. */
export const newEventDefinition = define<NewEvent>({
  resource: newEvents,
  storagePrefix: "events",
  hasStatus: false,
  hasGeneration: false,
  allowCreateOnUpdate: true,
  validate: (event) => validateNewEvent(toCoreEvent(event)),
  validateUpdate: (event, old) => validateNewEventUpdate(toCoreEvent(event), toCoreEvent(old)),
  selectableFields: {
    ...Object.fromEntries(
      involvedFields.map((field) => [`regarding.${field}`, (event: NewEvent) => event.regarding?.[field] ?? ""]),
    ),
    reason: (event) => event.reason ?? "",
    reportingController: (event) => event.reportingController ?? "",
    type: (event) => event.type ?? "",
  },
  columns: columns.map((each) => columnLike(each, { cell: (event, now) => each.cell(toCoreEvent(event), now) })),
  storedAs: {
    resource: coreEvents,
    toStored: toCoreEvent,
    fromStored: (event) => fromCoreEvent(event as CoreEvent),
  },
});
