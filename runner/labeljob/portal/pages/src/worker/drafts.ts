/** What the worker has begun: the portal keeps the newest state of each task until it is answered. */

import type { Answer } from "../shared/messages";
import type { PortalApi } from "./portal_api";
import { findProblem } from "./task_frame";

const pause = 1_000; // milliseconds between two drafts
const longestWait = 60_000; // milliseconds that a page may take to make the draft it has announced

export class Drafts {
  private readonly unsaved = new Map<string, Answer>();
  private expectedUntil = 0; // milliseconds, on the clock of performance.now()
  private isSending = false;

  constructor(
    private readonly api: PortalApi,
    /** Told why what is done on a task is not kept; null: it is. */
    private readonly report: (task: string, problem: string | null) => void,
    /** The longest draft that the portal takes, in bytes. */
    private readonly longest: number,
  ) {}

  /** Whether the portal does not have all that the worker did. */
  get isUnsaved(): boolean {
    return this.unsaved.size > 0 || performance.now() < this.expectedUntil;
  }

  /** The worker has changed something, and its draft is being made. */
  expect(): void {
    this.expectedUntil = performance.now() + longestWait;
  }

  /** Save a draft in place of those before it. */
  keep(task: string, draft: Answer): void {
    this.expectedUntil = 0;
    this.unsaved.set(task, draft);
    if (!this.isSending) void this.send();
  }

  /** The task is answered, or not the worker's any more. */
  forget(task: string): void {
    this.expectedUntil = 0;
    this.unsaved.delete(task);
  }

  /** Wait for a while until all is saved. */
  async settle(milliseconds: number): Promise<void> {
    const end = performance.now() + milliseconds;
    while (this.isUnsaved && performance.now() < end) await sleep(50);
  }

  private async send(): Promise<void> {
    this.isSending = true;
    while (this.unsaved.size > 0) {
      let sent: [task: string, draft: Answer] | undefined;
      const reply = await this.api.postNewest("drafts", () => {
        sent = this.findNext();
        return sent ? { task: sent[0], answer: sent[1] } : null;
      });
      if (!reply || !sent) break;
      const [task, draft] = sent;
      if (this.unsaved.get(task) === draft) this.unsaved.delete(task);
      this.report(task, reply.status === 200 ? null : (reply.work.error ?? `The portal answered ${reply.status}.`));
      await sleep(pause);
    }
    this.isSending = false;
  }

  private findNext(): [string, Answer] | undefined {
    for (const [task, draft] of this.unsaved) {
      const problem = findProblem(draft, this.longest);
      if (!problem) return [task, draft];
      this.unsaved.delete(task);
      this.report(task, `What you do on this task cannot be kept: ${problem}.`);
    }
    return undefined;
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => window.setTimeout(resolve, milliseconds));
}
