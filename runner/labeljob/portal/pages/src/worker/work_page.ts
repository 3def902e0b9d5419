/** The work page: shows one task after the other, and saves what the worker does.
 *
 * The next task is loaded ahead in a frame of its own. On an answer it is shown at once, while the
 * answer goes to the portal; the answer after that waits until this one is saved. */

import type { Answer, Json } from "../shared/messages";
import { Drafts } from "./drafts";
import { KeptView } from "./kept_view";
import { Notices, makeButton, makeLink } from "./notices";
import { Options } from "./options";
import { Outbox, type Kept } from "./outbox";
import { find } from "./page_elements";
import { Panel, type PanelButton } from "./panel";
import { PortalApi, type Reply, type Trouble } from "./portal_api";
import { TaskClock } from "./task_clock";
import { TaskFrame, type FrameListener } from "./task_frame";
import type { Action, Task, Work } from "./work";

export interface Boot {
  job: string;
  worker: string;
  /** In bytes. */
  longestAnswer: number;
}

const pauseBetweenLooks = 15_000; // milliseconds, while there is no task
const longestSaving = 3_000; // milliseconds for a draft before its task is given back
const enoughToBeAtWork = 2_000; // milliseconds after which a task is not taken away by a pause

export class WorkPage implements FrameListener {
  private readonly stage = find("#stage");
  private readonly panel = new Panel();
  private readonly notices = new Notices();
  private readonly options = new Options(
    () => this.shown?.tell(this.options.forPage),
    () => this.shown?.focus(),
  );
  private readonly clock = new TaskClock(
    find("#time"),
    () => this.notices.say("One minute is left for this task."),
    () => void this.endTime(),
  );
  private readonly outbox: Outbox;
  private readonly kept: KeptView;
  private readonly api: PortalApi;
  private readonly drafts: Drafts;
  private readonly buttons = {
    back: find<HTMLButtonElement>("#back"),
    cannotLabel: find<HTMLButtonElement>("#cannot-label"),
    skip: find<HTMLButtonElement>("#skip"),
    stop: find<HTMLButtonElement>("#stop"),
  };
  private readonly cannotLabelDialog = find<HTMLDialogElement>("#cannot-label-dialog");

  private readonly frames = new Map<string, TaskFrame>();
  private task: Task | null = null; // to be done now; null while a panel is all there is
  private next: Task | null = null;
  private shown: TaskFrame | null = null; // the frame that the worker sees
  private shownAt = 0; // milliseconds, on the clock of performance.now()
  private canGoBack = false;
  private isBusy = false; // a request is under way that says what comes next
  private waiting: Action | null = null; // done by the worker while that was so
  private isUnkept = false; // an answer is only in this page's memory
  private isTimeOver = false;
  private isStopping = false;
  private look = 0; // timer of the next look for a task

  constructor(private readonly boot: Boot) {
    const page = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    this.outbox = new Outbox(boot.worker, boot.job);
    this.kept = new KeptView(boot.worker, boot.job);
    this.api = new PortalApi(boot.job, boot.worker, page, (trouble) => this.showTrouble(trouble));
    const tell = (task: string, problem: string | null): void => {
      if (problem === null) this.notices.clear("draft");
      else if (task === this.shown?.task.id) this.notices.showUntilClosed("draft", problem);
    };
    this.drafts = new Drafts(this.api, tell, boot.longestAnswer);
    this.listen();
  }

  /** Send what an earlier page could not, then ask for a task. */
  async start(): Promise<void> {
    this.isBusy = true;
    const kept = this.outbox.list();
    if (kept.length > 0) this.panel.show("Saving an answer that was kept in this browser…");
    for (const item of kept) await this.deliver(item);
    this.isBusy = false;
    await this.ask("next");
  }

  // --- what the page in the frame says -----------------------------------------------------------

  answered(frame: TaskFrame, answer: Answer): void {
    this.act({ path: "answers", body: { task: frame.task.id, answer } });
  }

  changed(frame: TaskFrame): void {
    if (frame === this.shown) this.drafts.expect();
  }

  drafted(frame: TaskFrame, answer: Answer): void {
    if (frame === this.shown) this.drafts.keep(frame.task.id, answer);
  }

  failed(frame: TaskFrame, text: string): void {
    if (frame === this.shown) this.notices.showUntilClosed("page", `The task's page says: ${text}`);
  }

  askedForHelp(): void {
    this.options.open(this.shown?.keys ?? []);
  }

  looked(view: Json): void {
    this.kept.keep(view);
  }

  // --- what the worker does ----------------------------------------------------------------------

  private listen(): void {
    window.addEventListener("message", (event) => {
      for (const frame of this.frames.values()) if (frame.sent(event)) frame.receive(event.data);
    });
    window.addEventListener("keydown", (event) => {
      const isTyping = event.target instanceof HTMLElement && event.target.closest("input, select, textarea, dialog");
      if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "?") this.askedForHelp();
      else if (/^\d$/.test(event.key)) this.shown?.press(event.key);
      else return;
      event.preventDefault();
    });
    window.addEventListener("pagehide", () => {
      if (!this.isStopping) this.api.leave();
    });
    window.addEventListener("pageshow", (event) => {
      if (event.persisted) void this.lookAgain();
    });
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) void this.lookAgain();
    });
    window.addEventListener("beforeunload", (event) => {
      if (this.isUnkept || this.drafts.isUnsaved) event.preventDefault();
    });
    this.buttons.skip.addEventListener("click", () => {
      if (this.task) this.act({ path: "skip", body: { task: this.task.id } });
    });
    this.buttons.back.addEventListener("click", () => void this.goBack());
    this.buttons.stop.addEventListener("click", () => void this.stop());
    this.buttons.cannotLabel.addEventListener("click", () => {
      this.cannotLabelDialog.querySelector("form")?.reset();
      this.cannotLabelDialog.returnValue = "";
      this.cannotLabelDialog.showModal();
    });
    find("#options-button").addEventListener("click", () => this.askedForHelp());
    this.cannotLabelDialog.addEventListener("close", () => this.sendCannotLabel());
  }

  private sendCannotLabel(): void {
    const form = this.cannotLabelDialog.querySelector("form");
    if (this.cannotLabelDialog.returnValue !== "send" || !form || !this.task) {
      this.shown?.focus();
      return;
    }
    const fields = new FormData(form);
    const reason = String(fields.get("reason"));
    const comment = String(fields.get("comment") ?? "");
    this.act({ path: "cannot-label", body: { task: this.task.id, reason, comment } });
  }

  /** Go on to the next task at once, and save what was done with this one. */
  private act(action: Action): void {
    if (this.isBusy) {
      this.waiting = action;
      this.notices.show("waiting", "Saving your last answer; this one follows by itself.");
      return;
    }
    void this.save(action);
  }

  private async save(action: Action): Promise<void> {
    this.isBusy = true;
    this.drafts.forget(action.body.task);
    this.notices.clear("draft");
    const kept = this.outbox.keep(action);
    this.isUnkept = kept.key === "";
    const left = this.shown;
    if (left) this.frames.delete(left.task.id);
    this.advance();
    const refusal = await this.deliver(kept);
    this.isBusy = false;
    this.isUnkept = false;
    if (refusal !== null && left) {
      this.frames.set(left.task.id, left);
      this.next = this.task;
      this.show(left.task);
      left.refuse(refusal);
    } else {
      left?.remove();
    }
    this.goOnWaiting();
  }

  /** Send an action until it is decided about; the text is why the worker has to change it. */
  private async deliver(kept: Kept): Promise<string | null> {
    const { path, body } = kept.action;
    const { status, work } = await this.post(path, body);
    this.outbox.remove(kept);
    if (status === 404) {
      this.showGone(work.error ?? "");
      return null;
    }
    if (status !== 200 && status !== 409) return work.error ?? `The portal answered ${status}.`;
    const text = work.error ?? work.notice;
    if (text) this.notices.showUntilClosed("refused", text);
    this.apply(work);
    return null;
  }

  private post(path: string, body: object = {}): Promise<Reply> {
    return this.api.post(path, { ...body, loaded: [...this.frames.keys()] });
  }

  private goOnWaiting(): void {
    this.updateButtons();
    const action = this.waiting;
    this.waiting = null;
    this.notices.clear("waiting");
    if (this.isStopping) void this.stop();
    else if (action && action.body.task === this.task?.id) this.act(action);
  }

  /** Show the task that was loaded ahead. */
  private advance(): void {
    this.hideShown();
    this.task = this.next;
    this.next = null;
    if (this.task) this.show({ ...this.task, secondsLeft: this.task.timeLimit });
    else this.showPanel("Saving your answer…");
    this.updateButtons();
  }

  private async goBack(): Promise<void> {
    await this.drafts.settle(longestSaving);
    await this.ask("back");
  }

  private async ask(path: "next" | "back"): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    const { status, work } = await this.post(path);
    this.isBusy = false;
    if (status === 404) {
      this.showGone(work.error ?? "");
    } else {
      if (work.error) this.notices.showUntilClosed("refused", work.error);
      if (work.state) this.apply(work);
    }
    this.goOnWaiting();
  }

  /** The page is seen again after a while: what it shows may be over. */
  private async lookAgain(): Promise<void> {
    if (!this.isTimeOver) await this.ask("next");
  }

  private async endTime(): Promise<void> {
    const { task } = this;
    if (this.waiting || !task) return;
    await this.drafts.settle(longestSaving);
    if (this.waiting || this.task !== task) return; // answered in the last moment
    this.isTimeOver = true;
    const isReopened = task.answer !== undefined;
    void this.api.tryOnce("stop");
    this.hideShown();
    this.showPanel(
      "The time for this task is over",
      isReopened
        ? "Your earlier answer stays as it was."
        : "The task was given back: you may get it again, or somebody else does it.",
      [{ text: "Go on", act: () => void this.ask("next") }, this.stopButton],
    );
    this.updateButtons();
  }

  private async stop(): Promise<void> {
    this.isStopping = true;
    this.buttons.stop.disabled = true;
    await this.drafts.settle(longestSaving);
    this.hideShown();
    if (this.isBusy) {
      this.showPanel("Saving your last answer…", "Then you are done.");
      return;
    }
    this.showPanel("Giving your task back…");
    await this.api.tryOnce("stop");
    location.assign("/");
  }

  // --- what the portal says ----------------------------------------------------------------------

  private apply(work: Work): void {
    const { progress } = work;
    const counts = find("#counts");
    counts.hidden = false;
    counts.textContent = `Yours: ${format(progress.mine)} · Done: ${format(progress.complete)} of ${format(progress.total)}`;
    const bar = find<HTMLProgressElement>("#bar");
    bar.max = Math.max(1, progress.total);
    bar.value = progress.complete;
    this.canGoBack = work.canGoBack;
    this.isTimeOver = false;

    // A paused job hands out nothing, but takes the answer to what the worker looks at.
    const isAtWork = this.shown !== null && performance.now() - this.shownAt > enoughToBeAtWork;
    const keepsTask = work.state === "paused" && this.task !== null && isAtWork;
    if (!keepsTask) this.task = work.task;
    this.next = work.next;
    for (const [id, frame] of this.frames) {
      if (id === this.task?.id || id === this.next?.id) continue;
      if (frame === this.shown) this.shown = null;
      this.drafts.forget(id);
      frame.remove();
      this.frames.delete(id);
    }
    if (this.task) this.show(keepsTask ? null : this.task);
    else this.showEmpty(work);
    this.updateButtons();
  }

  /** Show a task; null: the one that is shown already stays. */
  private show(task: Task | null): void {
    if (!task) return;
    window.clearTimeout(this.look);
    if (task.problem !== undefined) {
      this.showProblem(task.problem);
      return;
    }
    const frame = this.load(task);
    this.clock.start(task.secondsLeft, task.timeLimit);
    if (frame === this.shown) {
      this.panel.hide();
      this.loadNext();
      return;
    }
    this.hideShown();
    this.shown = frame;
    this.shownAt = performance.now();
    if (frame.isReady) this.reveal(frame);
    else this.revealLater(frame);
  }

  private reveal(frame: TaskFrame): void {
    this.panel.hide();
    this.notices.clear("page");
    frame.show(this.options.forPage, this.kept.view);
    this.loadNext();
  }

  private revealLater(frame: TaskFrame): void {
    this.panel.show("Loading your task…");
    void frame.ready.then(() => {
      if (frame === this.shown) this.reveal(frame);
    });
  }

  private load(task: Task): TaskFrame {
    const known = this.frames.get(task.id);
    if (known) return known;
    const frame = new TaskFrame(task, this.stage, this, this.boot.longestAnswer);
    this.frames.set(task.id, frame);
    return frame;
  }

  private loadNext(): void {
    if (this.next && this.next.problem === undefined) this.load(this.next);
  }

  private hideShown(): void {
    this.shown?.hide();
    this.shown = null;
  }

  private showPanel(title: string, text = "", buttons: PanelButton[] = []): void {
    window.clearTimeout(this.look);
    this.clock.stop();
    this.panel.show(title, text, buttons);
  }

  private readonly stopButton: PanelButton = { text: "Stop working", act: () => void this.stop() };

  private showEmpty(work: Work): void {
    this.hideShown();
    if (work.state === "finished") {
      this.showPanel("This job is finished", "Thank you. All answers are saved.", [
        { text: "Go to the jobs", act: () => location.assign("/") },
      ]);
      return;
    }
    const looks = "This page looks again by itself.";
    const buttons = [{ text: "Look now", act: () => void this.ask("next") }, this.stopButton];
    if (work.state === "paused") {
      this.showPanel("This job is paused", `Its owner has paused it. All your answers are saved. ${looks}`, buttons);
    } else {
      const why = "There may be more later, when other workers give tasks back or the owner asks for more answers.";
      this.showPanel("There is no task for you now", `${why} ${looks}`, buttons);
    }
    this.lookLater();
  }

  /** Look for a task after a while, unless nobody sees the page: a task would only wait there. */
  private lookLater(): void {
    this.look = window.setTimeout(() => {
      if (document.hidden) this.lookLater();
      else void this.ask("next");
    }, pauseBetweenLooks);
  }

  private showProblem(text: string): void {
    this.hideShown();
    this.showPanel("This task cannot be shown", `${text}. Tell the owner of the job, and skip it.`, [
      { text: "Skip", act: () => this.buttons.skip.click() },
      { text: "Try again", act: () => void this.ask("next") },
      this.stopButton,
    ]);
  }

  private showGone(text: string): void {
    this.hideShown();
    this.task = null;
    this.showPanel("This job is not here any more", text, [
      { text: "Go to the jobs", act: () => location.assign("/") },
    ]);
    this.updateButtons();
  }

  private showTrouble(trouble: Trouble): void {
    for (const kind of ["offline", "unreachable", "problem", "signed-out"]) {
      if (kind !== trouble?.kind) this.notices.clear(kind);
    }
    if (trouble === null) return;
    const kept = this.isUnkept || this.drafts.isUnsaved
      ? "Keep this page open: what you did last is not saved yet, and goes out by itself."
      : "What you did is kept in this browser, and goes out by itself.";
    const tryNow = makeButton("Try now", () => this.api.retry());
    switch (trouble.kind) {
      case "offline":
        this.notices.show(trouble.kind, `This device has no network. ${kept}`, tryNow);
        break;
      case "unreachable":
        this.notices.show(trouble.kind, `The portal does not answer; it may have been stopped. ${kept}`, tryNow);
        break;
      case "problem":
        this.notices.show(trouble.kind, `The portal has a problem: ${trouble.text} ${kept}`, tryNow);
        break;
      case "signed-out":
        this.notices.show(
          trouble.kind,
          `You are signed out. Sign in again in another tab; this page goes on by itself. ${kept}`,
          makeLink("Sign in", `/sign-in?next=${encodeURIComponent("/progress")}`),
        );
    }
  }

  private updateButtons(): void {
    const hasTask = this.task !== null && !this.isTimeOver;
    this.buttons.skip.disabled = !hasTask;
    this.buttons.cannotLabel.disabled = !hasTask;
    this.buttons.back.disabled = !this.canGoBack || this.isBusy;
  }
}

function format(count: number): string {
  return count.toLocaleString("en");
}
