// SPDY/3.1 frames as values: to bytes and back. Knows neither sessions nor what a header block holds.

export type Frame =
  | { type: "data"; streamId: number; fin: boolean; data: Buffer }
  | { type: "synStream"; streamId: number; fin: boolean; unidirectional: boolean; headerBlock: Buffer }
  | { type: "synReply"; streamId: number; fin: boolean; headerBlock: Buffer }
  | { type: "rstStream"; streamId: number; status: number }
  | { type: "settings" }
  | { type: "ping"; id: number }
  | { type: "goAway"; lastStreamId: number; status: number }
  | { type: "headers"; streamId: number; fin: boolean; headerBlock: Buffer }
  | { type: "windowUpdate"; streamId: number; delta: number };

const controlTypes = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

const flagFin = 0x01;
const flagUnidirectional = 0x02;
const headBytes = 8;
const idMask = 0x7fffffff;

/** The largest payload one frame can carry (24 bits of length). */
export const maxFramePayloadBytes = 0xffffff;

function control(type: number, flags: number, ...payload: Buffer[]): Buffer {
  const lengthBytes = payload.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.alloc(headBytes);
  head.writeUInt16BE(0x8003, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(((flags << 24) | lengthBytes) >>> 0, 4);
  return Buffer.concat([head, ...payload]);
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => {
    bytes.writeUInt32BE(value >>> 0, index * 4);
  });
  return bytes;
}

/** The bytes of one frame. */
export function encodeFrame(frame: Frame): Buffer {
  switch (frame.type) {
    case "data": {
      const head = Buffer.alloc(headBytes);
      head.writeUInt32BE(frame.streamId & idMask, 0);
      head.writeUInt32BE((((frame.fin ? flagFin : 0) << 24) | frame.data.length) >>> 0, 4);
      return Buffer.concat([head, frame.data]);
    }
    case "synStream": {
      const flags = (frame.fin ? flagFin : 0) | (frame.unidirectional ? flagUnidirectional : 0);
      return control(
        controlTypes.synStream,
        flags,
        words(frame.streamId & idMask, 0),
        Buffer.alloc(2),
        frame.headerBlock,
      );
    }
    case "synReply":
    case "headers":
      return control(
        controlTypes[frame.type],
        frame.fin ? flagFin : 0,
        words(frame.streamId & idMask),
        frame.headerBlock,
      );
    case "rstStream":
      return control(controlTypes.rstStream, 0, words(frame.streamId & idMask, frame.status));
    case "settings":
      return control(controlTypes.settings, 0, words(0));
    case "ping":
      return control(controlTypes.ping, 0, words(frame.id));
    case "goAway":
      return control(controlTypes.goAway, 0, words(frame.lastStreamId & idMask, frame.status));
    case "windowUpdate":
      return control(controlTypes.windowUpdate, 0, words(frame.streamId & idMask, frame.delta & idMask));
  }
}

const leastPayloadBytes: Record<number, number> = { 1: 10, 2: 4, 3: 8, 4: 4, 6: 4, 7: 8, 8: 4, 9: 8 };

/** A frame from its head and payload; undefined for a control type that SPDY/3.1 does not know. */
function decodeFrame(head: Buffer, payload: Buffer): Frame | undefined {
  const first = head.readUInt32BE(0);
  const flags = head.readUInt8(4);
  const fin = (flags & flagFin) !== 0;
  if ((first & 0x80000000) === 0) return { type: "data", streamId: first, fin, data: payload };
  const version = (first >>> 16) & 0x7fff;
  if (version !== 3) throw new Error(`SPDY version ${version} is not supported`);
  const type = first & 0xffff;
  const least = leastPayloadBytes[type];
  if (least === undefined) return undefined;
  if (payload.length < least) throw new Error(`SPDY control frame ${type} of ${payload.length} bytes is too short`);
  const streamId = payload.readUInt32BE(0) & idMask;
  switch (type) {
    case controlTypes.synStream: {
      const unidirectional = (flags & flagUnidirectional) !== 0;
      return { type: "synStream", streamId, fin, unidirectional, headerBlock: payload.subarray(10) };
    }
    case controlTypes.synReply:
      return { type: "synReply", streamId, fin, headerBlock: payload.subarray(4) };
    case controlTypes.rstStream:
      return { type: "rstStream", streamId, status: payload.readUInt32BE(4) };
    case controlTypes.settings:
      return { type: "settings" };
    case controlTypes.ping:
      return { type: "ping", id: payload.readUInt32BE(0) };
    case controlTypes.goAway:
      return { type: "goAway", lastStreamId: streamId, status: payload.readUInt32BE(4) };
    case controlTypes.headers:
      return { type: "headers", streamId, fin, headerBlock: payload.subarray(4) };
    default:
      return { type: "windowUpdate", streamId, delta: payload.readUInt32BE(4) & idMask };
  }
}

/** Cuts a byte stream into frames; throws on bytes that are not SPDY/3. */
export class FrameDecoder {
  #chunks: Buffer[] = [];
  #lengthBytes = 0;

  /** Adds bytes and yields the frames that are now whole. */
  *push(chunk: Buffer): Generator<Frame> {
    this.#chunks.push(chunk);
    this.#lengthBytes += chunk.length;
    for (;;) {
      if (this.#lengthBytes < headBytes) return;
      if (this.#chunks[0]!.length < headBytes) this.#chunks = [Buffer.concat(this.#chunks)];
      const payloadBytes = this.#chunks[0]!.readUInt32BE(4) & 0xffffff;
      if (this.#lengthBytes < headBytes + payloadBytes) return;
      const bytes = this.#take(headBytes + payloadBytes);
      const frame = decodeFrame(bytes.subarray(0, headBytes), bytes.subarray(headBytes));
      if (frame) yield frame;
    }
  }

  #take(sizeBytes: number): Buffer {
    const whole = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    const rest = whole.subarray(sizeBytes);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#lengthBytes = rest.length;
    return whole.subarray(0, sizeBytes);
  }
}
