// The bytes of a body that comes in HTTP/1.1 chunks, without copying them.

/** Takes what the connection yields; true once the body has ended. Calls onData with the body's own bytes. */
export function chunkedBody(onData: (bytes: Buffer) => void): (received: Buffer) => boolean {
  let missingBytes = 0;
  let line = "";
  let isLast = false;
  return (received) => {
    for (let at = 0; at < received.length; ) {
      if (missingBytes > 0) {
        const bytes = received.subarray(at, at + missingBytes);
        onData(bytes);
        at += bytes.length;
        missingBytes -= bytes.length;
        continue;
      }
      const end = received.indexOf("\n", at);
      line += received.toString("latin1", at, end < 0 ? received.length : end);
      if (end < 0) return false;
      at = end + 1;
      const text = line.trim();
      line = "";
      if (isLast && text === "") return true;
      // A chunk's bytes are followed by an empty line.
      if (text === "") continue;
      missingBytes = Number.parseInt(text, 16);
      isLast = missingBytes === 0;
    }
    return false;
  };
}
