// Tests of the validation of Events by table: of the old kind, with an eventTime, and through events.k8s.io.

import type { Event } from "@picokube/api/core/v1";
import type { FieldError } from "@picokube/api/errors";
import { test } from "tap";
import { validateEvent, validateNewEvent, validateNewEventUpdate } from "./event-validation.js";

const words = (faults: readonly FieldError[]) => faults.map(({ field, message }) => `${field}: ${message}`);
const metadata = { name: "a", namespace: "default" };
const event = (fields: object) => ({ metadata, ...fields }) as unknown as Event;
const modern = {
  eventTime: "2025-01-01T00:00:00.000000Z",
  reportingComponent: "example.com/tester",
  reportingInstance: "tester-0",
  action: "Testing",
  reason: "Tested",
  type: "Normal",
  involvedObject: { kind: "Pod", namespace: "default", name: "a" },
};
const mismatch = (namespace: string) =>
  `involvedObject.namespace: Invalid value: "${namespace}": does not match event.namespace`;

const coreEvents: [string, object, string[]][] = [
  ["an old one", { involvedObject: { namespace: "default" } }, []],
  ["of something without a namespace", {}, []],
  ["of something elsewhere", { involvedObject: { namespace: "other" } }, [mismatch("other")]],
  ["of a node, in another namespace", { metadata: { name: "a", namespace: "kube-system" } }, [mismatch("")]],
  ["one with an eventTime", modern, []],
  ["of a node, with an eventTime", { ...modern, involvedObject: {}, metadata: { namespace: "kube-system" } }, []],
  [
    "of a node, with an eventTime, elsewhere",
    { ...modern, involvedObject: {}, metadata: { namespace: "a" } },
    [mismatch("")],
  ],
  [
    "one with an eventTime and nothing else",
    { eventTime: modern.eventTime },
    [
      "reportingController: Required value",
      'reportingController: Invalid value: "": name part must be non-empty',
      `reportingController: Invalid value: "": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
      "reportingInstance: Required value",
      "action: Required value",
      "reason: Required value",
    ],
  ],
  [
    "too many words",
    {
      ...modern,
      reportingInstance: "i".repeat(129),
      action: "a".repeat(129),
      reason: "r".repeat(129),
      message: "m".repeat(1025),
    },
    [
      'reportingInstance: Invalid value: "": can have at most 128 characters',
      'action: Invalid value: "": can have at most 128 characters',
      'reason: Invalid value: "": can have at most 128 characters',
      'message: Invalid value: "": can have at most 1024 characters',
    ],
  ],
];

const newEvents: [string, object, string[]][] = [
  ["a good one", modern, []],
  ["a series", { ...modern, series: { count: 2, lastObservedTime: modern.eventTime } }, []],
  [
    "a series of one",
    { ...modern, series: { count: 1 } },
    ['series.count: Invalid value: "": should be at least 2', "series.lastObservedTime: Required value"],
  ],
  [
    "one of the old kind",
    {
      type: "Other",
      involvedObject: { namespace: "default" },
      source: { component: "a" },
      count: 1,
      firstTimestamp: "2025-01-01T00:00:00Z",
      lastTimestamp: "2025-01-01T00:00:00Z",
    },
    [
      "eventTime: Required value",
      'type: Invalid value: "": has invalid value: Other',
      'firstTimestamp: Invalid value: "": needs to be unset',
      'lastTimestamp: Invalid value: "": needs to be unset',
      'count: Invalid value: "": needs to be unset',
      'source: Invalid value: "": needs to be unset',
    ],
  ],
];

const changes: [string, object, string[]][] = [
  ["nothing", {}, []],
  ["its series", { series: { count: 2, lastObservedTime: modern.eventTime } }, []],
  [
    "its series, badly",
    { series: {} },
    ['series.count: Invalid value: "": should be at least 2', "series.lastObservedTime: Required value"],
  ],
  [
    "what it says",
    { reason: "Other", message: "other", type: "Warning", action: "Other", count: 2, reportingComponent: "other" },
    [
      'reason: Invalid value: "Other": field is immutable',
      'message: Invalid value: "other": field is immutable',
      "count: Invalid value: 2: field is immutable",
      'type: Invalid value: "Warning": field is immutable',
      'action: Invalid value: "Other": field is immutable',
      'reportingController: Invalid value: "other": field is immutable',
    ],
  ],
];

test("events of the core group", async (t) => {
  for (const [name, fields, expected] of coreEvents) t.same(words(validateEvent(event(fields))), expected, name);
});

test("events of events.k8s.io", async (t) => {
  for (const [name, fields, expected] of newEvents) t.same(words(validateNewEvent(event(fields))), expected, name);
});

test("changes through events.k8s.io", async (t) => {
  for (const [name, fields, expected] of changes) {
    const changed = event({ ...modern, ...fields });
    t.same(words(validateNewEventUpdate(changed, event(modern))), expected, name);
  }
});
