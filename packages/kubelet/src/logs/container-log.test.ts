// A container's log file follows the engine's over rotations and restarts of the kubelet: no line lost, none twice. The
// engine's files are written here as Docker writes them.

import { appendFileSync, existsSync, lstatSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { realClock } from "@picokube/component-base/clock";
import { createLogger } from "@picokube/component-base/logger";
import { eventually } from "@picokube/testing/eventually";
import { type Test, test } from "tap";
import { followContainerLog } from "./container-log.js";
import { createLogFiles } from "./log-files.js";
import { planRotation, type RotationPolicy, rotationSuffix } from "./rotating-file.js";

const clock = realClock();
const failures: string[] = [];
const logger = createLogger({ write: (line) => failures.push(line) });
const unlimited: RotationPolicy = { maxSizeBytes: -1, maxFiles: 5 };

/** An engine's log that grows and rotates. */
function engineLog(t: Test) {
  const folder = t.testdir({});
  const enginePath = join(folder, "c1-json.log");
  let count = 0;
  writeFileSync(enginePath, "");
  return {
    enginePath,
    path: join(folder, "pods", "0.log"),
    say(lines: number) {
      let text = "";
      for (let line = 0; line < lines; line++) {
        const time = new Date(1_700_000_000_000 + count).toISOString().replace("Z", "000001Z");
        text += `${JSON.stringify({ log: `line ${count++}\n`, stream: "stdout", time })}\n`;
      }
      appendFileSync(enginePath, text);
    },
    rotate() {
      for (let number = 3; number > 0; number--) {
        if (existsSync(`${enginePath}.${number}`)) renameSync(`${enginePath}.${number}`, `${enginePath}.${number + 1}`);
      }
      renameSync(enginePath, `${enginePath}.1`);
      writeFileSync(enginePath, "");
    },
  };
}

const contents = (text: string) =>
  text
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split(" ").slice(3).join(" "));
const numbered = (count: number) => Array.from({ length: count }, (_, line) => `line ${line}`);
const wrote = (path: string, count: number) =>
  eventually(
    `${count} lines`,
    async () => existsSync(path) && contents(readFileSync(path, "utf8")).length >= count,
    60_000,
  );

test("over the engine's rotation, and over a restart of the kubelet", async (t) => {
  const engine = engineLog(t);
  const options = { enginePath: engine.enginePath, path: engine.path, policy: unlimited, clock, logger };
  engine.say(3);
  const first = followContainerLog(options);
  await wrote(engine.path, 3);
  engine.say(2);
  engine.rotate();
  engine.say(2);
  await wrote(engine.path, 7);
  await first.stop();
  engine.say(2);
  engine.rotate();
  engine.say(1);
  // Half a line, as of a kubelet killed in the middle.
  appendFileSync(engine.path, "2023-11-14T22:13:20.0");
  const second = followContainerLog(options);
  await wrote(engine.path, 10);
  engine.say(1);
  await wrote(engine.path, 11);
  t.same(contents(readFileSync(engine.path, "utf8")), numbered(11));
  await second.remove();
  t.notOk(existsSync(engine.path));
});

test("rotated as upstream rotates", async (t) => {
  const engine = engineLog(t);
  const policy = { maxSizeBytes: 100, maxFiles: 3 };
  const log = followContainerLog({ enginePath: engine.enginePath, path: engine.path, policy, clock, logger });
  const folder = join(engine.path, "..");
  const rotated = () => readdirSync(folder).filter((name) => name.startsWith("0.log."));
  const newest = () =>
    existsSync(folder)
      ? rotated()
          .filter((name) => !/\.(gz|tmp)$/.test(name))
          .sort()
          .at(-1)
      : undefined;
  let last = "";
  for (let rotation = 0; rotation < 3; rotation++) {
    last = await eventually(
      "a rotation",
      async () => {
        // Two rotations cannot have one name: a later line tries again.
        engine.say(5);
        const name = newest();
        return name !== undefined && name > last && name;
      },
      60_000,
    );
  }
  await log.stop();
  const names = rotated().sort();
  t.equal(names.length, 2);
  t.ok(existsSync(engine.path), "the name itself is there, whether or not more was said");
  t.match(names[0], /^0\.log\.\d{8}-\d{6}\.gz$/, "older ones are compressed");
  t.match(names[1], /^0\.log\.\d{8}-\d{6}$/, "the newest is not");
  const kept = [
    gunzipSync(readFileSync(join(folder, names[0]!))).toString(),
    readFileSync(join(folder, names[1]!), "utf8"),
    readFileSync(engine.path, "utf8"),
  ].flatMap(contents);
  const first = Number(kept[0]?.slice("line ".length));
  t.ok(first > 0, "the oldest were removed");
  t.same(kept, numbered(first + kept.length).slice(first), "in order, without a gap");
});

test("what a rotation removes and compresses", async (t) => {
  const table: [string[], number, { remove: string[]; compress: string[] }][] = [
    [[], 5, { remove: [], compress: [] }],
    [["l.2"], 5, { remove: [], compress: ["l.2"] }],
    [["l.1.gz", "l.2"], 3, { remove: ["l.1.gz"], compress: ["l.2"] }],
    [["l.1.gz", "l.2"], 2, { remove: ["l.1.gz", "l.2"], compress: [] }],
    [["l.1", "l.1.gz", "l.2", "l.2.tmp"], 5, { remove: ["l.1", "l.2.tmp"], compress: ["l.2"] }],
  ];
  for (const [present, maxFiles, plan] of table) t.same(planRotation(present, maxFiles), plan, present.join(" "));
  t.match(rotationSuffix(Date.now()), /^\d{8}-\d{6}$/);
});

test("files and links of a pod come and go with its containers", async (t) => {
  const engine = engineLog(t);
  const podLogsDir = join(t.testdirName, "logs", "pods");
  const links = join(t.testdirName, "logs", "containers");
  const create = () => createLogFiles({ podLogsDir, policy: unlimited, clock, logger });
  const logs = create();
  const container = (id: string, restartCount: number) => ({
    id,
    podUid: "u1",
    podName: "web",
    podNamespace: "default",
    name: "c",
    logPath: engine.enginePath,
    restartCount,
  });
  engine.say(1);
  logs.observe("u1", [container("id0", 0)]);
  const file = (count: number) => join(podLogsDir, "default_web_u1", "c", `${count}.log`);
  await wrote(file(0), 1);
  const link = join(links, "web_default_c-id0.log");
  await eventually("its link", async () => existsSync(link));
  t.ok(lstatSync(link).isSymbolicLink());
  t.equal(readFileSync(link, "utf8"), "2023-11-14T22:13:20.000000001Z stdout F line 0\n");

  logs.observe("u1", [container("id1", 1), container("id0", 0)]);
  await wrote(file(1), 1);
  logs.observe("u1", [container("id1", 1)]);
  await eventually("the first is gone", async () => !existsSync(file(0)) && !existsSync(link));
  await logs.close();

  const next = create();
  next.observe("u1", [container("id2", 2)]);
  await wrote(file(2), 1);
  await eventually("what a kubelet before left is gone", async () => !existsSync(file(1)));
  t.same(readdirSync(links), ["web_default_c-id2.log"]);
  await mkdir(join(podLogsDir, "default_other_u2"));
  await next.remove("u1");
  t.same(readdirSync(podLogsDir), ["default_other_u2"], "no other pod's files are touched");
  t.same(readdirSync(links), []);
  t.same(failures, []);
});
