// Priority: turns a pod's priorityClassName into its number, and lets only one class be the default.

import { type Pod, pods } from "@picokube/api/core/v1";
import { type PriorityClass, priorityclasses } from "@picokube/api/scheduling/v1";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { AdmissionAttributes, AdmissionPlugin } from "./admission.js";
import { admissionForbidden, concerns } from "./forbidden.js";

interface Resolved {
  readonly className: string;
  readonly value: number;
  readonly preemptionPolicy: "Never" | "PreemptLowerPriority";
}

const NONE: Resolved = { className: "", value: 0, preemptionPolicy: "PreemptLowerPriority" };

/** The default class with the lowest value, if several call themselves so. */
export function defaultPriorityClass(classes: readonly PriorityClass[]): PriorityClass | undefined {
  const defaults = classes.filter(({ globalDefault }) => globalDefault === true);
  return defaults.sort((left, right) => (left.value ?? 0) - (right.value ?? 0))[0];
}

export function priority(storage: StorageRegistry): AdmissionPlugin {
  const resolved = ({ metadata, value, preemptionPolicy }: PriorityClass): Resolved => ({
    className: metadata.name,
    value: value ?? 0,
    preemptionPolicy: (preemptionPolicy as Resolved["preemptionPolicy"]) ?? "PreemptLowerPriority",
  });

  function resolve(attributes: AdmissionAttributes, wanted: string | undefined): Resolved {
    if (!wanted) {
      const byDefault = defaultPriorityClass(storage.for(priorityclasses).list());
      return byDefault ? resolved(byDefault) : NONE;
    }
    const found = storage.for(priorityclasses).get("", wanted);
    if (!found) throw admissionForbidden(attributes, `no PriorityClass with name ${wanted} was found`);
    return resolved(found);
  }

  function admitPod(attributes: AdmissionAttributes): void {
    const spec = (attributes.object as Pod).spec;
    if (!spec) return;
    if (attributes.operation === "UPDATE") {
      const old = (attributes.oldObject as Pod | undefined)?.spec;
      if (spec.priority === undefined && old?.priority !== undefined) spec.priority = old.priority;
      if (spec.preemptionPolicy === undefined && old?.preemptionPolicy !== undefined) {
        spec.preemptionPolicy = old.preemptionPolicy;
      }
      return;
    }
    const { className, value, preemptionPolicy } = resolve(attributes, spec.priorityClassName);
    if (spec.priority !== undefined && spec.priority !== null && spec.priority !== value) {
      throw admissionForbidden(
        attributes,
        `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
      );
    }
    if (spec.preemptionPolicy && spec.preemptionPolicy !== preemptionPolicy) {
      throw admissionForbidden(
        attributes,
        `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`,
      );
    }
    if (className !== "") spec.priorityClassName = className;
    spec.priority = value;
    spec.preemptionPolicy = preemptionPolicy;
  }

  return {
    name: "Priority",
    admit(attributes) {
      if (concerns(attributes, pods) && attributes.object) admitPod(attributes);
    },
    validate(attributes) {
      if (!concerns(attributes, priorityclasses) || !attributes.object) return;
      const wanted = attributes.object as PriorityClass;
      if (!wanted.globalDefault) return;
      const known = defaultPriorityClass(storage.for(priorityclasses).list());
      if (!known) return;
      if (attributes.operation === "UPDATE" && known.metadata.name === wanted.metadata.name) return;
      throw admissionForbidden(
        attributes,
        `PriorityClass ${known.metadata.name} is already marked as default. Only one default can exist`,
      );
    },
  };
}
