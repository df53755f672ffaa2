// The shared formatting of Table cells (upstream: pkg/printers/internalversion). Knows no kind.

import { humanDuration } from "@picokube/api/duration";
import type { KubernetesObject, LabelSelector } from "@picokube/api/meta/v1";
import { selectorFromLabelSelector } from "@picokube/api/selectors/labels";
import type { Column } from "./resource-definition.js";

interface ColumnOptions {
  /** Shown only with -o wide. */
  wide?: boolean;
  type?: Column<unknown>["type"];
  format?: string;
  description?: string;
}

/** A column of strings unless the options say otherwise. */
export function column<T>(name: string, cell: Column<T>["cell"], options: ColumnOptions = {}): Column<T> {
  return {
    name,
    type: options.type ?? "string",
    ...(options.format ? { format: options.format } : {}),
    description: options.description ?? name,
    priority: options.wide ? 1 : 0,
    cell,
  };
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
  description: "Name must be unique within a namespace.",
});

/** Every table's column Age. */
export const ageColumn: Column<KubernetesObject> = column(
  "Age",
  (object, now) => timestampSince(object.metadata.creationTimestamp, now),
  { description: "CreationTimestamp is a timestamp representing the server time when this object was created." },
);

/** The column that stands where a kind has no Age. */
export const createdAtColumn: Column<KubernetesObject> = column(
  "Created At",
  (object) => object.metadata.creationTimestamp,
  { type: "date", description: "CreationTimestamp of the object." },
);
