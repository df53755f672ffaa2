// cAdvisor's families of disks: what containers read and write by device, and what their writable layers take. Layers are
// walked no more often than the summary walks them.

import { readFile, readlink, realpath } from "node:fs/promises";
import { basename } from "node:path";
import type { DeviceIo } from "../cri/runtime.js";
import { fileSystem } from "../node/machine.js";
import type { Measured } from "./cadvisor-subjects.js";
import type { MetricFamily } from "./metric-text.js";
import type { StatsSources } from "./usage.js";
import type { WalkedDisks } from "./walked-disks.js";

type Samples = MetricFamily["samples"];

/** What a mountinfo says is mounted where the path lies. */
export function mountSource(mountInfo: string, path: string): string {
  let best = { point: "", source: "" };
  for (const line of mountInfo.split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const point = before.split(" ")[4];
    const source = after.split(" ")[1];
    if (point === undefined || source === undefined || point.length < best.point.length) continue;
    if (point === "/" || path === point || path.startsWith(`${point}/`)) best = { point, source };
  }
  return best.source;
}

async function deviceNames(ios: readonly DeviceIo[]): Promise<Map<string, string>> {
  const numbers = [...new Set(ios.map(({ major, minor }) => `${major}:${minor}`))];
  const named = numbers.map(async (number) => {
    const link = await readlink(`/sys/dev/block/${number}`).catch(() => "");
    return [number, link === "" ? "" : `/dev/${basename(link)}`] as const;
  });
  return new Map(await Promise.all(named));
}

async function ioFamilies(measured: readonly Measured[]): Promise<MetricFamily[]> {
  const all = measured.flatMap(({ labels, figures }) =>
    (figures.details?.deviceIo ?? []).map((io) => ({ labels, io })),
  );
  const names = await deviceNames(all.map(({ io }) => io));
  const deviceOf = ({ major, minor }: DeviceIo) => names.get(`${major}:${minor}`) ?? "";
  const of = (operation: string, value: (io: DeviceIo) => number): Samples =>
    all
      .filter(({ io }) => io.operation === operation)
      .map(({ labels, io }) => [{ ...labels, device: deviceOf(io) }, value(io)] as const);
  const counter = (name: string, help: string, samples: Samples) => ({ name, type: "counter" as const, help, samples });
  return [
    counter(
      "container_blkio_device_usage_total",
      "Blkio Device bytes usage",
      all.map(({ labels, io }) => {
        const { major, minor, operation } = io;
        const place = { device: deviceOf(io), major: String(major), minor: String(minor) };
        return [{ ...labels, ...place, operation }, io.bytes] as const;
      }),
    ),
    counter(
      "container_fs_reads_bytes_total",
      "Cumulative count of bytes read",
      of("Read", ({ bytes }) => bytes),
    ),
    counter(
      "container_fs_reads_total",
      "Cumulative count of reads completed",
      of("Read", ({ count }) => count),
    ),
    counter(
      "container_fs_writes_bytes_total",
      "Cumulative count of bytes written",
      of("Write", ({ bytes }) => bytes),
    ),
    counter(
      "container_fs_writes_total",
      "Cumulative count of writes completed",
      of("Write", ({ count }) => count),
    ),
  ];
}

async function layerFamilies(measured: readonly Measured[], sources: StatsSources, walked: WalkedDisks) {
  const { runtime, settings } = sources;
  const imageDir = await runtime.imageDirectory().catch(() => settings.rootDir);
  const [disk, mountInfo, place] = await Promise.all([
    fileSystem(imageDir),
    readFile("/proc/self/mountinfo", "utf8"),
    realpath(imageDir),
  ]);
  const device = mountSource(mountInfo, place);
  const gauge = (name: string, help: string, samples: Samples) => ({ name, type: "gauge" as const, help, samples });
  const layers = await Promise.all(
    measured.flatMap(({ labels, figures: { containerId } }) =>
      containerId === ""
        ? []
        : [
            walked
              .get(containerId, () => runtime.containerDiskUsage(containerId))
              .then(
                ({ rootfs }) => [{ ...labels, device }, rootfs] as const,
                () => undefined,
              ),
          ],
    ),
  );
  const known = layers.filter((layer) => layer !== undefined);
  const root = measured
    .filter(({ figures }) => figures.containerId === "")
    .map(({ labels }) => ({ ...labels, device }));
  const both = (ofLayer: (inodesOrBytes: (typeof known)[number][1]) => number, ofNode: number): Samples => [
    ...root.map((labels) => [labels, ofNode] as const),
    ...known.map(([labels, rootfs]) => [labels, ofLayer(rootfs)] as const),
  ];
  const usedBytes = disk.capacityBytes - disk.availableBytes;
  return [
    gauge(
      "container_fs_usage_bytes",
      "Number of bytes that are consumed by the container on this filesystem.",
      both(({ bytes }) => bytes, usedBytes),
    ),
    gauge(
      "container_fs_limit_bytes",
      "Number of bytes that can be consumed by the container on this filesystem.",
      both(() => disk.capacityBytes, disk.capacityBytes),
    ),
    gauge(
      "container_fs_inodes_total",
      "Number of Inodes",
      both(() => disk.inodes, disk.inodes),
    ),
    gauge(
      "container_fs_inodes_free",
      "Number of available Inodes",
      both(() => disk.inodesFree, disk.inodesFree),
    ),
  ];
}

/** All of them. */
export async function diskFamilies(
  measured: readonly Measured[],
  sources: StatsSources,
  walked: WalkedDisks,
): Promise<MetricFamily[]> {
  const [io, layers] = await Promise.all([ioFamilies(measured), layerFamilies(measured, sources, walked)]);
  return [...io, ...layers];
}
