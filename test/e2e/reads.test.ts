// B1 B2: what kubectl prints of every built-in kind, and what it explains. An apiserver alone, so that no controller
// changes what is printed.

import { text as textOf } from "node:stream/consumers";
import { startApiServer } from "@picokube/testing/apiserver";
import { test } from "tap";
import { kubectlFor, kubectlReleases, releaseName } from "./harness/kubectl.js";
import { type PrintedKind, printedKinds } from "./samples/printed-kinds.js";

interface ColumnText {
  readonly name: string;
  readonly type: string;
  readonly wide: boolean;
}

function columnsOf({ columns }: PrintedKind): ColumnText[] {
  return columns.split(", ").map((text) => {
    const [name = "", type = "string"] = text.replace(/\*$/, "").split(":");
    return { name, type, wide: text.endsWith("*") };
  });
}

/** kubectl aligns its columns: each cell begins where its header does. */
function cellsOf(output: string): string[][] {
  const lines = output.replace(/\n$/, "").split("\n");
  const starts = [...lines[0]!.matchAll(/\S+( \S+)*/g)].map(({ index }) => index);
  return lines.map((line) => starts.map((start, position) => line.slice(start, starts[position + 1]).trim()));
}

/** The row with its times replaced by the table's words for them. */
function withoutTimes(row: readonly string[], expected: readonly string[]): string[] {
  return row.map((cell, index) => {
    if (expected[index] === "AGE" && /^\d+(s|m|h|d|y)\S*$/.test(cell)) return "AGE";
    if (expected[index] === "DATE" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(cell)) return "DATE";
    return cell;
  });
}

const DEEP_KINDS = ["pods", "deployments.apps", "customresourcedefinitions.apiextensions.k8s.io"];

test("B1 B2 every kind prints and explains as upstream's", async (t) => {
  const server = await startApiServer(t);
  const kubectl = kubectlFor(server, "default");
  await kubectl.run(["create", "serviceaccount", "default"]);
  await t.test("no listable kind is missing from the table", async (t) => {
    const listed = await kubectl.run(["api-resources", "--verbs=list", "--output=name"]);
    t.same(printedKinds.map(({ resource }) => resource).sort(), listed.trim().split("\n").sort());
  });

  await t.test("what the server serves itself is there as local APIServices", async (t) => {
    const path = "{range .items[*]}{.spec.version} {.spec.group} {.status.conditions[0].reason}{'\\n'}{end}";
    const told = await kubectl.run(["get", "apiservices", "-o", `jsonpath=${path.replaceAll("'", '"')}`]);
    const served = (await kubectl.run(["api-versions"])).trim().split("\n");
    const expected = served
      .filter((version) => version !== "apiregistration.k8s.io/v1")
      .map((version) => (version === "v1" ? "v1  Local" : `${version.split("/")[1]} ${version.split("/")[0]} Local`));
    t.same(told.trim().split("\n").sort(), expected.sort());
    const [, row = []] = cellsOf(await kubectl.run(["get", "apiservices", "v1.apps"]));
    t.same(row.slice(0, 3), ["v1.apps", "Local", "True"]);
  });

  const items = printedKinds.flatMap(({ object }) => (object ? [object] : []));
  await kubectl.run(["create", "-f", "-"], { input: JSON.stringify({ apiVersion: "v1", kind: "List", items }) });
  for (const { resource, object, status } of printedKinds) {
    if (!object || !status) continue;
    const patch = JSON.stringify({ status });
    await kubectl.run(["patch", resource, object.metadata.name, "--subresource=status", "--type=merge", "-p", patch]);
  }

  // The apiserver itself says of FlowSchemas whether their priority level exists.
  await kubectl.run(["wait", "--for=condition=Dangling=False", "flowschemas/sample", "--timeout=60s"]);

  for (const kind of printedKinds) {
    const { object, cells } = kind;
    if (!object || !cells) continue;
    await t.test(`kubectl get ${kind.resource}`, async (t) => {
      const columns = columnsOf(kind);
      for (const wide of [false, true]) {
        const shown = columns.flatMap((column, index) => (wide || !column.wide ? [index] : []));
        const output = await kubectl.run(["get", kind.resource, object.metadata.name, ...(wide ? ["-o", "wide"] : [])]);
        const [header = [], row = []] = cellsOf(output);
        t.same(
          header,
          shown.map((index) => columns[index]!.name.toUpperCase()),
          `header${wide ? " -o wide" : ""}`,
        );
        const expected = shown.map((index) => cells[index]!);
        t.same(withoutTimes(row, expected), expected, `cells${wide ? " -o wide" : ""}`);
      }
    });
  }

  await t.test("kubectl get all shows upstream's category", async (t) => {
    const names = await kubectl.run(["get", "all", "--output=name"]);
    const kinds = new Set(
      names
        .trim()
        .split("\n")
        .map((name) => name.split("/")[0]),
    );
    t.same([...kinds].sort(), [
      "cronjob.batch",
      "daemonset.apps",
      "deployment.apps",
      "horizontalpodautoscaler.autoscaling",
      "job.batch",
      "pod",
      "replicaset.apps",
      "replicationcontroller",
      "service",
      "statefulset.apps",
    ]);
  });

  await t.test("kubectl get cs asks each component, and warns", async (t) => {
    const { stdout, stderr, code } = await kubectl.attempt(["get", "cs"]);
    t.same({ code, stderr }, { code: 0, stderr: "Warning: v1 ComponentStatus is deprecated in v1.19+\n" });
    const [header, ...rows] = cellsOf(stdout);
    t.same(header, ["NAME", "STATUS", "MESSAGE", "ERROR"]);
    t.same(rows.map(([name]) => name).sort(), ["controller-manager", "etcd-0", "scheduler"]);
    t.same(
      rows.find(([name]) => name === "etcd-0"),
      ["etcd-0", "Healthy", "ok", ""],
    );
  });

  await t.test("tables name upstream's columns, types and priorities", async (t) => {
    const headers = { accept: "application/json;as=Table;g=meta.k8s.io;v=v1" };
    for (const kind of printedKinds) {
      const [plural = "", ...group] = kind.resource.split(".");
      const version = kind.object?.apiVersion ?? "v1";
      const root = group.length === 0 ? `/api/${version}` : `/apis/${version}`;
      const { body } = await server.client.raw({ method: "GET", path: `${root}/${plural}?limit=1`, headers });
      const { columnDefinitions = [] } = JSON.parse(await textOf(body));
      t.same(
        columnDefinitions.map(({ name, type, priority }: { name: string; type: string; priority: number }) => ({
          name,
          type,
          wide: priority === 1,
        })),
        columnsOf(kind),
        kind.resource,
      );
    }
  });

  for (const binary of kubectlReleases()) {
    await t.test(`${releaseName(binary)} explains every kind`, async (t) => {
      for (const { resource } of printedKinds) {
        // "events.events.k8s.io" is the field "events" of core events to kubectl: it takes the first group that fits.
        const shared = resource === "events.events.k8s.io";
        const args = shared ? ["events", "--api-version=events.k8s.io/v1"] : [resource];
        // The oldest reads the whole document of a group for each.
        const isDeep = binary === kubectlReleases().at(-1) || DEEP_KINDS.includes(resource);
        for (const flags of isDeep ? [[], ["--recursive"]] : [[]]) {
          const { stdout, stderr, code } = await kubectl.attempt(["explain", ...args, ...flags], { binary });
          t.same({ code, stderr }, { code: 0, stderr: "" }, [...args, ...flags].join(" "));
          t.match(stdout, /KIND: +\w+\n[\s\S]*FIELDS:\n[\s\S]*metadata\s+<ObjectMeta>/, resource);
          t.notMatch(stdout, /<empty>/, `${resource} is described`);
        }
      }
    });
  }

  const [oldest] = kubectlReleases();
  await t.test(`${releaseName(oldest!)} explains from the protobuf form of OpenAPI v2`, async (t) => {
    // It reads the whole document for each.
    for (const resource of ["pods", "services", "deployments.apps", "roles.rbac.authorization.k8s.io"]) {
      const args = ["explain", resource, "--output=plaintext-openapiv2"];
      const { stdout, stderr, code } = await kubectl.attempt(args, { binary: oldest! });
      t.same({ code, stderr }, { code: 0, stderr: "" }, resource);
      t.match(stdout, /KIND: +\w+\n[\s\S]*FIELDS:\n[\s\S]*metadata\s+<Object>/, resource);
    }
  });
});
