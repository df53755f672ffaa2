// Asks a DNS server one name after the other over UDP, with so many questions under way at once, and times the answers.

import { createSocket } from "node:dgram";
import packet from "dns-packet";

export interface DnsLoad {
  readonly perSecond: number;
  readonly p99Ms: number;
}

const width = 64;
const retryMs = 1_000;

/** Asks for addresses until count answers have come; rejects at the first answer that is not one. */
export function dnsLoad({
  port,
  names,
  count,
}: {
  port: number;
  names: readonly string[];
  count: number;
}): Promise<DnsLoad> {
  const questions = names.map((name) =>
    packet.encode({ type: "query", id: 0, flags: packet.RECURSION_DESIRED, questions: [{ name, type: "A" }] }),
  );
  const socket = createSocket({
    type: "udp4",
    recvBufferSize: 1 << 20,
    lookup: (host, _options, callback) => callback(null, host, 4),
  });
  return new Promise((resolve, reject) => {
    const sentMs = new Float64Array(width);
    const asked = new Uint32Array(width);
    const latencies = new Float64Array(count);
    let next = 0;
    let answered = 0;
    const started = performance.now();
    const finish = (error?: Error) => {
      clearInterval(again);
      socket.close();
      if (error) return reject(error);
      latencies.sort();
      const perSecond = count / ((performance.now() - started) / 1000);
      resolve({ perSecond, p99Ms: latencies[Math.floor(count * 0.99)]! });
    };
    // A place is a number of the message's id; its upper bits tell an answer from a late one.
    const send = (place: number) => {
      const message = questions[asked[place]! % questions.length]!;
      message.writeUInt16BE((place << 8) | (asked[place]! & 255), 0);
      socket.send(message, port, "127.0.0.1");
    };
    const ask = (place: number) => {
      asked[place] = next++;
      sentMs[place] = performance.now();
      send(place);
    };
    // A server that is not up yet, or a datagram that was lost.
    const again = setInterval(() => {
      for (let place = 0; place < width; place++) if (performance.now() - sentMs[place]! > retryMs) send(place);
    }, retryMs);
    socket.on("error", finish);
    socket.on("message", (message) => {
      const place = message[0]!;
      if (place >= width || message[1] !== (asked[place]! & 255) || answered >= count) return;
      if ((message[3]! & 15) === 2) return;
      if ((message[3]! & 15) !== 0 || message.readUInt16BE(6) !== 1)
        return finish(new Error(`no answer: ${JSON.stringify(packet.decode(message).questions)}`));
      latencies[answered++] = performance.now() - sentMs[place]!;
      if (answered === count) finish();
      else ask(place);
    });
    socket.bind(0, "127.0.0.1", () => {
      for (let place = 0; place < width; place++) ask(place);
    });
  });
}
