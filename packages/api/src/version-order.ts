// Which of a group's versions is preferred: v2 before v1 before v1beta2 before v1alpha1, then the rest by name. Pure.

const VERSION = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/;
const STAGES = ["alpha", "beta", undefined];

/** Sorts the preferred version first (upstream: version.CompareKubeAwareVersionStrings, reversed). */
export function byVersionPriority(left: string, right: string): number {
  if (left === right) return 0;
  const [a, b] = [VERSION.exec(left), VERSION.exec(right)];
  if (!a || !b) return a ? -1 : b || left > right ? 1 : -1;
  return (
    STAGES.indexOf(b[2]) - STAGES.indexOf(a[2]) || Number(b[1]) - Number(a[1]) || Number(b[3] ?? 0) - Number(a[3] ?? 0)
  );
}
