// Whether tolerations bear a taint (upstream: v1.Toleration.ToleratesTaint). Pure.

import type { Taint, Toleration } from "./v1.js";

type TaintLike = Pick<Taint, "key" | "effect"> & { value?: string };

/** The toleration bears the taint. */
export function toleratesTaint({ key, operator, value, effect }: Toleration, taint: TaintLike): boolean {
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  if (operator === "Exists") return true;
  return (!operator || operator === "Equal") && !!key && (value ?? "") === (taint.value ?? "");
}

/** One of the tolerations bears the taint. */
export function tolerates(tolerations: readonly Toleration[] | undefined, taint: TaintLike): boolean {
  return (tolerations ?? []).some((toleration) => toleratesTaint(toleration, taint));
}
