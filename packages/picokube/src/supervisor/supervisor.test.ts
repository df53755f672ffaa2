import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { realClock } from "@picokube/component-base/clock";
import { test } from "tap";
import type { ComponentSpec } from "../cluster/components.js";
import { identify, isAlive, waitForExit } from "./process-identity.js";
import { readProcessTable } from "./process-table.js";
import { supervise } from "./supervisor.js";

function setUp(t: { teardown(fn: () => unknown): void }, command: readonly string[]) {
  const directory = mkdtempSync(join(tmpdir(), "picokube-supervisor-"));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const spec: ComponentSpec = {
    name: "kube-proxy",
    argv: command,
    logFile: join(directory, "kube-proxy.log"),
    healthUrl: "",
  };
  const tablePath = join(directory, "processes.json");
  const row = () => readProcessTable(tablePath).components["kube-proxy"];
  const start = () => {
    const controller = new AbortController();
    const running = supervise({ specs: [spec], tablePath, clock: realClock() }, controller.signal);
    return { running, stop: () => controller.abort() };
  };
  return { spec, tablePath, row, start };
}

async function until(check: () => boolean | undefined): Promise<void> {
  for (let i = 0; i < 400 && !check(); i++) await new Promise((done) => setTimeout(done, 25));
  if (!check()) throw new Error("it did not come to pass within 10 s");
}

test("a component that dies is started again, counted, and its log says why", async (t) => {
  const { spec, row, start } = setUp(t, ["sleep", "1000"]);
  const { running, stop } = start();
  await until(() => isAlive(row()?.process));
  const first = row()!.process!;
  process.kill(first.pid, "SIGKILL");
  await until(() => row()?.restarts === 1 && isAlive(row()?.process));
  t.not(row()!.process!.pid, first.pid);
  t.equal(row()!.lastExit, "signal SIGKILL");
  t.match(readFileSync(spec.logFile, "utf8"), /kube-proxy ended with signal SIGKILL; starting it again in 0\.\d s/);
  const last = row()!.process;
  stop();
  await running;
  t.notOk(isAlive(last), "stopped with its supervisor");
  t.equal(row()!.process, undefined);
});

test("waits grow while it keeps dying", async (t) => {
  const { spec, row, start } = setUp(t, ["false"]);
  const { running, stop } = start();
  await until(() => (row()?.restarts ?? 0) >= 2);
  stop();
  await running;
  const waits = [
    ...readFileSync(spec.logFile, "utf8").matchAll(/ended with exit code 1; starting it again in ([\d.]+) s/g),
  ].map(([, seconds]) => Number(seconds));
  t.ok(waits[1]! > waits[0]!, `${waits.join(", ")}`);
});

test("an executable that is not there is no crash", async (t) => {
  const { row, start } = setUp(t, ["/nonexistent/kube-proxy"]);
  const { running, stop } = start();
  await until(() => row()?.lastExit !== undefined);
  t.match(row()!.lastExit, /an error at its start: .*ENOENT/);
  stop();
  await running;
});

test("a supervisor takes over what an earlier one left running", async (t) => {
  const { tablePath, row, start, spec } = setUp(t, ["sleep", "1000"]);
  const { spawn } = await import("node:child_process");
  const { writeProcessTable } = await import("./process-table.js");
  const orphan = spawn("sleep", ["1000"], { detached: true, stdio: "ignore" });
  writeProcessTable(tablePath, {
    supervisor: undefined,
    components: {
      "kube-proxy": { process: identify(orphan.pid!), startedAt: 1, restarts: 4, lastExit: "exit code 1" },
    },
  });
  const { running, stop } = start();
  await until(() => readProcessTable(tablePath).supervisor?.pid === process.pid);
  t.match(row(), { process: { pid: orphan.pid }, restarts: 4 });
  orphan.kill("SIGKILL");
  await until(() => row()?.restarts === 5);
  t.match(readFileSync(spec.logFile, "utf8"), /an unknown exit code/);
  stop();
  await running;
});

test("a pid means a process only together with its start time", async (t) => {
  const self = identify(process.pid)!;
  t.ok(isAlive(self));
  t.notOk(isAlive({ ...self, startTicks: self.startTicks + 1 }));
  t.notOk(isAlive({ ...self, bootId: "another" }));
  t.equal(identify(2 ** 22 + 1), undefined);
  t.equal(await waitForExit(self, 10), false);
});
