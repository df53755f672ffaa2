// Both ends of the requests that the Services benchmark times: `node service-requests.js serve PORT` answers them,
// `node service-requests.js ask VIA DIRECT ...` (pairs of HOST:PORT) asks by turns and prints its figures as JSON.

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { inParallel, median, timed } from "./measurement.js";

/** Medians over rounds of asking a cluster IP and a pod's own address by turns. */
export interface Requests {
  readonly viaPerSecond: number;
  readonly directPerSecond: number;
  /** The median of the rounds' own ratios: what slows the machine for a while slows both halves of a round. */
  readonly ratio: number;
  readonly viaP99Ms: number;
  readonly directP99Ms: number;
}

export interface RequestFigures {
  readonly newConnections: Requests;
  readonly keptAlive: Requests;
}

const width = 16;
// Many short rounds: what else the machine does falls into few of them.
const perRound = 500;
const rounds = 48;
const question = "GET / HTTP/1.1\r\nHost: bench\r\n\r\n";
const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

type Ask = (socket: Socket) => Promise<void>;

async function open(address: string): Promise<Socket> {
  const [host, port] = address.split(":") as [string, string];
  const socket = connect({ host, port: Number(port), noDelay: true });
  await once(socket, "connect");
  return socket;
}

const ask: Ask = async (socket) => {
  socket.write(question);
  await once(socket, "data");
};

interface Half {
  readonly perSecond: number;
  readonly p99Ms: number;
}

/** One half of a round: so many requests from 16 at once. */
async function half(address: string, isKept: boolean): Promise<Half> {
  const kept = await Promise.all(Array.from({ length: isKept ? width : 0 }, () => open(address)));
  const timesMs: number[] = [];
  const wallMs = await timed(() =>
    inParallel(perRound, width, async () => {
      const idle = kept.pop();
      timesMs.push(
        await timed(async () => {
          const socket = idle ?? (await open(address));
          await ask(socket);
          // A reset leaves no TIME_WAIT: a later connection of the same ports would wait for it on one of the two ways.
          if (idle) kept.push(idle);
          else socket.resetAndDestroy();
        }),
      );
    }),
  );
  for (const socket of kept) socket.resetAndDestroy();
  timesMs.sort((a, b) => a - b);
  return { perSecond: perRound / (wallMs / 1000), p99Ms: timesMs[Math.floor(perRound * 0.99)]! };
}

async function compare(addresses: readonly string[], isKept: boolean): Promise<Requests> {
  const via: Half[] = [];
  const direct: Half[] = [];
  for (let i = -1; i < rounds; i++) {
    // Not in step with who is asked first.
    const pair = Math.floor((i + rounds) / 2) % (addresses.length / 2);
    const [service, pod] = [addresses[2 * pair]!, addresses[2 * pair + 1]!];
    // Who is asked first changes too.
    const first = await half(i % 2 === 0 ? service : pod, isKept);
    const second = await half(i % 2 === 0 ? pod : service, isKept);
    // The round before the first warms both.
    if (i < 0) continue;
    via.push(i % 2 === 0 ? first : second);
    direct.push(i % 2 === 0 ? second : first);
  }
  return {
    viaPerSecond: median(via.map(({ perSecond }) => perSecond)),
    directPerSecond: median(direct.map(({ perSecond }) => perSecond)),
    ratio: median(via.map(({ perSecond }, i) => perSecond / direct[i]!.perSecond)),
    viaP99Ms: median(via.map(({ p99Ms }) => p99Ms)),
    directP99Ms: median(direct.map(({ p99Ms }) => p99Ms)),
  };
}

const [role, ...rest] = process.argv.slice(2) as [string, ...string[]];
if (role === "serve") {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("data", () => socket.write(answer)).on("error", () => {});
  });
  server.listen(Number(rest[0]), "0.0.0.0", () => console.log("ready"));
} else {
  const figures: RequestFigures = {
    newConnections: await compare(rest, false),
    keptAlive: await compare(rest, true),
  };
  console.log(JSON.stringify(figures));
}
