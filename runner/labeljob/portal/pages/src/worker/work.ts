/** What the portal answers: the task to do now, the one after it, and how far the job is. */

import type { Answer } from "../shared/messages";

export interface Task {
  id: string;
  /** Address of the worker page. */
  page: string;
  secondsLeft: number;
  timeLimit: number;
  /** The worker's own answer, when they went back to it. */
  answer?: Answer;
  /** What they had begun; only where the page has not loaded the task. */
  draft?: Answer;
  /** Why the task cannot be shown. */
  problem?: string;
}

export interface Work {
  state: "running" | "paused" | "finished";
  task: Task | null;
  next: Task | null;
  progress: { mine: number; complete: number; total: number };
  canGoBack: boolean;
  /** Only where something was refused: why. */
  error?: string;
  /** What the worker should know of what was done. */
  notice?: string;
}

/** Something that the worker did with a task, and that must reach the portal. */
export interface Action {
  path: "answers" | "cannot-label" | "skip";
  body: { task: string; answer?: Answer; reason?: string; comment?: string };
}
