// What may be the name of a field manager (apimachinery apis/meta/v1/validation: ValidateFieldManager).

import type { FieldError } from "@picokube/api/errors";
import { invalidValue, tooLong } from "@picokube/api/validation/field-error";

/** Bytes. */
export const MAX_MANAGER_LENGTH = 128;
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

/** False for what Go's unicode.IsPrint refuses. */
export function isPrintable(character: string): boolean {
  return !UNPRINTABLE.test(character);
}

/** What is wrong with the name of a manager. */
export function managerFaults(manager: string, path = "fieldManager"): FieldError[] {
  const faults: FieldError[] = [];
  if (Buffer.byteLength(manager) > MAX_MANAGER_LENGTH) faults.push(tooLong(path, MAX_MANAGER_LENGTH));
  let at = 0;
  for (const character of manager) {
    if (!isPrintable(character)) {
      const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
      faults.push(invalidValue(path, manager, `invalid character U+${code} (at position ${at})`));
    }
    at += Buffer.byteLength(character);
  }
  return faults;
}
