// Tests of how values stand in messages: as Go prints them.

import { test } from "tap";
import { parseQuantity } from "../quantity.js";
import { duplicate, invalidValue, notSupported } from "./field-error.js";
import { goIntOrString, goLabelSelector, goQuantity, goStringMap, goStrings, quoted } from "./go-syntax.js";

const expression = { key: "tier", operator: "In", values: ["front"] };

const table: [unknown, string][] = [
  [undefined, '"null"'],
  [null, '"null"'],
  ["A_b", '"A_b"'],
  [-1, "-1"],
  [true, "true"],
  [["a", "b"], '[]string{"a", "b"}'],
  [[3, 0], "[]int32{3, 0}"],
  [{ topologyKey: "zone" }, '{"topologyKey":"zone"}'],
  [goStrings(["IPv4"], "core.IPFamily"), '[]core.IPFamily{"IPv4"}'],
  [goStrings(undefined), "[]string(nil)"],
  [goStringMap({ b: "2", a: "1" }), 'map[string]string{"a":"1", "b":"2"}'],
  [goStringMap(undefined), "map[string]string(nil)"],
  [goLabelSelector(undefined), '"null"'],
  [
    goLabelSelector({ matchLabels: { app: "web" } }),
    'v1.LabelSelector{MatchLabels:map[string]string{"app":"web"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}',
  ],
  [
    goLabelSelector({ matchExpressions: [expression] }),
    'v1.LabelSelector{MatchLabels:map[string]string(nil), MatchExpressions:[]v1.LabelSelectorRequirement{v1.LabelSelectorRequirement{Key:"tier", Operator:"In", Values:[]string{"front"}}}}',
  ],
  [
    goQuantity(parseQuantity("500m")),
    'resource.Quantity{i:resource.int64Amount{value:500, scale:-3}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:"", Format:"DecimalSI"}',
  ],
  [
    goQuantity(parseQuantity("1Ki")),
    'resource.Quantity{i:resource.int64Amount{value:1024, scale:0}, d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:"", Format:"BinarySI"}',
  ],
  [goIntOrString(0), 'intstr.IntOrString{Type:0, IntVal:0, StrVal:""}'],
  [goIntOrString("25%"), 'intstr.IntOrString{Type:1, IntVal:0, StrVal:"25%"}'],
];

for (const [value, shown] of table) {
  test(`a value in a message: ${shown}`, (t) => {
    t.equal(invalidValue("a", value, "why").message, `Invalid value: ${shown}: why`);
    t.equal(duplicate("a", value).message, `Duplicate value: ${shown}`);
    t.equal(notSupported("a", value, ["x"]).message, `Unsupported value: ${shown}: supported values: "x"`);
    t.end();
  });
}

test("strings are quoted as Go quotes them", (t) => {
  const cases = {
    'a"b\\': '"a\\"b\\\\"',
    "\u0000\u007f": '"\\x00\\x7f"',
    "\n\t": '"\\n\\t"',
    "é 日": '"é 日"',
    "\u200b": '"\\u200b"',
  };
  for (const [text, go] of Object.entries(cases)) t.equal(quoted(text), go);
  t.end();
});
