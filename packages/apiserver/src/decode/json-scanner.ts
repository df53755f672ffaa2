// Looks over JSON text for what JSON.parse does not tell: duplicate fields and excessive depth. Produces no values; the
// text must already have been parsed without an error for the former. On the hot path of every write: strings, which are
// most of an object, are leapt over.

/** As deep as upstream's decoder goes. */
const MAX_DEPTH = 10_000;

interface Frame {
  /** Keys seen, for objects; undefined for arrays. */
  readonly keys: Set<string> | undefined;
  index: number;
  pendingKey: string;
}

/** A field that stands in an object again. */
export interface DuplicateField {
  /** "spec.containers[0].image". */
  readonly path: string;
  readonly key: string;
  /** Index of its first quote in the text. */
  readonly at: number;
}

/** Paths of fields that stand twice in one object, in the order found. */
export function findDuplicateFields(text: string): string[] {
  return findDuplicates(text).map(({ path }) => path);
}

/** Fields that stand twice in one object, in the order found. */
export function findDuplicates(text: string): DuplicateField[] {
  const duplicates: DuplicateField[] = [];
  const stack: Frame[] = [];
  let top: Frame | undefined;
  let expectKey = false;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x7b: // {
        top = { keys: new Set(), index: 0, pendingKey: "" };
        stack.push(top);
        expectKey = true;
        break;
      case 0x5b: // [
        top = { keys: undefined, index: 0, pendingKey: "" };
        stack.push(top);
        expectKey = false;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        stack.pop();
        top = stack[stack.length - 1];
        expectKey = false;
        break;
      case 0x2c: // ,
        if (top) top.index++;
        expectKey = top?.keys !== undefined;
        break;
      case 0x22: {
        const end = endOfString(text, at);
        if (expectKey && top?.keys) {
          const key = keyOf(text, at, end);
          top.pendingKey = key;
          if (top.keys.has(key)) duplicates.push({ path: pathOf(stack), key, at });
          else top.keys.add(key);
          expectKey = false;
        }
        at = end;
        break;
      }
    }
  }
  return duplicates;
}

/** True when arrays and objects nest deeper than any real object does. */
export function isTooDeep(text: string, maxDepth: number = MAX_DEPTH): boolean {
  if (text.length <= maxDepth) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) at = endOfString(text, at);
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > maxDepth) return true;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return false;
}

/** Index of the quote that ends the string; the text's length when nothing does. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

function keyOf(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end);
  return raw.includes("\\") ? (JSON.parse(`"${raw}"`) as string) : raw;
}

/** Where the scan stands: each frame's field or index, from the outermost in. */
function pathOf(stack: readonly Frame[]): string {
  let path = "";
  for (const { keys, index, pendingKey } of stack) {
    if (keys === undefined) path += `[${index}]`;
    else path += path === "" ? pendingKey : `.${pendingKey}`;
  }
  return path;
}
