// Patterns of schemas, written for Go's regexp, as regular expressions of JavaScript. Translates what differs in
// spelling; what JavaScript does not know at all throws.

const POSIX: { readonly [name: string]: string } = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: "\\x00-\\x7F",
  blank: "\\t ",
  digit: "0-9",
  lower: "a-z",
  punct: "!-\\/:-@\\[-`{-~",
  space: "\\t\\n\\v\\f\\r ",
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};
const compiled = new Map<string, RegExp>();
const MAX_COMPILED = 1000;

/** Compiles a pattern, or takes the one compiled before. Throws a SyntaxError. */
export function goRegExp(pattern: string): RegExp {
  let found = compiled.get(pattern);
  if (!found) {
    found = translate(pattern);
    if (compiled.size >= MAX_COMPILED) compiled.clear();
    compiled.set(pattern, found);
  }
  return found;
}

function translate(pattern: string): RegExp {
  const leading = /^\(\?([ims]+)\)/.exec(pattern);
  const flags = leading?.[1] ?? "";
  const source = pattern
    .slice(leading?.[0].length ?? 0)
    .replace(/\(\?P</g, "(?<")
    .replace(/\[:(\w+):\]/g, (whole, name: string) => POSIX[name] ?? whole)
    .replace(/\\p([A-Z])(?!\{)/g, "\\p{$1}")
    .replace(/\\A/g, "^")
    .replace(/\\z/g, "$");
  try {
    return new RegExp(source, `u${flags}`);
  } catch {
    // Go takes a backslash before any punctuation; JavaScript does so only without the flag u.
    return new RegExp(source, flags);
  }
}
