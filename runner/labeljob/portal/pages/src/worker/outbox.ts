/** What the worker did and the portal has not acknowledged is kept in this browser, so that neither
 * a closed tab nor a stopped portal loses it. */

import type { Action } from "./work";

const prefix = "labeljob-outbox";

export interface Kept {
  key: string;
  action: Action;
}

export class Outbox {
  constructor(
    private readonly worker: string,
    private readonly job: string,
  ) {}

  /** Keep an action; the key is empty if this browser has no room for it. */
  keep(action: Action): Kept {
    const moment = `${Date.now()}`.padStart(15, "0");
    const key = [prefix, this.worker, this.job, moment, action.body.task].join("/");
    try {
      localStorage.setItem(key, JSON.stringify(action));
      return { key, action };
    } catch {
      return { key: "", action };
    }
  }

  remove(kept: Kept): void {
    if (kept.key) localStorage.removeItem(kept.key);
  }

  /** What an earlier page of this job left behind, oldest first. */
  list(): Kept[] {
    return keysOf(`${prefix}/${this.worker}/${this.job}/`).flatMap((key) => {
      try {
        return [{ key, action: JSON.parse(localStorage.getItem(key) ?? "") as Action }];
      } catch {
        localStorage.removeItem(key);
        return [];
      }
    });
  }
}

/** The jobs of which a worker's answers are still in this browser. */
export function listJobsWithKeptAnswers(worker: string): string[] {
  const keys = keysOf(`${prefix}/${worker}/`);
  return [...new Set(keys.map((key) => key.split("/")[2] ?? ""))];
}

function keysOf(start: string): string[] {
  return Object.keys(localStorage).filter((key) => key.startsWith(start)).sort();
}
