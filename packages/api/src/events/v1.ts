// Group "events.k8s.io" version v1: the types and names of its kinds.

import type { IEvent } from "kubernetes-models/events.k8s.io/v1/Event";
import type { IEventSeries } from "kubernetes-models/events.k8s.io/v1/EventSeries";
import type { Kind } from "../meta/v1.js";
import type { Resource } from "../resource.js";

export type Event = Kind<IEvent>;
export const events: Resource<Event> = {
  group: "events.k8s.io",
  version: "v1",
  kind: "Event",
  resource: "events",
  singular: "event",
  namespaced: true,
  shortNames: ["ev"],
  categories: [],
};
export type EventSeries = IEventSeries;
