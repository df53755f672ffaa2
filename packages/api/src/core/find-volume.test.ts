// Which volume a claim gets, by table.

import { test } from "tap";
import { findBestVolume, findVolume } from "./find-volume.js";
import type { PersistentVolume, PersistentVolumeClaim } from "./v1.js";

const metadata = (name: string) => ({
  name,
  uid: `uid-${name}`,
  resourceVersion: "1",
  creationTimestamp: "2026-01-01T00:00:00Z",
});

function volume(name: string, storage: string, spec: object = {}, more: object = {}): PersistentVolume {
  const base = { capacity: { storage }, accessModes: ["ReadWriteOnce"], storageClassName: "slow" };
  return {
    metadata: { ...metadata(name), ...(more as { metadata?: object }).metadata },
    spec: { ...base, ...spec } as PersistentVolume["spec"],
    status: { phase: "Available", ...(more as { status?: object }).status },
  } as PersistentVolume;
}

function claim(storage: string, spec: object = {}): PersistentVolumeClaim {
  const base = { resources: { requests: { storage } }, accessModes: ["ReadWriteOnce"], storageClassName: "slow" };
  return {
    metadata: { ...metadata("data"), namespace: "default" },
    spec: { ...base, ...spec } as PersistentVolumeClaim["spec"],
  };
}

const own = { kind: "PersistentVolumeClaim", namespace: "default", name: "data" };

test("the best volume for a claim", (t) => {
  const small = volume("small", "1Gi");
  const large = volume("large", "10Gi");
  const shared = volume("shared", "1Gi", { accessModes: ["ReadWriteOnce", "ReadWriteMany"] });
  const rows: [why: string, volumes: PersistentVolume[], claim: PersistentVolumeClaim, expected: string | undefined][] =
    [
      ["the smallest that fits", [large, small], claim("500Mi"), "small"],
      ["none is large enough", [small], claim("2Gi"), undefined],
      ["no more modes than needed, even if larger", [shared, large], claim("1Gi"), "large"],
      ["a mode that only one has", [small, shared], claim("1Gi", { accessModes: ["ReadWriteMany"] }), "shared"],
      ["another class", [small], claim("1Gi", { storageClassName: "fast" }), undefined],
      ["no class is a class of its own", [small], claim("1Gi", { storageClassName: "" }), undefined],
      [
        "no class on both sides",
        [volume("bare", "1Gi", { storageClassName: "" })],
        claim("1Gi", { storageClassName: "" }),
        "bare",
      ],
      ["another volume mode", [small], claim("1Gi", { volumeMode: "Block" }), undefined],
      [
        "a selector",
        [small, volume("labelled", "5Gi", {}, { metadata: { labels: { disk: "ssd" } } })],
        claim("1Gi", { selector: { matchLabels: { disk: "ssd" } } }),
        "labelled",
      ],
      ["not yet available", [volume("new", "1Gi", {}, { status: { phase: "Pending" } })], claim("1Gi"), undefined],
      [
        "being deleted",
        [volume("old", "1Gi", {}, { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } })],
        claim("1Gi"),
        undefined,
      ],
      ["somebody else's", [volume("theirs", "1Gi", { claimRef: { ...own, name: "other" } })], claim("1Gi"), undefined],
      [
        "one of an earlier claim of the name",
        [volume("theirs", "1Gi", { claimRef: { ...own, uid: "before" } })],
        claim("1Gi"),
        undefined,
      ],
      [
        "reserved by name, though larger and of no class",
        [small, volume("kept", "10Gi", { claimRef: own, storageClassName: "" })],
        claim("1Gi"),
        "kept",
      ],
      ["reserved but too small", [volume("kept", "1Gi", { claimRef: own })], claim("2Gi"), undefined],
    ];
  for (const [why, volumes, wanted, expected] of rows)
    t.equal(findBestVolume(wanted, { volumes })?.metadata.name, expected, why);
  t.equal(findBestVolume(claim("1Gi"), { volumes: [small], reservedOnly: true }), undefined, "left to the scheduler");
  const kept = volume("kept", "1Gi", { claimRef: own });
  t.equal(findBestVolume(claim("1Gi"), { volumes: [small, kept], reservedOnly: true })?.metadata.name, "kept");
  t.end();
});

test("on a node", (t) => {
  const volumes = [volume("here", "5Gi"), volume("there", "1Gi")];
  const fitsNode = ({ metadata: { name } }: PersistentVolume) => name === "here";
  t.equal(findVolume(claim("1Gi"), { volumes, fitsNode })?.metadata.name, "here");
  t.equal(findVolume(claim("1Gi"), { volumes, fitsNode, excluded: new Set(["here"]) }), undefined);
  const reserved = [volume("there", "1Gi", { claimRef: own }), volume("here", "1Gi")];
  t.equal(
    findVolume(claim("1Gi"), { volumes: reserved, fitsNode }),
    undefined,
    "what is reserved elsewhere binds the claim",
  );
  t.end();
});
