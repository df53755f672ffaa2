// The least that a DNS server in Node.js can do: every question comes back with one fixed address, from a socket set up as
// cluster-dns sets up its own. A process of its own: node bare-datagrams.js PORT.

import { createSocket } from "node:dgram";

const headerBytes = 12;
// The question's name, A, IN, 30 seconds, 192.0.2.1.
const record = Buffer.from([0xc0, headerBytes, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 192, 0, 2, 1]);
const socket = createSocket({
  type: "udp4",
  recvBufferSize: 1 << 20,
  lookup: (host, _options, callback) => callback(null, host, 4),
});
socket.on("message", (message, from) => {
  const response = Buffer.concat([message, record]);
  response[2] = 0x85;
  response[3] = 0x80;
  response[7] = 1;
  socket.send(response, from.port, from.address);
});
socket.bind(Number(process.argv[2]), "127.0.0.1");
