import type { CustomResourceDefinition } from "@picokube/api/apiextensions/v1";
import { test } from "tap";
import { conditionOf, namedStatus, withCondition } from "./crd-conditions.js";
import { deprecationWarning } from "./deprecation.js";

const NOW = "2026-01-01T00:00:00Z";

function crdOf(names: object, status?: object, metadata: object = {}): CustomResourceDefinition {
  const all = { plural: "as", singular: "a", kind: "A", listKind: "AList", ...names };
  return {
    metadata: { name: `${all.plural}.x.example.com`, ...metadata },
    spec: { group: "x.example.com", scope: "Namespaced", names: all, versions: [] },
    ...(status ? { status } : {}),
  } as unknown as CustomResourceDefinition;
}

const named = (crd: CustomResourceDefinition, others: CustomResourceDefinition[] = []) => {
  const status = namedStatus(crd, others, NOW);
  const settled = { ...crd, status } as CustomResourceDefinition;
  return {
    status,
    names: conditionOf(settled, "NamesAccepted"),
    established: conditionOf(settled, "Established"),
    settled,
  };
};

test("names are accepted unless another of the group has them", async (t) => {
  const taken = { plural: "bs", singular: "b", kind: "B", listKind: "BList", shortNames: ["x", "y"] };
  const other = crdOf(taken, { acceptedNames: taken });
  const cases: [object, string, string][] = [
    [{ plural: "b" }, "PluralConflict", '"b" is already in use'],
    [{ singular: "bs" }, "SingularConflict", '"bs" is already in use'],
    [{ shortNames: ["z", "x", "y"] }, "ShortNamesConflict", '["x" is already in use, "y" is already in use]'],
    [{ kind: "BList" }, "KindConflict", '"BList" is already in use'],
    [{ listKind: "B" }, "ListKindConflict", '"B" is already in use'],
  ];
  for (const [names, reason, message] of cases) {
    const { names: condition, established } = named(crdOf(names), [other]);
    t.match(condition, { status: "False", reason, message, lastTransitionTime: NOW });
    t.match(established, { status: "False", reason: "NotAccepted" });
  }
  const { names: condition, established, status } = named(crdOf({ shortNames: ["z"] }), [other]);
  t.match(condition, { status: "True", reason: "NoConflicts", message: "no conflicts found" });
  t.match(established, { status: "True", reason: "InitialNamesAccepted" });
  t.same(status.acceptedNames, { plural: "as", singular: "a", kind: "A", listKind: "AList", shortNames: ["z"] });
});

test("what is established stays so, with the names that it had", async (t) => {
  const { settled } = named(crdOf({ shortNames: ["z"] }));
  const other = crdOf({ plural: "bs" }, { acceptedNames: { plural: "bs", kind: "B", shortNames: ["n"] } });
  const renamed = { ...settled, spec: { ...settled.spec!, names: { ...settled.spec!.names, shortNames: ["n"] } } };
  const { status, established, names } = named(renamed, [other]);
  t.equal(names?.reason, "ShortNamesConflict");
  t.equal(established?.status, "True");
  t.same(status.acceptedNames?.shortNames, ["z"]);
});

test("a condition's time is that of its status", async (t) => {
  const first = withCondition([], { type: "A", status: "True", reason: "R", message: "" }, NOW);
  const later = "2026-02-01T00:00:00Z";
  t.equal(withCondition(first, { type: "A", status: "True", reason: "S" }, later)[0]?.lastTransitionTime, NOW);
  t.equal(withCondition(first, { type: "A", status: "False", reason: "S" }, later)[0]?.lastTransitionTime, later);
});

test("the community's groups tell of their review", async (t) => {
  const group = "x.k8s.io";
  const approval = (value: string) => {
    const crd = crdOf({}, undefined, { annotations: { "api-approved.kubernetes.io": value } });
    const { settled } = named({ ...crd, spec: { ...crd.spec!, group } });
    return conditionOf(settled, "KubernetesAPIApprovalPolicyConformant");
  };
  t.match(approval("https://example.com/1"), {
    status: "True",
    reason: "ApprovedAnnotation",
    message: "approved in https://example.com/1",
  });
  t.match(approval("unapproved, a test"), {
    status: "False",
    reason: "UnapprovedAnnotation",
    message: 'not approved: "unapproved, a test"',
  });
});

test("deprecated versions name a better one", async (t) => {
  const version = (name: string, rest: object = {}) => ({ name, served: true, storage: false, ...rest });
  const spec = (versions: object[]) => ({ group: "x.example.com", names: { kind: "A" }, versions }) as never;
  const old = version("v1beta1", { deprecated: true }) as never;
  t.equal(deprecationWarning(spec([old]), old), "x.example.com/v1beta1 A is deprecated");
  t.equal(
    deprecationWarning(spec([old, version("v1"), version("v2", { served: false })]), old),
    "x.example.com/v1beta1 A is deprecated; use x.example.com/v1 A",
  );
  const own = version("v1beta1", { deprecated: true, deprecationWarning: "go" }) as never;
  t.equal(deprecationWarning(spec([own]), own), "go");
  t.equal(deprecationWarning(spec([]), version("v1") as never), undefined);
});
