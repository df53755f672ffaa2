// One keep-alive HTTPS connection that costs its process as little as possible, so that the server and not the load
// generator is measured. Knows HTTP/1.1 as far as the servers under test speak it.

import { connect, type TLSSocket } from "node:tls";
import { chunkedBody } from "./chunked-body.js";

export interface Target {
  readonly port: number;
  readonly ca: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
  readonly accept?: string;
}

export interface Connection {
  /** Sends a request and resolves with its body's chunks; rejects unless the answer is a 2xx. One at a time. */
  fetch(request: Request): Promise<Buffer[]>;
  /** Sends a request whose answer never ends; resolves once it has begun. */
  stream(request: Request, onData: (chunk: Buffer) => void): Promise<void>;
  close(): void;
}

const HEAD_END = Buffer.from("\r\n\r\n");

interface Pending {
  readonly onStream: ((chunk: Buffer) => void) | undefined;
  resolve(chunks: Buffer[]): void;
  reject(error: Error): void;
}

/** Connects; resolves once the handshake is done. */
export function openConnection(target: Target): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", ...target, ALPNProtocols: ["http/1.1"] });
    socket.once("error", reject);
    socket.once("secureConnect", () => {
      socket.off("error", reject);
      socket.setNoDelay(true);
      resolve(connectionOf(socket));
    });
  });
}

function connectionOf(socket: TLSSocket): Connection {
  let pending: Pending | undefined;
  let head: Buffer | undefined;
  let streaming = false;
  let code = 0;
  let chunks: Buffer[] = [];
  /** Takes more of a body that has begun; true once it has ended. */
  let takeBody: ((chunk: Buffer) => boolean) | undefined;

  const fail = (error: Error) => {
    pending?.reject(error);
    pending = undefined;
  };
  const finish = () => {
    const { resolve, reject } = pending!;
    pending = undefined;
    takeBody = undefined;
    if (code < 300) resolve(chunks);
    else reject(new Error(`the server answered ${code}: ${Buffer.concat(chunks).toString().slice(0, 300)}`));
  };
  const bodyOfLength = (length: number) => {
    let missingBytes = length;
    return (chunk: Buffer) => {
      if (chunk.length > 0) chunks.push(chunk);
      missingBytes -= chunk.length;
      return missingBytes <= 0;
    };
  };
  const takeHead = (chunk: Buffer) => {
    head = head === undefined ? chunk : Buffer.concat([head, chunk]);
    const end = head.indexOf(HEAD_END);
    if (end < 0) return;
    const text = head.toString("latin1", 0, end);
    const rest = head.subarray(end + HEAD_END.length);
    head = undefined;
    code = Number(text.slice(9, 12));
    if (pending!.onStream && code < 300) {
      streaming = true;
      pending!.resolve([]);
      if (rest.length > 0) pending!.onStream(rest);
      return;
    }
    const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
    chunks = [];
    takeBody = length === undefined ? chunkedBody((bytes) => chunks.push(bytes)) : bodyOfLength(Number(length));
    if (takeBody(rest)) finish();
  };
  socket.on("data", (chunk: Buffer) => {
    if (streaming) pending!.onStream!(chunk);
    else if (takeBody === undefined) takeHead(chunk);
    else if (takeBody(chunk)) finish();
  });
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("the server closed the connection")));

  const send = ({ method, path, body = "", contentType = "application/json", accept }: Request) => {
    const type = body === "" ? "" : `Content-Type: ${contentType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
    const wanted = accept === undefined ? "" : `Accept: ${accept}\r\n`;
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\n${wanted}${type}\r\n${body}`);
  };
  const ask = (request: Request, onStream?: Pending["onStream"]) =>
    new Promise<Buffer[]>((resolve, reject) => {
      if (socket.destroyed) return reject(new Error("the connection is closed"));
      pending = { onStream, resolve, reject };
      send(request);
    });
  return {
    fetch: (request) => ask(request),
    stream: async (request, onData) => void (await ask(request, onData)),
    close: () => socket.destroy(),
  };
}
