/** Talks to the portal. Whatever comes in between (no network, a portal that is started again, a
 * session that ended) is waited for: a request returns when the portal has decided. */

import type { Work } from "./work";

/** What keeps a request from being answered; null: nothing any more. */
export type Trouble =
  | { kind: "offline" | "unreachable" | "signed-out" }
  | { kind: "problem"; text: string }
  | null;

export interface Reply {
  status: number;
  work: Work;
}

const keepaliveLimit = 60_000; // bytes; browsers allow 64 kB to outlive their page
const timeLimit = 120_000; // milliseconds for one attempt, and more for a long body
const slowest = 100; // bytes a millisecond
const firstPause = 1_000;
const longestPause = 10_000;
const signInPause = 4_000;

export class PortalApi {
  private csrf = document.querySelector<HTMLMetaElement>('meta[name="csrf"]')?.content ?? "";
  private readonly sleepers = new Set<() => void>();

  constructor(
    private readonly job: string,
    private readonly worker: string,
    /** Name of this page, by which the portal tells it from others of the same worker. */
    private readonly page: string,
    private readonly report: (trouble: Trouble) => void,
  ) {
    window.addEventListener("online", () => this.retry());
    window.addEventListener("focus", () => this.retry());
  }

  /** Ask for something until the portal takes or refuses it. */
  async post(path: string, body: object = {}): Promise<Reply> {
    return (await this.postNewest(path, () => body))!;
  }

  /** The same with what is newest at each attempt; null as soon as there is nothing to send. */
  async postNewest(path: string, find: () => object | null): Promise<Reply | null> {
    let pause = firstPause;
    for (;;) {
      const body = find();
      if (body === null) return null;
      const response = await this.send(path, JSON.stringify({ ...body, page: this.page }));
      if (response === null) {
        this.report({ kind: navigator.onLine ? "unreachable" : "offline" });
      } else if (response.status === 401) {
        this.report({ kind: "signed-out" });
        await this.waitForSession();
        continue;
      } else {
        const work = (await response.json().catch(() => ({}))) as Work & { code?: string };
        const isStale = response.status === 403 && work.code === "csrf";
        if (isStale && (await this.renewSession()) === "renewed") continue;
        if (response.status === 403 && work.code === "change-password") location.assign("/password");
        if (response.status < 500 && response.status !== 403) {
          this.report(null);
          return { status: response.status, work };
        }
        this.report({ kind: "problem", text: work.error ?? `It answered ${response.status}.` });
      }
      await this.sleep(pause);
      pause = Math.min(pause * 2, longestPause);
    }
  }

  /** Ask once, without waiting for better times. */
  async tryOnce(path: string): Promise<void> {
    await this.send(path, "{}", 3_000);
  }

  /** Say that this page is left; nothing can be waited for then. */
  leave(): void {
    const fields = new URLSearchParams({ csrf: this.csrf, page: this.page });
    navigator.sendBeacon(this.address("leave"), fields);
  }

  /** Do not wait any longer before the next attempt. */
  retry(): void {
    for (const wake of this.sleepers) wake();
  }

  private address(path: string): string {
    return `/api/jobs/${encodeURIComponent(this.job)}/${path}`;
  }

  private async send(path: string, body: string, limit = timeLimit + body.length / slowest): Promise<Response | null> {
    try {
      return await fetch(this.address(path), {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRF-Token": this.csrf },
        body,
        keepalive: body.length < keepaliveLimit,
        redirect: "error",
        signal: AbortSignal.timeout(limit),
      });
    } catch {
      return null;
    }
  }

  private async waitForSession(): Promise<void> {
    do await this.sleep(signInPause);
    while ((await this.renewSession()) === "signed-out");
  }

  /** Read who is signed in, perhaps anew; for anybody else the page starts again. */
  private async renewSession(): Promise<"same" | "renewed" | "signed-out"> {
    try {
      const response = await fetch("/api/session", { signal: AbortSignal.timeout(timeLimit) });
      if (!response.ok) return "signed-out";
      const session = (await response.json()) as { worker: string; csrf: string };
      if (session.worker !== this.worker) location.reload();
      if (session.csrf === this.csrf) return "same";
      this.csrf = session.csrf;
      return "renewed";
    } catch {
      return "signed-out";
    }
  }

  private sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        window.clearTimeout(timer);
        this.sleepers.delete(done);
        resolve();
      };
      const timer = window.setTimeout(done, milliseconds);
      this.sleepers.add(done);
    });
  }
}
