// Whether tolerations bear a taint (upstream: v1.Toleration.ToleratesTaint). Shared by the plugins of taints.

import type { Taint, Toleration } from "@picokube/api/core/v1";

type TaintLike = Pick<Taint, "key" | "effect"> & { value?: string };

/** One of the tolerations bears the taint. */
export function tolerates(tolerations: readonly Toleration[] | undefined, taint: TaintLike): boolean {
  return (tolerations ?? []).some(({ key, operator, value, effect }) => {
    if (effect && effect !== taint.effect) return false;
    if (key && key !== taint.key) return false;
    if (operator === "Exists") return true;
    return (!operator || operator === "Equal") && !!key && (value ?? "") === (taint.value ?? "");
  });
}
