// YAML as Kubernetes reads it.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { loadYaml, parseYamlDocuments, readConfigFile } from "./config-file.js";

const one = (text: string) => parseYamlDocuments(text, { source: "f.yaml" })[0];

test("YAML 1.1 without the types that JSON lacks", async (t) => {
  t.strictSame(one("a: yes\nb: 0644\nc: 2020-01-01\nd: 12:30:45\ne: 1e3"), {
    a: true,
    b: 420,
    c: "2020-01-01",
    d: "12:30:45",
    e: 1000,
  });
  t.strictSame(one("x: &x {p: 1}\nz:\n  <<: *x\n  q: 2"), { x: { p: 1 }, z: { p: 1, q: 2 } });
  t.strictSame(parseYamlDocuments("---\na: 1\n---\n# nothing\n---\nb: 2\n", { source: "f" }), [{ a: 1 }, { b: 2 }]);
});

test("faults carry file, line and column", async (t) => {
  t.throws(() => one("a: 1\n b: 2\n"), { name: "ConfigError", message: /^f\.yaml:\d+:\d+: / });
  await t.rejects(loadYaml("/nowhere/x"), { message: "open /nowhere/x: no such file or directory" });
});

test("a configuration file must be of the kind asked for", async (t) => {
  const path = join(t.testdir({}), "c.yaml");
  writeFileSync(path, "apiVersion: x/v1\nkind: A\nport: 1\n");
  t.match(await readConfigFile(path, { apiVersion: "x/v1", kind: "A" }), { port: 1 });
  await t.rejects(readConfigFile(path, { apiVersion: "x/v1", kind: "B" }), { name: "ConfigError" });
});
