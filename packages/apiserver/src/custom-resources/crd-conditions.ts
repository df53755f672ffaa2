// The conditions of a CustomResourceDefinition and which of its names it may have (apiextensions-apiserver
// pkg/controller/status: calculateNamesAndConditions, establish, apiapproval). Pure.

import type { CustomResourceDefinition } from "@picokube/api/apiextensions/v1";

type Status = NonNullable<CustomResourceDefinition["status"]>;
export type Condition = NonNullable<Status["conditions"]>[number];
type Names = NonNullable<Status["acceptedNames"]>;

const APPROVAL = "api-approved.kubernetes.io";
const PROTECTED = ["k8s.io", "kubernetes.io"];

/** The condition of that type, if it is there. */
export function conditionOf(crd: CustomResourceDefinition, type: string): Condition | undefined {
  return crd.status?.conditions?.find((condition) => condition.type === type);
}

/** The conditions with one in the place of its predecessor; its time is that of the last change of its status. */
export function withCondition(
  conditions: readonly Condition[] | undefined,
  next: Pick<Condition, "type" | "status" | "reason" | "message">,
  now: string,
): Condition[] {
  const before = (conditions ?? []).find(({ type }) => type === next.type);
  const lastTransitionTime = before?.status === next.status ? (before.lastTransitionTime ?? now) : now;
  const made = {
    lastTransitionTime,
    message: next.message ?? "",
    reason: next.reason ?? "",
    status: next.status,
    type: next.type,
  };
  if (!before) return [...(conditions ?? []), made];
  return conditions!.map((condition) => (condition === before ? made : condition));
}

/** The status that the definition deserves beside the others of its group: names that are free, and what follows. */
export function namedStatus(
  crd: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
  now: string,
): Status {
  const requested = crd.spec!.names;
  const accepted: Partial<Names> = crd.status?.acceptedNames ?? {};
  const taken = takenNames(others);
  const next: { -readonly [field in keyof Names]?: Names[field] } = { ...accepted };
  let conflict: { reason: string; message: string } | undefined;
  const isFree = (name: string | undefined, had: string | undefined, used: ReadonlySet<string>) =>
    name === undefined || name === "" || name === had || !used.has(name);
  const judge = (free: boolean, names: readonly string[], reason: string): boolean => {
    if (!free) {
      const words = names.map((name) => `${JSON.stringify(name)} is already in use`);
      conflict = { reason, message: words.length > 1 ? `[${words.join(", ")}]` : words[0]! };
    }
    return free;
  };
  const { plural, singular, kind, listKind, shortNames = [], categories = [] } = requested;
  if (judge(isFree(plural, accepted.plural, taken.resources), [plural], "PluralConflict")) next.plural = plural;
  if (judge(isFree(singular, accepted.singular, taken.resources), [singular ?? ""], "SingularConflict")) {
    setOrDelete(next, "singular", singular);
  }
  const had = new Set(accepted.shortNames ?? []);
  const conflicting = shortNames.filter((name) => !had.has(name) && taken.resources.has(name));
  if (judge(conflicting.length === 0, conflicting, "ShortNamesConflict")) {
    setOrDelete(next, "shortNames", shortNames.length > 0 ? shortNames : undefined);
  }
  if (judge(isFree(kind, accepted.kind, taken.kinds), [kind], "KindConflict")) next.kind = kind;
  if (judge(isFree(listKind, accepted.listKind, taken.kinds), [listKind ?? ""], "ListKindConflict")) {
    setOrDelete(next, "listKind", listKind);
  }
  setOrDelete(next, "categories", categories.length > 0 ? categories : undefined);
  const conditions = conditionsOf(crd, conflict, now);
  return { storedVersions: [], ...crd.status, acceptedNames: next as Names, conditions };
}

function setOrDelete<Field extends string>(names: { [field in Field]?: unknown }, field: Field, value: unknown): void {
  if (value === undefined) delete names[field];
  else names[field] = value;
}

function conditionsOf(
  crd: CustomResourceDefinition,
  conflict: { reason: string; message: string } | undefined,
  now: string,
): Condition[] {
  const named = conflict
    ? { type: "NamesAccepted", status: "False" as const, ...conflict }
    : { type: "NamesAccepted", status: "True" as const, reason: "NoConflicts", message: "no conflicts found" };
  let conditions = withCondition(crd.status?.conditions, named, now);
  const isEstablished = conditionOf(crd, "Established")?.status === "True";
  if (!isEstablished) {
    const established = conflict
      ? { status: "False" as const, reason: "NotAccepted", message: "not all names are accepted" }
      : {
          status: "True" as const,
          reason: "InitialNamesAccepted",
          message: "the initial names have been accepted",
        };
    conditions = withCondition(conditions, { type: "Established", ...established }, now);
  }
  const approved = approvalCondition(crd);
  return approved ? withCondition(conditions, approved, now) : conditions;
}

/** What the community's groups say of their review. */
function approvalCondition({ spec, metadata }: CustomResourceDefinition) {
  const group = spec!.group;
  if (!PROTECTED.some((each) => group === each || group.endsWith(`.${each}`))) return undefined;
  const type = "KubernetesAPIApprovalPolicyConformant";
  const value = metadata.annotations?.[APPROVAL];
  if (value === undefined) return undefined;
  return value.startsWith("unapproved")
    ? {
        type,
        status: "False" as const,
        reason: "UnapprovedAnnotation",
        message: `not approved: ${JSON.stringify(value)}`,
      }
    : { type, status: "True" as const, reason: "ApprovedAnnotation", message: `approved in ${value}` };
}

function takenNames(others: readonly CustomResourceDefinition[]) {
  const names = others.flatMap(({ status }) => (status?.acceptedNames ? [status.acceptedNames] : []));
  const resources = names.flatMap(({ plural, singular, shortNames }) => [plural, singular, ...(shortNames ?? [])]);
  const kinds = names.flatMap(({ kind, listKind }) => [kind, listKind]);
  const isName = (name: string | undefined): name is string => name !== undefined && name !== "";
  return { resources: new Set(resources.filter(isName)), kinds: new Set(kinds.filter(isName)) };
}
