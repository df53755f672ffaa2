// A load generator: requests one after the other in a few lanes, each on a connection of its own, and what became of them.

import { get } from "node:http";

export interface Load {
  answered(): number;
  /** Of each request that was not answered with 200: when and what happened. */
  failures(): readonly string[];
  /** Counts anew from here. */
  forget(): void;
  /** Resolves when the last request has ended. */
  stop(): Promise<void>;
}

export interface LoadOptions {
  /** Requests under way at most. */
  readonly lanes?: number;
  /** Between a lane's answer and its next request. */
  readonly pauseMs?: number;
  /** After which a request counts as lost. */
  readonly timeoutMs?: number;
}

/** Starts at once, and goes on until it is stopped. */
export function startLoad(url: string, { lanes = 4, pauseMs = 10, timeoutMs = 30_000 }: LoadOptions = {}): Load {
  let isOver = false;
  let answered = 0;
  let failures: string[] = [];

  async function lane(): Promise<void> {
    while (!isOver) {
      await request(url, timeoutMs).then(
        () => {
          answered += 1;
        },
        (error: Error) => failures.push(`${new Date().toISOString()} ${error.message}`),
      );
      await new Promise((done) => setTimeout(done, pauseMs));
    }
  }

  const ended = Promise.all(Array.from({ length: lanes }, lane));
  return {
    answered: () => answered,
    failures: () => failures,
    forget() {
      answered = 0;
      failures = [];
    },
    async stop() {
      isOver = true;
      await ended;
    },
  };
}

function request(url: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = get(url, { agent: false, timeout: timeoutMs }, (response) => {
      response.on("error", reject).on("end", () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`status ${response.statusCode}`));
      });
      response.resume();
    });
    sent.on("timeout", () => sent.destroy(new Error("timeout"))).on("error", reject);
  });
}
