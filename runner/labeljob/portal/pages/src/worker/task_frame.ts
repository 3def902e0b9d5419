/** One task's page in its sandbox: shown, or loaded ahead and waiting. */

import type { Answer, Json, Key, MessageFromPage, MessageToPage, Theme } from "../shared/messages";
import { comesBack } from "../shared/reach";
import type { Task } from "./work";

export interface ShowOptions {
  /** A number key answers and submits at once. */
  advance: boolean;
  theme: Theme;
}

export interface FrameListener {
  changed(frame: TaskFrame): void;
  drafted(frame: TaskFrame, answer: Answer): void;
  answered(frame: TaskFrame, answer: Answer): void;
  failed(frame: TaskFrame, text: string): void;
  askedForHelp(): void;
  looked(view: Json): void;
}

const patience = 3_000; // milliseconds that a page has to say that it is ready
const longestError = 500; // characters

export class TaskFrame {
  /** Its keys, as the page tells them. */
  keys: Key[] = [];
  readonly ready: Promise<void>;
  isReady = false;
  private readonly element = document.createElement("iframe");
  private shownWith: ShowOptions | null = null; // while the worker sees it
  private view: Json = null; // to be told with the next `show`
  private hasSpoken = false;
  private isSecondTry = false;
  private isAnswered = false;
  private setReady: () => void = () => undefined;

  constructor(
    readonly task: Task,
    stage: HTMLElement,
    private readonly listener: FrameListener,
    /** The longest answer that the portal takes, in bytes. */
    private readonly longestAnswer: number,
  ) {
    this.ready = new Promise((resolve) => {
      this.setReady = () => {
        this.isReady = true;
        this.element.dataset["ready"] = "";
        resolve();
      };
    });
    const { element } = this;
    element.title = "Task";
    element.setAttribute("sandbox", "allow-scripts allow-forms allow-modals allow-popups");
    element.addEventListener("load", () => window.setTimeout(() => void this.doubt(), patience));
    element.src = task.page;
    this.hide();
    stage.append(element);
  }

  /** Whether a message comes from this page. */
  sent(event: MessageEvent): boolean {
    return event.source !== null && event.source === this.element.contentWindow;
  }

  receive(data: unknown): void {
    if (typeof data !== "object" || data === null || !("labeljob" in data)) return;
    const message = data as MessageFromPage;
    if (message.labeljob === "ready") {
      this.hasSpoken = true;
      this.keys.push(...readKeys(message.keys)); // of the elements, and perhaps of the page itself
      this.setReady();
      if (this.shownWith) this.tell(this.shownWith); // it could not hear it before
    } else if (message.labeljob === "error") {
      this.listener.failed(this, String(message.text).slice(0, longestError));
    } else if (!this.shownWith) {
      return; // a page that nobody sees has nothing to answer
    } else if (message.labeljob === "view") {
      this.listener.looked(message.view);
    } else if (message.labeljob === "help") {
      this.listener.askedForHelp();
    } else if (this.isAnswered) {
      return;
    } else if (message.labeljob === "changed") {
      this.listener.changed(this);
    } else if (message.labeljob === "draft") {
      this.listener.drafted(this, message.answer);
    } else if (message.labeljob === "answer") {
      const problem = findProblem(message.answer, this.longestAnswer);
      if (problem) {
        this.refuse(`The answer of this page cannot be sent: ${problem}.`);
        return;
      }
      this.isAnswered = true;
      this.listener.answered(this, message.answer);
    }
  }

  /** Show it; `view` is how the worker looked at the image before. */
  show(options: ShowOptions, view: Json): void {
    const { element } = this;
    this.shownWith = options;
    this.view = view;
    element.classList.remove("waiting");
    element.inert = false;
    element.removeAttribute("aria-hidden");
    this.tell(options);
    this.focus();
  }

  /** Tell the page how it is to behave and look. */
  tell(options: ShowOptions): void {
    const { advance, theme } = options;
    if (this.shownWith) this.shownWith = options;
    if (this.view !== null && this.isReady) {
      this.post({ labeljob: "view", view: this.view });
      this.view = null;
    }
    this.post({ labeljob: "show", advance, theme, answer: this.task.draft ?? this.task.answer ?? null });
  }

  hide(): void {
    const { element } = this;
    this.shownWith = null;
    element.classList.add("waiting");
    element.inert = true;
    element.setAttribute("aria-hidden", "true");
  }

  /** The answer was not taken: the worker may change it. */
  refuse(text: string): void {
    this.isAnswered = false;
    this.post({ labeljob: "refused", text });
  }

  /** Hand on a key that was pressed beside the page, and let the page have those that follow. */
  press(key: string): void {
    this.focus();
    this.post({ labeljob: "press", key });
  }

  focus(): void {
    this.element.focus({ preventScroll: true });
  }

  remove(): void {
    this.element.remove();
  }

  /** A page that says nothing may be one that the portal, just stopped, did not give: load it once
   * more as soon as it can be had. One that says nothing then either is shown as it is. */
  private async doubt(): Promise<void> {
    if (this.hasSpoken) return;
    if (this.isSecondTry) {
      this.setReady();
      return;
    }
    await comesBack(this.task.page, () => this.element.isConnected);
    this.isSecondTry = true;
    this.element.src = this.task.page;
  }

  private post(message: MessageToPage): void {
    // The page has an origin that is nobody's, so that none can be named here.
    this.element.contentWindow?.postMessage(message, "*");
  }
}

/** Why an answer cannot be sent, if so: a page can answer with what JSON cannot say, such as an
 * object that holds itself. */
export function findProblem(answer: unknown, longest: number): string | null {
  try {
    const { size } = new Blob([JSON.stringify(answer) ?? ""]);
    return size <= longest ? null : `it is longer than ${longest.toLocaleString("en")} bytes`;
  } catch (error) {
    return `it is no JSON (${String(error)})`;
  }
}

/** The page's word for its keys is a stranger's: it may be anything. */
function readKeys(value: unknown): Key[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, 50).flatMap((pair: unknown): Key[] =>
    Array.isArray(pair) ? [[String(pair[0]).slice(0, 40), String(pair[1]).slice(0, 200)]] : [],
  );
}
