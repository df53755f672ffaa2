// What a valid Event is, in upstream's words (upstream: ValidateEventCreate, ValidateEventUpdate). Pure.
// Recorders of the old kind send Events without an eventTime: little is asked of those. Only what is written through
// events.k8s.io is asked for everything.

import { isDeepStrictEqual } from "node:util";
import type { Event } from "@picokube/api/core/v1";
import { type FieldError, invalidValue, required } from "@picokube/api/validation/field-error";
import { isQualifiedName } from "@picokube/api/validation/names";
import { objections } from "../check.js";
import { immutable } from "../immutable.js";

const maxWordBytes = 128;
const maxMessageBytes = 1024;

function namespaceFaults({ involvedObject, metadata, eventTime }: Event): FieldError[] {
  const about = involvedObject?.namespace ?? "";
  const namespace = metadata.namespace ?? "";
  const isClusterEvent = eventTime
    ? namespace === "default" || namespace === "kube-system"
    : namespace === "default" || namespace === "";
  const fits = about === "" ? isClusterEvent : about === namespace || Boolean(eventTime);
  return fits ? [] : [invalidValue("involvedObject.namespace", about, "does not match event.namespace")];
}

function atMost(path: string, value: string, maxBytes: number): FieldError[] {
  return Buffer.byteLength(value) > maxBytes ? [invalidValue(path, "", `can have at most ${maxBytes} characters`)] : [];
}

function requiredWord(path: string, value = ""): FieldError[] {
  return value === "" ? [required(path)] : atMost(path, value, maxWordBytes);
}

/** An Event of the core group: one that has an eventTime says who did what, too. */
export function validateEvent(event: Event): FieldError[] {
  const faults = namespaceFaults(event);
  if (!event.eventTime) return faults;
  const controller = event.reportingComponent ?? "";
  const path = "reportingController";
  return [
    ...faults,
    ...(controller === "" ? [required(path)] : []),
    ...objections(path, controller, isQualifiedName(controller)),
    ...requiredWord("reportingInstance", event.reportingInstance),
    ...requiredWord("action", event.action),
    ...requiredWord("reason", event.reason),
    ...atMost("message", event.message ?? "", maxMessageBytes),
  ];
}

function validateSeries({ series }: Event): FieldError[] {
  if (!series) return [];
  return [
    ...((series.count ?? 0) < 2 ? [invalidValue("series.count", "", "should be at least 2")] : []),
    ...(series.lastObservedTime ? [] : [required("series.lastObservedTime")]),
  ];
}

/** An Event as it is created through events.k8s.io, in the core shape. */
export function validateNewEvent(event: Event): FieldError[] {
  const { type, source } = event;
  const faults = [...validateEvent(event), ...validateSeries(event)];
  if (!event.eventTime) faults.push(required("eventTime"));
  if (type !== "Normal" && type !== "Warning") {
    faults.push(invalidValue("type", "", `has invalid value: ${type ?? ""}`));
  }
  const deprecated = {
    firstTimestamp: event.firstTimestamp,
    lastTimestamp: event.lastTimestamp,
    count: event.count,
    source: source?.component || source?.host,
  };
  for (const [path, value] of Object.entries(deprecated)) {
    if (value) faults.push(invalidValue(path, "", "needs to be unset"));
  }
  return faults;
}

/** A change through events.k8s.io, in the core shape: only the series may go on. */
export function validateNewEventUpdate(event: Event, old: Event): FieldError[] {
  return [
    ...validateEvent(event),
    ...(isDeepStrictEqual(event.series, old.series) ? [] : validateSeries(event)),
    ...immutable("involvedObject", event.involvedObject, old.involvedObject),
    ...immutable("reason", event.reason, old.reason),
    ...immutable("message", event.message, old.message),
    ...immutable("source", event.source, old.source),
    ...immutable("firstTimestamp", event.firstTimestamp, old.firstTimestamp),
    ...immutable("lastTimestamp", event.lastTimestamp, old.lastTimestamp),
    ...immutable("count", event.count, old.count),
    ...immutable("type", event.type, old.type),
    ...immutable("eventTime", event.eventTime, old.eventTime),
    ...immutable("action", event.action, old.action),
    ...immutable("related", event.related, old.related),
    ...immutable("reportingController", event.reportingComponent, old.reportingComponent),
    ...immutable("reportingInstance", event.reportingInstance, old.reportingInstance),
  ];
}
