// The engine's json lines as CRI lines, and times as text.

import { test } from "tap";
import { criLogLine, sortableTime } from "./cri-log-line.js";

const time = "2026-11-21T14:00:00.123456789Z";

test("lines by table", async (t) => {
  const table: [Record<string, unknown> | string, string | undefined][] = [
    [{ log: "hello\n", stream: "stdout", time }, `${time} stdout F hello\n`],
    [{ log: "bad\n", stream: "stderr", time }, `${time} stderr F bad\n`],
    [{ log: "the first 16 KiB", stream: "stdout", time }, `${time} stdout P the first 16 KiB\n`],
    [{ log: "\n", stream: "stdout", time }, `${time} stdout F \n`],
    [{ log: 'quote " and é\r\n', stream: "stdout", time }, `${time} stdout F quote " and é\r\n`],
    ["half a l", undefined],
    [{ stream: "stdout", time }, undefined],
  ];
  for (const [entry, line] of table) {
    t.equal(criLogLine(typeof entry === "string" ? entry : JSON.stringify(entry)), line, JSON.stringify(entry));
  }
});

test("times sort as text, whatever zeros the engine left out", async (t) => {
  const times = ["2026-11-21T14:00:00Z", "2026-11-21T14:00:00.1Z", "2026-11-21T14:00:00.12Z", "2026-11-21T14:00:01Z"];
  t.same(times.map(sortableTime).sort(), times.map(sortableTime));
  t.equal(sortableTime("2026-11-21T14:00:00.5Z"), sortableTime("2026-11-21T14:00:00.500Z"));
});
