// Node selectors, as nodeSelector and node affinity have them (upstream: component-helpers nodeaffinity). Pure.

import { type Operator, selectorFromSet, selectorOf } from "../selectors/labels.js";
import type { NodeSelectorRequirement, NodeSelectorTerm, Pod } from "./v1.js";

const OPERATORS: Record<string, Operator> = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
  Gt: "gt",
  Lt: "lt",
};

/** What a node selector looks at. */
export interface NodeLike {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

function requirementsMatch(
  requirements: readonly NodeSelectorRequirement[] | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  return selectorOf(
    (requirements ?? []).map(({ key, operator, values = [] }) => ({ key, operator: OPERATORS[operator]!, values })),
  ).matches(labels);
}

/** A term without any requirement matches nothing. */
export function termMatchesNode({ matchExpressions, matchFields }: NodeSelectorTerm, node: NodeLike): boolean {
  if (!matchExpressions?.length && !matchFields?.length) return false;
  return (
    requirementsMatch(matchExpressions, node.labels) && requirementsMatch(matchFields, { "metadata.name": node.name })
  );
}

/** The pod's nodeSelector and required node affinity hold on this node. */
export function requiredNodeAffinityMatches({ spec }: Pick<Pod, "spec">, node: NodeLike): boolean {
  if (spec?.nodeSelector && !selectorFromSet(spec.nodeSelector).matches(node.labels)) return false;
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return !required || required.nodeSelectorTerms.some((term) => termMatchesNode(term, node));
}
