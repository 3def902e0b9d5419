/** Messages above the task: one of each kind, until it is over or closed. */

import { find } from "./page_elements";

export class Notices {
  private readonly place = find("#notices");
  private readonly spoken = find("#spoken");

  show(kind: string, text: string, ...actions: HTMLElement[]): void {
    const known = this.place.querySelector<HTMLElement>(`[data-kind="${kind}"]`);
    if (known?.dataset["text"] === text) return;
    const notice = document.createElement("div");
    notice.className = "notice bad";
    notice.dataset["kind"] = kind;
    notice.dataset["text"] = text;
    const paragraph = document.createElement("p");
    paragraph.textContent = text;
    notice.append(paragraph, ...actions);
    known?.remove();
    this.place.append(notice);
  }

  /** A message that the worker closes. */
  showUntilClosed(kind: string, text: string): void {
    this.show(kind, text, makeButton("Close", () => this.clear(kind)));
  }

  clear(kind: string): void {
    this.place.querySelector(`[data-kind="${kind}"]`)?.remove();
  }

  /** Say something to those who hear the page. */
  say(text: string): void {
    this.spoken.textContent = text;
  }
}

export function makeButton(text: string, act: () => void): HTMLButtonElement {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  button.addEventListener("click", act);
  return button;
}

export function makeLink(text: string, address: string): HTMLAnchorElement {
  const link = document.createElement("a");
  link.className = "button";
  link.textContent = text;
  link.href = address;
  link.target = "_blank";
  return link;
}
