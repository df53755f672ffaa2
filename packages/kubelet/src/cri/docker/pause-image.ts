// The sandbox's image, made of the pause program alone: an archive for `docker load`. Pure but for hashing; the same
// bytes give the same image id on every host.

import { createHash } from "node:crypto";
import { type PauseArchitecture, pauseProgram } from "./pause-program.js";

export const pauseImageName = "picokube/pause:3.10";

const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

interface TarEntry {
  readonly name: string;
  readonly mode: number;
  readonly content: Buffer;
}

function tarHeader({ name, mode, content }: TarEntry): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, width: number) => value.toString(8).padStart(width - 1, "0");
  header.write(name, 0);
  header.write(octal(mode, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(content.length, 12), 124);
  header.write(octal(0, 12), 136);
  header.write("        ", 148);
  header.write("0", 156);
  header.write("ustar\u000000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 7)}\u0000 `, 148);
  return header;
}

/** A ustar archive of plain files owned by root. */
export function tar(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => [
    tarHeader(entry),
    entry.content,
    Buffer.alloc((512 - (entry.content.length % 512)) % 512),
  ]);
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** What `docker load` takes. Throws on an architecture other than x64 and arm64. */
export function pauseImageArchive(architecture: string): Buffer {
  if (architecture !== "x64" && architecture !== "arm64") {
    throw new Error(`no pause program for architecture ${architecture}; load an image named ${pauseImageName}`);
  }
  const layer = tar([{ name: "pause", mode: 0o755, content: pauseProgram(architecture satisfies PauseArchitecture) }]);
  const config = Buffer.from(
    JSON.stringify({
      architecture: architecture === "x64" ? "amd64" : "arm64",
      os: "linux",
      created: "1970-01-01T00:00:00Z",
      config: { Entrypoint: ["/pause"], User: "65535:65535", Env: ["PATH=/"], WorkingDir: "/" },
      rootfs: { type: "layers", diff_ids: [`sha256:${sha256(layer)}`] },
      history: [{ created: "1970-01-01T00:00:00Z", created_by: "picokube kubelet" }],
    }),
  );
  const configName = `${sha256(config)}.json`;
  const manifest = [{ Config: configName, RepoTags: [pauseImageName], Layers: ["layer.tar"] }];
  return tar([
    { name: configName, mode: 0o644, content: config },
    { name: "layer.tar", mode: 0o644, content: layer },
    { name: "manifest.json", mode: 0o644, content: Buffer.from(JSON.stringify(manifest)) },
  ]);
}
