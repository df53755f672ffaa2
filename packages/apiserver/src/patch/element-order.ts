// The order of a merged list: what the patch speaks of in the patch's order, and between it, where they stood before,
// the items that only the server has (apimachinery strategicpatch: normalizeElementOrder, mergeSortedSlice). Pure.

interface Orders {
  /** Items, or maps with their key, in the order that the patch wants. */
  readonly wanted: readonly unknown[];
  /** The list as it was. */
  readonly former: readonly unknown[];
  /** Tells items apart; left out for primitives. */
  readonly mergeKey?: string | undefined;
}

/** The merged items in their order. An item that is new stands before the server's own that follow it. */
export function inElementOrder(merged: readonly unknown[], { wanted, former, mergeKey }: Orders): unknown[] {
  const identity = (item: unknown) =>
    mergeKey === undefined ? item : (item as { readonly [field: string]: unknown } | null)?.[mergeKey];
  const places = (items: readonly unknown[]) =>
    new Map([...items.entries()].reverse().map(([at, item]) => [identity(item), at]));
  const wantedAt = places(wanted);
  const formerAt = places(former);
  const byPlace = (at: ReadonlyMap<unknown, number>) => (a: unknown, b: unknown) =>
    (at.get(identity(a)) ?? 0) - (at.get(identity(b)) ?? 0);
  const patched = merged.filter((item) => wantedAt.has(identity(item))).sort(byPlace(wantedAt));
  const others = merged.filter((item) => !wantedAt.has(identity(item))).sort(byPlace(formerAt));
  const ordered: unknown[] = [];
  let next = 0;
  for (const item of others) {
    const at = formerAt.get(identity(item));
    while (next < patched.length && !stoodBefore(at, formerAt.get(identity(patched[next]))))
      ordered.push(patched[next++]);
    ordered.push(item);
  }
  return [...ordered, ...patched.slice(next)];
}

function stoodBefore(at: number | undefined, other: number | undefined): boolean {
  return at !== undefined && other !== undefined && at < other;
}
