// Forgets history, a little at a time. The present state is never touched.

import { compacted, futureRevision } from "../errors.js";
import { type Database, type Operation, readRevisions } from "./database.js";
import { decodeLog, encodeNumber, historyKey, logKey, META_COMPACT, rangeOf, revisionOfLog } from "./records.js";

const CHUNK = 200;

/** Store.compact. One that was interrupted is finished by the next, which begins at the log's start. */
export async function compact(database: Database, revision: number): Promise<void> {
  const kept = readRevisions(database);
  if (revision > kept.revision) throw futureRevision(kept.revision);
  if (revision < kept.compactRevision) throw compacted(kept.compactRevision);
  await database.batch([{ type: "put", key: META_COMPACT, value: encodeNumber(revision) }], { sync: true });
  const range = { gte: rangeOf("log").gte, lte: logKey(revision) };
  for (;;) {
    const entries = await database.iterator({ ...range, limit: CHUNK }).all();
    if (entries.length === 0) break;
    const operations = entries.flatMap(([stored, bytes]): Operation[] => [
      { type: "del", key: stored },
      { type: "del", key: historyKey(decodeLog(bytes).key, revisionOfLog(stored)) },
    ]);
    await database.batch(operations);
    range.gte = entries.at(-1)![0];
  }
  await database.compactRange(rangeOf("log").gte, logKey(revision));
}
