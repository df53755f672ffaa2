// The pause program: a static ELF executable of a few hundred bytes, assembled here, so that a sandbox can come up on
// a host with neither registry nor compiler. It exits at SIGTERM and SIGINT (as PID 1 it must say so itself), has the
// kernel reap its orphans (SIGCHLD ignored), and sleeps.

const base = 0x400000;
const headersBytes = 64 + 56;
const machines = { x64: 62, arm64: 183 } as const;

/** Architectures for which the program can be made, as Node.js names them. */
export type PauseArchitecture = keyof typeof machines;

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};

/** struct sigaction as the kernel has it: handler, flags, restorer, mask. */
function sigaction({ handler, flags }: { handler: number; flags: number }): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeBigUInt64LE(BigInt(handler), 0);
  bytes.writeBigUInt64LE(BigInt(flags), 8);
  bytes.writeBigUInt64LE(BigInt(handler), 16);
  return bytes;
}

const SIGINT = 2;
const SIGTERM = 15;
const SIGCHLD = 17;
const SIG_IGN = 1;
const SA_RESTORER = 0x04000000;

function x64(start: number): Buffer {
  const handlerOffset = 84;
  const exitAction = start + 96;
  const ignoreAction = exitAction + 32;
  const sigactionCall = (signal: number, action: number) =>
    Buffer.concat([
      Buffer.from([0xbf]),
      u32(signal), // mov edi, signal
      Buffer.from([0xbe]),
      u32(action), // mov esi, action
      Buffer.from([0x31, 0xd2]), // xor edx, edx
      Buffer.from([0x41, 0xba]),
      u32(8), // mov r10d, 8
      Buffer.from([0xb8]),
      u32(13), // mov eax, rt_sigaction
      Buffer.from([0x0f, 0x05]), // syscall
    ]);
  const code = Buffer.concat([
    sigactionCall(SIGTERM, exitAction),
    sigactionCall(SIGINT, exitAction),
    sigactionCall(SIGCHLD, ignoreAction),
    Buffer.from([0xb8]),
    u32(34), // mov eax, pause
    Buffer.from([0x0f, 0x05, 0xeb, 0xf7]), // syscall; jmp back
    Buffer.from([0xb8]),
    u32(231), // handler: mov eax, exit_group
    Buffer.from([0x31, 0xff, 0x0f, 0x05]), // xor edi, edi; syscall
  ]);
  return Buffer.concat([
    code,
    Buffer.alloc(96 - code.length),
    sigaction({ handler: start + handlerOffset, flags: SA_RESTORER }),
    sigaction({ handler: SIG_IGN, flags: 0 }),
  ]);
}

function arm64(start: number): Buffer {
  const movz = (register: number, value: number) => u32(0xd2800000 | ((value & 0xffff) << 5) | register);
  const movkHigh = (register: number, value: number) => u32(0xf2a00000 | ((value >>> 16) << 5) | register);
  const svc = u32(0xd4000001);
  const handlerOffset = 128;
  const exitAction = start + 144;
  const ignoreAction = exitAction + 32;
  const sigactionCall = (signal: number, action: number) =>
    Buffer.concat([
      movz(0, signal),
      movz(1, action),
      movkHigh(1, action),
      movz(2, 0),
      movz(3, 8),
      movz(8, 134), // rt_sigaction
      svc,
    ]);
  const code = Buffer.concat([
    sigactionCall(SIGTERM, exitAction),
    sigactionCall(SIGINT, exitAction),
    sigactionCall(SIGCHLD, ignoreAction),
    ...[0, 1, 2, 3, 4].map((register) => movz(register, 0)),
    movz(8, 73), // ppoll with nothing to wait for
    svc,
    u32(0x14000000 | (-7 & 0x3ffffff)), // b back
    Buffer.alloc(handlerOffset - 116),
    movz(0, 0),
    movz(8, 94), // handler: exit_group
    svc,
  ]);
  return Buffer.concat([
    code,
    Buffer.alloc(144 - code.length),
    sigaction({ handler: start + handlerOffset, flags: SA_RESTORER }),
    sigaction({ handler: SIG_IGN, flags: 0 }),
  ]);
}

/** The executable's bytes. */
export function pauseProgram(architecture: PauseArchitecture): Buffer {
  const start = base + headersBytes;
  const body = architecture === "x64" ? x64(start) : arm64(start);
  const size = BigInt(headersBytes + body.length);
  const headers = Buffer.alloc(headersBytes);
  headers.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  headers.writeUInt16LE(2, 16); // ET_EXEC
  headers.writeUInt16LE(machines[architecture], 18);
  headers.writeUInt32LE(1, 20);
  headers.writeBigUInt64LE(BigInt(start), 24);
  headers.writeBigUInt64LE(64n, 32); // program headers' offset
  headers.writeUInt16LE(64, 52);
  headers.writeUInt16LE(56, 54);
  headers.writeUInt16LE(1, 56);
  headers.writeUInt32LE(1, 64); // PT_LOAD
  headers.writeUInt32LE(5, 68); // readable, executable
  headers.writeBigUInt64LE(BigInt(base), 80);
  headers.writeBigUInt64LE(BigInt(base), 88);
  headers.writeBigUInt64LE(size, 96);
  headers.writeBigUInt64LE(size, 104);
  headers.writeBigUInt64LE(0x10000n, 112);
  return Buffer.concat([headers, body]);
}
