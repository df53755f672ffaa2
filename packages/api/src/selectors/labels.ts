// Label selectors: parsed from text as kubectl and URLs carry them, or from a LabelSelector object; matched against
// labels (apimachinery pkg/labels). Field selectors live in fields.ts.

import type { LabelSelector } from "../meta/v1.js";
import { parseRequirements } from "./label-parser.js";
import { faultsText, type Operator, type Requirement, validateRequirement } from "./requirement.js";

export type { Operator, Requirement };

/** An object's labels, possibly none. */
export type Labels = { readonly [key: string]: string } | undefined;

export interface Selector {
  /** Sorted by key; all must hold. */
  readonly requirements: readonly Requirement[];
  /** True when it matches everything. */
  readonly empty: boolean;
  matches(labels: Labels): boolean;
  /** Canonical text, which parses to the same selector. */
  toString(): string;
}

const INTEGER = /^[+-]?\d+$/;
function requirementMatches({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = labels && Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "in":
    case "=":
    case "==":
      return value !== undefined && values.includes(value);
    case "notin":
    case "!=":
      return value === undefined || !values.includes(value);
    case "exists":
      return value !== undefined;
    case "!":
      return value === undefined;
    default: {
      if (value === undefined || values.length !== 1 || !INTEGER.test(value) || !INTEGER.test(values[0]!)) return false;
      const [left, right] = [BigInt(value), BigInt(values[0]!)];
      return operator === "gt" ? left > right : left < right;
    }
  }
}

function requirementText({ key, operator, values }: Requirement): string {
  const list = [...values].sort().join(",");
  switch (operator) {
    case "exists":
      return key;
    case "!":
      return `!${key}`;
    case "in":
    case "notin":
      return `${key} ${operator} (${list})`;
    case "gt":
      return `${key}>${list}`;
    case "lt":
      return `${key}<${list}`;
    default:
      return `${key}${operator}${list}`;
  }
}

/** A selector of these requirements, which are taken as sound. */
export function selectorOf(requirements: readonly Requirement[]): Selector {
  const sorted = [...requirements].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return {
    requirements: sorted,
    empty: sorted.length === 0,
    matches: (labels) => sorted.every((requirement) => requirementMatches(requirement, labels)),
    toString: () => sorted.map(requirementText).join(","),
  };
}

/** Matches everything. */
export const everything: Selector = selectorOf([]);

/** Matches nothing: what a LabelSelector that is not there means. */
export const nothing: Selector = { requirements: [], empty: false, matches: () => false, toString: () => "" };

/** Parses "a=b,c in (d,e),!f"; "" matches everything. Throws an Error in upstream's words. */
export function parseLabelSelector(text: string): Selector {
  return selectorOf(parseRequirements(text));
}

/** All of these labels with these values; undefined or {} matches everything. */
export function selectorFromSet(set: Labels): Selector {
  return selectorOf(Object.entries(set ?? {}).map(([key, value]) => ({ key, operator: "=", values: [value] })));
}

const OBJECT_OPERATORS: { [operator: string]: Operator } = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
};

/** Upstream's LabelSelectorAsSelector: undefined matches nothing, {} everything. Throws an Error on an invalid one. */
export function selectorFromLabelSelector(selector: LabelSelector | null | undefined): Selector {
  if (selector === undefined || selector === null) return nothing;
  const requirements: Requirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: "=",
    values: [value],
  }));
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = OBJECT_OPERATORS[operator];
    if (!known) throw new Error(`"${operator}" is not a valid label selector operator`);
    requirements.push({ key, operator: known, values: values ?? [] });
  }
  const faults = requirements.flatMap((requirement) => validateRequirement(requirement));
  if (faults.length > 0) throw new Error(faultsText(faults));
  return selectorOf(requirements);
}

/** Upstream's FormatLabelSelector: for columns and messages. */
export function formatLabelSelector(selector: LabelSelector | undefined): string {
  const text = selectorFromLabelSelector(selector).toString();
  return text === "" ? "<none>" : text;
}

/** The value that a label must have for the selector to match, when there is just one. */
export function requiredLabelValue(selector: Selector, key: string): string | undefined {
  const requirement = selector.requirements.find((candidate) => candidate.key === key);
  const exact = requirement && ["=", "==", "in"].includes(requirement.operator) && requirement.values.length === 1;
  return exact ? requirement.values[0] : undefined;
}
