// Values as Go prints them (%q and %#v): upstream's messages up to 1.33 show the small structs that people meet, a label
// selector above all, in Go's own syntax. Larger structs, in which Go would print addresses of memory, are shown as JSON,
// as 1.34 shows them all. Pure.

import type { LabelSelector } from "../meta/v1.js";
import type { Quantity } from "../quantity.js";

/** A text that stands in a message as it is, unquoted. */
export class GoValue {
  constructor(readonly text: string) {}
}

const shortEscapes: { readonly [character: string]: string } = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  if (shortEscapes[character] !== undefined) return shortEscapes[character];
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

/** A string in double quotes (%q): what cannot be printed is escaped; none is the zero value. */
export function quoted(text = ""): string {
  const inner = text.replace(/["\\]/g, "\\$&").replace(/[^ \p{L}\p{M}\p{N}\p{P}\p{S}]/gu, escaped);
  return `"${inner}"`;
}

function listText(values: readonly string[] | undefined, type: string): string {
  return values ? `[]${type}{${values.map(quoted).join(", ")}}` : `[]${type}(nil)`;
}

function mapText(map: { readonly [key: string]: string } | undefined): string {
  if (!map) return "map[string]string(nil)";
  const entries = Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[string]string{${entries.map(([key, value]) => `${quoted(key)}:${quoted(value)}`).join(", ")}}`;
}

/** A list of strings; type is the element's, such as "core.IPFamily". */
export function goStrings(values: readonly string[] | undefined, type = "string"): GoValue {
  return new GoValue(listText(values, type));
}

/** A map of strings, its keys in order. */
export function goStringMap(map: { readonly [key: string]: string } | undefined): GoValue {
  return new GoValue(mapText(map));
}

/** A metav1.LabelSelector; none is "null", as of any pointer. */
export function goLabelSelector(selector: LabelSelector | undefined): GoValue | null {
  if (!selector) return null;
  const type = "v1.LabelSelectorRequirement";
  const expressions = selector.matchExpressions?.map(
    ({ key, operator, values }) =>
      `${type}{Key:${quoted(key)}, Operator:${quoted(operator)}, Values:${listText(values, "string")}}`,
  );
  const list = expressions ? `[]${type}{${expressions.join(", ")}}` : `[]${type}(nil)`;
  return new GoValue(`v1.LabelSelector{MatchLabels:${mapText(selector.matchLabels)}, MatchExpressions:${list}}`);
}

/** An intstr.IntOrString; none is the zero value. */
export function goIntOrString(value: number | string | undefined): GoValue {
  const [type, int, text] = typeof value === "string" ? [1, 0, value] : [0, value ?? 0, ""];
  return new GoValue(`intstr.IntOrString{Type:${type}, IntVal:${int}, StrVal:${quoted(text)}}`);
}

/** A resource.Quantity. */
export function goQuantity(quantity: Quantity): GoValue {
  const scales: { readonly [suffix: string]: number } = {
    n: -9,
    u: -6,
    m: -3,
    "": 0,
    k: 3,
    M: 6,
    G: 9,
    T: 12,
    P: 15,
    E: 18,
  };
  const [, digits = "0", suffix = ""] = /^(-?\d+)(.*)$/.exec(quantity.toString()) ?? [];
  const scale = scales[suffix];
  const [value, exponent] = scale === undefined ? [quantity.value(), 0] : [digits, scale];
  const amount = `resource.int64Amount{value:${value}, scale:${exponent}}`;
  const rest = `d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:"", Format:${quoted(quantity.format)}`;
  return new GoValue(`resource.Quantity{i:${amount}, ${rest}}`);
}

/** A core.ResourceList, its names in order; amounts that cannot be read are left out. */
export function goResourceList(amounts: ReadonlyMap<string, Quantity> | undefined): GoValue {
  if (!amounts) return new GoValue("core.ResourceList(nil)");
  const entries = [...amounts].sort(([a], [b]) => (a < b ? -1 : 1));
  const text = entries.map(([name, quantity]) => `${quoted(name)}:${goQuantity(quantity).text}`).join(", ");
  return new GoValue(`core.ResourceList{${text}}`);
}
