import { test } from "tap";
import { getScaledValueFromIntOrPercent, intValue, isPercent } from "./int-or-string.js";

test("percentages scale and round as asked", (t) => {
  const table: [number | string, number, boolean, number][] = [
    [3, 10, true, 3],
    ["25%", 10, true, 3],
    ["25%", 10, false, 2],
    ["0%", 10, true, 0],
    ["100%", 7, false, 7],
    ["200%", 3, true, 6],
  ];
  for (const [value, total, roundUp, want] of table) {
    t.equal(getScaledValueFromIntOrPercent(value, { total, roundUp }), want, `${value} of ${total}`);
  }
  t.throws(() => getScaledValueFromIntOrPercent("3", { total: 1, roundUp: true }), /string is not a percentage/);
  t.throws(() => getScaledValueFromIntOrPercent("x%", { total: 1, roundUp: true }), /invalid value "x%"/);
  t.throws(() => getScaledValueFromIntOrPercent(undefined, { total: 1, roundUp: true }), /nil value/);
  t.ok(isPercent("5%"));
  t.notOk(isPercent(5));
  t.equal(intValue("80"), 80);
  t.equal(intValue("http"), 0);
  t.end();
});
