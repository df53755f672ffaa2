// The version that every component reports. The API level is Kubernetes 1.33.

/** version.Info as /version and user agents tell it. */
export const version = {
  major: "1",
  minor: "33",
  gitVersion: "v1.33.0+picokube",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: `node${process.versions.node}`,
  compiler: "node",
  platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
} as const;
