// The shared formatting of Table cells (upstream: pkg/printers/internalversion). Knows no kind.

import { humanDuration } from "@picokube/api/duration";
import type { KubernetesObject, LabelSelector } from "@picokube/api/meta/v1";
import { fieldDescription } from "@picokube/api/schema/load";
import { selectorFromLabelSelector } from "@picokube/api/selectors/labels";
import type { Column } from "./resource-definition.js";

interface Appearance {
  /** Shown only with -o wide. */
  readonly wide?: boolean;
  readonly type?: Column<unknown>["type"];
  readonly format?: string;
}

/** What the column shows, or the field whose documentation says it: "core.v1.PodStatus.podIP". */
type ColumnOptions = Appearance & ({ readonly description: string } | { readonly field: string });

/** A column of strings unless the options say otherwise. */
export function column<T>(name: string, cell: Column<T>["cell"], options: ColumnOptions): Column<T> {
  return {
    name,
    type: options.type ?? "string",
    ...(options.format ? { format: options.format } : {}),
    // Looked up when a Table is first asked for, not at import.
    get description() {
      return "field" in options ? documentationOf(options.field) : options.description;
    },
    priority: options.wide ? 1 : 0,
    cell,
  };
}

/** The column with some of its properties changed; what describes it is still looked up late. */
export function columnLike<T, U>(column: Column<T>, changes: Partial<Column<U>>): Column<U> {
  const properties = { ...Object.getOwnPropertyDescriptors(column), ...Object.getOwnPropertyDescriptors(changes) };
  return Object.defineProperties({}, properties) as Column<U>;
}

const OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/** What SwaggerDoc() says upstream. */
function documentationOf(field: string): string {
  const at = field.lastIndexOf(".");
  const name = field.slice(0, at);
  return fieldDescription(name === "ObjectMeta" ? OBJECT_META : `io.k8s.api.${name}`, field.slice(at + 1));
}

/** How long ago an RFC 3339 time was, as `5m` or `3d2h`; `<unknown>` without one (upstream: translateTimestampSince). */
export function timestampSince(timestamp: string | null | undefined, now: number): string {
  return timestamp ? humanDuration(now - Date.parse(timestamp)) : "<unknown>";
}

/** `a=1,b=2`, or `<none>` (upstream: labels.FormatLabels). */
export function formatLabels(labels: { readonly [key: string]: string } | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? "<none>" : pairs.sort().join(",");
}

/** A LabelSelector as a selector string, or `<none>` when it selects everything (upstream: metav1.FormatLabelSelector). */
export function formatLabelSelector(selector: LabelSelector | undefined): string {
  return labelSelectorString(selector) || "<none>";
}

/** A LabelSelector as a selector string, requirements sorted by key; "" when it is empty, `<error>` when it is none. */
export function labelSelectorString(selector: LabelSelector | undefined): string {
  try {
    return selectorFromLabelSelector(selector).toString();
  } catch {
    return "<error>";
  }
}

/** The first three of a list and `+ 2 more...` for the rest. */
export function firstThree(list: readonly string[], none: string): string {
  if (list.length === 0) return none;
  const shown = list.slice(0, 3).join(",");
  return list.length > 3 ? `${shown} + ${list.length - 3} more...` : shown;
}

/** The addresses and names of a load balancer, each once, sorted (upstream: loadBalancerStatusStringer). */
export function loadBalancerAddresses(
  ingress: readonly { readonly ip?: string; readonly hostname?: string }[] = [],
): string[] {
  return [...new Set(ingress.map(({ ip, hostname }) => ip || hostname || ""))].filter((each) => each !== "").sort();
}

/** "True", "False" or `<unset>` (upstream: printBoolPtr). */
export function formatBoolean(value: boolean | undefined): string {
  return value === undefined ? "<unset>" : value ? "True" : "False";
}

interface HasContainers {
  containers?: readonly { name?: string; image?: string }[];
}

/** The names of a pod spec's containers (upstream: layoutContainerCells). */
export function containerNames(spec: HasContainers | undefined): string {
  return (spec?.containers ?? []).map(({ name }) => name ?? "").join(",");
}

/** The images of a pod spec's containers. */
export function containerImages(spec: HasContainers | undefined): string {
  return (spec?.containers ?? []).map(({ image }) => image ?? "").join(",");
}

/** The columns Containers and Images that the workloads share; wide. */
export function containerColumns<T>(specOf: (object: T) => HasContainers | undefined): Column<T>[] {
  return [
    column("Containers", (object) => containerNames(specOf(object)), {
      wide: true,
      description: "Names of each container in the template.",
    }),
    column("Images", (object) => containerImages(specOf(object)), {
      wide: true,
      description: "Images referenced by each container in the template.",
    }),
  ];
}

/** `RWO,ROX`, each mode once, in upstream's order (upstream: helper.GetAccessModesAsString). */
export function formatAccessModes(modes: readonly string[] | undefined): string {
  const short: [string, string][] = [
    ["ReadWriteOnce", "RWO"],
    ["ReadOnlyMany", "ROX"],
    ["ReadWriteMany", "RWX"],
    ["ReadWriteOncePod", "RWOP"],
  ];
  return short
    .filter(([mode]) => modes?.includes(mode))
    .map(([, letters]) => letters)
    .join(",");
}

/** Every table's first column. */
export const nameColumn: Column<KubernetesObject> = column("Name", (object) => object.metadata.name, {
  format: "name",
  field: "ObjectMeta.name",
});

/** Every table's column Age. */
export const ageColumn: Column<KubernetesObject> = column(
  "Age",
  (object, now) => timestampSince(object.metadata.creationTimestamp, now),
  { field: "ObjectMeta.creationTimestamp" },
);

/** The column that stands where a kind has no Age. */
export const createdAtColumn: Column<KubernetesObject> = column(
  "Created At",
  (object) => object.metadata.creationTimestamp,
  { type: "date", field: "ObjectMeta.creationTimestamp" },
);

/** What objects without columns of their own show (upstream: rest.NewDefaultTableConvertor). */
export const DEFAULT_COLUMNS: readonly Column<KubernetesObject>[] = [nameColumn, createdAtColumn];
