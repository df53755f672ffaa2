// JSONPath as printer columns and selectable fields use it: the dialect of client-go's util/jsonpath below one "{}".
// Compiles a path once; finds values, prints none.

/** Finds the values that the path leads to. */
export type JsonPath = (root: unknown) => unknown[];
type Step = (values: unknown[], root: unknown) => unknown[];

/** Compiles ".spec.containers[*].image" or '.status.conditions[?(@.type=="Ready")].status'. Throws an Error. */
export function jsonPath(text: string): JsonPath {
  const reader = new Reader(text);
  const steps = reader.steps();
  return (root) => run(steps, root, root);
}

function run(steps: readonly Step[], from: unknown, root: unknown): unknown[] {
  let values = [from];
  for (const step of steps) values = step(values, root);
  return values;
}

function field(name: string): Step {
  return (values) => values.flatMap((value) => (isObject(value) && Object.hasOwn(value, name) ? [value[name]] : []));
}

const wildcard: Step = (values) =>
  values.flatMap((value): unknown[] => (typeof value === "object" && value !== null ? Object.values(value) : []));

const recursive: Step = (values) => {
  const found: unknown[] = [];
  let level = values;
  while (level.length > 0) {
    found.push(...level);
    level = wildcard(level, undefined);
  }
  return found;
};

function slice(text: string): Step {
  const [start = "", end = "", step = "1"] = text.split(":").map((part) => part.trim());
  const isSlice = text.includes(":");
  return (values) =>
    values.flatMap((value): unknown[] => {
      if (!Array.isArray(value)) return [];
      if (!isSlice) return value.slice(Number(start)).slice(0, 1);
      const part = value.slice(start === "" ? 0 : Number(start), end === "" ? undefined : Number(end)) as unknown[];
      return part.filter((_item, index) => index % Math.max(Number(step || 1), 1) === 0);
    });
}

function isObject(value: unknown): value is { [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const COMPARISONS: { readonly [operator: string]: (left: never, right: never) => boolean } = {
  "==": (left: unknown, right: unknown) => left === right,
  "!=": (left: unknown, right: unknown) => left !== right,
  "<=": (left: number, right: number) => left <= right,
  ">=": (left: number, right: number) => left >= right,
  "<": (left: number, right: number) => left < right,
  ">": (left: number, right: number) => left > right,
};

/** Reads one path from left to right. */
class Reader {
  private at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  steps(): Step[] {
    const steps: Step[] = [];
    if (this.text.startsWith("$") || this.text.startsWith("@")) this.at++;
    while (this.at < this.text.length) {
      if (this.takes("..")) {
        steps.push(recursive);
        if (this.text[this.at] !== "[") steps.push(this.name());
      } else if (this.takes(".")) {
        if (this.text[this.at] !== "[") steps.push(this.name());
      } else if (this.takes("[")) steps.push(this.bracket());
      else steps.push(this.name());
    }
    return steps;
  }

  private takes(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  private name(): Step {
    if (this.takes("*")) return wildcard;
    let name = "";
    while (this.at < this.text.length && !".[".includes(this.text[this.at]!)) {
      if (this.text[this.at] === "\\") this.at++;
      name += this.text[this.at++] ?? "";
    }
    if (name === "") throw new Error(`unrecognized character in action: ${this.text}`);
    return field(name);
  }

  /** What stands between brackets: an index, a slice, names in quotes, a union, a filter or a star. */
  private bracket(): Step {
    const end = this.closing();
    const inner = this.text.slice(this.at, end).trim();
    this.at = end + 1;
    const filter = /^\?\((.*)\)$/s.exec(inner);
    if (filter) return filterStep(filter[1]!.trim());
    if (inner === "*") return wildcard;
    const parts = inner.match(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^,]+/g) ?? [];
    const steps = parts.map((part) => part.trim()).map(part);
    if (steps.length === 0) throw new Error(`invalid array index ${inner}`);
    return (values, root) => steps.flatMap((step) => step(values, root));
  }

  private closing(): number {
    let depth = 1;
    let quote = "";
    for (let index = this.at; index < this.text.length; index++) {
      const character = this.text[index]!;
      if (character === "\\") index++;
      else if (quote !== "") quote = character === quote ? "" : quote;
      else if (character === "'" || character === '"') quote = character;
      else if (character === "[") depth++;
      else if (character === "]" && --depth === 0) return index;
    }
    throw new Error(`unterminated array: ${this.text}`);
  }
}

function part(text: string): Step {
  if (text.startsWith("'") || text.startsWith('"')) return field(text.slice(1, -1).replace(/\\(.)/g, "$1"));
  if (/^-?\d*(:-?\d*){0,2}$/.test(text) && text !== "") return slice(text);
  throw new Error(`invalid array index ${text}`);
}

function filterStep(expression: string): Step {
  const match = /^(.*?)\s*(==|!=|<=|>=|<|>)\s*(.*)$/s.exec(expression);
  const left = operand(match ? match[1]! : expression);
  const right = match && operand(match[3]!);
  const compare = match && (COMPARISONS[match[2]!] as (left: unknown, right: unknown) => boolean);
  return (values, root) =>
    values.flatMap((value): unknown[] => {
      const items: unknown[] = Array.isArray(value) ? value : [value];
      return items.filter((item) => {
        const found = left(item, root);
        if (!compare || !right) return found.length > 0;
        const others = right(item, root);
        return found.length > 0 && others.length > 0 && compare(found[0], others[0]);
      });
    });
}

function operand(text: string): (item: unknown, root: unknown) => unknown[] {
  if (text.startsWith("@") || text.startsWith("$")) {
    const steps = new Reader(text).steps();
    return (item, root) => run(steps, text.startsWith("@") ? item : root, root);
  }
  if (/^(['"]).*\1$/s.test(text)) return () => [text.slice(1, -1)];
  if (text === "true" || text === "false") return () => [text === "true"];
  if (text !== "" && !Number.isNaN(Number(text))) return () => [Number(text)];
  throw new Error(`unrecognized character in filter: ${text}`);
}
