import { test } from "tap";
import { canonicalQuantity, Quantity, QuantityParseError } from "./quantity.js";

test("canonical form is upstream's", (t) => {
  const table: [string | number, string][] = [
    ["0", "0"],
    ["0Ki", "0"],
    ["1000m", "1"],
    ["1500m", "1500m"],
    ["0.5", "500m"],
    ["1.5", "1500m"],
    [".5", "500m"],
    ["1.", "1"],
    ["+1", "1"],
    ["-1.5", "-1500m"],
    [2, "2"],
    [0.1, "100m"],
    ["1500", "1500"],
    ["1000", "1k"],
    ["1500000", "1500k"],
    ["100", "100"],
    ["128974848", "128974848"],
    ["129e6", "129e6"],
    ["1e3", "1e3"],
    ["1E3", "1e3"],
    ["1e1", "10"],
    ["12e-1", "1200e-3"],
    ["129M", "129M"],
    ["123Mi", "123Mi"],
    ["1024Ki", "1Mi"],
    ["1024Mi", "1Gi"],
    ["1.5Gi", "1536Mi"],
    ["0.5Ki", "512"],
    ["512Ki", "512Ki"],
    ["1Ei", "1Ei"],
    ["1E", "1E"],
    ["100n", "100n"],
    ["1u", "1u"],
    ["0.1n", "1n"],
    ["0.0001Ki", "102400u"],
    ["2048", "2048"],
    ["9223372036854775807", "9223372036854775807"],
    ["9223372036854775808", "9223372036854775807"],
    ["1e100", "9223372036854775807"],
    ["1e-100", "1e-9"],
  ];
  for (const [text, want] of table) t.equal(canonicalQuantity(text), want, String(text));
  t.end();
});

test("bad quantities are refused in upstream's words", (t) => {
  const format = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  const table: [string, string][] = [
    ["", format],
    ["abc", format],
    ["1x", format],
    ["1.2.3", format],
    ["1 Gi", format],
    ["1mm", "unable to parse quantity's suffix"],
    ["1KI", format],
    ["1K", "unable to parse quantity's suffix"],
    ["1e", "unable to parse quantity's suffix"],
    ["Mi", "unable to parse numeric part of quantity"],
  ];
  for (const [text, message] of table) t.throws(() => Quantity.parse(text), new QuantityParseError(message), text);
  t.end();
});

test("values round away from zero and arithmetic keeps the format", (t) => {
  t.equal(Quantity.parse("1m").value(), 1);
  t.equal(Quantity.parse("-1m").value(), -1);
  t.equal(Quantity.parse("100u").milliValue(), 1);
  t.equal(Quantity.parse("2Gi").value(), 2147483648);
  t.equal(Quantity.parse("1Gi").add(Quantity.parse("1M")).toString(), "1074741824");
  t.equal(Quantity.zero.add(Quantity.parse("1Gi")).toString(), "1Gi");
  t.equal(Quantity.parse("1").sub(Quantity.parse("250m")).toString(), "750m");
  t.ok(Quantity.parse("1Ki").compare(Quantity.parse("1k")) > 0);
  t.equal(Quantity.parse("1.0005").roundUpToMilli().toString(), "1001m");
  t.equal(JSON.stringify({ cpu: Quantity.fromMilliValue(1500) }), '{"cpu":"1500m"}');
  t.end();
});
