import type { ReactiveController, ReactiveControllerHost } from "lit";

/** Render an element again when what stands inside it changes: it may be there before its children. */
export class ChildWatcher implements ReactiveController {
  private readonly observer = new MutationObserver(() => this.host.requestUpdate());

  constructor(private readonly host: ReactiveControllerHost & HTMLElement) {
    host.addController(this);
  }

  hostConnected(): void {
    this.observer.observe(this.host, { childList: true });
    this.host.requestUpdate();
  }

  hostDisconnected(): void {
    this.observer.disconnect();
  }
}
