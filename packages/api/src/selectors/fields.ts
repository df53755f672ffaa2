// Field selectors: "status.phase=Running,metadata.name!=web" (apimachinery pkg/fields). Which fields a kind allows is
// the apiserver's to know; label selectors live in labels.ts.

export interface FieldRequirement {
  readonly field: string;
  readonly operator: "=" | "!=";
  readonly value: string;
}

export interface FieldSelector {
  /** All must hold. */
  readonly requirements: readonly FieldRequirement[];
  readonly empty: boolean;
  /** Asks fieldOf for each field's value, "" when unset. */
  matches(fieldOf: (field: string) => string): boolean;
  toString(): string;
}

/** A selector of these requirements. */
export function fieldSelectorOf(requirements: readonly FieldRequirement[]): FieldSelector {
  return {
    requirements,
    empty: requirements.length === 0,
    matches: (fieldOf) =>
      requirements.every(({ field, operator, value }) => (fieldOf(field) === value) === (operator === "=")),
    toString: () => requirements.map(({ field, operator, value }) => `${field}${operator}${value}`).join(","),
  };
}

/** Matches everything. */
export const everyField: FieldSelector = fieldSelectorOf([]);

/** The text's value with upstream's escapes (\\ \, \=) undone. */
function unescapeValue(value: string): string {
  if (!/[\\,=]/.test(value)) return value;
  return value.replace(/\\(.?)|[,=]/gs, (sequence: string, escaped: string | undefined) => {
    if (escaped === undefined) throw new Error(`invalid field selector: unescaped character in value: '${sequence}'`);
    if (!"\\,=".includes(escaped) || escaped === "") {
      throw new Error(`invalid field selector: invalid escape sequence: ${sequence}`);
    }
    return escaped;
  });
}

/** Splits at commas that no backslash stands before. */
function splitTerms(text: string): string[] {
  return text === "" ? [] : (text.match(/(?:\\.|[^,\\]|\\$)+/gs) ?? []);
}

/** Parses "a=b,c!=d"; "" matches everything. Throws an Error in upstream's words. */
export function parseFieldSelector(text: string): FieldSelector {
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text).sort()) {
    const match = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
    if (!match) throw new Error(`invalid selector: '${text}'; can't understand '${term}'`);
    const [, field = "", operator, value = ""] = match;
    requirements.push({ field, operator: operator === "!=" ? "!=" : "=", value: unescapeValue(value) });
  }
  return fieldSelectorOf(requirements);
}

/** The value that a field must have for the selector to match, when it names one. */
export function requiredFieldValue(selector: FieldSelector, field: string): string | undefined {
  return selector.requirements.find((requirement) => requirement.field === field && requirement.operator === "=")
    ?.value;
}
