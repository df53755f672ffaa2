// The grammar of label selectors as text, with upstream's error messages (apimachinery pkg/labels, Lexer and Parser).
// Knows nothing of matching.

import { isQualifiedName } from "../validation/names.js";
import { faultsText, type Operator, type Requirement, validateRequirement } from "./requirement.js";

interface Token {
  kind: "identifier" | "end" | "error" | "in" | "notin" | "(" | ")" | "," | "!" | "==" | "=" | "!=" | ">" | "<";
  /** As error messages show it. */
  text: string;
}

const SYMBOLS = ["==", "!=", "=", "!", "(", ")", ",", ">", "<"] as const;
const OPERATORS: { [kind: string]: Operator } = {
  in: "in",
  notin: "notin",
  "=": "=",
  "==": "==",
  "!=": "!=",
  ">": "gt",
  "<": "lt",
};
const BINARY_OPERATORS = "in, notin, =, ==, !=, gt, lt";

function scan(text: string): Token[] {
  const tokens: Token[] = [];
  const pattern = /([=!(),<>]+)|([^\s=!(),<>]+)/gy;
  let position = 0;
  while (position < text.length) {
    const blank = /\s*/y;
    blank.lastIndex = position;
    position += blank.exec(text)![0].length;
    pattern.lastIndex = position;
    const match = pattern.exec(text);
    if (!match) break;
    if (match[1] !== undefined) {
      const symbol = SYMBOLS.find((candidate) => match[1]!.startsWith(candidate))!;
      tokens.push({ kind: symbol, text: symbol });
      position += symbol.length;
    } else {
      const word = match[2]!;
      tokens.push({ kind: word === "in" || word === "notin" ? word : "identifier", text: word });
      position += word.length;
    }
  }
  tokens.push({ kind: "end", text: "" });
  return tokens;
}

class Parser {
  #position = 0;
  readonly #tokens: readonly Token[];

  constructor(text: string) {
    this.#tokens = scan(text);
  }

  /** "in" and "notin" are identifiers but where an operator stands. */
  peek(): Token {
    const token = this.#tokens[Math.min(this.#position, this.#tokens.length - 1)]!;
    return token.kind === "in" || token.kind === "notin" ? { kind: "identifier", text: token.text } : token;
  }

  next(): Token {
    const token = this.peek();
    this.#position += 1;
    return token;
  }

  nextOperator(): Operator {
    const token = this.#tokens[Math.min(this.#position, this.#tokens.length - 1)]!;
    this.#position += 1;
    const operator = OPERATORS[token.kind];
    if (!operator) throw new Error(`found '${token.text}', expected: ${BINARY_OPERATORS}`);
    return operator;
  }

  requirement(): Requirement {
    let token = this.next();
    const negated = token.kind === "!";
    if (negated) token = this.next();
    if (token.kind !== "identifier") throw new Error(`found '${token.text}', expected: identifier`);
    const key = token.text;
    const objections = isQualifiedName(key);
    if (objections.length > 0)
      throw new Error(`<nil>: Invalid value: ${JSON.stringify(key)}: ${objections.join("; ")}`);
    const follows = this.peek().kind;
    if (negated) return { key, operator: "!", values: [] };
    if (follows === "end" || follows === ",") return { key, operator: "exists", values: [] };
    const operator = this.nextOperator();
    const set = operator === "in" || operator === "notin";
    const values = [...new Set(set ? this.values() : [this.exactValue()])].sort();
    return { key, operator, values };
  }

  values(): string[] {
    const open = this.next();
    if (open.kind !== "(") throw new Error(`found '${open.text}' expected: '('`);
    const first = this.peek();
    if (first.kind === ")") {
      this.next();
      return [""];
    }
    if (first.kind !== "identifier" && first.kind !== ",") {
      throw new Error(`found '${first.text}', expected: ',', ')' or identifier`);
    }
    const values = this.identifiers();
    this.next();
    return values;
  }

  identifiers(): string[] {
    const values: string[] = [];
    for (;;) {
      const token = this.next();
      const follows = this.peek();
      if (token.kind === "identifier") {
        values.push(token.text);
        if (follows.kind === ")") return values;
        if (follows.kind !== ",") throw new Error(`found '${follows.text}', expected: ',' or ')'`);
      } else if (token.kind === ",") {
        if (values.length === 0) values.push("");
        if (follows.kind === ")") return [...values, ""];
        if (follows.kind === ",") {
          this.next();
          values.push("");
        }
      } else {
        throw new Error(`found '${token.text}', expected: ',', or identifier`);
      }
    }
  }

  exactValue(): string {
    const follows = this.peek().kind;
    if (follows === "end" || follows === ",") return "";
    const token = this.next();
    if (token.kind !== "identifier") throw new Error(`found '${token.text}', expected: identifier`);
    return token.text;
  }
}

function soundRequirement(parser: Parser): Requirement {
  try {
    const requirement = parser.requirement();
    const faults = validateRequirement(requirement);
    if (faults.length > 0) throw new Error(faultsText(faults));
    return requirement;
  } catch (error) {
    throw new Error(`unable to parse requirement: ${(error as Error).message}`, { cause: error });
  }
}

/** The requirements of a selector's text, in the order written. Throws an Error in upstream's words. */
export function parseRequirements(text: string): Requirement[] {
  const parser = new Parser(text);
  const requirements: Requirement[] = [];
  for (;;) {
    const token = parser.peek();
    if (token.kind === "end") return requirements;
    if (token.kind !== "identifier" && token.kind !== "!") {
      throw new Error(`found '${token.text}', expected: !, identifier, or 'end of string'`);
    }
    requirements.push(soundRequirement(parser));
    const separator = parser.next();
    if (separator.kind === "end") return requirements;
    if (separator.kind !== ",") throw new Error(`found '${separator.text}', expected: ',' or 'end of string'`);
    const after = parser.peek();
    if (after.kind !== "identifier" && after.kind !== "!") {
      throw new Error(`found '${after.text}', expected: identifier after ','`);
    }
  }
}
