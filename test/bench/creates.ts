// Creates a second through the whole API server, each on disk before it is acknowledged, against LevelDB alone writing
// the same bytes in synced batches of 32.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import { startControlPlane } from "./control-plane.js";
import { type Benchmark, inParallel, measurement, timed } from "./measurement.js";

const count = 3_000;
const width = 32;
const payload = "x".repeat(2_800);

async function rawLevelDb(): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "picokube-raw-"));
  const database = new ClassicLevel<string, Buffer>(directory, { valueEncoding: "buffer" });
  await database.open();
  const value = Buffer.from(payload);
  const ms = await timed(async () => {
    for (let i = 0; i < count; i += width)
      await database.batch(
        Array.from({ length: width }, (_, k) => ({ type: "put" as const, key: `data/${i + k}`, value })),
        { sync: true },
      );
  });
  await database.close();
  rmSync(directory, { recursive: true, force: true });
  return count / (ms / 1000);
}

export const creates: Benchmark = {
  name: "creates",
  async run(say) {
    const plane = await startControlPlane();
    try {
      const create = (name: string) =>
        plane.api.fetch(
          "POST",
          "/api/v1/namespaces/default/configmaps",
          JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { payload } }),
        );
      await inParallel(2_000, width, (i) => create(`warm-${i}`));
      say(`${count} creates of 3 KB from ${width} clients`);
      const baseline = await rawLevelDb();
      const ms = await timed(() => inParallel(count, width, (i) => create(`c-${i}`)));
      return [
        measurement({
          name: "creates with fsync, 32 clients",
          value: count / (ms / 1000),
          unit: "/s",
          baseline,
          against: "raw LevelDB, synced batches of 32",
          target: "reported",
        }),
      ];
    } finally {
      await plane.dispose();
    }
  },
};
