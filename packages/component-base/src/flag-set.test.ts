// Flags in Go's style, by table.

import { test } from "tap";
import { helpText } from "./flag-help.js";
import { type Flag, parseFlags } from "./flag-set.js";

const flags: Record<string, Flag> = {
  v: { type: "int", default: 0, description: "verbosity" },
  help: { type: "bool", description: "help" },
  "secure-port": { type: "int", default: 6443, description: "The port" },
  "leader-elect": { type: "bool", default: true, description: "Elect" },
  kubeconfig: { type: "string", description: "Path" },
  "node-monitor-period": { type: "duration", default: "5s", description: "Period" },
  controllers: { type: "string-list", default: ["*"], description: "Controllers" },
  "node-labels": { type: "map", description: "Labels" },
};
const parse = (...argv: string[]) => parseFlags("kube-x", flags, argv).values;

test("defaults and every form of a flag", async (t) => {
  t.match(parse(), {
    v: 0,
    securePort: 6443,
    leaderElect: true,
    kubeconfig: undefined,
    nodeMonitorPeriod: 5000,
    controllers: ["*"],
    nodeLabels: {},
  });
  t.match(parse("--secure-port=1", "-v", "4"), { securePort: 1, v: 4 });
  t.match(parse("--secure_port", "0", "--v=3"), { securePort: 0, v: 3 });
  t.match(parse("-v=2", "--leader-elect=false"), { v: 2, leaderElect: false });
  t.match(parse("--leader-elect", "--kubeconfig", "/x"), { leaderElect: true, kubeconfig: "/x" });
  t.match(parse("--controllers=*,-cronjob", "--controllers=a"), { controllers: ["*", "-cronjob", "a"] });
  t.match(parse("--node-labels=a=b,c=d=e"), { nodeLabels: { a: "b", c: "d=e" } });
  t.match(parse("-h"), { help: true });
});

test("mistakes are told in pflag's words", async (t) => {
  const table: [string[], string][] = [
    [
      ["--secure-port=x"],
      'invalid argument "x" for "--secure-port" flag: strconv.ParseInt: parsing "x": invalid syntax',
    ],
    [["--nope"], "unknown flag: --nope"],
    [["--kubeconfig"], "flag needs an argument: --kubeconfig"],
    [["stray"], 'unknown command "stray" for "kube-x"'],
    [
      ["--node-monitor-period=5"],
      'invalid argument "5" for "--node-monitor-period" flag: time: missing unit in duration "5"',
    ],
  ];
  for (const [argv, message] of table) t.throws(() => parse(...argv), { name: "ConfigError", message });
});

test("remembers what stood on the command line", async (t) => {
  t.strictSame([...parseFlags("x", flags, ["--kubeconfig=/x"]).changed], ["kubeconfig"]);
});

test("help names each flag with its default", async (t) => {
  const text = helpText({ name: "kube-x", description: "Does x.", flags });
  t.match(text, /--node-monitor-period duration\n\s+Period \(default 5s\)/);
  t.match(text, /--leader-elect\n\s+Elect \(default true\)/);
});
