import { test } from "tap";
import { parseFieldSelector, requiredFieldValue } from "./fields.js";
import {
  everything,
  formatLabelSelector,
  nothing,
  parseLabelSelector,
  requiredLabelValue,
  selectorFromLabelSelector,
  selectorFromSet,
} from "./labels.js";

test("label selectors parse, print canonically and match", (t) => {
  const labels = { app: "web", tier: "front", n: "5" };
  const table: [string, string, boolean][] = [
    ["", "", true],
    ["app=web", "app=web", true],
    ["app==web", "app==web", true],
    [" app = web , tier!=back", "app=web,tier!=back", true],
    ["app in (web,api)", "app in (api,web)", true],
    ["app notin (web)", "app notin (web)", false],
    ["zone notin (a,b)", "zone notin (a,b)", true],
    ["tier,app", "app,tier", true],
    ["!zone", "!zone", true],
    ["!app", "!app", false],
    ["n>4", "n>4", true],
    ["n<4", "n<4", false],
    ["app=", "app=", false],
    ["in in (in,notin)", "in in (in,notin)", false],
    ["x in (a,,b)", "x in (,a,b)", false],
    ["x notin ()", "x notin ()", true],
    ["example.com/x=y", "example.com/x=y", false],
  ];
  for (const [text, canonical, matches] of table) {
    const selector = parseLabelSelector(text);
    t.equal(selector.toString(), canonical, text);
    t.equal(selector.matches(labels), matches, `${text} matches`);
  }
  t.notOk(parseLabelSelector("toString").matches({}), "inherited properties are no labels");
  t.end();
});

test("bad label selectors are refused in upstream's words", (t) => {
  const table: [string, string][] = [
    ["a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ["=x", "found '=', expected: !, identifier, or 'end of string'"],
    ["a,", "found '', expected: identifier after ','"],
    ["a=b c", "found 'c', expected: ',' or 'end of string'"],
    ["a in b", "unable to parse requirement: found 'b' expected: '('"],
    ["a in (b", "unable to parse requirement: found '', expected: ',' or ')'"],
    ["a=!", "unable to parse requirement: found '!', expected: identifier"],
    ["!", "unable to parse requirement: found '', expected: identifier"],
  ];
  for (const [text, message] of table) t.throws(() => parseLabelSelector(text), new Error(message), text);
  t.throws(() => parseLabelSelector("a=-"), /values\[0\]\[a\]: Invalid value: "-": a valid label must be/);
  t.throws(() => parseLabelSelector("-a"), /unable to parse requirement: <nil>: Invalid value: "-a": name part/);
  t.throws(() => parseLabelSelector("a>x"), /the value must be an integer/);
  t.end();
});

test("LabelSelector objects become selectors", (t) => {
  const selector = selectorFromLabelSelector({
    matchLabels: { app: "web" },
    matchExpressions: [
      { key: "tier", operator: "In", values: ["front", "back"] },
      { key: "old", operator: "DoesNotExist" },
    ],
  });
  t.equal(selector.toString(), "app=web,!old,tier in (back,front)");
  t.ok(selector.matches({ app: "web", tier: "back" }));
  t.equal(selectorFromLabelSelector(undefined), nothing);
  t.notOk(selectorFromLabelSelector(undefined).matches({}));
  t.ok(selectorFromLabelSelector({}).matches({ a: "b" }));
  t.equal(formatLabelSelector({}), "<none>");
  t.throws(
    () => selectorFromLabelSelector({ matchExpressions: [{ key: "a", operator: "Is" as "In" }] }),
    new Error('"Is" is not a valid label selector operator'),
  );
  t.throws(() => selectorFromLabelSelector({ matchExpressions: [{ key: "a", operator: "In" }] }), /can't be empty/);
  t.ok(everything.empty);
  t.equal(requiredLabelValue(selectorFromSet({ a: "b" }), "a"), "b");
  t.end();
});

test("field selectors parse, print and match", (t) => {
  const pod: { [field: string]: string } = { "metadata.name": "web", "status.phase": "Running" };
  const fieldOf = (field: string): string => pod[field] ?? "";
  const table: [string, boolean][] = [
    ["", true],
    ["metadata.name=web", true],
    ["metadata.name==web", true],
    ["metadata.name!=web", false],
    ["metadata.name=web,status.phase!=Failed", true],
    ["spec.nodeName=", true],
  ];
  for (const [text, matches] of table) t.equal(parseFieldSelector(text).matches(fieldOf), matches, text);
  t.equal(parseFieldSelector("b!=c,a==b").toString(), "a=b,b!=c");
  t.equal(requiredFieldValue(parseFieldSelector("a=x\\,y"), "a"), "x,y");
  t.throws(
    () => parseFieldSelector("nonsense"),
    new Error("invalid selector: 'nonsense'; can't understand 'nonsense'"),
  );
  t.throws(() => parseFieldSelector("a=b=c"), /unescaped character/);
  t.end();
});
