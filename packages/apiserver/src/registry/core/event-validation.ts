// What a valid Event is, in upstream's words (upstream: ValidateEventCreate). Pure.

import type { Event } from "@picokube/api/core/v1";
import { type FieldError, invalidValue, required } from "@picokube/api/validation/field-error";
import { isQualifiedName } from "@picokube/api/validation/names";
import { objections } from "../check.js";

function namespaceFaults({ involvedObject, metadata }: Event): FieldError[] {
  const about = involvedObject?.namespace ?? "";
  const namespace = metadata.namespace ?? "";
  const fits = about === "" ? namespace === "default" || namespace === "" : about === namespace;
  return fits ? [] : [invalidValue("involvedObject.namespace", about, "does not match event.namespace")];
}

/** An Event of the core group: it lies where its object lies. */
export function validateEvent(event: Event): FieldError[] {
  return namespaceFaults(event);
}

/** An Event of events.k8s.io, in the core shape: it also says who did what. */
export function validateNewEvent(event: Event): FieldError[] {
  const faults = namespaceFaults(event);
  if (!event.eventTime) faults.push(required("eventTime"));
  const controller = event.reportingComponent ?? "";
  if (controller === "") faults.push(required("reportingController"));
  else faults.push(...objections("reportingController", controller, isQualifiedName(controller)));
  if (!event.reportingInstance) faults.push(required("reportingInstance"));
  if (!event.action) faults.push(required("action"));
  if (!event.reason) faults.push(required("reason"));
  if (event.type !== "Normal" && event.type !== "Warning") {
    faults.push(invalidValue("type", "", `has invalid value: ${event.type ?? ""}`));
  }
  return faults;
}
