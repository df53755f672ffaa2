// What a pod of the packet tests runs: `node answering-pod.testing.js NAME PORT` answers over HTTP and UDP who it is and
// which source address it sees.

import { createSocket } from "node:dgram";
import { createServer } from "node:http";

const [name, port] = process.argv.slice(2) as [string, string];
const plain = (address: string | undefined) => address?.replace(/^::ffff:/, "") ?? "";

createServer((request, response) => {
  response.setHeader("Connection", "close");
  response.end(JSON.stringify({ name, source: plain(request.socket.remoteAddress) }));
}).listen(Number(port), "::", () => console.log("ready"));

const udp = createSocket("udp4");
udp.on("message", (_, from) => udp.send(JSON.stringify({ name, source: from.address }), from.port, from.address));
udp.bind(Number(port), "0.0.0.0");
