// The loop of image collection: what goes, and which events tell that a disk has no size, that rounds fail, that images
// made too little room.

import type { EventWords } from "@picokube/client/event-recorder";
import { createLogger } from "@picokube/component-base/logger";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { type Test, test } from "tap";
import { createMemoryRuntime } from "../cri/memory/memory-runtime.js";
import { createImageGc } from "./image-gc.js";

const periodMs = 300_000;
const policy = { highThresholdPercent: 80, lowThresholdPercent: 50, minAgeMs: 0, maxAgeMs: 0 };

interface Disk {
  readonly capacityBytes: number;
  readonly availableBytes: number;
}

/** Each image takes 1000 bytes; "used" has a container. */
async function collecting(t: Test, disk: () => Disk, images = ["a:1", "b:1", "c:1"]) {
  const clock = steppingClock();
  const runtime = createMemoryRuntime({ clock, images });
  const said: string[] = [];
  const gc = createImageGc({
    nodeName: "node-1",
    policy,
    runtime,
    disk: async () => disk(),
    keepLocallyBuiltImages: false,
    events: {
      record: (object, { type, reason, message }: EventWords) =>
        said.push(`${(object as { name?: string }).name} ${type} ${reason}: ${message}`),
    },
    clock,
    logger: createLogger({ name: "t", verbosity: 0 }),
  });
  const stop = new AbortController();
  const done = gc.run(stop.signal);
  t.teardown(() => {
    stop.abort();
    return done;
  });
  /** The first round is under way; each further one comes with its period. */
  const round = async () => {
    await clock.whenWaiting(1);
    await clock.advance(periodMs);
    await clock.whenWaiting(1);
  };
  await clock.whenWaiting(1);
  return { runtime, said, round, left: async () => (await runtime.listImages()).length };
}

test("a disk without a size is told each time, and from the second time on that collection fails", async (t) => {
  const { said, round } = await collecting(t, () => ({ capacityBytes: 0, availableBytes: 0 }));
  const invalid = "node-1 Warning InvalidDiskCapacity: invalid capacity 0 on image filesystem";
  const failed = "node-1 Warning ImageGCFailed: invalid capacity 0 on image filesystem";
  t.same(said, [invalid], "once may be a slow start");
  await round();
  t.same(said, [invalid, invalid, failed]);
});

test("a full disk makes images go, no more than are needed", async (t) => {
  const { said, left } = await collecting(t, () => ({ capacityBytes: 10_000, availableBytes: 1_500 }), [
    ...["a:1", "b:1", "c:1", "d:1", "e:1"],
  ]);
  t.equal(await left(), 1, "3500 bytes to the low threshold: four images");
  t.same(said, []);
});

test("not enough images to make room", async (t) => {
  const { said, round, left } = await collecting(t, () => ({ capacityBytes: 10_000, availableBytes: 0 }));
  const words =
    "Failed to garbage collect required amount of images. Attempted to free 5000 bytes, but only found 3000 bytes eligible to free.";
  t.same(said, [`node-1 Warning FreeDiskSpaceFailed: ${words}`]);
  t.equal(await left(), 0);
  await round();
  const none = words.replace("3000", "0");
  t.same(said.slice(1), [`node-1 Warning FreeDiskSpaceFailed: ${none}`, `node-1 Warning ImageGCFailed: ${none}`]);
});

test("a round that works makes the next failure the first again", async (t) => {
  const disks = [0, 10_000, 0, 0];
  let asked = 0;
  const { said, round } = await collecting(t, () => ({ capacityBytes: disks[asked++]!, availableBytes: 9_000 }));
  for (let rounds = 1; rounds < disks.length; rounds++) await round();
  t.same(
    said.map((words) => words.split(/ |:/)[2]),
    ["InvalidDiskCapacity", "InvalidDiskCapacity", "InvalidDiskCapacity", "ImageGCFailed"],
  );
});
