/** "Task time: 0:20 of 5 Min", and what happens when the time is over. */

const lastMinute = 60;
const enoughForWarning = 120; // seconds; shorter tasks are not interrupted by a warning

export class TaskClock {
  private limit = 0;
  private end = 0; // on the clock of performance.now(), in milliseconds
  private timer = 0;
  private isWarned = false;

  constructor(
    private readonly element: HTMLElement,
    private readonly warn: () => void,
    private readonly over: () => void,
  ) {}

  start(secondsLeft: number, limit: number): void {
    const end = performance.now() + secondsLeft * 1000;
    if (end > this.end + 5_000) this.isWarned = false;
    this.end = end;
    this.limit = limit;
    window.clearInterval(this.timer);
    this.timer = window.setInterval(() => this.tick(), 250);
    this.element.hidden = false;
    this.tick();
  }

  stop(): void {
    window.clearInterval(this.timer);
    this.element.hidden = true;
  }

  private tick(): void {
    const left = (this.end - performance.now()) / 1000;
    const spent = Math.floor(Math.min(this.limit, Math.max(0, this.limit - left)));
    const text = `Task time: ${formatTime(spent)} of ${formatLimit(this.limit)}`;
    if (this.element.textContent !== text) this.element.textContent = text;
    this.element.classList.toggle("ending", left <= lastMinute && this.limit >= enoughForWarning);
    if (left <= lastMinute && this.limit >= enoughForWarning && !this.isWarned) {
      this.isWarned = true;
      this.warn();
    }
    if (left <= 0) {
      this.stop();
      this.over();
    }
  }
}

function formatTime(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function formatLimit(seconds: number): string {
  return seconds % 60 ? `${formatTime(seconds)} Min` : `${seconds / 60} Min`;
}
