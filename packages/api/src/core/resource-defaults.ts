// Quantities in the form that the API server always answers with (upstream: Quantity.UnmarshalJSON and String,
// SetDefaults_ResourceList). Pure.

import { canonicalQuantity, parseQuantity } from "../quantity.js";

/** The canonical form ("0.5" becomes "500m"); what is no quantity stays as it is, for validation to name. */
export function canonicalOrSame(value: string | number): string | number {
  try {
    return canonicalQuantity(value);
  } catch {
    return value;
  }
}

function roundedOrSame(value: string | number): string | number {
  try {
    return parseQuantity(value).roundUpToMilli().toString();
  } catch {
    return value;
  }
}

/** Makes the quantities of a resource list canonical, rounded up to thousandths; in place. */
export function setResourceListDefaults(list: { [name: string]: string | number } | undefined): void {
  for (const [name, value] of Object.entries(list ?? {})) list![name] = roundedOrSame(value);
}
